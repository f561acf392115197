"""Client-side field level encryption: what leaves this process for the database cannot be read there.

MongoDB's explicit encryption (libmongocrypt, AEAD_AES_256_CBC_HMAC_SHA_512). Deterministic for what is looked up by its
value (ID number, phone), random for everything else. One data key a purpose lies in the key vault, wrapped by the master
key of the settings.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping
from typing import Any

import bson
from bson.binary import Binary
from bson.codec_options import CodecOptions
from pymongo import IndexModel
from pymongo.encryption import Algorithm, ClientEncryption  # type: ignore[attr-defined]
from pymongo.errors import EncryptionError

from models import database
from settings import settings

VAULT = "key_vault"
KEY_CACHE_MS = 3_600_000
DETERMINISTIC = ("id_number", "phone")
PURPOSES = (*DETERMINISTIC, "contact", "face", "frame", "notice", "roster", "secret")

INDEXES = {
    VAULT: [
        IndexModel(
            "keyAltNames",
            name="one_key_a_name",
            unique=True,
            partialFilterExpression={"keyAltNames": {"$exists": True}},
        )
    ]
}

_lock = threading.Lock()
_engines: dict[int, ClientEncryption[dict[str, Any]]] = {}


def _engine() -> ClientEncryption[dict[str, Any]]:
    with _lock:
        pid = os.getpid()
        if pid not in _engines:
            _engines.clear()
            _engines[pid] = ClientEncryption(
                kms_providers={"local": {"key": settings.encryption_key}},
                key_vault_namespace=f"{settings.MONGODB_DATABASE}.{VAULT}",
                key_vault_client=database.client(),
                codec_options=CodecOptions(tz_aware=True),
                key_expiration_ms=KEY_CACHE_MS,
            )
        return _engines[pid]


def forget() -> None:
    """Drop the engine and its cached keys, as after `database.disconnect()`."""
    with _lock:
        _engines.clear()


def prepare() -> None:
    """Make the data keys that are missing; several processes may do so at once."""
    for purpose in PURPOSES:
        if _engine().get_key_by_alt_name(purpose) is None:
            try:
                _engine().create_data_key("local", key_alt_names=[purpose])
            except EncryptionError:
                if _engine().get_key_by_alt_name(purpose) is None:
                    raise


def encrypt(value: object, purpose: str) -> Binary | None:
    """Encrypt one value under the key of its purpose; None stays None."""
    if value is None:
        return None
    algorithm = (
        Algorithm.AEAD_AES_256_CBC_HMAC_SHA_512_Deterministic
        if purpose in DETERMINISTIC
        else Algorithm.AEAD_AES_256_CBC_HMAC_SHA_512_Random
    )
    return _engine().encrypt(value, algorithm, key_alt_name=purpose)


def decrypt(value: Any) -> Any:
    """The plain value; what is not encrypted comes back as it is."""
    if isinstance(value, bytes) and getattr(value, "subtype", None) == 6:
        return _engine().decrypt(Binary(value, 6))
    return value


def seal_document(document: Mapping[str, Any], purpose: str) -> Binary:
    """Encrypt a whole document as one value."""
    sealed = encrypt(Binary(bson.encode(document)), purpose)
    assert sealed is not None  # noqa: S101 - a Binary never encrypts to None
    return sealed


def open_document(sealed: Any) -> dict[str, Any]:
    return bson.decode(bytes(decrypt(sealed)), CodecOptions(tz_aware=True))
