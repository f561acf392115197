"""The cells of a roster, one kind of value at a time: what Excel made of a name, a day, a phone, and what was meant.

Each `read_…` takes a cell and gives the value in our own words, None where the cell says nothing, or raises `Unreadable` with a
sentence for the clerk.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from typing import NamedTuple

from jobs import roster_words as words

Cell = int | float | str | bool | date | datetime | time | timedelta


class Unreadable(Exception):
    """A value that cannot be taken; the message is the clerk's sentence."""


LOST_DIGITS = "Excel已把后几位数字变成0，号码不完整。请先把这一列的单元格格式设为“文本”，再重新填写18位号码。"


def text_of(cell: Cell) -> str:
    """What the clerk sees in the cell, without what cannot be seen."""
    if isinstance(cell, bool):
        return "是" if cell else "否"
    if isinstance(cell, float):
        # From 16 digits on a float is not the number that was typed: its exponent must stay visible, here and in what goes back
        return str(int(cell)) if cell.is_integer() and abs(cell) < 1e15 else repr(cell)
    if isinstance(cell, datetime):
        return cell.date().isoformat() if cell.time() == time() else cell.isoformat(" ")
    if isinstance(cell, date | time):
        return cell.isoformat()
    text = str(cell)
    if not text.isprintable():
        text = "".join(
            " " if char.isspace() else char
            for char in text
            if char.isspace() or unicodedata.category(char) not in ("Cc", "Cf")
        )
    return " ".join(text.split()) if " " in text or "\u3000" in text else text


def word_of(cell: Cell) -> str:
    """The cell as one word: half-width, upper-case, without spaces."""
    return unicodedata.normalize("NFKC", text_of(cell)).replace(" ", "").upper().rstrip("。.")


def read_line(cell: Cell) -> str | None:
    """A line of free text."""
    if isinstance(cell, time | timedelta):
        raise Unreadable("内容变成了时间，请把单元格格式设为“文本”后重新填写。")
    text = text_of(cell).lstrip("'’＇ ")
    if word_of(text) in words.NOTHING:
        return None
    if len(text) > 200:
        raise Unreadable("内容超过200个字，请缩短。")
    # Spaces between Chinese characters are alignment, not meaning
    return re.sub(r"(?<=[\u3400-\u9fff]) (?=[\u3400-\u9fff])", "", text)


# Names: GB 18030's ideographs with every extension of Unicode, and the middle dot of names in several parts
_IDEOGRAPHS = "\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003347f"
_NAME = re.compile(f"[{_IDEOGRAPHS}]+(?:\u00b7[{_IDEOGRAPHS}]+)*")
_DOTS = re.compile("[\u00b7\u2022\u30fb\uff65\u2027\u2219\u22c5\u25cf\u2024\uff0e.\u16eb\u0387]+")
# Characters of dictionaries' radicals look like the real ones and come out of PDF files
_RADICALS = re.compile("[\u2f00-\u2fd5]")


def read_name(cell: Cell) -> str:
    if not isinstance(cell, str):
        raise Unreadable("姓名应为汉字。")
    text = _RADICALS.sub(lambda found: unicodedata.normalize("NFKC", found[0]), text_of(cell).lstrip("'’＇"))
    name = _DOTS.sub("\u00b7", text.replace(" ", "")).strip("\u00b7")
    if not name:
        raise Unreadable("没有填写。")
    if not _NAME.fullmatch(name):
        raise Unreadable("姓名只能是汉字和间隔号“·”，请去掉括号、数字、字母或其他符号。")
    if not 2 <= len(name) <= 25:
        raise Unreadable("姓名应为2到25个字。")
    return name


# Days

