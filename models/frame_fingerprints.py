"""What frames looked like, so that a film that is played again is known again. The rule, in prose:

**What is kept** of a frame that shows something: its digest (SHA-256 of the file: equal where the same file is sent again) and,
of up to 4 neutral frames and 3 of each action, spread over the whole part, a fingerprint (256 bits of what the picture looks
like, faces/fingerprint.py), with session, retiree and time. That is 13 fingerprints for three actions: enough to count
shares, few enough to search. A frame that shows nothing leaves nothing: covered lenses are all alike.

**Alike** is a fingerprint at most 15 of 256 bits from one of another session. A frame encoded again at random (JPEG quality 40
to 95, half to one and a half times the size, up to 15 % brighter or darker) moved 10 bits at the most in 1,500 trials; an even
crop of 2 to 5 % or a tilt of 1 to 3 degrees, undone, 4 to 10 in the middle and 26 at the most. Among 207 frames of a living man
with a telephone in his hand, two that lie more than 2 s apart differ by 16 bits at the least, more than 5 s apart by 24;
photographs of different people by 70. That is one man and one film: a telephone on a stand is nearer, which is why one frame
never fails anybody.

**Played again** (`fail`) is an attempt of which one file was sent in another session, or of which half the searched frames,
three at the least, in two parts at the least, are alike to frames of others. One look straight ahead may be repeated by chance;
half an attempt with its actions is not. Fewer than that, but one: a person looks (`review`). A film of which one side or
corner was cropped away often ends there.

**Used twice** (`review`) is a part of an attempt of which half or more, file by file, stands in another part as well. A camera
that stalls gives the last picture of one part as the first of the next; that is nobody's fault.

**Never against oneself**: frames of the same session do not count, so a check that is done again after a crash finds what it
found before. Nor do those that were noted more than a minute later: whoever was first stays first. A session notes its
frames before it looks, so of two checks at the same moment at least one sees the other; within that minute both may.

**Whose** frames: the person's own are compared with every way in which the picture may have been altered, those of all others
with a mirror and an even crop undone. The others are found by bands: two fingerprints that differ by at most 15 bits have one
of their sixteen words of 16 bits in common, and those words stand in one index.

Kept for as long as the rule `fingerprints_keep_days` says, deleted at once with the person's consent.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby
from typing import Any

from bson import ObjectId
from bson.binary import Binary
from pymongo import ASCENDING, DESCENDING, IndexModel

from models import clock, rules
from models.database import Document, Session, collection, transaction

ALIKE = 15
WORDS = 16

NEUTRAL_SEARCHED = 4
ACTION_SEARCHED = 3

LEAST_FRAMES = 3
REUSED = 0.5
LEAST_PARTS = 2

SAME_MOMENT = clock.seconds(60)
OWN_COMPARED = 500
"""Fingerprints of the same person that are compared at most, the latest: about forty attempts."""
OTHERS_COMPARED = 20_000
"""Candidates of other people that are compared at most."""

INDEXES = {
    "frame_fingerprints": [
        IndexModel(
            [("session_id", ASCENDING), ("number", ASCENDING)],
            name="once",
            unique=True,
            partialFilterExpression={"number": {"$exists": True}},
        ),
        IndexModel("digest", name="by_digest"),
        IndexModel("words", name="by_word"),
        IndexModel([("retiree_id", ASCENDING), ("at", DESCENDING)], name="by_retiree"),
        IndexModel("forget_at", name="forget", expireAfterSeconds=0),
    ]
}


@dataclass(frozen=True)
class Picture:
    """One frame as the worker sees it.

    `looks` are fingerprints of 32 bytes: its own, then those of the pictures that it may have been made of, of which the
    first `straight` serve for the search among others. () where it is kept by its digest only.
    """

    number: int
    part: str
    digest: str
    looks: tuple[bytes, ...] = field(default=(), repr=False)
    straight: int = 1


@dataclass(frozen=True)
class Seen:
    """What of an attempt had been there before.

    `exact` files and `alike` frames of `searched`, in `parts` parts of the attempt. `repeated` is the share of a
    part that stands in another part of this very attempt, of the part of which it is most. `retiree_ids` are the other people
    of whose sessions the film was, where it was played again.
    """

    exact: int = 0
    alike: int = 0
    searched: int = 0
    parts: int = 0
    repeated: float = 0.0
    retiree_ids: tuple[ObjectId, ...] = ()

    @property
    def played_again(self) -> bool:
        enough = max(LEAST_FRAMES, (self.searched + 1) // 2)
        return self.exact > 0 or (self.alike >= enough and self.parts >= LEAST_PARTS)

    @property
    def doubtful(self) -> bool:
        return self.alike > 0 and not self.played_again

    @property
    def reused(self) -> bool:
        return self.repeated >= REUSED

    @property
    def figures(self) -> dict[str, float]:
        """What staff may see: numbers, and whether it concerns somebody else, never whom."""
        counted = {"exact": self.exact, "alike": self.alike, "searched": self.searched, "parts": self.parts}
        return {**counted, "repeated": self.repeated, "other_people": len(self.retiree_ids)}


def searched(parts: Sequence[str], neutral: str) -> set[int]:
    """The numbers of the frames whose fingerprints are kept and searched for, spread over each part."""
    chosen: set[int] = set()
    for part, block in groupby(range(len(parts)), key=lambda number: parts[number]):
        numbers = list(block)
        most = min(len(numbers), NEUTRAL_SEARCHED if part == neutral else ACTION_SEARCHED)
        chosen |= {numbers[place * len(numbers) // most] for place in range(most)}
    return chosen


def seen_before(attempt: Mapping[str, Any], pictures: Sequence[Picture]) -> Seen:
    """Note the frames of a session that waits for its verdict, once, and look for them in the sessions before it."""
    noted_at = transaction(lambda session: _note(session, attempt, pictures))
    if noted_at is None:
        return Seen()
    before = {"session_id": {"$ne": attempt["_id"]}, "at": {"$lte": noted_at + SAME_MOMENT}}
    rows = collection("frame_fingerprints")
    digests = {picture.digest for picture in pictures}
    same = list(rows.find({"digest": {"$in": list(digests)}, **before}, {"digest": 1, "retiree_id": 1}))
    sent = {row["digest"] for row in same}
    from_whom = {row["retiree_id"] for row in same}

    own, others = _own(attempt, before), _others(attempt, pictures, before)
    alike: dict[int, str] = {}
    for picture in pictures:
        looks = [int.from_bytes(look) for look in picture.looks]
        straight = looks[: picture.straight]
        found = {
            retiree_id
            for tried, kept in ((looks, own), (straight, others))
            for retiree_id, fingerprints in kept.items()
            if any((look ^ fingerprint).bit_count() <= ALIKE for fingerprint in fingerprints for look in tried)
        }
        if found:
            alike[picture.number] = picture.part
            from_whom |= found
    seen = Seen(
        exact=sum(picture.digest in sent for picture in pictures),
        alike=len(alike),
        searched=sum(bool(picture.looks) for picture in pictures),
        parts=len(set(alike.values())),
        repeated=_repeated(pictures),
        retiree_ids=tuple(sorted(from_whom - {attempt["retiree_id"]})),
    )
    # a doubt names nobody
    return seen if seen.played_again else replace(seen, retiree_ids=())


def forget(session: Session, retiree_id: ObjectId) -> None:
    """Consent was withdrawn: nothing of the person's frames remains."""
    collection("frame_fingerprints").delete_many({"retiree_id": retiree_id}, session=session)


