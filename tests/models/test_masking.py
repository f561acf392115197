"""Masking: DOMAIN.md 7.5 and its worked examples T150 and T152."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.masking import (
    mask_address,
    mask_id_number,
    mask_id_number_own,
    mask_landline,
    mask_name,
    mask_phone,
    mask_text,
)


@pytest.mark.parametrize(
    "name, masked",
    [("张三", "张*"), ("欧阳建国", "欧***"), ("古丽·买买提", "古*****"), ("𠮷田", "𠮷*"), ("张", "*"), ("", "")],
)
def test_t152_of_a_name_the_first_character_stays(name, masked):
    assert mask_name(name) == masked


def test_in_lists_an_identity_number_shows_its_first_and_last_character():
    assert mask_id_number("430102195503071216") == "4****************6"
    assert mask_id_number("110105491231002") == "1*************2"


def test_to_its_owner_an_identity_number_shows_six_and_four():
    assert mask_id_number_own("430102195503071216") == "430102********1216"


@pytest.mark.parametrize("mask", [mask_id_number, mask_id_number_own])
@pytest.mark.parametrize("wrong", ["", "4", "43", "43010219550307121", "4301021955030712166"])
def test_what_is_no_identity_number_is_covered_altogether(mask, wrong):
    assert mask(wrong) == "*" * len(wrong)


@pytest.mark.parametrize(
    "phone, masked",
    [
        ("13812345678", "138****5678"),
        ("0731-84907501", "0731-****7501"),
        ("073184907501", "0731****7501"),
        ("010-88886666", "010-****6666"),
        ("02188886666", "021****6666"),
        ("84907501", "****7501"),
        ("8490750", "***0750"),
        ("", ""),
        ("12345", "*****"),
        ("138123456789", "************"),
    ],
)
def test_t150_of_a_phone_the_middle_is_covered(phone, masked):
    assert mask_phone(phone) == masked


def test_a_landline_keeps_its_area_code_and_last_four():
    assert mask_landline("0731-84907501") == "0731-****7501"


@pytest.mark.parametrize(
    "address, masked",
    [
        ("长沙市芙蓉区某街道5栋301", "长沙市芙蓉区某街道***"),
        ("长沙市芙蓉区五一大道88号锦绣花园3栋2单元501室", "长沙市芙蓉区五一大道***"),
        ("长沙市岳麓区望月湖街道桃花社区十二栋三单元", "长沙市岳麓区望月湖街道桃花社区***"),
        ("长沙县福临镇开慧村老屋组李家", "长沙县福临镇开慧村***"),
        ("长沙市雨花区A座1201", "长沙市雨花区***"),
        ("长沙市芙蓉区某街道***", "长沙市芙蓉区某街道***"),
        ("锦绣花园3栋501", "***"),
        ("3栋501", "***"),
        ("", ""),
    ],
)
def test_an_address_ends_at_the_road_or_the_community(address, masked):
    assert mask_address(address) == masked


@pytest.mark.parametrize(
    "text, masked",
    [
        ("张三430102195503071216已认证", "张三4****************6已认证"),
        ("id_number=11010519491231002x", "id_number=1****************x"),
        ("id=110105491231002;", "id=1*************2;"),
        ("430102 19550307 1216", "4****************6"),
        ("电话13812345678，家13987654321", "电话138****5678，家139****4321"),
        ("tel +8613812345678 or 8613812345678", "tel +86138****5678 or 86138****5678"),
        ("138-1234-5678 / 138 1234 5678", "138****5678 / 138****5678"),
        ("座机0731-84907501", "座机0731-****7501"),
        ("１３８１２３４５６７８", "１３８****５６７８"),
        ('{"phone": "13812345678"}', '{"phone": "138****5678"}'),
    ],
)
def test_numbers_inside_a_text_are_covered(text, masked):
    assert mask_text(text) == masked


@pytest.mark.parametrize(
    "text",
    [
        "retiree 673e9f0a138123456780b1c2 imported",
        "retiree 138123456784301021955030 imported",
        "trace 4bf92f3577b34da6a3ce929d0e0e4736",
        "request 123e4567-e89b-12d3-a456-138123456780",
        "sha256 e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "took 0.13812345678 s at 2026-11-21T10:00:00+08:00, 88000 rows, 1795226400123 ms",
        "community 430102001001",
    ],
)
def test_ids_times_and_counts_are_left_alone(text):
    assert mask_text(text) == text


@given(st.text(), st.sampled_from(["430102195503071216", "13812345678", "110105491231002"]), st.text())
def test_a_number_between_words_never_comes_through(before, number, after):
    assert number not in mask_text(f"{before} {number} {after}")


@given(st.from_regex("[0-9a-f]{24}", fullmatch=True))
def test_an_object_id_always_comes_through(object_id):
    assert mask_text(f"retiree={object_id}, ok") == f"retiree={object_id}, ok"


@given(st.text(min_size=1))
def test_no_text_breaks_any_of_them_and_none_shows_the_whole(text):
    for mask in (mask_name, mask_id_number, mask_id_number_own):
        assert len(mask(text)) == len(text)
        assert "*" in mask(text)
    mask_phone(text)
    assert mask_address(text).endswith("***")
