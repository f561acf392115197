"""`flask faces` at a shell: building the network, measuring on photographs of your own, deciding about one attempt."""

from __future__ import annotations

import csv
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import PIL.Image
import pytest
from click.testing import CliRunner

from commands import faces as commands
from faces import ACTIONS, DEFAULT_POLICY, REASONS, model_id, network
from faces.cohort import LEAST
from faces.evaluation import NORMALISED_THRESHOLDS, PLAIN_THRESHOLDS
from tests.faces import actors
from tests.story import settings_with

ROOT = Path(__file__).parents[2]
KEYS = ["pairs", "genuine", "impostor", "unusable", "eer", "thresholds", "policy"]


def run(*arguments: object):
    return CliRunner().invoke(commands.group, [str(argument) for argument in arguments])


def told(*arguments: object):
    """What a command prints with --json."""
    done = run(*arguments, "--json")
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


# ---- evaluate


@pytest.fixture(scope="module")
def photographs(tmp_path_factory):
    """Two people with three photographs each, in folders of their names, and a wall."""
    folder = tmp_path_factory.mktemp("photographs")
    for person in actors.PEOPLE:
        (folder / person).mkdir()
        (folder / person / "1.jpg").write_bytes(actors.photo(person))
        (folder / person / "2.jpg").write_bytes(actors.posed(person, yaw=6))
        (folder / person / "3.jpg").write_bytes(actors.posed(person, pitch=-5))
    (folder / "nobody").mkdir()
    (folder / "nobody" / "wall.jpg").write_bytes(actors.jpeg(np.full((480, 640, 3), 128)))
    return folder


def listed(folder, rows, name="pairs.csv", columns=("file_x", "file_y", "same")):
    path = folder / name
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([columns, *rows])
    return path


A, G = actors.PEOPLE
GENUINE = [(f"{who}/{x}.jpg", f"{who}/{y}.jpg", 1) for who in (A, G) for x, y in ((1, 2), (1, 3), (2, 3))]
IMPOSTORS = [(f"{A}/{n}.jpg", f"{G}/{n}.jpg", 0) for n in (1, 2, 3)]


def test_two_people_are_told_apart_and_every_key_is_there(photographs):
    found = told("evaluate", listed(photographs, GENUINE + IMPOSTORS))
    assert list(found) == KEYS
    assert {key: found[key] for key in KEYS[:5]} == {
        "pairs": 9,
        "genuine": 6,
        "impostor": 3,
        "unusable": 0,
        "eer": 0.0,
    }
    assert [row["threshold"] for row in found["thresholds"]] == list(PLAIN_THRESHOLDS)
    assert all(list(row) == ["threshold", "far", "frr"] for row in found["thresholds"])
    assert (found["thresholds"][0]["far"], found["thresholds"][-1]["frr"]) == (0, 0)
    fars, frrs = ([row[kind] for row in found["thresholds"]] for kind in ("far", "frr"))
    assert fars == sorted(fars)
    assert frrs == sorted(frrs, reverse=True)
    assert found["policy"] == {
        "genuine": {"pass": 1.0, "review": 0.0, "fail": 0.0},
        "impostor": {"pass": 0.0, "review": 0.0, "fail": 1.0},
    }


def test_a_photograph_that_is_missing_or_without_a_face_makes_its_pairs_unusable(photographs):
    rows = [
        *GENUINE[:1],
        (f"{A}/1.jpg", "nobody/wall.jpg", 0),
        (f"{A}/1.jpg", f"{G}/gone.jpg", 0),
        (f"{A}", f"{A}/1.jpg", 1),
    ]
    path = listed(photographs, rows)
    found = told("evaluate", path)
    assert {key: found[key] for key in KEYS[:5]} == {
        "pairs": 4,
        "genuine": 1,
        "impostor": 0,
        "unusable": 3,
        "eer": None,
    }
    assert {row["far"] for row in found["thresholds"]} == {None}
    assert found["policy"]["impostor"] == {"pass": 0.0, "review": 0.0, "fail": 0.0}
    shown = run("evaluate", path).output
    assert "4 pairs: 1 genuine, 0 impostor, 3 unusable" in shown
    assert "no_face 1" in shown
    assert "not_found 2" in shown
    assert f"network {model_id()}, policy {DEFAULT_POLICY.version}" in shown


