"""Alarms about attempts by face: what one attempt does not show and several do, for the supervisors. `open → closed`.

Kinds: an account, or a device of several accounts, that failed suspiciously against several people within 7 days; the same
film for two people; an attempt that passed for somebody who is recorded as deceased; a pass that a second look called wrong.

An alarm accuses nobody and takes nothing away: it asks a supervisor (street and above) to look, telephone, visit, and to say
what was found. `harmless` forgives the failures that it was raised for, and with them the lock of the account or device
that stood on them alone; `fraud_suspected` leaves everything as it is. While an alarm is open, whatever belongs to it (the
same kind, the same account or device) is added to it instead of raising another; the same session never raises a second.

Whoever covers one of the people sees the alarm, but of the people only those in the own area. It is closed by whoever covers
all of them: one street must not close what concerns the people of another. Where the people lie in several cities, the city
of any of them may. An alarm stays with the offices whose people they were when it was raised. Open ones stand the oldest
first and are counted on the console's first page, those that waited too long apart.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bson import ObjectId
from pymongo import ASCENDING, DESCENDING, IndexModel, ReturnDocument

from models import access, accounts, audit, clock, face_limits, outbox, people, rules
from models.access import CITY, DISTRICT, STREET, Actor, inside, require
from models.database import Document, Session, collection, transaction
from models.errors import Conflict, NotFound

SUPERVISORS = (STREET, DISTRICT, CITY)
CITY_DIGITS = 4

ACCOUNT_SEVERAL_PEOPLE = "account_several_people"
DEVICE_SEVERAL_PEOPLE = "device_several_people"
SAME_FILM = "same_film"
RECORDED_AS_DECEASED = "recorded_as_deceased"
WRONG_PASS = "wrong_pass"
KINDS = (ACCOUNT_SEVERAL_PEOPLE, DEVICE_SEVERAL_PEOPLE, SAME_FILM, RECORDED_AS_DECEASED, WRONG_PASS)

OPEN = "open"
CLOSED = "closed"
STATES = (OPEN, CLOSED)

HARMLESS = "harmless"
FRAUD_SUSPECTED = "fraud_suspected"
FINDINGS = (HARMLESS, FRAUD_SUSPECTED)

INDEXES = {
    "face_alarms": [
        IndexModel("key", name="one_open", unique=True, partialFilterExpression={"open": True}),
        IndexModel([("open", ASCENDING), ("divisions", ASCENDING), ("raised_at", ASCENDING)], name="by_division"),
        IndexModel("session_ids", name="by_session"),
        IndexModel("forget_at", name="forget", expireAfterSeconds=0),
    ]
}


def raise_alarm(
    session: Session,
    kind: str,
    *,
    account_id: ObjectId | None,
    retiree_ids: Sequence[ObjectId],
    division: str,
    session_id: ObjectId,
    device_key: str | None = None,
    earlier: Sequence[ObjectId] = (),
) -> Document:
    """Raise an alarm, or add to the one that is open, in the transaction that found it. Calling it again changes nothing.

    `division` is the person's at hand, `retiree_ids` all the people concerned; `earlier` are sessions that belong to it.
    An alarm is about the device where `device_key` is given, otherwise about the account.
    """
    if kind not in KINDS:
        raise ValueError(f"no alarm is called {kind}")
    rows = collection("face_alarms")
    told = rows.find_one({"kind": kind, "session_ids": session_id}, session=session)
    if told:
        return told
    found = collection("retirees").find({"_id": {"$in": list(retiree_ids)}}, {"division": 1}, session=session)
    divisions = sorted({division, *(person["division"] for person in found)})
    key = f"{kind}:{device_key or account_id}"
    held = rows.find_one({"key": key, "open": True}, {"_id": 1}, session=session)
    alarm: Any = rows.find_one_and_update(
        {"key": key, "open": True},
        {
            "$addToSet": {
                "retiree_ids": {"$each": list(retiree_ids)},
                "divisions": {"$each": divisions},
                "session_ids": {"$each": [*earlier, session_id]},
            },
            "$set": {"account_id": account_id},
            "$setOnInsert": {"kind": kind, "state": OPEN, "device_key": device_key, "raised_at": clock.now()},
        },
        upsert=True,
        return_document=ReturnDocument.AFTER,
        session=session,
    )  # fmt: skip
    if not held:
        subject, after = ("face_alarm", alarm["_id"]), {"kind": kind, "people": len(retiree_ids)}
        audit.record(session, access.system(), "face.alarm_raised", subject, after=after)
        outbox.add(session, "face_alarm", {"alarm_id": alarm["_id"]}, key=f"face_alarm:{alarm['_id']}")
    return dict(alarm)


def count_failure(session: Session, attempt: Mapping[str, Any]) -> None:
    """Count a failed session against its limits and raise what it shows, in the transaction that fails it."""
    for found in face_limits.count_failure(session, attempt):
        of_device = found.holder.kind == face_limits.DEVICE
        if of_device and found.accounts < 2:
            continue  # the alarm about the account says it already
        raise_alarm(
            session,
            DEVICE_SEVERAL_PEOPLE if of_device else ACCOUNT_SEVERAL_PEOPLE,
            account_id=attempt["account_id"],
            retiree_ids=found.retiree_ids,
            division=attempt["division"],
            session_id=attempt["_id"],
            device_key=found.holder.value if of_device else None,
            earlier=found.session_ids,
        )


def listed(actor: Actor, *, state: str = OPEN, page: int = 1, size: int = 20) -> tuple[list[Document], int]:
    """A page of the alarms about people of the actor's area, the oldest first (closed: the newest first).

    Each carries `retirees`, the people in the actor's scope, `others`, how many are not, and `late`.
    """
    require(actor, SUPERVISORS)
    where = {"$and": [_area(actor), {"open": True} if state == OPEN else {"state": CLOSED}]}
    order = ("raised_at", ASCENDING) if state == OPEN else ("closed_at", DESCENDING)
    rows = list(collection("face_alarms").find(where).sort([order]).skip((page - 1) * size).limit(size))
    return _with_people(rows, actor), collection("face_alarms").count_documents(where)


def get(alarm_id: ObjectId, actor: Actor) -> Document:
    """One alarm with its `attempts` on people in scope, oldest first, each with the person, the account and its relation.

    Raises:
        NotFound: there is none about people of the actor's area.
    """
    require(actor, SUPERVISORS)
    alarm = _with_people([_found(alarm_id, actor)], actor)[0]
    persons = {person["_id"]: person for person in alarm["retirees"]}
    where = {"_id": {"$in": alarm["session_ids"]}, "retiree_id": {"$in": list(persons)}}
    attempts = list(collection("certification_sessions").find(where).sort("created_at", ASCENDING))
    account_ids = [attempt["account_id"] for attempt in attempts]
    phones = {
        account["_id"]: accounts.phone_of(account)
        for account in collection("accounts").find({"_id": {"$in": account_ids}})
    }
    bound = {
        (binding["account_id"], binding["retiree_id"]): binding["relation"]
        for binding in collection("bindings").find({"account_id": {"$in": account_ids}})
    }
    alarm["attempts"] = [
        {
            **attempt,
            "retiree": persons[attempt["retiree_id"]],
            "account_phone": phones.get(attempt["account_id"]),
            "relation": bound.get((attempt["account_id"], attempt["retiree_id"])),
        }
        for attempt in attempts
    ]
    return alarm


def close(alarm_id: ObjectId, finding: str, note: str, actor: Actor) -> Document:
    """Say what was found; `harmless` forgives the failures behind the alarm.

    Raises:
        NotFound; Conflict: `alarm_closed`, somebody was faster; `beyond_area`, people of other areas are concerned.
    """
    require(actor, SUPERVISORS)

    def write(session: Session) -> Document:
        alarm = _found(alarm_id, actor, session)
        if not alarm["open"]:
            raise Conflict("alarm_closed", "这项提醒已经有人办结了，请刷新。")
        if not _may_close(alarm, actor):
            raise Conflict("beyond_area", "这项提醒还涉及别处的退休人员，请上级主管部门办结。")
        instant = clock.now()
        closed: Document = {
            "open": False,
            "state": CLOSED,
            "finding": finding,
            "note": note,
            "closed_at": instant,
            "closed_by": {"role": actor.role, "account_id": actor.account_id},
            "forget_at": instant + clock.days(rules.number("face_alarm_keep_days", clock.today(), actor.division)),
        }
        collection("face_alarms").update_one({"_id": alarm_id}, {"$set": closed}, session=session)
        if finding == HARMLESS:
            face_limits.forgive(session, {"_id": {"$in": alarm["session_ids"]}})
        audit.record(
            session, actor, "face.alarm_closed", ("face_alarm", alarm_id), after={"finding": finding, "note": note}
        )
        return {**alarm, **closed}

    return _with_people([transaction(write)], actor)[0]


def counts(actor: Actor) -> dict[str, int]:
    """How many alarms are open in the actor's area, and how many of them wait too long; none for who does not see them."""
    if actor.role not in SUPERVISORS:
        return {"open": 0, "late": 0}
    where = [_area(actor), {"open": True}]
    late = [*where, {"raised_at": {"$lte": clock.now() - clock.days(_late_days(actor))}}]
    rows = collection("face_alarms")
    return {"open": rows.count_documents({"$and": where}), "late": rows.count_documents({"$and": late})}


