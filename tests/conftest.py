"""The ground of the tests: a real database of their own, the application, builders that say only what matters.

Nothing here replaces our own functions. Other companies' servers are their sandboxes on the wire. Background work is done
where a test asks for it (`finish_work`), by the same jobs that the worker runs; tests/house drives the real processes.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from pathlib import Path

# The settings are read when they are imported, so the tests' own come first
DATA = Path(tempfile.mkdtemp(prefix="yinling-tests-"))
for name in [
    name for name in os.environ if name in ("MONGODB_URI", "CELERY_BROKER_URL", "SECRET_KEY", "ENCRYPTION_KEY")
]:
    del os.environ[name]
os.environ |= {
    "DATA_DIR": str(DATA),
    "YINLING_DEMO": "0",
    "RATE_LIMITS": "0",
    "SMS_GATEWAY": "console",
    "MONGODB_DATABASE": "yinling_tests",
    "WECHAT_SANDBOX_PORT": "0",
}

import psutil
import pytest

from models import database, encryption, rules, schema
from models.embedded import EmbeddedMongo
from tests.house import House


def pytest_sessionfinish():
    shutil.rmtree(DATA, ignore_errors=True)


@pytest.fixture(scope="session")
def mongo():
    """A real mongod, a one-member replica set, for the whole run."""
    with EmbeddedMongo(DATA) as server:
        schema.prepare()
        yield server
        database.disconnect()
        encryption.forget()


@pytest.fixture
def ground(mongo):
    """An empty database with its indexes and keys."""
    keep = {"key_vault"}
    (DATA / "audit_anchors").unlink(missing_ok=True)
    for name in database.database().list_collection_names():
        if name not in keep and not name.startswith("system."):
            database.collection(name).delete_many({})
    # chance has no place in a test: whoever tests second looks says how many
    database.collection("rules").insert_one(rules.Rule("second_look_per_mille", 0, "测试").as_document())
    return database.database()


@pytest.fixture(scope="session")
def application(mongo):
    from api import create_app

    return create_app()


@pytest.fixture
def client(application, ground):
    return application.test_client()


@pytest.fixture(scope="session")
def house():
    """One house for the tests that only use it."""
    made = House(Path(tempfile.mkdtemp(prefix="yinling-house-")))
    try:
        yield made.start(RATE_LIMITS="0")
    finally:
        if made.process and made.process.poll() is None:
            made.stop()
        shutil.rmtree(made.data, ignore_errors=True)


@pytest.fixture
def own_house():
    """A house for one test that kills or restarts it; not started yet."""
    made = House(Path(tempfile.mkdtemp(prefix="yinling-house-")))
    try:
        yield made
    finally:
        if made.process and made.process.poll() is None:
            made.process.kill()
        for process in made.processes():
            with contextlib.suppress(psutil.Error):
                process.kill()
        shutil.rmtree(made.data, ignore_errors=True)
