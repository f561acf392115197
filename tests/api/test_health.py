"""For operators: the process, the database and the broker, the numbers of the house."""

from __future__ import annotations

import re

import pytest

from models import outbox
from models.database import collection, transaction
from tests.builders import a_retiree
from tests.story import enrolled, settings_with


def numbers(text: str) -> dict[str, float]:
    return {name: float(value) for name, value in re.findall(r"^(yinling_\w+) (\S+)$", text, re.MULTILINE)}


def test_the_process_answers(client):
    assert client.get("/healthz").json == {"status": "ok"}


def test_the_house_is_ready_where_database_and_broker_answer(client):
    reply = client.get("/readyz")
    assert (reply.status_code, reply.json) == (200, {"status": "ok", "database": True, "broker": True})


def test_the_house_is_not_ready_without_its_broker(client):
    with settings_with(CELERY_BROKER_URL="redis://127.0.0.1:9/0"):
        reply = client.get("/readyz")
    assert reply.status_code == 503
    assert reply.json["status"] == "unavailable"
    assert (reply.json["database"], reply.json["broker"]) == (True, False)


def test_the_numbers_say_what_waits_what_failed_and_how_many_faces_are_stored(client):
    enrolled(a_retiree())
    transaction(lambda session: outbox.add(session, "certified", {}))
    failed = transaction(lambda session: outbox.add(session, "certified", {}))
    collection("outbox").update_one({"_id": failed}, {"$set": {"state": "failed"}})
    found = numbers(client.get("/metrics").text)
    assert found["yinling_outbox_pending"] == 1
    assert found["yinling_outbox_failed"] == 1
    assert found["yinling_outbox_oldest_seconds"] >= 0
    assert found["yinling_faces_stored"] == 1
    assert found["yinling_faces_warning"] == 0


def test_requests_are_counted_by_route_and_never_by_path(client):
    client.get("/verify/SECRETCODE234567")
    text = client.get("/metrics").text
    assert 'yinling_requests_total{method="GET",route="/verify/<code>",status="404"}' in text
    assert "SECRETCODE234567" not in text


@pytest.mark.parametrize(
    ("environment", "headers"),
    [({"REMOTE_ADDR": "192.0.2.1"}, {}), ({"REMOTE_ADDR": "127.0.0.1"}, {"X-Forwarded-For": "192.0.2.1"})],
)
def test_without_a_token_only_this_machine_reads_the_numbers(client, environment, headers):
    assert client.get("/metrics", environ_base=environment, headers=headers).status_code == 403


def test_with_a_token_only_the_token_reads_the_numbers(client):
    with settings_with(METRICS_TOKEN="a token for the scraper"):
        assert client.get("/metrics").status_code == 403
        assert client.get("/metrics", headers={"Authorization": "Bearer wrong"}).status_code == 403
        assert client.get("/metrics", headers={"Authorization": "Bearer é"}).status_code == 403
        right = client.get("/metrics", headers={"Authorization": "Bearer a token for the scraper"})
        assert right.status_code == 200
