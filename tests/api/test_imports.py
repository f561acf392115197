"""A roster from the clerk's spreadsheet to the ledger, and the bad rows back with their reasons."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import textwrap
import zipfile

import openpyxl
import pytest
import time_machine

from jobs import import_roster
from models import clock, divisions, imports
from models.database import collection
from tests.builders import COMMUNITY, OTHER_CITY_COMMUNITY, OTHER_COMMUNITY, a_retiree, an_id_number, finish_work
from tests.faces import actors
from tests.story import V1, a_roster, a_worker, agreed, files_stored, people_for_a_roster

IMPORTS = f"{V1}/retirees/imports"


@pytest.fixture(autouse=True)
def places(ground):
    for code, name in ((COMMUNITY, "银杏社区"), (OTHER_COMMUNITY, "梧桐社区"), (OTHER_CITY_COMMUNITY, "格桑社区")):
        divisions.put(code, name)


def send(client, data: bytes, headers, name: str = "花名册.xlsx", path: str = IMPORTS, **form: str):
    body = {"file": (io.BytesIO(data), name), **form}
    return client.post(path, data=body, headers=headers, content_type="multipart/form-data")


def imported(client, data: bytes, headers, **form: str) -> dict:
    sent = send(client, data, headers, **form)
    assert (sent.status_code, sent.json["state"]) == (202, "waiting"), sent.text
    finish_work()
    return client.get(f"{IMPORTS}/{sent.json['id']}", headers=headers).json


def rejected_rows(client, done: dict, headers) -> list[tuple]:
    reply = client.get(done["errors_url"], headers=headers)
    assert reply.mimetype.endswith("spreadsheetml.sheet")
    assert "attachment" in reply.headers["Content-Disposition"]
    return list(openpyxl.load_workbook(io.BytesIO(reply.data)).active.iter_rows(values_only=True))


def test_good_rows_are_taken_and_bad_ones_come_back_with_the_reason_in_the_last_column(client):
    headers = a_worker("street", "430102001")
    good = people_for_a_roster(3)
    bad = [
        ("张三", "430102195503071217", "13812345678", "银杏社区"),
        ("", an_id_number(), "13812345678", "银杏社区"),
        ("李四", an_id_number(), "13812345678", "没有的社区"),
        ("王五", an_id_number(), "13812345678", "格桑社区"),
        (good[0][0], good[0][1], "13812345678", "银杏社区"),
    ]
    done = imported(client, a_roster([*good, *bad]), headers)
    assert (done["state"], done["rows"], done["processed"]) == ("done", 8, 8)
    assert (done["accepted"], done["added"], done["rejected"]) == (3, 3, 5)
    rows = rejected_rows(client, done, headers)
    assert rows[0][:4] == ("姓名", "身份证号", "联系电话", "社区")
    assert rows[0][-1] == "原因"
    assert [row[1] for row in rows[1:]] == [row[1] for row in bad]
    reasons = [row[-1] for row in rows[1:]]
    assert "校验" in reasons[0]
    assert "姓名" in reasons[1]
    assert "社区" in reasons[2]
    assert "管理范围" in reasons[3]
    assert all(reasons)
    assert len(client.get(f"{V1}/retirees", headers=headers).json) == 3
    assert files_stored() == 1, "the roster is deleted, the spreadsheet of the bad rows is kept"


def test_the_bad_rows_mended_and_sent_again_are_taken(client):
    headers = a_worker()
    done = imported(client, a_roster([("张三", "430102195503071217", "13812345678", "银杏社区")]), headers)
    header, row = rejected_rows(client, done, headers)
    mended = (row[0], "430102195503071216", *row[2:])
    again = imported(client, a_roster([mended], header=header), headers)
    assert (again["added"], again["rejected"], again["errors_url"]) == (1, 0, None)


def test_a_roster_that_is_sent_twice_makes_nobody_twice(client):
    headers, roster = a_worker(), a_roster(people_for_a_roster(5))
    first, second = imported(client, roster, headers), imported(client, roster, headers)
    assert (first["added"], second["added"], second["accepted"], second["rejected"]) == (5, 0, 5, 0)
    assert collection("retirees").count_documents({}) == 5


def test_a_second_roster_fills_what_the_first_did_not_know(client):
    headers = a_worker()
    number = an_id_number()
    imported(client, a_roster([("王秀英", number)], header=("姓名", "身份证号")), headers)
    done = imported(client, a_roster([("王秀英", number, "13812345678", "银杏社区")]), headers)
    assert (done["added"], done["filled"]) == (0, 1)
    assert client.get(f"{V1}/retirees", query_string={"q": "13812345678"}, headers=headers).json[0]["name"] == "王秀英"


def test_somebody_of_another_community_or_under_another_name_is_not_touched(client):
    elsewhere, here = a_retiree(division=OTHER_COMMUNITY), a_retiree(name="王秀英")
    headers = a_worker()
    rows = [(elsewhere["name"], elsewhere["id_number"], "", ""), ("李建国", here["id_number"], "", "")]
    done = imported(client, a_roster(rows), headers)
    assert (done["accepted"], done["rejected"]) == (0, 2)
    assert [row[-1] for row in rejected_rows(client, done, headers)[1:]] == [
        "此人已在其他社区的名册中，请联系上级核对。",
        "名册中这个身份证号登记的是另一个姓名，请核对。",
    ]


def test_an_enterprise_imports_its_own_people_and_sees_no_other_import(client):
    factory = a_worker("enterprise", "4301", enterprise="示范厂")
    done = imported(client, a_roster(people_for_a_roster(2)), factory)
    assert done["added"] == 2
    assert {row["enterprise"] for row in collection("retirees").find()} == {"示范厂"}
    other = a_worker("enterprise", "4301", enterprise="另一个厂")
    assert client.get(IMPORTS, headers=other).json == []
    assert client.get(f"{IMPORTS}/{done['id']}", headers=other).status_code == 404
    assert client.get(f"{IMPORTS}/{done['id']}/errors", headers=other).status_code == 404


@pytest.mark.parametrize(
    ("data", "code"),
    [(b"", "not_a_spreadsheet"), (b"name,id", "not_a_spreadsheet"), (b"%PDF-1.7", "not_a_spreadsheet")],
    ids=["empty", "csv", "pdf"],
)
def test_what_is_no_spreadsheet_is_refused_at_once(client, data, code):
    refused = send(client, data, a_worker())
    assert (refused.status_code, refused.json["code"]) == (422, code)


@pytest.mark.parametrize(
    "data",
    [
        b"PK\x03\x04 and then nonsense",
        b"\xd0\xcf\x11\xe0 an old file, cut off",
        a_roster([]),
        a_roster([("x",)], header=("颜色",)),
        a_roster(people_for_a_roster(2))[:1500],
    ],
    ids=["nonsense", "old excel", "no rows", "other columns", "cut off"],
)
def test_a_file_that_cannot_be_read_ends_refused_with_a_sentence(client, data):
    done = imported(client, data, a_worker())
    assert done["state"] == "refused"
    assert any("\u4e00" <= char <= "\u9fff" for char in done["detail"])
    assert files_stored() == 0
    assert collection("outbox").count_documents({"state": {"$ne": "done"}}) == 0


def test_a_place_outside_ones_area_takes_no_roster(client):
    refused = send(client, a_roster(people_for_a_roster(1)), a_worker(), division=OTHER_COMMUNITY)
    assert (refused.status_code, refused.json["code"]) == (422, "outside_area")


def test_columns_that_were_not_used_are_named(client):
    rows = [("王秀英", an_id_number(), "红")]
    done = imported(client, a_roster(rows, header=("姓名", "身份证号", "最喜欢的颜色")), a_worker())
    assert done["notes"] == ["没有用到的列：最喜欢的颜色"]


DIES = """
    import os, sys
    from bson import ObjectId
    from pymongo import monitoring

    class DiesAfterTheFirstChunk(monitoring.CommandListener):
        commits = 0

        def started(self, event):
            pass

        def succeeded(self, event):
            if event.command_name == "commitTransaction":
                DiesAfterTheFirstChunk.commits += 1
                if self.commits == int(sys.argv[2]):
                    os._exit(9)

        def failed(self, event):
            pass

    monitoring.register(DiesAfterTheFirstChunk())
    import jobs
    from jobs import registry
    registry.deliver(sys.argv[1])
