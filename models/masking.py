"""How much of a person is shown: names, numbers and addresses with their middle covered.

The strict forms are for lists, logs, exports and messages; the wider form of the identity number is for people who look at
themselves. Seeing the whole is a separate, audited act. Whatever does not look like what it should be is covered altogether:
a typing error in a number is still that person's number.
"""

from __future__ import annotations

import re

_ROAD_OR_COMMUNITY = "街道|社区|居委会|村委会|大道|公路|路|街|巷|弄|胡同|镇|乡|村"
_ADMINISTRATIVE = "省|自治区|自治州|盟|市|区|县|旗"
_HOUSE = re.compile("[0-9０-９A-Za-z#*]|[一二三四五六七八九十百零〇]+(?:号|栋|幢|座|单元|室|楼|层|组|排)")

_LANDLINE = re.compile(r"(0(?:10|2\d|[3-9]\d{2})[- ]?)?(\d{7,8})")


def mask_name(name: str) -> str:
    """张三 → 张*, 欧阳建国 → 欧***."""
    return name[:1] + "*" * (len(name) - 1) if len(name) > 1 else "*" * len(name)


def mask_id_number(number: str) -> str:
    """The strict form, one and one: 430102195503071216 → 4****************6."""
    return _covered(number, 1, 1) if len(number) in (15, 18) else "*" * len(number)


def mask_id_number_own(number: str) -> str:
    """The form for the person's own eyes, six and four: 430102195503071216 → 430102********1216."""
    return _covered(number, 6, 4) if len(number) in (15, 18) else "*" * len(number)


def mask_phone(phone: str) -> str:
    """A mobile, three and four: 13812345678 → 138****5678. Anything else is masked as a landline."""
    return _covered(phone, 3, 4) if re.fullmatch(r"[1１]\d{10}", phone) else mask_landline(phone)


def mask_landline(phone: str) -> str:
    """The area code and the last four: 0731-84907501 → 0731-****7501."""
    parts = _LANDLINE.fullmatch(phone)
    return (parts[1] or "") + _covered(parts[2], 0, 4) if parts else re.sub(r"\d", "*", phone)


def mask_address(address: str) -> str:
    """Down to the road or the community, without house and room: 长沙市芙蓉区某街道5栋301 → 长沙市芙蓉区某街道***."""
    if not address:
        return ""
    house = _HOUSE.search(address)
    before_house = address[: house.start()] if house else address
    for ends in (_ROAD_OR_COMMUNITY, _ADMINISTRATIVE):
        kept = re.match(f".*(?:{ends})", before_house, re.DOTALL)
        if kept:
            return kept[0] + "***"
    return "***"


# What is an id, not a person, comes first and is left alone: object ids, request ids, digests, UUIDs
_PERSONAL = re.compile(
    r"""
    (?P<id> (?<![0-9A-Za-z]) (?: [0-9a-fA-F]{24} | [0-9a-fA-F]{32} | [0-9a-fA-F]{40} | [0-9a-fA-F]{64}
        | [0-9a-fA-F]{8} (?:-[0-9a-fA-F]{4}){3} -[0-9a-fA-F]{12} ) (?![0-9A-Za-z]) )
    | (?<!\d) (?P<id_number> [1-9１-９]\d{5} [ ]? \d{8} [ ]? \d{3} [\dXxＸｘ] | [1-9１-９]\d{14} ) (?!\d)
    | (?<!\d) (?<!\d\.) (?P<country> (?:\+|00)?86[- ]? )? (?P<mobile> [1１][3-9３-９]\d [- ]? \d{4} [- ]? \d{4} ) (?!\d)
    | (?<!\d) (?P<landline> 0\d{2,3} - \d{7,8} ) (?!\d)
    """,
    re.VERBOSE,
)


def mask_text(text: str) -> str:
    """Cover the identity and phone numbers inside a text, for logs. Ids of 24 hexadecimal digits stay whole."""
    return _PERSONAL.sub(_cover_found, text)


def _cover_found(found: re.Match[str]) -> str:
    if found["id_number"]:
        return mask_id_number(found["id_number"].replace(" ", ""))
    if found["mobile"]:
        return (found["country"] or "") + mask_phone(re.sub("[- ]", "", found["mobile"]))
    if found["landline"]:
        return mask_landline(found["landline"])
    return found[0]


def _covered(text: str, head: int, tail: int) -> str:
    return text[:head] + "*" * (len(text) - head - tail) + text[len(text) - tail :]
