"""`flask staff`: open staff accounts from the shell; the first administrator has no other way in."""

from __future__ import annotations

import click

from models import access, accounts
from models.errors import DomainError


@click.group("staff")
def group() -> None:
    """Staff accounts."""


@group.command("open")
@click.argument("username")
@click.option("--role", type=click.Choice(access.STAFF_ROLES), required=True)
@click.option("--division", default="", help="prefix of administrative codes, e.g. 430102001")
@click.option("--enterprise", default=None, help="name of the enterprise, for that role")
@click.password_option()
def open_account(username: str, role: str, division: str, enterprise: str | None, password: str) -> None:
    """Open an account; the password is asked for."""
    try:
        accounts.open_staff(username, password, role, division, enterprise=enterprise)
    except DomainError as error:
        raise click.ClickException(f"{error.code}: {error.detail}") from error
    click.echo(f"opened {username} ({role})")
