"""Every collection and index of the house, made in one place at every start."""

from __future__ import annotations

from models import (
    accounts,
    audit,
    bindings,
    certification_sessions,
    certifications,
    consents,
    database,
    divisions,
    encryption,
    face_alarms,
    face_cohorts,
    face_labels,
    face_limits,
    face_references,
    face_report,
    files,
    follow_ups,
    frame_fingerprints,
    idempotency,
    imports,
    messages,
    outbox,
    people,
    rules,
    second_looks,
    sign_ins,
    sms_codes,
)

MODULES = (
    accounts,
    audit,
    bindings,
    certification_sessions,
    certifications,
    consents,
    divisions,
    encryption,
    face_alarms,
    face_cohorts,
    face_labels,
    face_limits,
    face_references,
    face_report,
    files,
    follow_ups,
    frame_fingerprints,
    idempotency,
    imports,
    messages,
    outbox,
    people,
    rules,
    second_looks,
    sign_ins,
    sms_codes,
)


def prepare() -> None:
    """Make collections, indexes and data keys; idempotent, and safe in several processes at once."""
    for module in MODULES:
        database.prepare(module.INDEXES)
    encryption.prepare()
