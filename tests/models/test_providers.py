"""Providers: never faster than they allow, and left alone while they are not well."""

from __future__ import annotations

import time_machine

from models import clock, providers
from models.database import collection
from tests.story import at_once


def stopped():
    return time_machine.travel(clock.now(), tick=False)


def fail(times: int = providers.FAILURES) -> None:
    for _ in range(times):
        (slot,) = providers.reserve("sms", 1, 20)
        providers.failed("sms", slot)


def test_instants_are_reserved_one_behind_another_whoever_asks(ground):
    with stopped():
        instant = clock.now()
        first, second = providers.reserve("sms", 3, 20), providers.reserve("sms", 2, 20)
        other = providers.reserve("wechat", 1, 20)
    offsets = [round((slot.at - instant).total_seconds(), 3) for slot in (*first, *second)]
    assert offsets == [0.0, 0.05, 0.1, 0.15, 0.2]
    assert [slot.at for slot in other] == [instant]


def test_no_second_holds_more_than_the_rate_however_many_processes_reserve_at_once(ground):
    slots = sorted(
        slot.at for batch in at_once(*[lambda: providers.reserve("sms", 7, 30) for _ in range(12)]) for slot in batch
    )
    assert len(set(slots)) == 84
    for place, start in enumerate(slots):
        assert sum(at < start + clock.seconds(1) for at in slots[place:]) <= 30


def test_time_that_nobody_used_is_not_made_up_for_with_a_burst(ground):
    with stopped() as clocked:
        providers.reserve("sms", 5, 20)
        clocked.shift(3600)
        assert providers.reserve("sms", 1, 20)[0].at == clock.now()


def test_failures_in_a_row_open_the_breaker_and_a_success_between_them_does_not_count(ground):
    with stopped() as clocked:
        fail(providers.FAILURES - 1)
        providers.succeeded("sms")
        fail(providers.FAILURES - 1)
        clocked.shift(1)
        assert providers.reserve("sms", 1, 20)
        assert providers.away() == 0
        fail(1)
        assert providers.reserve("sms", 1, 20) == []
        assert providers.away() == 1
        assert providers.reserve("wechat", 1, 20)


def test_after_the_pause_one_request_may_try_and_its_success_closes_the_breaker(ground):
    with stopped() as clocked:
        fail()
        clocked.shift(providers.PAUSE_SECONDS - 1)
        assert providers.reserve("sms", 5, 20) == []
        clocked.shift(1)
        (trial,) = providers.reserve("sms", 5, 20)
        assert trial.trial
        assert providers.reserve("sms", 5, 20) == []
        providers.succeeded("sms")
        assert len(providers.reserve("sms", 5, 20)) == 5


def test_a_trial_that_fails_doubles_the_pause_up_to_the_longest(ground):
    with stopped() as clocked:
        fail()
        waited = []
        for _ in range(8):
            wait = 0
            while not (slots := providers.reserve("sms", 1, 20)):
                clocked.shift(1)
                wait += 1
            waited.append(wait)
            providers.failed("sms", slots[0])
    assert waited == [15, 30, 60, 120, 240, 480, 600, 600]


def test_what_was_under_way_when_the_breaker_opened_does_not_lengthen_the_pause(ground):
    with stopped() as clocked:
        under_way = providers.reserve("sms", 6, 20)
        fail()
        for slot in under_way:
            providers.failed("sms", slot)
        clocked.shift(providers.PAUSE_SECONDS)
        assert len(providers.reserve("sms", 1, 20)) == 1


def test_a_trial_whose_process_died_lets_another_try_later(ground):
    with stopped() as clocked:
        fail()
        clocked.shift(providers.PAUSE_SECONDS)
        assert providers.reserve("sms", 1, 20)
        clocked.shift(providers.TRIAL_SECONDS)
        assert providers.reserve("sms", 1, 20)[0].trial
    assert collection("providers").count_documents({}) == 1
