"""`flask staff` at a shell: the first administrator has no other way in."""

from __future__ import annotations

from click.testing import CliRunner

from commands import staff
from models import accounts
from models.access import Actor
from models.database import collection
from tests.builders import PASSWORD


def run(*arguments: str, password: str = PASSWORD):
    return CliRunner().invoke(staff.group, ["open", *arguments], input=f"{password}\n{password}\n")


def test_an_account_is_opened_and_its_password_is_asked_for_and_not_shown(ground):
    done = run("root", "--role", "administrator")
    assert done.exit_code == 0, done.output
    assert "opened root (administrator)" in done.output
    assert PASSWORD not in done.output
    assert accounts.sign_in_staff("root", PASSWORD, None, Actor("anonymous"))["role"] == "administrator"


def test_a_name_that_is_taken_a_short_password_and_an_unknown_role_are_refused(ground):
    assert run("root", "--role", "administrator").exit_code == 0
    assert "username_taken" in run("root", "--role", "auditor").output
    assert "password_too_short" in run("other", "--role", "auditor", password="short").output
    assert run("other", "--role", "retiree").exit_code == 2
    assert collection("accounts").count_documents({}) == 1
