"""Separate consent to face recognition (单独同意): versioned, withdrawable, never bundled with anything else.

PIPL articles 14, 15, 29 and 30; 人脸识别技术应用安全管理办法 (in force 2025-06-01). A new version of the text asks again.
A record stays after withdrawal, to prove what was agreed when.
"""

from __future__ import annotations

from bson import ObjectId
from pymongo import IndexModel

from models import audit, clock
from models.access import Actor
from models.database import Document, Session, collection

FACE = "face"

TEXTS = {
    "2026-11": (
        "我们用人脸来确认领取养老金的是您本人。",
        "需要做什么：在手机前照几张脸部照片，按提示做两三个动作。照片和登记照片比对，机器拿不准的由社区工作人员看。",
        "保存多久：通过后照片马上删除；需要人工看的，看完就删；没通过的最多保存30天。用来比对的登记照片和脸部特征加密保存，直到您撤回同意。",
        "谁能看到：只有办理认证的社区工作人员。不给别的单位，不作别的用途。",
        "您可以不同意：不同意也不影响养老金，可以选择到窗口、请人上门或视频办理。",
        "您可以随时撤回：在“我的”里点“撤回同意”，脸部特征和照片会马上删除。",
        "谁负责：您所在的社区和街道；有疑问请打页面上的电话。",
    ),
    # passes drawn for a second look are kept for some days, and what people decided is counted
    "2026-11b": (
        "我们用人脸来确认领取养老金的是您本人。",
        "需要做什么：在手机前照几张脸部照片，按提示做两三个动作。照片和登记照片比对，机器拿不准的由社区工作人员看。",
        "保存多久：通过后照片马上删除，随机抽出的极少数由工作人员再看一遍，看完就删，最多保存7天；需要人工看的，看完就删；"
        "没通过的最多保存30天。用来比对的登记照片和脸部特征加密保存，直到您撤回同意。",
        "怎样保证系统准：人看的结果只和社区、年龄段、手机型号一起统计，不含您的照片和姓名。",
        "谁能看到：只有办理认证的社区工作人员。不给别的单位，不作别的用途。",
        "您可以不同意：不同意也不影响养老金，可以选择到窗口、请人上门或视频办理。",
        "您可以随时撤回：在“我的”里点“撤回同意”，脸部特征和照片会马上删除。",
        "谁负责：您所在的社区和街道；有疑问请打页面上的电话。",
    ),
}
CURRENT = "2026-11b"

INDEXES = {"consents": [IndexModel([("retiree_id", 1), ("kind", 1), ("given_at", -1)], name="by_retiree")]}


def given(retiree_id: ObjectId, session: Session | None = None) -> Document | None:
    """The consent in force: of the current text, and not withdrawn."""
    return collection("consents").find_one(
        {"retiree_id": retiree_id, "kind": FACE, "version": CURRENT, "withdrawn_at": None}, session=session
    )


def hold(retiree_id: ObjectId, session: Session) -> bool:
    """Whether consent is in force, held against a withdrawal at the same time: the one that commits second is run again."""
    held = collection("consents").find_one_and_update(
        {"retiree_id": retiree_id, "kind": FACE, "version": CURRENT, "withdrawn_at": None},
        {"$inc": {"used": 1}},
        session=session,
    )
    return held is not None


def give(session: Session, retiree_id: ObjectId, actor: Actor, channel: str) -> None:
    """Record consent to the current text, once; `channel` is page or paper."""
    if hold(retiree_id, session):
        return
    collection("consents").insert_one(
        {
            "retiree_id": retiree_id,
            "kind": FACE,
            "version": CURRENT,
            "channel": channel,
            "given_at": clock.now(),
            "given_by": actor.account_id,
            "withdrawn_at": None,
        },
        session=session,
    )
    audit.record(session, actor, "consent.given", ("retiree", retiree_id), after={"kind": FACE, "version": CURRENT})


def withdraw(session: Session, retiree_id: ObjectId, actor: Actor) -> None:
    """End every consent to face recognition that is in force."""
    collection("consents").update_many(
        {"retiree_id": retiree_id, "kind": FACE, "withdrawn_at": None},
        {"$set": {"withdrawn_at": clock.now(), "withdrawn_by": actor.account_id}},
        session=session,
    )
    audit.record(session, actor, "consent.withdrawn", ("retiree", retiree_id), after={"kind": FACE})
