"""WeChat and an SMS gateway on the wire, as sandboxes on free ports: what was really delivered, and to whom."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from typing import Any

import requests

from models import subscription_grants
from models.access import Actor
from models.database import collection
from models.message_templates import sandbox_template
from notifications import access_tokens
from notifications.sms_sandbox import SmsSandbox
from settings import settings
from tests.story import settings_with
from wechat import client as wechat
from wechat.loopback import Loopback, create_server
from wechat.sandbox import Sandbox

KEY = "a-key-of-the-gateway"


class Gateway:
    """One sandbox as a test asks it."""

    def __init__(self, app: Loopback, base: str) -> None:
        self.app = app
        self.base = base

    def delivered(self) -> list[dict[str, Any]]:
        messages: list[dict[str, Any]] = requests.get(f"{self.base}/sandbox/messages", timeout=5).json()["messages"]
        return messages

    def goes_wrong(self, kind: str, **more: Any) -> None:
        self.app.faults.add({"kind": kind, **more})

    def is_well(self) -> None:
        self.app.faults.forget()

    def counts(self) -> dict[str, int]:
        counted: dict[str, int] = requests.get(f"{self.base}/sandbox/counts", timeout=5).json()
        return counted


class Gateways:
    def __init__(self, sms: Gateway, wechat: Gateway) -> None:
        self.sms = sms
        self.wechat = wechat

    def grant(self, actor: Actor, key: str = "notice", times: int = 1) -> None:
        """The person taps on 允许: WeChat knows, and so do we."""
        account = collection("accounts").find_one({"_id": actor.account_id}) or {}
        template = sandbox_template(key)
        for _ in range(times):
            asked = {"openid": account["openid"], "template_ids": [template]}
            assert requests.post(f"{self.wechat.base}/sandbox/grants", json=asked, timeout=5).ok
            subscription_grants.note({template: "accept"}, actor)

    def texts(self) -> list[str]:
        return [message["phone"] for message in self.sms.delivered()]

    def openids(self) -> list[str]:
        return [message["touser"] for message in self.wechat.delivered()]


@contextlib.contextmanager
def gateways(per_second: float = 1000, **more: Any) -> Iterator[Gateways]:
    """Both sandboxes, and the settings that lead there; as fast as a test wants them."""
    apps = (SmsSandbox(KEY), Sandbox(settings.WECHAT_APPID, settings.WECHAT_SECRET))
    servers = [create_server(app) for app in apps]
    threads = [threading.Thread(target=server.serve_forever, args=(0.01,)) for server in servers]
    for thread in threads:
        thread.start()
    sms, its_wechat = (
        Gateway(app, f"http://127.0.0.1:{server.port}") for app, server in zip(apps, servers, strict=True)
    )
    lead_there = {
        "SMS_GATEWAY": "http",
        "SMS_GATEWAY_URL": f"{sms.base}/send",
        "SMS_GATEWAY_KEY": KEY,
        "SMS_PER_SECOND": per_second,
        "WECHAT_PER_SECOND": per_second,
        "WECHAT_SANDBOX_PORT": servers[1].port,
        **more,
    }
    try:
        with settings_with(**lead_there):
            wechat.client.cache_clear()
            access_tokens.forget()
            yield Gateways(sms, its_wechat)
    finally:
        wechat.client.cache_clear()
        access_tokens.forget()
        for server, thread in zip(servers, threads, strict=True):
            server.shutdown()
            thread.join()
            server.server_close()
