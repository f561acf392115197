"""Bindings: which account acts for which retiree: oneself, or a parent.

`code_required → confirmed`, `code_required → forgotten`. Name and ID number must fit one person; then the telephone on
record confirms: at once where the account signed in with that very number, otherwise by a code sent to it, which is good
for this one binding. A landline confirms nothing: no SMS arrives there.
"""

from __future__ import annotations

from bson import ObjectId
from pymongo import IndexModel
from pymongo.errors import DuplicateKeyError

from models import access, audit, clock, people, sms_codes
from models.access import Actor
from models.database import Document, Session, collection, transaction
from models.errors import Conflict, Forbidden, Invalid, NotFound, TooMany
from models.id_numbers import InvalidIdNumber, parse

CODE_REQUIRED = "code_required"
CONFIRMED = "confirmed"

SELF = "self"
RELATIONS = (SELF, "child", "spouse", "relative")
TRIES_PER_DAY = 10
ACCOUNTS_PER_RETIREE = 5

INDEXES = {
    "bindings": [
        IndexModel([("account_id", 1), ("retiree_id", 1)], name="one_a_pair", unique=True),
        IndexModel("retiree_id", name="by_retiree"),
        IndexModel("forget_at", name="forget_unconfirmed", expireAfterSeconds=0),
    ],
    "binding_tries": [
        IndexModel([("account_id", 1), ("at", 1)], name="by_account"),
        IndexModel("at", name="forget", expireAfterSeconds=86_400),
    ],
}

NO_PHONE = ("no_phone_on_record", "名册里还没有您的手机号，请给社区打电话登记。")
NO_MATCH = ("no_such_retiree", "姓名和身份证号与名册不符，请照身份证再填一次，或给社区打电话。")


def of(account_id: ObjectId) -> list[Document]:
    """The confirmed bindings of an account, oldest first."""
    return list(collection("bindings").find({"account_id": account_id, "state": CONFIRMED}).sort("_id"))


def role_of(bindings: list[Document]) -> str:
    """`retiree` where the account is somebody's own, else `family`; an account with no binding is a retiree to be."""
    own = not bindings or any(binding["relation"] == SELF for binding in bindings)
    return access.RETIREE if own else access.FAMILY


def ask(
    actor: Actor, account_phone: str | None, name: str, id_number: str, relation: str
) -> tuple[Document, str | None]:
    """Ask to act for a person; returns the binding and, where a code was sent, the code for the demo's page.

    Raises:
        NotFound: no person fits name and number; the same answer whichever is wrong.
        Conflict: bound already, or no mobile telephone is on record that could confirm.
        TooMany: TRIES_PER_DAY tries by this account in a day, or too many codes (see `sms_codes.send`).
    """
    _count_try(actor)
    person = _person(name, id_number)
    if collection("bindings").find_one(
        {"account_id": actor.account_id, "retiree_id": person["_id"], "state": CONFIRMED}
    ):
        raise Conflict("already_bound", "您已经绑定过这位退休人员，不用再绑定。")
    if (
        collection("bindings").count_documents({"retiree_id": person["_id"], "state": CONFIRMED})
        >= ACCOUNTS_PER_RETIREE
    ):
        raise Conflict("too_many_helpers", "绑定这位退休人员的手机太多了，请给社区打电话。")
    if not sms_codes.reaches(person.get("phone")):
        raise Conflict(*NO_PHONE)
    if account_phone == person["phone"]:
        return _bind(actor, person, relation), None
    pair = {"account_id": actor.account_id, "retiree_id": person["_id"]}
    waiting = collection("bindings").find_one({**pair, "state": CODE_REQUIRED}, {"_id": 1})
    binding_id = waiting["_id"] if waiting else ObjectId()
    code = sms_codes.send(person["phone"], sms_codes.BINDING, binding_id)
    binding = {"state": CODE_REQUIRED, "relation": relation, "forget_at": clock.now() + clock.days(1)}
    try:
        collection("bindings").update_one(
            {**pair, "state": CODE_REQUIRED},
            {"$set": binding, "$setOnInsert": {"_id": binding_id, "created_at": clock.now()}},
            upsert=True,
        )
    except DuplicateKeyError as error:
        raise Conflict("already_bound", "您已经绑定过这位退休人员，不用再绑定。") from error
    found = collection("bindings").find_one(pair)
    return {**(found or {}), "phone": person["phone"]}, code


def confirm(actor: Actor, binding_id: ObjectId, code: str) -> Document:
    """Confirm a binding by the code that went to the telephone on record."""
    binding = collection("bindings").find_one(
        {"_id": binding_id, "account_id": actor.account_id, "state": CODE_REQUIRED}
    )
    if not binding:
        raise NotFound("binding_not_found", "请重新填写姓名和身份证号。")
    person = people.get(binding["retiree_id"], access.system())
    if not sms_codes.reaches(person.get("phone")):
        raise Conflict(*NO_PHONE)
    sms_codes.check(person["phone"], sms_codes.BINDING, code, binding_id)
    return _bind(actor, person, binding["relation"])


def end(actor: Actor, retiree_id: ObjectId) -> None:
    """Stop acting for a person."""

    def write(session: Session) -> None:
        ended = collection("bindings").delete_one(
            {"account_id": actor.account_id, "retiree_id": retiree_id, "state": CONFIRMED}, session=session
        )
        if not ended.deleted_count:
            raise NotFound("binding_not_found", "您没有绑定这位退休人员。")
        audit.record(session, actor, "binding.ended", ("retiree", retiree_id))

    transaction(write)


def _bind(actor: Actor, person: Document, relation: str) -> Document:
    if relation == SELF and any(binding["relation"] == SELF for binding in of(actor.account_id or ObjectId())):
        raise Conflict("bound_to_oneself", "您已经绑定了本人，帮家人办理请选“子女”或“亲属”。")

    def write(session: Session) -> None:
        collection("bindings").update_one(
            {"account_id": actor.account_id, "retiree_id": person["_id"]},
            {
                "$set": {"state": CONFIRMED, "relation": relation, "confirmed_at": clock.now()},
                "$setOnInsert": {"created_at": clock.now()},
                "$unset": {"forget_at": ""},
            },
            upsert=True,
            session=session,
        )
        audit.record(
            session, actor, "binding.confirmed", ("retiree", person["_id"]),
            after={"account_id": actor.account_id, "relation": relation},
        )  # fmt: skip

    transaction(write)
    found = collection("bindings").find_one({"account_id": actor.account_id, "retiree_id": person["_id"]})
    return dict(found or {})


def _person(name: str, id_number: str) -> Document:
    try:
        number = parse(id_number, clock.today()).number
    except InvalidIdNumber as error:
        raise Invalid(error.code, error.detail, pointer="/id_number") from error
    person = people.find_by_id_number(number)
    if not person or person["name"] != name.strip().replace(" ", ""):
        raise NotFound(*NO_MATCH)
    if person["status"] == people.DECEASED:
        raise NotFound(*NO_MATCH)
    return person


def _count_try(actor: Actor) -> None:
    if actor.account_id is None or actor.is_staff:
        raise Forbidden()
    collection("binding_tries").insert_one({"account_id": actor.account_id, "at": clock.now()})
    tries = collection("binding_tries").count_documents(
        {"account_id": actor.account_id, "at": {"$gt": clock.now() - clock.days(1)}}
    )
    if tries > TRIES_PER_DAY:
        raise TooMany("too_many_bindings", "今天尝试的次数太多了，请明天再试，或给社区打电话。", retry_after=3600)
