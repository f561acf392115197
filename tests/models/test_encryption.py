"""What lies in MongoDB cannot be read there, and what must be found by its value is found."""

from __future__ import annotations

import base64
import os

import pytest
from pymongo.errors import EncryptionError

from models import accounts, encryption, people
from models.database import collection
from tests.builders import CITY_WORKER, a_retiree, an_attempt, an_id_number
from tests.story import raw_text_of_the_database, settings_with


def test_the_raw_documents_hold_no_number_phone_or_address(ground):
    person = a_retiree(
        id_number=an_id_number(),
        address="示范市银杏区桂花路5号3栋301",
        emergency_contact="李小红",
        emergency_phone="16900001111",
    )
    accounts.of_phone("16922223333")
    raw = raw_text_of_the_database()
    for value in (
        person["id_number"], person["phone"], "桂花路5号3栋301", "李小红", "16900001111", "16922223333",
    ):  # fmt: skip
        assert value.encode() not in raw, value


def test_the_raw_documents_hold_no_frame(ground):
    attempt = an_attempt(a_retiree())
    plain = f"{attempt['_id']}-neutral".encode()
    assert plain not in raw_text_of_the_database()
    assert collection("files.chunks").count_documents({}) == len(attempt["frames"])


def test_the_encrypted_fields_are_of_the_encrypted_kind_in_the_database(ground):
    person = a_retiree(
        address="示范路5号", emergency_contact="李小红", emergency_phone="16900001111", hukou_place="示范市"
    )
    stored = collection("retirees").find_one({"_id": person["_id"]})
    for name in people.ENCRYPTED:
        assert stored[name].subtype == 6, name


@pytest.mark.parametrize("purpose", encryption.DETERMINISTIC)
def test_what_is_looked_up_has_the_same_ciphertext_every_time(ground, purpose):
    assert encryption.encrypt("16912345678", purpose) == encryption.encrypt("16912345678", purpose)


@pytest.mark.parametrize("purpose", sorted(set(encryption.PURPOSES) - set(encryption.DETERMINISTIC)))
def test_everything_else_looks_different_every_time(ground, purpose):
    assert encryption.encrypt("16912345678", purpose) != encryption.encrypt("16912345678", purpose)


def test_one_value_under_two_purposes_cannot_be_joined(ground):
    assert encryption.encrypt("x", "id_number") != encryption.encrypt("x", "phone")


def test_a_person_is_found_by_the_ciphertext_of_the_number(ground):
    person = a_retiree()
    found = people.find_by_id_number(person["id_number"])
    assert found["_id"] == person["_id"]
    assert people.find_by_id_number(an_id_number()) is None


def test_nothing_and_what_is_plain_pass_through(ground):
    assert encryption.encrypt(None, "phone") is None
    assert encryption.decrypt(None) is None
    assert encryption.decrypt("plain") == "plain"
    assert encryption.decrypt(b"plain bytes") == b"plain bytes"


def test_a_document_comes_back_as_it_went_in(ground):
    document = {"name": "王秀英", "rows": [1, 2], "nested": {"a": None}}
    assert encryption.open_document(encryption.seal_document(document, "roster")) == document


def test_without_the_master_key_nothing_can_be_read(ground):
    person = a_retiree()
    other = base64.b64encode(os.urandom(96)).decode()
    encryption.forget()
    try:
        with settings_with(ENCRYPTION_KEY=other), pytest.raises(EncryptionError):
            people.get(person["_id"], CITY_WORKER)
    finally:
        encryption.forget()
    assert people.get(person["_id"], CITY_WORKER)["phone"] == person["phone"]


def test_a_ciphertext_that_was_tampered_with_is_refused(ground):
    sealed = bytearray(encryption.encrypt("16912345678", "phone"))
    sealed[-1] ^= 1
    from bson.binary import Binary

    with pytest.raises(EncryptionError):
        encryption.decrypt(Binary(bytes(sealed), 6))


def test_the_keys_are_made_once_however_often_the_house_starts(ground):
    before = collection(encryption.VAULT).count_documents({})
    encryption.prepare()
    encryption.prepare()
    assert collection(encryption.VAULT).count_documents({}) == before == len(encryption.PURPOSES)


def test_the_vault_holds_no_key_in_plain(ground):
    from settings import settings

    assert settings.encryption_key[:32] not in raw_text_of_the_database()
