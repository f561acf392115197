"""`flask demo`: made-up people, places and sign-ins. None of them exists; ID numbers are computed, phones are unassigned.

Loads only with YINLING_DEMO=1, which production refuses, and only into a house without people.
"""

from __future__ import annotations

import datetime as dt
import random

import click

from models import access, accounts, clock, divisions, people, schema
from models.database import collection
from models.errors import Conflict
from models.id_numbers import check_digit
from settings import settings

PASSWORD = "yinling-demo"
CITY = "4301"
ENTERPRISE_NAME = "示范机械厂（虚构）"

PLACES = {
    "4301": "示范市",
    "430102": "银杏区",
    "430102001": "桂花街道",
    "430102001001": "银杏社区",
    "430102001002": "梧桐社区",
    "430102002": "香樟街道",
    "430102002001": "香樟社区",
    "430103": "枫林区",
    "430103001": "红枫街道",
    "430103001001": "枫桥社区",
}

STAFF = {
    "city": (access.CITY, "4301", None),
    "street": (access.STREET, "430102001", None),
    "community": (access.COMMUNITY, "430102001001", None),
    "archive": (access.ARCHIVE_KEEPER, "4301", None),
    "branch": (access.BRANCH_SECRETARY, "430102001001", None),
    "enterprise": (access.ENTERPRISE, "4301", ENTERPRISE_NAME),
    "auditor": (access.AUDITOR, "", None),
    "admin": (access.ADMINISTRATOR, "", None),
}

NAMES = {
    access.CITY: "贺明远",
    access.STREET: "沈佳宁",
    access.COMMUNITY: "周敏",
    access.ARCHIVE_KEEPER: "宋文静",
    access.BRANCH_SECRETARY: "郑卫东",
    access.ENTERPRISE: "唐晓燕",
    access.AUDITOR: "罗正",
    access.ADMINISTRATOR: "冯凯",
}

SURNAMES = "王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗"
GIVEN = (
    "秀英", "桂兰", "玉兰", "淑珍", "凤英", "桂英", "秀兰", "玉珍", "建国", "建华", "志强", "德明", "国强", "文斌",
    "金生", "福生", "长江", "庆云", "永康", "松年",
)  # fmt: skip

# The people of the README's first walk: name, birth, sex, telephone
FIRST_WALK = (
    ("王秀英", "1948-03-12", "female", "16900000001"),
    ("李建国", "1945-10-01", "male", "16900000002"),
    ("张桂兰", "1939-06-08", "female", "16900000003"),
    ("刘德明", "1951-04-27", "male", "16900000004"),
    ("陈玉珍", "1946-01-15", "female", "16900000005"),
)


@click.command("demo")
def command() -> None:
    """Load the demo data, once."""
    if not settings.YINLING_DEMO:
        raise click.ClickException("demo data loads only with YINLING_DEMO=1")
    schema.prepare()
    click.echo("demo data loaded" if load() else "demo data is there already")


def load(count: int = 60) -> bool:
    """Load places, staff and `count` people; returns False where people are there already. Run again after a crash, it
    goes on where it stopped."""
    for code, name in PLACES.items():
        divisions.put(code, name)
    for username, (role, division, enterprise) in STAFF.items():
        try:
            accounts.open_staff(username, PASSWORD, role, division, name=NAMES[role], enterprise=enterprise)
        except Conflict:
            continue
    before = collection("retirees").count_documents({})
    chance = random.Random(20261121)  # noqa: S311 - the same made-up people every time
    city = access.Actor(access.CITY, division=CITY)
    for place in range(count):
        try:
            people.add(_person(place, chance), city)
        except Conflict:
            continue
    return collection("retirees").count_documents({}) > before


def _person(place: int, chance: random.Random) -> dict[str, object]:
    """A made-up person. The first few are those of the README; due dates are spread so that every state is seen."""
    if place < len(FIRST_WALK):
        name, birth, sex, phone = FIRST_WALK[place]
        community = "430102001001"
    else:
        name = chance.choice(SURNAMES) + chance.choice(GIVEN)
        birth = (dt.date(1932, 1, 1) + dt.timedelta(days=chance.randrange(365 * 32))).isoformat()
        sex = chance.choice(("male", "female"))
        phone = f"1690000{place + 1:04d}"
        community = chance.choice([code for code in PLACES if len(code) == 12])
    number = id_number(birth, sex, place)
    retired = dt.date.fromisoformat(birth).replace(day=1) + dt.timedelta(days=365 * (60 if sex == "male" else 55) + 15)
    last = clock.today() - dt.timedelta(days=chance.randrange(10, 480) if place >= len(FIRST_WALK) else 300)
    return {
        "name": name,
        "id_number": number,
        "sex": sex,
        "phone": phone,
        "division": community,
        "hukou_place": "示范市银杏区",
        "native_place": "示范省示范市",
        "address": f"示范市银杏区桂花路{chance.randrange(1, 99)}号{chance.randrange(1, 9)}栋{chance.randrange(101, 699)}",
        "retired_on": retired.isoformat(),
        "retirement_kind": "normal",
        "veteran": chance.random() < 0.1,
        "combat_or_test": False,
        "party_member": chance.random() < 0.3,
        "health": chance.choice(people.HEALTH),
        "enterprise": ENTERPRISE_NAME,
        "enterprise_level": "city",
        "residence_kind": "local",
        "liveness_note": "颈椎病，不能转头" if place == 2 else None,
        "verification": "verified",
        "last_certified_on": last.isoformat(),
        "due_on": clock.add_months(last, 12).isoformat(),
    }


def id_number(birth: str, sex: str, sequence: int) -> str:
    """A computed ID number with a right check digit; the region code is of the old kind that DOMAIN T138 shows."""
    order = (sequence % 400) * 2 + (101 if sex == "male" else 102)
    body = f"542221{birth.replace('-', '')}{order:03d}"
    return body + check_digit(body)
