"""A roster spreadsheet 花名册, as enterprises write it, read into rows that can be trusted. Knows no database.

    bytes → `open_sheet` → `Sheet.rows` → `read_row` → `RosterRow`, or `RowRefused` with every reason at once
    refused rows → `rejected_workbook` → the same columns and a last one, 原因, that the clerk mends and sends again

Enterprises send what they have: a title above the header, headers over two lines, columns in any order under a dozen names,
and values in whatever form Excel made of them. What can be read in one way only is read; what could mean two things, or has
lost digits, is refused with a sentence that says what to do. Nothing is guessed.
"""

from __future__ import annotations

import io
import lzma
import re
import unicodedata
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from functools import partial
from types import MappingProxyType
from typing import Any

import xlsxwriter
from python_calamine import CalamineError, CalamineSheet, CalamineWorkbook, PasswordError, SheetVisibleEnum

from jobs import roster_words as words
from jobs.roster_values import (
    LOST_DIGITS,
    MOBILE,
    Cell,
    Unreadable,
    read_choice,
    read_community,
    read_day,
    read_hardship,
    read_line,
    read_name,
    read_phones,
    read_sex,
    read_yes_or_no,
    text_of,
    word_of,
)
from models import id_numbers

MAX_ROWS = 100_000
# Bounds on what one upload may unfold to in memory: a stray character in the last cell of a sheet costs 400 GB otherwise
MAX_UNPACKED_BYTES = 1_500_000_000
MAX_CELLS = 12_000_000
HEADER_WITHIN_ROWS = 20
REASON_HEADER = "原因"

SHEET_REFUSALS = {
    "not_a_spreadsheet": "这不是Excel表格文件，请另存为“Excel 工作簿（.xlsx）”后再上传。",
    "password_protected": "文件设有打开密码，请取消密码后再上传。",
    "too_large": "表格太大，请删除表格右侧和下方的多余内容，或分成几个文件上传。",
    "no_header": "没有找到表头，请保留写有“姓名”“身份证号”的那一行。",
    "columns_missing": "缺少必填的列：{names}。",
    "no_rows": "表头下面没有人员信息。",
    "too_many_rows": f"人员超过{MAX_ROWS:,}行，请分成几个文件上传。",
}


class SheetRefused(Exception):
    """The file as a whole cannot be read. `code` is one of `SHEET_REFUSALS`, `detail` its Chinese sentence."""

    def __init__(self, code: str, **values: str) -> None:
        super().__init__(code)
        self.code = code
        self.detail = SHEET_REFUSALS[code].format(**values)


# ---- The columns ----------------------------------------------------------------------------------------------------

REQUIRED = {"name": "姓名", "id_number": "身份证号"}

# Several columns of a roster may hold these together (手机 and 座机); of every other field the first column counts
GATHERED = frozenset({"phone", "emergency_phone"})

_BRACKETS = re.compile("[(（\\[【〔{<《〈][^)）\\]】〕}>》〉]*[)）\\]】〕}>》〉]?")
_PUNCTUATION = re.compile("[\\s*＊★※:：.．·、,，;；\"“”'‘’_＿—–-]+")


def _bare(text: str) -> str:
    return _PUNCTUATION.sub("", unicodedata.normalize("NFKC", text))


def _field_of(header: str, above: str = "") -> str | None:
    """The field that a header names; `above` is the header that spans it, as 紧急联系人 over 姓名 and 电话."""
    whole = _bare(re.sub("[()（）\\[\\]【】]", "", header))
    for name in (_bare(above) + whole, "" if words.SOMEBODY_ELSE.search(above) else whole):
        if name in words.FIELD_OF:
            return words.FIELD_OF[name]
    if words.SOMEBODY_ELSE.search(above) or any(
        words.SOMEBODY_ELSE.search(found) for found in _BRACKETS.findall(header)
    ):
        return None
    bracketless = _BRACKETS.sub("", header)
    names = [_bare(bracketless), *(_bare(part) for part in re.split("[/／\\\\|、,，或及和]", bracketless))]
    return next((words.FIELD_OF[name] for name in names if name in words.FIELD_OF), None)


