"""Certification: its state, its history, attempts by face, certificates by a worker's hand, asking for a person."""

from __future__ import annotations

import datetime as dt

import marshmallow as ma
from bson import ObjectId
from flask import request

from api.identity import allow, current
from api.problems import problems
from api.resource import Day, Id, Instant, Resource, Schema, Text, choice, idempotent, versioned
from api.retirees import CARE_READERS, EVERYONE, CertificationState
from api.uploads import image_bytes
from api.wording import METHODS, help_sentence, session_sentence
from models import by_hand, certifications, face_limits, follow_ups, people
from models import certification_sessions as sessions
from models.access import FAMILY, OFFICE, RETIREE
from models.database import Document
from models.errors import Invalid

blueprint = Resource("certification", __name__, description="养老保险待遇领取资格认证")

PEOPLE_OF_THE_PERSON = (RETIREE, FAMILY)
RESIDENCE_KINDS = people.RESIDENCE_KINDS
PARTS_LIMIT = (1 + max(sessions.ACTIONS_DRAWN)) * sessions.MOST_FRAMES_PER_ACTION


class HelpSchema(Schema):
    id = Id()
    method = ma.fields.String()
    created_at = Instant()
    message = ma.fields.String()


class StatusSchema(CertificationState):
    open_session = Id(allow_none=True, metadata={"description": "the attempt that is being looked at"})
    wants_a_person = ma.fields.Boolean(
        metadata={"description": "three failures in a row today, or the face is locked: a person is offered"}
    )
    face_locked = ma.fields.Boolean(metadata={"description": "attempts by face wait for somebody of the office"})
    can_do_actions = ma.fields.Boolean(metadata={"description": "no note on the person forbids to ask for actions"})
    help = ma.fields.Nested(HelpSchema, allow_none=True)


class Residence(Schema):
    kind = ma.fields.String(required=True, validate=choice(RESIDENCE_KINDS))
    place = Text(100, load_default="")


class Certificate(Schema):
    id = Id()
    number = ma.fields.String()
    code = ma.fields.String(metadata={"description": "for /verify/{code}"})
    method = ma.fields.String()
    method_name = ma.fields.String()
    certified_on = Day()
    due_on = Day()
    residence = ma.fields.Nested(Residence, allow_none=True)
    note = ma.fields.String()


class NewCertificate(Schema):
    method = ma.fields.String(required=True, validate=choice(certifications.BY_STAFF))
    certified_on = Day(required=True)
    note = Text(500, load_default="")


class SessionRequest(Schema):
    consent = ma.fields.Boolean(required=True)
    can_do_actions = ma.fields.Boolean(
        load_default=True, metadata={"description": "false: “我做不了动作”, a person decides"}
    )
    residence = ma.fields.Nested(Residence, load_default=None, allow_none=True)


class SessionSchema(Schema):
    id = Id()
    state = ma.fields.String(metadata={"description": " | ".join(sessions.STATES)})
    actions = ma.fields.List(ma.fields.String())
    frames_per_action = ma.fields.Integer()
    expires_at = Instant()
    reasons = ma.fields.List(ma.fields.String())
    advice = ma.fields.List(ma.fields.String(), metadata={"description": "one Chinese sentence for each reason"})
    message = ma.fields.String(metadata={"description": "state and next step in one sentence"})
    next = ma.fields.String(metadata={"description": "send_frames | wait | done | try_again | ask_a_person"})
    can_be_reviewed = ma.fields.Boolean(metadata={"description": "a person may be asked to look at these frames"})
    certificate = ma.fields.Nested(Certificate, allow_none=True)


class HelpRequest(Schema):
    method = ma.fields.String(required=True, validate=choice(follow_ups.METHODS))
    note = Text(200, load_default="")


class SuspensionNote(Schema):
    suspended_on = Day(required=True, allow_none=True)


