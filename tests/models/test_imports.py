"""Imports: who sees them, what is kept of them, and for how long."""

from __future__ import annotations

import pytest
import time_machine
from bson import ObjectId

from models import access, clock, imports
from models.access import Actor
from models.database import collection, transaction
from models.errors import Forbidden, NotFound
from tests.builders import CITY_WORKER, COMMUNITY, COMMUNITY_WORKER, OTHER_COMMUNITY
from tests.story import files_stored

FACTORY = Actor(access.ENTERPRISE, ObjectId(), division="4301", enterprise="示范厂")


def start(actor: Actor = COMMUNITY_WORKER, **more) -> dict:
    return imports.start(imports.ROSTER, "花名册.xlsx", b"PK a roster of 430102195503071216", actor, **more)


def finished(row: dict, book: ObjectId | None = None) -> dict:
    transaction(lambda session: imports.finish(session, row, book))
    return collection("imports").find_one({"_id": row["_id"]})


def test_an_import_waits_for_the_worker_and_its_file_lies_encrypted(ground):
    row = start()
    assert row["state"] == "waiting"
    assert collection("outbox").find_one({"kind": "import_roster"})["payload"] == {"import_id": row["_id"]}
    assert b"430102195503071216" not in b"".join(chunk["data"] for chunk in collection("files.chunks").find())


def test_photographs_wait_in_a_queue_that_no_retiree_stands_in(ground):
    imports.start(imports.PHOTOS, "照片.zip", b"PK", COMMUNITY_WORKER)
    assert collection("outbox").find_one({"kind": "import_photos"})["queue"] == "bulk"


def test_rows_without_a_community_go_to_the_community_of_the_worker_who_has_one(ground):
    assert start()["into"] == COMMUNITY
    assert start(CITY_WORKER)["into"] == ""
    assert start(CITY_WORKER, division=OTHER_COMMUNITY)["into"] == OTHER_COMMUNITY


def test_an_import_is_seen_in_the_own_area_only(ground):
    row = start()
    assert imports.get(row["_id"], CITY_WORKER)["_id"] == row["_id"]
    for stranger in (Actor(access.COMMUNITY, division=OTHER_COMMUNITY), FACTORY, Actor(access.AUDITOR)):
        with pytest.raises(NotFound, match="import_not_found"):
            imports.get(row["_id"], stranger)
        assert imports.recent(stranger) == []


def test_an_enterprise_sees_its_own_imports_only(ground):
    row = start(FACTORY)
    other = Actor(access.ENTERPRISE, ObjectId(), division="4301", enterprise="另一个厂")
    assert imports.get(row["_id"], FACTORY)["_id"] == row["_id"]
    with pytest.raises(NotFound):
        imports.get(row["_id"], other)


@pytest.mark.parametrize("role", [access.AUDITOR, access.ADMINISTRATOR, access.ARCHIVE_KEEPER, access.RETIREE])
def test_whoever_has_no_business_with_rosters_imports_none(ground, role):
    with pytest.raises(Forbidden):
        start(Actor(role, division="4301"))


def test_the_worker_acts_for_whoever_started_the_import(ground):
    actor = imports.actor_of(start(FACTORY))
    assert (actor.role, actor.account_id, actor.enterprise) == (FACTORY.role, FACTORY.account_id, "示范厂")


def test_rejected_rows_lie_encrypted_until_the_spreadsheet_is_made(ground):
    row = start()
    transaction(lambda session: imports.reject(session, row["_id"], 2, ["王秀英", "430102195503071216"], ["号码有误"]))
    stored = collection("import_rejections").find_one({})
    assert b"430102195503071216" not in bytes(stored["sealed"])
    assert list(imports.rejected(row["_id"])) == [(["王秀英", "430102195503071216"], ["号码有误"])]
    assert finished(row)["rejected"] == 1
    assert collection("import_rejections").count_documents({}) == 0


def test_the_end_is_audited_with_the_numbers_and_no_names(ground):
    row = start()
    finished(row)
    entry = collection("audit").find_one({"action": "import.roster_done"})
    assert entry["after"] == {"rows": 0, "accepted": 0, "added": 0, "filled": 0, "rejected": 0}


def test_a_file_that_cannot_be_read_says_why(ground):
    row = start()
    transaction(lambda session: imports.refuse(session, row, "no_header", "没有找到表头。"))
    held = imports.get(row["_id"], COMMUNITY_WORKER)
    assert (held["state"], held["refusal"]["detail"]) == ("refused", "没有找到表头。")
    assert imports.unfinished(row["_id"]) is None


def test_the_spreadsheet_of_rejected_rows_is_kept_thirty_days(ground):
    from models import files

    row = start()
    finished(row, files.put(b"a workbook", "roster"))
    assert imports.errors_file(row["_id"], COMMUNITY_WORKER) == b"a workbook"
    assert imports.forget() == 0
    with time_machine.travel(clock.now() + clock.days(30.01), tick=False):
        assert imports.forget() == 1
    with pytest.raises(NotFound, match="no_errors_file"):
        imports.errors_file(row["_id"], COMMUNITY_WORKER)
    assert files_stored() == 1, "the roster itself, which no worker has read yet"
