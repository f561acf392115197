"""What a face is compared with: one photograph and its templates for each person who agreed.

`pending → ready | rejected`. A photograph may come from staff or from an import before the person has agreed; it stays a
photograph then, encrypted, and no template is computed from it until consent is given (PIPL article 29). Withdrawal
deletes photograph and templates. The number of people with a template is counted: from 90,000 on it is warned about,
because 100,000 have to be filed with the authority (人脸识别技术应用安全管理办法).
"""

from __future__ import annotations

from bson import ObjectId
from bson.binary import Binary
from pymongo import IndexModel

from models import access, audit, clock, consents, encryption, files, outbox, people, rules
from models.access import OFFICE, Actor, require
from models.database import Document, Session, collection, transaction
from models.errors import NotFound

PENDING = "pending"
READY = "ready"
REJECTED = "rejected"
STATES = (PENDING, READY, REJECTED)

FROM_STAFF = "staff"
FROM_IMPORT = "import"
FROM_ATTEMPT = "first_attempt"

TEMPLATES_KEPT = 3

INDEXES = {
    "face_references": [
        IndexModel("retiree_id", name="one_a_person", unique=True),
        IndexModel("enrolled", name="enrolled"),
    ]
}


def of(retiree_id: ObjectId, session: Session | None = None) -> Document | None:
    return collection("face_references").find_one({"retiree_id": retiree_id}, session=session)


def get(retiree_id: ObjectId, actor: Actor) -> Document:
    """State of a person's reference, for those who may see the person; never the templates."""
    people.get(retiree_id, actor)
    found = of(retiree_id) or {}
    consent = consents.given(retiree_id)
    return {
        "state": found.get("state", "none"),
        "reasons": found.get("reasons", []),
        "source": found.get("source"),
        "enrolled": bool(found.get("enrolled")),
        "has_photo": bool(found.get("photo_id")),
        "changed_at": found.get("changed_at"),
        "consent": {"version": consent["version"], "given_at": consent["given_at"]} if consent else None,
    }


def put_photo(retiree_id: ObjectId, data: bytes, source: str, actor: Actor, *, consent_on_paper: bool = False) -> None:
    """Take a reference photograph; the worker looks at it and, where there is consent, makes the template."""
    require(actor, OFFICE)
    people.get(retiree_id, actor)
    photo_id = files.put(data, "face")

    def write(session: Session) -> list[ObjectId]:
        people.get(retiree_id, actor, session)
        if consent_on_paper:
            consents.give(session, retiree_id, actor, "paper")
        replaced = of(retiree_id, session)
        collection("face_references").update_one(
            {"retiree_id": retiree_id},
            {
                "$set": {
                    "photo_id": photo_id,
                    "state": PENDING,
                    "reasons": [],
                    "source": source,
                    "templates": [],
                    "enrolled": False,
                    "changed_at": clock.now(),
                }
            },
            upsert=True,
            session=session,
        )
        _mark(session, retiree_id, False)
        audit.record(session, actor, "face.photo_put", ("retiree", retiree_id), after={"source": source})
        outbox.add(session, "enrol", {"retiree_id": retiree_id, "photo_id": photo_id}, queue="faces")
        return [replaced["photo_id"]] if replaced and replaced.get("photo_id") else []

    old = transaction(write)
    files.keep([photo_id])
    files.delete(old)


def photo(retiree_id: ObjectId, actor: Actor) -> bytes:
    """The reference photograph, for the worker who compares; every look is audited.

    Raises:
        NotFound: there is none, or the person is out of scope.
    """
    require(actor, OFFICE)
    people.get(retiree_id, actor)
    found = of(retiree_id)
    if not found or not found.get("photo_id"):
        raise NotFound("no_photo", "还没有登记照片。")
    transaction(lambda session: audit.record(session, actor, "face.photo_seen", ("retiree", retiree_id)))
    return files.get(found["photo_id"])


def photo_bytes(reference: Document) -> bytes:
    """The photograph of a reference, for the worker process."""
    return files.get(reference["photo_id"])


def templates(reference: Document | None) -> list[bytes]:
    """The stored templates, decrypted, newest last."""
    return [bytes(encryption.decrypt(row["vector"])) for row in (reference or {}).get("templates", [])]