# ---- The sheet ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class RawRow:
    """One row as it stands in the file: `number` as the clerk sees it in Excel, `cells` one for each column of the header."""

    number: int
    cells: tuple[Cell, ...]


@dataclass(frozen=True)
class Sheet:
    """The first visible worksheet that has a header with a name and an identity number."""

    title: str
    header: tuple[str, ...]
    columns: Mapping[str, str]
    unknown_columns: tuple[str, ...]
    row_count: int
    first_column: int = field(repr=False)
    fields: tuple[str | None, ...] = field(repr=False)
    _header_row: int = field(repr=False)
    _source: CalamineSheet = field(repr=False)
    # Number → row that holds it, of the rows that were read without fault
    _seen: dict[str, int] = field(repr=False, default_factory=dict)

    def rows(self) -> Iterator[RawRow]:
        """Every row that is about a person: no empty rows, no footers, no header that is repeated on every page."""
        width = len(self.header)
        for index, cells in enumerate(self._source.iter_rows()):
            if index <= self._header_row:
                continue
            row = tuple(cells[:width]) + ("",) * (width - len(cells))
            if self._is_about_a_person(row):
                yield RawRow(index + 1, row)

    def _is_about_a_person(self, row: tuple[Cell, ...]) -> bool:
        filled = {name: text_of(cell) for name, cell in zip(self.fields, row, strict=True) if name and cell != ""}
        if re.search(r"\d", filled.get("id_number", "")):
            return True
        if not any(filled.values()):
            return False
        if _field_of(filled.get("name", "")) == "name" and _field_of(filled.get("id_number", "")) == "id_number":
            return False
        return not words.FOOTER.match(next(word_of(cell) for cell in row if text_of(cell)))


def open_sheet(data: bytes) -> Sheet:
    """Find the header of a roster.

    Raises:
        SheetRefused: it is no spreadsheet, is locked, has no header, lacks a required column, or has no or too many rows.
    """
    _check_container(data)
    best: _Header | None = None
    try:
        workbook = CalamineWorkbook.from_filelike(io.BytesIO(data))
        for index, about in enumerate(workbook.sheets_metadata):
            if about.visible != SheetVisibleEnum.Visible:
                continue
            found = _find_header(about.name, workbook.get_sheet_by_index(index))
            if found and (best is None or len(found.missing) < len(best.missing)):
                best = found
            if best and not best.missing:
                break
    except PasswordError:
        raise SheetRefused("password_protected") from None
    except CalamineError:
        raise SheetRefused("not_a_spreadsheet") from None
    except BaseException as error:
        # What a broken file can make the reader's Rust code do is no Exception, and would end the worker
        if type(error).__name__ == "PanicException":
            raise SheetRefused("not_a_spreadsheet") from None
        raise
    if best is None:
        raise SheetRefused("no_header")
    if best.missing:
        raise SheetRefused("columns_missing", names="、".join(f"“{name}”" for name in best.missing))
    return best.sheet()


