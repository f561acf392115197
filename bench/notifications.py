"""A notice for everybody: how long until every inbox has it, what the web feels of it, and whether an inbox grows slow.

    python -m bench.notifications [PEOPLE]

The whole house as `make run` starts it, with an embedded database under a temporary folder; 100,000 made-up retirees are
written directly into the ledger, unless told otherwise. The notice is a routine one, published by the code that the office
uses. Ratios are against a baseline of the same run:

- the rate at which inboxes are filled, against `insert_many` of the very same documents by one process, a thousand a call,
  into a collection with no index but that of `_id`, and into one with the indexes of the inbox;
- the 95th percentile of a page of somebody's inbox over HTTP while the notice goes out, against the same before;
- the unread count and a page of the inbox of somebody with 10,000 messages, against somebody with 10.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import requests
from bson import ObjectId

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from models import access, database, encryption, messages
from models.access import Actor
from models.database import Document, collection
from tests.builders import COMMUNITY, a_published_notice, a_retiree, a_writer, an_id_number, headers_of, oneself
from tests.house import House
from tests.story import settings_with

CHUNK = 1_000
COMMUNITIES = 200
PAUSE = 0.02
BEFORE = 500
FEW, MANY, PAGE = 10, 10_000, 10
PATIENCE = 15 * 60


def chunks(rows: Iterator[Any]) -> Iterator[list[Any]]:
    while chunk := list(islice(rows, CHUNK)):
        yield chunk


def a_crowd(people: int) -> None:
    """So many retirees in the communities of one city, each like any other but for the ID number."""
    one = collection("retirees").find_one({"_id": a_retiree()["_id"]})
    assert one
    rows = (
        {
            **one,
            "_id": ObjectId(),
            "id_number": encryption.encrypt(an_id_number(), "id_number"),
            "division": f"{COMMUNITY[:9]}{number % COMMUNITIES + 1:03d}",
        }
        for number in range(people - 1)
    )
    for chunk in chunks(rows):
        collection("retirees").insert_many(chunk, ordered=False)


# ---- The fan-out, and the web beside it


class Reader:
    """Somebody who looks at their inbox again and again, over HTTP."""

    def __init__(self, house: House) -> None:
        person = a_retiree()
        self._session = requests.Session()
        self._session.headers.update(headers_of(oneself(person)))
        self._url = f"{house.api}/retirees/{person['_id']}/inbox"

    def look(self) -> float:
        """Milliseconds of one page."""
        started = time.perf_counter()
        assert self._session.get(self._url, timeout=30).ok
        spent = (time.perf_counter() - started) * 1000
        time.sleep(PAUSE)
        return spent

    def look_while(self, going_on: Callable[[], bool]) -> list[float]:
        deadline = time.monotonic() + PATIENCE
        looks = []
        while going_on():
            assert time.monotonic() < deadline, "it does not come to an end"
            looks.append(self.look())
        return looks


def p95(looks: list[float]) -> float:
    return statistics.quantiles(looks, n=20)[-1]


def fan_out(reader: Reader, people: int) -> float:
    """Publish, and wait for every inbox; returns messages a second."""
    for _ in range(BEFORE // 5):
        reader.look()
    before = [reader.look() for _ in range(BEFORE)]
    held = collection("messages").estimated_document_count()
    notice = a_published_notice(a_writer(access.CITY, COMMUNITY[:4]))
    of_notice = {"notice_id": notice["_id"]}
    started = time.perf_counter()

    def under_way() -> bool:
        # the number that the server keeps anyway comes first: counting must not be what is measured
        inserted = collection("messages").estimated_document_count() - held >= people
        return not inserted or collection("messages").count_documents(of_notice) < people

    beside = reader.look_while(under_way)
    spent = time.perf_counter() - started
    print(f"Published: the inboxes of {people:,} have it after {spent:.1f} s, {people / spent:,.0f} a second")
    after = reader.look_while(
        lambda: collection("messages").find_one({**of_notice, "plan_at": {"$type": "date"}}) is not None
    )
    planned = time.perf_counter() - started
    print(f"  the next channel of each is planned after {planned:.1f} s")
    print("A page of the inbox over HTTP, 95th percentile")
    row("before", p95(before))
    row("while the inboxes are filled", p95(beside), p95(before), "before")
    if len(after) > 1:
        row("while the next channels are planned", p95(after), p95(before), "before")
    return people / spent


def raw(people: int, rate: float) -> None:
    """Write the messages once more, into collections that nobody reads."""
    print(f"insert_many of the same {people:,} documents, {CHUNK:,} a call")
    for name, indexes in (("no index but _id", []), ("the indexes of the inbox", messages.INDEXES["messages"])):
        database.database().drop_collection("bench")
        database.prepare({"bench": indexes})
        spent = 0.0
        for chunk in chunks(collection("messages").find({"notice_id": {"$ne": None}}, batch_size=CHUNK)):
            started = time.perf_counter()
            collection("bench").insert_many(chunk, ordered=False)
            spent += time.perf_counter() - started
        print(f"  {name:<40}{people / spent:10,.0f} a second; the fan-out has {rate / (people / spent):.0%} of it")
    database.database().drop_collection("bench")


# ---- The inbox of somebody with few and with many messages


def with_messages(count: int) -> tuple[ObjectId, Actor]:
    person = a_retiree()
    made = (
        messages.make(person["_id"], person["division"], "notice", f"bench:{number}", title="通知", body="请看。")
        for number in range(count)
    )
    for chunk in chunks({**message, "plan_at": None} for message in made):
        messages.put_all(chunk)
    return person["_id"], oneself(person)


def growing(times: int = 300) -> None:
    """Medians, the two people by turns so that whatever else the machine does meets both."""
    few, many = with_messages(FEW), with_messages(MANY)
    middle = collection("messages").find({"retiree_id": many[0]}).sort("_id", -1).skip(MANY // 2).limit(1)[0]["_id"]
    print(f"Somebody with {MANY:,} messages, against somebody with {FEW}; medians, the access check included")
    works: dict[str, tuple[Callable[[], Any], Callable[[], Any]]] = {
        "the unread count": (lambda: messages.unread(*few), lambda: messages.unread(*many)),
        f"the newest {PAGE}": (
            lambda: messages.inbox(*few, limit=PAGE),
            lambda: messages.inbox(*many, limit=PAGE),
        ),
        f"{PAGE} from the middle, against the newest": (
            lambda: messages.inbox(*few, limit=PAGE),
            lambda: messages.inbox(*many, before=middle, limit=PAGE),
        ),
    }
    for name, pair in works.items():
        spent: Document = {0: [], 1: []}
        for _ in range(times):
            for side, work in enumerate(pair):
                started = time.perf_counter()
                work()
                spent[side].append((time.perf_counter() - started) * 1000)
        row(name, statistics.median(spent[1]), statistics.median(spent[0]), f"{FEW} messages")


def row(name: str, milliseconds: float, against: float | None = None, baseline: str = "") -> None:
    ratio = f"{milliseconds / against:8.2f} of {baseline}" if against else ""
    print(f"  {name:<44}{milliseconds:8.2f} ms{ratio}")


def main(people: int) -> None:
    with tempfile.TemporaryDirectory(prefix="yinling-bench-") as folder:
        house = House(Path(folder))
        # the many requests of one reader come from one address
        house.start(YINLING_DEMO="0", RATE_LIMITS="0", MONGODB_URI="", CELERY_BROKER_URL="")
        values = {"DATA_DIR": Path(folder), "MONGODB_URI": "", "MONGODB_DATABASE": "yinling"}
        try:
            with settings_with(**values):
                reader = Reader(house)
                a_crowd(people - collection("retirees").estimated_document_count())
                raw(people, fan_out(reader, people))
                growing()
                database.disconnect()
                encryption.forget()
        finally:
            house.stop()


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000)
