"""The sentences that a retiree reads about a state: what it is, and what to do next. Short, warm, one at a time."""

from __future__ import annotations

from models import certification_sessions as sessions
from models import clock
from models.database import Document

METHODS = {
    "face": "人脸认证",
    "face_review": "人脸认证（人工核对）",
    "home_visit": "上门认证",
    "window": "窗口认证",
    "video": "视频认证",
    "data_match": "数据比对",
}

HELP = {
    "window": "已经登记。请带上身份证，到社区窗口办理，工作人员会给您打电话。",
    "home_visit": "已经登记。工作人员会打电话和您约上门的时间，请保持电话畅通。",
    "video": "已经登记。工作人员会打电话和您约视频的时间，请保持电话畅通。",
}

WAITING = {
    sessions.AWAITING_FRAMES: "请对着镜头，跟着提示做动作。",
    sessions.CHECKING: "照片收到了，正在核对，一般不到一分钟，请稍等。",
    sessions.IN_REVIEW: "照片收到了，工作人员会帮您核对，有结果会通知您，不用再照。",
}
TRY_AGAIN = {
    "expired": "这次没来得及做完，没关系，请点“再试一次”。",
    "certified_otherwise": "您已经用别的方式认证成功，不用再照。",
    "consent_withdrawn": "您撤回了同意，照片已删除；可以选择窗口、上门或视频办理。",
}
FAILED = "这次没有认出来，别着急，请照下面的提示再试一次。"
ASK_A_PERSON = "今天人脸没有认出来，别着急，请选一种人工办理方式，不影响您领养老金。"


def help_sentence(method: str) -> str:
    return HELP[method]


def session_sentence(attempt: Document, following: str, issued: Document | None) -> str:
    """The state of an attempt and the next step in one sentence."""
    if issued:
        return f"认证成功，下次请在{clock.spoken(issued['due_on'])}之前再认证一次。"
    if attempt["state"] in WAITING:
        return WAITING[attempt["state"]]
    if following == "ask_a_person":
        return ASK_A_PERSON
    for reason in attempt["reasons"]:
        if reason in TRY_AGAIN:
            return TRY_AGAIN[reason]
    return FAILED
