"""`flask staff` at a shell: the first administrator has no other way in, nor has whoever lost a password."""

from __future__ import annotations

import pyotp
import pytest
from click.testing import CliRunner

from commands import staff
from models import accounts, sign_ins
from models.access import Actor
from models.database import collection
from models.errors import Unauthenticated
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


def change(command: str, *typed: str, username: str = "root"):
    return CliRunner().invoke(staff.group, [command, username], input="".join(f"{line}\n" for line in typed))


def test_whoever_leaves_is_out_at_once_and_comes_back_with_the_same_password(ground):
    run("root", "--role", "administrator")
    pair = sign_ins.start(collection("accounts").find_one({})["_id"])
    assert change("disable").output == "disabled root\n"
    with pytest.raises(Unauthenticated):
        sign_ins.check(pair["access_token"])
    with pytest.raises(Unauthenticated):
        accounts.sign_in_staff("root", PASSWORD, None, Actor("anonymous"))
    assert change("enable").output == "enabled root\n"
    assert accounts.sign_in_staff("root", PASSWORD, None, Actor("anonymous"))


def test_a_forgotten_password_is_replaced_and_the_new_one_is_not_shown(ground):
    run("root", "--role", "administrator")
    done = change("password", "another long password", "another long password")
    assert done.exit_code == 0, done.output
    assert "another long password" not in done.output
    assert accounts.sign_in_staff("root", "another long password", None, Actor("anonymous"))
    assert "password_too_short" in change("password", "short", "short").output


def test_a_lost_authenticator_is_switched_off(ground):
    run("root", "--role", "administrator")
    account_id = collection("accounts").find_one({})["_id"]
    accounts.confirm_totp(account_id, pyotp.parse_uri(accounts.begin_totp(account_id)).now(), Actor("anonymous"))
    assert change("totp-off").exit_code == 0
    assert accounts.sign_in_staff("root", PASSWORD, None, Actor("anonymous"))


@pytest.mark.parametrize("command", ["disable", "enable", "password", "totp-off"])
def test_a_name_that_nobody_has_is_refused(ground, command):
    refused = change(command, PASSWORD, PASSWORD, username="nobody")
    assert refused.exit_code == 1
    assert "no_such_account" in refused.output
