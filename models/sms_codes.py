"""Codes by SMS: six digits that prove who holds a telephone. They live 10 minutes, may be sent again after 60 seconds, and
five wrong guesses end them (DOMAIN: the elder view gives 10 minutes where 5 would do).

A code is for one thing only: to sign in, or for the one binding that it was asked for, so that nobody's guesses end the code
of another. How often a telephone is sent one is counted for the telephone, whatever binding asks: it rings for one person.
The whole house sends HOUSE_PER_HOUR at most, because every SMS costs money and every number can be typed by anybody.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import re
import secrets
from typing import Any

import structlog
from bson import ObjectId
from pymongo import IndexModel, ReturnDocument
from pymongo.errors import DuplicateKeyError

from models import clock, encryption, outbox
from models.database import Document, Session, collection, transaction
from models.errors import Invalid, TooMany
from settings import settings

SIGN_IN = "sign_in_code"
BINDING = "binding_code"

MOBILE = re.compile(r"^1[3-9][0-9]{9}\Z")

LIFE = clock.seconds(600)
SEND_AGAIN = clock.seconds(60)
GUESSES = 5
PER_DAY = 10
HOUSE_PER_HOUR = 2000

INDEXES = {
    "sms_codes": [
        IndexModel([("phone", 1), ("purpose", 1)], name="one_a_phone_and_purpose", unique=True),
        IndexModel("forget_at", name="forget", expireAfterSeconds=0),
    ],
    "sms_phones": [
        IndexModel([("phone", 1), ("template", 1)], name="one_a_phone_and_template", unique=True),
        IndexModel("forget_at", name="forget", expireAfterSeconds=0),
    ],
    "sms_hours": [IndexModel("forget_at", name="forget", expireAfterSeconds=0)],
}

log = structlog.stdlib.get_logger("sms")


def reaches(phone: str | None) -> bool:
    """Whether an SMS can arrive there: rosters hold landlines too."""
    return bool(phone and MOBILE.match(phone))


def send(phone: str, template: str, binding: ObjectId | None = None) -> str:
    """Make a code and put it on its way; the SMS leaves from the outbox. Returns the code, for the demo's page only.

    The event carries `expires_at`: an SMS that is late beyond that is of no use to anybody and is not sent.

    Raises:
        TooMany: within a minute of the last one, more than PER_DAY in a day, or HOUSE_PER_HOUR of the whole house.
    """
    code = f"{secrets.randbelow(10**6):06d}"
    instant, day = clock.now(), clock.today().isoformat()
    purpose = _purpose(template, binding)
    sealed = encryption.encrypt(phone, "phone")

    def write(session: Session) -> None:
        held = collection("sms_phones").find_one({"phone": sealed, "template": template}, session=session) or {}
        sent_today = held.get("sent_today", 0) if held.get("day") == day else 0
        if held and instant < held["sent_at"] + SEND_AGAIN:
            wait = int((held["sent_at"] + SEND_AGAIN - instant).total_seconds()) + 1
            raise TooMany("code_just_sent", f"验证码刚刚发过，请{wait}秒后再试。", retry_after=wait)
        if sent_today >= PER_DAY:
            raise TooMany("too_many_codes", "今天的验证码已发完，请明天再试，或给社区打电话。", retry_after=3600)
        forget_at = instant + clock.days(2)
        counted = {"day": day, "sent_today": sent_today + 1, "sent_at": instant, "forget_at": forget_at}
        collection("sms_phones").update_one(
            {"phone": sealed, "template": template}, {"$set": counted}, upsert=True, session=session
        )
        fresh = {
            "digest": _digest(phone, purpose, code), "guesses": 0, "expires_at": instant + LIFE, "forget_at": forget_at,
        }  # fmt: skip
        collection("sms_codes").update_one(
            {"phone": sealed, "purpose": purpose}, {"$set": fresh}, upsert=True, session=session
        )
        minutes = str(int(LIFE.total_seconds() // 60))
        outbox.add(
            session,
            "sms",
            {
                "phone": phone,
                "template": template,
                "values": {"code": code, "minutes": minutes},
                "expires_at": instant + LIFE,
            },
            secret=True,
        )

    hour = _count_in_hour()
    try:
        transaction(write)
    except DuplicateKeyError as error:  # two first requests at once
        _take_back(hour)
        raise TooMany("code_just_sent", "验证码刚刚发过，请稍等。", retry_after=60) from error
    except Exception:
        _take_back(hour)
        raise
    return code


def check(phone: str, template: str, code: str, binding: ObjectId | None = None) -> None:
    """Use a code up.

    Raises:
        Invalid: `wrong_code`, also where it is expired, used or was never sent.
    """
    purpose = _purpose(template, binding)
    wanted: Document = {
        "phone": encryption.encrypt(phone, "phone"),
        "purpose": purpose,
        "expires_at": {"$gt": clock.now()},
        "guesses": {"$lt": GUESSES},
    }
    used = collection("sms_codes").update_one(
        {**wanted, "digest": _digest(phone, purpose, code)}, {"$set": {"digest": None, "guesses": GUESSES}}
    )
    if used.modified_count == 0:
        collection("sms_codes").update_one(wanted, {"$inc": {"guesses": 1}})
        raise Invalid("wrong_code", "验证码不对或已过期，请看最新一条短信，或重新获取。", pointer="/code")


def _count_in_hour() -> dt.datetime:
    """Count one SMS of this hour before it is written: one update decides, so that many at once stay below the cap.

    Raises:
        TooMany: the house has sent HOUSE_PER_HOUR in this hour.
    """
    instant = clock.now()
    hour = instant.replace(minute=0, second=0, microsecond=0)
    counted: Any = collection("sms_hours").find_one_and_update(
        {"_id": hour},
        {"$inc": {"sent": 1}, "$setOnInsert": {"forget_at": hour + clock.days(2)}},
        upsert=True,
        return_document=ReturnDocument.AFTER,
    )
    if counted["sent"] > HOUSE_PER_HOUR:
        _take_back(hour)
        log.error("sms_house_limit", per_hour=HOUSE_PER_HOUR)
        wait = int((hour + clock.seconds(3600) - instant).total_seconds()) + 1
        raise TooMany("sms_house_limit", "现在要验证码的人太多，请过一会儿再试，或给社区打电话。", retry_after=wait)
    return hour


def _take_back(hour: dt.datetime) -> None:
    collection("sms_hours").update_one({"_id": hour, "sent": {"$gt": 0}}, {"$inc": {"sent": -1}})


def _purpose(template: str, binding: ObjectId | None) -> str:
    return f"{template}:{binding}" if binding else template


def _digest(phone: str, purpose: str, code: str) -> str:
    return hmac.new(settings.secret_key.encode(), f"{phone}:{purpose}:{code}".encode(), hashlib.sha256).hexdigest()
