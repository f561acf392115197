"""What the clock asks for: every state that waits has its sweeper here."""

from __future__ import annotations

from collections.abc import Callable

import structlog

from faces.encoder import encoder
from jobs import sender
from models import (
    audit,
    certification_sessions,
    deliveries,
    face_cohorts,
    face_labels,
    face_limits,
    face_references,
    face_report,
    files,
    imports,
    notices,
    second_looks,
)
from notifications import schedule

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


def forget_devices() -> None:
    """Take the device off old attempts."""
    if forgotten := face_limits.forget_devices():
        log.info("devices_forgotten", count=forgotten)


def end_second_looks() -> None:
    """End the second looks that nobody made in time; delete_frames deletes their frames at the same instant."""
    if ended := second_looks.end():
        log.info("second_looks_ended", count=ended)


def unlink_labels() -> None:
    """Cut the way from old labels back to a person."""
    if unlinked := face_labels.unlink_old():
        log.info("labels_unlinked", count=unlinked)


def prepare_face_report() -> None:
    """Store the report on faces of the month that is over; asked every hour, so a stop misses nothing."""
    if month := face_report.prepare():
        log.info("face_report_prepared", month=month)


def refresh_cohort() -> None:
    """Draw and measure a new cohort; the worker of bulk work does it."""
    face_cohorts.ask()


def re_enrol() -> None:
    """Ask for templates of the network in force where there are none yet."""
    asked, photos_wanted = face_references.offer_again(encoder().model, encoder().normalisation)
    if asked or photos_wanted:
        log.info("faces_to_enrol_again", asked=asked, photos_wanted=photos_wanted)


def start_schedules() -> None:
    """Start what is due by the calendar; one scheduler at a time does."""
    if started := schedule.start():
        log.info("slots_started", count=started)


def publish_notices() -> None:
    """Publish the approved notices whose time has come."""
    if published := notices.scheduled():
        log.info("notices_published", count=published)


def send_messages() -> None:
    """Plan and send what is due on the channels; stops by itself."""
    sender.run()
    deliveries.settle_receipts()


def expire_deliveries() -> None:
    """Take off the work lists what nobody needs to be told any more."""
    if expired := deliveries.expire():
        log.info("deliveries_expired", count=expired)


def seal_audit() -> None:
    """Seal every day that is over."""
    if sealed := audit.seal():
        log.info("audit_sealed", days=len(sealed))


TICKS: dict[str, Callable[[], None]] = {
    work.__name__: work
    for work in (
        expire_sessions,
        delete_frames,
        sweep_files,
        count_faces,
        forget_devices,
        start_schedules,
        publish_notices,
        send_messages,
        expire_deliveries,
        seal_audit,
        end_second_looks,
        unlink_labels,
        prepare_face_report,
        refresh_cohort,
        re_enrol,
    )
}


def run(name: str) -> None:
    TICKS[name]()