@blueprint.get("/retirees/<objectid:retiree_id>/certification")
@blueprint.response(200, StatusSchema)
@problems(404, "retiree_not_found")
@allow(*EVERYONE)
def status(retiree_id: ObjectId) -> Document:
    """Whether the certification is valid, due or overdue, and until when."""
    actor = current()
    person = people.get(retiree_id, actor)
    asked = follow_ups.open_for(retiree_id, actor)
    return {
        **certifications.facts(person),
        "open_session": person["certification"].get("checking"),
        "wants_a_person": sessions.wants_a_person(person),
        "face_locked": face_limits.locked(person),
        "can_do_actions": not person.get("liveness_note"),
        "help": {**asked, "id": asked["_id"], "message": help_sentence(asked["method"])} if asked else None,
    }


@blueprint.get("/retirees/<objectid:retiree_id>/certifications")
@blueprint.response(200, Certificate(many=True))
@problems(404, "retiree_not_found")
@allow(*EVERYONE)
def history(retiree_id: ObjectId) -> list[Document]:
    """Every certificate of a person, newest first."""
    rows = [certificate(row) for row in certifications.history(retiree_id, current())]
    if current().role not in CARE_READERS:
        # what a worker noted at home, and where somebody lives, helps only whoever helps the person
        rows = [{**row, "note": "", "residence": None} for row in rows]
    return rows


@blueprint.post("/retirees/<objectid:retiree_id>/certifications")
@blueprint.arguments(NewCertificate)
@blueprint.response(201, Certificate)
@problems(404, "retiree_not_found")
@problems(409, "deceased")
@problems(422, "in_the_future", "too_long_ago")
@allow(*OFFICE)
@idempotent
def record(body: Document, retiree_id: ObjectId) -> Document:
    """A worker certifies somebody seen at home, at the window or by video, or known from a data match."""
    day = dt.date.fromisoformat(body["certified_on"])
    return certificate(by_hand.record(retiree_id, body["method"], day, body["note"], current()))


@blueprint.put("/retirees/<objectid:retiree_id>/suspension")
@blueprint.arguments(SuspensionNote)
@blueprint.response(204)
@problems(404, "retiree_not_found")
@allow(*OFFICE)
@versioned
def note_suspension(body: Document, retiree_id: ObjectId, version: int) -> None:
    """Note what the pension office decided: suspended from a day on, or resumed (null). The platform never decides it."""
    day = dt.date.fromisoformat(body["suspended_on"]) if body["suspended_on"] else None
    certifications.suspend(retiree_id, day, version, current())


@blueprint.post("/retirees/<objectid:retiree_id>/certification-help")
@blueprint.arguments(HelpRequest)
@blueprint.response(201, HelpSchema)
@problems(404, "retiree_not_found")
@allow(*PEOPLE_OF_THE_PERSON, *OFFICE)
@idempotent
def ask_for_help(body: Document, retiree_id: ObjectId) -> Document:
    """Ask for a person instead of the machine: at the window, at home or by video."""
    row = follow_ups.ask_for_help(retiree_id, body["method"], body["note"], current())
    return {
        "id": row["_id"],
        "method": row["method"],
        "created_at": row["created_at"],
        "message": help_sentence(row["method"]),
    }


@blueprint.post("/retirees/<objectid:retiree_id>/certification-sessions")
@blueprint.arguments(SessionRequest)
@blueprint.response(201, SessionSchema)
@problems(404, "retiree_not_found")
@blueprint.doc(
    parameters=[
        {
            "in": "header",
            "name": "X-Device-Id",
            "required": False,
            "description": "A random name that the phone made up for itself, 16 to 64 letters, digits, hyphens; else none",
            "schema": {"type": "string"},
        }
    ]
)
@problems(409, "consent_required", "session_open", "being_checked", "face_locked", "ask_a_person", "not_entitled")
@problems(429, "too_many_sessions", "face_paused")
@allow(*PEOPLE_OF_THE_PERSON)
@idempotent
def start(body: Document, retiree_id: ObjectId) -> Document:
    """Open an attempt: the server draws the actions, the phone has a few minutes to send the frames."""
    browser, device_id = request.user_agent.string, request.headers.get("X-Device-Id")
    attempt = sessions.start(retiree_id, current(), device=browser, device_id=device_id, **body)
    return described(attempt)


