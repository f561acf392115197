"""Sign-ins: a family of tokens for each. Access tokens are short and stateless but for a look at their family;
refresh tokens rotate, and an old one that comes back revokes the family, because then two hold it.

One exception: the reply to a refresh may be lost on the way, and then the phone knows the old token only. So the immediate
predecessor may be traded again within TRADE_AGAIN, as long as nobody has used its successor, which then counts no more.
Where two hold the predecessor all the same, the one whose successor was replaced brings it later and ends the sign-in of both.
"""

from __future__ import annotations

import hashlib
import secrets

import jwt
from bson import ObjectId
from bson.errors import InvalidId
from pymongo import IndexModel, ReturnDocument

from models import clock
from models.database import Document, Session, collection
from models.errors import Unauthenticated
from settings import settings

ALGORITHM = "HS256"
ISSUER = "yinling"
TRADE_AGAIN = clock.seconds(30)

INDEXES = {
    "sign_ins": [
        IndexModel("expires_at", name="forget", expireAfterSeconds=0),
        IndexModel("account_id", name="by_account"),
    ]
}

EXPIRED = ("sign_in_expired", "登录已过期，请重新登录。")


def start(account_id: ObjectId) -> Document:
    """Begin a sign-in; returns {access_token, refresh_token, expires_in}."""
    family, secret = ObjectId(), secrets.token_urlsafe(32)
    collection("sign_ins").insert_one(
        {
            "_id": family,
            "account_id": account_id,
            "current": _digest(secret),
            "previous": None,
            "traded_at": None,
            "revoked": None,
            "started_at": clock.now(),
            "expires_at": _end(),
        }
    )
    return _pair(account_id, family, secret)


def refresh(token: str) -> tuple[ObjectId, Document]:
    """Trade a refresh token for the next pair; returns the account's id and the pair.

    Raises:
        Unauthenticated: unknown, expired or revoked; `sign_in_reused` where it was traded before, but for the lost reply,
            which revokes the family.
    """
    family, secret = _parts(token)
    given, fresh, instant = _digest(secret), secrets.token_urlsafe(32), clock.now()
    alive: Document = {"_id": family, "revoked": None, "expires_at": {"$gt": instant}}
    following = {"current": _digest(fresh), "expires_at": _end()}
    traded = collection("sign_ins").find_one_and_update(
        {**alive, "current": given},
        {"$set": {**following, "previous": given, "traded_at": instant}},
        return_document=ReturnDocument.AFTER,
    ) or collection("sign_ins").find_one_and_update(
        # `traded_at` stays that of the first time: whoever keeps asking does not keep the old token alive
        {**alive, "previous": given, "traded_at": {"$gt": instant - TRADE_AGAIN}},
        {"$set": following},
        return_document=ReturnDocument.AFTER,
    )
    if traded:
        return traded["account_id"], _pair(traded["account_id"], family, fresh)
    revoked = collection("sign_ins").update_one(
        {"_id": family, "current": {"$ne": given}, "revoked": None}, {"$set": {"revoked": "reused"}}
    )
    if revoked.modified_count:
        raise Unauthenticated("sign_in_reused", "为了您的安全，请重新登录。")
    raise Unauthenticated(*EXPIRED)


def end(token: str) -> None:
    """Sign out: revoke the family of a refresh token, or of its predecessor, which is all that a lost reply leaves.

    Unknown tokens are none of our business.
    """
    try:
        family, secret = _parts(token)
    except Unauthenticated:
        return
    given = _digest(secret)
    collection("sign_ins").update_one(
        {"_id": family, "$or": [{"current": given}, {"previous": given}]}, {"$set": {"revoked": "signed_out"}}
    )


def end_all(account_id: ObjectId, session: Session | None = None) -> None:
    """Sign an account out everywhere, in the transaction of what asks for it where there is one."""
    collection("sign_ins").update_many(
        {"account_id": account_id, "revoked": None}, {"$set": {"revoked": "ended"}}, session=session
    )


def check(access_token: str) -> ObjectId:
    """The account of an access token.

    Raises:
        Unauthenticated: forged, expired, or its family is revoked.
    """
    try:
        claims = jwt.decode(
            access_token,
            settings.secret_key,
            algorithms=[ALGORITHM],
            issuer=ISSUER,
            options={"require": ["exp", "sub", "fam"]},
        )
        family, account_id = ObjectId(claims["fam"]), ObjectId(claims["sub"])
    except (jwt.InvalidTokenError, InvalidId, TypeError) as error:
        raise Unauthenticated(*EXPIRED) from error
    if not collection("sign_ins").find_one({"_id": family, "account_id": account_id, "revoked": None}, {"_id": 1}):
        raise Unauthenticated(*EXPIRED)
    return account_id


def _end() -> object:
    return clock.now() + clock.days(settings.REFRESH_TOKEN_DAYS)


def _pair(account_id: ObjectId, family: ObjectId, secret: str) -> Document:
    instant = clock.now()
    claims = {
        "iss": ISSUER,
        "sub": str(account_id),
        "fam": str(family),
        "iat": instant,
        "exp": instant + clock.seconds(settings.ACCESS_TOKEN_SECONDS),
    }
    return {
        "access_token": jwt.encode(claims, settings.secret_key, ALGORITHM),
        "refresh_token": f"{family}.{secret}",
        "token_type": "Bearer",
        "expires_in": settings.ACCESS_TOKEN_SECONDS,
    }


def _parts(token: str) -> tuple[ObjectId, str]:
    family, _, secret = token.partition(".")
    try:
        return ObjectId(family), secret
    except InvalidId as error:
        raise Unauthenticated(*EXPIRED) from error


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
