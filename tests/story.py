"""The steps of the story over HTTP: signing in, sending frames, enrolling; for tests that tell the whole of it."""

from __future__ import annotations

import contextlib
import functools
import io
import itertools
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import bson
import xlsxwriter
from bson import ObjectId
from flask.testing import FlaskClient

from models import access, accounts, clock, consents, face_references, outbox, sign_ins
from models.database import collection, transaction
from settings import settings
from tests.builders import CITY_WORKER, COMMUNITY, PASSWORD, an_id_number, finish_work
from tests.faces import actors
from wechat import client as wechat
from wechat.sandbox import create_app, create_server

V1 = "/api/v1"
NOT_A_FACE = b"\xff\xd8\xff"

_count = itertools.count(1)


@contextlib.contextmanager
def settings_with(**values: Any) -> Iterator[None]:
    """The settings as another environment would give them."""
    before = {name: getattr(settings, name) for name in values}
    try:
        for name, value in values.items():
            object.__setattr__(settings, name, value)
        yield
    finally:
        for name, value in before.items():
            object.__setattr__(settings, name, value)


@contextlib.contextmanager
def a_wechat_sandbox(**values: Any) -> Iterator[None]:
    """WeChat on the wire: the sandbox on a free port, and the settings that lead there."""
    server = create_server(create_app())
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    with settings_with(WECHAT_SANDBOX_PORT=server.port, **values):
        wechat.client.cache_clear()
        try:
            yield
        finally:
            wechat.client.cache_clear()
            server.shutdown()
            thread.join()


def code_sent_to(phone: str, template: str = "sign_in_code") -> str:
    """The code of the latest SMS to a phone, as it stands, encrypted, in the outbox."""
    for event in collection("outbox").find({"kind": "sms"}).sort("$natural", -1):
        held = outbox.payload(event)
        if held["phone"] == phone and held["template"] == template:
            return held["values"]["code"]
    raise AssertionError("no code is on its way to that phone")


def sign_in_by_sms(client: FlaskClient, phone: str) -> dict[str, str]:
    """The Authorization header of whoever holds the phone."""
    sent = client.post(f"{V1}/auth/sms-codes", json={"phone": phone})
    assert sent.status_code == 200, sent.text
    signed_in = client.post(f"{V1}/auth/sms", json={"phone": phone, "code": code_sent_to(phone)})
    assert signed_in.status_code == 200, signed_in.text
    return bearer(signed_in.json["access_token"])


@functools.cache
def _hash_of_the_password() -> str:
    return accounts._hasher().hash(PASSWORD)


def a_worker(role: str = access.COMMUNITY, division: str = COMMUNITY, enterprise: str | None = None) -> dict[str, str]:
    """The Authorization header of a staff account. The hash of its password is made once, because it takes time to make."""
    account = {
        "_id": ObjectId(),
        "kind": accounts.STAFF,
        "username": f"{role}-of-the-story-{next(_count)}",
        "name": "",
        "password_hash": _hash_of_the_password(),
        "role": role,
        "division": division,
        "enterprise": enterprise,
        "enabled": True,
        "failures": 0,
        "locked_until": None,
        "totp_secret": None,
        "totp_last_step": 0,
        "created_at": clock.now(),
    }
    collection("accounts").insert_one(account)
    return bearer(sign_ins.start(account["_id"])["access_token"])


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def bind(client: FlaskClient, person: dict[str, Any], headers: dict[str, str], relation: str = "self") -> Any:
    body = {"name": person["name"], "id_number": person["id_number"], "relation": relation}
    return client.post(f"{V1}/me/bindings", json=body, headers=headers)


def at_home_on_the_phone(client: FlaskClient, person: dict[str, Any]) -> dict[str, str]:
    """The retiree, signed in by SMS on the phone on record and bound to themselves."""
    headers = sign_in_by_sms(client, person["phone"])
    assert bind(client, person, headers).status_code == 201
    return headers


def start_session(client: FlaskClient, person: dict[str, Any], headers: dict[str, str], **body: Any) -> Any:
    path = f"{V1}/retirees/{person['_id']}/certification-sessions"
    return client.post(path, json={"consent": True, **body}, headers=headers)


