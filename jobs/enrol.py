"""Templates: from a photograph that staff or an import put, from an attempt that a person approved, and anew for a new network.

Nobody waits for these, and a template serves for years, so the network is shown everything that says something of the face.
"""

from __future__ import annotations

from collections.abc import Iterable

from bson import ObjectId

import faces
from faces.encoder import encoder
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
    enrolment = faces.enrol(files.get(payload["photo_id"]), thorough=True)

    def write(session: Session) -> list[ObjectId]:
        outbox.complete(session, event["_id"])
        return face_references.settle(
            session, payload["retiree_id"], payload["photo_id"], enrolment.template, list(enrolment.reasons)
        )

    files.delete(transaction(write))


@job("learn")
def learn(event: Document, payload: Document) -> None:
    """After a person's approval: the good neutral frames together become a template, the first of them the photograph where
    there is none."""
    attempt = sessions.by_id(payload["session_id"])
    if not attempt or not attempt["frames"] or not consents.given(attempt["retiree_id"]):
        outbox.close(event["_id"])
        return
    try:
        frames = sessions.load_frames(attempt)
    except NotFound:
        frames = []
    looked = [(data, faces.look(data, strict=True)) for action, data in frames if action == sessions.NEUTRAL]
    good = [(data, seen.face) for data, seen in looked if seen.good and seen.face]
    template = faces.describe([face for _, face in good], faces.DEFAULT_POLICY.views) if good else None
    photo_id = files.put(good[0][0], "face") if good else None

    def write(session: Session) -> None:
        outbox.complete(session, event["_id"])
        if template:
            face_references.add_template(session, attempt["retiree_id"], template, photo_id, access.system())

    transaction(write)
    sessions.drop_frames(attempt)


def _photo_wanted(session: Session, payload: Document) -> None:
    """After the last try: offer a new photograph."""
    face_references.renew(session, payload["retiree_id"], payload["photo_id"], None)


@job("re_enrol", when_exhausted=_photo_wanted)
def re_enrol(event: Document, payload: Document) -> None:
    """Make the template of a stored photograph anew, by the network in force."""
    retiree_id, photo_id = payload["retiree_id"], payload["photo_id"]
    if not face_references.to_renew(retiree_id, photo_id, encoder().model, encoder().normalisation):
        outbox.close(event["_id"])
        return
    enrolment = faces.enrol(files.get(photo_id), thorough=True)

    def write(session: Session) -> None:
        outbox.complete(session, event["_id"])
        face_references.renew(session, retiree_id, photo_id, enrolment.template)

    transaction(write)


def readable(stored: Iterable[bytes]) -> list[faces.Template]:
    """The templates among stored ones, without those that an older release wrote in another form."""
    found = []
    for data in stored:
        try:
            found.append(faces.Template.from_bytes(data))
        except ValueError:
            continue
    return found
