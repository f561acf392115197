"""From what happened to what the retiree reads, and SMS on their way."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from jobs.registry import job
from models import certification_sessions as sessions
from models import certifications, clock, outbox
from models.database import Document, Session, transaction
from notifications import inbox, sms


def _tell(event: Document, say: Callable[[Session], None] | None) -> None:
    """Put a message and mark its event done in one transaction; None says nothing, because its cause is gone."""

    def write(session: Session) -> None:
        outbox.complete(session, event["_id"])
        if say:
            say(session)

    transaction(write)


@job("certified")
def certified(event: Document, payload: Document) -> None:
    """Tell the retiree of a certificate, by whatever method: also after a silent one, or people certify again (C16)."""
    certificate = certifications.by_id(payload["certificate_id"])
    _tell(event, partial(inbox.certified, certificate=certificate) if certificate else None)


@job("attempt_failed")
def attempt_failed(event: Document, payload: Document) -> None:
    """Tell the retiree that an attempt failed and what to do; a family may have made it."""
    attempt = sessions.by_id(payload["session_id"])
    _tell(event, partial(inbox.attempt_failed, attempt=attempt) if attempt else None)


@job("help_asked")
def help_asked(event: Document, payload: Document) -> None:
    """Confirm to the retiree that a person will come back to them."""
    retiree_id, method = payload["retiree_id"], payload["method"]
    _tell(event, lambda session: inbox.help_asked(session, retiree_id, method, str(event["_id"])))


@job("sms")
def send_sms(event: Document, payload: Document) -> None:
    """Send an SMS. It is at least once: a gateway that took it and did not say so is asked again."""
    if payload.get("expires_at") and payload["expires_at"] <= clock.now():
        # a code that would arrive dead only confuses; the person has asked for another one by now
        outbox.close(event["_id"])
        return
    try:
        sms.gateway().send(payload["phone"], payload["template"], payload["values"])
    except sms.SmsRefused as error:
        # asking again will not help: the event ends failed and visible
        reason = type(error).__name__
        transaction(lambda session: outbox.fail(session, event["_id"], reason))
        return
    outbox.close(event["_id"])
