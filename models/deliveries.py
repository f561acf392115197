"""Deliveries 发送: one for each message and channel beyond the inbox, with everything that became of it.

    waiting → sending → accepted → delivered          what a provider carries
    sending → waiting                                 try again: busy, or its answer was lost (counted in `lost_answers`)
    waiting | sending | accepted → refused            it will never arrive; the next channel is thought of at once
    sending → failed                                  every try is used up; the work list, `retry` begins anew
    listed | failed | refused → reached               a worker called or went there
    waiting | listed | failed → cancelled             read meanwhile, withdrawn, corrected, expired, told by a person

`waiting` is claimed for LEASE by moving its `due_at` and writing a fresh `claim`; whoever lost the claim cannot go on. It
turns `sending` in the last write before the provider is asked. So a `sending` whose time is over means that the process
died, or the answer was lost, and the provider may or may not have the message: that is counted, shown, and tried again. A
claim that still stands when the next one is made (`interrupted`) means that a process died earlier, before it asked.

At most one a person, template, cause, channel and account: a unique index, whatever is planned twice.
"""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Mapping, Sequence
from typing import Any

from bson import ObjectId
from pymongo import ASCENDING, IndexModel, ReturnDocument
from pymongo.errors import DuplicateKeyError

from models import access, audit, clock, database, people
from models.access import BRANCH_SECRETARY, OFFICE, Actor, require
from models.database import Document, Session, collection, transaction
from models.errors import Conflict, NotFound

WECHAT = "wechat"
SMS = "sms"
CALL = "call"
PAPER = "paper"
CHANNELS = (WECHAT, SMS, CALL, PAPER)
# What providers carry; the others are done by people
CARRIED = (WECHAT, SMS)

WAITING = "waiting"
SENDING = "sending"
ACCEPTED = "accepted"
DELIVERED = "delivered"
REFUSED = "refused"
FAILED = "failed"
CANCELLED = "cancelled"
LISTED = "listed"
REACHED = "reached"
STATES = (WAITING, SENDING, ACCEPTED, DELIVERED, REFUSED, FAILED, CANCELLED, LISTED, REACHED)
MEANING = {
    WAITING: "等待发送",
    SENDING: "正在发送",
    ACCEPTED: "服务商已接收",
    DELIVERED: "已送达",
    REFUSED: "对方收不到",
    FAILED: "多次没有发出，需要人工处理",
    CANCELLED: "不用再发",
    LISTED: "等工作人员打电话或上门",
    REACHED: "工作人员已告知",
}
WORK_LISTS = (FAILED, LISTED, REFUSED)

# Why a delivery waits, was refused or was cancelled
QUIET_HOURS = "quiet_hours"
DAILY_CAP = "daily_cap"
READ = "read"
EXPIRED = "expired"
TOLD = "told"
ANSWERED = "answered"
NOT_WANTED = "not_wanted"
GONE = "gone"
NO_GRANT = "no_grant"
NO_PHONE = "no_phone"
UNDELIVERED = "undelivered"
ANSWER_LOST = "answer_lost"
REASONS = {
    QUIET_HOURS: "晚上不打扰，早上再发",
    DAILY_CAP: "今天已经发了几条，明天再发",
    READ: "本人已经看过",
    EXPIRED: "已过有效期",
    "withdrawn": "通知已撤回",
    "corrected": "通知已更正",
    TOLD: "工作人员已经告知",
    ANSWERED: "事情已经办好",
    NOT_WANTED: "本人不要这种通知方式",
    GONE: "本人已不在册，或账号已解绑",
    NO_GRANT: "微信没有订阅授权",
    NO_PHONE: "没有能收短信的手机号",
    UNDELIVERED: "运营商没有送到",
    ANSWER_LOST: "服务商没有回音，可能已发出",
    "recipient_gone": "微信用户不存在",
    "bad_template": "微信模板不对，请管理员检查",
    "sms_refused": "短信服务商不接受",
    "unavailable": "服务商暂时没有回应",
}

# Longer than a provider is waited for, so that only what died is found
LEASE = clock.seconds(60)
MAX_ATTEMPTS = 6
BACKOFF_SECONDS = (20, 60, 300, 1800, 7200)
KEEP_EARLY_RECEIPTS = clock.days(3)
KEEP_COUNTS = clock.days(2)

