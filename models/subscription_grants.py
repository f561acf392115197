"""Leave to send subscribe messages 订阅消息授权: in WeChat one “允许” is one message, and nobody but us counts them.

One row an account and WeChat template holds what is left; every change of it is a row of the ledger: `given` (a tap on 允许),
`used` (taken for a message, before it is handed over), `returned` (the message never left), `refused` (WeChat said 43101: there
is no grant after all, so what we counted was wrong and is set to none), `rejected` and `banned` (no leave). A grant is of
WeChat's template, not of our key: two keys may share one, and a version that names another template starts at none.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from bson import ObjectId
from pymongo import ASCENDING, IndexModel, ReturnDocument

from models import clock, message_templates
from models.access import PUBLIC_ROLES, Actor, require
from models.built_in_templates import BUILT_IN
from models.database import Document, Session, collection, transaction
from models.errors import Conflict, Invalid

GIVEN = "given"
USED = "used"
RETURNED = "returned"
REFUSED = "refused"
REJECTED = "rejected"
BANNED = "banned"

# what wx.requestSubscribeMessage answers for a template; `filter`: another of the same title was asked for with it
ANSWERS = {"accept": GIVEN, "acceptWithAudio": GIVEN, "reject": REJECTED, "ban": BANNED, "filter": REJECTED}

# WeChat asks for several at once, but one page of an 80-year-old asks for no more than this
ASKED_AT_ONCE = 3
MOST = 100
# whoever allows enough already is not asked again, and whoever said no is left alone for a while
ENOUGH = 3
LEFT_ALONE = clock.days(7)
KEEP_LEDGER = clock.days(365)

INDEXES = {
    "subscription_grants": [
        IndexModel([("account_id", ASCENDING), ("template_id", ASCENDING)], name="one_a_template", unique=True)
    ],
    "subscription_ledger": [
        IndexModel([("account_id", ASCENDING), ("template_id", ASCENDING), ("at", ASCENDING)], name="by_account"),
        IndexModel("at", name="forget", expireAfterSeconds=int(KEEP_LEDGER.total_seconds())),
    ],
}


def offered(moment: str, actor: Actor) -> list[Document]:
    """[{template_id, key, words}] that the phone asks its holder for at this moment, at most ASKED_AT_ONCE.

    Nothing for an account that never came by WeChat.
    """
    require(actor, PUBLIC_ROLES)
    if not _on_wechat(actor):
        return []
    found: dict[str, Document] = {}
    for key, template in message_templates.in_force().items():
        known, wechat = BUILT_IN.get(key), template["channels"]["wechat"]
        if known and wechat and moment in known.moments:
            template_id = wechat["template_id"]
            found.setdefault(template_id, {"template_id": template_id, "key": key, "words": known.ask})
    settled = {
        "account_id": actor.account_id,
        "$or": [{"grants": {"$gte": ENOUGH}}, {"said_no_at": {"$gt": clock.now() - LEFT_ALONE}}],
    }
    for row in collection("subscription_grants").find(settled):
        found.pop(row["template_id"], None)
    return list(found.values())[:ASKED_AT_ONCE]


def note(answers: Mapping[str, str], actor: Actor) -> dict[str, int]:
    """Write down what the holder of the phone answered, {template_id: accept|reject|ban|filter}; returns what each has left.

    Raises:
        Conflict: `not_on_wechat`. Invalid: `unknown_template`, one that no message of the house uses.
    """
    require(actor, PUBLIC_ROLES)
    account_id = actor.account_id
    if account_id is None or not _on_wechat(actor):
        raise Conflict("not_on_wechat", "请在微信小程序里打开，再设置微信提醒。")
    used = {
        template["channels"]["wechat"]["template_id"]
        for template in message_templates.in_force().values()
        if template["channels"]["wechat"]
    }
    if not answers.keys() <= used:
        raise Invalid("unknown_template", "微信提醒的内容变了，请刷新页面再试。", pointer="/results")

    def write(session: Session) -> dict[str, int]:
        return {
            template_id: _change(session, account_id, template_id, ANSWERS[answer])
            for template_id, answer in sorted(answers.items())
        }

    return transaction(write)


def held(account_ids: Iterable[ObjectId], template_id: str, session: Session | None = None) -> dict[ObjectId, int]:
    """How many messages of a template each account still allows; accounts with none are left out. For planning in bulk."""
    where = {"account_id": {"$in": list(account_ids)}, "template_id": template_id, "grants": {"$gt": 0}}
    return {row["account_id"]: row["grants"] for row in collection("subscription_grants").find(where, session=session)}


def take(account_id: ObjectId, template_id: str) -> bool:
    """Use one grant up, just before the message is handed over; False where there is none. Two senders never use the same."""
    return transaction(lambda session: _change(session, account_id, template_id, USED) >= 0)


def give_back(account_id: ObjectId, template_id: str) -> None:
    """The message was not handed over: the grant may be used again. Not after a lost answer: WeChat may have used it up."""
    transaction(lambda session: _change(session, account_id, template_id, RETURNED))


def refuse(account_id: ObjectId, template_id: str) -> None:
    """WeChat knows of no grant (43101): forget those that we counted."""
    transaction(lambda session: _change(session, account_id, template_id, REFUSED))


def _change(session: Session, account_id: ObjectId, template_id: str, kind: str) -> int:
    """Change what is left and write the ledger; returns what is left, or -1 where there was nothing to use."""
    pair = {"account_id": account_id, "template_id": template_id}
    instant = clock.now()
    left = {"$ifNull": ["$grants", 0]}
    after = {
        GIVEN: {"$min": [{"$add": [left, 1]}, MOST]},
        RETURNED: {"$min": [{"$add": [left, 1]}, MOST]},
        USED: {"$subtract": [left, 1]},
        REFUSED: 0,
        REJECTED: left,
        BANNED: 0,
    }[kind]
    answered = {"said_no_at": None if kind == GIVEN else instant} if kind in ANSWERS.values() else {}
    row = collection("subscription_grants").find_one_and_update(
        {**pair, "grants": {"$gt": 0}} if kind == USED else pair,
        [{"$set": {"grants": after, "updated_at": instant, **answered}}],
        upsert=kind != USED,
        return_document=ReturnDocument.AFTER,
        session=session,
    )
    if row is None:
        return -1
    entry = {**pair, "kind": kind, "left": row["grants"], "at": instant}
    collection("subscription_ledger").insert_one(entry, session=session)
    return int(row["grants"])


def _on_wechat(actor: Actor) -> bool:
    where = {"_id": actor.account_id, "openid": {"$type": "string"}}
    return collection("accounts").find_one(where, {"_id": 1}) is not None
