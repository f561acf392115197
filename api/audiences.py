"""Audiences: what the builder offers, and how many people an expression means."""

from __future__ import annotations

from typing import Any

import marshmallow as ma

from api.identity import allow, current
from api.problems import problems
from api.resource import Resource, Schema
from models import audiences
from models.audiences import AUTHORS
from models.database import Document

blueprint = Resource("audiences", __name__, url_prefix="/audiences", description="通知对象")

EXPRESSION = (
    '{"all": [...]} | {"any": [...]} | {"not": ...} | {"field", "op", "value"}; {"all": []} is everybody in the area; '
    f"at most {audiences.DEPTH} levels and {audiences.LEAVES} conditions; GET /audiences/fields says what there is"
)


class Expression(ma.fields.Field[Document]):
    """An audience expression; `models.audiences` says what is wrong with one."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(metadata={"type": "object", "description": EXPRESSION}, **kwargs)

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> Document:
        if not isinstance(value, dict):
            raise ma.ValidationError("请选择通知对象。")
        return value


class Wanted(Schema):
    expression = Expression(required=True)


class Count(Schema):
    people = ma.fields.Integer()
    wechat = ma.fields.Integer(metadata={"description": "somebody who acts for them signed in with WeChat"})
    sms = ma.fields.Integer(metadata={"description": "a telephone number in the ledger"})
    nobody = ma.fields.Integer(metadata={"description": "neither: reached by telephone call, on paper or at the door"})
    notes = ma.fields.List(ma.fields.String(), metadata={"description": "what the numbers do not say"})


class Operator(Schema):
    op = ma.fields.String()
    name = ma.fields.String()


class Value(Schema):
    value = ma.fields.Raw()
    name = ma.fields.String()


class FieldOffered(Schema):
    field = ma.fields.String()
    name = ma.fields.String()
    kind = ma.fields.String(metadata={"description": "division | number | boolean | choice | activity | retiree"})
    operators = ma.fields.List(ma.fields.Nested(Operator))
    values = ma.fields.List(
        ma.fields.Nested(Value), allow_none=True, metadata={"description": "null: typed, or found by a search"}
    )
    note = ma.fields.String()


@blueprint.post("/count")
@blueprint.arguments(Wanted)
@blueprint.response(200, Count)
@problems(422, "bad_audience", "field_not_yours")
@allow(*AUTHORS)
def count(body: Document) -> Document:
    """How many people of one's own area an expression means now, and how they can be reached."""
    return audiences.count(body["expression"], current())


@blueprint.get("/fields")
@blueprint.response(200, FieldOffered(many=True))
@allow(*AUTHORS)
def fields() -> list[Document]:
    """What the builder offers to this role: fields, operators, values."""
    return audiences.fields(current())
