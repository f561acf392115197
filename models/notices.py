"""Notices 通知: policies, announcements and answers to common questions, written by one person and read by another first.

    draft → in_review → approved → published → withdrawn
    in_review → draft (sent back with a reason); in_review, approved → draft (taken back)
    approved with `publish_at` → published (the clock)
    draft, in_review → published (an emergency, by one person with a reason; a second one reviews it afterwards)
    published → draft of the next version (a correction) → … → published; or given up → published

`notices` holds the copy that is worked on, with `version` (1, 2, …) and `revision`, the number of every change (If-Match).
`notice_versions` holds each published version as it was: its content never changes, only that it came into force, was
superseded or was withdrawn, and who reviewed an emergency afterwards. Readers read the version in force, so a correction
in the making changes nothing for them. At most one version of a notice is in force, by a unique index.

Whoever has written at a version never reviews it. A notice belongs to the office that wrote it: it alone edits; whoever
covers its area reviews, publishes and withdraws; those below see it once it is published. Notices of the Party branch are
for the branch alone: neither the text nor who has read it is shown to the office (PIPL article 28).
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Mapping
from typing import Any

from bson import ObjectId
from pymongo import ASCENDING, DESCENDING, IndexModel, ReturnDocument

from models import access, audiences, audit, clock, divisions, files, outbox, search
from models.access import BRANCH_SECRETARY, Actor, inside, require
from models.audiences import AUTHORS
from models.database import Document, Session, collection, transaction
from models.errors import Conflict, Forbidden, Invalid, NotFound, Stale
from models.messages import EMERGENCY, ROUTINE

POLICY = "policy"
ANNOUNCEMENT = "announcement"
QUESTION = "question"
KINDS = (POLICY, ANNOUNCEMENT, QUESTION)
CATEGORIES = ("pension", "medical", "party", "activity", "benefit", "safety", "other")

DRAFT = "draft"
IN_REVIEW = "in_review"
APPROVED = "approved"
PUBLISHED = "published"
WITHDRAWN = "withdrawn"
STATES = (DRAFT, IN_REVIEW, APPROVED, PUBLISHED, WITHDRAWN)

SUPERSEDED = "superseded"

PICTURES = "pictures"
ATTACHMENTS = "attachments"
MOST = {PICTURES: 20, ATTACHMENTS: 10}
BODY_LENGTH = 100_000
FARTHEST = clock.days(366)

EMPTY: Document = {
    "kind": ANNOUNCEMENT, "category": "other", "title": "", "summary": "", "body": "", "text": "", "source": "",
    "document_number": "", "effective_on": None, "expires_on": None, "pinned": False, "importance": ROUTINE,
    "audience": audiences.EVERYBODY,
}  # fmt: skip
EDITABLE = tuple(EMPTY)
CONTENT = (*EDITABLE, PICTURES, ATTACHMENTS)
REVIEW: Document = {
    "reviewer": None, "reviewed_at": None, "sent_back": None, "publish_at": None, "emergency": None,
}  # fmt: skip
_PICTURE = re.compile(r'data-file="([0-9a-f]{24})"')
NEWEST = [("pinned", DESCENDING), ("published_at", DESCENDING), ("_id", DESCENDING)]

INDEXES = {
    "notices": [
        IndexModel([("division", ASCENDING), ("updated_at", DESCENDING)], name="by_division"),
        IndexModel([("state", ASCENDING), ("publish_at", ASCENDING)], name="by_state"),
        IndexModel("search.words", name="by_words"),
    ],
    "notice_versions": [
        IndexModel([("notice_id", ASCENDING), ("version", ASCENDING)], name="one_a_version", unique=True),
        IndexModel("notice_id", name="one_in_force", unique=True, partialFilterExpression={"in_force": True}),
        IndexModel([("in_force", ASCENDING), ("division", ASCENDING), *NEWEST], name="by_division"),
        IndexModel([("in_force", ASCENDING), ("for_all", ASCENDING), ("division", ASCENDING)], name="by_audience"),
        IndexModel("search.words", name="by_words", partialFilterExpression={"in_force": True}),
    ],
}


# ---- Writing


def create(fields: Mapping[str, Any], actor: Actor) -> Document:
    """A draft of the actor's own office. `body` is clean rich text and `text` its words (notifications/rich_text.py)."""
    require(actor, AUTHORS)
    content = {name: fields.get(name, EMPTY[name]) for name in EDITABLE}
    _check(content, actor)
    instant = clock.now()
    notice: Document = {
        "_id": ObjectId(),
        **content,
        PICTURES: [],
        ATTACHMENTS: [],
        **REVIEW,
        "state": DRAFT,
        "version": 1,
        "revision": 1,
        "in_force": None,
        "role": actor.role,
        "branch": actor.role == BRANCH_SECRETARY,
        "division": actor.division,
        "author": actor.account_id,
        "authors": [actor.account_id],
        "correction_reason": "",
        "withdrawal": None,
        "published_at": None,
        "search": _search(content),
        "created_at": instant,
        "updated_at": instant,
    }

    def write(session: Session) -> None:
        collection("notices").insert_one(notice, session=session)
        audit.record(session, actor, "notice.created", ("notice", notice["_id"]), after={"title": notice["title"]})

    transaction(write)
    return notice


