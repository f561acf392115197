"""Import identity photographs from a zip: each file is named by the ID number of its person.

A photograph alone is no consent: it waits, encrypted, and its template is made when the person has agreed.
"""

from __future__ import annotations

import io
import zipfile
import zlib
from pathlib import PurePosixPath

from jobs import importing
from jobs.registry import job
from models import clock, face_references, files, imports, outbox, people
from models.database import Document, Session, transaction
from models.errors import DomainError
from models.id_numbers import InvalidIdNumber, parse

LARGEST = 10 * 1024 * 1024
MOST = 20_000
HEADER = ["文件名"]
BROKEN = ("broken_zip", "压缩包打不开，请重新压缩成 .zip 再试。")
UNREADABLE = ("could_not_read", "系统没能读完这个压缩包，请重新压缩成 .zip 再试。")
TOO_MANY = ("too_many_photos", f"一次最多导入{MOST}张照片，请分成几个压缩包。")


def _give_up(session: Session, payload: Document) -> None:
    importing.give_up(session, payload, *UNREADABLE)


@job("import_photos", when_exhausted=_give_up)
def import_photos(event: Document, payload: Document) -> None:
    """Give every photograph to its person; go on where an earlier run stopped."""
    row = imports.unfinished(payload["import_id"])
    if row is None:
        outbox.close(event["_id"])
        return
    try:
        archive = zipfile.ZipFile(io.BytesIO(files.get(row["file_id"])))
        entries = [entry for entry in archive.infolist() if _is_photo(entry)]
    except (zipfile.BadZipFile, zipfile.LargeZipFile, NotImplementedError):
        importing.refuse(event, row, *BROKEN)
        return
    if len(entries) > MOST:
        importing.refuse(event, row, *TOO_MANY)
        return
    imports.begin(row["_id"], len(entries), HEADER, [])
    for place, entry in enumerate(entries):
        if place < row["processed"]:
            continue
        reason = _take(archive, entry, row)
        name = PurePosixPath(entry.filename).name

        def advance(session: Session, place: int = place, name: str = name, reason: str | None = reason) -> None:
            if reason:
                imports.reject(session, row["_id"], place + 1, [name], [reason])
            imports.advance(
                session, row["_id"], before=place, done=place + 1, added=0 if reason else 1, filled=0, same=0
            )

        transaction(advance)
    importing.finish(event, row, HEADER)


def _is_photo(entry: zipfile.ZipInfo) -> bool:
    name = PurePosixPath(entry.filename).name
    return not entry.is_dir() and not name.startswith(".") and "__MACOSX" not in entry.filename


def _take(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, row: Document) -> str | None:
    """Put one photograph; returns the reason for the clerk where it cannot be taken."""
    actor = imports.actor_of(row)
    stem = PurePosixPath(entry.filename).stem
    try:
        number = parse(stem, clock.today(), allow_15=True).number
    except InvalidIdNumber:
        return "文件名不是身份证号，请把照片改名为身份证号，如 430102195503071216.jpg。"
    if entry.flag_bits & 1:
        return "压缩包有密码，请取消密码再压缩。"
    if entry.file_size > LARGEST:
        return "照片超过10MB，请缩小后再导入。"
    known = people.find_by_id_number(number)
    if known is None or not actor.covers(known["division"]):
        return "名册里没有这个身份证号，请先导入名册。"
    try:
        with archive.open(entry) as photo:
            data = photo.read(LARGEST + 1)
        if len(data) > LARGEST:
            return "照片超过10MB，请缩小后再导入。"
        if not data.startswith((b"\xff\xd8\xff", b"\x89PNG")) and data[8:12] != b"WEBP":
            return "这个文件不是照片，请换成 JPG 或 PNG。"
        face_references.put_photo(known["_id"], data, face_references.FROM_IMPORT, actor)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError):
        return "照片文件坏了，请重新压缩再试。"
    except DomainError as error:
        return error.detail
    return None
