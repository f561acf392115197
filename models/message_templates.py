"""Templates of messages 消息模板: what the house says, in versions. `draft → active → retired → active`.

A key names what is said (`certified`, `notice`); a version is its wording for the inbox and for each channel. A version is
never changed: whoever wants other words writes the next one. At most one version of a key is active, and what is sent takes
that one, or version 0, the house's own words in `built_in_templates`, where none is; a message that is written keeps the
version that it was written with. To go back to the house's own words is to activate version 0.

A gap is `{name}`, and a key has a fixed set of names that are known when it is sent. What cannot be sent is refused when it is
saved: an unknown gap, a brace that stands alone, a field that WeChat would refuse (`wechat_fields`), an SMS that is too long.
A key that the house does not use itself may be made as well; what is known for everybody may stand in it.

A version's content: {title, body, link, channels: {wechat: {template_id, fields: [{name, value}]} | None, sms: str | None}}.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from bson import ObjectId
from pymongo import DESCENDING, IndexModel
from pymongo.errors import DuplicateKeyError

from models import audit, clock, wechat_fields
from models.access import ADMINISTRATOR, CITY, Actor, require
from models.built_in_templates import BUILT_IN, EVERYBODY, HOUSE, BuiltIn, Placeholder
from models.database import Document, Session, collection, transaction
from models.errors import Conflict, Invalid, NotFound
from settings import settings

DRAFT = "draft"
ACTIVE = "active"
RETIRED = "retired"
STATES = (DRAFT, ACTIVE, RETIRED)

WRITERS = (ADMINISTRATOR, CITY)
CONTENT = ("title", "body", "link", "channels")

KEY = re.compile(r"[a-z][a-z0-9_]{2,39}")
GAP = re.compile(r"\{([a-z][a-z0-9_]*)\}")
LINK = re.compile(r"(?:/[0-9A-Za-z_{}-]+)*")
TEMPLATE_ID = re.compile(r"[0-9A-Za-z_-]{1,64}")

TITLE_MOST, BODY_MOST, FIELDS_MOST = 60, 2000, 10
LAST_VERSION = 10**6
# 67 characters a part where a text has several (3GPP TS 23.040: 134 bytes of UCS-2); five parts
SMS_MOST = 5 * 67

INDEXES = {
    "message_templates": [
        IndexModel([("key", 1), ("version", DESCENDING)], name="one_number", unique=True),
        IndexModel("key", name="one_active", unique=True, partialFilterExpression={"state": ACTIVE}),
    ]
}


@dataclass(frozen=True)
class Fault:
    """What is wrong with a text: where (a JSON pointer into the content), and one sentence."""

    pointer: str
    detail: str


# ---- What is said now


def active(key: str) -> Document:
    """The version that is sent now.

    Raises:
        KeyError: the house knows no such message, or no version of it was ever activated.
    """
    found = collection("message_templates").find_one({"key": key, "state": ACTIVE})
    if found:
        return found
    if key in BUILT_IN:
        return built_in(key)
    raise KeyError(key)


def built_in(key: str, state: str = ACTIVE) -> Document:
    """Version 0 of a key of the house."""
    known = BUILT_IN[key]
    fields = [{"name": name, "value": value} for name, value in known.wechat.items()]
    return {
        "key": key,
        "version": 0,
        "state": state,
        "words": known.words,
        "title": known.title,
        "body": known.body,
        "link": known.link,
        "channels": {
            "wechat": {"template_id": sandbox_template(key), "fields": fields} if fields and in_sandbox() else None,
            "sms": known.sms,
        },
    }


def in_sandbox() -> bool:
    return not settings.WECHAT_API_BASE


def sandbox_template(key: str) -> str:
    """The sandbox of WeChat takes any template; the real one gives each office its own, which its versions name."""
    return f"sandbox_{key}"


def in_force() -> dict[str, Document]:
    """The version of every key that is sent now."""
    written = {row["key"]: row for row in collection("message_templates").find({"state": ACTIVE})}
    return {key: built_in(key) for key in BUILT_IN} | written


def placeholders(key: str) -> tuple[Placeholder, ...]:
    """The gaps that are known when this message is sent."""
    known = BUILT_IN.get(key)
    if known is None:
        return EVERYBODY
    return (*known.placeholders, *(EVERYBODY if known.inbox else HOUSE))


# ---- Reading and writing, by administrators and the city


def listed(actor: Actor) -> list[Document]:
    """Every key with the version that is sent now (None where none is) and the number of drafts, the house's own first."""
    require(actor, WRITERS)
    current = in_force()
    newest: dict[str, Document] = {}
    drafts: dict[str, int] = {}
    for row in (
        collection("message_templates").find({}, {"key": 1, "version": 1, "state": 1, "words": 1}).sort("version")
    ):
        newest[row["key"]] = row
        drafts[row["key"]] = drafts.get(row["key"], 0) + (row["state"] == DRAFT)
    return [
        {
            "key": key,
            "words": (BUILT_IN[key].words if key in BUILT_IN else newest[key]["words"]),
            "built_in": key in BUILT_IN,
            "inbox": _known(key).inbox,
            "active": current.get(key),
            "drafts": drafts.get(key, 0),
            "placeholders": placeholders(key),
        }
        for key in (*BUILT_IN, *sorted(newest.keys() - BUILT_IN.keys()))
    ]


