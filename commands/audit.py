"""`flask audit`: seal the log and verify it."""

from __future__ import annotations

import click

from models import audit, schema


@click.group("audit")
def group() -> None:
    """The audit log: its daily seals."""
    schema.prepare()


@group.command()
def seal() -> None:
    """Seal every day that is over (the scheduler does it each hour)."""
    for day in audit.seal():
        click.echo(f"sealed {day}")


@group.command()
def verify() -> None:
    """Compute every seal again; exit 1 where an entry was changed, added or removed."""
    found = audit.verify()
    for fault in found.faults:
        click.echo(f"FAULT {fault}", err=True)
    click.echo(f"{found.entries} entries in {found.days} sealed days, {found.unsealed} not sealed yet")
    if found.faults:
        raise SystemExit(1)
    click.echo("the chain holds")
