"""Places: codes of the administrative division and their names (4 digits a city, 6 a county, 9 a street, 12 a community)."""

from __future__ import annotations

from pymongo import IndexModel

from models.access import Actor, inside
from models.database import Document, collection
from models.errors import Invalid

LEVELS = {4: "city", 6: "district", 9: "street", 12: "community"}

INDEXES: dict[str, list[IndexModel]] = {"divisions": [IndexModel("name", name="by_name")]}


def put(code: str, name: str) -> None:
    """Add a place or rename it."""
    if len(code) not in LEVELS or not code.isascii() or not code.isdigit():
        raise Invalid("bad_division", "行政区划代码应为4、6、9或12位数字。", pointer="/division")
    collection("divisions").update_one({"_id": code}, {"$set": {"name": name, "level": LEVELS[len(code)]}}, upsert=True)


def name(code: str) -> str:
    """The place's own name, or its code where it is not known."""
    found = collection("divisions").find_one({"_id": code})
    return str(found["name"]) if found else code


def full_name(code: str) -> str:
    """The names from the city down, as people say them."""
    prefixes = [code[:length] for length in LEVELS if length <= len(code)]
    names = {row["_id"]: row["name"] for row in collection("divisions").find({"_id": {"$in": prefixes}})}
    return "".join(names.get(prefix, "") for prefix in prefixes) or code


def visible(actor: Actor, within: str = "") -> list[Document]:
    """The places inside the actor's area, and inside `within`, in order of their codes."""
    if not actor.division:
        return []
    prefix = within if within.startswith(actor.division) else actor.division
    return list(collection("divisions").find({"_id": inside(prefix)}).sort("_id"))


def find_community(text: str, actor: Actor) -> str | None:
    """The community that a clerk means by a code or a name, inside the actor's area; None where none or several fit."""
    text = text.strip()
    if text.isdigit():
        found = collection("divisions").find_one({"_id": text, "level": "community"})
        return text if found and actor.covers(text) else None
    names = [text] if text.endswith(("社区", "村")) else [text, f"{text}社区", f"{text}村"]
    matches = [
        row["_id"]
        for row in collection("divisions").find({"name": {"$in": names}, "level": "community"})
        if actor.covers(row["_id"])
    ]
    return str(matches[0]) if len(matches) == 1 else None


def names(codes: set[str]) -> dict[str, str]:
    """The names of several places at once."""
    return {row["_id"]: row["name"] for row in collection("divisions").find({"_id": {"$in": list(codes)}})}
