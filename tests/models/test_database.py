"""The database: majority writes, transactions that leave nothing behind, indexes that are made once and mended."""

from __future__ import annotations

import pytest
from pymongo import IndexModel

from models import database, schema
from models.database import collection, transaction
from tests.story import at_once


def test_every_write_is_acknowledged_by_a_majority_and_journalled(ground):
    concern = collection("retirees").write_concern.document
    assert (concern["w"], concern["j"]) == ("majority", True)
    assert collection("retirees").read_concern.level == "majority"


def test_a_transaction_that_raises_leaves_nothing_behind(ground):
    def write(session):
        collection("divisions").insert_one({"_id": "x"}, session=session)
        raise RuntimeError("no")

    with pytest.raises(RuntimeError, match="no"):
        transaction(write)
    assert collection("divisions").find_one({"_id": "x"}) is None


def test_a_transaction_returns_what_its_work_returns(ground):
    assert transaction(lambda _: 42) == 42


def test_transactions_that_meet_on_one_document_are_all_done(ground):
    collection("divisions").insert_one({"_id": "count", "n": 0})

    def add():
        transaction(
            lambda session: collection("divisions").update_one({"_id": "count"}, {"$inc": {"n": 1}}, session=session)
        )

    assert at_once(*[add] * 8) == [None] * 8
    assert collection("divisions").find_one({"_id": "count"})["n"] == 8


def test_indexes_are_made_by_any_number_of_processes_at_once_and_again(ground):
    before = {name: sorted(collection(name).index_information()) for name in ("retirees", "outbox")}
    assert at_once(*[schema.prepare] * 3) == [None] * 3
    assert {name: sorted(collection(name).index_information()) for name in ("retirees", "outbox")} == before


def test_an_index_whose_definition_changed_is_replaced(ground):
    try:
        database.prepare({"try_indexes": [IndexModel("a", name="by_a")]})
        database.prepare({"try_indexes": [IndexModel("a", name="by_a", unique=True)]})
        assert collection("try_indexes").index_information()["by_a"]["unique"]
        database.prepare({"try_indexes": [IndexModel("b", name="by_a")]})
        assert collection("try_indexes").index_information()["by_a"]["key"] == [("b", 1)]
    finally:
        collection("try_indexes").drop()


def test_every_module_that_names_indexes_is_prepared_at_the_start():
    import importlib
    from pathlib import Path

    import models

    folder = Path(models.__file__).parent
    naming = {
        path.stem for path in folder.glob("*.py") if hasattr(importlib.import_module(f"models.{path.stem}"), "INDEXES")
    }
    assert naming == {module.__name__.removeprefix("models.") for module in schema.MODULES}


def test_instants_come_back_aware_and_in_whole_milliseconds(ground):
    from models import clock

    instant = clock.now()
    collection("divisions").insert_one({"_id": "at", "at": instant})
    assert collection("divisions").find_one({"_id": "at"})["at"] == instant
