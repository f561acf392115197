"""The fields of a WeChat subscribe message 订阅消息: each has a kind, and WeChat refuses (47003) a value that does not fit it.

A field is named by its kind and a number: `thing1`, `date02`, `character_string19`. The limits are those of the table
“订阅消息参数值内容限制说明” in WeChat's documentation of `subscribeMessage.send`:

| kind | what fits |
|---|---|
| thing | 20 characters: characters, digits, letters, symbols |
| number | 32 digits, with decimals if need be |
| letter | 32 letters |
| symbol | 5 symbols |
| character_string | 32 digits, letters or symbols, nothing Chinese |
| time | 15:01, 15:01:30, a day before it if need be; two with “~” between them |
| date | 2019年10月1日, 2019年10月, 10月1日, the same with “-”, “/” or “.”, a time behind it if need be; two with “~” |
| amount | one currency sign, 10 digits, decimals, 元 at the end |
| phone_number | 17 digits and symbols |
| car_number | 8: the first and the last may be Chinese, letters and digits between them |
| name | 10 where any of it is Chinese, else 20 letters or symbols |
| phrase | 5 Chinese characters |
| const, enum, enum_string | one of the values that are registered with the template at WeChat |

No value holds a line feed or another control character. What counts as one character is not said there: characters outside
the basic plane, which some names have, count two here, as they do on a phone, so that a value that fits here fits there.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

HAN = "\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
FIELD = re.compile(r"([a-z]+(?:_[a-z]+)?)\d{1,3}")
SHORTENED = {"thing": "…", "name": ""}

_DAY = (
    r"(?:\d{4}年(?:\d{1,2}月(?:\d{1,2}日)?)?|\d{1,2}月\d{1,2}日"
    r"|\d{4}[-/.]\d{1,2}(?:[-/.]\d{1,2})?|\d{1,2}[-/.]\d{1,2})"
)  # fmt: skip
_TIME = r"(?:[01]?\d|2[0-3]):[0-5]\d(?::[0-5]\d)?"
_INSTANT = rf"(?:{_DAY} ?)?{_TIME}"
_DATE = rf"{_DAY}(?: ?{_TIME})?"


@dataclass(frozen=True)
class Kind:
    """A kind of field: the form of its values, how long they may be, and both in words for whoever writes templates."""

    form: re.Pattern[str]
    most: int
    words: str
    fixed: bool = False  # only values that WeChat knows already: nothing may be filled in


def _kind(form: str, most: int, words: str, *, fixed: bool = False) -> Kind:
    return Kind(re.compile(form), most, words, fixed)


KINDS = {
    "thing": _kind(r".+", 20, "20个字以内"),
    "number": _kind(r"[+-]?\d+(?:\.\d+)?", 32, "32位以内的数字"),
    "letter": _kind(r"[A-Za-z]+", 32, "32个以内的字母"),
    "symbol": _kind(rf"[^{HAN}A-Za-z0-9\s]+", 5, "5个以内的符号"),
    "character_string": _kind(rf"[^{HAN}]+", 32, "32位以内的数字、字母或符号，不能有汉字"),
    "time": _kind(rf"{_INSTANT}(?: ?~ ?{_INSTANT})?", 64, "时间，如15:01或2026年3月15日 15:01"),
    "date": _kind(rf"{_DATE}(?: ?~ ?{_DATE})?", 64, "日期，如2026年3月15日"),
    "amount": _kind(r"[¥￥$€£]?\d{1,10}(?:\.\d{1,2})?元?", 16, "金额，10位以内的数字，如¥12.50或12.50元"),
    "phone_number": _kind(r"[\d+\-()（） ]+", 17, "17位以内的电话号码"),
    "car_number": _kind(rf"[{HAN}A-Za-z0-9][A-Za-z0-9]+[{HAN}A-Za-z0-9]", 8, "8位以内的车牌号"),
    "name": _kind(r"[^\d\s](?:[^\d]*[^\d\s])?", 20, "姓名，10个以内的汉字，不能有数字"),
    "phrase": _kind(rf"[{HAN}]+", 5, "5个以内的汉字"),
    "const": _kind(r".+", 20, "在微信后台登记过的固定文字", fixed=True),
    "enum": _kind(r".+", 20, "在微信后台登记过的固定文字", fixed=True),
    "enum_string": _kind(r".+", 20, "在微信后台登记过的固定文字", fixed=True),
}


def kind_of(field: str) -> str | None:
    """The kind of a field by its name, None where WeChat has no such field."""
    found = FIELD.fullmatch(field)
    return found[1] if found and found[1] in KINDS else None


def fits(kind: str, value: str) -> bool:
    """Whether WeChat would take the value in a field of this kind."""
    clean = value == value.strip() and not any(map(_control, value))
    return clean and units(value) <= _most(kind, value) and bool(KINDS[kind].form.fullmatch(value))


def shortened(kind: str, value: str) -> str:
    """The value on one line and, where it is a thing or a name, cut to the length that fits: a thing with “…”."""
    line = one_line(value)
    if kind not in SHORTENED or units(line) <= _most(kind, line):
        return line
    end = SHORTENED[kind]
    most = _most(kind, line) - len(end)
    while units(line) > most:
        line = line[:-1]
    return line.rstrip() + end


def units(value: str) -> int:
    """The length as a phone counts it: in units of UTF-16."""
    return len(value.encode("utf-16-le", "surrogatepass")) // 2


def one_line(text: str) -> str:
    """The text without line feeds and other control characters, single spaces between its words."""
    return " ".join("".join(" " if _control(char) else char for char in text).split())


def _most(kind: str, value: str) -> int:
    return 10 if kind == "name" and re.search(f"[{HAN}]", value) else KINDS[kind].most


def _control(char: str) -> bool:
    return unicodedata.category(char) in ("Cc", "Cs", "Zl", "Zp")