def test_what_an_enrolment_would_refuse_is_left_out_only_where_it_is_asked_for(photographs):
    (photographs / A / "turned.jpg").write_bytes(actors.posed(A, yaw=21))
    path = listed(photographs, [(f"{A}/1.jpg", f"{A}/turned.jpg", 1)])
    assert told("evaluate", path)["unusable"] == 0
    assert told("evaluate", path, "--strict")["unusable"] == 1


def test_a_list_may_be_grouped_by_any_of_its_columns(photographs):
    rows = [*((*row, "70+") for row in GENUINE), *((*row, "60-69") for row in IMPOSTORS)]
    path = listed(photographs, rows, columns=("file_x", "file_y", "same", "age"))
    found = told("evaluate", path, "--by", "age")
    assert list(found) == [*KEYS, "by"]
    assert {name: (group["genuine"], group["impostor"]) for name, group in found["by"].items()} == {
        "60-69": (0, 3),
        "70+": (6, 0),
    }
    assert all(list(group) == KEYS for group in found["by"].values())
    assert "70+" in run("evaluate", path, "--by", "age").output
    assert "by" not in told("evaluate", path)


@pytest.mark.parametrize(
    "word, kind", [("1", 0), ("TRUE", 0), (" yes ", 0), ("是", 0), ("0", 1), ("False", 1), ("no", 1), ("否", 1)]
)
def test_same_is_written_as_people_write_it(photographs, word, kind):
    found = told("evaluate", listed(photographs, [(f"{A}/gone.jpg", f"{A}/1.jpg", word), *GENUINE[:1]]))
    assert (found["pairs"], found["unusable"]) == (2, 1)
    rates = commands._pairs(listed(photographs, [("a/1", "a/2", word)]), None)
    assert [pair.same for pair in rates] == [kind == 0]


def crowd(folder, count):
    """Photographs of `count` more people: the two, each pose under a name of its own."""
    names = []
    for number in range(count):
        name = f"stranger {number:02}/1.jpg"
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(actors.frames(actors.PEOPLE[number % 2], "neutral", 1, seed=number)[0])
        names.append(name)
    return names


@pytest.fixture(scope="module")
def many(photographs):
    return crowd(photographs, LEAST)


def test_a_cohort_of_another_list_normalises_and_the_people_of_a_pair_do_not_count(photographs, many):
    cohort = listed(photographs, [(name, f"{A}/1.jpg", 0) for name in many], "cohort.csv", ("file_x", "file_y", "same"))
    pairs = listed(photographs, GENUINE[:1] + IMPOSTORS[:1])
    found = told("evaluate", pairs, "--cohort", cohort)
    assert [row["threshold"] for row in found["thresholds"]] == list(NORMALISED_THRESHOLDS)
    assert (found["genuine"], found["impostor"]) == (1, 1)
    assert found["eer"] == 0.0
    # on another scale than the plain distances of 0 to 2
    assert found["thresholds"][-1]["far"] == 0.0


def test_the_people_of_the_list_itself_can_be_the_cohort(photographs, many):
    """43 photographs: each pair, but for its own two or three, leaves the 40 that it takes."""
    shown = run(
        "evaluate",
        listed(photographs, [GENUINE[0], *((name, f"{G}/1.jpg", 0) for name in many)]),
        "--cohort",
        "self",
    ).output
    assert "normalised by a cohort of 43 photographs" in shown
    assert "41 pairs: 1 genuine, 40 impostor, 0 unusable" in shown


