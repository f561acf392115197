"""Retirees: the ledger of people."""

from __future__ import annotations

from typing import Any

import marshmallow as ma
from bson import ObjectId

from api.identity import allow, current
from api.problems import problems
from api.resource import Day, Division, Filters, Id, Instant, Resource, Schema, Text, choice, idempotent, tag, versioned
from models import certifications, consents, divisions, masking, people
from models.access import ARCHIVE_KEEPER, BRANCH_SECRETARY, ENTERPRISE, FAMILY, OFFICE, RETIREE, Actor
from models.database import Document

blueprint = Resource("retirees", __name__, url_prefix="/retirees", description="退休人员")

READERS = (*OFFICE, ARCHIVE_KEEPER, BRANCH_SECRETARY, ENTERPRISE)
EVERYONE = (RETIREE, FAMILY, *READERS)
# Party membership is sensitive (PIPL article 28): the person's own and the branch's
PARTY_READERS = (RETIREE, FAMILY, BRANCH_SECRETARY)
# Health and hardship are nobody's business but the person's and the community's that helps
CARE = ("health", "hardship", "liveness_note", "emergency_contact", "emergency_phone")
CARE_READERS = (RETIREE, FAMILY, *OFFICE)
REVEALED = ("id_number", "phone", "address", "emergency_phone")
PHONE_TEXT = ma.validate.Regexp(
    r"^(1[3-9][0-9]{9}|(0[0-9]{2,3}-?)?[0-9]{7,8})?\Z", error="请填写11位手机号，或带区号的座机。"
)
NAME_TEXT = ma.validate.Regexp(
    r"^[\u2e80-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]+(·[\u2e80-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]+)*\Z",
    error="姓名请照身份证填写汉字。",
)


class CertificationState(Schema):
    state = ma.fields.String(metadata={"description": " | ".join(certifications.STATES)})
    last_certified_on = Day(allow_none=True)
    due_on = Day()
    suspended_on = Day(allow_none=True, metadata={"description": "what the pension office decided; noted by staff"})


class RetireeFields(Schema):
    """What a worker may fill in."""

    name = Text(25, 2, validate=[NAME_TEXT])
    recognised_birth = Day(metadata={"description": "档案认定的出生日期，可与身份证不同"})
    phone = ma.fields.String(allow_none=True, validate=PHONE_TEXT)
    phone_owner = Text(20, allow_none=True)
    address = Text(200, allow_none=True)
    hukou_place = Text(100, allow_none=True)
    native_place = Text(100, allow_none=True)
    retired_on = Day(allow_none=True)
    retirement_kind = ma.fields.String(allow_none=True, validate=choice(people.RETIREMENT_KINDS))
    veteran = ma.fields.Boolean(allow_none=True)
    combat_or_test = ma.fields.Boolean(allow_none=True)
    health = ma.fields.String(allow_none=True, validate=choice(people.HEALTH))
    hardship = ma.fields.List(Text(20, 1), validate=ma.validate.Length(max=10))
    enterprise = Text(100, allow_none=True)
    enterprise_level = ma.fields.String(allow_none=True, validate=choice(people.ENTERPRISE_LEVELS))
    division = Division(r"^\d{12}\Z")
    residence_kind = ma.fields.String(allow_none=True, validate=choice(people.RESIDENCE_KINDS))
    pension_source = Text(20, allow_none=True)
    emergency_contact = Text(20, allow_none=True)
    emergency_phone = ma.fields.String(allow_none=True, validate=PHONE_TEXT)
    liveness_note = Text(200, allow_none=True, metadata={"description": "不能做动作的原因；填写后不再要求做动作"})
    verification = ma.fields.String(validate=choice(people.VERIFICATION))


class NewRetiree(RetireeFields):
    name = Text(25, 2, required=True, validate=[NAME_TEXT])
    id_number = Text(20, 15, required=True)
    division = Division(r"^\d{12}\Z", required=True)
    sex = ma.fields.String(validate=choice(("male", "female")))


class RetireeChanges(RetireeFields):
    status = ma.fields.String(validate=choice(people.STATUSES))
    status_reason = Text(200, allow_none=True)
    died_on = Day(allow_none=True)


class RetireeSummary(Schema):
    id = Id()
    name = ma.fields.String()
    sex = ma.fields.String()
    birth = Day(allow_none=True)
    id_number = ma.fields.String(metadata={"description": "masked"})
    phone = ma.fields.String(allow_none=True, metadata={"description": "masked"})
    division = ma.fields.String()
    division_name = ma.fields.String()
    status = ma.fields.String()
    certification = ma.fields.Nested(CertificationState)
    face_enrolled = ma.fields.Boolean()