INDEXES = {
    "deliveries": [
        IndexModel(
            [
                ("retiree_id", ASCENDING), ("template", ASCENDING), ("cause", ASCENDING), ("channel", ASCENDING),
                ("account_id", ASCENDING),
            ],
            name="once",
            unique=True,
        ),
        IndexModel("message_id", name="by_message"),
        IndexModel(
            [("state", ASCENDING), ("channel", ASCENDING), ("priority", ASCENDING), ("due_at", ASCENDING)], name="due"
        ),
        IndexModel([("state", ASCENDING), ("division", ASCENDING), ("_id", ASCENDING)], name="by_division"),
        IndexModel(
            [("notice_id", ASCENDING), ("notice_version", ASCENDING), ("channel", ASCENDING), ("state", ASCENDING)],
            name="by_notice",
            partialFilterExpression={"notice_id": {"$type": "objectId"}},
        ),
        IndexModel(
            [("provider", ASCENDING), ("provider_id", ASCENDING)],
            name="by_provider_id",
            partialFilterExpression={"provider_id": {"$type": "string"}},
        ),
    ],
    "early_receipts": [
        IndexModel([("provider", ASCENDING), ("provider_id", ASCENDING)], name="once", unique=True),
        IndexModel([("waiting", ASCENDING), ("at", ASCENDING)], name="to_settle"),
        IndexModel("at", name="forget", expireAfterSeconds=int(KEEP_EARLY_RECEIPTS.total_seconds())),
    ],
    "delivery_counts": [
        IndexModel([("recipient", ASCENDING), ("day", ASCENDING)], name="one_a_day", unique=True),
        IndexModel("at", name="forget", expireAfterSeconds=int(KEEP_COUNTS.total_seconds())),
    ],
}  # fmt: skip


# ---- Planning


def make(
    message: Mapping[str, Any],
    channel: str,
    due_at: dt.datetime,
    *,
    account_id: ObjectId | None = None,
    copy: bool = False,
) -> Document:
    """The document of a delivery, not written yet. `copy` is for a member of the family, to whose account it goes."""
    return {
        "_id": ObjectId(),
        "message_id": message["_id"],
        **{
            name: message[name]
            for name in (
                "retiree_id", "division", "template", "template_version", "cause", "importance", "priority", "notice_id",
                "notice_version", "expires_on", "branch",
            )
        },
        "channel": channel,
        "account_id": account_id,
        "copy": copy,
        "state": WAITING if channel in CARRIED else LISTED,
        "open": True,
        "due_at": due_at,
        "waits_for": None,
        "claim": None,
        "interrupted": False,
        "counted_on": None,
        "attempts": 0,
        "lost_answers": 0,
        "provider": None,
        "provider_id": None,
        "error": None,
        "created_at": clock.now(),
        "sent_at": None,
        "ended_at": None,
    }  # fmt: skip


def put_all(rows: Sequence[Document]) -> int:
    """Write deliveries, those that are there already excepted; returns how many are new."""
    return database.insert_new("deliveries", rows)


# ---- Sending


def any_due() -> bool:
    """Whether a provider has to be asked for anything, or something that was being sent was left behind."""
    due = {"state": {"$in": [WAITING, SENDING]}, "channel": {"$in": CARRIED}, "due_at": {"$lte": clock.now()}}
    return collection("deliveries").find_one(due, {"_id": 1}) is not None


def claim(channel: str) -> Document | None:
    """Take the next delivery of a channel that is due, emergencies first, for LEASE; None where nothing is due."""
    instant = clock.now()
    return collection("deliveries").find_one_and_update(
        {"state": WAITING, "channel": channel, "due_at": {"$lte": instant}},
        [{"$set": {"due_at": instant + LEASE, "claim": ObjectId(), "interrupted": {"$ne": ["$claim", None]}}}],
        sort=[("priority", ASCENDING), ("due_at", ASCENDING)],
        return_document=ReturnDocument.AFTER,
    )


def begin(delivery: Document, provider: str) -> bool:
    """The last write before the provider is asked; False where the claim was lost, and nothing must be sent."""
    instant = clock.now()
    begun = {"state": SENDING, "due_at": instant + LEASE, "sent_at": instant, "provider": provider, "waits_for": None}
    return _move(delivery, WAITING, begun, {"attempts": 1})


