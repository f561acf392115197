"""The monthly report on faces 人脸认证月报, as JSON for the console and as a spreadsheet."""

from __future__ import annotations

import io
from typing import Any

import marshmallow as ma
import xlsxwriter
from flask import Response

from api.identity import allow, current
from api.imports import SPREADSHEET
from api.problems import problems
from api.resource import Division, Instant, Resource, Schema
from models import clock, divisions, face_cohorts, face_report
from models.database import Document
from models.face_labels import OTHER

blueprint = Resource("face-reports", __name__, url_prefix="/reports", description="人脸认证月报")

MONTH = ma.validate.Regexp(r"^20[0-9]{2}-(0[1-9]|1[0-2])\Z", error="月份请写成 2026-11 这样。")
OTHER_NAME = "其他"
AGES = {"0-59": "59岁及以下", "60-69": "60至69岁", "70-79": "70至79岁", "80-89": "80至89岁", "90+": "90岁及以上"}
COLUMNS = {
    "people": "人数",
    "attempts": "认证次数",
    "passed": "自动通过",
    "reviewed": "转人工审核",
    "failed": "自动不通过",
    "pass_share": "自动通过率",
    "review_share": "转人工率",
    "fail_share": "自动不通过率",
    "approved": "审核后通过（不必审核的）",
    "refused": "审核后不通过",
    "needless_share": "不必审核率",
    "overturned": "不通过后人工改为通过（错拒）",
    "upheld": "不通过后人工维持",
    "looked": "抽查看清的",
    "same": "抽查是本人",
    "different": "抽查不是本人（错放）",
    "unclear": "抽查看不清",
    "not_looked": "抽查没来得及看",
    "wrong_pass_share": "错放率",
    "wrong_pass_at_most": "错放率上限（95%）",
}


class Asked(Schema):
    month = ma.fields.String(load_default=None, allow_none=True, validate=MONTH)
    division = Division(r"^([0-9]{4}|[0-9]{6}|[0-9]{9}|[0-9]{12})?\Z", load_default="")


def _share(meaning: str) -> ma.fields.Float:
    return ma.fields.Float(allow_none=True, metadata={"description": f"{meaning}; 0 to 1, null where there was none"})


class Row(Schema):
    group = ma.fields.String(
        metadata={"description": "a place, an age band or a phone; `other`: fewer than five people"}
    )
    name = ma.fields.String()
    people = ma.fields.Integer()
    attempts = ma.fields.Integer(metadata={"description": "passed + reviewed + failed"})
    passed = ma.fields.Integer()
    reviewed = ma.fields.Integer()
    failed = ma.fields.Integer()
    pass_share = _share("of the attempts")
    review_share = _share("of the attempts")
    fail_share = _share("of the attempts")
    approved = ma.fields.Integer(metadata={"description": "doubts that a person approved: needless reviews"})
    refused = ma.fields.Integer()
    needless_share = _share("approved of approved and refused")
    overturned = ma.fields.Integer(metadata={"description": "refusals that a person approved: wrong refusals"})
    upheld = ma.fields.Integer()
    looked = ma.fields.Integer(metadata={"description": "second looks with a clear answer: same + different"})
    same = ma.fields.Integer()
    different = ma.fields.Integer(metadata={"description": "wrong passes"})
    unclear = ma.fields.Integer()
    not_looked = ma.fields.Integer()
    wrong_pass_share = _share("different of looked")
    wrong_pass_at_most = _share("upper bound of the wrong passes: one-sided, exact (Clopper-Pearson), 95 %")


class RuleInForce(Schema):
    key = ma.fields.String()
    value = ma.fields.Integer()
    source = ma.fields.String()
    valid_from = ma.fields.String()
    division = ma.fields.String()


class Accuracy(Schema):
    eer = _share("equal error rate")
    frr = _share("right people refused where one stranger in a thousand is accepted")
    far = _share("strangers that the threshold in force accepts")


class Thresholds(Schema):
    sure = ma.fields.Float()
    different = ma.fields.Float()


