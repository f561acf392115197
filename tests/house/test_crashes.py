"""Whatever is killed in the middle: nothing is lost and nothing is decided twice."""

from __future__ import annotations

import contextlib

import psutil
import pytest
import requests

from tests.faces import actors
from tests.house.conftest import House, wait_until

pytestmark = pytest.mark.crash


def send_attempt(house: House, header: dict[str, str], retiree_id: str, person: str, seed: int) -> str:
    """Start a session and send the frames that it asks for; returns its id."""
    started = requests.post(
        f"{house.api}/retirees/{retiree_id}/certification-sessions", json={"consent": True}, headers=header, timeout=30
    )
    assert started.status_code == 201, started.text
    session = started.json()
    parts = [
        (name, (f"{name}.jpg", data, "image/jpeg")) for name, data in actors.attempt(person, session["actions"], seed=seed)
    ]
    reply = requests.post(
        f"{house.api}/certification-sessions/{session['id']}/frames", files=parts, headers=header, timeout=30
    )
    assert reply.status_code == 202, reply.text
    return str(session["id"])


def state_of(house: House, header: dict[str, str], session_id: str) -> str:
    reply = requests.get(f"{house.api}/certification-sessions/{session_id}", headers=header, timeout=30)
    return str(reply.json()["state"])


def kill_worker(house: House) -> None:
    for process in house.processes("celery", "worker"):
        with contextlib.suppress(psutil.Error):
            process.kill()


def test_a_worker_killed_in_the_middle_of_a_check_loses_nothing_and_decides_once(house):
    header, retiree_id = house.retiree(4)
    house.enrol(retiree_id, actors.photo("astronaut"))
    certificates = f"{house.api}/retirees/{retiree_id}/certifications"
    for seed in range(3):
        session_id = send_attempt(house, header, retiree_id, "astronaut", seed=100 + seed)
        # the worker leases the event when it begins; killed then, it is in the middle
        wait_until(lambda: "Task deliver" in house.log(), "the worker beginning")
        kill_worker(house)
        wait_until(lambda: state_of(house, header, session_id) == "passed", "the check after the kill", 120)
        assert len(requests.get(certificates, headers=header, timeout=30).json()) == seed + 1
    inbox = requests.get(f"{house.api}/retirees/{retiree_id}/inbox", headers=header, timeout=30)
    wait_until(
        lambda: requests.get(f"{house.api}/retirees/{retiree_id}/inbox", headers=header, timeout=30).json(), "a message"
    )
    assert inbox.ok


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
    wait_until(lambda: state_of(own_house, header, session_id) == "passed", "the check after the restart", 120)
    history = requests.get(f"{own_house.api}/retirees/{retiree_id}/certifications", headers=header, timeout=30).json()
    assert [row["method"] for row in history] == ["face"]