def change(notice_id: ObjectId, changes: Mapping[str, Any], revision: int, actor: Actor) -> Document:
    """Change some fields of a draft whose revision the actor has seen.

    Raises:
        NotFound; Forbidden: it belongs to another office; Conflict: it is no draft; Invalid; Stale.
    """
    fields = {name: value for name, value in changes.items() if name in EDITABLE}

    def write(session: Session) -> Document:
        notice = _draft(notice_id, actor, session)
        content = {**{name: notice[name] for name in EDITABLE}, **fields}
        _check(content, actor)
        if revision != notice["revision"]:
            raise Stale()
        written = {**fields, "search": _search(content), "authors": _authors(notice, actor)}
        after = _set(session, notice, written)
        # the text may be long and lies in the versions; the log says what was changed
        audit.record(
            session, actor, "notice.changed", ("notice", notice_id),
            after={"fields": sorted(fields), "version": notice["version"], "revision": after["revision"]},
        )  # fmt: skip
        return after

    return transaction(write)


def discard(notice_id: ObjectId, actor: Actor) -> None:
    """Throw a draft away: a notice that was never published is deleted, a correction leaves what is in force."""

    def write(session: Session) -> list[ObjectId]:
        notice = _draft(notice_id, actor, session)
        audit.record(
            session, actor, "notice.discarded", ("notice", notice_id), before={"version": notice["version"]}
        )  # fmt: skip
        if notice["in_force"]:
            kept = version(notice_id, notice["in_force"], session)
            _set(session, notice, {**_as_published(kept), "state": PUBLISHED})
        else:
            kept = EMPTY
            collection("notices").delete_one({"_id": notice_id}, session=session)
        return _release(session, notice_id, _file_ids(notice) - _file_ids(kept))

    files.delete(transaction(write))


def add_file(
    notice_id: ObjectId, part: str, name: str, media_type: str, data: bytes, actor: Actor
) -> tuple[Document, Document]:
    """Put a picture or an attachment to a draft; returns its entry {id, name, type, bytes} and the notice. The caller has
    looked at its content (notifications/notice_files.py).

    Raises:
        Conflict: `too_many_files`, MOST of a kind.
    """
    _draft(notice_id, actor)
    file_id = files.put(data, "notice")
    entry = {"id": file_id, "name": name, "type": media_type, "bytes": len(data)}

    def write(session: Session) -> Document:
        notice = _draft(notice_id, actor, session)
        if len(notice[part]) >= MOST[part]:
            raise Conflict("too_many_files", f"最多放{MOST[part]}个，请先删掉不用的。")
        after = _set(session, notice, {part: [*notice[part], entry], "authors": _authors(notice, actor)})
        audit.record(session, actor, "notice.file_added", ("notice", notice_id), after={"file_id": file_id})
        return after

    after = transaction(write)
    files.keep([file_id])
    return entry, after


