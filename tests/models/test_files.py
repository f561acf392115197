"""Files: encrypted before they leave, and what no document names is swept away after an hour."""

from __future__ import annotations

import pytest
import time_machine

from models import clock, files, imports
from models.database import collection
from models.errors import NotFound
from tests.builders import CITY_WORKER, a_retiree, an_attempt
from tests.story import files_stored


def in_two_hours():
    return time_machine.travel(clock.now() + clock.seconds(7200), tick=False)


def test_a_file_comes_back_as_it_went_in_and_lies_encrypted(ground):
    data = b"a photograph" * 50_000
    file_id = files.put(data, "face")
    assert files.get(file_id) == data
    assert b"a photograph" not in b"".join(row["data"] for row in collection("files.chunks").find())


def test_a_file_that_was_deleted_is_gone_with_its_chunks_and_may_be_deleted_again(ground):
    file_id = files.put(b"x" * 600_000, "frame")
    files.delete([file_id])
    files.delete([file_id])
    assert collection("files.chunks").count_documents({}) == 0
    with pytest.raises(NotFound, match="file_gone"):
        files.get(file_id)


def test_what_nothing_names_is_swept_after_an_hour_and_not_before(ground):
    files.put(b"left behind by a crash", "frame")
    assert files.sweep() == 0
    with in_two_hours():
        assert files.sweep() == 1
    assert files_stored() == 0


def test_what_a_document_names_is_kept_even_where_nobody_said_so(ground):
    attempt = an_attempt(a_retiree())
    row = imports.start(imports.ROSTER, "花名册.xlsx", b"PK", CITY_WORKER)
    collection("files.files").update_many({}, {"$set": {"metadata.kept": False}})
    with in_two_hours():
        assert files.sweep() == 0
    assert files.get(row["file_id"]) == b"PK"
    assert files_stored() == len(attempt["frames"]) + 1
