"""Files in GridFS, encrypted before they leave this process: frames, photographs, spreadsheets.

GridFS takes no part in transactions. So a file is written first and the document that names it after. Whatever no
document names after an hour is swept away; `keep()` only saves the sweeper the look.
"""

from __future__ import annotations

import contextlib
import datetime as dt
from collections.abc import Iterable

import gridfs
from bson import ObjectId
from bson.binary import Binary
from gridfs.errors import NoFile
from pymongo import IndexModel

from models import clock, encryption
from models.database import Session, collection, database
from models.errors import NotFound

ORPHAN_AFTER = dt.timedelta(hours=1)
NAMED_IN = (
    ("certification_sessions", "frames.file_id"),
    ("face_references", "photo_id"),
    ("face_references", "candidate_id"),
    ("imports", "file_id"),
    ("imports", "errors_file_id"),
    ("notices", "pictures.id"),
    ("notices", "attachments.id"),
    ("notice_versions", "pictures.id"),
    ("notice_versions", "attachments.id"),
)

INDEXES: dict[str, list[IndexModel]] = {
    "files.files": [IndexModel([("metadata.kept", 1), ("uploadDate", 1)], name="orphans")],
    "files.chunks": [IndexModel([("files_id", 1), ("n", 1)], name="files_id_1_n_1", unique=True)],
}


def _bucket() -> gridfs.GridFSBucket:
    return gridfs.GridFSBucket(database(), bucket_name="files")


def put(data: bytes, purpose: str) -> ObjectId:
    """Encrypt and store; the file is an orphan until `keep()`."""
    sealed = encryption.encrypt(Binary(data), purpose)
    return _bucket().upload_from_stream(purpose, bytes(sealed or b""), metadata={"kept": False})


def get(file_id: ObjectId) -> bytes:
    """The plain bytes.

    Raises:
        NotFound: it was deleted.
    """
    try:
        sealed = _bucket().open_download_stream(file_id).read()
    except NoFile as error:
        raise NotFound("file_gone", "这张照片或文件已按规定删除。") from error
    return bytes(encryption.decrypt(Binary(sealed, 6)))


def keep(file_ids: Iterable[ObjectId]) -> None:
    """Say that a document names these files now."""
    collection("files.files").update_many({"_id": {"$in": list(file_ids)}}, {"$set": {"metadata.kept": True}})


def release(session: Session, file_ids: Iterable[ObjectId]) -> None:
    """Give files up in the transaction that drops their names: if they are not deleted right after it, the sweeper does."""
    collection("files.files").update_many(
        {"_id": {"$in": list(file_ids)}}, {"$set": {"metadata.kept": False}}, session=session
    )


def delete(file_ids: Iterable[ObjectId]) -> None:
    """Delete files; those that are gone already are fine."""
    for file_id in file_ids:
        with contextlib.suppress(NoFile):
            _bucket().delete(file_id)


def sweep() -> int:
    """Delete what no document names an hour after it was written; returns how many."""
    unkept = {"metadata.kept": False, "uploadDate": {"$lt": clock.now() - ORPHAN_AFTER}}
    candidates = {row["_id"] for row in collection("files.files").find(unkept, {"_id": 1})}
    named: set[ObjectId] = set()
    for name, path in NAMED_IN:
        named.update(collection(name).distinct(path, {path: {"$in": list(candidates)}}))
    keep(candidates & named)
    delete(candidates - named)
    return len(candidates - named) + _sweep_pieces()


def _sweep_pieces() -> int:
    """Delete the pieces of files whose writing was killed half way. Looks at the last day but its last hour."""
    now = clock.now()
    young, old = ObjectId.from_datetime(now - ORPHAN_AFTER), ObjectId.from_datetime(now - dt.timedelta(days=1))
    pieces = collection("files.chunks").aggregate(
        [
            {"$match": {"_id": {"$gte": old, "$lt": young}, "n": 0}},
            {"$lookup": {"from": "files.files", "localField": "files_id", "foreignField": "_id", "as": "file"}},
            {"$match": {"file": []}},
            {"$project": {"files_id": 1}},
        ]
    )
    lost = [piece["files_id"] for piece in pieces]
    collection("files.chunks").delete_many({"files_id": {"$in": lost}})
    return len(lost)