def remove_file(notice_id: ObjectId, file_id: ObjectId, actor: Actor) -> Document:
    """Take a picture or an attachment off a draft and return it; a published version that shows the file keeps it."""

    def write(session: Session) -> tuple[Document, list[ObjectId]]:
        notice = _draft(notice_id, actor, session)
        entry_of(notice, file_id)
        left = {part: [entry for entry in notice[part] if entry["id"] != file_id] for part in (PICTURES, ATTACHMENTS)}
        after = _set(session, notice, {**left, "authors": _authors(notice, actor)})
        audit.record(session, actor, "notice.file_removed", ("notice", notice_id), before={"file_id": file_id})
        return after, _release(session, notice_id, [file_id])

    after, given_up = transaction(write)
    files.delete(given_up)
    return after


def correct(notice_id: ObjectId, reason: str, actor: Actor) -> Document:
    """Begin the draft of the next version of a published notice. Readers see the old one until the new one is published.

    Raises:
        NotFound; Forbidden; Conflict: `not_published`, or somebody corrects it already.
    """

    def write(session: Session) -> Document:
        notice = _own(notice_id, actor, session)
        if notice["state"] != PUBLISHED:
            raise Conflict("not_published", "只有已发布的通知才能更正；正在更正的，请接着改。")
        begun = {
            **REVIEW, "state": DRAFT, "version": notice["version"] + 1, "correction_reason": reason,
            "author": actor.account_id, "authors": [actor.account_id],
        }  # fmt: skip
        after = _set(session, notice, begun)
        audit.record(
            session, actor, "notice.correction_begun", ("notice", notice_id),
            after={"version": after["version"], "reason": reason},
        )  # fmt: skip
        return after

    return transaction(write)


# ---- Review


def ask_for_review(notice_id: ObjectId, actor: Actor) -> Document:
    """Hand a draft to a second person.

    Raises:
        NotFound; Forbidden; Conflict: it is no draft; Invalid: something is missing in it.
    """

    def write(session: Session) -> Document:
        notice = _draft(notice_id, actor, session)
        _check_complete(notice)
        after = _set(session, notice, {"state": IN_REVIEW, "sent_back": None})
        audit.record(
            session, actor, "notice.review_asked", ("notice", notice_id), after={"version": notice["version"]}
        )  # fmt: skip
        return after

    return transaction(write)


def take_back(notice_id: ObjectId, actor: Actor) -> Document:
    """Make a draft again of what waits for its review or for its time, to change it or to give it up."""

    def write(session: Session) -> Document:
        notice = _own(notice_id, actor, session)
        if notice["state"] not in (IN_REVIEW, APPROVED):
            raise Conflict("not_waiting", "这份通知不在审核中，也没有等待发布，请刷新。")
        after = _set(session, notice, {**REVIEW, "state": DRAFT})
        audit.record(session, actor, "notice.taken_back", ("notice", notice_id), before={"state": notice["state"]})
        return after

    return transaction(write)


def review(notice_id: ObjectId, approve: bool, reason: str, revision: int, actor: Actor) -> Document:
    """Approve what somebody else has written, or send it back with a reason. An emergency notice that is published already
    is reviewed in the same way; not approving withdraws it.

    Raises:
        NotFound; Stale: the text is not the one that was seen; Conflict: `not_in_review`, or `own_notice`: the actor has
        written at it; Invalid: `reason_missing`.
    """
    if not approve and not reason:
        raise Invalid("reason_missing", "请写明哪里需要改。", pointer="/reason")

    def write(session: Session) -> Document:
        notice = _covered(notice_id, actor, session)
        afterwards = awaits_review(notice)
        if notice["state"] != IN_REVIEW and not afterwards:
            raise Conflict("not_in_review", "这份通知不在等您审核，可能已有人办了，请刷新。")
        if actor.account_id in notice["authors"]:
            raise Conflict("own_notice", "您参与了编写，请另一位同事审核。")
        if notice["revision"] != revision:
            raise Stale()
        decided = {"reviewer": actor.account_id, "reviewed_at": clock.now()}
        audit.record(
            session, actor, "notice.reviewed", ("notice", notice_id),
            after={"version": notice["version"], "approved": approve, "reason": reason, "afterwards": afterwards},
        )  # fmt: skip
        if afterwards:
            _of_version(session, notice, decided)
            notice = _set(session, notice, decided)
            return notice if approve else _withdraw(session, notice, reason, actor)
        if approve:
            return _set(session, notice, {**decided, "state": APPROVED})
        return _send_back(session, notice, reason, actor)

    return transaction(write)