def _note(session: Session, attempt: Mapping[str, Any], pictures: Sequence[Picture]) -> dt.datetime | None:
    """Write the rows, once a session; returns when that was, or None where the session is over.

    It writes to the session as a withdrawal of consent does: of two at once one is run again and sees the other, so no
    fingerprint is written behind a withdrawal.
    """
    sessions = collection("certification_sessions")
    instant = clock.now()
    held = sessions.find_one_and_update(
        {"_id": attempt["_id"], "open": True},
        {"$min": {"frames_noted_at": instant}},
        {"frames_noted_at": 1},
        session=session,
    )
    if held is None:
        return None
    if "frames_noted_at" in held:
        noted: dt.datetime = held["frames_noted_at"]
        return noted
    days = rules.number("fingerprints_keep_days", clock.day_of(instant), attempt["division"])
    rows = [
        {
            "session_id": attempt["_id"],
            "retiree_id": attempt["retiree_id"],
            "number": picture.number,
            "digest": picture.digest,
            "at": instant,
            "forget_at": instant + clock.days(days),
            **({"fingerprint": Binary(picture.looks[0]), "words": _words(picture.looks[0])} if picture.looks else {}),
        }
        for picture in pictures
    ]
    if rows:
        collection("frame_fingerprints").insert_many(rows, session=session)
    return instant


def _own(attempt: Mapping[str, Any], before: Document) -> dict[ObjectId, list[int]]:
    where = {"retiree_id": attempt["retiree_id"], "fingerprint": {"$exists": True}, **before}
    rows = collection("frame_fingerprints").find(where, {"fingerprint": 1}).sort("at", DESCENDING).limit(OWN_COMPARED)
    return {attempt["retiree_id"]: [int.from_bytes(row["fingerprint"]) for row in rows]}


def _others(attempt: Mapping[str, Any], pictures: Sequence[Picture], before: Document) -> dict[ObjectId, list[int]]:
    """Fingerprints of other people that share a word with one of the straight looks: everything alike, and some chance."""
    words = {word for picture in pictures for look in picture.looks[: picture.straight] for word in _words(look)}
    where = {"words": {"$in": list(words)}, "retiree_id": {"$ne": attempt["retiree_id"]}, **before}
    found: dict[ObjectId, list[int]] = defaultdict(list)
    shown = {"_id": 0, "fingerprint": 1, "retiree_id": 1}
    for row in collection("frame_fingerprints").find(where, shown).limit(OTHERS_COMPARED):
        found[row["retiree_id"]].append(int.from_bytes(row["fingerprint"]))
    return found


def _words(fingerprint: bytes) -> list[int]:
    """Its sixteen words of 16 bits, each with its place, as numbers of 20 bits."""
    return [place << 16 | int.from_bytes(fingerprint[2 * place : 2 * place + 2]) for place in range(WORDS)]


def _repeated(pictures: Sequence[Picture]) -> float:
    parts = defaultdict(set)
    for picture in pictures:
        parts[picture.digest].add(picture.part)
    again = Counter(picture.part for picture in pictures if len(parts[picture.digest]) > 1)
    sizes = Counter(picture.part for picture in pictures)
    return max((again[part] / size for part, size in sizes.items()), default=0.0)
