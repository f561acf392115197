"""Roster spreadsheets, in every form that enterprises and Excel give them. All people are made up."""

from __future__ import annotations

import contextlib
import io
import struct
import zipfile
from collections.abc import Sequence
from datetime import date, datetime, time
from typing import Any

import openpyxl
import pytest
import xlsxwriter
from hypothesis import given, settings
from hypothesis import strategies as st

from jobs.roster_sheet import (
    RosterRow,
    RowRefused,
    Sheet,
    SheetRefused,
    open_sheet,
    read_row,
    rejected_workbook,
)
from models.id_numbers import check_digit

TODAY = date(2026, 11, 21)
WANG = "430102195503071216"
LI = "11010519491231002X"


def number_of(birth: str, order: int = 1) -> str:
    first_17 = f"430102{birth}{order:03}"
    return first_17 + check_digit(first_17)


def a_workbook(*rows: Sequence[Any], merges: Sequence[tuple[int, int, int, int, str]] = ()) -> bytes:
    """An .xlsx of these rows; a date is written as Excel's own, None leaves the cell out."""
    buffer = io.BytesIO()
    workbook = xlsxwriter.Workbook(buffer, {"in_memory": True, "default_date_format": "yyyy-mm-dd"})
    worksheet = workbook.add_worksheet("花名册")
    for row, cells in enumerate(rows):
        for column, cell in enumerate(cells):
            if isinstance(cell, str):
                worksheet.write_string(row, column, cell)
            elif cell is not None:
                worksheet.write(row, column, cell)
    for merge in merges:
        worksheet.merge_range(*merge)
    workbook.close()
    return buffer.getvalue()


def the_rows(data: bytes) -> list[RosterRow | RowRefused]:
    sheet = open_sheet(data)
    return [read_row(sheet, raw, TODAY) for raw in sheet.rows()]


def read(*, name: Any = "王建国", id_number: Any = WANG, **columns: Any) -> RosterRow | RowRefused:
    """One person with these columns besides the name and the number."""
    [row] = the_rows(a_workbook(["姓名", "身份证号", *columns], [name, id_number, *columns.values()]))
    return row


def accepted(**columns: Any) -> RosterRow:
    row = read(**columns)
    assert isinstance(row, RosterRow), row
    return row


def reasons(**columns: Any) -> str:
    row = read(**columns)
    assert isinstance(row, RowRefused), row
    return "\n".join(row.reasons)


def refusal(data: bytes) -> SheetRefused:
    with pytest.raises(SheetRefused) as caught:
        open_sheet(data)
    return caught.value


# ---- The file as a whole


def test_a_whole_roster_as_enterprises_write_it():
    sheet = open_sheet(
        a_workbook(
            ["某某机械厂退休人员社会化管理移交花名册"],
            ["填报单位（盖章）：某某机械厂", None, None, None, "填报日期：2026年10月31日"],
            [
                "序号",
                "姓 名",
                "性别",
                "身份证号码\n（18位）",
                "档案出生年月",
                "联系电话/手机",
                "详细居住地址",
                "户籍地",
                "籍贯",
                "退休时间",
                "退休类别",
                "是否复退军人",
                "是否参战参试人员",
                "是否党员",
                "健康状况",
                "优抚类别",
                "原单位名称",
                "企业性质",
                "接收社区",
                "居住地类别",
                "备注",
            ],
            [
                1,
                "王 建 国",
                "男",
                WANG,
                datetime.combine(date(1955, 3, 1), time()),
                13812345678,
                "长沙市芙蓉区某街道5栋301",
                "湖南长沙",
                "湖南湘潭",
                "2015.3",
                "特殊工种提前",
                "√",
                "否",
                "中共党员",
                3,
                2,
                "某某机械厂",
                "省属",
                430102001001,
                1,
                "好人",
            ],
            [],
            ["合计", "1人"],
            ["制表人：赵一", None, None, "审核人：钱二"],
        )
    )
    assert sheet.row_count == 1
    assert sheet.columns["身份证号码（18位）"] == "id_number"
    assert sheet.columns["联系电话/手机"] == "phone"
    assert sheet.unknown_columns == ("备注",)
    [raw] = sheet.rows()
    assert raw.number == 4
    row = read_row(sheet, raw, TODAY)
    assert row == RosterRow(
        number=4,
        name="王建国",
        id_number=WANG,
        birth=date(1955, 3, 7),
        sex="male",
        recognised_birth=date(1955, 3, 1),
        phone="13812345678",
        address="长沙市芙蓉区某街道5栋301",
        hukou_place="湖南长沙",
        native_place="湖南湘潭",
        retired_on=date(2015, 3, 1),
        retirement_kind="special_work",
        veteran=True,
        combat_or_test=False,
        party_member=True,
        health="chronic",
        hardship=("ill_or_disabled",),
        enterprise="某某机械厂",
        enterprise_level="province",
        community="430102001001",
        residence_kind="local",
        notes=(
            "第10列“退休时间”：只写了年月，按2015年3月1日登记。",
            "第5列“档案出生年月”：与身份证号的出生日期不一致，请核对。",
        ),
    )