def test_too_few_other_people_normalise_nothing_and_that_is_said(photographs):
    pairs = listed(photographs, GENUINE + IMPOSTORS)
    done = run("evaluate", pairs, "--json", "--cohort", "self")
    assert json.loads(done.stdout) == told("evaluate", pairs)
    assert "fewer than 40 photographs of other people: nothing is normalised" in done.stderr


@pytest.mark.parametrize(
    "content, wrong",
    [
        (b"", "no column file_x, file_y, same"),
        (b"one,two\n1,2\n", "no column file_x, file_y, same"),
        (b"file_x,file_y\na,b\n", "no column same"),
        (b"file_x,file_y,same\na/1.jpg,a/2.jpg,perhaps\n", "line 2: `same` is 1 or 0"),
        (b"file_x,file_y,same\na/1.jpg,a/2.jpg,1\na/1.jpg\n", "line 3: too few columns"),
        (b"same,file_x,file_y\n1,a/1.jpg\n", "line 2: too few columns"),
        ("file_x,file_y,same\n照片,b,是\n".encode("gb18030"), "is no CSV file in UTF-8"),
        (b"\xff\xd8\xff\xe0private words", "is no CSV file in UTF-8"),
    ],
)
def test_a_list_that_is_none_is_refused_with_one_line(tmp_path, content, wrong):
    path = tmp_path / "pairs.csv"
    path.write_bytes(content)
    done = run("evaluate", path, "--json")
    assert done.exit_code == 1
    assert done.output.startswith("Error: pairs.csv")
    assert wrong in done.output
    assert done.output.count("\n") == 1
    assert "private" not in done.output


def test_a_column_a_cohort_or_a_list_that_is_not_there_is_named(photographs):
    path = listed(photographs, GENUINE[:1])
    assert "no column age" in run("evaluate", path, "--by", "age").output
    refused = run("evaluate", path, "--cohort", photographs / "gone.csv")
    assert (refused.exit_code, refused.output.splitlines()[-1]) == (
        1,
        "Error: --cohort takes `self` or the path of a list",
    )
    nobody = listed(photographs, [("nobody/wall.jpg", "nobody/wall.jpg", 1)], "nobody.csv")
    assert "no photograph of the cohort can be used" in run("evaluate", path, "--cohort", nobody).output
    assert run("evaluate", photographs / "gone.csv").exit_code == 2


def test_a_list_of_nothing_comes_to_nothing(tmp_path):
    found = told("evaluate", listed(tmp_path, []))
    assert (found["pairs"], found["eer"]) == (0, None)
    assert run("evaluate", listed(tmp_path, [])).exit_code == 0


def test_a_list_as_excel_writes_it_is_read(photographs):
    path = photographs / "excel.csv"
    path.write_bytes(b"\xef\xbb\xbf" + "file_x,file_y,same\r\n{},{},是\r\n".format(*GENUINE[0][:2]).encode())
    assert told("evaluate", path)["genuine"] == 1


# ---- attempt


def laid_out(folder, who, asked, n=3):
    for number, action in enumerate(("neutral", *asked)):
        part = folder / f"{number}-{action}"
        part.mkdir(parents=True)
        for frame, data in enumerate(actors.frames(who, action, n, seed=number)):
            (part / f"{frame:03}.jpg").write_bytes(data)
    return folder


@pytest.fixture
def attempt(tmp_path):
    return laid_out(tmp_path / "attempt", A, ("turn_left", "nod"))


def test_an_attempt_is_decided_and_every_key_is_there(attempt, photographs):
    found = told("attempt", attempt, "--enrolled", photographs / A / "1.jpg")
    assert list(found) == ["verdict", "reasons", "actions", "match", "milliseconds"]
    assert (found["verdict"], found["reasons"]) == ("pass", [])
    assert found["actions"] == [{"action": "turn_left", "seen": True}, {"action": "nod", "seen": True}]
    assert list(found["match"]) == ["distance", "decision"]
    assert found["match"]["decision"] == "sure"
    assert 0 <= found["match"]["distance"] <= DEFAULT_POLICY.match[0].sure
    assert found["milliseconds"] > 0


