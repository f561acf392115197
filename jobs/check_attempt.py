"""Check the frames of an attempt: frames → verdict → certificate, review or failure, in one transaction."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace

from bson import ObjectId

import faces
from faces.reasons import MODEL_CHANGED, NOT_ENROLLED
from jobs import cohort, enrol
from jobs.registry import job
from models import certification_sessions as sessions
from models import consents, face_alarms, face_references, files, frame_fingerprints, outbox
from models.database import Document, Session, transaction
from models.errors import NotFound

# verdict, reasons, figures, advice
Decision = tuple[str, list[str], Document, list[str]]

ADVICE = {
    sessions.REPLAYED: "这些画面以前用过，请本人对着镜头重新照。",
    sessions.PERHAPS_REPLAYED: "有的画面和以前的很像，工作人员会帮您看一下，请放心等通知。",
    sessions.REPEATED: "有的画面重复了，工作人员会帮您看一下，请放心等通知。",
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
    (verdict, reasons, figures, advice), film_of = _verdict(attempt)

    def write(session: Session) -> Document:
        outbox.complete(session, event["_id"])
        if film_of:
            face_alarms.raise_alarm(
                session, face_alarms.SAME_FILM, account_id=attempt["account_id"],
                retiree_ids=[attempt["retiree_id"], *film_of], division=attempt["division"], session_id=attempt["_id"],
            )  # fmt: skip
        return sessions.settle(session, attempt, verdict, reasons, figures, advice)

    decided = transaction(write)
    if decided["state"] == sessions.PASSED and "second_look" not in decided:
        sessions.drop_frames(decided)


def _verdict(attempt: Document) -> tuple[Decision, tuple[ObjectId, ...]]:
    """What becomes of an attempt, and the other people of whose attempts its film was."""
    if not consents.given(attempt["retiree_id"]):
        return _refused(sessions.WITHDRAWN), ()
    try:
        frames = [faces.LabelledFrame(action, data) for action, data in sessions.load_frames(attempt)]
    except NotFound:
        return _refused(sessions.LOST), ()
    seen = frame_fingerprints.seen_before(attempt, _pictures(attempt, frames))
    if seen.played_again:
        return _refused(sessions.REPLAYED, {"seen_before": seen.figures}), seen.retiree_ids
    verdict, reasons, figures, advice = _checked(attempt, frames)
    cues = [
        code for code, found in ((sessions.PERHAPS_REPLAYED, seen.doubtful), (sessions.REPEATED, seen.reused)) if found
    ]
    if cues:
        figures["seen_before"] = seen.figures
    if cues and verdict != sessions.FAIL:
        verdict, reasons = sessions.REVIEW, [*reasons, *cues]
        advice = [*advice, *(ADVICE[code] for code in cues)]
    return (verdict, reasons, figures, advice), ()


def _pictures(attempt: Document, frames: Sequence[faces.LabelledFrame]) -> list[frame_fingerprints.Picture]:
    """What is kept and searched of the frames that show something."""
    chosen = frame_fingerprints.searched([frame.action for frame in frames], sessions.NEUTRAL)
    pictures = []
    for number, frame in enumerate(frames):
        looks = faces.undone(frame.data) if number in chosen else ()
        if looks or (number not in chosen and faces.fingerprint(frame.data)):
            digest = attempt["frames"][number]["digest"]
            pictures.append(frame_fingerprints.Picture(number, frame.action, digest, looks, faces.STRAIGHT))
    return pictures


def _checked(attempt: Document, frames: Sequence[faces.LabelledFrame]) -> Decision:
    started = time.perf_counter()
    stored = _templates(attempt)
    templates = enrol.readable(stored)
    result = faces.check(frames, attempt["actions"], templates, cohort=cohort.in_force(attempt["retiree_id"]))
    if stored and not templates:
        # what an older release wrote cannot be read; nobody is told that they have no photograph here
        told = tuple(MODEL_CHANGED if reason == NOT_ENROLLED else reason for reason in result.reasons)
        result = replace(result, reasons=told)
    figures = {
        **result.figures,
        "policy": faces.DEFAULT_POLICY.version,
        "model": faces.model_id(),
        "milliseconds": round((time.perf_counter() - started) * 1000),
        "actions": [{"action": seen.action, "seen": seen.seen, **seen.figures} for seen in result.actions],
        "match": _match_figures(result.match) if result.match else None,
    }
    return str(result.verdict), list(result.reasons), figures, list(result.advice)


def _match_figures(match: faces.Match) -> Document:
    """By what the match was decided: the thresholds are those of the normalised distance where there is one."""
    thresholds = match.thresholds
    return {
        "distance": match.distance,
        "normalised": match.normalised,
        "decision": match.decision,
        "thresholds": {"sure": thresholds.sure, "different": thresholds.different} if thresholds else None,
        "evaluation": match.evaluation,
    }


def _templates(attempt: Document) -> list[bytes]:
    """The person's templates as they are stored; made now where staff put a photograph before consent was given."""
    reference = face_references.of(attempt["retiree_id"])
    stored = face_references.templates(reference)
    photo_id = face_references.to_enrol(reference)
    if not stored and photo_id:
        enrolment = faces.enrol(files.get(photo_id), thorough=True)
        files.delete(
            transaction(
                lambda session: face_references.settle(
                    session, attempt["retiree_id"], photo_id, enrolment.template, list(enrolment.reasons)
                )
            )
        )
        stored = [enrolment.template.to_bytes()] if enrolment.template else []
    return stored


def _refused(reason: str, figures: Document | None = None) -> Decision:
    return sessions.FAIL, [reason], figures or {}, [ADVICE[reason]]
