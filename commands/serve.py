"""`python -m commands.serve`: the whole house on one machine, for a laptop and for trying it: what `make run` starts.

The embedded database where MONGODB_URI is unset, then web, worker, scheduler, dispatcher and, where WeChat is not
configured, its sandbox. Ctrl-C stops all of it, the database last. In production a service manager runs the same commands.
"""

from __future__ import annotations

import contextlib
import os
import socket
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import requests
from honcho import manager as honcho

from commands import demo
from models import logs, schema
from models.embedded import EmbeddedMongo, EmbeddedUnavailable
from settings import SettingsError, settings

HOUSE = Path(__file__).resolve().parent.parent
READY_SECONDS = 120
STOP_SECONDS = 20


def processes() -> dict[str, str]:
    """The command line of every process of the house."""
    python = sys.executable
    celery = f"{python} -m celery -A worker"
    wanted = {
        "web": f"{python} -m gunicorn wsgi:app",
        "worker": (
            f"{celery} worker -Q default,faces -c {settings.JOB_WORKERS} --without-gossip --without-mingle "
            "--without-heartbeat"
        ),
        "dispatch": f"{python} worker.py",
        "beat": f"{celery} beat --pidfile=",
    }
    if not settings.WECHAT_API_BASE:
        wanted["wechat"] = f"{python} -m wechat.sandbox --port {settings.WECHAT_SANDBOX_PORT}"
    return wanted


@contextlib.contextmanager
def _database() -> Iterator[None]:
    if settings.MONGODB_URI:
        yield
    else:
        with EmbeddedMongo(settings.DATA_DIR):
            yield


def main() -> int:
    """Start everything and wait; returns the exit code."""
    for port, what in ((settings.PORT, "PORT"), (settings.WECHAT_SANDBOX_PORT, "WECHAT_SANDBOX_PORT")):
        if _taken(port):
            print(f"port {port} is taken: stop what runs there, or set {what}", file=sys.stderr)  # noqa: T201
            return 1
    try:
        with _database():
            logs.configure()
            schema.prepare()
            if settings.YINLING_DEMO:
                demo.load()
            return _run()
    except EmbeddedUnavailable as error:
        print(error, file=sys.stderr)  # noqa: T201
        return 1


def _run() -> int:
    environment = {
        **os.environ,
        "PYTHONUNBUFFERED": "1",
        # every job can be killed anywhere, so the worker need not wait for the one that runs
        "REMAP_SIGTERM": "SIGQUIT",
        "DATA_DIR": str(settings.DATA_DIR),
        "PROMETHEUS_MULTIPROC_DIR": str(settings.DATA_DIR / "metrics"),
    }
    honcho.KILL_WAIT = STOP_SECONDS
    manager = honcho.Manager()
    for name, command in processes().items():
        manager.add_process(name, f"exec {command}", env=environment, cwd=str(HOUSE))
    threading.Thread(target=_announce, daemon=True).start()
    manager.loop()
    return int(manager.returncode or 0)


def _announce() -> None:
    """Say where to go, once the web process answers."""
    address = f"http://127.0.0.1:{settings.PORT}"
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline:
        with contextlib.suppress(requests.RequestException):
            if requests.get(f"{address}/readyz", timeout=2).ok:
                print(_greeting(address), flush=True)  # noqa: T201
                return
        time.sleep(0.2)


def _greeting(address: str) -> str:
    lines = [
        "",
        f"  Yinling 银龄通 runs at   {address}/          (retirees)",
        f"                          {address}/admin     (staff)",
        f"                          {address}/api/docs  (API)",
    ]
    if settings.YINLING_DEMO:
        name, _, _, phone = demo.FIRST_WALK[0]
        lines += [
            f"  Demo, all made up: staff {', '.join(demo.STAFF)}; password {demo.PASSWORD}",
            f"  retiree {name}: sign in with the phone {phone} (the page shows the code), ID number",
            f"  {demo.id_number(demo.FIRST_WALK[0][1], demo.FIRST_WALK[0][2], 0)}",
        ]
    return "\n".join([*lines, "  Ctrl-C stops everything.", ""])


def _taken(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return True
    return False


if __name__ == "__main__":
    try:
        raise SystemExit(main())
    except SettingsError as error:
        raise SystemExit(str(error)) from error
