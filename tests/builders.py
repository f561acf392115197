"""People, accounts and attempts for tests, all made up. A builder takes what matters to the test and fills in the rest."""

from __future__ import annotations

import itertools
from typing import Any

from bson import ObjectId

from models import access, accounts, bindings, clock, divisions, messages, notices, outbox, people, sign_ins
from models import certification_sessions as sessions
from models.access import Actor
from models.database import collection, transaction
from models.id_numbers import check_digit

COMMUNITY = "430102001001"
OTHER_COMMUNITY = "430102001002"
OTHER_CITY_COMMUNITY = "540502001001"
PASSWORD = "a long enough password"

_count = itertools.count(1)

CITY_WORKER = Actor(access.CITY, division="4301")
COMMUNITY_WORKER = Actor(access.COMMUNITY, division=COMMUNITY)


def an_id_number(birth: str = "1950-01-01", sex: str = "female") -> str:
    """A number with a right check digit that no test has used before."""
    order = (next(_count) % 480) * 2 + (11 if sex == "male" else 12)
    area = 542200 + next(_count) // 480
    body = f"{area}{birth.replace('-', '')}{order:03d}"
    return body + check_digit(body)


def a_retiree(**fields: Any) -> dict[str, Any]:
    """Somebody in the ledger of the community, whose certification is due in some months."""
    number = fields.pop("id_number", None) or an_id_number(sex=fields.get("sex", "female"))
    known = {"name": "王秀英", "id_number": number, "division": COMMUNITY, "phone": f"169{next(_count):08d}"}
    place = access.Actor(access.SYSTEM)
    for code, name in ((COMMUNITY, "银杏社区"), (OTHER_COMMUNITY, "梧桐社区")):
        divisions.put(code, name)
    return people.add({**known, **fields}, place)


def certified_until(person: dict[str, Any], due_on: str, last: str | None = None) -> None:
    collection("retirees").update_one(
        {"_id": person["_id"]}, {"$set": {"certification.due_on": due_on, "certification.last_certified_on": last}}
    )


def oneself(person: dict[str, Any]) -> Actor:
    """The retiree, signed in on their own phone."""
    return helper_of(person, "self")


def helper_of(person: dict[str, Any], relation: str = "child") -> Actor:
    """Somebody with a phone of their own, bound to the person."""
    account = accounts.of_wechat(f"openid-{next(_count)}")
    collection("bindings").insert_one(
        {
            "account_id": account["_id"],
            "retiree_id": person["_id"],
            "state": bindings.CONFIRMED,
            "relation": relation,
            "created_at": clock.now(),
        }
    )
    role = access.RETIREE if relation == "self" else access.FAMILY
    return Actor(role, account["_id"], retiree_ids=(person["_id"],))


def headers_of(actor: Actor) -> dict[str, str]:
    """The Authorization header of a public account."""
    assert actor.account_id
    return {"Authorization": f"Bearer {sign_ins.start(actor.account_id)['access_token']}"}


def a_worker(role: str = access.COMMUNITY, division: str = COMMUNITY, **more: Any) -> dict[str, str]:
    """The Authorization header of a staff account."""
    account_id = accounts.open_staff(f"{role}-{next(_count)}", PASSWORD, role, division, **more)
    return {"Authorization": f"Bearer {sign_ins.start(account_id)['access_token']}"}


def an_attempt(person: dict[str, Any], actor: Actor | None = None, **more: Any) -> dict[str, Any]:
    """A session whose frames have been sent and that waits for the worker."""
    actor = actor or oneself(person)
    attempt = sessions.start(person["_id"], actor, consent=True, **more)
    parts = [(name, f"{attempt['_id']}-{name}".encode()) for name in sessions.expected_parts(attempt)]
    return sessions.receive(attempt["_id"], parts, actor)


def a_writer(role: str = access.COMMUNITY, division: str = COMMUNITY) -> Actor:
    """Somebody of an office, who is nobody else in this test."""
    return Actor(role, ObjectId(), division=division)


def a_draft(writer: Actor | None = None, **fields: Any) -> dict[str, Any]:
    """A notice that needs nothing but its review."""
    known = {"title": "关于资格认证的通知", "summary": "每年认证一次，在家用手机就能办。"}
    body = "<p>请在到期之前完成养老保险待遇领取资格认证。</p>"
    return notices.create({**known, "body": body, "text": body[3:-4], **fields}, writer or a_writer())


def an_approved_notice(writer: Actor | None = None, **fields: Any) -> dict[str, Any]:
    """A notice that a second person has read."""
    writer = writer or a_writer()
    asked = notices.ask_for_review(a_draft(writer, **fields)["_id"], writer)
    return notices.review(asked["_id"], True, "", asked["revision"], a_writer(writer.role, writer.division))


def a_published_notice(writer: Actor | None = None, **fields: Any) -> dict[str, Any]:
    """A notice that its readers see; nobody is written to before `finish_work()`."""
    writer = writer or a_writer()
    return notices.publish(an_approved_notice(writer, **fields)["_id"], writer)


def a_message(person: dict[str, Any], cause: str = "1", **fields: Any) -> dict[str, Any]:
    """A message in somebody's inbox, as the house writes it."""
    known = {"template": "notice", "title": "关于资格认证的通知", "body": "每年认证一次。", **fields}
    message = messages.make(person["_id"], person["division"], cause=cause, **known)
    transaction(lambda session: messages.put(session, message))
    return (
        collection("messages").find_one({"retiree_id": person["_id"], "template": known["template"], "cause": cause})
        or {}
    )


def finish_work(most: int = 100) -> int:
    """Do everything that the outbox holds and that is due, by the worker's own jobs; returns how many events."""
    import jobs  # noqa: F401 - registers them
    from jobs import registry

    done = 0
    while due := outbox.hand_out():
        for event in due:
            registry.deliver(str(event["_id"]))
            done += 1
        assert done < most, "the outbox does not get empty"
    return done


def audit_actions(person: dict[str, Any]) -> list[str]:
    """What the audit log says was done about a person, in order."""
    return [row["action"] for row in collection("audit").find({"subject.id": person["_id"]}).sort("$natural")]
