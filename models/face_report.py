"""The monthly report on faces 人脸认证月报: the machine compared with people, by community, age band and phone.

A month counts what happened in it, in Asia/Shanghai: attempts by the instant of the machine's verdict, decisions and second
looks by the instant of the answer. So a month that is over does not change, whatever is still waiting then. What the
machine could not judge through nobody's fault of seeing (consent withdrawn, frames lost) is no attempt.

    attempts = passed + reviewed + failed     what the machine said
    approved, refused                         its doubts, decided by people; approved was a needless review
    overturned, upheld                        its refusals that a retiree had a person look at; overturned was a wrong refusal
    same, different, unclear, not_looked      its passes of which chance had people look; different was a wrong pass

The share of wrong passes comes from a sample, so it comes with what it may be at most: the exact upper bound of Clopper and
Pearson (Biometrika 26, 1934), one-sided, 95 %. Looks that were unclear or that nobody had time for are not in it.

Nobody is to be recognised in a table: a group of fewer than five people stands under `other`, and where these are fewer than
five together, the smallest other group goes with them.

On the first of the next month the report is stored, once and for good, as rows of single groups of single communities: they
add up to any street, district or city. People are counted in each community; whoever moves within a month counts in both.
"""

from __future__ import annotations

import datetime as dt
import math
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from pymongo import ASCENDING, IndexModel
from pymongo.errors import DuplicateKeyError

from models import certification_sessions as sessions
from models import clock, face_labels, rules, second_looks
from models.access import AUDITOR, OFFICE, Actor, inside, require
from models.database import Document, Session, collection, transaction
from models.errors import Invalid, NotFound
from models.face_labels import OTHER

READERS = (*OFFICE, AUDITOR)
FEWEST = 5
CONFIDENCE = 0.95
# a transaction that began before midnight has ended by then
PREPARE_AFTER = dt.timedelta(minutes=10)
RULES = ("second_look_per_mille", "second_look_days")

ALL = "all"
DIMENSIONS = (ALL, "age_band", "phone")

INDEXES = {
    "certification_sessions": [
        IndexModel([("checked_at", ASCENDING), ("division", ASCENDING)], name="by_month"),
        IndexModel(
            [("second_look.ended_at", ASCENDING), ("division", ASCENDING)],
            name="looks_by_month",
            partialFilterExpression={"second_look.ended_at": {"$exists": True}},
        ),
    ],
    "face_reports": [],
    "face_report_rows": [
        IndexModel(
            [("month", ASCENDING), ("division", ASCENDING), ("dimension", ASCENDING), ("group", ASCENDING)],
            name="one_a_group",
            unique=True,
        )
    ],
}


@dataclass(frozen=True)
class Source:
    """A collection whose documents are counted by month: which instant, where the groups stand, and what is counted when."""

    name: str
    instant: str
    groups: str
    counts: Mapping[str, Document]


SOURCES = (
    Source(
        "certification_sessions",
        "checked_at",
        "counted.",
        {
            "passed": {"counted.outcome": sessions.PASS},
            "reviewed": {"counted.outcome": sessions.REVIEW},
            "failed": {"counted.outcome": sessions.FAIL},
        },
    ),
    Source(
        "face_labels",
        "decided_at",
        "",
        {
            "approved": {"source": face_labels.REVIEW, "said": face_labels.APPROVED},
            "refused": {"source": face_labels.REVIEW, "said": face_labels.REFUSED},
            "overturned": {"source": face_labels.REVIEW_ASKED, "said": face_labels.APPROVED},
            "upheld": {"source": face_labels.REVIEW_ASKED, "said": face_labels.REFUSED},
        },
    ),
    Source(
        "certification_sessions",
        "second_look.ended_at",
        "counted.",
        {state: {"second_look.state": state} for state in second_looks.STATES if state != second_looks.WAITING},
    ),
)
COUNTS = tuple(name for source in SOURCES for name in source.counts)


