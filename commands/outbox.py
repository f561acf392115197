"""`flask outbox`: what background work failed for good, and letting it try again."""

from __future__ import annotations

import click
from bson import ObjectId
from bson.errors import InvalidId

from models import outbox, schema


@click.group("outbox")
def group() -> None:
    """Background work that needs an operator."""
    schema.prepare()


@group.command()
def failed() -> None:
    """List what failed for good: id, kind, error, when; never what it carries."""
    for row in outbox.failed():
        click.echo(f"{row['_id']}  {row['kind']:<16} {row['error'] or '':<24} {row['failed_at']:%Y-%m-%d %H:%M}")
    counts = outbox.counts()
    click.echo(f"{counts[outbox.FAILED]} failed, {counts[outbox.PENDING]} pending")


@group.command()
@click.argument("event_id")
def retry(event_id: str) -> None:
    """Let one failed event try again."""
    try:
        again = outbox.retry(ObjectId(event_id))
    except InvalidId as error:
        raise click.ClickException("that is no event id") from error
    if not again:
        raise click.ClickException("no failed event has this id, or what it carried was secret and is forgotten")
    click.echo("it tries again")
