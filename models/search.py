"""Search in Chinese without a search server: every pair of neighbouring characters is a word of an indexed array.

`indexed()` makes what a document keeps under `search`, `page()` finds and ranks. Text and question go through the same
normalisation: full width is half width (Unicode NFKC), capitals are small, traditional characters are simplified (OpenCC,
character by character, so that a part of a text always becomes the same as in the whole). Brackets and spaces separate:
人社厅发〔2018〕107号 is found by 人社厅发[2018]107号, by 2018 107 and by 107号.

A question is cut at words that ask and do not name (怎么, 吗, 的): 养老金怎么认证 asks for 养老金 and 认证. Every word of
it has to be there; where nothing has them all, two thirds of them are enough. First comes what has the words
together in its title or document number, then in its summary, then in its text.
"""

from __future__ import annotations

import functools
import math
import re
import unicodedata
from collections.abc import Sequence
from typing import Any

import opencc

from models.database import Document, collection

HAN = "〇\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_RUN = re.compile(rf"[{HAN}]+|[^\W_{HAN}]+")
_ASKING = re.compile("怎么办|怎么样|怎么|怎样|如何|什么|哪里|哪儿|多少|请问|可以|能不能|是不是|吗|呢|的|了|我|想|要")
# a text of 20,000 characters is a long law; what stands behind it is found by what stands before it
INDEXED_CHARACTERS = 20_000
ASKED_CHARACTERS = 50
WEIGHTS = {"title": 8, "number": 8, "summary": 4, "text": 2}


def indexed(*, title: str, number: str = "", summary: str = "", text: str = "") -> Document:
    """What a document keeps to be found: `words`, and each part without anything but its letters and digits."""
    parts = {"title": title, "number": number, "summary": summary, "text": text[:INDEXED_CHARACTERS]}
    words = _pairs(_runs("\n".join(parts.values())))
    # one character alone names little: it is looked for where little is written
    words |= {char for run in _runs(f"{title}\n{number}\n{summary}") if _is_han(run) for char in run}
    return {"words": sorted(words), **{name: "".join(_runs(part)) for name, part in parts.items()}}


def page(
    name: str, where: Document, q: str, order: Sequence[tuple[str, int]], *, page: int = 1, size: int = 20
) -> tuple[list[Document], int]:
    """A page of a collection's documents of `where` that answer the question, the best first, then by `order`; and how
    many there are. Without a question only by `order`."""
    if not q.strip():
        found = collection(name).find(where, {"search": 0}).sort(list(order)).skip((page - 1) * size).limit(size)
        return list(found), collection(name).count_documents(where)
    phrases, words = _asked(q[:ASKED_CHARACTERS])
    if not words:
        return [], 0
    points = _points(phrases)
    ids, total = _ranked(name, {"$and": [where, {"search.words": {"$all": words}}]}, points, order, page, size)
    if not total:
        hits: Document = {"$size": {"$setIntersection": ["$search.words", words]}}
        most = {"$expr": {"$gte": [hits, math.ceil(len(words) * 2 / 3)]}}
        some = {"$and": [where, {"search.words": {"$in": words}}, most]}
        ids, total = _ranked(name, some, [hits, *points], order, page, size)
    rows = {row["_id"]: row for row in collection(name).find({"_id": {"$in": ids}}, {"search": 0})}
    return [rows[one] for one in ids if one in rows], total


def _ranked(
    name: str, matching: Document, points: list[Document], order: Sequence[tuple[str, int]], page: int, size: int
) -> tuple[list[Any], int]:
    """The ids of a page of what matches, and how many there are. Only what is compared goes through the sorting."""
    keys = dict(order)
    (found,) = collection(name).aggregate(
        [
            {"$match": matching},
            {"$project": {**dict.fromkeys(keys, 1), "rank": {"$add": points}}},
            {"$sort": {"rank": -1, **keys}},
            {
                "$facet": {
                    "rows": [{"$skip": (page - 1) * size}, {"$limit": size}, {"$project": {"_id": 1}}],
                    "all": [{"$count": "count"}],
                }
            },
        ]
    )
    return [row["_id"] for row in found["rows"]], found["all"][0]["count"] if found["all"] else 0


def _points(phrases: list[str]) -> list[Document]:
    """Points for each phrase that stands as a whole in a part of the document."""
    return [
        {"$cond": [{"$gte": [{"$indexOfBytes": [f"$search.{part}", {"$literal": phrase}]}, 0]}, points, 0]}
        for phrase in phrases
        for part, points in WEIGHTS.items()
    ]


def _asked(q: str) -> tuple[list[str], list[str]]:
    """The phrases of a question, itself first, and the words of the index that stand for it."""
    whole = _runs(q)
    runs = _runs(_ASKING.sub(" ", _normal(q))) or whole
    words = _pairs(runs) or {char for run in runs for char in run}
    return list(dict.fromkeys(["".join(whole), *runs])), sorted(words)


def _runs(text: str) -> list[str]:
    return _RUN.findall(_normal(text))


def _pairs(runs: list[str]) -> set[str]:
    """Every pair of neighbours of Chinese runs, every other run as it is."""
    pairs = {run[at : at + 2] for run in runs if _is_han(run) for at in range(len(run) - 1)}
    return pairs | {run for run in runs if not _is_han(run)}


def _is_han(run: str) -> bool:
    return re.match(f"[{HAN}]", run) is not None


def _normal(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold().translate(_simplified())


@functools.cache
def _simplified() -> dict[int, Any]:
    """Each traditional character of the common block and its simplified form."""
    characters = [chr(code) for code in range(0x4E00, 0xA000)]
    simple = opencc.OpenCC("t2s").convert("\n".join(characters)).split("\n")
    return {ord(old): new for old, new in zip(characters, simple, strict=True) if old != new}
