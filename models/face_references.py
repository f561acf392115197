"""What a face is compared with: one photograph and its templates for each person who agreed.

`pending → ready | rejected`. A photograph may come from staff or from an import before the person has agreed; it stays a
photograph then, encrypted, and no template is computed from it until consent is given (PIPL article 29). Withdrawal
deletes photograph and templates.

A template belongs to the network that made it, so network and normalisation stand beside the encrypted numbers in plain:
they say nothing about the person. When the network changes, templates are made again from the photographs; whoever has no
photograph that serves is offered a new one (`photo_wanted`) and certified by a person until then.

The number of people with a template is counted: from 90,000 on it is warned about,
because 100,000 have to be filed with the authority (人脸识别技术应用安全管理办法).
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Sequence
from typing import Protocol

from bson import ObjectId
from bson.binary import Binary
from pymongo import IndexModel

from models import (
    access,
    audit,
    certification_sessions,
    clock,
    consents,
    encryption,
    face_cohorts,
    files,
    outbox,
    people,
    rules,
)
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

FROM_PHOTO = "photo"
FROM_REVIEW = "attempt"

TEMPLATES_KEPT = 3
WRITTEN_AT_ONCE = 200

INDEXES = {
    "face_references": [
        IndexModel("retiree_id", name="one_a_person", unique=True),
        IndexModel("enrolled", name="enrolled"),
    ]
}


class Template(Protocol):
    """What a network says of a face (`faces.Template`): bytes to be encrypted, and which network under which normalisation."""

    @property
    def model(self) -> str: ...

    @property
    def normalisation(self) -> str: ...

    def to_bytes(self) -> bytes: ...


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
        "photo_wanted": bool(found.get("photo_wanted")),
        "changed_at": found.get("changed_at"),
        "consent": {"version": consent["version"], "given_at": consent["given_at"]} if consent else None,
    }


def put_photo(retiree_id: ObjectId, data: bytes, source: str, actor: Actor, *, consent_on_paper: bool = False) -> None:
    """Take a reference photograph; the worker looks at it and, where there is consent, makes the template.

    Until the worker has found it usable it is a candidate: what is enrolled already stays in force.
    """
    require(actor, OFFICE)
    people.get(retiree_id, actor)
    candidate_id = files.put(data, "face")

    def write(session: Session) -> list[ObjectId]:
        people.get(retiree_id, actor, session)
        if consent_on_paper:
            consents.give(session, retiree_id, actor, "paper")
        held = of(retiree_id, session) or {}
        overtaken = [held["candidate_id"]] if held.get("candidate_id") else []
        collection("face_references").update_one(
            {"retiree_id": retiree_id},
            {
                "$set": {
                    "candidate_id": candidate_id,
                    "candidate_source": source,
                    "state": PENDING,
                    "reasons": [],
                    "changed_at": clock.now(),
                },
                "$setOnInsert": {"photo_id": None, "source": None, "templates": [], "enrolled": False},
            },
            upsert=True,
            session=session,
        )
        files.release(session, overtaken)
        audit.record(session, actor, "face.photo_put", ("retiree", retiree_id), after={"source": source})
        outbox.add(session, "enrol", {"retiree_id": retiree_id, "photo_id": candidate_id}, queue="bulk")
        return overtaken

    overtaken = transaction(write)
    files.keep([candidate_id])
    files.delete(overtaken)


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


def to_enrol(reference: Document | None) -> ObjectId | None:
    """The photograph of which no template was made yet: a candidate, or one that came before consent."""
    if not reference or reference["enrolled"]:
        return None
    found: ObjectId | None = reference.get("candidate_id") or reference.get("photo_id")
    return found


def templates(reference: Document | None) -> list[bytes]:
    """The stored templates, decrypted, newest last."""
    return [bytes(encryption.decrypt(row["vector"])) for row in (reference or {}).get("templates", [])]


def settle(
    session: Session, retiree_id: ObjectId, photo_id: ObjectId, template: Template | None, reasons: list[str]
) -> list[ObjectId]:
    """What the worker found in a photograph: usable or not, and its template where the person agreed.

    A photograph that was replaced meanwhile is left to the event of its successor. Returns the file that nothing names now.
    """
    rows = collection("face_references")
    held = rows.find_one(
        {"retiree_id": retiree_id, "$or": [{"candidate_id": photo_id}, {"photo_id": photo_id}]}, session=session
    )
    if not held:
        return []
    update: Document = {"state": REJECTED if reasons else READY, "reasons": reasons, "changed_at": clock.now()}
    dropped = []
    if held.get("candidate_id") == photo_id:
        update["candidate_id"] = None
        dropped = [photo_id] if reasons else [held["photo_id"]] if held["photo_id"] else []
    if not reasons:
        enrolled = template is not None and consents.hold(retiree_id, session)
        update |= {"photo_id": photo_id, "source": held.get("candidate_source") or held["source"], "enrolled": enrolled}
        update["templates"] = [_row(template, FROM_PHOTO)] if enrolled and template else []
        update["photo_wanted"] = False
        if held["enrolled"]:
            face_cohorts.forget(session, retiree_id)
        _mark(session, retiree_id, enrolled)
    rows.update_one({"_id": held["_id"]}, {"$set": update}, session=session)
    files.release(session, dropped)
    audit.record(
        session, access.system(), f"face.{update['state']}", ("retiree", retiree_id),
        after={"enrolled": update.get("enrolled", held["enrolled"]), "reasons": reasons},
    )  # fmt: skip
    return dropped


def add_template(
    session: Session, retiree_id: ObjectId, template: Template, photo_id: ObjectId | None, actor: Actor
) -> None:
    """Add a template after a person's review; the first attempt's neutral frame becomes the photograph where none is.

    The photograph's own template is never pushed out by later ones. Nothing is stored where consent has been withdrawn
    meanwhile.
    """
    if not consents.hold(retiree_id, session):
        return
    held = of(retiree_id, session) or {}
    own = [row for row in held.get("templates", []) if row["from"] == FROM_PHOTO]
    later = [row for row in held.get("templates", []) if row["from"] != FROM_PHOTO]
    first = not held.get("photo_id") and photo_id is not None
    later.append(_row(template, FROM_PHOTO if first else FROM_REVIEW))
    update: Document = {
        "templates": [*own, *later[-(TEMPLATES_KEPT - len(own)) :]],
        "enrolled": True,
        "state": READY,
        "reasons": [],
        "changed_at": clock.now(),
    }
    if first:
        update |= {"photo_id": photo_id, "source": FROM_ATTEMPT, "photo_wanted": False}
    collection("face_references").update_one(
        {"retiree_id": retiree_id},
        {"$set": update, "$setOnInsert": {"candidate_id": None}},
        upsert=True,
        session=session,
    )
    _mark(session, retiree_id, True)
    audit.record(session, actor, "face.template_added", ("retiree", retiree_id), after={"source": FROM_ATTEMPT})


def offer_again(model: str, normalisation: str) -> tuple[int, int]:
    """After a change of network: ask for templates of this one for whoever agreed and has a photograph but none made of it.

    Asking again asks for nobody twice. Returns how many people were asked for now, and how many need a new photograph.
    """
    network = {"model": model, "normalisation": normalisation}
    by_network, by_photo = _having(network), _having({**network, "from": FROM_PHOTO})
    rows = collection("face_references")
    rows.update_many(
        {"photo_wanted": True, "$or": [by_photo, {"photo_id": None, **by_network}]}, {"$set": {"photo_wanted": False}}
    )
    rows.update_many(
        {"photo_id": None, "enrolled": True, "$nor": [by_network]}, {"$set": {"photo_wanted": True}}
    )  # fmt: skip
    lacking = list(_agreed({"photo_id": {"$ne": None}, "photo_wanted": {"$ne": True}, "$nor": [by_photo]}))
    asked = 0
    for start in range(0, len(lacking), WRITTEN_AT_ONCE):
        asked += _ask(lacking[start : start + WRITTEN_AT_ONCE], model, normalisation)
    return asked, rows.count_documents({"photo_wanted": True})


def to_renew(retiree_id: ObjectId, photo_id: ObjectId, model: str, normalisation: str) -> bool:
    """Whether this is still the person's photograph and this network has made no template of it."""
    own = _having({"model": model, "normalisation": normalisation, "from": FROM_PHOTO})
    lacking = {"retiree_id": retiree_id, "photo_id": photo_id, "$nor": [own]}
    return collection("face_references").find_one(lacking, {"_id": 1}) is not None