def versions(key: str, actor: Actor) -> Document:
    """One key with all its versions, the newest first.

    Raises:
        NotFound: nobody ever wrote or built in this key.
    """
    require(actor, WRITERS)
    rows = list(collection("message_templates").find({"key": key}).sort("version", DESCENDING))
    if key in BUILT_IN:
        written = any(row["state"] == ACTIVE for row in rows)
        rows.append(built_in(key, RETIRED if written else ACTIVE))
    if not rows:
        raise _unknown()
    return {
        "key": key,
        "words": rows[-1]["words"],
        "built_in": key in BUILT_IN,
        "inbox": _known(key).inbox,
        "placeholders": placeholders(key),
        "versions": rows,
    }


def version(key: str, number: int) -> Document:
    """One version.

    Raises:
        NotFound: there is none.
    """
    if number == 0 and key in BUILT_IN:
        return built_in(key)
    found = collection("message_templates").find_one({"key": key, "version": number}) if number < LAST_VERSION else None
    if not found:
        raise _unknown()
    return found


def create(key: str, words: str, content: Mapping[str, Any], actor: Actor) -> Document:
    """Write the first version, a draft, of a key that the house does not use itself.

    Raises:
        Invalid: `bad_key`, `bad_template`. Conflict: `template_exists`.
    """
    require(actor, WRITERS)
    if not KEY.fullmatch(key):
        raise Invalid("bad_key", "编号用小写字母开头，只能有小写字母、数字和下划线，3到40位。", pointer="/key")
    if key in BUILT_IN or collection("message_templates").find_one({"key": key}, {"_id": 1}):
        raise Conflict("template_exists", "已经有这个编号的模板，请打开它写新版本。")
    return _write(key, 1, words, content, actor)


def draft(key: str, content: Mapping[str, Any], actor: Actor) -> Document:
    """Write the next version of a key, a draft.

    Raises:
        NotFound; Invalid: `bad_template`, with the place of the first fault. Conflict: somebody else is writing one, too.
    """
    require(actor, WRITERS)
    newest = collection("message_templates").find_one({"key": key}, sort=[("version", DESCENDING)])
    if not newest and key not in BUILT_IN:
        raise _unknown()
    number = newest["version"] + 1 if newest else 1
    words = BUILT_IN[key].words if key in BUILT_IN else (newest or {})["words"]
    return _write(key, number, words, content, actor)


def activate(key: str, number: int, actor: Actor) -> Document:
    """Send this version from now on; 0 is the house's own words. Activating what is active changes nothing.

    Raises:
        NotFound: there is no such version.
    """
    require(actor, WRITERS)

    def write(session: Session) -> Document:
        chosen = version(key, number)
        rows = collection("message_templates")
        before = rows.find_one({"key": key, "state": ACTIVE}, session=session)
        if (before or {"version": 0})["version"] == number and (before or key in BUILT_IN):
            return chosen
        instant = clock.now()
        if before:
            retired = {"state": RETIRED, "retired_at": instant}
            rows.update_one({"_id": before["_id"], "state": ACTIVE}, {"$set": retired}, session=session)
        if number:
            active_now = {"state": ACTIVE, "activated_at": instant, "activated_by": actor.account_id}
            rows.update_one({"_id": chosen["_id"]}, {"$set": active_now}, session=session)
        audit.record(
            session, actor, "message_template.activated", ("message_template", key),
            before={"version": before["version"] if before else 0}, after={"version": number},
        )  # fmt: skip
        return {**chosen, "state": ACTIVE}

    return transaction(write)


def _write(key: str, number: int, words: str, content: Mapping[str, Any], actor: Actor) -> Document:
    for fault in faults(key, content):
        raise Invalid("bad_template", fault.detail, pointer=fault.pointer)
    row: Document = {
        "_id": ObjectId(),
        "key": key,
        "version": number,
        "state": DRAFT,
        "words": words,
        **{name: content[name] for name in CONTENT},
        "author": actor.account_id,
        "created_at": clock.now(),
    }

    def write(session: Session) -> None:
        collection("message_templates").insert_one(row, session=session)
        audit.record(session, actor, "message_template.written", ("message_template", key), after={"version": number})

    try:
        transaction(write)
    except DuplicateKeyError as error:
        raise Conflict("template_written_meanwhile", "别人刚刚也写了一个新版本，请刷新后再保存。") from error
    return row


def _known(key: str) -> BuiltIn:
    return BUILT_IN.get(key) or BuiltIn(words="")


def _unknown() -> NotFound:
    return NotFound("template_not_found", "没有找到这个消息模板，请返回上一页再试。")


# ---- What may be saved


