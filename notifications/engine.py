"""The engine: from something that has to be said to what the inbox and the telephones show.

A message is written first (`tell` in the transaction of its cause, `tell_many` for a chunk of an audience), and is in the inbox
with that. Then `plan` climbs its ladder, a rung at a time, as long as nobody has read it:

    rung 0  WeChat        the account of the retiree, or those that act for them where they have none; with a grant
    rung 1  SMS           the number in the ledger
    rung 2  a person      the list of those to call, or of the doors to knock at where there is no telephone

A routine message uses rung 0 alone. An important one starts at the first rung that leads anywhere and goes on to the next
after the hours that the rules say, or at once where a rung turns out to lead nowhere. An emergency uses rungs 0 and 1 at once
and rung 2 soon after, whatever the retiree has switched off, at any hour. Where the retiree wishes it, the family's accounts
get a copy beside the first rung.

What a delivery needs is decided again at the moment of sending (`ready`): read meanwhile, withdrawn, expired, switched off,
quiet hours, the day's cap, the grant, the number. Everything may be done twice: unique indexes keep one message a cause and one
delivery a channel, and a claim that was lost ends before the provider is asked.
"""

from __future__ import annotations

import datetime as dt
import functools
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bson import ObjectId

from models import (
    accounts,
    bindings,
    clock,
    contact_settings,
    deliveries,
    divisions,
    message_templates,
    messages,
    people,
    providers,
    rules,
    sms_codes,
    subscription_grants,
)
from models.database import Document, Session, collection
from models.deliveries import CALL, PAPER, SMS, WECHAT
from models.messages import EMERGENCY, ROUTINE
from notifications import channels, templates
from notifications.templates import Rendered

# Nothing goes to a telephone for them; what concerns them stands in the inbox of whoever acts for them
BEYOND_REACH = (people.MOVED, people.DECEASED)
RUNGS = 3
BREAKER_OPEN_SECONDS = 5


# ---- Saying


def tell(
    session: Session, retiree_id: ObjectId, template: str, cause: str, values: Mapping[str, object], *,
    importance: str = ROUTINE, link: str | None = None, notice_id: ObjectId | None = None, expires_on: str | None = None,
) -> None:  # fmt: skip
    """Say something to one person, in the transaction of its cause; once a template and cause.

    `values` fill the gaps of the template; name and community need not be given. `link` wins over the template's.

    Raises:
        LookupError: there is no such person or template.
        MissingValue: the template wants what nobody gave; nothing is written.
    """
    person = collection("retirees").find_one({"_id": retiree_id}, SHOWN, session=session)
    if person is None:
        raise LookupError("no such retiree")
    words = templates.render(template, {**templates.of_person(person), **values})
    about = _About(template, cause, importance, link, notice_id=notice_id, expires_on=expires_on)
    messages.put(session, _message(person, words, about))


def tell_many(
    retiree_ids: Sequence[ObjectId], template: str, cause: str, values: Mapping[str, object], *,
    importance: str = ROUTINE, link: str | None = None, notice_id: ObjectId | None = None,
    notice_version: int | None = None, expires_on: str | None = None, branch: bool = False,
) -> int:  # fmt: skip
    """Say the same to many, a chunk of an audience; returns how many messages are new. May be done again after a crash.

    `branch` marks what the Party branch says: its work lists are the branch's.

    Raises: like `tell`; people who are not in the ledger are left out.
    """
    chosen = message_templates.active(template)
    persons = list(collection("retirees").find({"_id": {"$in": list(retiree_ids)}}, SHOWN))
    about = _About(template, cause, importance, link, notice_id, notice_version, expires_on, branch)
    gaps = {gap for _, text in message_templates.texts(chosen) for gap in message_templates.gaps(text)}
    if gaps & {"name", "community"}:
        places = divisions.names({person["division"] for person in persons})
        written = []
        for person in persons:
            own = {"name": person["name"], "community": places.get(person["division"], person["division"])}
            written.append(_message(person, templates.rendered(chosen, {**own, **values}), about))
        return messages.put_all(written)
    if not persons:
        return 0
    first = _message(persons[0], templates.rendered(chosen, values), about)
    return messages.put_all(
        [messages.same_for(first, person["_id"], person["division"], _goes_out(person, first)) for person in persons]
    )


SHOWN = {"name": 1, "division": 1, "status": 1}


@dataclass(frozen=True)
class _About:
    """What a message is about, the same for everybody who gets it."""

    template: str
    cause: str
    importance: str
    link: str | None
    notice_id: ObjectId | None = None
    notice_version: int | None = None
    expires_on: str | None = None
    branch: bool = False


