"""A WeChat that knows one mini-program, and that mini-program's view of it."""

from __future__ import annotations

import pytest

from tests.sandboxes import running
from wechat.client import Client
from wechat.sandbox import create_app

APPID, SECRET = "wx0123456789abcdef", "hush-hush-secret"


@pytest.fixture
def sandbox():
    with running(create_app(APPID, SECRET)) as listening:
        yield listening


@pytest.fixture
def base(sandbox) -> str:
    return sandbox.base


@pytest.fixture
def wechat(base) -> Client:
    return Client(base, APPID, SECRET, timeout=3)
