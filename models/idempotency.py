"""Idempotency keys: the same request sent twice is done once.

`running → done`. Same key and body: the first reply again. Same key, other body: refused. Still running: try again soon.
The reply is kept encrypted for a day, because it may carry personal data.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable

from bson import ObjectId
from pymongo import IndexModel
from pymongo.errors import DuplicateKeyError

from models import clock, encryption
from models.database import Document, collection
from models.errors import Conflict, Invalid

RUNNING_AT_MOST = clock.seconds(60)

INDEXES = {"idempotency": [IndexModel("at", name="forget", expireAfterSeconds=86_400)]}


def once(account_id: ObjectId | None, key: str, request: bytes, work: Callable[[], Document]) -> Document:
    """Run `work` once for a key of an account and keep its reply, a document.

    Raises:
        Invalid: `key_reused`, the body differs. Conflict: `still_running`.
        whatever `work` raises; the key is free again then.
    """
    name = hashlib.sha256(f"{account_id}:{key}".encode()).hexdigest()
    digest = hashlib.sha256(request).hexdigest()
    held = _take(name, digest)
    if held is not None:
        return held
    try:
        reply = work()
    except BaseException:
        collection("idempotency").delete_one({"_id": name})
        raise
    sealed = encryption.seal_document(reply, "secret")
    collection("idempotency").update_one({"_id": name}, {"$set": {"reply": sealed}})
    return reply


def _take(name: str, digest: str) -> Document | None:
    instant = clock.now()
    rows = collection("idempotency")
    rows.delete_one({"_id": name, "reply": None, "at": {"$lt": instant - RUNNING_AT_MOST}})
    try:
        rows.insert_one({"_id": name, "digest": digest, "reply": None, "at": instant})
    except DuplicateKeyError:
        held = rows.find_one({"_id": name}) or {}
        if held.get("digest") != digest:
            raise Invalid("key_reused", "同一个请求编号不能用于不同的内容，请重新提交。") from None
        if held.get("reply") is None:
            raise Conflict("still_running", "上一次提交还在处理，请稍等几秒。") from None
        return encryption.open_document(held["reply"])
    return None