def test_a_header_over_two_lines_tells_the_relative_from_the_retiree():
    sheet = open_sheet(
        a_workbook(
            ["花名册"],
            [None, None, "紧急联系人", None, "配偶", None],
            [None, None, "姓名", "电话", "姓名", "身份证号"],
            ["王建国", WANG, "王小明", "13987654321", "李秀英", LI],
            merges=[
                (0, 0, 0, 5, "花名册"),
                (1, 0, 2, 0, "姓名"),
                (1, 1, 2, 1, "身份证号"),
                (1, 2, 1, 3, "紧急联系人"),
                (1, 4, 1, 5, "配偶"),
            ],
        )
    )
    assert sheet.header == ("姓名", "身份证号", "姓名", "电话", "配偶姓名", "配偶身份证号")
    row = read_row(sheet, next(sheet.rows()), TODAY)
    assert isinstance(row, RosterRow)
    assert (row.name, row.emergency_contact, row.emergency_phone) == ("王建国", "王小明", "13987654321")
    assert sheet.unknown_columns == ("配偶姓名", "配偶身份证号")


@pytest.mark.parametrize("header", ["姓名（配偶）", "联系人（姓名）", "电话（儿子）"])
def test_a_column_about_somebody_else_is_not_the_retirees(header):
    assert open_sheet(a_workbook(["姓名", "身份证号", header], ["王建国", WANG, "x"])).columns.get(header) not in (
        "name",
        "phone",
    )


def test_columns_may_stand_in_any_order_and_anywhere_on_the_sheet():
    [row] = the_rows(a_workbook([], [], [None, None, "身份证", "姓名"], [], [None, None, "错的", "王建国"]))
    assert isinstance(row, RowRefused)
    assert row.number == 5
    assert row.reasons == ["第3列“身份证”：身份证号应为18位，请核对是否多写或漏写。"]


def test_a_header_that_is_repeated_on_every_page_is_nobody():
    rows = the_rows(a_workbook(["姓名", "身份证号"], ["王建国", WANG], ["姓 名", "身份证号"], ["李秀英", LI]))
    assert [row.number for row in rows] == [2, 4]


def test_a_hidden_worksheet_and_one_without_a_header_are_passed_over():
    book = openpyxl.Workbook()
    book.active.append(["填表说明"])
    hidden = book.create_sheet("旧表")
    hidden.sheet_state = "hidden"
    hidden.append(["姓名", "身份证号"])
    hidden.append(["旧人", LI])
    right = book.create_sheet("花名册")
    right.append(["姓名", "身份证号"])
    right.append(["王建国", WANG])
    buffer = io.BytesIO()
    book.save(buffer)
    sheet = open_sheet(buffer.getvalue())
    assert sheet.title == "花名册"
    assert [raw.cells[0] for raw in sheet.rows()] == ["王建国"]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"hello",
        "姓名,身份证号\n王建国,1".encode("gbk"),
        b"%PDF-1.7",
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600),
    ],
)
def test_what_is_no_spreadsheet_is_refused(data):
    assert refusal(data).code == "not_a_spreadsheet"


def test_a_document_of_another_program_is_refused():
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as package:
        package.writestr("word/document.xml", "<x/>")
    assert refusal(buffer.getvalue()).detail == "这不是Excel表格文件，请另存为“Excel 工作簿（.xlsx）”后再上传。"