class EvaluationInForce(Schema):
    id = ma.fields.String(attribute="_id")
    made_at = Instant()
    people = ma.fields.Integer(metadata={"description": "enrolled people who were compared with each other"})
    genuine = ma.fields.Integer(metadata={"description": "pairs of one person"})
    impostor = ma.fields.Integer(metadata={"description": "pairs of different people"})
    plain = ma.fields.Nested(Accuracy, allow_none=True)
    normalised = ma.fields.Nested(Accuracy, allow_none=True)
    thresholds = ma.fields.Nested(Thresholds, allow_none=True)
    used = ma.fields.Boolean(metadata={"description": "whether matches are normalised by these people"})
    why_not = ma.fields.String(
        allow_none=True,
        metadata={"description": "too_few_people | too_few_pairs | not_measured | does_not_help"},
    )


class FaceReport(Schema):
    month = ma.fields.String()
    division = ma.fields.String()
    division_name = ma.fields.String()
    prepared_at = Instant(allow_none=True, metadata={"description": "null: not over or not stored yet, counted now"})
    totals = ma.fields.Nested(Row)
    communities = ma.fields.List(ma.fields.Nested(Row))
    ages = ma.fields.List(ma.fields.Nested(Row))
    phones = ma.fields.List(ma.fields.Nested(Row))
    policies = ma.fields.List(ma.fields.String(), metadata={"description": "versions that judged the month's attempts"})
    models = ma.fields.List(ma.fields.String())
    evaluations = ma.fields.List(ma.fields.String())
    evaluation_in_force = ma.fields.Nested(EvaluationInForce, allow_none=True, metadata={"description": "as of now"})
    rules = ma.fields.List(ma.fields.Nested(RuleInForce))


@blueprint.get("/faces")
@blueprint.arguments(Asked, location="query")
@blueprint.response(200, FaceReport)
@problems(404, "division_not_found")
@problems(422, "in_the_future")
@allow(*face_report.READERS)
def faces(asked: Document) -> Document:
    """The machine compared with people in a month, by community, age band and phone; the current month as it stands now."""
    return _report(asked)


@blueprint.get("/faces.xlsx")
@blueprint.arguments(Asked, location="query")
@blueprint.response(200, {"type": "string", "format": "binary"}, content_type=SPREADSHEET)
@problems(404, "division_not_found")
@problems(422, "in_the_future")
@allow(*face_report.READERS)
def faces_book(asked: Document) -> Any:
    """The same report as a spreadsheet, a sheet for each table."""
    found = _report(asked)
    name = f"attachment; filename=faces-{found['month']}-{found['division'] or 'all'}.xlsx"
    return Response(workbook(found), content_type=SPREADSHEET, headers={"Content-Disposition": name})


def workbook(found: Document) -> bytes:
    """A report as a spreadsheet. Names are written as text: a phone calls itself what it likes, also a formula."""
    file = io.BytesIO()
    book = xlsxwriter.Workbook(file, {"in_memory": True})
    bold = book.add_format({"bold": True, "text_wrap": True, "valign": "vcenter", "bg_color": "#F2F2F2"})
    share = book.add_format({"num_format": "0.00%"})
    for title, first, rows in (
        ("合计", "地区", [found["totals"]]),
        ("按社区", "社区", found["communities"]),
        ("按年龄", "年龄", found["ages"]),
        ("按手机", "手机", found["phones"]),
    ):
        sheet = book.add_worksheet(title)
        sheet.freeze_panes(1, 1)
        sheet.set_column(0, 0, 24)
        sheet.set_column(1, len(COLUMNS), 13)
        for column, text in enumerate([first, *COLUMNS.values()]):
            sheet.write_string(0, column, text, bold)
        for number, row in enumerate(rows, start=1):
            sheet.write_string(number, 0, row["name"])
            for column, key in enumerate(COLUMNS, start=1):
                is_share = key.endswith(("_share", "_at_most"))
                if row[key] is not None:
                    sheet.write_number(number, column, row[key], share if is_share else None)
    book.close()
    return file.getvalue()


def _report(asked: Document) -> Document:
    month = asked["month"] or f"{clock.today():%Y-%m}"
    found = face_report.report(month, asked["division"], current())
    place = divisions.full_name(found["division"]) if found["division"] else "全部地区"
    communities = divisions.names({row["group"] for row in found["communities"]})
    found["totals"]["name"] = place
    for rows, names in ((found["communities"], communities), (found["ages"], AGES), (found["phones"], {})):
        for row in rows:
            row["name"] = OTHER_NAME if row["group"] == OTHER else names.get(row["group"], row["group"])
    return {**found, "division_name": place, "evaluation_in_force": face_cohorts.evaluation_in_force()}
