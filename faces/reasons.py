"""Why a check or an enrolment did not simply succeed: one name for each reason, one sentence of advice for the person.

The names are the contract with whoever stores or counts them; the sentences are for a retiree of 80 and say what to do,
never what the machine thought.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True)
class Reason:
    """A named reason and the sentence (Simplified Chinese) that tells the person what to do next."""

    code: str
    advice_zh: str


# The file itself
IMAGE_TOO_LARGE = "image_too_large"
NOT_AN_IMAGE = "not_an_image"
TOO_MANY_PIXELS = "too_many_pixels"
IMAGE_BROKEN = "image_broken"

# The picture of the face
NO_FACE = "no_face"
SEVERAL_FACES = "several_faces"
FACE_TOO_SMALL = "face_too_small"
TOO_DARK = "too_dark"
TOO_BRIGHT = "too_bright"
BLURRED = "blurred"
TURNED_AWAY = "turned_away"
EYES_COVERED = "eyes_covered"

# The attempt
WRONG_FRAMES = "wrong_frames"
NEUTRAL_MISSING = "neutral_missing"
NOTHING_MOVED = "nothing_moved"
ACTION_NOT_SEEN = "action_not_seen"
DIFFERENT_PEOPLE = "different_people"
NO_ACTIONS_ASKED = "no_actions_asked"

# The match
DIFFERENT_PERSON = "different_person"
MATCH_DOUBTFUL = "match_doubtful"
NOT_ENROLLED = "not_enrolled"
MODEL_CHANGED = "model_changed"

# What a picture of a picture looks like
FLAT_FACE = "flat_face"
SCREEN_SUSPECTED = "screen_suspected"
PRESENTATION_ATTACK = "presentation_attack"
ANTISPOOF_UNAVAILABLE = "antispoof_unavailable"
SAME_PEOPLE_DOUBTFUL = "same_people_doubtful"

_ADVICE = {
    IMAGE_TOO_LARGE: "照片太大了，请用手机直接拍一张再试。",
    NOT_AN_IMAGE: "这个文件不是照片，请重新拍一张。",
    TOO_MANY_PIXELS: "照片尺寸太大了，请用手机直接拍一张再试。",
    IMAGE_BROKEN: "照片没有传完整，请到信号好的地方再拍一次。",
    NO_FACE: "没有看到您的脸，请把脸对准圆框再试。",
    SEVERAL_FACES: "画面里不止一个人，请您一个人对着镜头再试。",
    FACE_TOO_SMALL: "离得有点远，请把手机拿近一些再试。",
    TOO_DARK: "光线太暗了，请到窗边或开灯再试。",
    TOO_BRIGHT: "光线太亮了，请背对强光或换个地方再试。",
    BLURRED: "画面有点模糊，请擦擦镜头、拿稳手机再试。",
    TURNED_AWAY: "请把脸正对着手机，眼睛看镜头再试。",
    EYES_COVERED: "看不清眼睛，请摘下墨镜、拨开头发再试。",
    WRONG_FRAMES: "刚才的画面没有传对，请重新做一次。",
    NEUTRAL_MISSING: "请先正对镜头停两秒钟，再跟着提示做动作。",
    NOTHING_MOVED: "没有看到您动，请本人对着镜头，跟着提示慢慢做。",
    ACTION_NOT_SEEN: "有个动作没看清，请跟着提示慢慢做，幅度大一点。",
    DIFFERENT_PEOPLE: "中途好像换了人，请您一个人从头到尾做完。",
    NO_ACTIONS_ASKED: "您不用做动作，工作人员会帮您核对，请放心等通知。",
    DIFFERENT_PERSON: "和预留的照片对不上，请本人再试一次，或请社区工作人员帮忙。",
    MATCH_DOUBTFUL: "和预留的照片不太像，工作人员会帮您核对，请放心等通知。",
    NOT_ENROLLED: "您还没有预留照片，工作人员会帮您核对，请放心等通知。",
    MODEL_CHANGED: "系统升级了，工作人员会帮您核对一次，请放心等通知。",
    FLAT_FACE: "工作人员会帮您再核对一下，请放心等通知。",
    SCREEN_SUSPECTED: "画面不够清楚，工作人员会帮您再核对一下，请放心等通知。",
    PRESENTATION_ATTACK: "请您本人对着镜头做，不要用照片或视频。做不了可以请社区工作人员帮忙。",
    ANTISPOOF_UNAVAILABLE: "机器这会儿没能看清，工作人员会帮您核对，请放心等通知。",
    SAME_PEOPLE_DOUBTFUL: "有几个画面没看清，工作人员会帮您再核对一下，请放心等通知。",
}

REASONS: MappingProxyType[str, Reason] = MappingProxyType({code: Reason(code, text) for code, text in _ADVICE.items()})
