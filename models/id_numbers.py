"""Identity numbers 公民身份号码, as GB 11643-1999 defines them: six digits of place, eight of birth, three of order, one check.

Of the place only the province is checked: old people carry codes of counties that were abolished long ago, so a table of today
would refuse real people. An odd order is a man's, an even one a woman's. Numbers of the first generation have 15 digits; they
stand in archives and old rosters and are upgraded where the caller allows it, never at a sign-in.

The birth in the number need not be the one that counts for the pension: that is the recognised birth, a field of its own.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import date
from typing import Literal

WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
CHECK_CHARACTERS = "10X98765432"

PROVINCES = frozenset(
    str(code)
    for codes in (
        range(11, 16),
        range(21, 24),
        range(31, 38),
        range(41, 47),
        range(50, 55),
        range(61, 66),
        (71, 81, 82, 83),
    )
    for code in codes
)

OLDEST_YEARS = 130

# The orders that the first generation kept for people born in the century before
BORN_BEFORE_1900 = range(996, 1000)

REFUSALS = {
    "wrong_length": "身份证号应为18位，请核对是否多写或漏写。",
    "bad_characters": "身份证号只能是数字，最后一位可以是字母X。",
    "bad_province": "身份证号开头两位不是省份代码，请核对。",
    "no_such_date": "身份证号里的出生日期不存在，请核对第7到14位。",
    "born_in_future": "身份证号里的出生日期在今天之后，请核对第7到14位。",
    "too_old": f"按身份证号计算年龄超过{OLDEST_YEARS}岁，请核对第7到14位。",
    "wrong_check_digit": "身份证号校验不通过，可能有一位写错，请逐位核对。",
}
OLD_NUMBER = "这是15位的旧身份证号，请填写18位的身份证号。"

# Full-width forms as Chinese keyboards type them
_HALF_WIDTH = str.maketrans("０１２３４５６７８９Ｘｘx", "0123456789XXX")
# What spreadsheets and chats add unseen: spaces of every kind, marks of writing direction, joiners
_UNSEEN = re.compile("[\\s\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]+")
_APOSTROPHES = "'`´‘’＇\"“”"


class InvalidIdNumber(ValueError):
    """`code` is one of `REFUSALS`; `detail` is a sentence for whoever typed it. Neither holds the number."""

    def __init__(self, code: str, detail: str = "") -> None:
        super().__init__(code)
        self.code = code
        self.detail = detail or REFUSALS[code]


@dataclass(frozen=True)
class IdNumber:
    """A number that passed every check, 18 characters, with `X` in upper case."""

    number: str = field(repr=False)
    birth: date
    sex: Literal["male", "female"]
    upgraded_from_15: bool


def normalise(text: str) -> str:
    """Undo what typing and spreadsheets do to a number: full-width forms, spaces, a leading apostrophe, a small x."""
    return _UNSEEN.sub("", text).strip(_APOSTROPHES).translate(_HALF_WIDTH)


def parse(text: str, today: date, allow_15: bool = False) -> IdNumber:
    """Read an identity number in whatever form it was typed.

    Raises:
        InvalidIdNumber: it cannot be one; `code` says why.
    """
    number = normalise(text)
    upgraded = allow_15 and len(number) == 15
    if upgraded:
        number = _upgrade(number)
    if len(number) != 18:
        raise InvalidIdNumber("wrong_length", OLD_NUMBER if re.fullmatch("[0-9]{15}", number) else "")
    if not re.fullmatch("[0-9]{17}[0-9X]", number):
        raise InvalidIdNumber("bad_characters")
    if number[:2] not in PROVINCES:
        raise InvalidIdNumber("bad_province")
    birth = _birth(number, today)
    if check_digit(number[:17]) != number[17]:
        raise InvalidIdNumber("wrong_check_digit")
    return IdNumber(number, birth, "male" if int(number[16]) % 2 else "female", upgraded)


def check_digit(first_17: str) -> str:
    """The 18th digit, or X, that belongs to 17 digits (ISO 7064 MOD 11-2)."""
    return CHECK_CHARACTERS[sum(weight * int(digit) for weight, digit in zip(WEIGHTS, first_17, strict=True)) % 11]


def _upgrade(number: str) -> str:
    if not re.fullmatch("[0-9]{15}", number):
        raise InvalidIdNumber("bad_characters")
    century = "18" if int(number[12:]) in BORN_BEFORE_1900 else "19"
    first_17 = number[:6] + century + number[6:]
    return first_17 + check_digit(first_17)


def _birth(number: str, today: date) -> date:
    try:
        birth = date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    except ValueError:
        raise InvalidIdNumber("no_such_date") from None
    if birth > today:
        raise InvalidIdNumber("born_in_future")
    had_birthday = (today.month, today.day) >= (birth.month, birth.day)
    if today.year - birth.year - (not had_birthday) > OLDEST_YEARS:
        raise InvalidIdNumber("too_old")
    return birth
