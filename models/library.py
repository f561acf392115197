"""The library 政策库: the published notices in force, as one retiree sees them.

What stands in it is decided when it is read, not when a notice was sent: whoever joins later, grows older or moves finds
what is for them now. A notice that somebody was sent stays open to them also when the condition that chose them is over.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bson import ObjectId
from pymongo import DESCENDING

from models import access, audiences, clock, files, notices, people, search
from models.access import Actor
from models.database import Document, collection
from models.errors import NotFound


def shelf(
    retiree_id: ObjectId, actor: Actor, *, q: str = "", category: str = "", kind: str = "", page: int = 1,
    size: int = 20,
) -> tuple[list[Document], int]:  # fmt: skip
    """A page of the published notices in force that are for a person now, whenever they joined: pinned ones first, then the
    newest; with a question, what answers it best."""
    chosen = {name: value for name, value in (("category", category), ("kind", kind)) if value}
    where = {**_for_person(people.get(retiree_id, actor)), **chosen}
    return search.page("notice_versions", where, q, notices.NEWEST, page=page, size=size)


def read(notice_id: ObjectId, retiree_id: ObjectId, actor: Actor) -> Document:
    """The version in force of a notice that is for a person now, or was when it was sent.

    Raises:
        NotFound: `notice_withdrawn` where it was taken away; `notice_not_found`.
    """
    person = people.get(retiree_id, actor)
    held = list(collection("notice_versions").find({"notice_id": notice_id}, {"search": 0}).sort("version", DESCENDING))
    for found in held:
        if found["in_force"] and collection("notice_versions").find_one({"_id": found["_id"], **_for_person(person)}):
            return found
    # whoever was sent a notice may read it, also when the condition that chose them is over
    sent = [found for found in held if audiences.holds(found["audience_id"], retiree_id)]
    if not sent:
        raise notices.not_found()
    if not sent[0]["in_force"]:
        raise NotFound("notice_withdrawn", "这份通知已经撤回或更正，有疑问请给社区打电话。")
    return sent[0]


def file(notice_id: ObjectId, file_id: ObjectId, retiree_id: ObjectId, actor: Actor) -> tuple[Document, bytes]:
    """(entry, bytes) of a picture or an attachment of a notice that the person may read."""
    entry = notices.entry_of(read(notice_id, retiree_id, actor), file_id)
    return entry, files.get(file_id)


def _for_person(person: Mapping[str, Any]) -> Document:
    """The filter on the versions in force that are for a person now. Most are for everybody; of the others each is asked."""
    if person["status"] in audiences.NEVER:
        return access.NOBODY
    where: Document = {
        "in_force": True,
        "division": {"$in": notices.above(person["division"])},
        "expires_on": {"$not": {"$lt": clock.today().isoformat()}},
    }
    some = collection("notice_versions").find({**where, "for_all": False}, {"audience": 1, "role": 1, "division": 1})
    matching = audiences.matching(person["_id"], {row["_id"]: (row["audience"], notices.office(row)) for row in some})
    return {**where, "$or": [{"for_all": True}, {"_id": {"$in": matching}}]}
