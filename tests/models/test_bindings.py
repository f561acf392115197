"""Binding an account to oneself or to a parent: name and number fit, and the telephone on record confirms."""

from __future__ import annotations

import pytest
import time_machine

from models import access, accounts, bindings, clock, people
from models.access import Actor
from models.database import collection
from models.errors import Conflict, Forbidden, Invalid, NotFound, TooMany
from tests.builders import COMMUNITY_WORKER, a_retiree, an_id_number, audit_actions
from tests.story import code_sent_to


def caller(phone: str | None = None, openid: str = "o-li") -> tuple[Actor, str | None]:
    account = accounts.of_phone(phone) if phone else accounts.of_wechat(openid)
    return Actor(access.RETIREE, account["_id"]), phone


def ask(person: dict, phone: str | None = None, relation: str = "self", **changed: str):
    actor, own_phone = caller(phone)
    given = {"name": person["name"], "id_number": person["id_number"], **changed}
    return bindings.ask(actor, own_phone, given["name"], given["id_number"], relation)


def test_the_phone_on_record_binds_at_once(ground):
    person = a_retiree()
    binding, code = ask(person, person["phone"])
    assert (binding["state"], code) == ("confirmed", None)
    assert audit_actions(person) == ["retiree.added", "binding.confirmed"]


def test_any_other_phone_needs_the_code_that_goes_to_the_phone_on_record(ground):
    person = a_retiree()
    binding, code = ask(person)
    actor, _ = caller()
    assert binding["state"] == "code_required"
    assert bindings.of(actor.account_id) == []
    assert code == code_sent_to(person["phone"], "binding_code")
    with pytest.raises(Invalid, match="wrong_code"):
        bindings.confirm(actor, binding["_id"], f"{(int(code) + 1) % 10**6:06d}")
    assert bindings.confirm(actor, binding["_id"], code)["state"] == "confirmed"
    assert [row["retiree_id"] for row in bindings.of(actor.account_id)] == [person["_id"]]


def test_nobody_confirms_the_binding_of_another_account(ground):
    person = a_retiree()
    binding, code = ask(person)
    thief, _ = caller(openid="o-thief")
    with pytest.raises(NotFound, match="binding_not_found"):
        bindings.confirm(thief, binding["_id"], code)


def test_a_wrong_name_and_a_wrong_number_cannot_be_told_apart(ground):
    person = a_retiree()
    answers = []
    for changed in ({"name": "李建国"}, {"id_number": an_id_number()}):
        with pytest.raises(NotFound) as refused:
            ask(person, **changed)
        answers.append((refused.value.code, refused.value.detail))
    assert answers[0] == answers[1]
    assert answers[0][0] == "no_such_retiree"
    assert collection("outbox").count_documents({"kind": "sms"}) == 0


def test_the_dead_are_bound_to_nobody_and_are_not_told_apart_either(ground):
    person = a_retiree()
    people.change(person["_id"], {"status": "deceased", "died_on": "2026-01-02"}, 1, COMMUNITY_WORKER)
    with pytest.raises(NotFound, match="no_such_retiree"):
        ask(person)


def test_a_number_that_cannot_be_one_is_named_before_anything_is_looked_up(ground):
    with pytest.raises(Invalid, match="wrong_check_digit"):
        ask(a_retiree(), id_number="110105194912310021")
    with pytest.raises(Invalid, match="wrong_length"):
        ask(a_retiree(), id_number="110105491231002")


def test_a_person_without_a_phone_on_record_is_sent_to_the_community(ground):
    with pytest.raises(Conflict, match="no_phone_on_record"):
        ask(a_retiree(phone=None))


@pytest.mark.parametrize("landline", ["0731-84907501", "073184907501", "84907501", "12345678901"])
def test_a_landline_on_record_confirms_nobody(ground, landline):
    person = a_retiree()
    binding, code = ask(person)
    collection("retirees").update_one({"_id": person["_id"]}, {"$set": {"phone": _sealed(landline)}})
    actor, _ = caller()
    with pytest.raises(Conflict, match="no_phone_on_record"):
        bindings.confirm(actor, binding["_id"], code)
    with pytest.raises(Conflict, match="no_phone_on_record"):
        ask(person)
    assert collection("outbox").count_documents({"kind": "sms"}) == 1


