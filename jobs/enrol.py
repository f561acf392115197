"""Templates: from a photograph that staff or an import put, and from an attempt that a person approved."""

from __future__ import annotations

from bson import ObjectId

import faces
from jobs.registry import job
from models import access, consents, face_references, files, outbox
from models import certification_sessions as sessions
from models.database import Document, Session, transaction
from models.errors import NotFound


def _not_usable(session: Session, payload: Document) -> None:
    """After the last try: say so to the clerk, who can send another photograph."""
    face_references.settle(session, payload["retiree_id"], payload["photo_id"], None, ["could_not_check"])


@job("enrol", when_exhausted=_not_usable)
def enrol(event: Document, payload: Document) -> None:
    """Look at a reference photograph. The template is kept only where the person has agreed."""
    reference = face_references.of(payload["retiree_id"])
    if not reference or reference.get("candidate_id") != payload["photo_id"]:
        outbox.close(event["_id"])
        return
    enrolment = faces.enrol(files.get(payload["photo_id"]))
    template = enrolment.template.to_bytes() if enrolment.template else None

    def write(session: Session) -> list[ObjectId]:
        outbox.complete(session, event["_id"])
        return face_references.settle(
            session, payload["retiree_id"], payload["photo_id"], template, list(enrolment.reasons)
        )

    files.delete(transaction(write))


@job("learn")
def learn(event: Document, payload: Document) -> None:
    """After a person's approval: the neutral frames become a template, and the first of them the photograph where none is."""
    attempt = sessions.by_id(payload["session_id"])
    if not attempt or not attempt["frames"] or not consents.given(attempt["retiree_id"]):
        outbox.close(event["_id"])
        return
    try:
        frames = [faces.LabelledFrame(action, data) for action, data in sessions.load_frames(attempt)]
    except NotFound:
        frames = []
    neutral = [frame for frame in frames if frame.action == sessions.NEUTRAL]
    template, photo_id = None, None
    for frame in neutral:
        enrolment = faces.enrol(frame.data)
        if enrolment.template:
            template, photo_id = enrolment.template.to_bytes(), files.put(frame.data, "face")
            break

    def write(session: Session) -> None:
        outbox.complete(session, event["_id"])
        if template:
            face_references.add_template(session, attempt["retiree_id"], template, photo_id, access.system())

    transaction(write)
    sessions.drop_frames(attempt)