def awaits_review(notice: Mapping[str, Any]) -> bool:
    """Whether an emergency notice was published by one person and nobody else has looked at it yet."""
    return notice["state"] == PUBLISHED and bool(notice["emergency"]) and not notice["reviewed_at"]


# ---- Publication


def publish(
    notice_id: ObjectId, actor: Actor, *, publish_at: dt.datetime | None = None, emergency_reason: str = ""
) -> Document:
    """Publish an approved notice now, or when the clock says so; an emergency also without review, with a reason.

    In one transaction: the state, the version as it is, whom it is for, and the event `publish_notice`, whose job freezes
    the list and writes to everybody on it.

    Raises:
        NotFound; Conflict: `not_approved`; Invalid: `bad_time`, `expired`, or something is missing in it.
    """

    def write(session: Session) -> Document:
        notice = _covered(notice_id, actor, session)
        if notice["state"] == APPROVED and publish_at is not None:
            return _schedule(session, notice, publish_at, actor)
        if notice["state"] == APPROVED:
            return _publish(session, notice, {}, actor)
        alone = notice["importance"] == EMERGENCY and emergency_reason and publish_at is None
        if notice["state"] in (DRAFT, IN_REVIEW) and alone:
            _own(notice_id, actor, session)
            _check_complete(notice)
            said = {"reason": emergency_reason, "by": actor.account_id, "at": clock.now()}
            return _publish(session, notice, {"emergency": said}, actor)
        raise Conflict("not_approved", "还没有审核通过，不能发布；紧急通知请写明原因。")

    return transaction(write)


def scheduled() -> int:
    """Publish what the clock says; what cannot be published any more goes back to its authors. Returns how many."""
    due = {"state": APPROVED, "publish_at": {"$ne": None, "$lte": clock.now()}}
    published = 0
    for row in collection("notices").find(due, {"_id": 1}):
        try:
            publish(row["_id"], access.system())
            published += 1
        except Conflict:
            pass  # somebody has published it, or taken it back, a moment ago
        except Invalid as error:
            _give_back(row["_id"], error.detail)
    return published


def withdraw(notice_id: ObjectId, reason: str, actor: Actor) -> Document:
    """Take a published notice away from its readers, for good; a correction in the making ends with it.

    Raises:
        NotFound; Conflict: `not_published`.
    """

    def write(session: Session) -> Document:
        return _withdraw(session, _covered(notice_id, actor, session), reason, actor)

    return transaction(write)


def _schedule(session: Session, notice: Document, publish_at: dt.datetime, actor: Actor) -> Document:
    instant = clock.now()
    if not instant < publish_at <= instant + FARTHEST:
        raise Invalid("bad_time", "发布时间应在现在以后、一年以内。", pointer="/publish_at")
    after = _set(session, notice, {"publish_at": publish_at})
    audit.record(session, actor, "notice.scheduled", ("notice", notice["_id"]), after={"publish_at": publish_at})
    return after


def _publish(session: Session, notice: Document, more: Document, actor: Actor) -> Document:
    instant = clock.now()
    if notice["expires_on"] and notice["expires_on"] < clock.today().isoformat():
        raise Invalid("expired", "有效期已经过了，请改有效期再发布。", pointer="/expires_on")
    number = notice["version"]
    _end_in_force(session, notice, SUPERSEDED)
    audience_id = audiences.start(session, notice["_id"], number, notice["audience"], office(notice))
    done = {
        **more, "state": PUBLISHED, "in_force": number, "published_at": instant, "publish_at": None,
        "audience_id": audience_id,
    }  # fmt: skip
    after = _set(session, notice, done)
    kept = (
        *CONTENT, "search", "version", "division", "role", "branch", "author", "authors", "reviewer", "reviewed_at",
        "emergency", "correction_reason", "published_at", "audience_id",
    )  # fmt: skip
    snapshot = {
        "_id": ObjectId(), "notice_id": notice["_id"], **{name: after[name] for name in kept},
        "for_all": after["audience"] == audiences.EVERYBODY and not after["branch"],
        "published_by": actor.account_id, "in_force": True, "ended_at": None, "ended_because": None,
    }  # fmt: skip
    collection("notice_versions").insert_one(snapshot, session=session)
    audit.record(
        session, actor, "notice.published", ("notice", notice["_id"]),
        after={"version": number, "audience_id": audience_id, "emergency": bool(after["emergency"])},
    )  # fmt: skip
    payload = {"notice_id": notice["_id"], "version": number, "audience_id": audience_id}
    outbox.add(
        session, "publish_notice", payload, queue=outbox.MESSAGES, key=f"publish_notice:{cause(notice['_id'], number)}"
    )
    return after


