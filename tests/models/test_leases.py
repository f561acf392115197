"""Leases: one holder at a time, and none for ever."""

from __future__ import annotations

import time_machine
from bson import ObjectId

from models import clock, leases
from tests.story import at_once

MINE, YOURS = ObjectId(), ObjectId()


def test_of_many_who_ask_at_once_one_gets_the_lease(ground):
    holders = [ObjectId() for _ in range(8)]
    got = at_once(*[lambda holder=holder: leases.take("sender", holder, 15) for holder in holders])
    assert sorted(got) == [False] * 7 + [True]


def test_a_lease_is_kept_while_it_is_renewed_and_free_when_its_holder_died(ground):
    with time_machine.travel(clock.now(), tick=False) as clocked:
        assert leases.take("sender", MINE, 15)
        clocked.shift(10)
        assert leases.take("sender", MINE, 15)
        clocked.shift(10)
        assert not leases.take("sender", YOURS, 15)
        clocked.shift(5)
        assert leases.take("sender", YOURS, 15)
        assert not leases.take("sender", MINE, 15)


def test_a_lease_that_is_given_back_is_free_and_only_its_holder_gives_it_back(ground):
    leases.take("sender", MINE, 15)
    leases.release("sender", YOURS)
    assert not leases.take("sender", YOURS, 15)
    leases.release("sender", MINE)
    assert leases.take("sender", YOURS, 15)
    assert leases.take("scheduler", MINE, 15)
