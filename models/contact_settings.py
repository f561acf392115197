"""How a retiree wishes to be told 联系方式设置: which channels beside the inbox, and whether the family gets a copy.

The inbox always has every message; nobody can switch it off. An emergency uses every channel, whatever was switched off
(notifications/engine.py). Who never set anything has DEFAULTS. Any account that acts for the retiree may set it, and so may a
worker who was told on the telephone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from bson import ObjectId
from pymongo import IndexModel
from pymongo.errors import DuplicateKeyError

from models import audit, bindings, clock, people, sms_codes
from models.access import Actor
from models.database import Document, Session, collection, transaction
from models.errors import Stale

CHANNELS = ("wechat", "sms", "call", "paper")
DEFAULTS: Mapping[str, Any] = {"channels": dict.fromkeys(CHANNELS, True), "copy_family": False, "version": 0}

INDEXES: dict[str, list[IndexModel]] = {"contact_settings": []}


def of_many(retiree_ids: Iterable[ObjectId], session: Session | None = None) -> dict[ObjectId, Document]:
    """{channels: {wechat, sms, call, paper: bool}, copy_family, version} of each person, for the engine, unscoped."""
    ids = list(retiree_ids)
    held = {row["_id"]: row for row in collection("contact_settings").find({"_id": {"$in": ids}}, session=session)}
    return {retiree_id: _with_defaults(held.get(retiree_id)) for retiree_id in ids}


def get(retiree_id: ObjectId, actor: Actor) -> Document:
    """The settings of a person that this actor may see, with `reach`: which channels lead anywhere.

    Raises:
        NotFound: out of scope.
    """
    person = people.get(retiree_id, actor)
    return {**of_many([retiree_id])[retiree_id], "reach": _reach(person)}


def put(retiree_id: ObjectId, channels: Mapping[str, bool], copy_family: bool, version: int, actor: Actor) -> Document:
    """Replace the settings of which the actor has seen this version (0: the defaults).

    Raises:
        NotFound: out of scope. Stale: somebody else changed them meanwhile.
    """
    wished = {"channels": {name: bool(channels[name]) for name in CHANNELS}, "copy_family": copy_family}

    def write(session: Session) -> Document:
        person = people.get(retiree_id, actor, session)
        before = of_many([retiree_id], session)[retiree_id]
        if before["version"] != version:
            raise Stale()
        row = {**wished, "version": version + 1, "updated_at": clock.now(), "updated_by": actor.account_id}
        collection("contact_settings").update_one({"_id": retiree_id}, {"$set": row}, upsert=True, session=session)
        audit.record(
            session, actor, "contact_settings.changed", ("retiree", retiree_id),
            before={name: before[name] for name in wished}, after=wished,
        )  # fmt: skip
        return {**row, "reach": _reach(person)}

    try:
        return transaction(write)
    except DuplicateKeyError as error:
        raise Stale() from error


def _with_defaults(row: Document | None) -> Document:
    held = row or {}
    return {
        "channels": {**DEFAULTS["channels"], **held.get("channels", {})},
        "copy_family": held.get("copy_family", DEFAULTS["copy_family"]),
        "version": held.get("version", DEFAULTS["version"]),
    }


def _reach(person: Mapping[str, Any]) -> Document:
    """Which channels lead to this person at all: WeChat where an account that acts for them has it, SMS by a mobile number."""
    bound = collection("bindings").find({"retiree_id": person["_id"], "state": bindings.CONFIRMED}, {"account_id": 1})
    accounts = [row["account_id"] for row in bound]
    on_wechat = collection("accounts").find_one(
        {"_id": {"$in": accounts}, "openid": {"$type": "string"}, "enabled": True}, {"_id": 1}
    )
    return {
        "wechat": on_wechat is not None,
        "sms": sms_codes.reaches(person.get("phone")),
        "call": bool(person.get("phone") or person.get("emergency_phone")),
        "paper": bool(person.get("address")),
    }