_DAY_FORMS = (
    re.compile(r"(?P<y>\d{4})(?P<m>\d{2})(?P<d>\d{2})"),
    re.compile(r"(?P<y>\d{4})(?P<m>\d{2})"),
    re.compile(r"(?P<y>\d{4})[-年./、,_](?P<m>\d{1,2})[-月./、,_](?P<d>\d{1,2})[日号]?"),
    re.compile(r"(?P<y>\d{4})[-年./、,_](?P<m>\d{1,2})月?(?:份)?"),
)
_SHORT_YEAR = re.compile(r"\d{2}[-年./、,_](\d{1,2})([-月./、,_]\d{1,2}日?)?月?|\d{6}")
_HOW_TO_WRITE_A_DAY = "日期看不懂，请写成“1955-03-07”这样的形式。"
# Day 1 of Excel is 1 January 1900, and it believes in 29 February of that year
_EXCEL_DAY_0 = date(1899, 12, 30)
# 1 January 1920 to the last day of 2049
_EXCEL_DAYS = range(7306, 54789)


def read_day(cell: Cell) -> tuple[date | None, bool]:
    """The day, and whether it was whole; a month alone is its first day."""
    if isinstance(cell, datetime):
        return cell.date(), True
    if isinstance(cell, date):
        return cell, True
    if isinstance(cell, bool | time | timedelta):
        raise Unreadable(_HOW_TO_WRITE_A_DAY)
    if (
        isinstance(cell, float)
        and not cell.is_integer()
        and 1800 <= cell < 2200
        and re.fullmatch(r"\d{4}\.1", repr(cell))
    ):
        raise Unreadable(f"“{cell}”可能是1月也可能是10月（Excel会去掉末尾的0），请写成“1955-10”这样的形式。")
    text = unicodedata.normalize("NFKC", text_of(cell)).lstrip("'’ ")
    text = re.sub(r"(?<=\d)[ T]\d{1,2}:\d{2}(:\d{2}(\.\d+)?)?$", "", text).replace(" ", "")
    text = re.sub("[—–−。]", "-", text)
    if text.upper() in words.NOTHING:
        return None, True
    # A date that lost its format: the days since 1900, as a number or, in a column set to text, as text
    if (serial := re.fullmatch(r"(\d{4,5})(\.\d+)?", text)) and int(serial[1]) in _EXCEL_DAYS:
        return _EXCEL_DAY_0 + timedelta(days=int(serial[1])), True
    text = text.rstrip(".-")
    for form in _DAY_FORMS:
        if found := form.fullmatch(text):
            parts = found.groupdict()
            if not 1850 <= int(parts["y"]) < 2150:
                break
            try:
                return date(int(parts["y"]), int(parts["m"]), int(parts.get("d") or 1)), parts.get("d") is not None
            except ValueError:
                raise Unreadable(f"日期“{text}”不存在，请核对。") from None
    if _SHORT_YEAR.fullmatch(text):
        raise Unreadable(f"“{text}”的年份只有两位，请写四位年份，如“1955-03-07”。")
    if re.fullmatch(r"\d{4}年?", text):
        raise Unreadable("只写了年份，请补上月份，如“1955-03”。")
    raise Unreadable(_HOW_TO_WRITE_A_DAY)


# Phones

MOBILE = re.compile("1[3-9][0-9]{9}")
_PHONE = re.compile(
    r"""
    (?<!\d) (?: (?:\+|00)? 86 [- ]? | 0 )? (?P<mobile> 1[3-9] (?:[- ]?\d){9} ) (?!\d)
    | (?<!\d) (?: (?:\+|00) 86 [- ]? )? [(]? (?P<area> 0(?:10|2\d|[3-9]\d{2}) ) [)]? [- ]{0,3} (?P<local> [2-9]\d{6,7} )
        (?: (?:-|转|转分机|\*) (?P<extension> \d{1,5} ) )? (?!\d)
    | (?<!\d) (?P<bare> [2-9]\d{6,7} ) (?!\d)
    """,
    re.VERBOSE,
)
_HOW_TO_WRITE_A_PHONE = "电话应为11位手机号，或带区号的固定电话，如“0731-84907501”。"


class Phones(NamedTuple):
    """Numbers, mobiles as 11 digits and landlines as 0731-84907501; whose they are; whatever else was written beside."""

    numbers: list[str]
    owner: str
    beside: str


