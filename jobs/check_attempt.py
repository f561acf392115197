"""Check the frames of an attempt: frames → verdict → certificate, review or failure, in one transaction."""

from __future__ import annotations

import time

import faces
from jobs.registry import job
from models import certification_sessions as sessions
from models import consents, face_references, files, outbox
from models.database import Document, Session, transaction
from models.errors import NotFound

ADVICE = {
    sessions.REPLAYED: "这些画面以前用过，请本人对着镜头重新照。",
    sessions.NOT_CHECKED: "系统没能自动核对，工作人员会帮您看，请放心等通知。",
    sessions.WITHDRAWN: "您撤回了同意，照片已删除；可以选择窗口、上门或视频办理。",
    sessions.LOST: "照片没有保存好，请重新照一遍。",
}


def _to_a_person(session: Session, payload: Document) -> None:
    """Software that fails never fails a retiree: a person looks at the frames."""
    attempt = sessions.in_checking(payload["session_id"])
    if attempt:
        reason = sessions.NOT_CHECKED
        sessions.settle(session, attempt, sessions.REVIEW, [reason], {}, [ADVICE[reason]])


@job("check", when_exhausted=_to_a_person)
def check_attempt(event: Document, payload: Document) -> None:
    """Decide one attempt. Killed anywhere, it is done again from the start; decided is decided once."""
    attempt = sessions.in_checking(payload["session_id"])
    if attempt is None:
        outbox.close(event["_id"])
        return
    verdict, reasons, figures, advice = _verdict(attempt)

    def write(session: Session) -> Document:
        outbox.complete(session, event["_id"])
        return sessions.settle(session, attempt, verdict, reasons, figures, advice)

    decided = transaction(write)
    if decided["state"] == sessions.PASSED:
        sessions.drop_frames(decided)


def _verdict(attempt: Document) -> tuple[str, list[str], Document, list[str]]:
    """(verdict, reasons, figures, advice) of an attempt."""
    if not consents.given(attempt["retiree_id"]):
        return _refused(sessions.WITHDRAWN)
    try:
        frames = [faces.LabelledFrame(action, data) for action, data in sessions.load_frames(attempt)]
    except NotFound:
        return _refused(sessions.LOST)
    if sessions.seen_before(attempt):
        return _refused(sessions.REPLAYED)
    started = time.perf_counter()
    result = faces.check(frames, attempt["actions"], _templates(attempt))
    figures = {
        **result.figures,
        "policy": faces.DEFAULT_POLICY.version,
        "model": faces.model_id(),
        "milliseconds": round((time.perf_counter() - started) * 1000),
        "actions": [{"action": seen.action, "seen": seen.seen, **seen.figures} for seen in result.actions],
        "match": {"distance": result.match.distance, "decision": result.match.decision} if result.match else None,
    }
    return str(result.verdict), list(result.reasons), figures, list(result.advice)


def _templates(attempt: Document) -> list[faces.Template]:
    """The person's templates; made now where staff put a photograph before consent was given."""
    reference = face_references.of(attempt["retiree_id"])
    stored = face_references.templates(reference)
    photo_id = face_references.to_enrol(reference)
    if not stored and photo_id:
        enrolment = faces.enrol(files.get(photo_id))
        template = enrolment.template.to_bytes() if enrolment.template else None
        files.delete(
            transaction(
                lambda session: face_references.settle(
                    session, attempt["retiree_id"], photo_id, template, list(enrolment.reasons)
                )
            )
        )
        stored = [template] if template else []
    return [faces.Template.from_bytes(data) for data in stored]


def _refused(reason: str) -> tuple[str, list[str], Document, list[str]]:
    return sessions.FAIL, [reason], {}, [ADVICE[reason]]
