"""The house starts, stops and puts itself right."""

from __future__ import annotations

import shutil
import signal
import time

import psutil
import pytest
import requests

from tests.house import wait_until

pytestmark = pytest.mark.crash


def test_ctrl_c_leaves_no_process_behind_and_the_second_start_is_ready_within_15_seconds(own_house):
    own_house.start()
    assert own_house.processes("mongod")
    own_house.stop(signal.SIGINT)
    assert own_house.processes() == []

    started = time.monotonic()
    own_house.start()
    assert time.monotonic() - started < 15
    assert requests.get(f"{own_house.url}/readyz", timeout=5).json() == {
        "status": "ok",
        "database": True,
        "broker": True,
    }


def test_a_house_that_was_killed_starts_again_and_ends_what_was_left_of_it(own_house):
    own_house.start()
    left = own_house.processes()
    own_house.process.kill()
    own_house.process.wait()
    assert any(process.is_running() for process in left)  # nobody stopped them

    own_house.start()
    assert psutil.wait_procs(left, timeout=10)[1] == []
    assert own_house.staff("community")


def test_a_half_created_data_directory_heals_itself(own_house):
    (own_house.data / "mongod" / "db").mkdir(parents=True)
    (own_house.data / "mongod" / "lock").touch()
    (own_house.data / "mongod" / "pid").write_text("not a number")
    (own_house.data / "mongod" / "address").write_text("127.0.0.1:1")
    (own_house.data / "lock").touch()
    (own_house.data / "supervisord.pid").write_text("999999")
    own_house.start()
    assert own_house.staff("community")


def test_two_houses_cannot_share_a_data_directory(own_house):
    own_house.start()
    second = type(own_house)(own_house.data)
    with pytest.raises(AssertionError, match="already runs"):
        second.start()
    assert requests.get(f"{own_house.url}/healthz", timeout=5).ok


@pytest.mark.parametrize("words", [("celery", "faces"), ("worker.py",), ("gunicorn",)])
def test_a_killed_process_is_started_again(house, words):
    before = {process.pid for process in house.processes(*words)}
    for process in house.processes(*words):
        process.kill()
    wait_until(lambda: {process.pid for process in house.processes(*words)} - before, "a new process")
    wait_until(house.is_ready, "the house being ready")


def test_production_refuses_to_start_with_what_the_demo_runs_on(own_house):
    with pytest.raises(AssertionError, match="production refuses to start: YINLING_DEMO is on"):
        own_house.start(PRODUCTION="1")
    shutil.rmtree(own_house.data / "keys", ignore_errors=True)


def test_a_killed_database_is_started_again_and_the_pages_answer_meanwhile(house):
    for process in house.processes("mongod", "--dbpath"):
        process.kill()
    started = time.monotonic()
    assert requests.get(f"{house.url}/healthz", timeout=5).ok
    assert requests.get(f"{house.url}/", timeout=5).ok
    assert time.monotonic() - started < 5
    wait_until(house.is_ready, "the database being back")
    assert house.staff("community")
