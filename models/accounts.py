"""Accounts: who signs in. A public account is a phone (by SMS code) or a WeChat user; a staff account is a name and password.

Roles and divisions are read from here at every request, never from a token. A public account's role follows from its
bindings: `retiree` where one of them is to oneself, else `family`.

Failures are counted by the name that was typed, whether somebody has it or not: a lock tells nobody which names exist.
"""

from __future__ import annotations

import functools
import hashlib
import hmac
from collections.abc import Mapping
from typing import Any

import pyotp
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError
from bson import ObjectId
from pymongo import IndexModel, ReturnDocument
from pymongo.errors import DuplicateKeyError

from models import access, audit, clock, encryption, sign_ins
from models.access import Actor
from models.database import Document, Session, collection, transaction
from models.errors import Conflict, Invalid, NotFound, TooMany, Unauthenticated
from settings import settings

PUBLIC = "public"
STAFF = "staff"

LOCK_AFTER_FAILURES = 5
LOCK = clock.seconds(15 * 60)
FORGET_FAILURES = clock.days(1)
TOTP_WINDOW = 1
PASSWORD_LENGTH = 10

TOTP_OFF: Document = {"$set": {"totp_secret": None}, "$unset": {"totp_offered": ""}}

INDEXES = {
    "accounts": [
        IndexModel(
            "openid", name="one_wechat_user", unique=True, partialFilterExpression={"openid": {"$type": "string"}}
        ),
        IndexModel("phone", name="one_phone", unique=True, partialFilterExpression={"phone": {"$type": "binData"}}),
        IndexModel(
            "username", name="one_username", unique=True, partialFilterExpression={"username": {"$type": "string"}}
        ),
    ],
    "sign_in_failures": [IndexModel("forget_at", name="forget", expireAfterSeconds=0)],
}


@functools.cache
def _hasher() -> PasswordHasher:
    return PasswordHasher()


@functools.cache
def _no_ones_hash() -> str:
    """Verified against where there is no such account, so that the time taken tells nothing."""
    return _hasher().hash("nobody has this password")


def get(account_id: ObjectId) -> Document | None:
    return collection("accounts").find_one({"_id": account_id, "enabled": True})


def _find_or_open(key: str, value: Any) -> Document:
    found: Any = collection("accounts").find_one_and_update(
        {key: value},
        {"$setOnInsert": {"kind": PUBLIC, "enabled": True, "created_at": clock.now()}},
        upsert=True,
        return_document=ReturnDocument.AFTER,
    )
    if not found["enabled"]:
        raise Unauthenticated("account_disabled", "这个账号已停用，请联系社区。")
    return dict(found)


def of_wechat(openid: str) -> Document:
    """The account of a WeChat user, opened at the first sign-in."""
    return _find_or_open("openid", openid)


def of_phone(phone: str) -> Document:
    """The account of a telephone number that was just confirmed by a code."""
    return _find_or_open("phone", encryption.encrypt(phone, "phone"))


def phone_of(account: Mapping[str, Any]) -> str | None:
    """The number that this account has proved to hold."""
    phone: str | None = encryption.decrypt(account.get("phone"))
    return phone


# ---- Staff


def open_staff(
    username: str, password: str, role: str, division: str, *, name: str = "", enterprise: str | None = None,
    by: Actor | None = None,
) -> ObjectId:  # fmt: skip
    """Open a staff account.

    Raises:
        Invalid: the role is not a staff role, or the password is shorter than PASSWORD_LENGTH characters.
        Conflict: the user name is taken.
    """
    if role not in access.STAFF_ROLES:
        raise Invalid("bad_role", "没有这个岗位。", pointer="/role")
    _check_password(password)
    account: Document = {
        "_id": ObjectId(),
        "kind": STAFF,
        "username": username,
        "name": name,
        "password_hash": _hasher().hash(password),
        "role": role,
        "division": division,
        "enterprise": enterprise,
        "enabled": True,
        "totp_secret": None,
        "totp_last_step": 0,
        "created_at": clock.now(),
    }

    def open_it(session: Session) -> None:
        collection("accounts").insert_one(account, session=session)
        audit.record(
            session, by or access.system(), "account.opened", ("account", account["_id"]),
            after={"username": username, "role": role, "division": division},
        )  # fmt: skip

    try:
        transaction(open_it)
    except DuplicateKeyError as error:
        raise Conflict("username_taken", "这个用户名已有人使用，请换一个。") from error
    return ObjectId(account["_id"])


