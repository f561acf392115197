"""A notice to 5,000 people while the workers are killed at random and the providers fail in every way that they know."""

from __future__ import annotations

import collections
import contextlib
import json
import os
import random
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from typing import Any

import psutil
import pytest
import requests
from bson import ObjectId
from pymongo import MongoClient
from pymongo.database import Database

from models import embedded
from notifications.sms_sandbox import SmsSandbox
from tests.crash.crowd import ON_WECHAT, TEMPLATE
from tests.house import ROOT, House, free_port, wait_until
from wechat.loopback import create_server

pytestmark = [pytest.mark.crash, pytest.mark.timeout(1200)]

PEOPLE = 5_000
KILLS = 8
KEY = "a-key-of-the-gateway"
MINUTES = 10 * 60

# kind of fault → share of the requests that meet it
FAULTS: dict[str, dict[str, Any]] = {
    "slow": {"share": 0.02, "seconds": 0.5},
    "error": {"share": 0.03},
    "busy": {"share": 0.02},
    "hang": {"share": 0.002, "seconds": 12},
    "drop": {"share": 0.01},
    "again": {"share": 0.05},
}


@pytest.fixture
def gateway() -> Iterator[str]:
    """An SMS gateway that fails; returns its address."""
    server = create_server(SmsSandbox(KEY))
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    yield f"http://127.0.0.1:{server.port}"
    server.shutdown()
    thread.join()
    server.server_close()


@contextlib.contextmanager
def database_of(house: House) -> Iterator[Database[dict[str, Any]]]:
    with MongoClient(embedded.uri(house.data), tz_aware=True) as client:
        yield client["yinling"]


def make_trouble(address: str) -> None:
    for kind, how in FAULTS.items():
        assert requests.post(f"{address}/sandbox/faults", json={"kind": kind, **how}, timeout=5).ok


def progress(database: Database[dict[str, Any]]) -> int:
    return database.messages.estimated_document_count() + database.deliveries.count_documents({"attempts": {"$gt": 0}})


def kill_the_workers(house: House) -> int:
    killed = 0
    for process in house.processes("celery", "worker"):
        with contextlib.suppress(psutil.Error):
            process.kill()
            killed += 1
    return killed


def kill_at_random(house: House, database: Database[dict[str, Any]], chance: random.Random) -> None:
    """Kill all workers again and again, the first times while they write the inboxes, later while they send."""
    for longest in (0.2, 0.2, 0.5, *(3.0 for _ in range(KILLS - 3))):
        before = progress(database)
        wait_until(lambda before=before: progress(database) > before, "any progress", 180)
        time.sleep(chance.uniform(0, longest))
        assert kill_the_workers(house)


def a_crowd_and_kills(
    house: House, database: Database[dict[str, Any]], wechat: str, chance: random.Random
) -> dict[str, Any]:
    """Many people and a notice for them, and the workers killed from the first inbox on."""
    file = house.data / "crowd.json"
    environment = {**os.environ, "DATA_DIR": str(house.data), "MONGODB_DATABASE": "yinling", "MONGODB_URI": ""}
    # WeChat knows of the grants before the first message comes
    openids = [f"crowd-{number}" for number in range(0, PEOPLE, ON_WECHAT)]
    granted = {"openid": openids, "template_ids": [TEMPLATE]}
    assert requests.post(f"{wechat}/sandbox/grants", json=granted, timeout=30).ok
    command = [sys.executable, "-m", "tests.crash.crowd", str(PEOPLE), str(file)]
    making = subprocess.Popen(command, cwd=ROOT, env=environment)
    try:
        wait_until(lambda: database.outbox.find_one({"kind": "publish_notice"}), "the publication", 300)
        kill_at_random(house, database, chance)
        assert making.wait(60) == 0
    finally:
        making.kill()
    return dict(json.loads(file.read_text()))


def delivered(address: str) -> list[dict[str, Any]]:
    return list(requests.get(f"{address}/sandbox/messages", timeout=30).json()["messages"])


