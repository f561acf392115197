"""Codes by SMS: six digits that prove who holds a telephone. They live 10 minutes, may be sent again after 60 seconds, and
five wrong guesses end them (DOMAIN: the elder view gives 10 minutes where 5 would do).
"""

from __future__ import annotations

import hashlib
import hmac
import secrets

from pymongo import IndexModel
from pymongo.errors import DuplicateKeyError

from models import clock, encryption, outbox
from models.database import Document, Session, collection, transaction
from models.errors import Invalid, TooMany
from settings import settings

SIGN_IN = "sign_in_code"
BINDING = "binding_code"

LIFE = clock.seconds(600)
SEND_AGAIN = clock.seconds(60)
GUESSES = 5
PER_DAY = 10

INDEXES = {
    "sms_codes": [
        IndexModel([("phone", 1), ("purpose", 1)], name="one_a_phone_and_purpose", unique=True),
        IndexModel("forget_at", name="forget", expireAfterSeconds=0),
    ]
}


def send(phone: str, purpose: str) -> str:
    """Make a code and put it on its way; the SMS leaves from the outbox. Returns the code, for the demo's page only.

    Raises:
        TooMany: within a minute of the last one, or more than PER_DAY in a day.
    """
    code = f"{secrets.randbelow(10**6):06d}"
    instant, day = clock.now(), clock.today().isoformat()
    sealed = encryption.encrypt(phone, "phone")

    def write(session: Session) -> None:
        held = collection("sms_codes").find_one({"phone": sealed, "purpose": purpose}, session=session) or {}
        sent_today = held.get("sent_today", 0) if held.get("day") == day else 0
        if held and instant < held["sent_at"] + SEND_AGAIN:
            wait = int((held["sent_at"] + SEND_AGAIN - instant).total_seconds()) + 1
            raise TooMany("code_just_sent", f"验证码刚刚发过，请{wait}秒后再试。", retry_after=wait)
        if sent_today >= PER_DAY:
            raise TooMany("too_many_codes", "今天的验证码已发完，请明天再试，或给社区打电话。", retry_after=3600)
        collection("sms_codes").update_one(
            {"phone": sealed, "purpose": purpose},
            {
                "$set": {
                    "digest": _digest(phone, code),
                    "guesses": 0,
                    "day": day,
                    "sent_today": sent_today + 1,
                    "sent_at": instant,
                    "expires_at": instant + LIFE,
                    "forget_at": instant + clock.days(2),
                }
            },
            upsert=True,
            session=session,
        )
        minutes = str(int(LIFE.total_seconds() // 60))
        outbox.add(
            session,
            "sms",
            {"phone": phone, "template": purpose, "values": {"code": code, "minutes": minutes}},
            secret=True,
        )

    try:
        transaction(write)
    except DuplicateKeyError as error:  # two first requests at once
        raise TooMany("code_just_sent", "验证码刚刚发过，请稍等。", retry_after=60) from error
    return code


def check(phone: str, purpose: str, code: str) -> None:
    """Use a code up.

    Raises:
        Invalid: `wrong_code`, also where it is expired, used or was never sent.
    """
    wanted: Document = {
        "phone": encryption.encrypt(phone, "phone"),
        "purpose": purpose,
        "expires_at": {"$gt": clock.now()},
        "guesses": {"$lt": GUESSES},
    }
    used = collection("sms_codes").update_one(
        {**wanted, "digest": _digest(phone, code)}, {"$set": {"digest": None, "guesses": GUESSES}}
    )
    if used.modified_count == 0:
        collection("sms_codes").update_one(wanted, {"$inc": {"guesses": 1}})
        raise Invalid("wrong_code", "验证码不对或已过期，请看最新一条短信，或重新获取。", pointer="/code")


def _digest(phone: str, code: str) -> str:
    return hmac.new(settings.secret_key.encode(), f"{phone}:{code}".encode(), hashlib.sha256).hexdigest()