def _withdraw(session: Session, notice: Document, reason: str, actor: Actor) -> Document:
    if not notice["in_force"]:
        raise Conflict("not_published", "这份通知没有发布，或已经撤回，请刷新。")
    kept = version(notice["_id"], notice["in_force"], session)
    _end_in_force(session, notice, WITHDRAWN)
    withdrawal = {"reason": reason, "by": actor.account_id, "at": clock.now()}
    # the sweeper deletes the files of a correction that ends with it
    _release(session, notice["_id"], _file_ids(notice))
    ended = {**_as_published(kept), "state": WITHDRAWN, "in_force": None, "withdrawal": withdrawal}
    after = _set(session, notice, ended)
    audit.record(session, actor, "notice.withdrawn", ("notice", notice["_id"]), after={"reason": reason})
    outbox.add(session, "withdraw_notice", {"notice_id": notice["_id"]}, key=f"withdraw_notice:{notice['_id']}")
    return after


def _end_in_force(session: Session, notice: Document, because: str) -> None:
    collection("notice_versions").update_one(
        {"notice_id": notice["_id"], "in_force": True},
        {"$set": {"in_force": False, "ended_at": clock.now(), "ended_because": because}},
        session=session,
    )


def _send_back(session: Session, notice: Document, reason: str, actor: Actor) -> Document:
    sent_back = {"reason": reason, "by": actor.account_id, "at": clock.now()}
    return _set(session, notice, {**REVIEW, "state": DRAFT, "sent_back": sent_back})


def _give_back(notice_id: ObjectId, why: str) -> None:
    """What could not be published at its time is a draft again, and says why."""

    def write(session: Session) -> None:
        notice = _covered(notice_id, access.system(), session)
        if notice["state"] == APPROVED:
            _send_back(session, notice, f"到了发布时间没有发出：{why}", access.system())
            audit.record(session, access.system(), "notice.not_published", ("notice", notice_id))

    transaction(write)


# ---- Reading, by staff; what retirees read is in models/library.py


def get(notice_id: ObjectId, actor: Actor) -> Document:
    """One notice. Who is below the office that wrote it sees the version in force.

    Raises:
        NotFound: there is none, or it is not this actor's to see.
    """
    require(actor, AUTHORS)
    found = collection("notices").find_one({"$and": [{"_id": notice_id}, _readable(actor)]}, {"search": 0})
    if not found:
        raise not_found()
    return _seen(found, actor)


def listed(actor: Actor, *, state: str = "", q: str = "", page: int = 1, size: int = 20) -> tuple[list[Document], int]:
    """A page of the notices of the actor's area and of the published ones of the offices above, the last changed first."""
    require(actor, AUTHORS)
    where = {"$and": [_readable(actor), *([_in_state(state, actor)] if state else [])]}
    order = [("updated_at", DESCENDING), ("_id", DESCENDING)]
    rows, total = search.page("notices", where, q, order, page=page, size=size)
    return [_seen(row, actor) for row in rows], total


def versions(notice_id: ObjectId, actor: Actor) -> list[Document]:
    """Every published version of a notice, the newest first."""
    get(notice_id, actor)
    return list(collection("notice_versions").find({"notice_id": notice_id}, {"search": 0}).sort("version", DESCENDING))


def file(notice_id: ObjectId, file_id: ObjectId, actor: Actor) -> tuple[Document, bytes]:
    """(entry, bytes) of a picture or an attachment of a notice, or of one of its versions."""
    notice = get(notice_id, actor)
    entry = next(
        (found for held in (notice, *versions(notice_id, actor)) if (found := _find_entry(held, file_id))), None
    )
    if entry is None:
        raise _no_file()
    return entry, files.get(file_id)


