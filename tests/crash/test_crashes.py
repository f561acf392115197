"""Whatever is killed in the middle: nothing is lost and nothing is decided twice."""

from __future__ import annotations

import contextlib
import time

import psutil
import pytest
import requests

from tests.faces import actors
from tests.house import House, wait_until

pytestmark = pytest.mark.crash


def send_attempt(house: House, header: dict[str, str], retiree_id: str, person: str, seed: int) -> str:
    """Start a session and send the frames that it asks for; returns its id."""
    started = requests.post(
        f"{house.api}/retirees/{retiree_id}/certification-sessions", json={"consent": True}, headers=header, timeout=30
    )
    assert started.status_code == 201, started.text
    session = started.json()
    parts = [
        (name, (f"{name}.jpg", data, "image/jpeg"))
        for name, data in actors.attempt(person, session["actions"], seed=seed)
    ]
    reply = requests.post(
        f"{house.api}/certification-sessions/{session['id']}/frames", files=parts, headers=header, timeout=30
    )
    assert reply.status_code == 202, reply.text
    return str(session["id"])


def outcome(house: House, header: dict[str, str], session_id: str) -> dict[str, object]:
    """The session when it is not being checked any more."""

    def decided() -> dict[str, object] | None:
        reply = requests.get(f"{house.api}/certification-sessions/{session_id}", headers=header, timeout=30).json()
        return None if reply["state"] == "checking" else reply

    return wait_until(decided, "the check", 120)


def kill_worker(house: House) -> None:
    for process in house.processes("celery", "faces"):
        with contextlib.suppress(psutil.Error):
            process.kill()


def test_a_worker_killed_in_the_middle_of_a_check_loses_nothing_and_decides_once(house):
    header, retiree_id = house.retiree(4)
    house.enrol(retiree_id, actors.photo("astronaut"))
    certificates = f"{house.api}/retirees/{retiree_id}/certifications"
    for seed in range(3):
        session_id = send_attempt(house, header, retiree_id, "astronaut", seed=1000 * (seed + 1))
        time.sleep(0.4 * seed)  # killed before, while and after it has taken the event
        kill_worker(house)
        session = outcome(house, header, session_id)
        assert session["state"] == "passed", session
        assert len(requests.get(certificates, headers=header, timeout=30).json()) == seed + 1
    inbox = f"{house.api}/retirees/{retiree_id}/inbox"
    wait_until(
        lambda: len(requests.get(inbox, headers=header, timeout=30).json()["items"]) == 3, "one message a certificate"
    )


def test_the_whole_house_killed_after_the_frames_were_taken_still_decides_them(own_house):
    own_house.start()
    header, retiree_id = own_house.retiree(0)
    own_house.enrol(retiree_id, actors.photo("grace_hopper"))
    session_id = send_attempt(own_house, header, retiree_id, "grace_hopper", seed=7)
    own_house.process.kill()
    for process in own_house.processes():
        with contextlib.suppress(psutil.Error):
            process.kill()
    own_house.process.wait()

    own_house.start()
    session = outcome(own_house, header, session_id)
    assert session["state"] == "passed", session
    history = requests.get(f"{own_house.api}/retirees/{retiree_id}/certifications", headers=header, timeout=30).json()
    assert [row["method"] for row in history] == ["face"]
