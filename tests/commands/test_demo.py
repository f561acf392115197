"""The demo: made-up people who pass our own checks, loaded once, and never by accident."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from commands import demo
from models import access, accounts, clock, people
from models.access import Actor
from models.database import collection
from models.id_numbers import parse
from tests.story import settings_with

CITY = Actor(access.CITY, division=demo.CITY)


def test_the_demo_does_not_load_where_it_is_not_asked_for(ground):
    refused = CliRunner().invoke(demo.command)
    assert refused.exit_code == 1
    assert "YINLING_DEMO" in refused.output
    assert collection("retirees").count_documents({}) == 0


def test_the_demo_loads_once_and_goes_on_where_it_stopped(ground):
    with settings_with(YINLING_DEMO=True):
        assert "loaded" in CliRunner().invoke(demo.command).output
        assert collection("retirees").count_documents({}) == 60
        assert "already" in CliRunner().invoke(demo.command).output
        collection("retirees").delete_one({})
        assert demo.load()
    assert collection("retirees").count_documents({}) == 60


@pytest.fixture
def loaded(ground):
    demo.load(30)


def test_every_state_of_a_certification_and_every_community_is_seen(loaded):
    counts = people.counts(CITY)
    assert all(counts[state] > 0 for state in ("valid", "due_soon", "overdue"))
    assert len(collection("retirees").distinct("division")) == 4


def test_the_people_of_the_readme_are_those_that_it_names(loaded):
    for place, (name, birth, sex, phone) in enumerate(demo.FIRST_WALK):
        number = demo.id_number(birth, sex, place)
        assert parse(number, clock.today()).sex == sex
        (found,), _ = people.search(CITY, q=phone)
        assert (found["name"], found["id_number"]) == (name, number)


def test_everybody_of_the_demo_signs_in_with_the_demos_password(loaded):
    for username, (role, _, _) in list(demo.STAFF.items())[:3]:
        assert accounts.sign_in_staff(username, demo.PASSWORD, None, Actor("anonymous"))["role"] == role
    assert collection("accounts").count_documents({}) == len(demo.STAFF)
