"""The whole story, listened to: every line that any logger of this process writes while it happens."""

from __future__ import annotations

import base64
import io
import logging

from flask.testing import FlaskClient

from models import clock
from tests.builders import PASSWORD, a_retiree, an_id_number, finish_work
from tests.story import (
    V1,
    a_worker,
    at_home_on_the_phone,
    attempt_over_http,
    bind,
    code_sent_to,
    enrolled,
    nothing_to_see,
    send_frames,
    sign_in_by_sms,
    start_session,
)


def lines_of_the_story(client: FlaskClient, level: str) -> tuple[list[str], dict[str, str]]:
    """(lines, what may stand in none of them). The lines are formatted by the handler of the house."""
    stream = io.StringIO()
    root = logging.getLogger()
    house, before, quiet = root.handlers[0], root.level, logging.getLogger("pymongo").level
    listener = logging.StreamHandler(stream)
    listener.setFormatter(house.formatter)
    root.addHandler(listener)
    root.setLevel(level)
    try:
        secrets = _story(client)
    finally:
        root.removeHandler(listener)
        root.setLevel(before)
        logging.getLogger("pymongo").setLevel(quiet)
    return [line for line in stream.getvalue().splitlines() if line.strip()], secrets


def _story(client: FlaskClient) -> dict[str, str]:
    person = a_retiree(name="欧阳秀英", address="示范市银杏区桂花路5号3栋301", emergency_phone="16955556666")
    enrolled(person)
    phone = at_home_on_the_phone(client, person)
    code = code_sent_to(person["phone"])
    attempt_over_http(client, person, phone)
    stranger = sign_in_by_sms(client, "16977778888")
    bind(client, person, stranger, "child")
    bind(client, {"name": "不存在", "id_number": an_id_number()}, stranger)
    binding_code = code_sent_to(person["phone"], "binding_code")
    finish_work()
    session = start_session(client, person, phone).json
    frames = nothing_to_see(session)
    send_frames(client, session["id"], frames, phone)
    finish_work()
    worker = a_worker()
    client.get(f"{V1}/retirees?q={person['id_number']}", headers=worker)
    client.get(f"{V1}/retirees?q=欧阳秀英", headers=worker)
    client.get(f"{V1}/retirees/{person['_id']}/face/photo", headers=worker)
    client.post(f"{V1}/retirees/{person['_id']}/reveals", json={"field": "phone", "purpose": "联系"}, headers=worker)
    body = {"name": "诸葛国庆", "id_number": an_id_number(), "division": person["division"], "phone": "16900009999"}
    client.post(f"{V1}/retirees", json=body, headers=worker)
    client.post(f"{V1}/retirees", json={**body, "id_number": "430102195503071217"}, headers=worker)
    client.post(f"{V1}/auth/staff", json={"username": "zhang-san", "password": PASSWORD})
    by_hand = {"method": "window", "certified_on": clock.today().isoformat(), "note": "欧阳秀英本人到场"}
    client.post(f"{V1}/retirees/{person['_id']}/certifications", json=by_hand, headers=worker)
    return {
        "name": "欧阳秀英",
        "other name": "诸葛国庆",
        "id number": person["id_number"],
        "other id number": body["id_number"],
        "mistyped id number": "430102195503071217",
        "phone": person["phone"],
        "other phone": "16900009999",
        "stranger's phone": "16977778888",
        "emergency phone": "16955556666",
        "address": "桂花路5号",
        "sign-in code": f'"{code}"',
        "binding code": f'"{binding_code}"',
        "password": PASSWORD,
        "token": phone["Authorization"].removeprefix("Bearer ")[-40:],
        "frame": base64.b64encode(frames[0][1]).decode(),
    }
