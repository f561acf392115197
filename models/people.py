"""Retirees 退休人员: the ledger of people, with the fields of ledger 1 (人员台账) and those that real ledgers add.

Statuses, from the hand-over to the end:
`to_hand_over → in_care → moved | lost | deceased`; a wrong mark is undone by a change with a reason.

ID number and telephone are encrypted so that they can be looked up by their exact value; addresses and the emergency
contact are encrypted at random. The birth date that counts for the pension (`recognised_birth`) may differ from that of
the ID number (`id_birth`): the archive's earliest record wins (劳社部发〔1999〕8号), so they are two fields and a
difference is a flag, not an error. Party membership is sensitive (PIPL article 28): it is given out to the branch only.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from bson import ObjectId
from pymongo import ASCENDING, IndexModel, ReturnDocument
from pymongo.errors import BulkWriteError

from models import access, audit, clock, encryption, rules
from models.access import Actor
from models.database import Document, Session, collection, transaction
from models.errors import Conflict, Invalid, NotFound, Stale
from models.id_numbers import InvalidIdNumber, parse

TO_HAND_OVER = "to_hand_over"
IN_CARE = "in_care"
MOVED = "moved"
LOST = "lost"
DECEASED = "deceased"
STATUSES = (TO_HAND_OVER, IN_CARE, MOVED, LOST, DECEASED)

RETIREMENT_KINDS = ("normal", "special_work", "special_policy", "illness")
HEALTH = ("healthy", "unable_self_care", "chronic", "ordinary")
RESIDENCE_KINDS = ("local", "other_county", "other_province", "hk_mo_tw", "abroad")
ENTERPRISE_LEVELS = ("central", "province", "city", "county")
VERIFICATION = ("unverified", "verified", "doubtful")

DUPLICATE_KEY = 11000

ENCRYPTED = {
    "id_number": "id_number",
    "phone": "phone",
    "address": "contact",
    "hukou_place": "contact",
    "emergency_contact": "contact",
    "emergency_phone": "contact",
}
LEDGER_1 = (
    "hukou_place", "id_birth", "sex", "native_place", "retired_on", "retirement_kind", "veteran", "combat_or_test",
    "address", "phone", "party_member",
)  # fmt: skip
EDITABLE = (
    "name", "recognised_birth", "phone", "phone_owner", "address", "hukou_place", "native_place", "retired_on",
    "retirement_kind", "veteran", "combat_or_test", "party_member", "health", "hardship", "enterprise",
    "enterprise_level", "division", "residence_kind", "pension_source", "emergency_contact", "emergency_phone",
    "liveness_note", "status", "status_reason", "died_on", "verification",
)  # fmt: skip

INDEXES = {
    "retirees": [
        IndexModel("id_number", name="one_person", unique=True),
        IndexModel([("division", ASCENDING), ("name_pinyin", ASCENDING), ("_id", ASCENDING)], name="by_division"),
        IndexModel([("division", ASCENDING), ("certification.due_on", ASCENDING)], name="by_due"),
        IndexModel([("certification.due_on", ASCENDING), ("_id", ASCENDING)], name="by_due_everywhere"),
        IndexModel("phone", name="by_phone"),
        IndexModel("enterprise", name="by_enterprise"),
    ]
}


def find_by_id_numbers(session: Session, numbers: Iterable[str]) -> dict[str, Document]:
    """The people of several ID numbers, by number: for imports."""
    sealed = [encryption.encrypt(number, "id_number") for number in numbers]
    found = collection("retirees").find({"id_number": {"$in": sealed}}, session=session)
    return {person["id_number"]: person for person in map(opened, found)}


def get(retiree_id: ObjectId, actor: Actor, session: Session | None = None) -> Document:
    """One retiree that this actor may see, decrypted.

    Raises:
        NotFound: there is none, or it is out of the actor's scope.
    """
    found = collection("retirees").find_one({"$and": [{"_id": retiree_id}, actor.scope()]}, session=session)
    if not found:
        raise NotFound("retiree_not_found", "没有找到这位退休人员，请核对后再试。")
    return opened(found)


def find_by_id_number(number: str) -> Document | None:
    """The person of an ID number, whoever asks: for binding and for imports, never for a list."""
    found = collection("retirees").find_one({"id_number": encryption.encrypt(number, "id_number")})
    return opened(found) if found else None


def add(fields: Mapping[str, Any], actor: Actor) -> Document:
    """Add a person to the ledger.

    Raises:
        Invalid: the ID number does not pass GB 11643, or the place is outside the actor's area.
        Conflict: the person is in the ledger already.
    """
    person = make(fields, actor)
    try:
        transaction(lambda session: add_all(session, [person], actor))
    except BulkWriteError as error:
        if error.details["writeErrors"][0]["code"] != DUPLICATE_KEY:
            raise
        raise Conflict("already_in_ledger", "这位退休人员已在名册中，请用姓名或身份证号查找。") from error
    return person


def make(fields: Mapping[str, Any], actor: Actor) -> Document:
    """The document of a new person, checked but not written; raises like `add`."""
    fields = _from_id_number(dict(fields))
    if not actor.covers(fields["division"]):
        raise Invalid("outside_area", "这个社区不在您的管理范围内。", pointer="/division")
    instant = clock.now()
    return {
        "_id": ObjectId(),
        **{name: fields.get(name) for name in (*EDITABLE, "id_number", "id_birth", "sex")},
        "status": fields.get("status") or IN_CARE,
        "hardship": fields.get("hardship") or [],
        "verification": fields.get("verification") or "unverified",
        "certification": _first_cycle(fields),
        "face": {"enrolled": False},
        "version": 1,
        "created_at": instant,
        "updated_at": instant,
    }


def add_all(session: Session, persons: Sequence[Document], actor: Actor) -> None:
    """Write new people and their audit entries, two requests for any number."""
    collection("retirees").insert_many([_closed(person) for person in persons], session=session)
    shown = (*EDITABLE, "id_number", "id_birth", "sex")
    audit.record_all(
        session,
        actor,
        "retiree.added",
        [
            (("retiree", person["_id"]), None, {name: person[name] for name in shown if person[name] not in (None, [])})
            for person in persons
        ],
    )


def change(retiree_id: ObjectId, changes: Mapping[str, Any], version: int, actor: Actor) -> Document:
    """Change some fields of a person whose version the actor has seen.

    Raises:
        NotFound, Invalid; Stale: somebody else changed the record meanwhile.
    """
    fields = {name: value for name, value in changes.items() if name in EDITABLE}
    if "division" in fields and not actor.covers(fields["division"]):
        raise Invalid("outside_area", "这个社区不在您的管理范围内。", pointer="/division")
    if fields.get("status") == DECEASED and not fields.get("died_on"):
        raise Invalid("died_on_missing", "登记去世需要填写去世日期。", pointer="/died_on")

    def write(session: Session) -> Document:
        before = get(retiree_id, actor, session)
        update = {**_closed(fields), "updated_at": clock.now()}
        if "name" in fields:
            update |= _spelt(fields["name"])
        after = collection("retirees").find_one_and_update(
            {"_id": retiree_id, "version": version},
            {"$set": update, "$inc": {"version": 1}},
            return_document=ReturnDocument.AFTER,
            session=session,
        )
        if not after:
            raise Stale()
        if "division" in fields and fields["division"] != before["division"]:
            _move(session, retiree_id, fields["division"])
        audit.record(
            session, actor, "retiree.changed", ("retiree", retiree_id),
            before={name: before.get(name) for name in fields}, after=fields,
        )  # fmt: skip
        return opened(after)

    return transaction(write)


def fill(session: Session, person: Document, fields: Mapping[str, Any], actor: Actor) -> bool:
    """Fill what the ledger does not know yet from an import; what a worker wrote stays. Returns whether anything changed."""
    missing = {
        name: value
        for name, value in fields.items()
        if name in EDITABLE and value not in (None, "", []) and person.get(name) in (None, "", [])
    }
    if not missing:
        return False
    collection("retirees").update_one(
        {"_id": person["_id"]},
        {"$set": {**_closed(missing), "updated_at": clock.now()}, "$inc": {"version": 1}},
        session=session,
    )
    audit.record(session, actor, "retiree.filled", ("retiree", person["_id"]), after=missing)
    return True


def reveal(retiree_id: ObjectId, field: str, purpose: str, actor: Actor) -> str:
    """One sensitive value in full, for a stated purpose; the look is audited.

    Raises:
        NotFound: out of scope, or the field is empty.
    """

    def look(session: Session) -> str:
        value = get(retiree_id, actor, session).get(field)
        if not value:
            raise NotFound("nothing_there", "这一项还没有填写。")
        audit.record(
            session, actor, "retiree.revealed", ("retiree", retiree_id), after={"field": field, "purpose": purpose}
        )
        return str(value)

    return transaction(look)


def search(
    actor: Actor, *, q: str = "", division: str = "", status: str = "", certification: str = "", page: int = 1,
    size: int = 20,
) -> tuple[list[Document], int]:  # fmt: skip
    """A page of people in the actor's scope, by pinyin, and the number of all.

    `q` is a whole ID number, a whole telephone number, or the beginning of a name in characters, of its pinyin or of
    its initials. `certification` is valid, due_soon, overdue, checking, suspended or ended.
    """
    wanted: list[Document] = [actor.scope()]
    if q := q.strip():
        wanted.append(_matching(q))
    if division:
        wanted.append({"division": access.inside(division)})
    if status:
        wanted.append({"status": status})
    if certification:
        wanted.append(certified(certification, actor.division))
    where = {"$and": wanted}
    order = [("division", ASCENDING), ("name_pinyin", ASCENDING), ("_id", ASCENDING)]
    found = collection("retirees").find(where).sort(order).skip((page - 1) * size).limit(size)
    return [opened(person) for person in found], collection("retirees").count_documents(where)


def certified(state: str, division: str) -> Document:
    """The filter on people of one certification state; the rules of `certifications.state_of`, with one difference: whoever
    is being checked is also due or overdue."""
    today = clock.today()
    soon = (today + dt.timedelta(days=rules.number("certification_due_soon_days", today, division))).isoformat()
    day = today.isoformat()
    alive = {"status": {"$ne": DECEASED}}
    due = "certification.due_on"
    # somebody whose attempt waits for a person is still due: the lists of those to call must not lose them
    going = {**alive, "certification.suspended_on": None}
    filters: dict[str, Document] = {
        "ended": {"status": DECEASED},
        "suspended": {**alive, "certification.suspended_on": {"$ne": None}, "certification.checking": None},
        "checking": {**alive, "certification.checking": {"$ne": None}},
        "overdue": {**going, due: {"$lt": day}},
        "due_soon": {**going, due: {"$gte": day, "$lte": soon}},
        "valid": {**going, due: {"$gt": soon}, "certification.checking": None},
    }
    return filters[state]


def beside(rows: list[Document]) -> list[Document]:
    """The rows of a list that the caller has scoped already, each with its `retiree`, read at once."""
    found = collection("retirees").find({"_id": {"$in": [row["retiree_id"] for row in rows]}})
    persons = {person["_id"]: opened(person) for person in found}
    for row in rows:
        row["retiree"] = persons[row["retiree_id"]]
    return rows


def counts(actor: Actor) -> dict[str, int]:
    """How many people are in each certification state, for the console's first page."""
    states = ("valid", "due_soon", "overdue", "checking", "suspended", "ended")
    return {
        state: collection("retirees").count_documents({"$and": [actor.scope(), certified(state, actor.division)]})
        for state in states
    }