def by_id(alarm_id: ObjectId) -> Document | None:
    return collection("face_alarms").find_one({"_id": alarm_id})


def _area(actor: Actor) -> Document:
    """The filter on alarms: one and the same of its places lies inside the actor's area."""
    if actor.role == access.SYSTEM:
        return {}
    return {"divisions": {"$elemMatch": inside(actor.division)}} if actor.division else access.NOBODY


def _may_close(alarm: Mapping[str, Any], actor: Actor) -> bool:
    if all(actor.covers(division) for division in alarm["divisions"]):
        return True
    return actor.role == CITY and len({division[:CITY_DIGITS] for division in alarm["divisions"]}) > 1


def _found(alarm_id: ObjectId, actor: Actor, session: Session | None = None) -> Document:
    found = collection("face_alarms").find_one({"$and": [{"_id": alarm_id}, _area(actor)]}, session=session)
    if not found:
        raise NotFound("alarm_not_found", "没有找到这项提醒。")
    return found


def _late_days(actor: Actor) -> int:
    return rules.number("face_alarm_days", clock.today(), actor.division)


def _with_people(rows: list[Document], actor: Actor) -> list[Document]:
    late_from = clock.now() - clock.days(_late_days(actor))
    wanted = list({retiree_id for row in rows for retiree_id in row["retiree_ids"]})
    found = collection("retirees").find({"$and": [{"_id": {"$in": wanted}}, actor.scope()]})
    persons = {person["_id"]: people.opened(person) for person in found}
    for row in rows:
        row["retirees"] = [persons[one] for one in row["retiree_ids"] if one in persons]
        row["others"] = len(row["retiree_ids"]) - len(row["retirees"])
        row["late"] = row["open"] and row["raised_at"] <= late_from
        row["may_close"] = row["open"] and _may_close(row, actor)
    return rows