def test_the_code_of_one_account_confirms_no_other_and_its_guesses_burn_no_other(ground):
    person = a_retiree()
    (daughter, _), (stranger, _) = caller(openid="o-daughter"), caller(openid="o-stranger")

    def ask_as(actor: Actor):
        return bindings.ask(actor, None, person["name"], person["id_number"], "child")

    hers, code = ask_as(daughter)
    with pytest.raises(TooMany, match="code_just_sent"):
        ask_as(stranger)
    assert collection("bindings").count_documents({}) == 1
    with time_machine.travel(clock.now() + clock.seconds(61), tick=False):
        theirs, _ = ask_as(stranger)
        for guess in (code, *(f"{(int(code) + step) % 10**6:06d}" for step in (1, 2, 3, 4, 5))):
            with pytest.raises(Invalid, match="wrong_code"):
                bindings.confirm(stranger, theirs["_id"], guess)
        assert bindings.confirm(daughter, hers["_id"], code)["state"] == "confirmed"


def test_whoever_asks_again_keeps_the_binding_and_confirms_it_by_the_newest_code(ground):
    person = a_retiree()
    first, _ = ask(person)
    with time_machine.travel(clock.now() + clock.seconds(61), tick=False):
        again, code = ask(person, relation="child")
        assert again["_id"] == first["_id"]
        confirmed = bindings.confirm(caller()[0], first["_id"], code)
    assert (confirmed["state"], confirmed["relation"]) == ("confirmed", "child")


def test_an_account_tries_ten_times_a_day(ground):
    person = a_retiree()
    for _ in range(10):
        with pytest.raises(NotFound):
            ask(person, name="李建国")
    with pytest.raises(TooMany, match="too_many_bindings"):
        ask(person)
    with time_machine.travel(clock.now() + clock.days(1.01), tick=False):
        assert ask(person)[0]["state"] == "code_required"


def test_one_is_bound_to_oneself_once_and_to_several_parents(ground):
    mother, father = a_retiree(), a_retiree(name="李建国", sex="male")
    ask(mother, mother["phone"])
    with pytest.raises(Conflict, match="already_bound"):
        ask(mother, mother["phone"])
    actor, _ = caller(mother["phone"])
    collection("retirees").update_one({"_id": father["_id"]}, {"$set": {"phone": _sealed(mother["phone"])}})
    with pytest.raises(Conflict, match="bound_to_oneself"):
        ask(father, mother["phone"], "self")
    ask(father, mother["phone"], "spouse")
    assert [row["relation"] for row in bindings.of(actor.account_id)] == ["self", "spouse"]


def _sealed(phone: str):
    from models import encryption

    return encryption.encrypt(phone, "phone")


def test_at_most_five_accounts_act_for_one_person(ground):
    person = a_retiree()
    for number in range(5):
        actor, _ = caller(openid=f"o-{number}")
        bindings.ask(actor, person["phone"], person["name"], person["id_number"], "child")
    with pytest.raises(Conflict, match="too_many_helpers"):
        ask(person)


def test_the_role_follows_from_the_bindings(ground):
    assert bindings.role_of([]) == "retiree"
    assert bindings.role_of([{"relation": "child"}]) == "family"
    assert bindings.role_of([{"relation": "child"}, {"relation": "self"}]) == "retiree"


def test_whoever_stops_acting_for_a_person_sees_the_person_no_more(ground):
    person = a_retiree()
    ask(person, person["phone"])
    actor, _ = caller(person["phone"])
    bindings.end(actor, person["_id"])
    assert bindings.of(actor.account_id) == []
    assert audit_actions(person)[-1] == "binding.ended"
    with pytest.raises(NotFound, match="binding_not_found"):
        bindings.end(actor, person["_id"])


def test_staff_bind_nobody(ground):
    person = a_retiree()
    with pytest.raises(Forbidden):
        bindings.ask(COMMUNITY_WORKER, None, person["name"], person["id_number"], "child")