def completeness(person: Mapping[str, Any]) -> int:
    """How many of the 11 fields of ledger 1 are filled (indicator K8)."""
    return sum(person.get(name) not in (None, "") for name in LEDGER_1)


def opened(stored: Mapping[str, Any]) -> Document:
    """The document with its encrypted fields in plain."""
    return {name: encryption.decrypt(value) if name in ENCRYPTED else value for name, value in stored.items()}


def _closed(fields: Mapping[str, Any]) -> Document:
    closed = {
        name: encryption.encrypt(value or None, ENCRYPTED[name]) if name in ENCRYPTED else value
        for name, value in fields.items()
    }
    return {**closed, **(_spelt(fields["name"]) if "id_number" in fields else {})}


def _spelt(name: str) -> Document:
    """The name as it is sorted and found: its pinyin and its initials."""
    # its dictionary takes a fifth of a second, which every process of the house would wait for at its start
    from pypinyin import Style, lazy_pinyin

    return {
        "name_pinyin": "".join(lazy_pinyin(name, errors="ignore")).lower(),
        "name_initials": "".join(lazy_pinyin(name, style=Style.FIRST_LETTER, errors="ignore")).lower(),
    }


def _from_id_number(fields: Document) -> Document:
    try:
        number = parse(fields["id_number"], clock.today(), allow_15=True)
    except InvalidIdNumber as error:
        raise Invalid(error.code, error.detail, pointer="/id_number") from error
    if fields.get("sex") and fields["sex"] != number.sex:
        raise Invalid("sex_differs", "性别与身份证号不一致，请核对。", pointer="/sex")
    fields |= {"id_number": number.number, "id_birth": number.birth.isoformat(), "sex": number.sex}
    fields["recognised_birth"] = fields.get("recognised_birth") or fields["id_birth"]
    return fields