def settle(
    session: Session, retiree_id: ObjectId, photo_id: ObjectId, template: bytes | None, reasons: list[str]
) -> None:
    """What the worker found in a photograph: usable or not, and its template where the person agreed.

    A photograph that was replaced meanwhile is left to the event of its successor.
    """
    state = REJECTED if reasons else READY
    enrolled = state == READY and template is not None and consents.given(retiree_id, session) is not None
    changed = collection("face_references").update_one(
        {"retiree_id": retiree_id, "photo_id": photo_id},
        {
            "$set": {
                "state": state,
                "reasons": reasons,
                "templates": [_row(template)] if enrolled and template else [],
                "enrolled": enrolled,
                "changed_at": clock.now(),
            }
        },
        session=session,
    )
    if changed.matched_count:
        _mark(session, retiree_id, enrolled)
        audit.record(
            session, access.system(), f"face.{state}", ("retiree", retiree_id),
            after={"enrolled": enrolled, "reasons": reasons},
        )  # fmt: skip


def add_template(
    session: Session, retiree_id: ObjectId, template: bytes, photo_id: ObjectId | None, actor: Actor
) -> None:
    """Add a template after a person's review; the first attempt's neutral frame becomes the photograph where none is.

    Nothing is stored where consent has been withdrawn meanwhile.
    """
    if not consents.given(retiree_id, session):
        return
    held = of(retiree_id, session) or {}
    kept = (held.get("templates") or [])[-(TEMPLATES_KEPT - 1) :]
    update: Document = {"templates": [*kept, _row(template)], "enrolled": True, "state": READY, "reasons": []}
    if photo_id and not held.get("photo_id"):
        update |= {"photo_id": photo_id, "source": FROM_ATTEMPT}
    collection("face_references").update_one(
        {"retiree_id": retiree_id}, {"$set": {**update, "changed_at": clock.now()}}, upsert=True, session=session
    )
    _mark(session, retiree_id, True)
    audit.record(session, actor, "face.template_added", ("retiree", retiree_id), after={"source": FROM_ATTEMPT})


def withdraw(retiree_id: ObjectId, actor: Actor) -> None:
    """Withdraw consent: photograph, templates and the frames of every attempt are deleted; other methods remain."""
    people.get(retiree_id, actor)

    def write(session: Session) -> list[ObjectId]:
        people.get(retiree_id, actor, session)
        consents.withdraw(session, retiree_id, actor)
        held = of(retiree_id, session) or {}
        collection("face_references").delete_one({"retiree_id": retiree_id}, session=session)
        _mark(session, retiree_id, False)
        sessions = collection("certification_sessions")
        attempts = list(sessions.find({"retiree_id": retiree_id, "frames.0": {"$exists": True}}, session=session))
        # a check or review that is under way cannot go on without the frames
        sessions.update_many(
            {"retiree_id": retiree_id, "open": True},
            {"$set": {"state": "failed", "open": False, "reasons": ["consent_withdrawn"], "decided_at": clock.now()}},
            session=session,
        )
        sessions.update_many({"retiree_id": retiree_id}, {"$set": {"frames": []}}, session=session)
        collection("retirees").update_one(
            {"_id": retiree_id}, {"$set": {"certification.checking": None}}, session=session
        )
        audit.record(session, actor, "face.deleted", ("retiree", retiree_id))
        frames = [frame["file_id"] for attempt in attempts for frame in attempt["frames"]]
        return [*frames, *([held["photo_id"]] if held.get("photo_id") else [])]

    gone = transaction(write)
    collection("files.files").update_many({"_id": {"$in": gone}}, {"$set": {"metadata.kept": False}})
    files.delete(gone)


def stored_count() -> int:
    """How many people have a template."""
    return collection("face_references").count_documents({"enrolled": True})


def filing_state() -> Document:
    """The count and whether it is time to warn or to file (DOMAIN L40)."""
    today, count = clock.today(), stored_count()
    warning, filing = rules.number("faces_warning", today), rules.number("faces_filing", today)
    return {"count": count, "warning": count >= warning, "must_file": count >= filing}


def _row(template: bytes) -> Document:
    return {"vector": encryption.encrypt(Binary(template), "face"), "added_at": clock.now()}


def _mark(session: Session, retiree_id: ObjectId, enrolled: bool) -> None:
    """The ledger shows whether a face is enrolled without reading the reference."""
    collection("retirees").update_one({"_id": retiree_id}, {"$set": {"face.enrolled": enrolled}}, session=session)