def _message(person: Mapping[str, Any], words: Rendered, about: _About) -> Document:
    link = words.link if about.link is None else about.link
    wechat = None
    if words.wechat and words.wechat_template_id:
        data = {name: value["value"] for name, value in words.wechat.items()}
        wechat = {"template_id": words.wechat_template_id, "data": data}
    message = messages.make(
        person["_id"], person["division"], about.template, about.cause,
        template_version=words.version, title=words.title, body=words.body, link=link, wechat=wechat, sms=words.sms,
        importance=about.importance, notice_id=about.notice_id, notice_version=about.notice_version,
        expires_on=about.expires_on, branch=about.branch,
    )  # fmt: skip
    return message if _goes_out(person, message) else {**message, "plan_at": None}


def _goes_out(person: Mapping[str, Any], message: Mapping[str, Any]) -> bool:
    """Whether there is anything to plan: a routine message that does not go by WeChat stays in the inbox alone."""
    return person["status"] not in BEYOND_REACH and bool(message["wechat"] or message["importance"] != ROUTINE)


# ---- Planning


def plan(limit: int = 500) -> int:
    """Climb one rung for each of the messages that are due for it, emergencies first; returns how many were looked at."""
    due = messages.to_plan(limit)
    if due:
        known = _Known.of(due)
        steps = [(message, *_rung(message, known)) for message in due]
        deliveries.put_all([row for _, rows, _, _ in steps for row in rows])
        messages.planned([(message, again, rung) for message, _, again, rung in steps])
    return len(due)


class Policy:
    """The rules of today, each read once for all places; for a page of planning or a turn of sending."""

    def __init__(self) -> None:
        self.today = clock.today()
        self._records = functools.cache(lambda key: rules.in_force(key, self.today))
        self.number = functools.cache(self._number)

    def _number(self, key: str, division: str) -> int:
        found = rules.nearest(self._records(key), division)
        if found is None:
            raise LookupError(f"no rule {key} is in force on {self.today}")
        return int(found.value)

    def not_before(self, instant: dt.datetime, division: str) -> dt.datetime:
        """The instant itself, or the end of the quiet hours in which it lies."""
        return after_quiet_hours(
            instant, self.number("quiet_hours_start", division), self.number("quiet_hours_end", division)
        )

    def tomorrow(self, instant: dt.datetime, division: str) -> dt.datetime:
        """When the next day's messages may leave."""
        day = clock.day_of(instant) + dt.timedelta(days=1)
        return self.not_before(clock.start_of(day), division)


def after_quiet_hours(instant: dt.datetime, start: int, end: int) -> dt.datetime:
    """The instant itself, or the end of the quiet hours, from `start` to `end` o'clock in Shanghai, in which it lies."""
    local = instant.astimezone(clock.SHANGHAI)
    quiet = (start <= local.hour < end) if start < end else (local.hour >= start or local.hour < end)
    if start == end or not quiet:
        return instant
    ends = local.replace(hour=end, minute=0, second=0, microsecond=0)
    return (ends if ends > local else ends + dt.timedelta(days=1)).astimezone(dt.UTC)


@dataclass(frozen=True)
class _Known:
    """What planning needs to know of the people of a page, read at once."""

    persons: Mapping[ObjectId, Document]
    wishes: Mapping[ObjectId, Document]
    # retiree → their own accounts, and those of others who act for them
    own: Mapping[ObjectId, list[Document]]
    family: Mapping[ObjectId, list[Document]]
    # WeChat template → accounts that allow a message of it
    granted: Mapping[str, set[ObjectId]]
    policy: Policy = field(default_factory=Policy)

    @classmethod
    def of(cls, page: Sequence[Document]) -> _Known:
        ids = list({message["retiree_id"] for message in page})
        persons = collection("retirees").find({"_id": {"$in": ids}}, {"status": 1, "phone": 1, "emergency_phone": 1})
        bound = list(collection("bindings").find({"retiree_id": {"$in": ids}, "state": bindings.CONFIRMED}))
        wanted = {"_id": {"$in": [row["account_id"] for row in bound]}, "enabled": True}
        held = {row["_id"]: row for row in collection("accounts").find(wanted, {"openid": 1, "phone": 1})}
        own: dict[ObjectId, list[Document]] = defaultdict(list)
        family: dict[ObjectId, list[Document]] = defaultdict(list)
        for row in bound:
            if row["account_id"] in held:
                side = own if row["relation"] == bindings.SELF else family
                side[row["retiree_id"]].append(held[row["account_id"]])
        template_ids = {message["wechat"]["template_id"] for message in page if message["wechat"]}
        granted = {template_id: set(subscription_grants.held(held, template_id)) for template_id in template_ids}
        return cls(
            {row["_id"]: row for row in persons}, contact_settings.of_many(ids), own, family, granted
        )  # fmt: skip