def report(month: str, division: str, actor: Actor) -> Document:
    """The report of a month (YYYY-MM) and a place in the actor's area, "" for all of it; the current month as it stands now.

    {month, division, prepared_at, totals, communities, ages, phones, policies, models, evaluations, rules}; `totals` and each
    of the rows: {group, people, attempts, the counts above, shares of them between 0 and 1 or None}.

    Raises:
        Invalid: the month has not begun. NotFound: the place is outside the area.
    """
    require(actor, READERS)
    prefix = _place(division, actor)
    if month > f"{clock.today():%Y-%m}":
        raise Invalid("in_the_future", "这个月还没有开始，请选本月或以前的月份。", pointer="/month")
    stored = collection("face_reports").find_one({"_id": month})
    if stored:
        rows = list(collection("face_report_rows").find({"month": month, "division": inside(prefix)}))
    else:
        stored = {"prepared_at": None, **_in_force(month, prefix)}
        rows = tally(month, prefix)
    communities = _grouped((row["division"], row) for row in rows if row["dimension"] == ALL)
    ages = _grouped((row["group"], row) for row in rows if row["dimension"] == "age_band")
    phones = _grouped((row["group"], row) for row in rows if row["dimension"] == "phone")
    return {
        "month": month,
        "division": prefix,
        "prepared_at": stored["prepared_at"],
        "totals": _shown("", sum(communities.values(), Counter())),
        "communities": [_shown(code, found) for code, found in _merged(communities)],
        "ages": [_shown(band, found) for band, found in _merged(ages)],
        "phones": sorted(
            (_shown(phone, found) for phone, found in _merged(phones)),
            key=lambda row: (row["group"] == OTHER, -row["attempts"], row["group"]),
        ),
        **{name: stored[name] for name in ("policies", "models", "evaluations")},
        "rules": [rule for rule in stored["rules"] if _touches(rule["division"], prefix)],
    }


def prepare() -> str | None:
    """Store the report of the month that is over, unless it is stored; returns the month that was."""
    begun = clock.start_of(clock.today().replace(day=1))
    if clock.now() < begun + PREPARE_AFTER:
        return None
    month = f"{clock.add_months(clock.today(), -1):%Y-%m}"
    if collection("face_reports").find_one({"_id": month}, {"_id": 1}):
        return None
    rows = [{"month": month, **row} for row in tally(month, "")]
    header = {"_id": month, "prepared_at": clock.now(), **_in_force(month, "")}

    def write(session: Session) -> None:
        collection("face_reports").insert_one(header, session=session)
        if rows:
            collection("face_report_rows").insert_many([dict(row) for row in rows], session=session)

    try:
        transaction(write)
    except DuplicateKeyError:
        return None  # another process was faster
    return month


def tally(month: str, prefix: str) -> list[Document]:
    """Count a month: {division (a community), dimension, group, people, and every count} a row, without what is nought."""
    rows: dict[tuple[str, str, str], Counter[str]] = {}
    for source in SOURCES:
        for dimension in DIMENSIONS:
            for found in collection(source.name).aggregate(_pipeline(source, dimension, month, prefix)):
                key = (found["_id"]["division"], dimension, found["_id"]["group"])
                counts = Counter({name: found[name] for name in source.counts})
                if source is SOURCES[0]:
                    counts["people"] = found["people"]
                rows.setdefault(key, Counter()).update(counts)
    return [
        {"division": division, "dimension": dimension, "group": group, **+counts}
        for (division, dimension, group), counts in sorted(rows.items())
    ]


def at_most(found: int, tried: int) -> float | None:
    """The upper bound of a rate of which a sample of `tried` showed `found`: one-sided, exact, 95 %.

    It is the rate at which so few would be found in one sample of twenty only. None found in 100: at most 3.0 %.
    """
    if not tried:
        return None
    if found >= tried:
        return 1.0
    low, high = found / tried, 1.0
    for _ in range(50):
        middle = (low + high) / 2
        if _chance_of_at_most(found, tried, middle) > 1 - CONFIDENCE:
            low = middle
        else:
            high = middle
    return high


def _chance_of_at_most(found: int, tried: int, rate: float) -> float:
    """The binomial distribution, by logarithms so that no number of looks is too large."""
    return math.fsum(
        math.exp(
            math.lgamma(tried + 1) - math.lgamma(count + 1) - math.lgamma(tried - count + 1)
            + count * math.log(rate) + (tried - count) * math.log1p(-rate)
        )
        for count in range(found + 1)
    )  # fmt: skip


def _place(division: str, actor: Actor) -> str:
    """The prefix that is asked for. An auditor without a division sees the whole house, as in the audit log."""
    if (actor.role != AUDITOR and not actor.division) or not (division or actor.division).startswith(actor.division):
        raise NotFound("division_not_found", "这个地区不在您的管理范围内，请重新选择。")
    return division or actor.division