def sign_in_staff(username: str, password: str, totp: str | None, actor: Actor) -> Document:
    """Check a password (Argon2id) and, where it is switched on, the six digits of the authenticator.

    Raises:
        Unauthenticated: `wrong_password`, the same whether the name exists or not; `totp_required`; `wrong_totp`.
        TooMany: LOCK_AFTER_FAILURES failures in a row lock the name for LOCK, also a name that nobody has.
    """
    failures = _begin_try(username)
    account = collection("accounts").find_one({"username": username, "kind": STAFF})
    matches = _matches(account["password_hash"] if account else _no_ones_hash(), password)
    if not account or not matches or not account["enabled"]:
        _fail_try(username, account, failures, actor)
        raise Unauthenticated("wrong_password", "用户名或密码不对，请再试一次。")
    if account["totp_secret"]:
        if not totp:
            _take_back_try(username)
            raise Unauthenticated("totp_required", "请再输入身份验证器里的6位数字。")
        if not _accept_totp(account, totp):
            _fail_try(username, account, failures, actor)
            raise Unauthenticated("wrong_totp", "6位数字不对或已用过，请用下一组数字。")
    _forget_failures(username)
    return account


def change_password(account_id: ObjectId, old: str, new: str, actor: Actor) -> None:
    """Replace one's own password; every sign-in of the account ends, also those that somebody else may hold.

    Raises:
        Unauthenticated: the old one is wrong.
        TooMany: wrong too often; it counts like a wrong password at the door.
        Invalid: the new one is too short.
    """
    _prove(account_id, old, "原密码不对，请再试一次。", actor)
    _check_password(new)
    hashed = _hasher().hash(new)

    def change(session: Session) -> None:
        collection("accounts").update_one({"_id": account_id}, {"$set": {"password_hash": hashed}}, session=session)
        audit.record(session, actor, "account.password_changed", ("account", account_id))
        sign_ins.end_all(account_id, session)

    transaction(change)


def begin_totp(account_id: ObjectId) -> str:
    """Make a new authenticator secret; it counts only after `confirm_totp`. Returns the otpauth address for a QR code.

    Raises:
        Conflict: the authenticator is on; whoever finds an open console must not put their own in its place.
    """
    secret = pyotp.random_base32()
    account: Any = collection("accounts").find_one_and_update(
        {"_id": account_id, "kind": STAFF, "totp_secret": None},
        {"$set": {"totp_offered": encryption.encrypt(secret, "secret")}},
    )
    if account is None:
        if collection("accounts").find_one({"_id": account_id, "kind": STAFF}, {"_id": 1}):
            raise Conflict("totp_is_on", "身份验证器已经开启，要换新的请先停用。")
        raise NotFound()
    return pyotp.TOTP(secret).provisioning_uri(name=account["username"], issuer_name="银龄通")


def confirm_totp(account_id: ObjectId, code: str, actor: Actor) -> None:
    """Switch the authenticator on by its first six digits.

    Raises:
        Invalid: the digits do not fit the secret that was offered last.
    """
    account = collection("accounts").find_one({"_id": account_id, "kind": STAFF}) or {}
    offered = encryption.decrypt(account.get("totp_offered"))
    wrong = Invalid("wrong_totp", "6位数字不对，请看身份验证器里现在的数字。", pointer="/code")
    if not offered or not pyotp.TOTP(offered).verify(code, valid_window=TOTP_WINDOW):
        raise wrong

    def switch_on(session: Session) -> None:
        switched = collection("accounts").update_one(
            {"_id": account_id, "totp_secret": None, "totp_offered": account["totp_offered"]},
            {"$set": {"totp_secret": account["totp_offered"], "totp_last_step": 0}, "$unset": {"totp_offered": ""}},
            session=session,
        )
        if not switched.matched_count:
            raise wrong
        audit.record(session, actor, "account.totp_switched_on", ("account", account_id))

    transaction(switch_on)


def end_totp(account_id: ObjectId, password: str, actor: Actor) -> None:
    """Switch the authenticator off, by the password.

    Raises:
        Unauthenticated: the password is wrong.
        TooMany: wrong too often; it counts like a wrong password at the door.
    """
    _prove(account_id, password, "密码不对，请再试一次。", actor)

    def switch_off(session: Session) -> None:
        collection("accounts").update_one({"_id": account_id}, TOTP_OFF, session=session)
        audit.record(session, actor, "account.totp_switched_off", ("account", account_id))

    transaction(switch_off)


# ---- Staff, by the operator


def disable(username: str, by: Actor | None = None) -> None:
    """Shut a staff account: it is out at once everywhere, and its password opens nothing."""
    _change_staff(username, "account.disabled", {"$set": {"enabled": False}}, by)


def enable(username: str, by: Actor | None = None) -> None:
    """Open a staff account again, with the password and the authenticator that it had."""
    _change_staff(username, "account.enabled", {"$set": {"enabled": True}}, by)


def reset_password(username: str, password: str, by: Actor | None = None) -> None:
    """Give a staff account a new password without the old one; a lock ends too.

    Raises:
        Invalid: the password is shorter than PASSWORD_LENGTH characters.
        NotFound: no staff account has this name.
    """
    _check_password(password)
    change = {"$set": {"password_hash": _hasher().hash(password)}}
    _change_staff(username, "account.password_reset", change, by)
    _forget_failures(username)


