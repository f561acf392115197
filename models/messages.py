"""Messages in a retiree's inbox. One a retiree, template and cause, however often its event is delivered."""

from __future__ import annotations

from bson import ObjectId
from pymongo import DESCENDING, IndexModel

from models import clock, people
from models.access import Actor
from models.database import Document, Session, collection
from models.errors import NotFound

INDEXES = {
    "messages": [
        IndexModel([("retiree_id", 1), ("_id", DESCENDING)], name="by_retiree"),
        IndexModel([("retiree_id", 1), ("template", 1), ("cause", 1)], name="once", unique=True),
    ]
}


def put(session: Session, retiree_id: ObjectId, template: str, cause: str, title: str, body: str, link: str) -> None:
    """Write a message unless it is there already. `link` is a place in the retirees' pages, or empty."""
    collection("messages").update_one(
        {"retiree_id": retiree_id, "template": template, "cause": cause},
        {"$setOnInsert": {"title": title, "body": body, "link": link, "created_at": clock.now(), "read_at": None}},
        upsert=True,
        session=session,
    )


def inbox(retiree_id: ObjectId, actor: Actor, *, page: int = 1, size: int = 20) -> tuple[list[Document], int]:
    """A page of a retiree's messages, newest first, and the number of all."""
    people.get(retiree_id, actor)
    where = {"retiree_id": retiree_id}
    found = collection("messages").find(where).sort("_id", DESCENDING).skip((page - 1) * size).limit(size)
    return list(found), collection("messages").count_documents(where)


def unread(retiree_id: ObjectId, actor: Actor) -> int:
    people.get(retiree_id, actor)
    return collection("messages").count_documents({"retiree_id": retiree_id, "read_at": None})


def mark_read(message_id: ObjectId, actor: Actor) -> None:
    """Note when a message was first read.

    Raises:
        NotFound: there is none, or it belongs to somebody else.
    """
    found = collection("messages").find_one({"_id": message_id})
    if not found or found["retiree_id"] not in actor.retiree_ids:
        raise NotFound("message_not_found", "没有找到这条消息。")
    collection("messages").update_one({"_id": message_id, "read_at": None}, {"$set": {"read_at": clock.now()}})
