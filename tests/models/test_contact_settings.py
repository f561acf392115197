"""How a retiree wishes to be told: defaults, wishes, and what leads anywhere at all."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from bson import ObjectId

from models import access, accounts, contact_settings
from models.access import Actor
from models.database import collection
from models.errors import NotFound, Stale
from tests.builders import COMMUNITY_WORKER, a_retiree, audit_actions, helper_of, oneself

NO_SMS = {"wechat": True, "sms": False, "call": True, "paper": True}


def test_who_never_set_anything_gets_every_channel_and_no_copy_to_the_family(ground):
    person = a_retiree()
    held = contact_settings.get(person["_id"], oneself(person))
    assert held["channels"] == {"wechat": True, "sms": True, "call": True, "paper": True}
    assert (held["copy_family"], held["version"]) == (False, 0)


def test_a_wish_is_kept_and_audited(ground):
    person = a_retiree()
    contact_settings.put(person["_id"], NO_SMS, True, 0, oneself(person))
    held = contact_settings.get(person["_id"], oneself(person))
    assert (held["channels"], held["copy_family"], held["version"]) == (NO_SMS, True, 1)
    assert audit_actions(person)[-1] == "contact_settings.changed"
    entry = collection("audit").find_one({"action": "contact_settings.changed"})
    assert entry["before"]["copy_family"] is False
    assert entry["after"]["channels"]["sms"] is False


def test_family_and_workers_of_the_community_may_set_it_and_nobody_else(ground):
    person = a_retiree()
    contact_settings.put(person["_id"], NO_SMS, False, 0, helper_of(person))
    contact_settings.put(person["_id"], NO_SMS, True, 1, COMMUNITY_WORKER)
    for stranger in (oneself(a_retiree()), Actor(access.COMMUNITY, ObjectId(), division="540502001001")):
        with pytest.raises(NotFound):
            contact_settings.get(person["_id"], stranger)
        with pytest.raises(NotFound):
            contact_settings.put(person["_id"], NO_SMS, True, 2, stranger)


def test_whoever_saw_an_old_version_is_asked_to_look_again(ground):
    person = a_retiree()
    contact_settings.put(person["_id"], NO_SMS, False, 0, oneself(person))
    with pytest.raises(Stale):
        contact_settings.put(person["_id"], NO_SMS, True, 0, oneself(person))
    assert contact_settings.of_many([person["_id"]])[person["_id"]]["copy_family"] is False


def test_of_several_who_save_at_once_one_is_first(ground):
    person = a_retiree()
    actor = oneself(person)

    def save(_: int) -> bool:
        try:
            contact_settings.put(person["_id"], NO_SMS, True, 0, actor)
        except Stale:
            return False
        return True

    with ThreadPoolExecutor(6) as threads:
        assert list(threads.map(save, range(6))).count(True) == 1


def test_the_settings_of_a_whole_chunk_are_read_at_once(ground):
    persons = [a_retiree() for _ in range(3)]
    contact_settings.put(persons[1]["_id"], NO_SMS, False, 0, oneself(persons[1]))
    found = contact_settings.of_many([person["_id"] for person in persons])
    assert [found[person["_id"]]["channels"]["sms"] for person in persons] == [True, False, True]


def test_it_says_which_channels_lead_anywhere(ground):
    person = a_retiree(phone=None)
    nobody = contact_settings.get(person["_id"], COMMUNITY_WORKER)["reach"]
    assert nobody == {"wechat": False, "sms": False, "call": False, "paper": False}
    landline = a_retiree(phone="0731-88888888", address="银杏路1号")
    assert contact_settings.get(landline["_id"], COMMUNITY_WORKER)["reach"] == {
        "wechat": False, "sms": False, "call": True, "paper": True,
    }  # fmt: skip
    with_family = a_retiree()
    helper_of(with_family)
    assert contact_settings.get(with_family["_id"], COMMUNITY_WORKER)["reach"] == {
        "wechat": True, "sms": True, "call": True, "paper": False,
    }  # fmt: skip


def test_an_account_that_signs_in_by_text_message_is_not_on_wechat(ground):
    person = a_retiree()
    account = accounts.of_phone("16900000001")
    collection("bindings").insert_one(
        {"account_id": account["_id"], "retiree_id": person["_id"], "state": "confirmed", "relation": "self"}
    )
    assert contact_settings.get(person["_id"], COMMUNITY_WORKER)["reach"]["wechat"] is False
