"""The audit log: in the commit of the change, masked, sealed day by day, and a seal that finds what was touched."""

from __future__ import annotations

import base64
import datetime as dt

import pytest
import time_machine

from models import (
    access,
    accounts,
    audit,
    bindings,
    by_hand,
    certification_sessions,
    certifications,
    clock,
    face_references,
    follow_ups,
    people,
)
from models.access import Actor
from models.database import collection, transaction
from models.errors import Forbidden
from settings import settings
from tests.builders import (
    CITY_WORKER,
    COMMUNITY_WORKER,
    OTHER_COMMUNITY,
    a_retiree,
    an_attempt,
    audit_actions,
    oneself,
)
from tests.story import agreed, settings_with

AUDITOR = Actor(access.AUDITOR)


@pytest.fixture
def three_days(ground):
    """Two entries on each of three days, and the clock on the fourth."""
    start = clock.start_of(clock.today()) + dt.timedelta(days=1, hours=9)
    for day in range(3):
        with time_machine.travel(start + dt.timedelta(days=day), tick=False):
            for _ in range(2):
                a_retiree()
    with time_machine.travel(start + dt.timedelta(days=3), tick=False):
        assert len(audit.seal()) == 3
        yield start


def review_of(person):
    attempt = an_attempt(person)
    transaction(lambda session: certification_sessions.settle(session, attempt, "review", ["match_doubtful"], {}, []))
    return attempt["_id"]


def bound(person):
    account = accounts.of_phone(person["phone"])
    actor = Actor(access.RETIREE, account["_id"])
    bindings.ask(actor, person["phone"], person["name"], person["id_number"], "self")
    return Actor(access.RETIREE, account["_id"], retiree_ids=(person["_id"],))


TODAY = clock.today
WRITES = {
    "retiree.changed": lambda p: people.change(p["_id"], {"native_place": "示范"}, 1, COMMUNITY_WORKER),
    "retiree.filled": lambda p: transaction(lambda s: people.fill(s, p, {"address": "示范路5号"}, COMMUNITY_WORKER)),
    "retiree.revealed": lambda p: people.reveal(p["_id"], "phone", "联系本人", COMMUNITY_WORKER),
    "retiree.certified": lambda p: by_hand.record(p["_id"], "window", TODAY(), "", COMMUNITY_WORKER),
    "pension.suspension_noted": lambda p: certifications.suspend(p["_id"], TODAY(), 1, COMMUNITY_WORKER),
    "binding.confirmed": bound,
    "binding.ended": lambda p: bindings.end(bound(p), p["_id"]),
    "consent.given": agreed,
    "consent.withdrawn": lambda p: face_references.withdraw(p["_id"], oneself(p)),
    "face.deleted": lambda p: face_references.withdraw(p["_id"], oneself(p)),
    "face.photo_put": lambda p: face_references.put_photo(p["_id"], b"photo", "staff", COMMUNITY_WORKER),
    "follow_up.asked": lambda p: follow_ups.ask_for_help(p["_id"], "window", "", oneself(p)),
    "certification.started": lambda p: certification_sessions.start(p["_id"], oneself(p), consent=True),
    "certification.frames_received": an_attempt,
    "certification.in_review": review_of,
    "certification.frame_seen": lambda p: certification_sessions.frame(review_of(p), 0, COMMUNITY_WORKER),
    "certification.review_failed": lambda p: certification_sessions.decide(
        review_of(p), approve=False, reason="不是本人", actor=COMMUNITY_WORKER
    ),
    "certification.review_passed": lambda p: certification_sessions.decide(
        review_of(p), approve=True, reason="是本人", actor=COMMUNITY_WORKER
    ),
}


@pytest.mark.parametrize("action", WRITES)
def test_whatever_is_done_to_a_persons_record_leaves_an_entry_of_that_person(ground, action):
    person = a_retiree()
    WRITES[action](person)
    assert action in audit_actions(person)


def test_an_entry_is_written_in_the_transaction_of_the_change_or_not_at_all(ground):
    person = a_retiree()

    def write(session):
        people.fill(session, person, {"address": "示范路5号"}, CITY_WORKER)
        raise RuntimeError("the change failed after its entry was written")

    with pytest.raises(RuntimeError):
        transaction(write)
    assert audit_actions(person) == ["retiree.added"]


def test_an_entry_says_who_from_where_and_on_which_request(ground):
    worker = Actor(access.COMMUNITY, division="430102001001", ip="192.0.2.7", request_id="abcdef123456")
    person = a_retiree()
    people.change(person["_id"], {"native_place": "示范"}, 1, worker)
    entry = collection("audit").find_one({"action": "retiree.changed"})
    assert entry["actor"] == {"account_id": None, "role": "community", "ip": "192.0.2.7"}
    assert entry["request_id"] == "abcdef123456"
    assert entry["before"] == {"native_place": None}
    assert entry["after"] == {"native_place": "示范"}


