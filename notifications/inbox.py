"""Messages in the inbox: which event says what. One message a cause, however often the event is delivered."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bson import ObjectId

from models import clock, messages
from models.database import Session

METHODS = {"window": "窗口", "home_visit": "上门", "video": "视频"}


def certified(session: Session, certificate: Mapping[str, Any]) -> None:
    """A certificate was issued."""
    due = clock.spoken(certificate["due_on"])
    messages.put(
        session,
        certificate["retiree_id"],
        "certified",
        str(certificate["_id"]),
        "认证成功",
        f"您已在{clock.spoken(certificate['certified_on'])}完成养老金领取资格认证，下次请在{due}之前认证。",
        "/certificates",
    )


def attempt_failed(session: Session, attempt: Mapping[str, Any]) -> None:
    """An attempt by face failed; the person may not have made it himself."""
    messages.put(
        session,
        attempt["retiree_id"],
        "attempt_failed",
        str(attempt["_id"]),
        "人脸认证没有通过",
        "刚才有一次人脸认证没有通过。可以再试一次，也可以选择窗口、上门或视频办理，不影响您领养老金。如果不是您或家人操作，请给社区打电话。",
        "/certify",
    )


def help_asked(session: Session, retiree_id: ObjectId, method: str, cause: str) -> None:
    """A person was asked for."""
    messages.put(
        session,
        retiree_id,
        "help_asked",
        cause,
        "已收到您的申请",
        f"您申请了{METHODS[method]}认证，社区工作人员会打电话和您联系，请保持电话畅通。",
        "",
    )