def reset_totp(username: str, by: Actor | None = None) -> None:
    """Switch the authenticator of somebody off who has lost it."""
    _change_staff(username, "account.totp_switched_off", TOTP_OFF, by)


def _change_staff(username: str, action: str, change: Document, by: Actor | None) -> None:
    def write(session: Session) -> None:
        account: Any = collection("accounts").find_one_and_update(
            {"username": username, "kind": STAFF}, change, session=session
        )
        if account is None:
            raise NotFound("no_such_account", "没有这个用户名，请核对后再试。")
        audit.record(session, by or access.system(), action, ("account", account["_id"]))
        sign_ins.end_all(account["_id"], session)

    transaction(write)


def _check_password(password: str) -> None:
    if len(password) < PASSWORD_LENGTH:
        raise Invalid("password_too_short", f"密码至少{PASSWORD_LENGTH}位，请换一个更长的。", pointer="/password")


def _matches(hashed: str, password: str) -> bool:
    try:
        return _hasher().verify(hashed, password)
    except (VerifyMismatchError, InvalidHashError):
        return False


def _accept_totp(account: Document, code: str) -> bool:
    """A code counts once: its time step must be later than the last one used, decided by one conditional update."""
    totp = pyotp.TOTP(encryption.decrypt(account["totp_secret"]))
    step = int(clock.now().timestamp()) // totp.interval
    for candidate in range(step - TOTP_WINDOW, step + TOTP_WINDOW + 1):
        if pyotp.utils.strings_equal(totp.generate_otp(candidate), code):
            used = collection("accounts").update_one(
                {"_id": account["_id"], "totp_last_step": {"$lt": candidate}}, {"$set": {"totp_last_step": candidate}}
            )
            return used.modified_count == 1
    return False


# ---- Failures


def _prove(account_id: ObjectId, password: str, sentence: str, actor: Actor) -> None:
    """Ask somebody who is signed in for their password once more: an open console must not be a place to guess it."""
    account = collection("accounts").find_one({"_id": account_id, "kind": STAFF})
    if not account:
        raise Unauthenticated("wrong_password", sentence)
    failures = _begin_try(account["username"])
    if not _matches(account["password_hash"], password):
        _fail_try(account["username"], account, failures, actor)
        raise Unauthenticated("wrong_password", sentence)
    _forget_failures(account["username"])


def _begin_try(username: str) -> int:
    """Count a try as failed before it is made, so that a hundred at once are no more than five; returns how many there are.

    Raises:
        TooMany: the name is locked.
    """
    instant = clock.now()
    over = {"$lte": [{"$ifNull": ["$forget_at", instant]}, instant]}
    kept = {
        "$switch": {
            "branches": [
                {"case": {"$lt": ["$failures", LOCK_AFTER_FAILURES]}, "then": instant + FORGET_FAILURES},
                {"case": {"$eq": ["$failures", LOCK_AFTER_FAILURES]}, "then": instant + LOCK},
            ],
            "default": "$forget_at",
        }
    }
    counted: Any = collection("sign_in_failures").find_one_and_update(
        {"_id": _name_key(username)},
        [
            {"$set": {"failures": {"$cond": [over, 1, {"$add": ["$failures", 1]}]}}},
            {"$set": {"forget_at": kept}},
        ],
        upsert=True,
        return_document=ReturnDocument.AFTER,
    )
    if counted["failures"] > LOCK_AFTER_FAILURES:
        wait = int((counted["forget_at"] - instant).total_seconds()) + 1
        raise TooMany("account_locked", "密码输错次数太多，请15分钟后再试，或找管理员重置。", retry_after=wait)
    return int(counted["failures"])


def _fail_try(username: str, account: Document | None, failures: int, actor: Actor) -> None:
    """The try stays counted. The lock is written down for a name that nobody has too: it takes the same time, and an
    auditor sees that somebody guesses; the name itself is not kept, because people type passwords there.
    """
    if failures == LOCK_AFTER_FAILURES:
        subject = account["_id"] if account else _name_key(username)
        transaction(lambda session: audit.record(session, actor, "account.locked", ("account", subject)))


def _take_back_try(username: str) -> None:
    """The password was right and the digits are still to come: no failure, but those of before stay."""
    collection("sign_in_failures").update_one(
        {"_id": _name_key(username), "failures": {"$gt": 0}}, {"$inc": {"failures": -1}}
    )


def _forget_failures(username: str) -> None:
    collection("sign_in_failures").delete_one({"_id": _name_key(username)})


def _name_key(username: str) -> str:
    return hmac.new(settings.secret_key.encode(), f"sign-in:{username}".encode(), hashlib.sha256).hexdigest()