def _check_container(data: bytes) -> None:
    if data.startswith(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"):
        # An .xlsx with a password is an old-style container around an encrypted stream
        if "EncryptedPackage".encode("utf-16-le") in data:
            raise SheetRefused("password_protected")
        return
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as package:
            parts = package.infolist()
            if not any(part.filename == "xl/workbook.xml" for part in parts):
                raise SheetRefused("not_a_spreadsheet")
            if any(part.flag_bits & 1 for part in parts):
                raise SheetRefused("password_protected")
            if sum(part.file_size for part in parts) > MAX_UNPACKED_BYTES:
                raise SheetRefused("too_large")
            for part in parts:
                if part.filename.startswith("xl/worksheets/") and part.filename.endswith(".xml"):
                    _check_extent(package, part)
    except (zipfile.BadZipFile, zlib.error, lzma.LZMAError, NotImplementedError, EOFError, OSError, ValueError):
        raise SheetRefused("not_a_spreadsheet") from None


# A cell that is not self-closing holds something; a reference has at most three letters and seven digits
_FILLED_CELL = re.compile(rb'<(?:\w+:)?c\s[^>]*?\br="([A-Z]{1,3})([0-9]{1,7})"[^>]*(?<!/)>')


def _check_extent(package: zipfile.ZipFile, part: zipfile.ZipInfo) -> None:
    """Refuse a sheet whose outermost cells span more than we hold: the reader makes room for the whole rectangle."""
    widest, last_row, rest = b"A", 0, b""
    with package.open(part) as stream:
        while piece := stream.read(1 << 20):
            piece = rest + piece
            cut = piece.rfind(b"<")
            for column, row in _FILLED_CELL.findall(piece[:cut]):
                widest = max(widest, column, key=lambda letters: (len(letters), letters))
                last_row = max(last_row, int(row))
            rest = piece[max(cut, 0) :][-65536:]
    columns = 0
    for letter in widest:
        columns = columns * 26 + letter - 64
    if columns * last_row > MAX_CELLS:
        raise SheetRefused("too_large")


@dataclass(frozen=True)
class _Header:
    title: str
    texts: tuple[str, ...]
    fields: tuple[str | None, ...]
    last_row: int
    first_column: int
    source: CalamineSheet

    @property
    def missing(self) -> list[str]:
        return [name for field_, name in REQUIRED.items() if field_ not in self.fields]

    def sheet(self) -> Sheet:
        pairs = list(zip(self.texts, self.fields, strict=True))
        columns: dict[str, str] = {}
        for text, name in pairs:
            if name:
                columns.setdefault(text, name)
        sheet = Sheet(
            title=self.title,
            header=self.texts,
            columns=MappingProxyType(columns),
            unknown_columns=tuple(
                text for text, name in pairs if text and not name and _bare(text) not in words.IDLE_COLUMNS
            ),
            row_count=0,
            first_column=self.first_column,
            fields=self.fields,
            _header_row=self.last_row,
            _source=self.source,
        )
        count = sum(1 for _ in sheet.rows())
        if not count:
            raise SheetRefused("no_rows")
        if count > MAX_ROWS:
            raise SheetRefused("too_many_rows")
        return replace(sheet, row_count=count)


def _find_header(title: str, source: CalamineSheet) -> _Header | None:
    if source.start is None:
        return None
    first_column = source.start[1]
    top = [
        [text_of(cell) for cell in row]
        for row, _ in zip(source.iter_rows(), range(HEADER_WITHIN_ROWS + 2), strict=False)
    ]
    merges = [
        (start[0], start[1] - first_column, end[0], end[1] - first_column)
        for start, end in source.merged_cell_ranges or []
        if start[0] < len(top)
    ]
    best: _Header | None = None
    for index in range(min(len(top), HEADER_WITHIN_ROWS)):
        found = _header_at(index, top, merges)
        texts, fields, last_row = found
        if len(set(fields) - {None}) < 2:
            continue
        header = _Header(title, texts, fields, last_row, first_column, source)
        if best is None or len(header.missing) < len(best.missing):
            best = header
        if not best.missing:
            break
    return best


def _header_at(
    index: int, top: list[list[str]], merges: list[tuple[int, int, int, int]]
) -> tuple[tuple[str, ...], tuple[str | None, ...], int]:
    """Read the header that begins in a row: over two rows where cells are merged downwards, spanned where merged sideways."""
    last_row = index
    for row, _, end_row, _ in merges:
        if row == index and end_row > index:
            last_row = max(last_row, min(end_row, index + 2, len(top) - 1))
    texts: list[str] = []
    fields: list[str | None] = []
    for column in range(len(top[index])):
        lines = [_spanning(row, column, top, merges) for row in range(index, last_row + 1)]
        stack = [line for place, line in enumerate(lines) if line and line not in lines[:place]]
        text = stack[-1] if stack else ""
        above = "".join(stack[:-1])
        found = _field_of(text, above) if text else None
        if found in fields and found not in GATHERED:
            found = None
        shown = f"{above}{text}" if above and not found else text
        texts.append(re.sub(r"\s+", "", shown))
        fields.append(found)
    while texts and not texts[-1]:
        texts.pop()
        fields.pop()
    return tuple(texts), tuple(fields), last_row


def _spanning(row: int, column: int, top: list[list[str]], merges: list[tuple[int, int, int, int]]) -> str:
    for start_row, start_column, end_row, end_column in merges:
        if start_row <= row <= end_row and start_column <= column <= end_column and start_column >= 0:
            return top[start_row][start_column]
    return top[row][column]


# ---- The rows -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class RosterRow:
    """One person, every value checked and in our own words; None where the roster says nothing.

    `notes` are Chinese sentences about what was read with a grain of salt; they may hold phone numbers.
    """

    number: int
    name: str = field(repr=False)
    id_number: str = field(repr=False)
    birth: date
    sex: str
    recognised_birth: date | None = None
    phone: str | None = field(default=None, repr=False)
    phone_owner: str | None = None
    address: str | None = field(default=None, repr=False)
    hukou_place: str | None = None
    native_place: str | None = None
    retired_on: date | None = None
    retirement_kind: str | None = None
    veteran: bool | None = None
    combat_or_test: bool | None = None
    party_member: bool | None = None
    health: str | None = None
    hardship: tuple[str, ...] = ()
    enterprise: str | None = None
    enterprise_level: str | None = None
    community: str | None = None
    residence_kind: str | None = None
    pension_source: str | None = None
    emergency_contact: str | None = None
    emergency_phone: str | None = field(default=None, repr=False)
    liveness_note: str | None = None
    notes: tuple[str, ...] = field(default=(), repr=False)


@dataclass(frozen=True)
class RowRefused:
    """A row that cannot be taken, with every reason found, as sentences for a clerk."""

    number: int
    reasons: list[str]


def read_row(sheet: Sheet, raw: RawRow, today: date) -> RosterRow | RowRefused:
    """Read one person, or say everything that is wrong with the row."""
    return _RowReader(sheet, raw, today).read()


class _RowReader:
    def __init__(self, sheet: Sheet, raw: RawRow, today: date) -> None:
        self.sheet = sheet
        self.raw = raw
        self.today = today
        self.reasons: list[str] = []
        self.notes: list[str] = []
        self._birth_is_a_month = False

    def read(self) -> RosterRow | RowRefused:
        name = self._take("name", read_name)
        person = self._take("id_number", self._id_number)
        for required, value in (("name", name), ("id_number", person)):
            if value is None and not self._complained_about(required):
                self._complain(required, "没有填写。")
        values: dict[str, Any] = {
            name_: self._take(name_, read_line)
            for name_ in (
                "phone_owner",
                "address",
                "hukou_place",
                "native_place",
                "enterprise",
                "pension_source",
                "emergency_contact",
                "liveness_note",
            )
        }
        values |= {name_: self._take(name_, read_yes_or_no) for name_ in ("veteran", "combat_or_test")}
        values["party_member"] = self._take("party_member", self._party_member)
        values["community"] = self._take("community", read_community)
        for choice in words.CHOICES:
            values[choice] = self._take(choice, partial(read_choice, choice))
        values["hardship"] = self._take_hardship()
        values["retired_on"] = self._take_day("retired_on")
        values["recognised_birth"] = self._take_day("recognised_birth")
        owner = self._take_phones("phone", values)
        values["phone_owner"] = values["phone_owner"] or owner
        contact = self._take_phones("emergency_phone", values)
        values["emergency_contact"] = values["emergency_contact"] or contact
        sex = self._take("sex", read_sex)
        birth = self._take_day("birth")
        if person:
            self._compare(person, sex, birth, values)
        if self.reasons or name is None or person is None:
            return RowRefused(self.raw.number, self.reasons)
        self.sheet._seen.setdefault(person.number, self.raw.number)
        return RosterRow(
            number=self.raw.number,
            name=name,
            id_number=person.number,
            birth=person.birth,
            sex=person.sex,
            notes=tuple(self.notes),
            **values,
        )

    # Finding a value and complaining about it

    def _places(self, name: str) -> list[int]:
        return [place for place, found in enumerate(self.sheet.fields) if found == name]

    def _label(self, place: int) -> str:
        return f"第{self.sheet.first_column + place + 1}列“{self.sheet.header[place]}”："

    def _complain(self, name: str, sentence: str) -> None:
        self.reasons.append(self._label(self._places(name)[0]) + sentence)

    def _complained_about(self, name: str) -> bool:
        return any(reason.startswith(self._label(self._places(name)[0])) for reason in self.reasons)

    def _note(self, name: str, sentence: str) -> None:
        self.notes.append(self._label(self._places(name)[0]) + sentence)

    def _take(self, name: str, read: Callable[[Cell], Any]) -> Any:
        for place in self._places(name)[:1]:
            cell = self.raw.cells[place]
            if text_of(cell) == "":
                return None
            try:
                return read(cell)
            except Unreadable as error:
                self._complain(name, str(error))
        return None

    # The fields that need more than their cell

    def _id_number(self, cell: Cell) -> id_numbers.IdNumber:
        text = re.sub(r"\.0+$", "", text_of(cell))
        if isinstance(cell, float | int) and abs(cell) >= 1e15:
            raise Unreadable(LOST_DIGITS)
        if re.fullmatch(r"[0-9.]+[Ee]\+?[0-9]+", text):
            raise Unreadable(LOST_DIGITS)
        try:
            person = id_numbers.parse(text, self.today, allow_15=True)
        except id_numbers.InvalidIdNumber as error:
            # Formatting the column as text after Excel dropped the digits leaves three zeros behind
            if error.code == "wrong_check_digit" and id_numbers.normalise(text).endswith("000"):
                raise Unreadable(LOST_DIGITS) from None
            raise Unreadable(error.detail) from None
        if self.sheet._seen.get(person.number, self.raw.number) != self.raw.number:
            raise Unreadable(f"与第{self.sheet._seen[person.number]}行的身份证号相同，同一个人只能出现一次。")
        if person.upgraded_from_15:
            self._note("id_number", "15位旧号码已换算为18位，请核对。")
        return person

    def _party_member(self, cell: Cell) -> bool | None:
        word = word_of(cell)
        if word in words.PROBATIONARY_PARTY_MEMBERS:
            self._note("party_member", "预备党员。")
            return True
        if word in words.PARTY_MEMBERS:
            return True
        if word in words.NOT_PARTY_MEMBERS:
            return False
        return read_yes_or_no(cell)

    def _take_hardship(self) -> tuple[str, ...]:
        found = self._take("hardship", lambda cell: read_hardship(cell, self.sheet.header[self._places("hardship")[0]]))
        return found or ()

    def _take_day(self, name: str) -> date | None:
        found = self._take(name, read_day)
        if found is None or found[0] is None:
            return None
        day, whole = found
        if name == "birth" and not whole:
            # Compared by month alone: see _compare
            self._birth_is_a_month = True
        elif not whole:
            self._note(name, f"只写了年月，按{day.year}年{day.month}月1日登记。")
        limit = self.today + timedelta(days=366) if name == "retired_on" else self.today
        if day.year < 1890 or day > limit:
            self._complain(name, f"日期{day.isoformat()}不合理，请核对。")
            return None
        return day  # type: ignore[no-any-return]

    def _take_phones(self, name: str, values: dict[str, Any]) -> str | None:
        """Put the first mobile of all columns into `values`, else the first landline; return who is named beside it."""
        found: list[str] = []
        owner = ""
        values[name] = None
        for place in self._places(name):
            cell = self.raw.cells[place]
            if word_of(cell) in words.NOTHING:
                continue
            try:
                numbers, whose, beside = read_phones(cell)
            except Unreadable as error:
                self.reasons.append(self._label(place) + str(error))
                continue
            found += [number for number in numbers if number not in found]
            owner = owner or whose
            if beside:
                self.notes.append(f"{self._label(place)}号码旁写有“{beside}”。")
        if found:
            values[name] = next((number for number in found if MOBILE.fullmatch(number)), found[0])
            others = [number for number in found if number != values[name]]
            if others:
                self._note(name, f"其他号码：{'、'.join(others)}。")
        return owner or None

    def _compare(
        self, person: id_numbers.IdNumber, sex: str | None, birth: date | None, values: dict[str, Any]
    ) -> None:
        """What the columns say against what the number says."""
        if sex and sex != person.sex:
            self._complain("sex", f"与身份证号不符，身份证号第17位表示{'男' if person.sex == 'male' else '女'}性。")
        agrees = birth is None or (
            (birth.year, birth.month) == (person.birth.year, person.birth.month)
            if self._birth_is_a_month
            else birth == person.birth
        )
        if birth and not agrees and values["recognised_birth"] is None:
            values["recognised_birth"] = birth
            self._note("birth", "与身份证号不一致，已作为档案出生日期登记，请核对。")
            if self._birth_is_a_month:
                self._note("birth", f"只写了年月，按{birth.year}年{birth.month}月1日登记。")
        elif (
            values["recognised_birth"]
            and values["recognised_birth"] != person.birth
            and self._places("recognised_birth")
        ):
            self._note("recognised_birth", "与身份证号的出生日期不一致，请核对。")
        retired_on = values["retired_on"]
        if retired_on and retired_on.year - person.birth.year < 16:
            self._complain("retired_on", f"退休时间{retired_on.isoformat()}早于16岁，请核对。")


# ---- What goes back -------------------------------------------------------------------------------------------------


def rejected_workbook(header: Sequence[str], rejected: Iterable[tuple[Sequence[Cell], Sequence[str]]]) -> bytes:
    """The refused rows as they were, with their reasons in a last column, to be mended and sent again.

    Every cell is written as text: nothing that came in as text comes back as a formula, and no number loses digits again.
    """
    # A sheet that comes back for the second time has the column already
    kept = [place for place, text in enumerate(header) if text != REASON_HEADER]
    buffer = io.BytesIO()
    workbook = xlsxwriter.Workbook(
        buffer, {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    )
    bold = workbook.add_format(
        {"bold": True, "num_format": "@", "text_wrap": True, "valign": "vcenter", "bg_color": "#F2F2F2"}
    )
    as_text = workbook.add_format({"num_format": "@"})
    reason_format = workbook.add_format({"num_format": "@", "font_color": "#C00000"})
    worksheet = workbook.add_worksheet("未导入的人员")
    worksheet.freeze_panes(1, 0)
    for column, place in enumerate(kept):
        worksheet.set_column(column, column, _WIDTHS.get(_field_of(header[place]) or "", 14), as_text)
    worksheet.set_column(len(kept), len(kept), 80, reason_format)
    for column, text in enumerate([*(header[place] for place in kept), REASON_HEADER]):
        worksheet.write_string(0, column, text, bold)
    for row, (cells, reasons) in enumerate(rejected, start=1):
        for column, place in enumerate(kept):
            text = text_of(cells[place]) if place < len(cells) else ""
            if text:
                worksheet.write_string(row, column, text[:_LONGEST_CELL], as_text)
        worksheet.write_string(row, len(kept), " ".join(reasons)[:_LONGEST_CELL], reason_format)
    workbook.close()
    return buffer.getvalue()


_LONGEST_CELL = 32_767
_WIDTHS = {
    "id_number": 22,
    "phone": 16,
    "emergency_phone": 16,
    "address": 40,
    "hukou_place": 30,
    "enterprise": 30,
    "name": 12,
    "sex": 6,
}
