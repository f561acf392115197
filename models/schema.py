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
    face_references,
    files,
    follow_ups,
    idempotency,
    imports,
    messages,
    outbox,
    people,
    rules,
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
    face_references,
    files,
    follow_ups,
    idempotency,
    imports,
    messages,
    outbox,
    people,
    rules,
    sign_ins,
    sms_codes,
)


def prepare() -> None:
    """Make collections, indexes and data keys; idempotent, and safe in several processes at once."""
    for module in MODULES:
        database.prepare(module.INDEXES)
    encryption.prepare()