@pytest.mark.parametrize("length", [10, 100, 1000, 4000, -1])
def test_a_truncated_file_is_refused(length):
    assert refusal(a_workbook(["姓名", "身份证号"], ["王建国", WANG])[:length]).code == "not_a_spreadsheet"


@given(st.data())
@settings(max_examples=60, deadline=None)
def test_a_damaged_file_is_read_or_refused_but_never_breaks_the_worker(data):
    rows = (["姓名", "身份证号"], ["王建国", WANG])
    damaged = bytearray(data.draw(st.sampled_from([a_workbook, an_xls_file]))(*rows))
    for _ in range(data.draw(st.integers(1, 8))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(SheetRefused):
        the_rows(bytes(damaged))


def test_an_old_file_that_makes_the_reader_panic_is_refused():
    """The worksheet's address lies outside its stream; the reader panics, which Python sees as no Exception."""
    whole = an_xls_file(["姓名", "身份证号"], ["王建国", WANG])
    place = whole.index(struct.pack("<HH", 0x0085, 14)) + 4
    assert refusal(whole[:place] + struct.pack("<I", 9002) + whole[place + 4 :]).code == "not_a_spreadsheet"


def test_a_locked_file_asks_for_the_password_to_be_removed():
    locked = an_ole_file({"EncryptionInfo": bytes(4096), "EncryptedPackage": bytes(4096)})
    assert refusal(locked).code == "password_protected"


def test_a_sheet_without_a_header_is_refused():
    assert refusal(a_workbook(["王建国", WANG], ["李秀英", LI])).code == "no_header"
    assert refusal(a_workbook([])).code == "no_header"


def test_missing_columns_are_named():
    assert refusal(a_workbook(["姓名", "性别"], ["王建国", "男"])).detail == "缺少必填的列：“身份证号”。"
    assert refusal(a_workbook(["电话", "性别"], ["1", "男"])).detail == "缺少必填的列：“姓名”、“身份证号”。"


def test_a_header_with_nobody_under_it_is_refused():
    assert refusal(a_workbook(["姓名", "身份证号"], [], ["合计"])).code == "no_rows"


def test_more_than_100000_people_are_too_many_for_one_file():
    buffer = io.BytesIO()
    workbook = xlsxwriter.Workbook(buffer, {"constant_memory": True})
    worksheet = workbook.add_worksheet()
    for row, cells in enumerate([("姓名", "身份证号"), *[("王建国", WANG)] * 100_001]):
        worksheet.write_row(row, 0, cells)
    workbook.close()
    assert refusal(buffer.getvalue()).code == "too_many_rows"


def test_a_stray_character_in_the_last_cell_of_the_sheet_does_not_eat_the_memory():
    buffer = io.BytesIO()
    workbook = xlsxwriter.Workbook(buffer)
    worksheet = workbook.add_worksheet()
    worksheet.write_row(0, 0, ["姓名", "身份证号"])
    worksheet.write_row(1, 0, ["王建国", WANG])
    worksheet.write(1_048_575, 16_383, "x")
    workbook.close()
    assert refusal(buffer.getvalue()).code == "too_large"


def test_cells_that_are_only_painted_do_not_count():
    buffer = io.BytesIO()
    workbook = xlsxwriter.Workbook(buffer)
    worksheet = workbook.add_worksheet()
    worksheet.write_row(0, 0, ["姓名", "身份证号"])
    worksheet.write_row(1, 0, ["王建国", WANG])
    worksheet.write_blank(1_048_575, 16_383, None, workbook.add_format({"bg_color": "#FFFF00"}))
    workbook.close()
    assert open_sheet(buffer.getvalue()).row_count == 1


def test_an_old_xls_file_is_read_too():
    [row] = the_rows(an_xls_file(["姓名", "身份证号", "手机"], ["王建国", WANG, 13812345678.0]))
    assert isinstance(row, RosterRow)
    assert (row.name, row.id_number, row.phone) == ("王建国", WANG, "13812345678")


def test_the_same_number_twice_keeps_the_first_and_names_its_row():
    sheet = open_sheet(a_workbook(["姓名", "身份证号"], ["王建国", WANG], ["李秀英", LI], ["王建国", f" {WANG}"]))
    raws = list(sheet.rows())
    first, _, third = (read_row(sheet, raw, TODAY) for raw in raws)
    assert isinstance(first, RosterRow)
    assert third == RowRefused(4, ["第2列“身份证号”：与第2行的身份证号相同，同一个人只能出现一次。"])
    assert isinstance(read_row(sheet, raws[0], TODAY), RosterRow), "reading a row again is no second appearance"


def test_a_refused_row_does_not_stand_in_the_way_of_the_same_person_further_down():
    first, second = the_rows(a_workbook(["姓名", "身份证号", "性别"], ["王建国", WANG, "女"], ["王建国", WANG, "男"]))
    assert isinstance(first, RowRefused)
    assert isinstance(second, RosterRow)


def test_every_reason_of_a_row_is_given_at_once():
    told = reasons(name="王1", id_number="123", 手机="12", 退休时间="55.3.7", 是否党员="也许").splitlines()
    assert [line.partition("：")[0] for line in told] == [
        "第1列“姓名”",
        "第2列“身份证号”",
        "第5列“是否党员”",
        "第4列“退休时间”",
        "第3列“手机”",
    ]


# ---- Names and numbers


@pytest.mark.parametrize(
    "typed, name",
    [
        ("王建国", "王建国"),
        (" 王 建国 ", "王建国"),
        ("张 三", "张三"),
        ("张\u3000三", "张三"),
        ("张\n三", "张三"),
        ("'张三", "张三"),
        ("古丽·买买提", "古丽·买买提"),
        ("古丽•买买提", "古丽·买买提"),
        ("古丽．买买提", "古丽·买买提"),
        ("古丽.买买提", "古丽·买买提"),
        ("古丽・买买提", "古丽·买买提"),
        ("𠮷田", "𠮷田"),
        ("王\U00031234", "王\U00031234"),
        ("⺩⼀".replace("⺩", "王"), "王一"),
    ],
)
def test_a_name_is_freed_of_alignment_and_odd_dots(typed, name):
    assert accepted(name=typed).name == name


@pytest.mark.parametrize("typed", ["张", "张三1", "张三（女）", "Zhang San", "张?", "王" * 26, "·", 12, "张三、李四"])
def test_what_is_no_name_is_refused(typed):
    assert "第1列“姓名”" in reasons(name=typed)


@pytest.mark.parametrize("empty", [None, "", "  "])
def test_name_and_number_must_be_there(empty):
    assert reasons(name=empty) == "第1列“姓名”：没有填写。"
    assert reasons(id_number=empty) == "第2列“身份证号”：没有填写。"


@pytest.mark.parametrize(
    "typed", [WANG, f"'{WANG}", f" {WANG} ", "430102 19550307 1216", "４３０１０２１９５５０３０７１２１６"]
)
def test_an_identity_number_comes_in_many_forms(typed):
    assert accepted(id_number=typed).id_number == WANG


@pytest.mark.parametrize("lost", [float(WANG), int(WANG), "4.30102E+17", "4.30102195503071e17", "430102195503071000"])
def test_an_identity_number_that_lost_its_last_digits_is_refused_with_the_remedy(lost):
    assert "请先把这一列的单元格格式设为“文本”" in reasons(id_number=lost)


def test_an_old_number_is_whole_as_a_number_and_is_upgraded_with_a_note():
    for old in (110105491231002, "110105491231002"):
        row = accepted(name="李秀英", id_number=old)
        assert row.id_number == LI
        assert row.notes == ("第2列“身份证号”：15位旧号码已换算为18位，请核对。",)


def test_a_sex_that_contradicts_the_number_is_refused():
    assert reasons(性别="女") == "第3列“性别”：与身份证号不符，身份证号第17位表示男性。"
    for typed in ("男", "男性", "M", 1, "", "1男"):
        assert accepted(性别=typed).sex == "male"
    assert "请填写“男”或“女”" in reasons(性别="不男")


# ---- Days


@pytest.mark.parametrize(
    "typed",
    [
        date(2015, 3, 7),
        datetime.combine(date(2015, 3, 7), time(10, 30)),
        42070,
        42070.5,
        "42070",
        20150307,
        "20150307",
        "2015-03-07",
        "2015.3.7",
        "2015/3/7",
        "2015、3、7",
        "2015年3月7日",
        "2015 年 3 月 7 日",
        "２０１５．３．７",
        "2015-03-07 00:00:00",
        "2015/3/7 0:00",
        "2015—3—7",
        "'2015.03.07",
        "2015.3.7.",
    ],
)
def test_7_march_2015_has_many_forms(typed):
    row = accepted(退休时间=typed)
    assert row.retired_on == date(2015, 3, 7)
    assert row.notes == ()


def test_a_time_of_day_does_not_eat_the_day():
    assert accepted(退休时间="2015-3-10 0:00:00").retired_on == date(2015, 3, 10)


@pytest.mark.parametrize(
    "typed", ["2015-03", "2015.3", "2015.03", 2015.03, 2015.3, "201503", 201503, "2015年3月", "2015年03月份"]
)
def test_a_month_alone_is_its_first_day_with_a_note(typed):
    row = accepted(退休时间=typed)
    assert row.retired_on == date(2015, 3, 1)
    assert row.notes == ("第3列“退休时间”：只写了年月，按2015年3月1日登记。",)


@pytest.mark.parametrize(
    "typed, because",
    [
        ("15.3.7", "年份只有两位"),
        ("15-03", "年份只有两位"),
        ("15年3月7日", "年份只有两位"),
        ("150307", "年份只有两位"),
        (150307, "年份只有两位"),
        (2015.1, "可能是1月也可能是10月"),
        ("2015", "只写了年份"),
        (2015, "只写了年份"),
        ("2015.2.30", "不存在"),
        ("20151301", "不存在"),
        ("2015.13", "不存在"),
        ("3/7/2015", "看不懂"),
        ("去年", "看不懂"),
        (True, "看不懂"),
        ("2099-01-01", "不合理"),
        ("1970-01-01", "早于16岁"),
    ],
)
def test_a_day_that_could_be_another_or_none_is_refused(typed, because):
    assert because in reasons(退休时间=typed)


def test_as_text_2015_1_is_january():
    assert accepted(退休时间="2015.1").retired_on == date(2015, 1, 1)


def test_a_recognised_birth_may_differ_from_the_number_and_is_noted():
    row = accepted(档案出生日期="1954.11.02")
    assert (row.birth, row.recognised_birth) == (date(1955, 3, 7), date(1954, 11, 2))
    assert row.notes == ("第3列“档案出生日期”：与身份证号的出生日期不一致，请核对。",)
    assert accepted(档案出生日期="1955.3.7").notes == ()


def test_an_ordinary_birth_that_agrees_says_nothing_new():
    for typed in ("1955-03", "1955.3.7", 195503, date(1955, 3, 7)):
        row = accepted(出生年月=typed)
        assert (row.recognised_birth, row.notes) == (None, ())


def test_an_ordinary_birth_that_differs_becomes_the_recognised_one():
    row = accepted(出生年月="1954-11")
    assert row.recognised_birth == date(1954, 11, 1)
    assert len(row.notes) == 2


# ---- Phones


@pytest.mark.parametrize(
    "typed, phone",
    [
        (13812345678, "13812345678"),
        (13812345678.0, "13812345678"),
        ("1.3812345678E10", "13812345678"),
        ("1.3812345678e+10", "13812345678"),
        ("13812345678.0", "13812345678"),
        ("138 1234 5678", "13812345678"),
        ("138-1234-5678", "13812345678"),
        ("+8613812345678", "13812345678"),
        ("+86 138-1234-5678", "13812345678"),
        ("008613812345678", "13812345678"),
        ("013812345678", "13812345678"),
        ("１３８１２３４５６７８", "13812345678"),
        ("手机：13812345678", "13812345678"),
        ("0731-84907501", "0731-84907501"),
        ("(0731)84907501", "0731-84907501"),
        ("（0731）84907501", "0731-84907501"),
        ("073184907501", "0731-84907501"),
        ("0731—84907501", "0731-84907501"),
        (73184907501, "0731-84907501"),
        (1088886666, "010-88886666"),
        ("84907501", "84907501"),
        (84907501, "84907501"),
        ("无", None),
        ("/", None),
        (None, None),
    ],
)
def test_a_phone_comes_in_many_forms(typed, phone):
    row = accepted(联系电话=typed)
    assert row.phone == phone
    assert row.notes == ()


@pytest.mark.parametrize(
    "typed", ["1381234567", "138123456789", 1381234567.5, "12812345678", "12345", "打儿子的", "1.38E+10", "1.38123E10"]
)
def test_what_is_no_phone_is_refused(typed):
    assert "第3列“联系电话”" in reasons(联系电话=typed)


@pytest.mark.parametrize("between", ["/", "、", "，", " ", "\n", ";", "或"])
def test_of_several_phones_the_first_mobile_counts_and_the_rest_is_noted(between):
    row = accepted(联系电话=f"0731-84907501{between}13812345678{between}13987654321")
    assert row.phone == "13812345678"
    assert row.notes == ("第3列“联系电话”：其他号码：0731-84907501、13987654321。",)


def test_a_column_for_the_landline_and_one_for_the_mobile_are_read_together():
    row = accepted(座机="84907501", 手机="13812345678")
    assert row.phone == "13812345678"
    assert row.notes == ("第3列“座机”：其他号码：84907501。",)


def test_whose_phone_it_is_may_stand_beside_it():
    row = accepted(联系电话="13812345678（儿子）")
    assert (row.phone_owner, row.notes) == ("儿子", ())
    assert accepted(联系电话="13812345678（儿子）", 机主="女婿").phone_owner == "女婿"
    assert accepted(联系电话="13812345678小张").notes == ("第3列“联系电话”：号码旁写有“小张”。",)
    assert accepted(联系电话="0731-84907501转801").notes == ("第3列“联系电话”：号码旁写有“分机801”。",)


# ---- Words


@pytest.mark.parametrize("typed", ["是", "√", "✓", "Y", "yes", "1", 1, True, "有", "转业军人"])
def test_yes_has_many_forms(typed):
    assert accepted(是否复退军人=typed).veteran is True


@pytest.mark.parametrize("typed", ["否", "×", "N", "no", "0", 0, False, "无", "不是", "x"])
def test_no_has_many_forms(typed):
    assert accepted(是否复退军人=typed).veteran is False


@pytest.mark.parametrize("typed", [None, "", "/", "—", "不详"])
def test_nothing_is_neither_yes_nor_no(typed):
    assert accepted(是否复退军人=typed).veteran is None


@pytest.mark.parametrize(
    "typed, member",
    [
        ("党员", True),
        ("中共党员", True),
        ("预备党员", True),
        ("是", True),
        ("群众", False),
        ("共青团员", False),
        ("民盟盟员", False),
    ],
)
def test_political_status_says_who_is_a_party_member(typed, member):
    row = accepted(政治面貌=typed)
    assert row.party_member is member
    assert bool(row.notes) is (typed == "预备党员")


@pytest.mark.parametrize(
    "header, typed, field, value",
    [
        ("退休类别", "正常退休", "retirement_kind", "normal"),
        ("退休类别", "特殊工种", "retirement_kind", "special_work"),
        ("退休类别", 3, "retirement_kind", "special_policy"),
        ("退休类别", "病退", "retirement_kind", "illness"),
        ("健康状况", "1", "health", "healthy"),
        ("健康状况", "2-生活不能自理", "health", "unable_self_care"),
        ("健康状况", "高血压", "health", "chronic"),
        ("健康状况", "一般", "health", "ordinary"),
        ("企业层级", "央企", "enterprise_level", "central"),
        ("企业层级", "省属", "enterprise_level", "province"),
        ("企业层级", "市属", "enterprise_level", "city"),
        ("企业层级", "县（区）属", "enterprise_level", "county"),
        ("居住地类别", 1.0, "residence_kind", "local"),
        ("居住地类别", "省内跨县市", "residence_kind", "other_county"),
        ("居住地类别", "3", "residence_kind", "other_province"),
        ("居住地类别", "港澳台", "residence_kind", "hk_mo_tw"),
        ("居住地类别", "5境外", "residence_kind", "abroad"),
        ("优抚类别", 1, "hardship", ("poor",)),
        ("优抚类别", 4, "hardship", ()),
        ("困难类别", "高龄、孤寡", "hardship", ("elderly", "lonely")),
        ("困难类别", "低保；残疾", "hardship", ("ill_or_disabled", "poor")),
        ("困难类别", "无", "hardship", ()),
        ("接收社区", "荷花 池社区", "community", "荷花池社区"),
        ("接收社区", "430102001001", "community", "430102001001"),
        ("籍贯", "湖南 湘潭", "native_place", "湖南湘潭"),
        ("认证备注", "眼盲，不能眨眼", "liveness_note", "眼盲，不能眨眼"),
        ("参保地", "长沙市", "pension_source", "长沙市"),
        ("紧急联系人电话", "13987654321(女儿)", "emergency_contact", "女儿"),
    ],
)
def test_the_words_of_the_ledger_become_ours(header, typed, field, value):
    assert getattr(accepted(**{header: typed}), field) == value


@pytest.mark.parametrize(
    "header, typed",
    [
        ("退休类别", "提前退休"),
        ("健康状况", "7"),
        ("企业层级", "民营"),
        ("居住地类别", "异地"),
        ("困难类别", "1"),
        ("困难类别", "其他"),
        ("接收社区", "430102"),
        ("住址", "住" * 201),
    ],
)
def test_a_word_that_means_nothing_or_two_things_is_asked_back(header, typed):
    assert reasons(**{header: typed}).startswith(f"第3列“{header}”：")


cells = st.one_of(
    st.none(),
    st.text(max_size=20),
    st.floats(allow_nan=False, allow_infinity=False),
    st.integers(-(2**53), 2**53),
    st.booleans(),
    st.dates(date(1900, 3, 1), date(2100, 1, 1)).map(lambda day: datetime.combine(day, time(9, 5))),
)
HEADERS = [
    "姓名",
    "身份证号",
    "性别",
    "出生日期",
    "档案出生日期",
    "手机",
    "紧急联系人电话",
    "住址",
    "退休时间",
    "退休类别",
    "是否党员",
    "是否参战",
    "健康状况",
    "优抚类别",
    "社区",
]


@given(st.lists(cells, min_size=len(HEADERS) - 2, max_size=len(HEADERS) - 2))
@settings(max_examples=150, deadline=None)
def test_no_cell_breaks_it(values):
    for row in the_rows(a_workbook(HEADERS, ["王建国", WANG, *values])):
        if isinstance(row, RowRefused):
            assert row.reasons
            assert all(reason.startswith("第") for reason in row.reasons)


# ---- What goes back


def refused_again(sheet: Sheet) -> bytes:
    rejected = []
    for raw in sheet.rows():
        row = read_row(sheet, raw, TODAY)
        if isinstance(row, RowRefused):
            rejected.append((raw.cells, row.reasons))
    return rejected_workbook(sheet.header, rejected)


def test_refused_rows_come_back_as_text_with_the_reason_in_the_last_column():
    sheet = open_sheet(
        a_workbook(
            ["姓名", "身份证号", "手机", "退休时间"],
            ["王建国", WANG, 13812345678, date(2015, 3, 7)],
            ["李秀英", "=1+1", 13812345678, date(2015, 3, 7)],
        )
    )
    worksheet = openpyxl.load_workbook(io.BytesIO(refused_again(sheet))).active
    assert worksheet.freeze_panes == "A2"
    header, row = worksheet.iter_rows()
    assert [cell.value for cell in header] == ["姓名", "身份证号", "手机", "退休时间", "原因"]
    assert [cell.value for cell in row][:4] == ["李秀英", "=1+1", "13812345678", "2015-03-07"]
    assert row[4].value.startswith("第2列“身份证号”：")
    assert all(cell.data_type in ("s", "inlineStr") for cell in row), "no formula, no number"


def test_a_mended_row_is_read_and_one_that_is_still_wrong_does_not_grow_a_second_reason():
    first = refused_again(open_sheet(a_workbook(["姓名", "身份证号"], ["王建国", "1"], ["李秀英", "2"])))
    book = openpyxl.load_workbook(io.BytesIO(first))
    book.active["B2"] = WANG
    buffer = io.BytesIO()
    book.save(buffer)
    sheet = open_sheet(buffer.getvalue())
    assert [type(read_row(sheet, raw, TODAY)) for raw in sheet.rows()] == [RosterRow, RowRefused]
    again = openpyxl.load_workbook(io.BytesIO(refused_again(open_sheet(buffer.getvalue())))).active
    assert [cell.value for cell in again[1]] == ["姓名", "身份证号", "原因"]


def test_a_number_that_lost_its_digits_does_not_come_back_looking_whole():
    back = refused_again(open_sheet(a_workbook(["姓名", "身份证号"], ["王建国", float(WANG)])))
    assert openpyxl.load_workbook(io.BytesIO(back)).active["B2"].value == "4.301021955030712e+17"
    [row] = the_rows(back)
    assert isinstance(row, RowRefused)


# ---- Files of the old kind, made by hand: a container with streams, and the records of one worksheet


def an_ole_file(streams: dict[str, bytes]) -> bytes:
    """A compound file (MS-CFB) with these streams, each of 4096 bytes or more."""
    sector = 512
    end, fat_mark, free = 0xFFFFFFFE, 0xFFFFFFFD, 0xFFFFFFFF
    directory_sectors = (len(streams) + 1 + 3) // 4
    fat = [fat_mark, *range(2, directory_sectors + 1), end]
    entries = [directory_entry("Root Entry", 5, child=1, start=end, size=0)]
    body = b""
    for place, (name, content) in enumerate(streams.items(), start=1):
        content += bytes(-len(content) % sector)
        start, length = len(fat), len(content) // sector
        fat += [*range(start + 1, start + length), end]
        right = place + 1 if place < len(streams) else free
        entries.append(directory_entry(name, 2, right=right, start=start, size=len(content)))
        body += content
    assert len(fat) <= 128
    directory = b"".join(entries).ljust(directory_sectors * sector, b"\0")
    header = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(16)
    header += struct.pack("<HHHHH6x", 0x3E, 3, 0xFFFE, 9, 6)
    header += struct.pack("<IIIIIIIIII", 0, 1, 1, 0, 4096, end, 0, end, 0, 0)
    header += struct.pack("<108I", *[free] * 108)
    return header + struct.pack("<128I", *fat, *[free] * (128 - len(fat))) + directory + body


def directory_entry(
    name: str, kind: int, start: int, size: int, child: int = 0xFFFFFFFF, right: int = 0xFFFFFFFF
) -> bytes:
    text = name.encode("utf-16-le")
    entry = text.ljust(64, b"\0") + struct.pack("<HBBIII", len(text) + 2, kind, 1, 0xFFFFFFFF, right, child)
    return entry + bytes(36) + struct.pack("<IQ", start, size)


def an_xls_file(*rows: Sequence[str | float]) -> bytes:
    """A workbook of Excel 97 (MS-XLS) with one worksheet."""

    def record(kind: int, content: bytes) -> bytes:
        return struct.pack("<HH", kind, len(content)) + content

    def begin(kind: int) -> bytes:
        return record(0x0809, struct.pack("<HHHHII", 0x0600, kind, 0, 0, 0, 0))

    cells = b""
    for row, values in enumerate(rows):
        for column, value in enumerate(values):
            if isinstance(value, str):
                text = struct.pack("<HB", len(value), 1) + value.encode("utf-16-le")
                cells += record(0x0204, struct.pack("<HHH", row, column, 0) + text)
            else:
                cells += record(0x0203, struct.pack("<HHHd", row, column, 0, value))
    name = "花名册"
    sheet_entry = struct.pack("<HBB", 0, len(name), 1) + name.encode("utf-16-le")
    head = begin(0x0005)
    offset = len(head) + 4 + 4 + len(sheet_entry) + 4
    stream = head + record(0x0085, struct.pack("<I", offset) + sheet_entry) + record(0x000A, b"")
    stream += begin(0x0010) + cells + record(0x000A, b"")
    return an_ole_file({"Workbook": stream.ljust(4096, b"\0")})
