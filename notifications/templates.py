"""From a template and values to the words of one message, for the inbox and for every channel.

A value that is missing is an error before anything is written or sent. What only one channel cannot take (a value that its
field at WeChat would refuse) closes that channel for this message, not the message: the inbox always has it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bson import ObjectId

from models import access, clock, divisions, message_templates, people, wechat_fields
from models.access import Actor
from models.database import Document
from settings import settings


class MissingValue(ValueError):
    """A template wants what nobody gave: its key and the names, never the values."""

    def __init__(self, key: str, names: list[str]) -> None:
        self.key = key
        self.names = names
        super().__init__(f"template {key} needs {', '.join(names)}")


@dataclass(frozen=True)
class Rendered:
    """The words of one message.

    `wechat` is the `data` of a subscribe message, {field: {"value": text}}, each value within the limits of its kind; None
    where this message does not go by WeChat. `sms` is without the signature, which the gateway puts in front; None likewise.
    `faults` says in Chinese why a channel that the template has was closed.
    """

    title: str
    body: str
    link: str
    wechat: dict[str, dict[str, str]] | None
    wechat_template_id: str | None
    sms: str | None
    version: int
    faults: tuple[str, ...] = ()


def render(key: str, values: Mapping[str, object]) -> Rendered:
    """The message of a key in the version that is in force. `service` and `service_phone` need not be given.

    Raises:
        KeyError: no version of such a key is in force.
        MissingValue: a value that the inbox or any channel wants is absent, None or blank.
    """
    return rendered(message_templates.active(key), values)


def rendered(template: Mapping[str, Any], values: Mapping[str, object]) -> Rendered:
    """The same of one version."""
    known = {"service": settings.SERVICE_NAME, "service_phone": settings.SERVICE_PHONE} | {
        name: str(value).strip() for name, value in values.items() if value is not None
    }
    wanted = [name for _, text in message_templates.texts(template) for name in message_templates.gaps(text)]
    missing = [name for name in dict.fromkeys(wanted) if not known.get(name)]
    if missing:
        raise MissingValue(template["key"], missing)
    channels = template["channels"]
    data, faults = _wechat(channels["wechat"], known)
    return Rendered(
        title=wechat_fields.one_line(message_templates.filled(template["title"], known)),
        body=message_templates.filled(template["body"], known),
        link=message_templates.filled(template["link"], known),
        wechat=data,
        wechat_template_id=channels["wechat"]["template_id"] if data else None,
        sms=wechat_fields.one_line(message_templates.filled(channels["sms"], known)) if channels["sms"] else None,
        version=template["version"],
        faults=faults,
    )


def of_person(person: Mapping[str, Any]) -> dict[str, str]:
    """What may stand in any message to this retiree: `name` and `community`."""
    return {"name": person["name"], "community": divisions.name(person["division"])}


def preview(
    key: str,
    actor: Actor,
    *,
    retiree_id: ObjectId | None = None,
    version: int | None = None,
    content: Document | None = None,
) -> Document:
    """How a version, or a draft that is not saved yet, reads: {title, body, link, sms, wechat: [{name, value}], problems}.

    With a retiree their own name, community and days stand in it; what the house learns only when it sends has an example.
    `problems` are sentences; a draft that cannot be saved has nothing else.

    Raises:
        NotFound: no such version, or the retiree is out of scope.
    """
    access.require(actor, message_templates.WRITERS)
    if content is not None:
        message_templates.versions(key, actor)
        template: Mapping[str, Any] = {**content, "key": key, "version": 0}
    else:
        template = message_templates.version(key, version) if version is not None else _current(key, actor)
    values = {gap.name: gap.example for gap in message_templates.placeholders(key)}
    if retiree_id is not None:
        values |= _known_of(people.get(retiree_id, actor))
    if problems := [fault.detail for fault in message_templates.faults(key, template)]:
        return {"title": "", "body": "", "link": "", "sms": None, "wechat": [], "problems": problems}
    shown = rendered(template, values)
    return {
        "title": shown.title,
        "body": shown.body,
        "link": shown.link,
        "sms": f"【{settings.SERVICE_NAME}】{shown.sms}" if shown.sms else None,
        "wechat": [{"name": name, **field} for name, field in (shown.wechat or {}).items()],
        "problems": list(shown.faults),
    }


def _current(key: str, actor: Actor) -> Document:
    held = message_templates.versions(key, actor)["versions"]
    return next((row for row in held if row["state"] == message_templates.ACTIVE), held[0])


def _known_of(person: Mapping[str, Any]) -> dict[str, str]:
    held = person["certification"]
    days = {"due_on": held["due_on"], "certified_on": held["last_certified_on"]}
    return of_person(person) | {name: clock.spoken(day) for name, day in days.items() if day}


def _wechat(
    wanted: Mapping[str, Any] | None, known: Mapping[str, str]
) -> tuple[dict[str, dict[str, str]] | None, tuple[str, ...]]:
    if not wanted:
        return None, ()
    data: dict[str, dict[str, str]] = {}
    faults = []
    for field in wanted["fields"]:
        kind = wechat_fields.kind_of(field["name"]) or ""
        value = wechat_fields.shortened(kind, message_templates.filled(field["value"], known))
        if not wechat_fields.fits(kind, value):
            faults.append(f"微信字段{field['name']}只能填{wechat_fields.KINDS[kind].words}，这条不能用微信发。")
        data[field["name"]] = {"value": value}
    return (None if faults else data), tuple(faults)
