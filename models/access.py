"""Who may see whom: an actor has a role and a division prefix, and every query on people is scoped by them.

A forgotten check returns nothing instead of everything: `scope()` of a role that has no business with people, or of an
actor whose division is empty, matches no document.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from bson import ObjectId

from models.errors import Forbidden

RETIREE = "retiree"
FAMILY = "family"
COMMUNITY = "community"
STREET = "street"
DISTRICT = "district"
CITY = "city"
ARCHIVE_KEEPER = "archive_keeper"
BRANCH_SECRETARY = "branch_secretary"
ENTERPRISE = "enterprise"
AUDITOR = "auditor"
ADMINISTRATOR = "administrator"
SYSTEM = "system"

PUBLIC_ROLES = (RETIREE, FAMILY)
OFFICE = (COMMUNITY, STREET, DISTRICT, CITY)
STAFF_ROLES = (*OFFICE, ARCHIVE_KEEPER, BRANCH_SECRETARY, ENTERPRISE, AUDITOR, ADMINISTRATOR)
BY_DIVISION = (*OFFICE, ARCHIVE_KEEPER, BRANCH_SECRETARY)

NOBODY: dict[str, Any] = {"_id": {"$in": []}}


@dataclass(frozen=True)
class Actor:
    """Somebody who acts, and from where. `division` is a prefix of administrative codes, "" sees nobody."""

    role: str
    account_id: ObjectId | None = None
    division: str = ""
    retiree_ids: tuple[ObjectId, ...] = ()
    enterprise: str | None = None
    ip: str = ""
    request_id: str = ""

    @property
    def is_staff(self) -> bool:
        return self.role in STAFF_ROLES

    def scope(self) -> dict[str, Any]:
        """The filter on `retirees` that this actor's every query carries."""
        if self.role == SYSTEM:
            return {}
        if self.role in PUBLIC_ROLES:
            return {"_id": {"$in": list(self.retiree_ids)}}
        if self.role == BRANCH_SECRETARY and self.division:
            return {"division": inside(self.division), "party_member": True}
        if self.role in BY_DIVISION and self.division:
            return {"division": inside(self.division)}
        if self.role == ENTERPRISE and self.enterprise:
            return {"enterprise": self.enterprise}
        return NOBODY

    def sees(self, person: Mapping[str, Any]) -> bool:
        """Whether a person that was read already lies in the scope; the same rule as `scope()`."""
        if self.role == ENTERPRISE:
            return bool(self.enterprise) and person.get("enterprise") == self.enterprise
        if self.role == BRANCH_SECRETARY and not person.get("party_member"):
            return False
        return self.role == SYSTEM or (self.role in BY_DIVISION and self.covers(person["division"]))

    def area(self) -> dict[str, Any]:
        """The filter on documents that carry a division of their own (imports, reviews, follow-ups)."""
        if self.role == SYSTEM:
            return {}
        if self.role in OFFICE and self.division:
            return {"division": inside(self.division)}
        return NOBODY

    def covers(self, division: str) -> bool:
        """Whether a place lies inside this actor's area."""
        return self.role == SYSTEM or (self.is_staff and bool(self.division) and division.startswith(self.division))


def system(request_id: str = "") -> Actor:
    """The actor of what nobody asked for: jobs and the clock."""
    return Actor(SYSTEM, request_id=request_id)


def inside(prefix: str) -> dict[str, str]:
    """Codes that begin with a prefix, as a range, so that the index serves it (":" follows "9")."""
    return {"$gte": prefix, "$lt": prefix + ":"}


def require(actor: Actor, roles: Iterable[str]) -> None:
    """Raises Forbidden unless the actor has one of the roles."""
    if actor.role != SYSTEM and actor.role not in tuple(roles):
        raise Forbidden()
