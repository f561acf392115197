"""The whole house, as `make run` starts it: real processes, a real broker, a real browser."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import requests

from commands import demo

ROOT = Path(__file__).resolve().parent.parent
READY_SECONDS = 90


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until(check: Callable[[], Any], what: str, seconds: float = 60) -> Any:
    """Wait for a state, never for a time; returns what the check returned."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        with contextlib.suppress(requests.RequestException):
            if found := check():
                return found
        time.sleep(0.1)
    raise AssertionError(f"{what} did not happen within {seconds} s")


@dataclass
class House:
    """A running house with demo data."""

    data: Path
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def api(self) -> str:
        return f"{self.url}/api/v1"

    def start(self, **more: str) -> House:
        environment = {
            **os.environ,
            "DATA_DIR": str(self.data),
            "PORT": str(self.port),
            "WECHAT_SANDBOX_PORT": str(free_port()),
            "MONGODB_DATABASE": "yinling",
            "YINLING_DEMO": "1",
            "WEB_WORKERS": "2",
            **more,
        }
        log = (self.data / "house.log").open("ab")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "commands.serve"], cwd=ROOT, env=environment, stdout=log, stderr=log
        )
        before = len(self.log())
        wait_until(lambda: self.is_ready() and "runs at" in self.log()[before:], "the greeting", READY_SECONDS)
        return self

    def is_ready(self) -> bool:
        assert self.process
        assert self.process.poll() is None, f"the house ended: {self.log()[-2000:]}"
        return requests.get(f"{self.url}/readyz", timeout=2).ok

    def stop(self, how: int = signal.SIGINT) -> int:
        assert self.process
        self.process.send_signal(how)
        return self.process.wait(60)

    def log(self) -> str:
        return (self.data / "house.log").read_text()

    def processes(self, *words: str) -> list[psutil.Process]:
        """The processes of this house whose command line holds all the words."""
        found = []
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error):
                line = process.cmdline()
                mine = process.environ().get("DATA_DIR") == str(self.data) or any(
                    str(self.data) in word for word in line
                )
                if mine and process.pid != os.getpid() and all(any(word in part for part in line) for word in words):
                    found.append(process)
        return found

    # ---- People of the house

    def staff(self, username: str) -> dict[str, str]:
        reply = requests.post(
            f"{self.api}/auth/staff", json={"username": username, "password": demo.PASSWORD}, timeout=30
        )
        assert reply.ok, reply.text
        return {"Authorization": f"Bearer {reply.json()['access_token']}"}

    @staticmethod
    def phone(place: int) -> str:
        return f"1690000{place + 1:04d}"

    def person(self, place: int) -> dict[str, Any]:
        """A demo retiree as the city's staff see them."""
        found = requests.get(
            f"{self.api}/retirees", params={"q": self.phone(place)}, headers=self.staff("city"), timeout=30
        )
        return found.json()[0]

    def retiree(self, place: int) -> tuple[dict[str, str], str]:
        """Sign a demo retiree in by SMS and bind them; returns the header and the retiree's id."""
        phone, worker, person = self.phone(place), self.staff("city"), self.person(place)
        number = requests.post(
            f"{self.api}/retirees/{person['id']}/reveals",
            json={"field": "id_number", "purpose": "自动测试"},
            headers=worker,
            timeout=30,
        ).json()["value"]
        code = requests.post(f"{self.api}/auth/sms-codes", json={"phone": phone}, timeout=30).json()["demo_code"]
        signed = requests.post(f"{self.api}/auth/sms", json={"phone": phone, "code": code}, timeout=30).json()
        header = {"Authorization": f"Bearer {signed['access_token']}"}
        bound = requests.post(
            f"{self.api}/me/bindings",
            json={"name": person["name"], "id_number": number, "relation": "self"},
            headers=header,
            timeout=30,
        )
        assert bound.status_code in (201, 409), bound.text
        return header, person["id"]

    def enrol(self, retiree_id: str, photo: bytes) -> None:
        reply = requests.put(
            f"{self.api}/retirees/{retiree_id}/face",
            files={"photo": ("photo.jpg", photo, "image/jpeg")},
            data={"consent_on_paper": "true"},
            headers=self.staff("city"),
            timeout=30,
        )
        assert reply.status_code == 202, reply.text