def read_phones(cell: Cell) -> Phones:
    if isinstance(cell, bool | date | time | timedelta):
        raise Unreadable(_HOW_TO_WRITE_A_PHONE)
    text = re.sub(r"\.0+$", "", text_of(cell))
    # As a number, a landline has lost the 0 in front
    if isinstance(cell, float | int) and re.fullmatch(r"(?:10|2\d)[2-9]\d{7}|[3-9]\d{2}[2-9]\d{6,7}", text):
        text = "0" + text
    if scientific := re.fullmatch(r"1\.(\d+)[Ee]\+?10", text):
        if len(scientific[1]) < 10:
            raise Unreadable("手机号被写成了科学计数，数字不完整，请把单元格格式设为“文本”后重新填写。")
        text = "1" + scientific[1]
    text = re.sub("[—–−―‐]", "-", unicodedata.normalize("NFKC", text))
    numbers: list[str] = []
    extensions: list[str] = []

    def keep(found: re.Match[str]) -> str:
        if found["mobile"]:
            numbers.append(re.sub("[- ]", "", found["mobile"]))
        else:
            numbers.append(f"{found['area']}-{found['local']}" if found["local"] else found["bare"])
        if found["extension"]:
            extensions.append(f"分机{found['extension']}")
        return " "

    rest = _PHONE.sub(keep, text)
    if not numbers or re.search(r"\d", rest):
        raise Unreadable(_HOW_TO_WRITE_A_PHONE)
    owner = words.RELATION.search(rest)
    remarks = re.findall(r"\w+", words.PHONE_LABEL.sub(" ", words.RELATION.sub(" ", rest)))
    return Phones(list(dict.fromkeys(numbers)), owner[0] if owner else "", "，".join(extensions + remarks))


# Words


def read_yes_or_no(cell: Cell) -> bool | None:
    word = word_of(cell)
    if word in words.YES or words.YES_BY_KIND.fullmatch(word):
        return True
    if word in words.NO:
        return False
    if word in words.NOTHING:
        return None
    raise Unreadable("请填写“是”或“否”。")


def read_choice(name: str, cell: Cell) -> str | None:
    try:
        return _choice_of(words.CHOICES[name], cell)
    except Unreadable:
        if name == "health" and words.ILLNESS.search(word_of(cell)):
            return "chronic"
        raise Unreadable(f"“{text_of(cell)[:20]}”看不懂，请填写其中一项：{words.CHOICES_SHOWN[name]}。") from None


def _choice_of(choices: Mapping[str, frozenset[str]], cell: Cell) -> str | None:
    # `1正常` and `1-正常`, as lists of codes are written
    word = re.sub("^[0-9][-.、:)]?(?=[\u4e00-\u9fff])", "", word_of(cell))
    if word in words.NOTHING:
        return None
    for ours, theirs in choices.items():
        if word in theirs:
            return ours
    raise Unreadable("请填写“男”或“女”。")


def read_sex(cell: Cell) -> str | None:
    return _choice_of(words.SEXES, cell)


def read_hardship(cell: Cell, header: str) -> tuple[str, ...]:
    found: set[str] = set()
    for word in re.split("[、,;/|+和及\\s]+", unicodedata.normalize("NFKC", text_of(cell)).upper()):
        if word in words.NOTHING or words.NO_HARDSHIP.fullmatch(word):
            continue
        if word in words.HARDSHIP_CODES and "优抚" in header:
            found.update(words.HARDSHIP_CODES[word])
            continue
        tags = [tag for tag, found_in in words.HARDSHIPS.items() if found_in.search(word)]
        if not tags:
            raise Unreadable(f"“{word[:20]}”看不懂，请填写高龄、孤寡、病残、困难等，多项用顿号隔开，没有请填“无”。")
        found.update(tags)
    return tuple(tag for tag in words.HARDSHIPS if tag in found)


def read_community(cell: Cell) -> str | None:
    text = read_line(cell)
    code = unicodedata.normalize("NFKC", text or "").replace(" ", "")
    if re.fullmatch("[1-9][0-9]{11}", code):
        return code
    if re.fullmatch("[-0-9.E+]+", code):
        raise Unreadable("社区代码应为12位数字，也可以直接填写社区名称。")
    return text