def newest_version(notice_id: ObjectId, actor: Actor) -> Document:
    """The last published version of a notice that the actor may see, also when it is over.

    Raises:
        NotFound; Conflict: `not_published`, never yet.
    """
    held = versions(notice_id, actor)
    if not held:
        raise Conflict("not_published", "这份通知还没有发布。")
    return held[0]


def may(notice: Mapping[str, Any], actor: Actor) -> dict[str, bool]:
    """What this actor could do with a notice that they see, for the buttons of its page."""
    covers = actor.covers(notice["division"])
    own = notice["division"] == actor.division
    waits = notice["state"] == IN_REVIEW or awaits_review(notice)
    alone = own and notice["importance"] == EMERGENCY and notice["state"] in (DRAFT, IN_REVIEW)
    return {
        "may_edit": own and notice["state"] == DRAFT,
        "may_review": covers and waits and actor.account_id not in notice["authors"],
        "may_publish": (covers and notice["state"] == APPROVED) or alone,
        "may_withdraw": covers and bool(notice["in_force"]),
        "may_correct": own and notice["state"] == PUBLISHED,
    }


def names(account_ids: Iterable[ObjectId]) -> dict[ObjectId, str]:
    """What the colleagues who wrote and reviewed are called, or the names that they sign in with."""
    found = collection("accounts").find({"_id": {"$in": list(account_ids)}}, {"name": 1, "username": 1})
    return {account["_id"]: account.get("name") or account.get("username") or "" for account in found}


def version(notice_id: ObjectId, number: int, session: Session | None = None) -> Document:
    """One published version, whoever asks: for jobs.

    Raises:
        NotFound: there is none.
    """
    found = collection("notice_versions").find_one({"notice_id": notice_id, "version": number}, session=session)
    if not found:
        raise not_found()
    return found


def cause(notice_id: ObjectId, number: int) -> str:
    """What the messages about one version of a notice have as their cause."""
    return f"{notice_id}:{number}"


def office(notice: Mapping[str, Any]) -> Actor:
    """The office that a notice belongs to: whom it may be for lies in its area."""
    return Actor(notice["role"], division=notice["division"])


# ---- Inside


def _area(actor: Actor) -> Document:
    """The filter on notices of the actor's own area; those of the branch are the branch's."""
    if actor.role == access.SYSTEM:
        return {}
    if actor.role not in AUTHORS or not actor.division:
        return access.NOBODY
    return {"division": inside(actor.division), "branch": actor.role == BRANCH_SECRETARY}


def _readable(actor: Actor) -> Document:
    of_offices_above = {
        "division": {"$in": above(actor.division)},
        "branch": actor.role == BRANCH_SECRETARY,
        "in_force": {"$ne": None},
    }
    return {"$or": [_area(actor), of_offices_above]}


def _in_state(state: str, actor: Actor) -> Document:
    """Published is what readers see, also while its correction is written; what else an office works on is its own."""
    if state == PUBLISHED:
        return {"in_force": {"$ne": None}}
    return {"$and": [{"state": state}, _area(actor)]}


def above(division: str) -> list[str]:
    return [division[:length] for length in divisions.LEVELS if length <= len(division)]


def _seen(notice: Document, actor: Actor) -> Document:
    if actor.covers(notice["division"]) or notice["state"] == PUBLISHED:
        return notice
    kept = version(notice["_id"], notice["in_force"])
    return {**notice, **_as_published(kept), "state": PUBLISHED}


def _covered(notice_id: ObjectId, actor: Actor, session: Session | None = None) -> Document:
    """A notice of the actor's area."""
    require(actor, AUTHORS)
    found = collection("notices").find_one({"$and": [{"_id": notice_id}, _area(actor)]}, session=session)
    if not found:
        raise not_found()
    return found


def _own(notice_id: ObjectId, actor: Actor, session: Session | None = None) -> Document:
    """A notice of the actor's own office."""
    notice = _covered(notice_id, actor, session)
    if notice["division"] != actor.division:
        raise Forbidden("not_your_office", "这份通知由别的单位编写，请审核或退回，不能直接修改。")
    return notice


