"""Import a roster spreadsheet: good rows go into the ledger chunk by chunk, bad ones back to the clerk with the reasons."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Iterator
from typing import Any

from jobs import importing, roster_sheet
from jobs.registry import job
from jobs.roster_values import text_of
from models import clock, divisions, files, imports, outbox, people
from models.access import Actor
from models.database import Document, Session, transaction
from models.errors import Conflict, DomainError

CHUNK = 200
FIELDS = frozenset({*people.EDITABLE, "id_number", "sex"})

NO_COMMUNITY = "没有“社区”一栏，也没有选择归入哪个社区，请补上社区名称。"
UNKNOWN_COMMUNITY = "“社区”不在您的管理范围内，或名称对应不止一个社区，请写12位代码。"
OTHER_AREA = "此人已在其他社区的名册中，请联系上级核对。"
OTHER_NAME = "名册中这个身份证号登记的是另一个姓名，请核对。"


def _give_up(session: Session, payload: Document) -> None:
    importing.give_up(session, payload, "could_not_read", "系统没能读完这个文件，请另存为新的 .xlsx 再试。")


@job("import_roster", when_exhausted=_give_up)
def import_roster(event: Document, payload: Document) -> None:
    """Read the spreadsheet from where an earlier run stopped. A second import of the same file makes nobody twice."""
    row = imports.unfinished(payload["import_id"])
    if row is None:
        outbox.close(event["_id"])
        return
    try:
        sheet = roster_sheet.open_sheet(files.get(row["file_id"]))
    except roster_sheet.SheetRefused as refused:
        importing.refuse(event, row, refused.code, refused.detail)
        return
    notes = [f"没有用到的列：{'、'.join(sheet.unknown_columns)}"] if sheet.unknown_columns else []
    imports.begin(row["_id"], sheet.row_count, list(sheet.header), notes)
    actor = imports.actor_of(row)
    done = row["processed"]
    for chunk in _chunks(sheet, skip=done):
        _commit(row, chunk, done, actor)
        done += len(chunk)
    importing.finish(event, row, list(sheet.header))


def _chunks(sheet: roster_sheet.Sheet, skip: int) -> Iterator[list[tuple[Any, Any]]]:
    """(raw row, what was read) in chunks. Rows that were committed before are read again, to know who was there."""
    today, chunk = clock.today(), []
    for place, raw in enumerate(sheet.rows()):
        read = roster_sheet.read_row(sheet, raw, today)
        if place < skip:
            continue
        chunk.append((raw, read))
        if len(chunk) == CHUNK:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


def _commit(row: Document, chunk: list[tuple[Any, Any]], before: int, actor: Actor) -> None:
    """Take a chunk and note the progress, in one transaction."""
    prepared = [(raw, *_prepare(read, row, actor)) for raw, read in chunk]

    def write(session: Session) -> None:
        known = people.find_by_id_numbers(
            session, [fields["id_number"] for _, fields, reasons in prepared if not reasons]
        )
        new: list[Document] = []
        filled = same = 0
        for raw, fields, reasons in prepared:
            if reasons:
                imports.reject(session, row["_id"], raw.number, map(text_of, raw.cells), reasons)
                continue
            try:
                person = known.get(fields["id_number"])
                if person is None:
                    new.append(people.make(fields, actor))
                elif _fill(session, person, fields, actor):
                    filled += 1
                else:
                    same += 1
            except DomainError as error:
                imports.reject(session, row["_id"], raw.number, map(text_of, raw.cells), [error.detail])
        if new:
            people.add_all(session, new, actor)
        imports.advance(
            session, row["_id"], before=before, done=before + len(chunk), added=len(new), filled=filled, same=same
        )

    transaction(write)


def _prepare(read: Any, row: Document, actor: Actor) -> tuple[Document, list[str]]:
    """A row as fields of the ledger, or the reasons why it cannot be taken."""
    if isinstance(read, roster_sheet.RowRefused):
        return {}, read.reasons
    values = {field.name: getattr(read, field.name) for field in dataclasses.fields(read)}
    fields = {
        name: value.isoformat() if isinstance(value, dt.date) else list(value) if isinstance(value, tuple) else value
        for name, value in values.items()
        if name in FIELDS
    }
    if actor.enterprise:
        fields["enterprise"] = actor.enterprise
    if read.community:
        found = divisions.find_community(read.community, actor)
        if found is None:
            return {}, [UNKNOWN_COMMUNITY]
        fields["division"] = found
    elif row["into"]:
        fields["division"] = row["into"]
    else:
        return {}, [NO_COMMUNITY]
    return fields, []


def _fill(session: Session, person: Document, fields: Document, actor: Actor) -> bool:
    """Fill in what the ledger does not know yet of somebody; returns whether there was anything."""
    if not actor.sees(person):
        raise Conflict("other_area", OTHER_AREA)
    if person["name"] != fields["name"]:
        raise Conflict("other_name", OTHER_NAME)
    return people.fill(session, person, fields, actor)