def test_without_a_photograph_only_the_actions_are_judged(attempt):
    found = told("attempt", attempt)
    assert (found["verdict"], found["match"]) == ("pass", None)
    assert [action["seen"] for action in found["actions"]] == [True, True]
    shown = run("attempt", attempt).output
    assert shown.startswith("pass")
    assert "whose face this is was not judged" in shown
    assert "(9 frames, " in shown


def test_another_person_fails(attempt, photographs):
    found = told("attempt", attempt, "--enrolled", photographs / G / "1.jpg")
    assert (found["verdict"], found["reasons"]) == ("fail", ["different_person"])
    assert found["match"]["decision"] == "different"
    shown = run("attempt", attempt, "--enrolled", photographs / G / "1.jpg").output
    assert "different_person" in shown
    assert f"distance={found['match']['distance']:.3f}" in shown


def test_an_action_that_was_not_done_is_not_seen(tmp_path):
    folder = laid_out(tmp_path / "attempt", A, ("nod",))
    shutil.copytree(folder / "0-neutral", folder / "2-open_mouth")
    found = told("attempt", folder)
    assert (found["verdict"], found["reasons"]) == ("fail", ["action_not_seen"])
    assert found["actions"] == [{"action": "nod", "seen": True}, {"action": "open_mouth", "seen": False}]


def test_folders_come_in_the_order_of_their_numbers_and_other_files_are_passed_over(tmp_path):
    folder = laid_out(tmp_path / "attempt", A, ("nod", "turn_left"))
    (folder / "2-turn_left").rename(folder / "10-turn_left")
    (folder / "0-neutral" / "Thumbs.db").write_bytes(b"private words")
    (folder / "README.txt").write_text("a note")
    assert [seen["action"] for seen in told("attempt", folder)["actions"]] == ["nod", "turn_left"]


@pytest.mark.parametrize("name", ["1-dance", "1-", "turn_left", "1-neutral-2"])
def test_a_folder_that_is_no_action_is_refused_with_one_line(tmp_path, name):
    folder = laid_out(tmp_path / "attempt", A, (), 1)
    shutil.copytree(folder / "0-neutral", folder / name)
    done = run("attempt", folder, "--json")
    assert (done.exit_code, done.output) == (1, f"Error: the folders must be named by actions: {', '.join(ACTIONS)}\n")


def test_a_folder_without_pictures_is_refused_with_one_line(tmp_path):
    (tmp_path / "0-neutral").mkdir()
    (tmp_path / "1-nod").mkdir()
    for done in (run("attempt", tmp_path), run("attempt", tmp_path / "0-neutral", "--json")):
        assert (done.exit_code, done.output) == (
            1,
            "Error: there are no pictures in folders such as 0-neutral/ and 1-turn_left/\n",
        )


def test_an_action_without_pictures_and_pictures_that_are_none_fail_by_name(tmp_path, attempt):
    for path in (attempt / "2-nod").iterdir():
        path.unlink()
    assert told("attempt", attempt)["reasons"] == ["wrong_frames"]
    broken = laid_out(tmp_path / "broken", A, (), 1)
    (broken / "0-neutral" / "000.jpg").write_bytes(b"private words")
    found = told("attempt", broken)
    assert (found["verdict"], found["reasons"], found["actions"]) == ("fail", ["not_an_image"], [])
    assert set(found["reasons"]) <= set(REASONS)


def test_a_photograph_that_cannot_be_enrolled_is_named_with_the_reason(attempt, photographs):
    done = run("attempt", attempt, "--enrolled", photographs / "nobody" / "wall.jpg")
    assert (done.exit_code, done.output) == (1, "Error: wall.jpg cannot be used: no_face\n")
    assert run("attempt", attempt, "--enrolled", photographs / "gone.jpg").exit_code == 2