def _during(month: str) -> Document:
    first = dt.date.fromisoformat(f"{month}-01")
    return {"$gte": clock.start_of(first), "$lt": clock.start_of(clock.add_months(first, 1))}


def _pipeline(source: Source, dimension: str, month: str, prefix: str) -> list[Document]:
    """Counts by community and group. First by person, so that people are counted once, then of all people."""
    group: Any = {"$literal": ""} if dimension == ALL else f"${source.groups}{dimension}"
    place = {"division": "$division", "group": group}
    counts = {
        name: {"$sum": {"$cond": [{"$and": [{"$eq": [f"${path}", value]} for path, value in when.items()]}, 1, 0]}}
        for name, when in source.counts.items()
    }
    return [
        {"$match": {source.instant: _during(month), "division": inside(prefix), "$or": list(source.counts.values())}},
        {"$group": {"_id": {**place, "retiree": "$retiree_id"}, **counts}},
        {
            "$group": {
                "_id": {"division": "$_id.division", "group": "$_id.group"},
                "people": {"$sum": 1},
                **{name: {"$sum": f"${name}"} for name in source.counts},
            }
        },
    ]


def _in_force(month: str, prefix: str) -> Document:
    """By what the attempts of the month were judged: policies, networks, evaluations, and the rules of its last day."""
    where = {"checked_at": _during(month), "division": inside(prefix), "counted.outcome": {"$ne": None}}
    named = {"policies": "policy", "models": "model", "evaluations": "match.evaluation"}
    found = collection("certification_sessions").aggregate(
        [
            {"$match": where},
            {"$group": {"_id": None, **{name: {"$addToSet": f"$figures.{path}"} for name, path in named.items()}}},
        ]
    )
    used = next(iter(found), {})
    last = min(clock.add_months(dt.date.fromisoformat(f"{month}-01"), 1) - dt.timedelta(days=1), clock.today())
    return {
        **{name: sorted(used.get(name, [])) for name in named},
        "rules": [record.as_document() for key in RULES for record in _effective(key, last)],
    }


def _effective(key: str, on: dt.date) -> list[rules.Rule]:
    """The record of each place that decides on a day there."""
    latest: dict[str, rules.Rule] = {}
    for record in rules.in_force(key, on):
        held = latest.setdefault(record.division, record)
        if record.valid_from > held.valid_from:
            latest[record.division] = record
    return [latest[division] for division in sorted(latest)]


def _grouped(rows: Iterable[tuple[str, Document]]) -> dict[str, Counter[str]]:
    groups: dict[str, Counter[str]] = {}
    for group, row in rows:
        groups.setdefault(group, Counter()).update({name: row.get(name, 0) for name in ("people", *COUNTS)})
    return groups


def _merged(groups: Mapping[str, Counter[str]]) -> list[tuple[str, Counter[str]]]:
    """The groups in order, those of fewer than FEWEST people under OTHER, which stands last and is never so small itself."""
    small = {group for group, found in groups.items() if group == OTHER or found["people"] < FEWEST}
    larger = sorted(groups.keys() - small, key=lambda group: (groups[group]["people"], group))
    while small and larger and sum(groups[group]["people"] for group in small) < FEWEST:
        small.add(larger.pop(0))
    rest = [(OTHER, sum((groups[group] for group in small), Counter()))] if small else []
    return [*((group, groups[group]) for group in sorted(larger)), *rest]


def _shown(group: str, counts: Counter[str]) -> Document:
    """One row with its sums and shares."""
    row: Document = {"group": group, **{name: counts[name] for name in ("people", *COUNTS)}}
    row["attempts"] = row["passed"] + row["reviewed"] + row["failed"]
    row["looked"] = row["same"] + row["different"]
    wrong_at_most = at_most(row["different"], row["looked"])
    return row | {
        "pass_share": _share(row["passed"], row["attempts"]),
        "review_share": _share(row["reviewed"], row["attempts"]),
        "fail_share": _share(row["failed"], row["attempts"]),
        "needless_share": _share(row["approved"], row["approved"] + row["refused"]),
        "wrong_pass_share": _share(row["different"], row["looked"]),
        "wrong_pass_at_most": None if wrong_at_most is None else math.ceil(round(wrong_at_most * 10_000, 6)) / 10_000,
    }


def _share(part: int, whole: int) -> float | None:
    return round(part / whole, 4) if whole else None


def _touches(division: str, prefix: str) -> bool:
    """Whether a rule of one place says anything about another."""
    return division.startswith(prefix) or prefix.startswith(division)