def gaps(text: str) -> list[str]:
    """The names of the gaps in a text, in order, each once."""
    return list(dict.fromkeys(GAP.findall(text)))


def filled(text: str, values: Mapping[str, str]) -> str:
    """The text with its gaps filled, each once: what a value itself holds in braces is no gap.

    Raises:
        KeyError: a value is missing.
    """
    return GAP.sub(lambda gap: values[gap[1]], text)


def texts(content: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Every text of a version that may have gaps, with its pointer."""
    for name in ("title", "body", "link"):
        yield f"/{name}", content[name]
    channels = content["channels"]
    if channels["sms"] is not None:
        yield "/channels/sms", channels["sms"]
    for place, wanted in enumerate((channels["wechat"] or {"fields": []})["fields"]):
        yield f"/channels/wechat/fields/{place}/value", wanted["value"]


def faults(key: str, content: Mapping[str, Any]) -> list[Fault]:
    """Everything for which this content could not be sent, in the order of the form; an empty list may be saved."""
    known = {placeholder.name: placeholder.example for placeholder in placeholders(key)}
    found = []
    for pointer, text in texts(content):
        unknown = [name for name in gaps(text) if name not in known]
        if unknown:
            usable = "、".join(f"{{{name}}}" for name in known)
            found.append(Fault(pointer, f"没有{{{unknown[0]}}}这一项，可以用：{usable}。"))
        elif set("{}") & set(GAP.sub("", text)):
            found.append(Fault(pointer, "花括号没有写对，要填的内容请写成{名称}，不要单独使用花括号。"))
    if found:
        return found
    inbox = _known(key).inbox
    return [
        *_faults_of_inbox(content, inbox),
        *_faults_of_wechat(content, known, inbox),
        *_faults_of_sms(key, content, known),
    ]


def _faults_of_inbox(content: Mapping[str, Any], inbox: bool) -> Iterator[Fault]:
    title, body, link = content["title"], content["body"], content["link"]
    if not inbox:
        if title or body or link:
            yield Fault("/body", "这条消息只用短信发，标题、正文和链接请留空。")
        return
    if not title or len(title) > TITLE_MOST or "\n" in title:
        yield Fault("/title", f"标题请写1到{TITLE_MOST}个字，不要换行。")
    if not body or len(body) > BODY_MOST:
        yield Fault("/body", f"正文请写1到{BODY_MOST}个字。")
    if not LINK.fullmatch(link):
        yield Fault("/link", "链接请写页面的地址，如/certify，不需要就留空。")


def _faults_of_wechat(content: Mapping[str, Any], known: Mapping[str, str], inbox: bool) -> Iterator[Fault]:
    wechat = content["channels"]["wechat"]
    if wechat is None:
        return
    at = "/channels/wechat"
    if not inbox:
        yield Fault(at, "这条消息只用短信发，不能用微信发。")
        return
    if not TEMPLATE_ID.fullmatch(wechat["template_id"]):
        yield Fault(f"{at}/template_id", "请填微信后台“订阅消息”里的模板编号。")
    if not 1 <= len(wechat["fields"]) <= FIELDS_MOST:
        yield Fault(f"{at}/fields", f"微信模板的字段应有1到{FIELDS_MOST}个，照微信后台的模板填写。")
    seen: set[str] = set()
    for place, wanted in enumerate(wechat["fields"]):
        name, value = wanted["name"], wanted["value"]
        kind = wechat_fields.kind_of(name)
        if kind is None:
            yield Fault(f"{at}/fields/{place}/name", f"微信没有“{name}”这种字段，请照微信后台的模板填写，如thing1。")
            continue
        if name in seen:
            yield Fault(f"{at}/fields/{place}/name", f"字段{name}写了两次，请删掉一个。")
        seen.add(name)
        rule = wechat_fields.KINDS[kind]
        if rule.fixed and gaps(value):
            yield Fault(f"{at}/fields/{place}/value", f"{name}只能填{rule.words}，不能有花括号。")
        elif not wechat_fields.fits(kind, filled(value, known)):
            yield Fault(f"{at}/fields/{place}/value", f"{name}只能填{rule.words}，请改短或改写。")


def _faults_of_sms(key: str, content: Mapping[str, Any], known: Mapping[str, str]) -> Iterator[Fault]:
    sms, at = content["channels"]["sms"], "/channels/sms"
    if sms is None:
        if not _known(key).inbox:
            yield Fault(at, "这条消息只用短信发，请写短信内容。")
        return
    missing = [gap.words for gap in placeholders(key) if gap.needed and gap.name not in gaps(sms)]
    if missing:
        yield Fault(at, f"短信里必须有{'、'.join(missing)}，请加上。")
    if set("【】\n") & set(sms):
        yield Fault(at, "短信的签名会自动加在前面，内容里不要用【】，也不要换行。")
    if not sms or len(filled(sms, known)) + len(known["service"]) + 2 > SMS_MOST:
        yield Fault(at, f"短信连签名最多{SMS_MOST}个字，请改短，不需要短信就不要填。")
