"""From what happened to what the retiree reads, and SMS on their way."""

from __future__ import annotations

from jobs.registry import job
from models import certification_sessions as sessions
from models import certifications, clock, outbox
from models.database import Document, Session, transaction
from notifications import inbox, sms


@job("certified")
def certified(event: Document, payload: Document) -> None:
    """Tell the retiree of a certificate, by whatever method: also after a silent one, or people certify again (C16)."""
    certificate = certifications.by_id(payload["certificate_id"])

    def write(session: Session) -> None:
        outbox.complete(session, event["_id"])
        if certificate:
            inbox.certified(session, certificate)

    transaction(write)


@job("attempt_failed")
def attempt_failed(event: Document, payload: Document) -> None:
    """Tell the retiree that an attempt failed and what to do; a family may have made it."""
    attempt = sessions.by_id(payload["session_id"])

    def write(session: Session) -> None:
        outbox.complete(session, event["_id"])
        if attempt:
            inbox.attempt_failed(session, attempt)

    transaction(write)


@job("help_asked")
def help_asked(event: Document, payload: Document) -> None:
    """Confirm to the retiree that a person will come back to them."""

    def write(session: Session) -> None:
        outbox.complete(session, event["_id"])
        inbox.help_asked(session, payload["retiree_id"], payload["method"], str(event["_id"]))

    transaction(write)


@job("sms")
def send_sms(event: Document, payload: Document) -> None:
    """Send an SMS. It is at least once: a gateway that took it and did not say so is asked again."""
    if payload.get("expires_at") and payload["expires_at"] <= clock.now():
        # a code that would arrive dead only confuses; the person has asked for another one by now
        transaction(lambda session: outbox.complete(session, event["_id"]))
        return
    try:
        sms.gateway().send(payload["phone"], payload["template"], payload["values"])
    except sms.SmsRefused as error:
        # asking again will not help: the event ends failed and visible
        reason = type(error).__name__
        transaction(lambda session: outbox.fail(session, event["_id"], reason))
        return
    transaction(lambda session: outbox.complete(session, event["_id"]))
