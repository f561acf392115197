"""The one database: connection, concerns, transactions, indexes.

Every write is acknowledged by a majority and journalled; every read is of majority-committed data. A transaction takes
its own concerns (snapshot, majority). Collections declare their indexes in their own module; `prepare()` makes them and
may run any number of times, in any number of processes at once.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar

import pymongo
from bson.codec_options import CodecOptions
from pymongo import IndexModel, MongoClient, ReadPreference
from pymongo.client_session import ClientSession
from pymongo.collection import Collection
from pymongo.database import Database
from pymongo.errors import BulkWriteError, CollectionInvalid, OperationFailure
from pymongo.read_concern import ReadConcern
from pymongo.write_concern import WriteConcern

from models import embedded
from settings import settings

Document = dict[str, Any]
Session = ClientSession
Result = TypeVar("Result")

MAJORITY = WriteConcern("majority", j=True, wtimeout=10_000)
CODEC: CodecOptions[Document] = CodecOptions(tz_aware=True)
PING_SECONDS = 2
PING_SECONDS = 2
INDEX_CONFLICTS = (85, 86)
DUPLICATE_KEY = 11000

_lock = threading.Lock()
_clients: dict[int, MongoClient[Document]] = {}


def uri() -> str:
    """Where the database is: MONGODB_URI, or the embedded one that runs under DATA_DIR."""
    return settings.MONGODB_URI or embedded.uri(settings.DATA_DIR)


def client() -> MongoClient[Document]:
    """One client a process: after a fork the child makes its own."""
    with _lock:
        pid = os.getpid()
        if pid not in _clients:
            _clients.clear()
            _clients[pid] = MongoClient(
                uri(),
                tz_aware=True,
                retryWrites=True,
                retryReads=True,
                serverSelectionTimeoutMS=10_000,
                connectTimeoutMS=5_000,
                appname="yinling",
            )
        return _clients[pid]


def disconnect() -> None:
    """Close this process's client; the next use connects anew, to where the settings point then."""
    with _lock:
        for open_client in _clients.values():
            open_client.close()
        _clients.clear()


def database() -> Database[Document]:
    return client().get_database(
        settings.MONGODB_DATABASE,
        codec_options=CODEC,
        read_preference=ReadPreference.PRIMARY,
        write_concern=MAJORITY,
        read_concern=ReadConcern("majority"),
    )


def collection(name: str) -> Collection[Document]:
    return database()[name]


def transaction(work: Callable[[Session], Result]) -> Result:
    """Run `work` in one transaction and return what it returns. It may run several times: no side effects but the database's.

    Raises:
        whatever `work` raises, after the transaction has been rolled back.
    """
    with client().start_session() as session:
        return session.with_transaction(
            work,
            read_concern=ReadConcern("snapshot"),
            write_concern=MAJORITY,
            read_preference=ReadPreference.PRIMARY,
        )


def prepare(indexes: Mapping[str, Iterable[IndexModel]]) -> None:
    """Make the collections and their indexes. An index whose definition changed is replaced."""
    existing = set(database().list_collection_names())
    for name, wanted in indexes.items():
        if name not in existing:
            try:
                database().create_collection(name)
            except CollectionInvalid:
                pass  # another process was faster
        for index in wanted:
            try:
                collection(name).create_indexes([index])
            except OperationFailure as error:
                if error.code not in INDEX_CONFLICTS:
                    raise
                collection(name).drop_index(index.document["name"])
                collection(name).create_indexes([index])


def insert_new(name: str, rows: Sequence[Document]) -> int:
    """Write many documents, those that a unique index has already excepted; returns how many are new. Outside transactions:
    it is what makes a chunk safe to do again."""
    if not rows:
        return 0
    try:
        return len(collection(name).insert_many(rows, ordered=False).inserted_ids)
    except BulkWriteError as error:
        if any(fault["code"] != DUPLICATE_KEY for fault in error.details["writeErrors"]):
            raise
        return int(error.details["nInserted"])


def ping() -> None:
    """Raise unless a majority-committed read works now, within PING_SECONDS."""
    with pymongo.timeout(PING_SECONDS):
        collection("accounts").find_one({}, {"_id": 1})
