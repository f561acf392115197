"""What the clock asks for: every state that waits has its sweeper here."""

from __future__ import annotations

from collections.abc import Callable

import structlog

from models import audit, certification_sessions, face_references, files, imports

log = structlog.stdlib.get_logger("jobs")


def expire_sessions() -> None:
    """Close attempts whose frames never came."""
    if closed := certification_sessions.expire():
        log.info("sessions_expired", count=closed)


def delete_frames() -> None:
    """Delete frames whose time is over."""
    if deleted := certification_sessions.delete_frames():
        log.info("frames_deleted", count=deleted)


def sweep_files() -> None:
    """Delete files that nothing names, and spreadsheets of rejected rows after 30 days."""
    if swept := files.sweep() + imports.forget():
        log.info("files_swept", count=swept)


def count_faces() -> None:
    """Warn before the number of stored faces has to be filed with the authority (DOMAIN L40)."""
    state = face_references.filing_state()
    if state["must_file"]:
        log.error("faces_must_be_filed", count=state["count"])
    elif state["warning"]:
        log.warning("faces_near_filing", count=state["count"])


def seal_audit() -> None:
    """Seal every day that is over."""
    if sealed := audit.seal():
        log.info("audit_sealed", days=len(sealed))


TICKS: dict[str, Callable[[], None]] = {
    work.__name__: work for work in (expire_sessions, delete_frames, sweep_files, count_faces, seal_audit)
}


def run(name: str) -> None:
    TICKS[name]()
