"""The import of photographs, seen from the worker: it goes on where it stopped, and ends with a sentence."""

from __future__ import annotations

import io
import zipfile

import pytest
import time_machine

from jobs import import_photos, registry
from models import clock, face_references, imports, outbox
from models.database import collection
from tests.builders import COMMUNITY_WORKER, OTHER_COMMUNITY, a_retiree, finish_work
from tests.story import files_stored


def a_zip(files: dict[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return packed.getvalue()


def start(data: bytes) -> dict:
    return imports.start(imports.PHOTOS, "照片.zip", data, COMMUNITY_WORKER)


def held(row) -> dict:
    return collection("imports").find_one({"_id": row["_id"]})


def reasons(row) -> list[str]:
    """Why photographs were not taken, from the workbook that goes back."""
    import openpyxl

    book = openpyxl.load_workbook(io.BytesIO(imports.errors_file(row["_id"], COMMUNITY_WORKER)))
    return [line[-1] for line in list(book.active.iter_rows(values_only=True))[1:]]


def test_a_worker_that_died_in_the_middle_is_followed_by_one_that_goes_on(ground):
    people = [a_retiree() for _ in range(3)]
    row = start(a_zip({f"{person['id_number']}.jpg": b"\xff\xd8\xff" for person in people}))
    collection("imports").update_one(
        {"_id": row["_id"]}, {"$set": {"state": "running", "processed": 2, "accepted": 2, "added": 2}}
    )
    finish_work()
    assert (held(row)["state"], held(row)["processed"], held(row)["accepted"]) == ("done", 3, 3)
    assert [bool(face_references.of(person["_id"])) for person in people] == [False, False, True]


def test_a_photograph_for_nobody_of_the_own_area_is_not_taken(ground):
    elsewhere = a_retiree(division=OTHER_COMMUNITY)
    row = start(a_zip({f"{elsewhere['id_number']}.jpg": b"\xff\xd8\xff", "430102195503071216.jpg": b"\xff\xd8\xff"}))
    finish_work()
    assert reasons(row) == ["名册里没有这个身份证号，请先导入名册。"] * 2
    assert face_references.of(elsewhere["_id"]) is None


def test_a_photograph_of_more_than_ten_megabytes_is_not_unpacked(ground):
    person = a_retiree()
    row = start(a_zip({f"{person['id_number']}.jpg": b"\x00" * (import_photos.LARGEST + 1)}))
    finish_work()
    assert "10MB" in reasons(row)[0]


def test_a_zip_with_a_password_says_so(ground):
    person = a_retiree()
    data = bytearray(a_zip({f"{person['id_number']}.jpg": b"\xff\xd8\xff"}))
    data[6] |= 1
    data[data.index(b"PK\x01\x02") + 8] |= 1
    row = start(bytes(data))
    finish_work()
    assert "密码" in reasons(row)[0]


@pytest.mark.parametrize("spoil", [b"nonsense", b"PK\x03\x04", b""])
def test_what_is_no_zip_is_refused_and_deleted(ground, spoil):
    row = start(spoil)
    finish_work()
    assert (held(row)["state"], held(row)["refusal"]["code"]) == ("refused", "broken_zip")
    assert files_stored() == 0


def test_a_zip_that_the_worker_can_never_read_is_refused_after_the_last_try(ground):
    row = start(a_zip({"x.jpg": b"x"}))
    collection("files.chunks").update_many({}, {"$set": {"data": b"\x01 lost"}})
    event = collection("outbox").find_one({"kind": "import_photos"})
    with time_machine.travel(clock.now(), tick=False) as clocked:
        for _ in range(outbox.MAX_ATTEMPTS):
            registry.deliver(str(event["_id"]))
            clocked.shift(2000)
    assert (held(row)["state"], held(row)["refusal"]["code"]) == ("refused", "could_not_read")
