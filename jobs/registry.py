"""From an outbox event to the job that does it.

A job is a function of (event, payload). It does its work and `outbox.complete()` in one transaction, or raises: then the
event is tried again with backoff, and after the last try the job's `when_exhausted` says what becomes of the matter, so
that nobody waits for ever for software that failed.
"""

from __future__ import annotations

import contextlib
import threading
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import structlog
from bson import ObjectId
from pymongo.errors import PyMongoError

from models import outbox
from models.database import Document, Session, transaction

Work = Callable[[Document, Document], None]
Exhausted = Callable[[Session, Document], None]

log = structlog.stdlib.get_logger("jobs")


@dataclass(frozen=True)
class Job:
    work: Work
    when_exhausted: Exhausted | None = None


JOBS: dict[str, Job] = {}


def job(kind: str, when_exhausted: Exhausted | None = None) -> Callable[[Work], Work]:
    """Register a function as the job of an event kind."""

    def register(work: Work) -> Work:
        JOBS[kind] = Job(work, when_exhausted)
        return work

    return register


def _nobody(event: Document, _: Document) -> None:
    """The work of an event that this release does not know: a newer one may; the event ends failed and visible if not."""
    raise LookupError(event["kind"])


def deliver(event_id: str) -> None:
    """Claim an event and do its job. A second delivery of the same event finds nothing to claim."""
    event = outbox.claim(ObjectId(event_id))
    if event is None:
        return
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(
        request_id=event["request_id"], event=event_id, kind=event["kind"], attempt=event["attempts"]
    )
    found = JOBS.get(event["kind"]) or Job(_nobody)
    if event["attempts"] > outbox.MAX_ATTEMPTS:
        # it has killed its worker every time and never came as far as an exception
        give_up(event, found, "the worker died")
        return
    try:
        with _lease_kept(event["_id"]):
            found.work(event, outbox.payload(event))
        log.info("job_done")
    except outbox.AlreadyDone:
        log.info("job_done_elsewhere")
    except Exception as error:
        # where it happened, but not the error's text: it may quote a person's data
        places = [
            f"{frame.name} ({frame.filename}:{frame.lineno})" for frame in traceback.extract_tb(error.__traceback__)
        ]
        log.error("job_failed", error=type(error).__name__, places=places[-6:])
        if not outbox.postpone(event, type(error).__name__):
            give_up(event, found, type(error).__name__)


@contextlib.contextmanager
def _lease_kept(event_id: ObjectId) -> Iterator[None]:
    """Extend the lease from a thread while the job runs; a killed process stops extending it."""
    ended = threading.Event()

    def beat() -> None:
        while not ended.wait(outbox.HEARTBEAT_SECONDS):
            try:
                outbox.extend(event_id)
            except PyMongoError:
                log.warning("lease_not_extended")

    thread = threading.Thread(target=beat, name="lease", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def give_up(event: Document, found: Job, error: str) -> None:
    """After the last try: the event is failed, visibly, and its job says what becomes of the matter."""

    def write(session: Session) -> None:
        if found.when_exhausted:
            found.when_exhausted(session, outbox.payload(event))
        outbox.fail(session, event["_id"], error)

    transaction(write)
    log.error("job_given_up", error=error)
