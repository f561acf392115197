"""Leases: what only one process may do at a time, whatever crashes. A lease that nobody renews runs out."""

from __future__ import annotations

from bson import ObjectId
from pymongo import IndexModel
from pymongo.errors import DuplicateKeyError

from models import clock
from models.database import collection

INDEXES: dict[str, list[IndexModel]] = {"leases": []}


def take(name: str, holder: ObjectId, seconds: float) -> bool:
    """Take or renew a lease; False where somebody else holds it."""
    instant = clock.now()
    free = {"_id": name, "$or": [{"holder": holder}, {"until": {"$lte": instant}}]}
    change = {"$set": {"holder": holder, "until": instant + clock.seconds(seconds)}}
    try:
        collection("leases").update_one(free, change, upsert=True)
    except DuplicateKeyError:
        return False
    return True


def release(name: str, holder: ObjectId) -> None:
    """Give a lease back before it runs out."""
    collection("leases").delete_one({"_id": name, "holder": holder})