def _rung(message: Document, known: _Known) -> tuple[list[Document], dt.datetime | None, int]:
    """The next rung of a message: (deliveries, when to think of it again, the rung that is next then)."""
    instant = clock.now()
    person = known.persons.get(message["retiree_id"])
    expired = message["expires_on"] and message["expires_on"] < known.policy.today.isoformat()
    if person is None or person["status"] in BEYOND_REACH or expired:
        return [], None, message["rung"]
    emergency = message["importance"] == EMERGENCY
    last = 1 if message["importance"] == ROUTINE else RUNGS
    due_at = instant if emergency else known.policy.not_before(instant, message["division"])
    rung = message["rung"]
    rows = _copies(message, known, due_at) if rung == 0 else []
    mine: list[Document] = []
    while rung < last and (not mine or (emergency and rung == 1)):
        mine += (_by_wechat, _by_sms, _by_hand)[rung](message, known, due_at)
        rung += 1
    if rung >= last or not mine:
        return [*rows, *mine], None, rung
    key = "fallback_hours_wechat_to_sms" if rung == 1 else "fallback_hours_sms_to_call"
    hours = known.policy.number("fallback_hours_emergency" if emergency else key, message["division"])
    return [*rows, *mine], due_at + dt.timedelta(hours=hours), rung


def _wishes(message: Document, channel: str, known: _Known) -> bool:
    wished: bool = known.wishes[message["retiree_id"]]["channels"][channel]
    return wished or message["importance"] == EMERGENCY


def _by_wechat(message: Document, known: _Known, due_at: dt.datetime) -> list[Document]:
    if not message["wechat"] or not _wishes(message, WECHAT, known):
        return []
    retiree_id, granted = message["retiree_id"], known.granted[message["wechat"]["template_id"]]
    held = known.own.get(retiree_id) or known.family.get(retiree_id) or []
    return [
        deliveries.make(message, WECHAT, due_at, account_id=account["_id"])
        for account in held
        if account.get("openid") and account["_id"] in granted
    ]


def _by_sms(message: Document, known: _Known, due_at: dt.datetime) -> list[Document]:
    reachable = message["sms"] and known.persons[message["retiree_id"]].get("phone")
    return [deliveries.make(message, SMS, due_at)] if reachable and _wishes(message, SMS, known) else []


def _by_hand(message: Document, known: _Known, due_at: dt.datetime) -> list[Document]:
    person = known.persons[message["retiree_id"]]
    if (person.get("phone") or person.get("emergency_phone")) and _wishes(message, CALL, known):
        return [deliveries.make(message, CALL, due_at)]
    return [deliveries.make(message, PAPER, due_at)] if _wishes(message, PAPER, known) else []


def _copies(message: Document, known: _Known, due_at: dt.datetime) -> list[Document]:
    """For the family, where the retiree wishes it and has a telephone of their own: by WeChat with a grant, else by SMS to
    the number with which they signed in."""
    retiree_id = message["retiree_id"]
    if not known.wishes[retiree_id]["copy_family"] or not known.own.get(retiree_id):
        return []
    granted = known.granted[message["wechat"]["template_id"]] if message["wechat"] else set()
    rows = []
    for account in known.family.get(retiree_id, []):
        if account.get("openid") and account["_id"] in granted:
            rows.append(deliveries.make(message, WECHAT, due_at, account_id=account["_id"], copy=True))
        elif account.get("phone") and message["sms"] and message["importance"] != ROUTINE:
            rows.append(deliveries.make(message, SMS, due_at, account_id=account["_id"], copy=True))
    return rows


# ---- Sending


@dataclass(frozen=True)
class Parcel:
    """A claimed delivery that may be handed over now: the message, where it goes, and whether a grant was taken for it now."""

    delivery: Document
    message: Document
    address: str
    took_grant: bool = False