def accept(delivery: Document, provider_id: str) -> None:
    """The provider has it. A receipt that was faster than its answer counts now."""
    if _move(delivery, SENDING, {"state": ACCEPTED, "open": False, "provider_id": provider_id, "error": None}):
        _apply_receipt(delivery["provider"], provider_id)


def refuse(delivery: Document, error: str) -> None:
    """It will never arrive this way: it counts for nobody's day, and the next channel is thought of at once."""
    if _move(delivery, {"$in": [WAITING, SENDING]}, {"state": REFUSED, "open": False, "error": error}):
        if delivery["counted_on"]:
            key = {"recipient": _recipient(delivery), "day": delivery["counted_on"]}
            collection("delivery_counts").update_one(key, {"$inc": {"count": -1}})
        _think_again(delivery)


def try_again(delivery: Document, error: str, *, lost: bool = False) -> None:
    """After a try that did not work: wait with backoff and jitter; after MAX_ATTEMPTS it failed, and the next channel is
    thought of at once. `lost`: the provider may have the message, its answer did not come.
    """
    if delivery["attempts"] >= MAX_ATTEMPTS:
        change: Document = {"state": FAILED, "error": error, "claim": None}
    else:
        wait = BACKOFF_SECONDS[min(delivery["attempts"], len(BACKOFF_SECONDS)) - 1]
        due_at = clock.now() + clock.seconds(wait * random.uniform(0.8, 1.2))  # noqa: S311 - jitter, no secret
        change = {"state": WAITING, "error": error, "due_at": due_at, "claim": None}
    if _move(delivery, SENDING, change, {"lost_answers": 1} if lost else None) and delivery["state"] == FAILED:
        _think_again(delivery)


def postpone(delivery: Document, due_at: dt.datetime, why: str | None) -> None:
    """It is not its time yet; `why` is QUIET_HOURS, DAILY_CAP or None."""
    _move(delivery, WAITING, {"due_at": due_at, "waits_for": why, "claim": None})


def cancel_claimed(delivery: Document, why: str) -> None:
    """It is not wanted any more. Where only this channel is not, the next is thought of at once."""
    if _move(delivery, WAITING, {"state": CANCELLED, "open": False, "error": why}) and why == NOT_WANTED:
        _think_again(delivery)


def cancel(where: Document, why: str, session: Session | None = None) -> int:
    """Cancel what has not been handed to a provider of some deliveries; returns how many."""
    cancelled = collection("deliveries").update_many(
        {**where, "state": {"$in": [WAITING, LISTED, FAILED]}},
        {"$set": {"state": CANCELLED, "open": False, "error": why, "ended_at": clock.now(), "claim": None}},
        session=session,
    )
    return cancelled.modified_count


def recover() -> int:
    """Take up again what was being sent by a process that died: its answer is lost. Returns how many.

    After MAX_ATTEMPTS it is failed, as after any other try.
    """
    instant = clock.now()
    over = {"state": SENDING, "due_at": {"$lte": instant}}
    used_up = {"$gte": ["$attempts", MAX_ATTEMPTS]}
    recovered = collection("deliveries").update_many(
        over,
        [
            {
                "$set": {
                    "state": {"$cond": [used_up, FAILED, WAITING]},
                    "due_at": instant,
                    "claim": None,
                    "lost_answers": {"$add": ["$lost_answers", 1]},
                    "error": ANSWER_LOST,
                }
            }
        ],
    )
    return recovered.modified_count


def expire() -> int:
    """Cancel what waits for a person or a time beyond the last day of its message; returns how many."""
    today = clock.today().isoformat()
    return cancel({"expires_on": {"$lt": today, "$type": "string"}, "open": True}, EXPIRED)


def count(delivery: Document, most: int) -> bool:
    """Count a delivery to its recipient's day, once however often it is tried; False where the day has had `most`."""
    day = clock.today().isoformat()
    if delivery["counted_on"] == day:
        return True
    return _up_to(most, _recipient(delivery), day) and _move(delivery, WAITING, {"counted_on": day})


def _recipient(delivery: Document) -> ObjectId:
    """Whose day it counts to: the retiree's, or that of the member of the family who gets a copy."""
    return ObjectId(delivery["account_id"] if delivery["copy"] else delivery["retiree_id"])


