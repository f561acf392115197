"""What protects the house from whoever works on it: each rule is checked over the whole of the code, not by example."""

from __future__ import annotations

import ast
import dataclasses
import hashlib
import importlib
import json
import re
from pathlib import Path

import pytest

import settings as settings_module
from commands import serve
from models import outbox, sms_codes
from models.built_in_templates import BUILT_IN
from settings import Settings

HOUSE = Path(settings_module.__file__).parent
OURS = ("api", "commands", "faces", "jobs", "models", "notifications", "wechat")
CHINESE = re.compile("[\u4e00-\u9fff]")

PUBLIC = {
    "POST /api/v1/auth/wechat",
    "POST /api/v1/auth/sms-codes",
    "POST /api/v1/auth/sms",
    "POST /api/v1/auth/staff",
    "POST /api/v1/auth/refresh",
    "POST /api/v1/auth/logout",
    "POST /api/v1/callbacks/sms",
    "GET /api/openapi.json",
    "GET /api/docs",
    "GET /healthz",
    "GET /readyz",
    "GET /metrics",
    "GET /",
    "GET /admin",
    "GET /admin/",
    "GET /static/<path:name>",
    "GET /favicon.ico",
    "GET /app-config.json",
    "GET /verify/<code>",
}

# Every state of the house: what moves it on, or "final"
SWEPT = {
    ("audiences", "freezing"): "outbox publish_notice",
    ("audiences", "frozen"): "final",
    ("certification_sessions", "awaiting_frames"): "housekeeping.expire_sessions",
    ("certification_sessions", "checking"): "outbox check, and jobs.check_attempt when_exhausted",
    ("certification_sessions", "in_review"): "a person; GET /certification-reviews",
    ("certification_sessions", "passed"): "final",
    ("certification_sessions", "failed"): "final",
    ("certification_sessions", "expired"): "final",
    ("certifications", "valid"): "the calendar",
    ("certifications", "due_soon"): "the calendar",
    ("certifications", "overdue"): "a person; GET /retirees?certification=overdue",
    ("certifications", "checking"): "the open certification session",
    ("certifications", "suspended"): "a person; PUT /retirees/{id}/suspension, or the next certificate",
    ("certifications", "ended"): "final",
    ("deliveries", "waiting"): "jobs/sender.py, every 5 seconds",
    ("deliveries", "sending"): "deliveries.recover, at the start of every turn of the sender",
    ("deliveries", "accepted"): "final; a provider's receipt may follow",
    ("deliveries", "delivered"): "final",
    ("deliveries", "refused"): "final, and visible: GET /deliveries?state=refused; the next channel goes on",
    ("deliveries", "failed"): "a person; GET /deliveries?state=failed",
    ("deliveries", "cancelled"): "final",
    ("deliveries", "listed"): "a person; GET /deliveries?state=listed, and housekeeping.expire_deliveries",
    ("deliveries", "reached"): "final",
    ("face_alarms", "open"): "a supervisor; GET /face-alarms, and the count of late ones on the first page",
    ("face_alarms", "closed"): "final",
    ("face_references", "pending"): "outbox enrol; the next attempt makes the template itself",
    ("face_references", "ready"): "final",
    ("face_references", "rejected"): "final",
    ("follow_ups", "open"): "a person; GET /follow-ups",
    ("follow_ups", "done"): "final",
    ("imports", "waiting"): "outbox import_roster or import_photos, and their when_exhausted",
    ("imports", "running"): "outbox import_roster or import_photos, and their when_exhausted",
    ("imports", "done"): "final",
    ("imports", "refused"): "final",
    ("message_templates", "draft"): "a person; GET /message-templates/{key}",
    ("message_templates", "active"): "final until another version is activated",
    ("message_templates", "retired"): "final",
    ("schedules", "running"): "outbox run_slot, and its when_exhausted",
    ("schedules", "done"): "final",
    ("schedules", "failed"): "final, and visible: its event is in yinling_outbox_failed",
    ("notices", "draft"): "its authors; GET /notices?state=draft",
    ("notices", "in_review"): "a second person; GET /notices?state=in_review",
    ("notices", "approved"): "a person; at its time of publication housekeeping.publish_notices",
    ("notices", "published"): "the calendar: it leaves the library after its last day",
    ("notices", "withdrawn"): "final",
    ("second_looks", "waiting"): "housekeeping.end_second_looks",
    ("second_looks", "same"): "final",
    ("second_looks", "different"): "final; a follow-up and an alarm go on from there",
    ("second_looks", "unclear"): "final",
    ("second_looks", "not_looked"): "final",
    ("outbox", "pending"): "outbox.hand_out, every second, and MAX_ATTEMPTS",
    ("outbox", "done"): "final",
    ("outbox", "failed"): "final, and visible: yinling_outbox_failed",
}