"""


def test_a_worker_that_dies_in_the_middle_is_followed_by_one_that_goes_on_and_nobody_is_made_twice(client):
    headers = a_worker()
    chunk, everybody = import_roster.CHUNK, import_roster.CHUNK * 2 + 10
    sent = send(client, a_roster(people_for_a_roster(everybody)), headers)
    event = collection("outbox").find_one({"kind": "import_roster"})
    dead = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(DIES), str(event["_id"]), "1"], env=dict(os.environ), check=False
    )
    assert dead.returncode == 9
    half = client.get(f"{IMPORTS}/{sent.json['id']}", headers=headers).json
    assert (half["state"], half["rows"], half["processed"], half["added"]) == (
        "running", everybody, chunk, chunk,
    )  # fmt: skip
    assert collection("retirees").count_documents({}) == chunk
    with time_machine.travel(clock.now() + clock.seconds(60)):
        finish_work()
        done = imports.recent(imports.actor_of(collection("imports").find_one({})))[0]
    assert (done["state"], done["processed"], done["added"], done["accepted"]) == (
        "done", everybody, everybody, everybody,
    )  # fmt: skip
    assert collection("retirees").count_documents({}) == everybody
    assert collection("audit").count_documents({"action": "retiree.added"}) == everybody


# ---- Photographs


def a_zip(files: dict[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return packed.getvalue()


def photos(client, data: bytes, headers) -> dict:
    sent = send(client, data, headers, "照片.zip", f"{V1}/retirees/photo-imports")
    assert sent.status_code == 202, sent.text
    finish_work()
    return client.get(f"{IMPORTS}/{sent.json['id']}", headers=headers).json


def test_photographs_go_to_the_person_of_the_number_and_the_others_come_back_with_the_reason(client):
    agreed_person, other, elsewhere = a_retiree(), a_retiree(), a_retiree(division=OTHER_COMMUNITY)
    agreed(agreed_person)
    headers = a_worker()
    data = a_zip(
        {
            f"照片/{agreed_person['id_number']}.jpg": actors.photo(),
            f"{other['id_number']}.JPG": actors.photo(),
            f"{elsewhere['id_number']}.jpg": actors.photo(),
            "合影.jpg": actors.photo(),
            "__MACOSX/._x.jpg": b"x",
            ".DS_Store": b"x",
        }
    )
    done = photos(client, data, headers)
    assert (done["state"], done["rows"], done["accepted"], done["rejected"]) == ("done", 4, 2, 2)
    rows = rejected_rows(client, done, headers)
    assert {row[0] for row in rows[1:]} == {f"{elsewhere['id_number']}.jpg", "合影.jpg"}
    face = {
        person["_id"]: client.get(f"{V1}/retirees/{person['_id']}/face", headers=headers).json
        for person in (agreed_person, other)
    }
    assert (face[agreed_person["_id"]]["state"], face[agreed_person["_id"]]["enrolled"]) == ("ready", True)
    assert (face[other["_id"]]["state"], face[other["_id"]]["enrolled"]) == ("ready", False), "no consent, no template"


def test_a_photograph_whose_data_is_spoilt_comes_back_and_the_rest_is_taken(client):
    first, second = a_retiree(), a_retiree()
    whole = bytearray(a_zip({f"{first['id_number']}.jpg": b"x" * 5000, f"{second['id_number']}.jpg": actors.photo()}))
    at = whole.index(f"{first['id_number']}.jpg".encode()) + len(f"{first['id_number']}.jpg")
    whole[at : at + 8] = b"\xff" * 8
    done = photos(client, bytes(whole), a_worker())
    assert (done["state"], done["accepted"], done["rejected"]) == ("done", 1, 1)


def test_a_broken_zip_is_refused_with_a_sentence(client):
    done = photos(client, b"PK\x03\x04 nonsense", a_worker())
    assert (done["state"], done["detail"]) == ("refused", "压缩包打不开，请重新压缩成 .zip 再试。")


def test_an_enterprise_imports_no_photographs(client):
    headers = a_worker("enterprise", "4301", enterprise="示范厂")
    assert send(client, a_zip({}), headers, path=f"{V1}/retirees/photo-imports").status_code == 403