def acted(attempt: dict[str, Any], who: str = "astronaut", seed: int = 0) -> list[tuple[str, bytes]]:
    """What the camera sees where a person does what the session asks."""
    labels = ("neutral", *attempt["actions"])
    return [(label, data) for label in labels for data in actors.frames(who, label, 4, seed)]


def nothing_to_see(attempt: dict[str, Any]) -> list[tuple[str, bytes]]:
    """Parts in order that begin like photographs and are none: the quickest way to fail."""
    return [(name, NOT_A_FACE + f"{next(_count)}".encode()) for name in ("neutral", *attempt["actions"])]


def multipart(parts: list[tuple[str, bytes]]) -> dict[str, Any]:
    data: dict[str, Any] = {}
    for number, (name, content) in enumerate(parts):
        data.setdefault(name, []).append((io.BytesIO(content), f"{number}.jpg"))
    return {"data": data, "content_type": "multipart/form-data"}


def send_frames(
    client: FlaskClient, session_id: str, parts: list[tuple[str, bytes]], headers: dict[str, str], **more: str
) -> Any:
    path = f"{V1}/certification-sessions/{session_id}/frames"
    return client.post(path, headers={**headers, **more}, **multipart(parts))


def attempt_over_http(
    client: FlaskClient, person: dict[str, Any], headers: dict[str, str], seed: int = 0, who: str = "astronaut"
) -> dict[str, Any]:
    """A session, its frames, the worker's check; returns what the phone then sees."""
    session = start_session(client, person, headers)
    assert session.status_code == 201, session.text
    sent = send_frames(client, session.json["id"], acted(session.json, who, seed), headers)
    assert sent.status_code == 202, sent.text
    finish_work()
    return client.get(f"{V1}/certification-sessions/{session.json['id']}", headers=headers).json


def fail_over_http(client: FlaskClient, person: dict[str, Any], headers: dict[str, str]) -> dict[str, Any]:
    session = start_session(client, person, headers).json
    assert send_frames(client, session["id"], nothing_to_see(session), headers).status_code == 202
    finish_work()
    return client.get(f"{V1}/certification-sessions/{session['id']}", headers=headers).json


def enrolled(person: dict[str, Any], who: str = "astronaut") -> None:
    """A photograph by staff and consent on paper; the worker has made the template."""
    face_references.put_photo(
        person["_id"], actors.photo(who), face_references.FROM_STAFF, CITY_WORKER, consent_on_paper=True
    )
    finish_work()


def agreed(person: dict[str, Any]) -> None:
    transaction(lambda session: consents.give(session, person["_id"], access.system(), "paper"))


def files_stored() -> int:
    return collection("files.files").count_documents({})


def raw_text_of_the_database() -> bytes:
    """Everything that lies in MongoDB, as bytes, without our decryption."""
    held = b""
    for name in collection("retirees").database.list_collection_names():
        if not name.startswith("system."):
            held += b"".join(bson.encode(document) for document in collection(name).find())
    return held


def later(seconds: float) -> Any:
    return clock.now() + clock.seconds(seconds)


def at_once(*calls: Callable[[], Any]) -> list[Any]:
    """Do all of it at the same moment in threads; returns what each returned, or the exception that it raised."""
    gate = threading.Barrier(len(calls))

    def run(call: Callable[[], Any]) -> Any:
        gate.wait()
        try:
            return call()
        except Exception as error:
            return error

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(run, calls))


ROSTER_HEADER = ("姓名", "身份证号", "联系电话", "社区")


def a_roster(rows: list[tuple[Any, ...]], header: tuple[str, ...] = ROSTER_HEADER) -> bytes:
    """A spreadsheet as a clerk would write it."""
    file = io.BytesIO()
    book = xlsxwriter.Workbook(file, {"in_memory": True})
    sheet = book.add_worksheet("花名册")
    for number, row in enumerate([header, *rows]):
        sheet.write_row(number, 0, row)
    book.close()
    return file.getvalue()


def people_for_a_roster(count: int, community: str = "银杏社区") -> list[tuple[Any, ...]]:
    return [("王秀英", an_id_number(), f"1690000{number:04d}", community) for number in range(count)]
