"""Sending to providers that have a limit: is the limit sustained, and is it ever exceeded? Against both sandboxes, by the
house's own sender.

    python -m bench.notifications_sending [SECONDS]

The database is an embedded server under a temporary folder, each sandbox a process of its own that refuses what comes over its
limit, in any second, however the second is laid. Three runs, SECONDS of messages each (20 unless told otherwise):

- the wire alone: the same number of threads, no database, no limit. What Python, HTTP and the sandbox cost;
- the house without a limit: claims, decisions, grants and states included. What is left when nothing holds it back;
- the house at the limits of the settings, both channels at once. The ratio is what was sent in a second to the limit.
"""

from __future__ import annotations

import contextlib
import itertools
import re
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bson import ObjectId

from jobs import sender
from models import accounts, database, deliveries, encryption, message_templates, schema, subscription_grants
from models.database import collection
from models.embedded import EmbeddedMongo
from models.messages import EMERGENCY
from notifications import access_tokens, engine, wechat_messages
from settings import settings
from tests.builders import a_retiree, oneself
from tests.sandboxes import Running
from tests.story import settings_with
from wechat import client as wechat

KEY = "a-key-for-the-bench"
UNLIMITED = 1000.0
COUNTED = 0.95
WORDS = {"title": "养老金调整说明", "summary": "下个月起养老金有调整"}
TEMPLATE = message_templates.sandbox_template("notice")

_cause = itertools.count(1)


@contextlib.contextmanager
def a_sandbox(module: str) -> Iterator[Running]:
    """A sandbox in a process of its own, as other companies' servers are."""
    command = [sys.executable, "-m", module, "--port", "0"]
    environment = {"SMS_GATEWAY_KEY": KEY, "LOG_LEVEL": "INFO", "PATH": ""}
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment) as process:
        try:
            assert process.stderr
            found = re.search(r"http://\S+", process.stderr.readline())
            assert found
            yield Running(found[0])
        finally:
            process.terminate()


def on_wechat(count: int, sandbox: Running, times: int) -> tuple[list[ObjectId], list[str]]:
    """Retirees who are reached by WeChat alone and have tapped 允许 so many times, with their openids."""
    ids, openids = [], []
    for _ in range(count):
        person = a_retiree(phone="")
        actor = oneself(person)
        for _ in range(times):
            subscription_grants.note({TEMPLATE: "accept"}, actor)
        account = accounts.get(actor.account_id)
        assert account
        ids.append(person["_id"])
        openids.append(account["openid"])
    sandbox.grant(openids, TEMPLATE, times + 1)  # and once for the wire alone
    return ids, openids


def the_wire_alone(openids: list[str], threads: int) -> float:
    """Messages a second without the house."""
    access_tokens.current()
    started = time.perf_counter()
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(lambda to: wechat_messages.send(to, TEMPLATE, "", {"thing1": WORDS["title"]}), openids))
    return len(openids) / (time.perf_counter() - started)


def the_house(ids: list[ObjectId]) -> dict[str, float]:
    """Tell them all, at once and whatever the hour, and send until nothing waits; returns messages a second by channel.

    The rate is that of all but the last few: what a provider refused is tried again half a minute later.
    """
    cause = f"bench-{next(_cause)}"
    engine.tell_many(ids, "notice", cause, WORDS, importance=EMERGENCY)
    waiting = {"cause": cause, "state": {"$in": [deliveries.WAITING, deliveries.SENDING]}}
    while collection("messages").count_documents({"cause": cause, "rung": 0}) or collection(
        "deliveries"
    ).count_documents(waiting):
        sender.run()
        time.sleep(0.05)
    rates = {}
    for channel in deliveries.CARRIED:
        sent = sorted(row["sent_at"] for row in collection("deliveries").find({"cause": cause, "channel": channel}))
        if first := sent[: int(len(sent) * COUNTED)]:
            rates[channel] = (len(first) - 1) / (first[-1] - first[0]).total_seconds()
    return rates


def row(name: str, rate: float, against: float, baseline: str) -> None:
    print(f"  {name:<40}{rate:8.1f} a second{rate / against:8.2f} of {baseline}")


def main(seconds: int) -> None:
    with (
        tempfile.TemporaryDirectory(prefix="yinling-bench-") as folder,
        a_sandbox("wechat.sandbox") as by_wechat,
        a_sandbox("notifications.sms_sandbox") as by_sms,
    ):
        values = {
            "DATA_DIR": Path(folder),
            "MONGODB_URI": "",
            "MONGODB_DATABASE": "yinling_bench",
            "WECHAT_SANDBOX_PORT": int(by_wechat.base.rpartition(":")[2]),
            "SMS_GATEWAY": "http",
            "SMS_GATEWAY_URL": f"{by_sms.base}/send",
            "SMS_GATEWAY_KEY": KEY,
        }
        with settings_with(**values), EmbeddedMongo(Path(folder)):
            schema.prepare()
            measure(seconds, by_wechat, by_sms)
            database.disconnect()
            encryption.forget()


def measure(seconds: int, by_wechat: Running, by_sms: Running) -> None:
    limits = {deliveries.WECHAT: int(settings.WECHAT_PER_SECOND), deliveries.SMS: int(settings.SMS_PER_SECOND)}
    wechat.client.cache_clear()
    reached, openids = on_wechat(limits[deliveries.WECHAT] * seconds, by_wechat, times=2)
    phones = [a_retiree()["_id"] for _ in range(limits[deliveries.SMS] * seconds)]

    print(f"{len(openids)} subscribe messages and {len(phones)} text messages; nothing but this machine's own work")
    alone = the_wire_alone(openids, sender.Pace(deliveries.WECHAT, UNLIMITED).threads)
    row("WeChat, the wire alone", alone, alone, "the wire alone")
    with settings_with(WECHAT_PER_SECOND=UNLIMITED):
        free = the_house(reached)[deliveries.WECHAT]
    row("WeChat, the house without a limit", free, alone, "the wire alone")

    print("At the limits, both channels at once")
    sandboxes = {deliveries.WECHAT: by_wechat, deliveries.SMS: by_sms}
    before = {channel: sandbox.counts() for channel, sandbox in sandboxes.items()}
    for channel, sandbox in sandboxes.items():
        sandbox.ask("PUT", "limit", json={"per_second": limits[channel]})
    rates = the_house([*reached, *phones])
    for channel, sandbox in sandboxes.items():
        now, then = Counter(sandbox.counts()), Counter(before[channel])
        refused = sum(now[code] - then[code] for code in ("refused 45009", "refused 429"))
        row(channel, rates[channel], limits[channel], f"the limit of {limits[channel]}")
        print(f"    delivered {now['delivered'] - then['delivered']}, refused over the limit {refused}, ", end="")
        print(f"most in any second {now['busiest_second']}")
    lost = collection("deliveries").count_documents({"lost_answers": {"$gt": 0}})
    most = max(Counter(message["phone"] for message in by_sms.messages()).values())
    print(f"  answers lost {lost}, most text messages for one telephone {most}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 20)
