"""`python -m commands.serve`: the whole house on one machine, for a laptop and for trying it: what `make run` starts.

The embedded database where MONGODB_URI is unset, then web, worker, scheduler, dispatcher and, where WeChat is not
configured, its sandbox, under supervisord, which starts again whatever dies. Ctrl-C stops all of it, the database last.
What an earlier run left behind when it was killed is ended first. In production a service manager runs the same commands.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import psutil
import requests
import structlog

from commands import demo
from models import logs, schema
from models.embedded import EmbeddedMongo, EmbeddedUnavailable
from settings import SettingsError, settings

HOUSE = Path(__file__).resolve().parent.parent
READY_SECONDS = 120
STOP_SECONDS = 5
WATCH_SECONDS = 0.5

log = structlog.stdlib.get_logger("serve")


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
        # imports have a process of their own: a zip of photographs never stands before a retiree. Nor does it, or a message to
        # 100,000, take the processor from a page that somebody looks at
        "bulk": f"nice -n 10 {celery} worker -Q bulk -c 1 -n bulk@%h --without-gossip --without-mingle --without-heartbeat",
        # so have messages: an emergency never waits behind an import. They wait for other servers most of the time, so threads
        "messages": (
            # many at once in hand: a worker whose hands are full takes back acknowledgements every 2 seconds only
            f"nice -n 10 {celery} worker -Q messages -P threads -c 4 --prefetch-multiplier 25 -n messages@%h "
            "--without-gossip --without-mingle --without-heartbeat"
        ),
        "dispatch": f"{python} worker.py",
        "beat": f"{celery} beat --pidfile=",
    }
    if not settings.WECHAT_API_BASE:
        wanted["wechat"] = f"{python} -m wechat.sandbox --port {settings.WECHAT_SANDBOX_PORT}"
    return wanted


def main() -> int:
    """Start everything and wait; returns the exit code."""
    try:
        with _house_to_ourselves():
            _end_orphans()
            taken = [port for port in (settings.PORT, settings.WECHAT_SANDBOX_PORT) if _taken(port)]
            if taken:
                return _refuse(f"port {taken[0]} is taken: stop what runs there, or set PORT or WECHAT_SANDBOX_PORT")
            with contextlib.nullcontext() if settings.MONGODB_URI else EmbeddedMongo(settings.DATA_DIR) as embedded:
                logs.configure()
                schema.prepare()
                if settings.YINLING_DEMO:
                    demo.load()
                return _supervise(embedded)
    except (EmbeddedUnavailable, BlockingIOError) as error:
        return _refuse(str(error))


def _supervise(embedded: EmbeddedMongo | None) -> int:
    """Run supervisord in the foreground until Ctrl-C or SIGTERM; start the database again should it die."""
    config = settings.DATA_DIR / "supervisord.conf"
    config.write_text(_configuration())
    environment = {
        **os.environ,
        "PYTHONUNBUFFERED": "1",
        "DATA_DIR": str(settings.DATA_DIR),
        "PROMETHEUS_MULTIPROC_DIR": str(settings.DATA_DIR / "metrics"),
        # every job can be killed anywhere, so a worker need not wait for the one that runs
        "REMAP_SIGTERM": "SIGQUIT",
    }
    # a session of its own: Ctrl-C reaches this process only, which then stops the house in order
    supervisor = subprocess.Popen(  # noqa: S603 - our own configuration
        [sys.executable, "-m", "supervisor.supervisord", "-n", "-c", str(config)],
        env=environment,
        start_new_session=True,
    )
    stopping = threading.Event()

    def stop(*_: object) -> None:
        if not stopping.is_set():
            print("\n  stopping: a few seconds", flush=True)  # noqa: T201
        stopping.set()
        supervisor.terminate()

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, stop)
    threading.Thread(target=_announce, daemon=True).start()
    while True:
        with contextlib.suppress(subprocess.TimeoutExpired):
            return supervisor.wait(WATCH_SECONDS)
        if embedded and not stopping.is_set() and embedded.revive():
            log.error("database_started_again")


def _configuration() -> str:
    sections = [
        "[supervisord]",
        f"directory={HOUSE}",
        f"pidfile={_pid_file()}",
        "logfile=/dev/null",
        "logfile_maxbytes=0",
        "silent=true",
    ]
    for name, command in processes().items():
        sections += [
            f"[program:{name}]",
            f"command={command.replace('%', '%%')}",  # supervisord expands % itself
            "autorestart=true",
            "startretries=1000000",
            "startsecs=2",
            "stopasgroup=true",
            "killasgroup=true",
            f"stopwaitsecs={STOP_SECONDS}",
            "redirect_stderr=true",
            "stdout_logfile=/dev/fd/1",
            "stdout_logfile_maxbytes=0",
        ]
    return "\n".join([*sections, ""])


def _pid_file() -> Path:
    return settings.DATA_DIR / "supervisord.pid"


@contextlib.contextmanager
def _house_to_ourselves() -> Iterator[IO[str]]:
    """Hold DATA_DIR. The kernel drops the lock with its holder, so it can never be stale."""
    settings.DATA_DIR.mkdir(parents=True, exist_ok=True, mode=0o700)
    with (settings.DATA_DIR / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise BlockingIOError(
                f"Yinling already runs with {settings.DATA_DIR}: stop it, or choose another DATA_DIR"
            ) from error
        yield lock


def _end_orphans() -> None:
    """End the processes of an earlier run whose parent was killed before it could stop them."""
    with contextlib.suppress(OSError, ValueError, psutil.NoSuchProcess):
        orphan = psutil.Process(int(_pid_file().read_text()))
        if str(settings.DATA_DIR / "supervisord.conf") in orphan.cmdline():
            family = [orphan, *orphan.children(recursive=True)]
            orphan.terminate()
            # supervisord itself waits STOP_SECONDS for its own before it kills them
            left = psutil.wait_procs(family, timeout=2 * STOP_SECONDS)[1]
            for process in left:
                with contextlib.suppress(psutil.NoSuchProcess):
                    process.kill()
            psutil.wait_procs(left, timeout=STOP_SECONDS)
    # supervisord itself may have been killed: then its children are without a parent too
    for process in psutil.process_iter(["cmdline", "environ"]):
        own = (process.info["environ"] or {}).get("DATA_DIR") == str(settings.DATA_DIR)
        if own and (process.info["cmdline"] or [])[:1] == [sys.executable] and process.pid != os.getpid():
            with contextlib.suppress(psutil.NoSuchProcess):
                if process.ppid() == 1:
                    process.kill()
                    process.wait(STOP_SECONDS)


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
        name, birth, sex, phone = demo.FIRST_WALK[0]
        lines += [
            f"  Demo, all made up: staff {', '.join(demo.STAFF)}; password {demo.PASSWORD}",
            f"  retiree {name}: phone {phone} (the page shows the code), ID number {demo.id_number(birth, sex, 0)}",
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


def _refuse(reason: str) -> int:
    print(reason, file=sys.stderr)  # noqa: T201
    return 1


if __name__ == "__main__":
    try:
        raise SystemExit(main())
    except SettingsError as error:
        raise SystemExit(str(error)) from error