def _draft(notice_id: ObjectId, actor: Actor, session: Session | None = None) -> Document:
    notice = _own(notice_id, actor, session)
    if notice["state"] != DRAFT:
        raise Conflict("not_a_draft", "这份通知不是草稿，不能修改；请先取回，或者做更正。")
    return notice


def _set(session: Session, notice: Document, fields: Mapping[str, Any]) -> Document:
    """Write fields on a notice that nobody has changed since it was read.

    Raises:
        Stale: somebody was faster.
    """
    after: Document | None = collection("notices").find_one_and_update(
        {"_id": notice["_id"], "revision": notice["revision"]},
        {"$set": {**fields, "updated_at": clock.now()}, "$inc": {"revision": 1}},
        return_document=ReturnDocument.AFTER,
        session=session,
    )
    if after is None:
        raise Stale()
    return after


def _authors(notice: Mapping[str, Any], actor: Actor) -> list[ObjectId | None]:
    """Everybody who has written at this version: none of them reviews it."""
    return list(dict.fromkeys([*notice["authors"], actor.account_id]))


def _of_version(session: Session, notice: Document, fields: Document) -> None:
    where = {"notice_id": notice["_id"], "version": notice["version"]}
    collection("notice_versions").update_one(where, {"$set": fields}, session=session)


def _as_published(kept: Mapping[str, Any]) -> Document:
    """The working copy as a published version was."""
    names = (
        *CONTENT, "version", "author", "authors", "reviewer", "reviewed_at", "emergency", "correction_reason",
        "published_at", "audience_id", "search",
    )  # fmt: skip
    return {**REVIEW, **{name: kept[name] for name in names if name in kept}}


def _check(content: Mapping[str, Any], actor: Actor) -> None:
    audiences.check(content["audience"], actor, "/audience")
    if content["effective_on"] and content["expires_on"] and content["expires_on"] < content["effective_on"]:
        raise Invalid("ends_before_it_begins", "有效期的最后一天不能早于施行日期。", pointer="/expires_on")


def _check_complete(notice: Document) -> None:
    """What a reader needs is there, and every picture in the text lies with the notice."""
    for name, sentence in (
        ("title", "请填写标题。"),
        ("summary", "请用大白话写一段摘要，老人先看的是它。"),
        ("text", "请填写正文。"),
    ):
        if not notice[name].strip():
            raise Invalid(f"{name}_missing", sentence, pointer=f"/{'body' if name == 'text' else name}")
    present = {str(entry["id"]) for entry in notice[PICTURES]}
    if not set(_PICTURE.findall(notice["body"])) <= present:
        raise Invalid("picture_missing", "正文里有一张图片已被删除，请重新插入。", pointer="/body")


def _search(content: Mapping[str, Any]) -> Document:
    return search.indexed(
        title=content["title"],
        number=content["document_number"],
        summary=content["summary"],
        text=f"{content['source']}\n{content['text']}",
    )


def _file_ids(held: Mapping[str, Any]) -> set[ObjectId]:
    return {entry["id"] for part in (PICTURES, ATTACHMENTS) for entry in held.get(part, ())}


def _find_entry(held: Mapping[str, Any], file_id: ObjectId) -> Document | None:
    return next((entry for part in (PICTURES, ATTACHMENTS) for entry in held[part] if entry["id"] == file_id), None)


def entry_of(held: Mapping[str, Any], file_id: ObjectId) -> Document:
    found = _find_entry(held, file_id)
    if found is None:
        raise _no_file()
    return found


def _release(session: Session, notice_id: ObjectId, file_ids: Iterable[ObjectId]) -> list[ObjectId]:
    """Give up the files that no published version shows; returns them, to be deleted after the commit."""
    wanted = set(file_ids)
    for held in collection("notice_versions").find({"notice_id": notice_id}, session=session):
        wanted -= _file_ids(held)
    files.release(session, wanted)
    return list(wanted)


def not_found() -> NotFound:
    return NotFound("notice_not_found", "没有找到这份通知。")


def _no_file() -> NotFound:
    return NotFound("no_such_file", "没有找到这个图片或附件，请刷新再试。")