# ---- build-model, and all of it without a database


def test_the_model_is_built_once_and_again_only_on_demand(tmp_path):
    with settings_with(DATA_DIR=tmp_path):
        path = network.graph_file()
        assert run("build-model").output.startswith(f"{path}: largest difference from dlib ")
        assert run("build-model").output == f"{path} is there already\n"
        assert "largest difference" in run("build-model", "--again").output


def test_a_network_that_is_none_or_is_not_there_is_refused_with_one_line(tmp_path):
    for name, data in (("words.dat", b"private words"), ("gone.dat", None)):
        given = tmp_path / name
        if data:
            given.write_bytes(data)
        with settings_with(DATA_DIR=tmp_path, FACE_RECOGNITION_MODEL=str(given)):
            done = run("build-model")
        assert done.exit_code == 1
        assert done.output.startswith("Error: ")
        assert name in done.output
        assert done.output.count("\n") == 1
        assert "private" not in done.output


def flask(data, *arguments, **environment):
    """The command as an operator types it, on a machine where nothing was ever started."""
    ours = {name: value for name, value in os.environ.items() if name not in ("MONGODB_URI", "MONGODB_DATABASE")}
    return subprocess.run(
        [str(Path(sys.executable).with_name("flask")), "--app", "wsgi", "faces", *map(str, arguments)],
        env=ours | {"DATA_DIR": str(data)} | environment,
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


def test_everything_works_on_a_machine_without_a_database(tmp_path, photographs, attempt):
    data = tmp_path / "data"
    built = flask(data, "build-model")
    assert built.returncode == 0, built.stderr
    assert "largest difference from dlib" in built.stdout
    assert "is there already" in flask(data, "build-model").stdout

    evaluated = flask(data, "evaluate", listed(photographs, GENUINE[:1] + IMPOSTORS[:1]), "--json")
    assert evaluated.returncode == 0, evaluated.stderr
    assert json.loads(evaluated.stdout)["eer"] == 0.0

    decided = flask(data, "attempt", attempt, "--enrolled", photographs / A / "1.jpg", "--json")
    assert decided.returncode == 0, decided.stderr
    assert json.loads(decided.stdout)["verdict"] == "pass"
    assert sorted(path.name for path in data.iterdir()) == ["models"]


def test_on_a_new_machine_the_first_command_builds_the_network_itself(tmp_path, photographs):
    evaluated = flask(tmp_path / "data", "evaluate", listed(photographs, GENUINE[:1]), "--json")
    assert evaluated.returncode == 0, evaluated.stderr
    assert json.loads(evaluated.stdout)["genuine"] == 1


def test_another_network_is_measured_by_the_same_command(tmp_path, photographs):
    mine = tmp_path / "mine.dat"
    shutil.copy(network.network_file(), mine)
    shown = flask(tmp_path, "evaluate", listed(photographs, GENUINE[:1]), FACE_RECOGNITION_MODEL=str(mine))
    assert shown.returncode == 0, shown.stderr
    assert "network mine@" in shown.stdout
    # nobody measured thresholds for a network of this name
    assert [line.split() for line in shown.stdout.splitlines() if line.startswith("genuine")] == [
        ["genuine", "0.00%", "100.00%", "0.00%"]
    ]


def test_a_photograph_on_its_side_is_read_upright(photographs):
    image = PIL.Image.fromarray(actors.pixels(actors.photo(A))).transpose(PIL.Image.Transpose.ROTATE_90)
    exif = PIL.Image.Exif()
    exif[0x0112] = 6
    image.save(photographs / A / "turned over.jpg", exif=exif)
    assert told("evaluate", listed(photographs, [(f"{A}/1.jpg", f"{A}/turned over.jpg", 1)]))["unusable"] == 0