def test_sensitive_values_are_masked_before_they_are_written(ground):
    person = a_retiree(
        name="欧阳建国",
        address="示范市银杏区桂花路5号3栋301",
        emergency_contact="李小红",
        emergency_phone="16900001111",
        phone_owner="李小红",
        liveness_note="颈椎病，不能转头",
        party_member=True,
        health="chronic",
    )
    people.change(person["_id"], {"phone": "16912345678", "name": "欧阳国庆"}, 1, CITY_WORKER)
    held = str(list(collection("audit").find({})))
    for secret in (
        "欧阳建国", "欧阳国庆", person["id_number"], person["phone"], "16912345678", "16900001111", "3栋301", "李小红",
        "颈椎病", "chronic",
    ):  # fmt: skip
        assert secret not in held, secret
    assert "169****5678" in held
    assert collection("audit").find_one({"action": "retiree.added"})["after"]["party_member"] == "（已变更）"


def test_only_auditors_read_the_log(ground):
    person = a_retiree()
    rows, total = audit.entries(AUDITOR, subject=("retiree", person["_id"]))
    assert (len(rows), total) == (1, 1)
    for role in access.STAFF_ROLES:
        if role != access.AUDITOR:
            with pytest.raises(Forbidden):
                audit.entries(Actor(role, division="4301"))


def test_the_log_is_read_by_day_and_newest_first(three_days):
    day = clock.day_of(three_days).isoformat()
    rows, total = audit.entries(AUDITOR, day=day, size=1)
    assert (len(rows), total) == (1, 2)
    everything, _ = audit.entries(AUDITOR)
    assert [row["_id"] for row in everything] == sorted((row["_id"] for row in everything), reverse=True)


def test_a_chain_that_nobody_touched_holds(three_days):
    a_retiree()
    found = audit.verify()
    assert (found.days, found.entries, found.unsealed, found.faults) == (3, 6, 1, ())


def test_a_day_is_sealed_once_it_is_over_and_only_once(three_days):
    assert audit.seal() == []
    with time_machine.travel(clock.start_of(clock.today()) + dt.timedelta(days=1, minutes=5), tick=False):
        assert audit.seal() == [], "entries of the last minutes may still be on their way"
    with time_machine.travel(clock.start_of(clock.today()) + dt.timedelta(days=1, minutes=11), tick=False):
        assert len(audit.seal()) == 1


def test_days_without_entries_are_sealed_too_so_that_none_can_be_taken_out(three_days):
    with time_machine.travel(three_days + dt.timedelta(days=8), tick=False):
        assert len(audit.seal()) == 5
        assert audit.verify().faults == ()


def test_an_entry_that_was_changed_is_found(three_days):
    collection("audit").update_one({}, {"$set": {"actor.role": "city"}})
    (fault,) = audit.verify().faults
    assert fault.startswith(clock.day_of(three_days).isoformat())
    assert "changed" in fault


def test_an_entry_that_was_removed_is_found(three_days):
    collection("audit").delete_one({})
    (fault,) = audit.verify().faults
    assert "2 entries were sealed, 1 are there" in fault


def test_an_entry_that_was_added_later_is_found(three_days):
    copied = collection("audit").find_one({})
    del copied["_id"]
    collection("audit").insert_one(copied)
    (fault,) = audit.verify().faults
    assert "2 entries were sealed, 3 are there" in fault


def test_an_entry_before_the_first_seal_is_found(three_days):
    copied = collection("audit").find_one({})
    del copied["_id"]
    collection("audit").insert_one({**copied, "day": "2020-01-01"})
    assert any("before the first seal" in fault for fault in audit.verify().faults)


def test_a_chain_that_was_forged_by_somebody_who_holds_the_database_but_not_the_key_is_found(three_days):
    day = clock.day_of(three_days).isoformat()
    collection("audit").update_one({"day": day}, {"$set": {"actor.role": "city"}})
    collection("audit_seals").delete_many({})
    with time_machine.travel(three_days + dt.timedelta(days=3), tick=False):
        assert audit.seal() == [], "a chain that was cut is not made anew"
    assert any("anchored outside" in fault for fault in audit.verify().faults)

    (settings.DATA_DIR / "audit_anchors").unlink()
    another_key = base64.b64encode(b"k" * 96).decode()
    with settings_with(ENCRYPTION_KEY=another_key), time_machine.travel(three_days + dt.timedelta(days=3), tick=False):
        assert day in audit.seal()
        assert audit.verify().faults == ()
    assert any("changed" in fault for fault in audit.verify().faults)


def test_a_seal_that_was_replaced_is_found_by_the_seal_after_it(three_days):
    day = clock.day_of(three_days).isoformat()
    collection("audit_seals").update_one({"_id": day}, {"$set": {"digest": "f" * 64}})
    faults = audit.verify().faults
    assert any("does not follow" in fault for fault in faults)
    assert any("changed" in fault for fault in faults)


def test_a_seal_that_is_missing_is_found(three_days):
    middle = (clock.day_of(three_days) + dt.timedelta(days=1)).isoformat()
    collection("audit_seals").delete_one({"_id": middle})
    faults = audit.verify().faults
    assert any("its seal is missing" in fault for fault in faults)


def test_a_person_who_moved_takes_the_entries_along(ground):
    person = a_retiree()
    people.change(person["_id"], {"division": OTHER_COMMUNITY}, 1, CITY_WORKER)
    assert audit_actions(person) == ["retiree.added", "retiree.changed"]