@blueprint.post("/certification-sessions/<objectid:session_id>/frames")
@blueprint.doc(
    requestBody={
        "required": True,
        "description": "Parts named `neutral` and after each action, in the order that was drawn; several images each",
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["neutral"],
                    "properties": {
                        "neutral": {"type": "array", "minItems": 1, "items": {"type": "string", "format": "binary"}}
                    },
                    "additionalProperties": {"type": "array", "items": {"type": "string", "format": "binary"}},
                }
            }
        },
    }
)
@blueprint.response(202, SessionSchema)
@problems(400, "bad_request")
@problems(404, "session_not_found")
@problems(409, "already_sent", "other_phone")
@problems(410, "session_expired")
@problems(413, "too_large")
@problems(415, "unsupported_media_type")
@problems(422, "frames_missing", "frames_out_of_order", "too_many_frames", "not_an_image", "image_too_large")
@allow(*PEOPLE_OF_THE_PERSON)
@idempotent
def send_frames(session_id: ObjectId) -> Document:
    """Send the frames; the worker checks them, the reply comes at once."""
    sessions.get(session_id, current())
    if request.mimetype != "multipart/form-data" or not request.files:
        raise Invalid("frames_missing", "没有收到照片，请重新照一遍。", pointer="/frames")
    parts = list(request.files.items(multi=True))
    if len(parts) > PARTS_LIMIT:
        raise Invalid("too_many_frames", "照片太多了，请重新照一遍。", pointer="/frames")
    frames = [(name, image_bytes(part, f"/{name}")) for name, part in parts]
    return described(sessions.receive(session_id, frames, current()))


@blueprint.get("/certification-sessions/<objectid:session_id>")
@blueprint.response(200, SessionSchema)
@problems(404, "session_not_found")
@allow(*PEOPLE_OF_THE_PERSON, *OFFICE)
def get_session(session_id: ObjectId) -> Document:
    """What became of an attempt, in a state and in one sentence."""
    return described(sessions.get(session_id, current()))


@blueprint.post("/certification-sessions/<objectid:session_id>/review")
@blueprint.response(200, SessionSchema)
@problems(404, "session_not_found")
@problems(409, "no_review", "session_open")
@allow(*PEOPLE_OF_THE_PERSON)
def ask_for_review(session_id: ObjectId) -> Document:
    """The machine refused: ask a person to look at the same frames."""
    return described(sessions.ask_for_review(session_id, current()))


def described(attempt: Document) -> Document:
    """An attempt as its retiree sees it: never the figures, which would help to cheat."""
    person = people.get(attempt["retiree_id"], current())
    issued = certifications.of_session(attempt["_id"]) if attempt["state"] == sessions.PASSED else None
    again = "ask_a_person" if sessions.wants_a_person(person) else "try_again"
    following = {
        sessions.AWAITING_FRAMES: "send_frames",
        sessions.CHECKING: "wait",
        sessions.IN_REVIEW: "wait",
        sessions.PASSED: "done",
    }.get(attempt["state"], again)
    return {
        "id": attempt["_id"],
        "state": attempt["state"],
        "actions": attempt["actions"],
        "frames_per_action": sessions.FRAMES_PER_ACTION,
        "expires_at": attempt["expires_at"],
        "reasons": attempt["reasons"],
        "advice": attempt.get("advice", []),
        "message": face_limits.LOCKED
        if following == "ask_a_person" and face_limits.locked(person)
        else session_sentence(attempt, following, issued),
        "next": following,
        "can_be_reviewed": sessions.can_be_reviewed(attempt),
        "certificate": certificate(issued) if issued else None,
    }


def certificate(row: Document) -> Document:
    """A certificate as its retiree and the community see it."""
    return {**row, "id": row["_id"], "method_name": METHODS[row["method"]]}
