"""The audit log, for auditors only."""

from __future__ import annotations

from typing import Any

import marshmallow as ma

from api.identity import allow, current
from api.resource import Day, Filters, Instant, Resource, Schema
from models import audit
from models.access import AUDITOR
from models.database import Document

blueprint = Resource("audit", __name__, url_prefix="/audit", description="审计日志")


class Entry(Schema):
    at = Instant()
    action = ma.fields.String()
    subject_kind = ma.fields.String()
    subject_id = ma.fields.String()
    account_id = ma.fields.String(allow_none=True)
    role = ma.fields.String()
    ip = ma.fields.String()
    request_id = ma.fields.String()
    before = ma.fields.Dict(allow_none=True, metadata={"description": "sensitive values masked"})
    after = ma.fields.Dict(allow_none=True)


class Filter(Filters):
    day = Day(load_default=None, allow_none=True)


@blueprint.get("")
@blueprint.arguments(Filter, location="query")
@blueprint.response(200, Entry(many=True))
@blueprint.paginate()
@allow(AUDITOR)
def entries(filters: Document, pagination_parameters: Any) -> list[Document]:
    """Who changed or saw what, newest first."""
    rows, total = audit.entries(
        current(), day=filters["day"], page=pagination_parameters.page, size=pagination_parameters.page_size
    )
    pagination_parameters.item_count = total
    return [_described(row) for row in rows]


def _described(row: Document) -> Document:
    actor, subject = row["actor"], row["subject"]
    return {
        "at": row["at"],
        "action": row["action"],
        "subject_kind": subject["kind"],
        "subject_id": str(subject["id"]),
        "account_id": str(actor["account_id"]) if actor["account_id"] else None,
        "role": actor["role"],
        "ip": actor["ip"],
        "request_id": row["request_id"],
        "before": _plain(row["before"]),
        "after": _plain(row["after"]),
    }


def _plain(values: Document | None) -> Document | None:
    return (
        {name: value if isinstance(value, (bool, int, float, list)) else str(value) for name, value in values.items()}
        if values
        else None
    )