def test_everybody_has_the_notice_once_and_nobody_is_sent_it_twice_unless_an_answer_was_lost(
    own_house, gateway, capsys
):
    seed = random.randrange(10**6)
    wechat_port = free_port()
    wechat = f"http://127.0.0.1:{wechat_port}"
    own_house.start(
        SMS_GATEWAY="http",
        SMS_GATEWAY_URL=f"{gateway}/send",
        SMS_GATEWAY_KEY=KEY,
        SMS_PER_SECOND="100",
        WECHAT_PER_SECOND="50",
        WECHAT_MESSAGE_TIMEOUT="5",
        WECHAT_SANDBOX_PORT=str(wechat_port),
        RATE_LIMITS="0",
    )
    receipts = {"to": f"{own_house.api}/callbacks/sms"}
    assert requests.put(f"{gateway}/sandbox/receipts", json=receipts, timeout=5).ok
    for address in (gateway, wechat):
        make_trouble(address)
    with database_of(own_house) as database:
        crowd = a_crowd_and_kills(own_house, database, wechat, random.Random(seed))
        for address in (gateway, wechat):
            requests.delete(f"{address}/sandbox/faults", timeout=5)

        notice_id = ObjectId(crowd["notice_id"])
        of_notice = {"notice_id": notice_id}
        wait_until(lambda: database.messages.count_documents(of_notice) == PEOPLE, "an inbox for everybody", MINUTES)
        under_way = {
            **of_notice,
            "$or": [{"state": {"$in": ["waiting", "sending"]}}, {"channel": "sms", "state": "accepted"}],
        }
        to_plan = {**of_notice, "rung": 0, "unread": True}
        wait_until(
            lambda: not database.messages.find_one(to_plan) and not database.deliveries.find_one(under_way),
            "the end of all sending and its receipts",
            MINUTES,
        )

        # exactly one inbox entry each
        entries = collections.Counter(str(row["retiree_id"]) for row in database.messages.find(of_notice))
        assert entries == dict.fromkeys((person["id"] for person in crowd["people"]), 1)
        assert database.outbox.count_documents({"state": "failed"}) == 0

        # nobody twice, but where an answer was lost, and that is counted and shown
        texts = collections.Counter(message["phone"] for message in delivered(gateway))
        taps = collections.Counter(message["touser"] for message in delivered(wechat))
        rows: dict[tuple[str, str], dict[str, Any]] = {
            (str(row["retiree_id"]), row["channel"]): row for row in database.deliveries.find(of_notice)
        }
        assert len(rows) == database.deliveries.count_documents(of_notice)
        lost = {key: row["lost_answers"] for key, row in rows.items()}
        for person in crowd["people"]:
            assert texts[person["phone"]] <= 1 + lost.get((person["id"], "sms"), 0), (seed, person)
            assert taps[person["openid"]] <= 1, (seed, person)
        again = sum(times - 1 for times in texts.values())
        assert again <= sum(lost.values())
        shown = requests.get(
            f"{own_house.api}/notices/{notice_id}/deliveries", headers=own_house.staff("city"), timeout=30
        ).json()
        assert shown["lost_answers"] == sum(lost.values())

        # and everybody was reached by a device, or stands on a list
        for person in crowd["people"]:
            mine = {
                channel: rows.get((person["id"], channel), {}).get("state") for channel in ("wechat", "sms", "call")
            }
            by_wechat = mine["wechat"] == "accepted" and taps[person["openid"]] == 1
            by_sms = mine["sms"] == "delivered" and texts[person["phone"]] >= 1
            assert by_wechat or by_sms or mine["call"] == "listed", (seed, person, mine)
    with capsys.disabled():
        print(  # noqa: T201
            f"\n{PEOPLE} people, {KILLS} kills (seed {seed}): {sum(texts.values())} texts, {sum(taps.values())} subscribe "
            f"messages, {sum(lost.values())} answers lost and counted, {again} texts twice because of them"
        )
