"""Audiences: who a notice is for, said as an expression, counted before it is sent and frozen when it is.

    freezing → frozen

An expression is {"all": [...]} (and; {"all": []} is everybody), {"any": [...]} (or), {"not": ...}, or a condition
{"field": F, "op": O, "value": V} with the fields and operators of FIELDS. It becomes a query on `retirees` that always
lies inside the area of the office that owns the notice; people who have died or moved away are never in it. Sensitive
fields may be used only by roles that may see them anyway (PIPL article 28): Party membership by the branch, health and
hardship by the office that helps.

Frozen is who was in it when the notice was published: chunks of at most CHUNK ids in ascending order. A worker that dies
half way goes on behind the last id that was written. The list is kept, so that it can be audited who was written to.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from bson import ObjectId
from pymongo import ASCENDING, DESCENDING, IndexModel
from pymongo.errors import DuplicateKeyError

from models import access, bindings, certifications, clock, people
from models.access import BRANCH_SECRETARY, OFFICE, Actor, inside, require
from models.database import Document, Session, collection
from models.errors import Invalid

FREEZING = "freezing"
FROZEN = "frozen"
STATES = (FREEZING, FROZEN)

AUTHORS = (*OFFICE, BRANCH_SECRETARY)
EVERYBODY: Document = {"all": []}
NEVER = (people.DECEASED, people.MOVED)
CHUNK = 1_000
COUNTED_AT_ONCE = 5_000
DEPTH = 5
LEAVES = 50
LIST = 5_000
OLDEST = 130
# the planner writes each of these as a pipeline of its own
AT_ONCE = 200

IS, IN, AT_LEAST, AT_MOST = "is", "in", "at_least", "at_most"
OPERATORS = {IS: "是", IN: "是其中之一", AT_LEAST: "不小于", AT_MOST: "不大于"}
CERTIFICATION = {
    certifications.VALID: "有效",
    certifications.DUE_SOON: "临期",
    certifications.OVERDUE: "逾期",
    certifications.CHECKING: "核对中",
    certifications.SUSPENDED: "已暂停",
}
HEALTH = {"healthy": "健康", "unable_self_care": "生活不能自理", "chronic": "长年有病", "ordinary": "一般"}
NO_ACTIVITIES = "活动还没有开始登记，按参加情况暂时选不到人。"


@dataclass(frozen=True)
class Field:
    """What a condition may ask for: `kind` is how its value is chosen, `roles` who may use it."""

    name: str
    kind: str
    operators: tuple[str, ...]
    roles: tuple[str, ...] = AUTHORS


FIELDS = {
    "division": Field("社区", "division", (IS, IN)),
    "age": Field("年龄", "number", (IS, AT_LEAST, AT_MOST)),
    "party_member": Field("党员", "boolean", (IS,), (BRANCH_SECRETARY,)),
    "certification": Field("资格认证", "choice", (IS, IN)),
    "enterprise": Field("原单位", "choice", (IS, IN)),
    "health": Field("健康状况", "choice", (IS, IN), OFFICE),
    "hardship": Field("困难类别", "choice", (IS, IN), OFFICE),
    "participation": Field("参加过的活动", "activity", (IS, IN)),
    "retiree": Field("名单", "retiree", (IN,)),
}

INDEXES = {
    "audiences": [IndexModel([("notice_id", ASCENDING), ("version", ASCENDING)], name="one_a_version", unique=True)],
    "audience_chunks": [
        IndexModel([("audience_id", ASCENDING), ("number", ASCENDING)], name="one_a_number", unique=True),
        IndexModel([("audience_id", ASCENDING), ("first", DESCENDING)], name="by_first"),
    ],
}


def check(expression: Any, actor: Actor, pointer: str = "/expression") -> Document:
    """The expression, when it is one that this actor may use.

    Raises:
        Invalid: `bad_audience` with the pointer of the first fault; `field_not_yours`.
    """
    leaves = _check(expression, actor, pointer, DEPTH)
    if leaves > LEAVES:
        raise Invalid("bad_audience", f"条件太多了，最多{LEAVES}个，请合并一些。", pointer=pointer)
    return dict(expression)


def count(expression: Document, actor: Actor) -> Document:
    """{people, wechat, sms, nobody, notes} of the actor's area now.

    `wechat` has somebody bound who signed in with WeChat, `sms` a telephone number in the ledger, and has not switched that
    channel off; `nobody` has neither.
    """
    require(actor, AUTHORS)
    check(expression, actor)
    counted = {"people": 0, "wechat": 0, "sms": 0, "nobody": 0}
    query = _query(expression, actor)
    found = collection("retirees").aggregate(
        [{"$match": query}, {"$project": {"phone": {"$gt": ["$phone", None]}}}], batchSize=COUNTED_AT_ONCE
    )
    for chunk in _chunks(found, COUNTED_AT_ONCE):
        ids = [person["_id"] for person in chunk]
        on_wechat = _on_wechat(ids) - _without("wechat", ids)
        by_sms = {person["_id"] for person in chunk if person["phone"]} - _without("sms", ids)
        counted["people"] += len(ids)
        counted["wechat"] += len(on_wechat)
        counted["sms"] += len(by_sms)
        counted["nobody"] += len(ids) - len(on_wechat | by_sms)
    return {**counted, "notes": [NO_ACTIVITIES] if _uses(expression, "participation") else []}


def fields(actor: Actor) -> list[Document]:
    """What this actor's builder may offer: [{field, name, kind, operators, values, note}].

    `values` is None where the value is typed (number), found by a search (retiree, activity) or lies in GET /divisions.
    """
    require(actor, AUTHORS)
    values: dict[str, Any] = {
        "certification": _choices(CERTIFICATION),
        "health": _choices(HEALTH),
        "party_member": [{"value": True, "name": "是"}, {"value": False, "name": "否"}],
    }
    for name in ("enterprise", "hardship"):
        known = sorted(value for value in collection("retirees").distinct(name, actor.scope()) if value)
        values[name] = [{"value": value, "name": value} for value in known]
    return [
        {
            "field": name,
            "name": field.name,
            "kind": field.kind,
            "operators": [{"op": op, "name": OPERATORS[op]} for op in field.operators],
            "values": values.get(name),
            "note": NO_ACTIVITIES if name == "participation" else "",
        }
        for name, field in FIELDS.items()
        if actor.role in field.roles
    ]


# ---- Freezing


def start(session: Session, notice_id: ObjectId, version: int, expression: Document, office: Actor) -> ObjectId:
    """Note whom a version is for, in the transaction that publishes it; the worker freezes the list."""
    row: Document = {
        "_id": ObjectId(),
        "notice_id": notice_id,
        "version": version,
        "expression": expression,
        "area": {"role": office.role, "division": office.division},
        "state": FREEZING,
        "people": 0,
        "chunks": 0,
        "created_at": clock.now(),
        "frozen_at": None,
    }
    collection("audiences").insert_one(row, session=session)
    return ObjectId(row["_id"])


def get(audience_id: ObjectId) -> Document | None:
    return collection("audiences").find_one({"_id": audience_id})


def frozen_people(audience_id: ObjectId) -> int | None:
    """How many people are on a list, None until it is frozen."""
    audience = get(audience_id)
    return int(audience["people"]) if audience and audience["state"] == FROZEN else None


def freeze(audience_id: ObjectId) -> Iterator[int]:
    """Write the list in chunks, and yield the number of every chunk, from 1, also of those that were written before.

    May be stopped anywhere and called again, in several processes at once.

    Raises:
        LookupError: there is no such audience.
    """
    audience = get(audience_id)
    if audience is None:
        raise LookupError(f"no audience {audience_id}")
    last: Document = {"number": 0, "last": None}
    for last in collection("audience_chunks").find({"audience_id": audience_id}, {"retiree_ids": 0}).sort("number"):
        yield last["number"]
    if audience["state"] == FROZEN:
        return
    query = [_query(audience["expression"], Actor(**audience["area"]))]
    if last["last"]:
        query.append({"_id": {"$gt": last["last"]}})
    found = collection("retirees").find({"$and": query}, {"_id": 1}).sort("_id", ASCENDING)
    for number, chunk in enumerate(_chunks(found, CHUNK), last["number"] + 1):
        ids = [person["_id"] for person in chunk]
        row = {"audience_id": audience_id, "number": number, "first": ids[0], "last": ids[-1], "retiree_ids": ids}
        try:
            collection("audience_chunks").insert_one(row)
        except DuplicateKeyError:
            # another process freezes as well: go on behind what it has written
            yield from freeze(audience_id)
            return
        yield number
    _end(audience_id)


def members(audience_id: ObjectId, number: int) -> list[ObjectId]:
    """The people of one chunk, in ascending order; none where there is no such chunk."""
    found = collection("audience_chunks").find_one({"audience_id": audience_id, "number": number})
    return list(found["retiree_ids"]) if found else []


def holds(audience_id: ObjectId, retiree_id: ObjectId) -> bool:
    """Whether somebody is on a frozen list."""
    nearest = collection("audience_chunks").find_one(
        {"audience_id": audience_id, "first": {"$lte": retiree_id}}, sort=[("first", DESCENDING)]
    )
    return nearest is not None and retiree_id in nearest["retiree_ids"]


def matching(retiree_id: ObjectId, wanted: Mapping[ObjectId, tuple[Document, Actor]]) -> list[ObjectId]:
    """The keys of those (expression, office) in which a person is now."""
    keys, found = list(wanted), []
    for start_at in range(0, len(keys), AT_ONCE):
        part = keys[start_at : start_at + AT_ONCE]
        facets = {str(key): [{"$match": _query(*wanted[key])}, {"$project": {"_id": 1}}] for key in part}
        for row in collection("retirees").aggregate([{"$match": {"_id": retiree_id}}, {"$facet": facets}]):
            found += [key for key in part if row[str(key)]]
    return found


def _end(audience_id: ObjectId) -> None:
    sizes: list[Document] = list(
        collection("audience_chunks").aggregate(
            [
                {"$match": {"audience_id": audience_id}},
                {"$group": {"_id": None, "people": {"$sum": {"$size": "$retiree_ids"}}, "chunks": {"$sum": 1}}},
            ]
        )
    )
    size = sizes[0] if sizes else {"people": 0, "chunks": 0}
    collection("audiences").update_one(
        {"_id": audience_id, "state": FREEZING},
        {"$set": {"state": FROZEN, "people": size["people"], "chunks": size["chunks"], "frozen_at": clock.now()}},
    )


def _chunks(rows: Iterable[Document], size: int) -> Iterator[list[Document]]:
    chunk: list[Document] = []
    for row in rows:
        chunk.append(row)
        if len(chunk) == size:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


def _on_wechat(retiree_ids: list[ObjectId]) -> set[ObjectId]:
    """Those of some people for whom an account of WeChat is bound."""
    bound = list(
        collection("bindings").find(
            {"retiree_id": {"$in": retiree_ids}, "state": bindings.CONFIRMED}, {"retiree_id": 1, "account_id": 1}
        )
    )
    accounts = collection("accounts").find(
        {"_id": {"$in": [row["account_id"] for row in bound]}, "openid": {"$type": "string"}}, {"_id": 1}
    )
    wechat = {account["_id"] for account in accounts}
    return {row["retiree_id"] for row in bound if row["account_id"] in wechat}


def _without(channel: str, retiree_ids: list[ObjectId]) -> set[ObjectId]:
    """Those of some people who have switched a channel off; few have, so only they are read."""
    off = {"_id": {"$in": retiree_ids}, f"channels.{channel}": False}
    return {row["_id"] for row in collection("contact_settings").find(off, {"_id": 1})}


# ---- From an expression to a query


def _query(expression: Document, office: Actor) -> Document:
    living = {"status": {"$nin": list(NEVER)}}
    return {"$and": [office.scope(), living, _part(expression, office.division)]}


def _part(expression: Document, division: str) -> Document:
    if "all" in expression:
        parts = [_part(part, division) for part in expression["all"]]
        return {"$and": parts} if parts else {}
    if "any" in expression:
        parts = [_part(part, division) for part in expression["any"]]
        return {"$or": parts} if parts else access.NOBODY
    if "not" in expression:
        return {"$nor": [_part(expression["not"], division)]}
    op, value = expression["op"], expression["value"]
    return _condition(expression["field"], op, value if isinstance(value, list) else [value], division)


def _condition(field: str, op: str, values: list[Any], division: str) -> Document:
    if field == "division":
        return {"$or": [{"division": inside(value)} for value in values]}
    if field == "age":
        return {"recognised_birth": _born(op, int(values[0]))}
    if field == "party_member":
        return {"party_member": True if values[0] else {"$ne": True}}
    if field == "certification":
        return {"$or": [people.certified(value, division) for value in values]}
    if field == "participation":
        return access.NOBODY
    if field == "retiree":
        return {"_id": {"$in": [ObjectId(value) for value in values]}}
    return {field: {"$in": values}}


def _born(op: str, years: int) -> Document:
    """The birthdays of those who are so old today: 80 from the eightieth birthday on."""
    today = clock.today()
    latest = {"$lte": clock.add_months(today, -12 * years).isoformat()}
    earliest = {"$gt": clock.add_months(today, -12 * (years + 1)).isoformat()}
    return {AT_LEAST: latest, AT_MOST: earliest, IS: {**latest, **earliest}}[op]


# ---- What an expression may be


def _check(expression: Any, actor: Actor, pointer: str, depth: int) -> int:
    """Check one level and those below; returns how many conditions there are."""
    if not isinstance(expression, dict):
        raise _bad(pointer)
    if not depth:
        raise Invalid("bad_audience", f"条件套得太深了，最多{DEPTH}层。", pointer=pointer)
    if set(expression) in ({"all"}, {"any"}):
        (joint,) = expression
        parts = expression[joint]
        if not isinstance(parts, list) or len(parts) > LEAVES:
            raise _bad(f"{pointer}/{joint}")
        return sum(_check(part, actor, f"{pointer}/{joint}/{at}", depth - 1) for at, part in enumerate(parts))
    if set(expression) == {"not"}:
        return _check(expression["not"], actor, f"{pointer}/not", depth - 1)
    if set(expression) != {"field", "op", "value"}:
        raise _bad(pointer)
    _check_condition(expression, actor, pointer)
    return 1


def _check_condition(condition: Document, actor: Actor, pointer: str) -> None:
    name, op, value = condition["field"], condition["op"], condition["value"]
    if not isinstance(name, str) or name not in FIELDS:
        raise _bad(f"{pointer}/field")
    field = FIELDS[name]
    if actor.role not in field.roles:
        raise Invalid(
            "field_not_yours", f"您的岗位不能按“{field.name}”选人，请换一个条件。", pointer=f"{pointer}/field"
        )
    if op not in field.operators:
        raise _bad(f"{pointer}/op")
    values = value if op == IN else [value]
    if not isinstance(values, list) or not 0 < len(values) <= LIST or not all(_fits(name, one) for one in values):
        raise _bad(f"{pointer}/value")


def _fits(name: str, value: Any) -> bool:
    if name == "age":
        return type(value) is int and 0 <= value <= OLDEST
    if name == "party_member":
        return type(value) is bool
    if not isinstance(value, str) or not 0 < len(value) <= 100 or "\0" in value or not value.isprintable():
        return False
    if name == "division":
        return len(value) <= 12 and value.isascii() and value.isdigit()
    if name in ("retiree", "participation"):
        return ObjectId.is_valid(value) and len(value) == 24
    return {"certification": value in CERTIFICATION, "health": value in HEALTH}.get(name, True)


def _bad(pointer: str) -> Invalid:
    return Invalid("bad_audience", "选人的条件没有填完整，请检查标出的一项。", pointer=pointer)


def _uses(expression: Document, field: str) -> bool:
    parts = expression.get("all") or expression.get("any") or [expression[key] for key in ("not",) if key in expression]
    return expression.get("field") == field or any(_uses(part, field) for part in parts)


def _choices(names: Mapping[str, str]) -> list[Document]:
    return [{"value": value, "name": name} for value, name in names.items()]