def _up_to(most: int, recipient: ObjectId, day: str) -> bool:
    """Add one to a recipient's day unless it has `most`; two at once never both take the last one."""
    if most < 1:
        return False
    key = {"recipient": recipient, "day": day}
    try:
        collection("delivery_counts").insert_one({**key, "count": 1, "at": clock.now()})
    except DuplicateKeyError:
        added = collection("delivery_counts").update_one({**key, "count": {"$lt": most}}, {"$inc": {"count": 1}})
        return added.modified_count == 1
    return True


def receipt(provider: str, provider_id: str, outcome: str) -> bool:
    """What a provider says afterwards: `outcome` is "delivered" or "undelivered". The same receipt twice changes nothing.

    A receipt may be faster than the answer to which it belongs; so it is kept first and then applied, and `accept` looks for
    it after it has written, whichever comes last sees the other. Returns whether anything changed.
    """
    key = {"provider": provider, "provider_id": provider_id}
    settled = {**key, "state": {"$in": [DELIVERED, REFUSED, CANCELLED, REACHED]}}
    if collection("deliveries").find_one(settled, {"_id": 1}):
        return False
    early = {"outcome": outcome, "waiting": True, "at": clock.now()}
    collection("early_receipts").update_one(key, {"$setOnInsert": early}, upsert=True)
    return _apply_receipt(provider, provider_id)


def settle_receipts() -> int:
    """Apply what was kept for an answer, where a process died between the two; returns how many. Each is looked at once: an
    answer that has not come by now never will.
    """
    waiting = {"waiting": True, "at": {"$lte": clock.now() - LEASE}}
    settled = 0
    for row in collection("early_receipts").find(waiting):
        settled += _apply_receipt(row["provider"], row["provider_id"])
        collection("early_receipts").update_one({"_id": row["_id"]}, {"$set": {"waiting": False}})
    return settled


def _apply_receipt(provider: str, provider_id: str) -> bool:
    """Apply the receipt that is kept for an accepted delivery, if both are there."""
    key = {"provider": provider, "provider_id": provider_id}
    kept = collection("early_receipts").find_one(key)
    if kept is None:
        return False
    arrived = kept["outcome"] == DELIVERED
    change = {"state": DELIVERED} if arrived else {"state": REFUSED, "error": UNDELIVERED}
    found = collection("deliveries").find_one_and_update(
        {**key, "state": ACCEPTED}, {"$set": {**change, "ended_at": clock.now()}}
    )
    if found is None:
        return False
    if not arrived:
        _think_again(found)
    collection("early_receipts").delete_one({"_id": kept["_id"]})
    return True


def _think_again(delivery: Document) -> None:
    """This channel does not reach the person: the next is thought of at once, where it was the latest that was tried."""
    if delivery["channel"] in CARRIED and not delivery["copy"]:
        next_rung = CARRIED.index(delivery["channel"]) + 1
        collection("messages").update_one(
            {"_id": delivery["message_id"], "rung": next_rung, "plan_at": {"$type": "date"}},
            {"$set": {"plan_at": clock.now()}},
        )


def _move(delivery: Document, state: Any, change: Document, more: Document | None = None) -> bool:
    """Change a delivery whose claim is still held, and the document in hand with it."""
    if change.get("open") is False:
        change = {**change, "ended_at": clock.now()}
    moved: Any = collection("deliveries").find_one_and_update(
        {"_id": delivery["_id"], "state": state, "claim": delivery["claim"]},
        {"$set": change, **({"$inc": more} if more else {})},
        return_document=ReturnDocument.AFTER,
    )
    if moved:
        delivery.update(moved)
    return moved is not None


# ---- For the office, and of what the Party branch has written for the branch

READERS = (*OFFICE, BRANCH_SECRETARY)


def _area(actor: Actor) -> Document:
    """The filter on deliveries of the actor's work lists: what the branch says to its members is not for the office to see."""
    require(actor, READERS)
    if actor.role == BRANCH_SECRETARY:
        return {"division": access.inside(actor.division), "branch": True} if actor.division else access.NOBODY
    return {**actor.area(), "branch": False}


def listed(
    actor: Actor, *, state: str, channel: str = "", division: str = "", page: int = 1, size: int = 20
) -> tuple[list[Document], int]:
    """A page of a work list of the actor's area, each with its `retiree` and `message`, and the number of all."""
    wanted: list[Document] = [{"state": state}, _area(actor)]
    if channel:
        wanted.append({"channel": channel})
    if division:
        wanted.append({"division": access.inside(division)})
    where = {"$and": wanted}
    order = [("division", ASCENDING), ("_id", ASCENDING)]
    rows = list(collection("deliveries").find(where).sort(order).skip((page - 1) * size).limit(size))
    return _beside(rows), collection("deliveries").count_documents(where)


