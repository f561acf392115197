"""How every import ends: taken as far as it could be, with a spreadsheet of the rest, or refused in one sentence."""

from __future__ import annotations

from jobs import roster_sheet
from models import files, imports, outbox
from models.database import Document, Session, transaction


def finish(event: Document, row: Document, header: list[str]) -> None:
    """Everything is read: make the spreadsheet of what was not taken, and delete the file."""
    rejected = list(imports.rejected(row["_id"]))
    book = files.put(roster_sheet.rejected_workbook(header, rejected), "roster") if rejected else None

    def write(session: Session) -> None:
        outbox.complete(session, event["_id"])
        imports.finish(session, row, book)

    transaction(write)
    files.delete([row["file_id"]])


def refuse(event: Document, row: Document, code: str, detail: str) -> None:
    """The file cannot be read at all."""

    def write(session: Session) -> None:
        outbox.complete(session, event["_id"])
        imports.refuse(session, row, code, detail)

    transaction(write)
    files.delete([row["file_id"]])


def give_up(session: Session, payload: Document, code: str, detail: str) -> None:
    """After the last try of an import's event: it must not seem to run for ever."""
    row = imports.unfinished(payload["import_id"])
    if row:
        imports.refuse(session, row, code, detail)
