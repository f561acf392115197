"""Messages 消息 in a retiree's inbox. One a retiree, template and cause, however often its event is delivered.

    unread → read → listened          a person's own steps; each keeps its first instant
    unread | read → ended             the notice was withdrawn, or corrected by a newer version: a line says so

The inbox is always written and is what counts. Whether the message also goes to a telephone is planned from here: `plan_at`
says when somebody has to think about the next channel and `rung` which one that is (notifications/engine.py); whoever reads
the message takes `plan_at` away. What would be sent (`wechat`, `sms`) was rendered when the message was decided and stays as
it is, also when its template changes.

The number of unread messages and a page of the inbox are served by indexes alone, so they take as long for 10,000 messages
as for ten.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

from bson import ObjectId
from pymongo import ASCENDING, DESCENDING, IndexModel, UpdateOne

from models import access, audit, clock, database, deliveries, follow_ups, outbox, people
from models.access import OFFICE, Actor, require
from models.database import Document, Session, collection, transaction
from models.errors import Conflict, NotFound

ROUTINE = "routine"
IMPORTANT = "important"
EMERGENCY = "emergency"
IMPORTANCE = (EMERGENCY, IMPORTANT, ROUTINE)
# The place in IMPORTANCE, for sorting: an emergency overtakes everything that waits
PRIORITY = {importance: place for place, importance in enumerate(IMPORTANCE)}

WITHDRAWN = "withdrawn"
CORRECTED = "corrected"
ENDED = {
    WITHDRAWN: ("已撤回", "这条通知已经撤回，不用再看。有疑问请给社区打电话。"),
    CORRECTED: ("已更正", "这条通知有更正，请看后来发的那一条。"),
}

MOST_COUNTED = 99

INDEXES = {
    "messages": [
        IndexModel([("retiree_id", ASCENDING), ("_id", DESCENDING)], name="by_retiree"),
        IndexModel([("retiree_id", ASCENDING), ("template", ASCENDING), ("cause", ASCENDING)], name="once", unique=True),
        IndexModel(
            [("retiree_id", ASCENDING), ("priority", ASCENDING)],
            name="unread",
            partialFilterExpression={"unread": True},
        ),
        IndexModel(
            [("priority", ASCENDING), ("plan_at", ASCENDING)],
            name="to_plan",
            partialFilterExpression={"plan_at": {"$type": "date"}},
        ),
        IndexModel(
            [
                ("notice_id", ASCENDING), ("notice_version", ASCENDING), ("division", ASCENDING),
                ("read_at", ASCENDING), ("listened_at", ASCENDING), ("help_asked_at", ASCENDING),
            ],
            name="by_notice",
            partialFilterExpression={"notice_id": {"$type": "objectId"}},
        ),
    ]
}  # fmt: skip

NOT_FOUND = ("message_not_found", "没有找到这条消息。")


# ---- Writing


def make(
    retiree_id: ObjectId, division: str, template: str, cause: str, *, template_version: int = 0, title: str, body: str,
    link: str = "", wechat: Mapping[str, Any] | None = None, sms: str | None = None, importance: str = ROUTINE,
    notice_id: ObjectId | None = None, notice_version: int | None = None, expires_on: str | None = None,
    branch: bool = False,
) -> Document:  # fmt: skip
    """The document of a message, not written yet.

    `link` is a place in the retirees' pages, or empty. `wechat` is {template_id, data} and `sms` a text, both ready to be
    sent, or None where the template does not go there. `branch` marks what the Party branch says (PIPL article 28: not for
    the office).
    """
    instant = clock.now()
    return {
        "_id": ObjectId(),
        "retiree_id": retiree_id,
        "division": division,
        "template": template,
        "template_version": template_version,
        "cause": cause,
        "title": title,
        "body": body,
        "link": link,
        "wechat": wechat,
        "sms": sms,
        "importance": importance,
        "priority": PRIORITY[importance],
        "notice_id": notice_id,
        "notice_version": notice_version,
        "branch": branch,
        "created_at": instant,
        "expires_on": expires_on,
        "unread": True,
        "read_at": None,
        "listened_at": None,
        "help_asked_at": None,
        "ended": None,
        "plan_at": instant,
        "rung": 0,
    }


def same_for(message: Document, retiree_id: ObjectId, division: str, plan: bool) -> Document:
    """The same message for somebody else, not written yet; `plan` False keeps it in the inbox alone."""
    return {
        **message,
        "_id": ObjectId(),
        "retiree_id": retiree_id,
        "division": division,
        "plan_at": message["created_at"] if plan else None,
    }


def put(session: Session, message: Document) -> None:
    """Write a message in the transaction of its cause, unless it is there already."""
    key = {name: message[name] for name in ("retiree_id", "template", "cause")}
    rest = {name: value for name, value in message.items() if name not in key}
    collection("messages").update_one(key, {"$setOnInsert": rest}, upsert=True, session=session)


def put_all(messages: Sequence[Document]) -> int:
    """Write many messages, those that are there already excepted; returns how many are new."""
    return database.insert_new("messages", messages)


# ---- Fanning out


def begin_fan_out(notice_id: ObjectId, version: int, audience_id: ObjectId, number: int) -> None:
    """Ask for the messages of one chunk of an audience, once."""
    payload = {"notice_id": notice_id, "version": version, "audience_id": audience_id, "number": number}
    key = f"fan_out:{audience_id}:{number}"
    transaction(lambda session: outbox.add(session, "fan_out", payload, queue=outbox.MESSAGES, key=key))


def end_notice(notice_id: ObjectId, why: str, before: int | None = None) -> int:
    """End the messages of a notice: those of all versions, or of the versions before one; what waits is not sent any more.

    `why` is WITHDRAWN or CORRECTED. May run any number of times; returns how many messages ended now.
    """
    where: Document = {"notice_id": notice_id, **({"notice_version": {"$lt": before}} if before is not None else {})}
    ended = collection("messages").update_many(
        {**where, "ended": None},
        {"$set": {"ended": why, "ended_at": clock.now(), "unread": False, "plan_at": None}},
    )
    deliveries.cancel(where, why)
    return ended.modified_count


# ---- Reading


def get(message_id: ObjectId, actor: Actor, session: Session | None = None) -> Document:
    """One message of somebody for whom the actor acts.

    Raises:
        NotFound: there is none, or it belongs to somebody else.
    """
    found = collection("messages").find_one({"_id": message_id}, session=session)
    if not found or found["retiree_id"] not in actor.retiree_ids:
        raise NotFound(*NOT_FOUND)
    return found


def inbox(
    retiree_id: ObjectId, actor: Actor, *, before: ObjectId | None = None, limit: int = 20
) -> tuple[list[Document], ObjectId | None]:
    """The messages that came before one (None: the newest), newest first, and the id to go on from, or None at the end."""
    people.get(retiree_id, actor)
    where: Document = {"retiree_id": retiree_id, **({"_id": {"$lt": before}} if before else {})}
    rows = list(collection("messages").find(where).sort("_id", DESCENDING).limit(limit + 1))
    return rows[:limit], rows[limit - 1]["_id"] if len(rows) > limit else None


def unread(retiree_id: ObjectId, actor: Actor) -> dict[str, int]:
    """How many messages nobody has opened, and how many of these are important or an emergency; at most MOST_COUNTED."""
    people.get(retiree_id, actor)
    where: Document = {"retiree_id": retiree_id, "unread": True}
    important = {**where, "priority": {"$lte": PRIORITY[IMPORTANT]}}
    return {
        "unread": collection("messages").count_documents(where, limit=MOST_COUNTED),
        "important": collection("messages").count_documents(important, limit=MOST_COUNTED),
    }


def shown(message: Mapping[str, Any]) -> Document:
    """The message as its reader sees it: of an ended one only the line that says so."""
    # messages of earlier releases have fewer fields
    ended = message.get("ended")
    seen = {**message, "id": message["_id"], "withdrawn": ended is not None}
    if ended:
        title, body = ENDED[ended]
        seen |= {"title": title, "body": body, "link": ""}
    return seen


def mark_read(message_id: ObjectId, actor: Actor) -> None:
    """Note when a message was first opened; what would have gone to a telephone because of it is not sent any more.

    Raises:
        NotFound: there is none, or it belongs to somebody else.
    """
    _note(message_id, actor, ())


def mark_listened(message_id: ObjectId, actor: Actor) -> None:
    """Note when a message was first read aloud; whoever hears it has opened it. Raises like `mark_read`."""
    _note(message_id, actor, ("listened_at",))


def ask_help(message_id: ObjectId, actor: Actor) -> None:
    """Put a message that somebody does not understand before the community, once.

    Raises:
        NotFound: there is none, or it belongs to somebody else.
        Conflict: the message was withdrawn or corrected.
    """

    def write(session: Session) -> None:
        message = get(message_id, actor, session)
        if message.get("ended"):
            raise Conflict("message_ended", ENDED[message["ended"]][1])
        if message.get("help_asked_at"):
            return
        _first(session, message, ("read_at", "help_asked_at"))
        person = people.get(message["retiree_id"], actor, session)
        # the community helps; what the branch has written stays with the branch
        title = "一条通知" if message.get("branch") else message["title"]
        follow_ups.ask_about(session, person["_id"], person["division"], title)
        audit.record(session, actor, "message.help_asked", ("retiree", person["_id"]), after={"message": message_id})

    transaction(write)


def _note(message_id: ObjectId, actor: Actor, more: Sequence[str]) -> None:
    transaction(lambda session: _first(session, get(message_id, actor, session), ("read_at", *more)))


def _first(session: Session, message: Document, steps: Sequence[str]) -> None:
    """Write the instant of steps that were not made before."""
    fresh = [step for step in steps if not message.get(step)]
    if not fresh:
        return
    collection("messages").update_one(
        {"_id": message["_id"]},
        {"$set": {**dict.fromkeys(fresh, clock.now()), "unread": False, "plan_at": None}},
        session=session,
    )
    if "read_at" in fresh:
        # a copy for the family goes on its way: it is not for the one who has read
        deliveries.cancel({"message_id": message["_id"], "copy": False}, deliveries.READ, session)


# ---- Planning, for notifications/engine.py


def to_plan(limit: int) -> list[Document]:
    """Messages whose next channel is due to be thought about, emergencies first."""
    due = {"plan_at": {"$lte": clock.now()}}
    found: list[Document] = []
    for priority in range(len(IMPORTANCE)):
        wanted = limit - len(found)
        if wanted:
            found += collection("messages").find({**due, "priority": priority}).sort("plan_at").limit(wanted)
    return found


def planned(steps: Sequence[tuple[Document, dt.datetime | None, int]]) -> None:
    """Note for each message when to think of it again (None: never) and at which rung; one that was read or planned
    meanwhile stays as it is."""
    if not steps:
        return
    written = collection("messages").bulk_write(
        [
            UpdateOne(
                {"_id": message["_id"], "plan_at": message["plan_at"]}, {"$set": {"plan_at": again, "rung": rung}}
            )
            for message, again, rung in steps
        ],
        ordered=False,
    )
    if written.matched_count < len(steps):
        looked_at = [message["_id"] for message, _, _ in steps]
        read = collection("messages").distinct("_id", {"_id": {"$in": looked_at}, "unread": False})
        deliveries.cancel({"message_id": {"$in": read}, "copy": False}, deliveries.READ)


def by_id(message_id: ObjectId) -> Document | None:
    """A message, for jobs."""
    return collection("messages").find_one({"_id": message_id})


# ---- Receipts, for the office


def receipts(notice_id: ObjectId, version: int, actor: Actor) -> list[Document]:
    """What became of a version of a notice in the actor's area, by community: {division, people, opened, listened, help}."""
    require(actor, OFFICE)
    of_notice = {"$and": [{"notice_id": notice_id, "notice_version": version}, actor.area()]}
    counted = {
        name: {"$sum": {"$cond": [{"$eq": [{"$type": f"${field}"}, "date"]}, 1, 0]}}
        for name, field in (("opened", "read_at"), ("listened", "listened_at"), ("help", "help_asked_at"))
    }
    rows = collection("messages").aggregate(
        [
            {"$match": of_notice},
            {"$group": {"_id": "$division", "people": {"$sum": 1}, **counted}},
            {"$sort": {"_id": ASCENDING}},
        ]
    )
    return [{"division": row.pop("_id"), **row} for row in rows]


def not_opened(
    notice_id: ObjectId, version: int, actor: Actor, *, division: str = "", page: int = 1, size: int = 20
) -> tuple[list[Document], int]:
    """A page of the messages of a notice that nobody has opened, each with its `retiree`, and the number of all."""
    require(actor, OFFICE)
    wanted: list[Document] = [{"notice_id": notice_id, "notice_version": version, "read_at": None}, actor.area()]
    if division:
        wanted.append({"division": access.inside(division)})
    where = {"$and": wanted}
    order = [("division", ASCENDING), ("_id", ASCENDING)]
    rows = list(collection("messages").find(where).sort(order).skip((page - 1) * size).limit(size))
    return people.beside(rows), collection("messages").count_documents(where)