def door_list(actor: Actor, division: str, most: int) -> list[Document]:
    """Everybody of a place whom a worker still has to call or visit, with `retiree` and `message`, by community; noted in
    the audit log, because names, numbers and addresses leave the house."""

    def take(session: Session) -> None:
        after = {"people": len({row["retiree_id"] for row in rows})}
        audit.record(session, actor, "deliveries.door_list", ("division", division or actor.division), after=after)

    rows, _ = listed(actor, state=LISTED, division=division, size=most)
    transaction(take)
    return rows


def counts(notice_id: ObjectId, version: int, actor: Actor) -> Document:
    """How the deliveries of a version of a notice stand in the actor's area: {channels: {channel: {state: n}},
    lost_answers}."""
    require(actor, OFFICE)
    grouped = collection("deliveries").aggregate(
        [
            {"$match": {"$and": [{"notice_id": notice_id, "notice_version": version}, actor.area()]}},
            {
                "$group": {
                    "_id": {"channel": "$channel", "state": "$state"},
                    "people": {"$sum": 1},
                    "lost": {"$sum": "$lost_answers"},
                }
            },
        ]
    )
    channels: dict[str, dict[str, int]] = {}
    lost_answers = 0
    for row in grouped:
        channels.setdefault(row["_id"]["channel"], {})[row["_id"]["state"]] = row["people"]
        lost_answers += row["lost"]
    return {"channels": channels, "lost_answers": lost_answers}


def failed() -> int:
    """How many deliveries everywhere wait for a person because every try is used up, for the metrics."""
    return collection("deliveries").count_documents({"state": FAILED})


def retry(delivery_id: ObjectId, actor: Actor) -> Document:
    """Let a delivery that failed or was refused try again from the start.

    Raises:
        NotFound; Conflict: it is not in one of these states any more, or nobody but a person can do it.
    """
    instant = clock.now()
    again = {"state": WAITING, "open": True, "attempts": 0, "due_at": instant, "error": None, "ended_at": None}
    return _by_hand(delivery_id, actor, (FAILED, REFUSED), again, "delivery.retried")


def reached(delivery_id: ObjectId, note: str, actor: Actor) -> Document:
    """Note that a worker has told the person; what else waits for the same message is cancelled.

    Raises:
        NotFound; Conflict: it is not on a work list any more.
    """
    change = {"state": REACHED, "open": False, "note": note, "by": actor.account_id, "ended_at": clock.now()}
    return _by_hand(delivery_id, actor, WORK_LISTS, change, "delivery.reached")


def _by_hand(
    delivery_id: ObjectId, actor: Actor, states: Sequence[str], change: Document, action: str
) -> Document:  # fmt: skip

    def write(session: Session) -> Document:
        where = {"$and": [{"_id": delivery_id}, _area(actor)]}
        found = collection("deliveries").find_one(where, session=session)
        if not found:
            raise NotFound("delivery_not_found", "没有找到这条发送记录。")
        by_people = change["state"] == WAITING and found["channel"] not in CARRIED
        if found["state"] not in states or by_people:
            raise Conflict("delivery_settled", "这条记录已经处理过了，请刷新。")
        collection("deliveries").update_one({"_id": delivery_id}, {"$set": change}, session=session)
        if change["state"] == REACHED:
            cancel({"message_id": found["message_id"]}, TOLD, session)
            collection("messages").update_one(
                {"_id": found["message_id"]}, {"$set": {"plan_at": None}}, session=session
            )
        audit.record(
            session, actor, action, ("retiree", found["retiree_id"]),
            after={"delivery": delivery_id, "channel": found["channel"]},
        )  # fmt: skip
        return _beside([{**found, **change}])[0]

    return transaction(write)


def _beside(rows: list[Document]) -> list[Document]:
    found = collection("messages").find({"_id": {"$in": [row["message_id"] for row in rows]}})
    messages = {message["_id"]: message for message in found}
    for row in rows:
        row["message"] = messages[row["message_id"]]
    return people.beside(rows)