class Retiree(RetireeSummary):
    id_birth = Day()
    recognised_birth = Day(allow_none=True)
    birth_differs = ma.fields.Boolean()
    phone_owner = ma.fields.String(allow_none=True)
    address = ma.fields.String(allow_none=True, metadata={"description": "masked"})
    hukou_place = ma.fields.String(allow_none=True)
    native_place = ma.fields.String(allow_none=True)
    retired_on = Day(allow_none=True)
    retirement_kind = ma.fields.String(allow_none=True)
    veteran = ma.fields.Boolean(allow_none=True)
    combat_or_test = ma.fields.Boolean(allow_none=True)
    health = ma.fields.String(allow_none=True)
    hardship = ma.fields.List(ma.fields.String())
    enterprise = ma.fields.String(allow_none=True)
    enterprise_level = ma.fields.String(allow_none=True)
    residence_kind = ma.fields.String(allow_none=True)
    pension_source = ma.fields.String(allow_none=True)
    emergency_contact = ma.fields.String(allow_none=True)
    emergency_phone = ma.fields.String(allow_none=True, metadata={"description": "masked"})
    liveness_note = ma.fields.String(allow_none=True)
    verification = ma.fields.String()
    status_reason = ma.fields.String(allow_none=True)
    died_on = Day(allow_none=True)
    party_member = ma.fields.Boolean(metadata={"description": "only for the person and the branch"}, allow_none=True)
    completeness = ma.fields.Integer(metadata={"description": "filled fields of the 11 of ledger 1"})
    consent = ma.fields.Boolean(metadata={"description": "whether consent to face recognition is in force"})
    version = ma.fields.Integer()
    updated_at = Instant()


class Search(Filters):
    q = ma.fields.String(load_default="", validate=ma.validate.Length(max=50, error="最多50个字。"))
    division = Division(r"^([0-9]{4}|[0-9]{6}|[0-9]{9}|[0-9]{12})?\Z", load_default="")
    status = ma.fields.String(load_default="", validate=choice(("", *people.STATUSES)))
    certification = ma.fields.String(load_default="", validate=choice(("", *certifications.STATES)))


class RevealRequest(Schema):
    field = ma.fields.String(required=True, validate=choice(REVEALED))
    purpose = Text(100, 2, required=True)


class Revealed(Schema):
    value = ma.fields.String()


@blueprint.get("")
@blueprint.arguments(Search, location="query")
@blueprint.response(200, RetireeSummary(many=True))
@blueprint.paginate()
@allow(*READERS)
def search(filters: Document, pagination_parameters: Any) -> list[Document]:
    """People of one's own area: by name, pinyin, initials, whole ID number or telephone; by place and state."""
    found, total = people.search(
        current(), **filters, page=pagination_parameters.page, size=pagination_parameters.page_size
    )
    pagination_parameters.item_count = total
    names = divisions.names({person["division"] for person in found})
    return [summary(person, names) for person in found]


@blueprint.post("")
@blueprint.arguments(NewRetiree)
@blueprint.response(201, Retiree)
@problems(409, "already_in_ledger")
@problems(422, "wrong_check_digit", "outside_area", "sex_differs")
@allow(*OFFICE)
@idempotent
def add(body: Document) -> Any:
    """Add a person to the ledger."""
    return full(people.add(body, current()), current())


@blueprint.get("/<objectid:retiree_id>")
@blueprint.response(200, Retiree)
@problems(404, "retiree_not_found")
@allow(*EVERYONE)
def get(retiree_id: ObjectId) -> Any:
    """One person; sensitive numbers are masked."""
    person = people.get(retiree_id, current())
    return full(person, current()), 200, tag(person["version"])


@blueprint.patch("/<objectid:retiree_id>")
@blueprint.arguments(RetireeChanges)
@blueprint.response(200, Retiree)
@problems(404, "retiree_not_found")
@problems(422, "outside_area", "died_on_missing")
@allow(*OFFICE)
@versioned
def change(body: Document, retiree_id: ObjectId, version: int) -> Any:
    """Change some fields of a person whose version one has seen."""
    person = people.change(retiree_id, body, version, current())
    return full(person, current()), 200, tag(person["version"])


@blueprint.post("/<objectid:retiree_id>/reveals")
@blueprint.arguments(RevealRequest)
@blueprint.response(200, Revealed)
@problems(404, "retiree_not_found", "nothing_there")
@allow(*OFFICE)
def reveal(body: Document, retiree_id: ObjectId) -> Document:
    """One masked value in full, for a stated purpose; the look is audited."""
    return {"value": people.reveal(retiree_id, body["field"], body["purpose"], current())}


def summary(person: Document, names: dict[str, str] | None = None) -> Document:
    """A person in a list."""
    names = names if names is not None else divisions.names({person["division"]})
    return {
        "id": person["_id"],
        "name": person["name"],
        "sex": person["sex"],
        "birth": person["recognised_birth"],
        "id_number": masking.mask_id_number(person["id_number"]),
        "phone": masking.mask_phone(person["phone"]) if person.get("phone") else None,
        "division": person["division"],
        "division_name": names.get(person["division"], person["division"]),
        "status": person["status"],
        "certification": certifications.facts(person),
        "face_enrolled": bool(person["face"]["enrolled"]),
    }


def full(person: Document, actor: Actor) -> Document:
    """A person on the page of one."""
    shown = {name: value for name, value in person.items() if name in Retiree().fields}
    shown |= summary(person)
    shown["id_number"] = masking.mask_id_number_own(person["id_number"])
    for place in ("address", "hukou_place"):
        shown[place] = masking.mask_address(person[place]) if person.get(place) else None
    if person.get("emergency_phone"):
        shown["emergency_phone"] = masking.mask_phone(person["emergency_phone"])
    shown["birth_differs"] = person["recognised_birth"] != person["id_birth"]
    shown["completeness"] = people.completeness(person)
    shown["consent"] = consents.given(person["_id"]) is not None
    if actor.role not in PARTY_READERS:
        shown.pop("party_member", None)
    if actor.role not in CARE_READERS:
        for name in CARE:
            shown.pop(name, None)
    return shown