def ready(delivery: Document, policy: Policy) -> Parcel | None:
    """Decide on a claimed delivery at the moment of sending; None where it is not sent now, and says in its state why."""
    message = messages.by_id(delivery["message_id"])
    if message is None or message["ended"]:
        deliveries.cancel_claimed(delivery, message["ended"] if message else deliveries.GONE)
        return None
    if message["read_at"] and not delivery["copy"]:
        deliveries.cancel_claimed(delivery, deliveries.READ)
        return None
    if message["expires_on"] and message["expires_on"] < policy.today.isoformat():
        deliveries.cancel_claimed(delivery, deliveries.EXPIRED)
        return None
    person = collection("retirees").find_one({"_id": delivery["retiree_id"]})
    if person is None or person["status"] in BEYOND_REACH:
        deliveries.cancel_claimed(delivery, deliveries.GONE)
        return None
    if delivery["importance"] != EMERGENCY and not _may_disturb(delivery, policy):
        return None
    address = _address(delivery, person)
    if address is None:
        deliveries.refuse(delivery, deliveries.NO_PHONE if delivery["channel"] == SMS else deliveries.GONE)
        return None
    if delivery["channel"] != WECHAT:
        return Parcel(delivery, message, address)
    # Where a process died over this delivery, or its answer was lost, a grant may have been taken that was never used: then
    # WeChat is asked all the same, which knows, and one grant can never be two messages
    took_grant = subscription_grants.take(delivery["account_id"], message["wechat"]["template_id"])
    if took_grant or delivery["interrupted"] or delivery["lost_answers"]:
        return Parcel(delivery, message, address, took_grant)
    deliveries.refuse(delivery, deliveries.NO_GRANT)
    return None


def _may_disturb(delivery: Document, policy: Policy) -> bool:
    """Wishes, quiet hours and the day's cap; they do not hold for an emergency."""
    wishes = contact_settings.of_many([delivery["retiree_id"]])[delivery["retiree_id"]]
    if not (wishes["copy_family"] if delivery["copy"] else wishes["channels"][delivery["channel"]]):
        deliveries.cancel_claimed(delivery, deliveries.NOT_WANTED)
        return False
    instant, place = clock.now(), delivery["division"]
    waits_until = policy.not_before(instant, place)
    if waits_until > instant:
        deliveries.postpone(delivery, waits_until, deliveries.QUIET_HOURS)
        return False
    if not deliveries.count(delivery, policy.number("messages_per_day", place)):
        deliveries.postpone(delivery, policy.tomorrow(instant, place), deliveries.DAILY_CAP)
        return False
    return True


def _address(delivery: Document, person: Document) -> str | None:
    """The openid or the telephone number where a delivery goes now; None where it leads nowhere any more."""
    if delivery["account_id"] is None:
        phone = people.opened({"phone": person.get("phone")})["phone"]
        return phone if sms_codes.reaches(phone) else None
    bound = {"account_id": delivery["account_id"], "retiree_id": delivery["retiree_id"], "state": bindings.CONFIRMED}
    account = accounts.get(delivery["account_id"])
    if account is None or not collection("bindings").find_one(bound, {"_id": 1}):
        return None
    return account.get("openid") if delivery["channel"] == WECHAT else accounts.phone_of(account)


def hand_over(parcel: Parcel, slot: providers.Slot) -> bool:
    """Ask the provider, once, and note what came of it; False where the provider was not well."""
    delivery, provider = parcel.delivery, parcel.delivery["channel"]
    if not deliveries.begin(delivery, provider):
        return True  # the claim was lost: somebody else goes on with it
    try:
        sent = channels.send(provider, parcel.address, parcel.message)
    except channels.Refused as refusal:
        providers.succeeded(provider)
        _settle_grant(parcel, refusal.code)
        unclear = refusal.code == deliveries.NO_GRANT and delivery["lost_answers"]
        deliveries.refuse(delivery, deliveries.ANSWER_LOST if unclear else refusal.code)
    except channels.AnswerLost:
        providers.failed(provider, slot)
        deliveries.try_again(delivery, deliveries.ANSWER_LOST, lost=True)
        return False
    except channels.Temporary:
        providers.failed(provider, slot)
        _settle_grant(parcel, None)
        deliveries.try_again(delivery, "unavailable")
        return False
    else:
        providers.succeeded(provider)
        deliveries.accept(delivery, sent.provider_id)
    return True


def _settle_grant(parcel: Parcel, code: str | None) -> None:
    """What becomes of the grant of a message that WeChat did not take."""
    if parcel.delivery["channel"] != WECHAT:
        return
    pair = parcel.delivery["account_id"], parcel.message["wechat"]["template_id"]
    if code == deliveries.NO_GRANT:
        subscription_grants.refuse(*pair)
    elif parcel.took_grant or not parcel.delivery["lost_answers"]:
        # one that went with an answer that was lost may be used up
        subscription_grants.give_back(*pair)


def breaker_open(delivery: Document) -> None:
    """The provider is not asked at all just now: the delivery waits for it."""
    deliveries.postpone(delivery, clock.now() + clock.seconds(BREAKER_OPEN_SECONDS), None)
