"""`flask staff`: open and shut staff accounts from the shell, and help who has lost password or authenticator.

The first administrator has no other way in. Every command stands in the audit log; what changes an account ends its sign-ins.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import click

from models import access, accounts, schema
from models.errors import DomainError


@contextmanager
def _refusals() -> Iterator[None]:
    """What the rules refuse, as the shell says it."""
    try:
        yield
    except DomainError as error:
        raise click.ClickException(f"{error.code}: {error.detail}") from error


@click.group("staff")
def group() -> None:
    """Staff accounts."""
    schema.prepare()


@group.command("open")
@click.argument("username")
@click.option("--role", type=click.Choice(access.STAFF_ROLES), required=True)
@click.option("--division", default="", help="prefix of administrative codes, e.g. 430102001")
@click.option("--enterprise", default=None, help="name of the enterprise, for that role")
@click.password_option()
def open_account(username: str, role: str, division: str, enterprise: str | None, password: str) -> None:
    """Open an account; the password is asked for."""
    with _refusals():
        accounts.open_staff(username, password, role, division, enterprise=enterprise)
    click.echo(f"opened {username} ({role})")


@group.command("disable")
@click.argument("username")
def disable(username: str) -> None:
    """Shut an account; whoever is signed in with it is out at once."""
    with _refusals():
        accounts.disable(username)
    click.echo(f"disabled {username}")


@group.command("enable")
@click.argument("username")
def enable(username: str) -> None:
    """Open an account again that was disabled."""
    with _refusals():
        accounts.enable(username)
    click.echo(f"enabled {username}")


@group.command("password")
@click.argument("username")
@click.password_option()
def password(username: str, password: str) -> None:
    """Give an account a new password; it is asked for. A lock ends too."""
    with _refusals():
        accounts.reset_password(username, password)
    click.echo(f"new password for {username}")


@group.command("totp-off")
@click.argument("username")
def totp_off(username: str) -> None:
    """Switch an authenticator off that was lost."""
    with _refusals():
        accounts.reset_totp(username)
    click.echo(f"authenticator of {username} is off")