ENVIRONMENT_READERS = {"gunicorn.conf.py", "commands/serve.py", "api/health.py"}


def sources(*folders: str) -> list[tuple[str, ast.Module]]:
    files = [path for folder in folders or OURS for path in sorted((HOUSE / folder).rglob("*.py"))]
    return [(str(path.relative_to(HOUSE)), ast.parse(path.read_text())) for path in files]


def routes(application) -> dict[str, object]:
    return {
        f"{method} {rule.rule}": application.view_functions[rule.endpoint]
        for rule in application.url_map.iter_rules()
        for method in rule.methods - {"HEAD", "OPTIONS"}
    }


def text_of(node: ast.expr) -> str | None:
    """The letters of a string literal or an f-string."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(part.value for part in node.values if isinstance(part, ast.Constant))
    return None


# ---- Routes


def test_every_route_is_protected_or_in_the_list_of_public_ones(application):
    public = {name for name, view in routes(application).items() if getattr(view, "public", False)}
    assert public == PUBLIC
    unlocked = {
        name
        for name, view in routes(application).items()
        if not getattr(view, "public", False) and not getattr(view, "allowed", ())
    }
    assert unlocked == set()


def test_a_protected_route_answers_401_to_whoever_brings_no_token(application, client):
    for name in routes(application):
        if name not in PUBLIC:
            method, path = name.split(" ")
            path = re.sub(r"<objectid:\w+>", "0" * 24, path)
            path = re.sub(r"<int:\w+>", "0", path)
            reply = client.open(path, method=method)
            assert reply.status_code == 401, name
            assert reply.json["code"] == "sign_in_required", name


def test_every_operation_has_a_summary_a_success_and_errors_as_problems(client):
    document = client.get("/api/openapi.json").json
    operations = [
        (f"{method} {path}", operation)
        for path, item in document["paths"].items()
        for method, operation in item.items()
        if method in ("get", "post", "put", "patch", "delete")
    ]
    assert len(operations) > 40
    for name, operation in operations:
        assert operation.get("summary"), name
        errors = {status: answer for status, answer in operation["responses"].items() if status >= "400"}
        assert any(status < "400" for status in operation["responses"]), name
        assert {"429", "500", "503"} <= set(errors), name
        for status, answer in errors.items():
            assert list(answer["content"]) == ["application/problem+json"], (name, status)
        if f"{name.split()[0].upper()} {name.split()[1]}" not in PUBLIC:
            assert {"401", "403"} <= set(errors), name
            assert operation["security"] == [{"bearer": []}], name


def test_every_reference_inside_the_openapi_document_leads_somewhere(client):
    document = client.get("/api/openapi.json").json
    for reference in set(re.findall(r'"\$ref": "#/([^"]+)"', json.dumps(document))):
        place = document
        for step in reference.split("/"):
            place = place[step]


# ---- Background work


def test_every_queue_is_consumed_by_the_command_line_of_the_worker():
    consumed = re.findall(r" -Q (\S+)", " ".join(serve.processes().values()))
    assert sorted(",".join(consumed).split(",")) == sorted(outbox.QUEUES)


def kinds_written() -> set[str]:
    """The kinds of events that the models write; an f-string stands for each of its values."""
    kinds = set()
    for name, tree in sources("models"):
        for call in ast.walk(tree):
            if (
                isinstance(call, ast.Call)
                and isinstance(call.func, ast.Attribute)
                and call.func.attr == "add"
                and isinstance(call.func.value, ast.Name)
                and call.func.value.id == "outbox"
            ):
                kind = text_of(call.args[1])
                assert kind, f"{name}: the kind of an event is written out"
                kinds |= {"import_roster", "import_photos"} if kind == "import_" else {kind}
    return kinds


def test_every_event_that_is_written_has_a_job_and_every_job_an_event():
    import jobs  # noqa: F401 - registers them
    from jobs import registry

    assert kinds_written() == {kind for kind in registry.JOBS if not kind.startswith("test_")}


def test_every_state_has_a_sweeper_or_is_final():
    states = set()
    for path in (HOUSE / "models").glob("*.py"):
        module = importlib.import_module(f"models.{path.stem}")
        states |= {(path.stem, state) for state in getattr(module, "STATES", ())}
    assert states == set(SWEPT)


def test_every_sweeper_is_on_the_clock():
    import worker
    from jobs import housekeeping

    scheduled = {entry["args"][0] for entry in worker.app.conf.beat_schedule.values()}
    assert scheduled == set(housekeeping.TICKS)


# ---- Words


def domain_errors() -> list[tuple[str, str]]:
    """(place, sentence) of every error that models, api and jobs raise with a sentence of its own."""
    kinds = {
        "Conflict",
        "Invalid",
        "NotFound",
        "Unauthenticated",
        "Forbidden",
        "TooMany",
        "Gone",
        "Unavailable",
        "DomainError",
        "Stale",
    }
    found = []
    for name, tree in sources("models", "api", "jobs"):
        for call in ast.walk(tree):
            if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id in kinds:
                given = [*call.args[1:2], *(word.value for word in call.keywords if word.arg in ("detail", "error"))]
                found += [(f"{name}:{call.lineno}", text) for text in map(text_of, given) if text is not None]
            if isinstance(call, ast.Call) and ast.unparse(call.func).endswith("ValidationError") and call.args:
                text = text_of(call.args[0])
                if text is not None:
                    found.append((f"{name}:{call.lineno}", text))
            if isinstance(call, ast.keyword) and call.arg in ("error", "detail"):
                text = text_of(call.value)
                if text is not None and not re.fullmatch(r"[\w ]+", text):
                    found.append((f"{name}:{call.value.lineno}", text))
            if isinstance(call, ast.ClassDef) and "Error" in "".join(map(ast.unparse, call.bases)):
                found += [
                    (f"{name}:{call.name}", text_of(line.value))
                    for line in call.body
                    if isinstance(line, ast.Assign) and line.targets[0].id == "detail"
                ]
    return found


def test_every_sentence_of_an_error_is_chinese_and_ends_as_a_sentence_does():
    found = domain_errors()
    assert len(found) > 60
    for place, text in found:
        assert CHINESE.search(text), (place, text)
        assert text.endswith(("。", "！", "？")) or "{" in text, (place, text)


def words_of_the_house() -> dict[str, str]:
    import faces
    from api import problems, wording
    from jobs import check_attempt, import_photos, import_roster, roster_sheet
    from models import consents, id_numbers
    from notifications import inbox

    words = {f"REASONS {code}": reason.advice_zh for code, reason in faces.REASONS.items()}
    words |= {f"HTTP {status}": detail for status, (_, detail) in problems.HTTP_PROBLEMS.items()}
    for module, name in (
        (wording, "METHODS"),
        (wording, "HELP"),
        (wording, "WAITING"),
        (wording, "TRY_AGAIN"),
        (check_attempt, "ADVICE"),
        (id_numbers, "REFUSALS"),
        (inbox, "METHODS"),
        (roster_sheet, "SHEET_REFUSALS"),
    ):
        words |= {f"{module.__name__}.{name} {key}": text for key, text in getattr(module, name).items()}
    words |= {f"consent {version}": text for version, texts in consents.TEXTS.items() for text in texts}
    words |= {
        name: text
        for name, text in {**vars(wording), **vars(import_roster)}.items()
        if name.isupper() and isinstance(text, str)
    }
    words |= {"broken": import_photos.BROKEN[1], "too many": import_photos.TOO_MANY[1]}
    return words


def test_every_word_that_a_retiree_or_a_clerk_reads_is_chinese():
    words = words_of_the_house()
    assert len(words) > 60
    for name, text in words.items():
        assert CHINESE.search(text), (name, text)


def test_every_reason_of_the_machine_has_advice():
    import faces
    from faces import reasons

    codes = {value for name, value in vars(reasons).items() if name.isupper() and isinstance(value, str)}
    assert codes == set(faces.REASONS)


def test_every_word_of_the_houses_own_messages_is_chinese():
    for key, known in BUILT_IN.items():
        gaps = [gap.words for gap in known.placeholders]
        texts = [known.words, *gaps, *(text for text in (known.title, known.body, known.sms, known.ask) if text)]
        for text in texts:
            assert CHINESE.search(text) or re.fullmatch(r"\{\w+\}", text), (key, text)


def test_every_message_that_is_told_has_its_template():
    told = {
        value.value
        for _, tree in sources("notifications", "jobs")
        for call in ast.walk(tree)
        if isinstance(call, ast.Call) and ast.unparse(call.func).startswith("engine.tell")
        for value in ast.walk(call.args[2] if ast.unparse(call.func) == "engine.tell" else call.args[1])
        if isinstance(value, ast.Constant) and isinstance(value.value, str)
    }
    assert told
    assert told <= {key for key, known in BUILT_IN.items() if known.inbox}
    assert {sms_codes.SIGN_IN, sms_codes.BINDING} == {key for key, known in BUILT_IN.items() if not known.inbox}


def test_what_the_libraries_say_in_english_is_said_in_chinese(client):
    from tests.story import a_worker

    reply = client.post("/api/v1/retirees", json={"name": 1, "veteran": "x", "x": 1}, headers=a_worker())
    assert reply.status_code == 422
    assert len(reply.json["errors"]) > 4
    for error in reply.json["errors"]:
        assert CHINESE.search(error["detail"]), error


# ---- Files and settings


def test_env_example_names_exactly_the_settings_with_their_meanings():
    text = (HOUSE / ".env.example").read_text()
    named = re.findall(r"^#?\s?([A-Z][A-Z0-9_]*)=", text, re.MULTILINE)
    assert len(named) == len(set(named))
    assert set(named) == {variable.name for variable in dataclasses.fields(Settings)}
    for variable in dataclasses.fields(Settings):
        assert variable.metadata["meaning"] in text, variable.name


def test_only_the_settings_read_the_environment():
    readers = {
        str(path.relative_to(HOUSE))
        for path in [*HOUSE.glob("*.py"), *(path for folder in OURS for path in (HOUSE / folder).rglob("*.py"))]
        if path.name != "settings.py" and re.search(r"os\.(environ|getenv)|from os import .*environ", path.read_text())
    }
    assert readers <= ENVIRONMENT_READERS, readers - ENVIRONMENT_READERS


def test_vendored_files_are_those_that_were_pinned():
    vendor = HOUSE / "static" / "vendor"
    pinned = dict(
        reversed(line.split(maxsplit=1)) for line in (vendor / "SHA256SUMS").read_text().splitlines() if line.strip()
    )
    present = {
        f"./{path.relative_to(vendor)}": path
        for folder in vendor.iterdir()
        if folder.is_dir() and folder.name != "fetch"
        for path in folder.rglob("*")
        if path.is_file()
    }
    assert set(pinned) == set(present)
    for name, digest in pinned.items():
        assert hashlib.sha256(present[name].read_bytes()).hexdigest() == digest, name


def test_no_page_loads_anything_from_elsewhere():
    for path in (HOUSE / "static").rglob("*"):
        if path.suffix in (".html", ".js", ".css") and "vendor" not in path.parts:
            text = path.read_text()
            assert not re.search(r"""(?:src|href)=["'](?:https?:)?//""", text), path
            assert not re.search(r"""import .* from ["']https?:""", text), path
            assert not re.search(r"""url\(["']?https?:""", text), path


def test_models_know_no_http():
    for name, tree in sources("models"):
        for node in ast.walk(tree):
            modules = (
                [alias.name for alias in node.names]
                if isinstance(node, ast.Import)
                else [node.module or ""]
                if isinstance(node, ast.ImportFrom)
                else []
            )
            assert not {module.partition(".")[0] for module in modules} & {
                "flask",
                "marshmallow",
                "requests",
                "werkzeug",
            }, name


def test_nothing_naive_tells_the_time():
    for name, tree in sources():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call):
                called = ast.unparse(node.func)
                assert not called.endswith("utcnow"), (name, node.lineno)
                assert not (called.endswith("datetime.now") and not node.args), (name, node.lineno)


# ---- Personal data in logs


@pytest.mark.parametrize("level", ["INFO", "DEBUG"])
def test_the_whole_story_leaves_no_personal_data_in_any_line_of_the_log(client, level):
    from tests.log_watch import lines_of_the_story

    lines, secrets = lines_of_the_story(client, level)
    assert len(lines) > 20
    text = "\n".join(lines)
    for what, value in secrets.items():
        assert value not in text, what