def renew(session: Session, retiree_id: ObjectId, photo_id: ObjectId, template: Template | None) -> None:
    """The photograph as a new network sees it. Templates of other networks are dropped; without one a new photograph is wanted.

    Nothing is stored where the photograph was replaced or consent withdrawn meanwhile.
    """
    held = collection("face_references").find_one({"retiree_id": retiree_id, "photo_id": photo_id}, session=session)
    if not held or not consents.hold(retiree_id, session):
        return
    update: Document = {"photo_wanted": template is None}
    if template:
        later = [
            row
            for row in held["templates"]
            if row["from"] != FROM_PHOTO
            and (row.get("model"), row.get("normalisation")) == (template.model, template.normalisation)
        ]
        update |= {"templates": [_row(template, FROM_PHOTO), *later], "enrolled": True, "changed_at": clock.now()}
        _mark(session, retiree_id, True)
    collection("face_references").update_one({"_id": held["_id"]}, {"$set": update}, session=session)
    audit.record(
        session, access.system(), "face.renewed" if template else "face.photo_wanted", ("retiree", retiree_id),
        after={"enrolled": update.get("enrolled", held["enrolled"])},
    )  # fmt: skip


def drawn(model: str, normalisation: str, most: int, *, reviewed: bool = False) -> list[ObjectId]:
    """At most so many people whose faces this network has described, drawn by chance from the whole city.

    `reviewed` draws from those of whom there is a photograph's template and one of an attempt that a person approved. The
    system's own randomness draws: nobody can work out beforehand who it will be.
    """
    network = {"model": model, "normalisation": normalisation}
    where: Document = _having(network)
    if reviewed:
        where = {"$and": [_having({**network, "from": origin}) for origin in (FROM_PHOTO, FROM_REVIEW)]}
    found = [row["retiree_id"] for row in _agreed(where)]
    return secrets.SystemRandom().sample(found, min(most, len(found)))


