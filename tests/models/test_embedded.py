"""The embedded database: a real server that comes up whatever an earlier run left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import psutil
import pytest
from pymongo import MongoClient

from models import embedded
from models.embedded import EmbeddedMongo, EmbeddedUnavailable


def written(folder) -> list[str]:
    with MongoClient(embedded.uri(folder)) as client:
        client.test.things.insert_one({})
        return [str(client.test.things.count_documents({})), client.admin.command("hello")["setName"]]


def test_a_fresh_directory_becomes_a_replica_set_and_keeps_its_data_and_port(tmp_path):
    with EmbeddedMongo(tmp_path) as server:
        assert written(tmp_path) == ["1", "yinling"]
        first, pid = embedded.uri(tmp_path), server.pid
    assert not psutil.pid_exists(pid)
    with EmbeddedMongo(tmp_path):
        assert written(tmp_path) == ["2", "yinling"]
        assert embedded.uri(tmp_path) == first


def test_a_directory_that_runs_is_not_started_twice(tmp_path):
    with EmbeddedMongo(tmp_path):
        with pytest.raises(EmbeddedUnavailable, match="already runs"):
            EmbeddedMongo(tmp_path).start()
        assert written(tmp_path)[0] == "1"


def test_what_a_killed_run_left_behind_is_put_right_by_the_next_start(tmp_path):
    script = (
        "import sys, os; from pathlib import Path; from models.embedded import EmbeddedMongo;"
        "server = EmbeddedMongo(Path(sys.argv[1])); server.start(); print(server.pid, flush=True); sys.stdin.read()"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", script, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    orphan = psutil.Process(int(parent.stdout.readline()))
    written(tmp_path)
    os.kill(parent.pid, signal.SIGKILL)
    parent.wait()
    assert orphan.is_running()
    with EmbeddedMongo(tmp_path):
        assert written(tmp_path)[0] == "2"
        assert not orphan.is_running()
    parent.stdin.close()
    parent.stdout.close()


def test_a_directory_with_nonsense_in_its_notes_starts(tmp_path):
    folder = tmp_path / "mongod"
    (folder / "db").mkdir(parents=True)
    (folder / "pid").write_text("not a number")
    (folder / "address").write_text("nonsense")
    (folder / "lock").write_text("1")
    with EmbeddedMongo(tmp_path):
        assert written(tmp_path)[0] == "1"


def test_where_none_was_started_the_message_says_what_to_do(tmp_path):
    with pytest.raises(EmbeddedUnavailable, match="make run"):
        embedded.uri(tmp_path)
    with pytest.raises(EmbeddedUnavailable, match="not running"):
        _ = EmbeddedMongo(tmp_path).pid
