"""The import of a roster, seen from the worker: chunk by chunk, and given up with a sentence."""

from __future__ import annotations

import pytest
import time_machine

from jobs import import_roster, registry
from models import access, clock, imports, outbox, people
from models.access import Actor
from models.database import collection, transaction
from models.errors import Conflict
from tests.builders import CITY_WORKER, COMMUNITY_WORKER, a_retiree, finish_work
from tests.story import a_roster, files_stored, people_for_a_roster


def start(rows, actor=COMMUNITY_WORKER, **more):
    a_retiree(name="先来的人")
    return imports.start(imports.ROSTER, "花名册.xlsx", a_roster(rows), actor, **more)


def held(row) -> dict:
    return collection("imports").find_one({"_id": row["_id"]})


def test_the_progress_grows_chunk_by_chunk_and_never_beyond_the_rows(ground):
    row = start(people_for_a_roster(import_roster.CHUNK + 5))
    seen = []
    with collection("imports").watch(full_document="updateLookup") as stream:
        finish_work()
        while (change := stream.try_next()) is not None:
            seen.append(change["updateDescription"]["updatedFields"].get("processed"))
    assert [count for count in seen if count] == [import_roster.CHUNK, import_roster.CHUNK + 5]
    assert held(row)["rows"] == import_roster.CHUNK + 5


def test_a_row_without_a_community_goes_to_the_community_that_was_chosen(ground):
    rows = people_for_a_roster(1, "")
    row = start(rows, CITY_WORKER)
    finish_work()
    assert (held(row)["accepted"], held(row)["rejected"]) == (0, 1)
    row = imports.start(imports.ROSTER, "x.xlsx", a_roster(rows), CITY_WORKER, division="430102001001")
    finish_work()
    assert held(row)["added"] == 1


def test_an_import_that_is_delivered_again_after_it_was_done_does_nothing(ground):
    row = start(people_for_a_roster(2))
    finish_work()
    collection("outbox").update_one(
        {"kind": "import_roster"}, {"$set": {"state": "pending", "handed_out_at": None, "leased_until": clock.now()}}
    )
    finish_work()
    assert (held(row)["state"], held(row)["added"]) == ("done", 2)


def test_a_file_that_the_worker_can_never_read_is_refused_after_the_last_try(ground):
    row = start(people_for_a_roster(1))
    collection("files.chunks").update_many({}, {"$set": {"data": b"\x01 lost"}})
    event = collection("outbox").find_one({"kind": "import_roster"})
    with time_machine.travel(clock.now(), tick=False) as clocked:
        for _ in range(outbox.MAX_ATTEMPTS):
            registry.deliver(str(event["_id"]))
            clocked.shift(2000)
    assert (held(row)["state"], held(row)["refusal"]["code"]) == ("refused", "could_not_read")


def test_the_file_is_deleted_when_it_was_read(ground):
    start(people_for_a_roster(1))
    assert files_stored() == 1
    finish_work()
    assert files_stored() == 0


def test_an_enterprise_without_a_place_adds_nobody(ground):
    row = start(people_for_a_roster(1), Actor(access.ENTERPRISE, None, "", enterprise="示范厂"))
    finish_work()
    assert (held(row)["state"], held(row)["accepted"], held(row)["rejected"]) == ("done", 0, 1)


def test_an_enterprise_cannot_write_into_a_person_it_may_not_see(ground):
    stranger = a_retiree(name="王秀英", enterprise="甲厂", phone=None)
    nobodys = a_retiree(name="李桂兰", enterprise=None, phone=None)
    clerk = access.Actor(access.ENTERPRISE, division="4301", enterprise="乙厂")
    for person in (stranger, nobodys):
        fields = {
            "id_number": person["id_number"],
            "name": person["name"],
            "phone": "16912340000",
            "enterprise": "乙厂",
        }
        with pytest.raises(Conflict, match="other_area"):
            transaction(
                lambda session, person=person, fields=fields: import_roster._fill(session, person, fields, clerk)
            )
        assert people.get(person["_id"], access.system())["phone"] is None