def remaining(session: Session, retiree_ids: Sequence[ObjectId], model: str, normalisation: str) -> list[ObjectId]:
    """Those of these people whose templates of this network are still there."""
    where = {"retiree_id": {"$in": list(retiree_ids)}, **_having({"model": model, "normalisation": normalisation})}
    return [row["retiree_id"] for row in _agreed(where, session)]


def templates_of(
    retiree_ids: Sequence[ObjectId], model: str, normalisation: str
) -> Iterator[tuple[ObjectId, list[tuple[str, bytes]]]]:
    """Of each of these people (origin, template) of this network, decrypted; people who have none are left out."""
    where = {"retiree_id": {"$in": list(retiree_ids)}, **_having({"model": model, "normalisation": normalisation})}
    for held in collection("face_references").find(where, {"retiree_id": 1, "templates": 1}):
        yield (
            held["retiree_id"],
            [
                (row["from"], bytes(encryption.decrypt(row["vector"])))
                for row in held["templates"]
                if (row.get("model"), row.get("normalisation")) == (model, normalisation)
            ],
        )


def withdraw(retiree_id: ObjectId, actor: Actor) -> None:
    """Withdraw consent: photograph, templates and the frames of every attempt are deleted; other methods remain."""
    people.get(retiree_id, actor)

    def write(session: Session) -> list[ObjectId]:
        people.get(retiree_id, actor, session)
        consents.withdraw(session, retiree_id, actor)
        held = of(retiree_id, session) or {}
        gone = [held[name] for name in ("photo_id", "candidate_id") if held.get(name)]
        gone += certification_sessions.close_withdrawn(session, retiree_id)
        collection("face_references").delete_one({"retiree_id": retiree_id}, session=session)
        face_cohorts.forget(session, retiree_id)
        _mark(session, retiree_id, False)
        collection("retirees").update_one(
            {"_id": retiree_id}, {"$set": {"certification.checking": None}}, session=session
        )
        files.release(session, gone)
        audit.record(session, actor, "face.deleted", ("retiree", retiree_id))
        return gone

    files.delete(transaction(write))


def stored_count() -> int:
    """How many people have a template."""
    return collection("face_references").count_documents({"enrolled": True})


def filing_state() -> Document:
    """The count and whether it is time to warn or to file (DOMAIN L40)."""
    today, count = clock.today(), stored_count()
    warning, filing = rules.number("faces_warning", today), rules.number("faces_filing", today)
    return {"count": count, "warning": count >= warning, "must_file": count >= filing}


def _having(template: Document) -> Document:
    return {"templates": {"$elemMatch": template}}


def _agreed(where: Document, session: Session | None = None) -> Iterator[Document]:
    """(retiree_id, photo_id) of the references that match and whose people's consent is in force."""
    consent = {"kind": consents.FACE, "version": consents.CURRENT, "withdrawn_at": None}
    return collection("face_references").aggregate(
        [
            {"$match": where},
            {"$project": {"retiree_id": 1, "photo_id": 1}},
            {
                "$lookup": {
                    "from": "consents",
                    "localField": "retiree_id",
                    "foreignField": "retiree_id",
                    "pipeline": [{"$match": consent}, {"$limit": 1}, {"$project": {"_id": 1}}],
                    "as": "consents",
                }
            },
            {"$match": {"consents": {"$ne": []}}},
        ],
        session=session,
    )


def _ask(lacking: Sequence[Document], model: str, normalisation: str) -> int:
    def write(session: Session) -> int:
        added = [
            outbox.add(
                session, "re_enrol", {"retiree_id": row["retiree_id"], "photo_id": row["photo_id"]},
                queue=outbox.BULK, key=f"re_enrol:{row['photo_id']}:{model}:{normalisation}",
            )
            for row in lacking
        ]  # fmt: skip
        return len(added) - added.count(None)

    return transaction(write)


def _row(template: Template, origin: str) -> Document:
    return {
        "vector": encryption.encrypt(Binary(template.to_bytes()), "face"),
        "model": template.model,
        "normalisation": template.normalisation,
        "from": origin,
        "added_at": clock.now(),
    }


def _mark(session: Session, retiree_id: ObjectId, enrolled: bool) -> None:
    """The ledger shows whether a face is enrolled without reading the reference."""
    collection("retirees").update_one({"_id": retiree_id}, {"$set": {"face.enrolled": enrolled}}, session=session)