def _first_cycle(fields: Mapping[str, Any]) -> Document:
    """The first certification is due 12 months from the first pension month (DOMAIN C13), or from the day of entry."""
    start = clock.today()
    if fields.get("retired_on"):
        start = max(start, dt.date.fromisoformat(fields["retired_on"]))
    months = rules.number("certification_cycle_months", start, fields["division"])
    return {
        "last_certified_on": fields.get("last_certified_on"),
        "due_on": fields.get("due_on") or clock.add_months(start, months).isoformat(),
        "checking": None,
        "suspended_on": None,
        "failures_in_row": 0,
        "failed_on": None,
    }


def _matching(q: str) -> Document:
    if re.fullmatch(r"\d{17}[\dXx]", q):
        return {"id_number": encryption.encrypt(q.upper(), "id_number")}
    if re.fullmatch(r"1\d{10}", q):
        return {"phone": encryption.encrypt(q, "phone")}
    start = re.escape(q)
    spelt = re.escape(q.lower().replace(" ", ""))
    return {
        "$or": [
            {"name": {"$regex": f"^{start}"}},
            {"name_pinyin": {"$regex": f"^{spelt}"}},
            {"name_initials": {"$regex": f"^{spelt}"}},
        ]
    }


def _move(session: Session, retiree_id: ObjectId, division: str) -> None:
    """What is open about a person goes with the person to the new community."""
    for name in ("certification_sessions", "follow_ups", "deliveries"):
        collection(name).update_many(
            {"retiree_id": retiree_id, "open": True}, {"$set": {"division": division}}, session=session
        )
