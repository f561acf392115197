"""Rules are data with dates: what a law or a city sets, from when to when, where, and by which paper.

`rule(key, on, division)` answers with the record in force on that day: the one of the longest division prefix, then the
latest. The defaults below come from the national rules; a city's own records lie in the collection `rules` and win over
them. A case keeps the record that decided it, so last year's case is explained by last year's rule.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from pymongo import ASCENDING, IndexModel

from models.database import Document, collection

BEGINNING = "1949-10-01"

INDEXES = {
    "rules": [
        IndexModel(
            [("key", ASCENDING), ("division", ASCENDING), ("valid_from", ASCENDING)], name="one_a_day", unique=True
        )
    ]
}


@dataclass(frozen=True)
class Rule:
    """One dated record. Days are `YYYY-MM-DD`, both inclusive; `valid_to` None is still in force; division "" is everywhere."""

    key: str
    value: Any
    source: str
    valid_from: str = BEGINNING
    valid_to: str | None = None
    division: str = ""

    def as_document(self) -> Document:
        return {
            "key": self.key,
            "value": self.value,
            "source": self.source,
            "valid_from": self.valid_from,
            "division": self.division,
        }


DEFAULTS = (
    Rule("certification_cycle_months", 12, "人社厅发〔2018〕107号：两次认证间隔不超过12个月", "2018-05-01"),
    Rule("certification_due_mode", "day", "民法典第200至202条：对应日届满；没有对应日的，为月末日", "2021-01-01"),
    Rule("certification_due_soon_days", 90, "各地通行的三个月提醒期"),
    Rule(
        "certification_reminder_days",
        (90, 60, 30, 7, 1, 0, -7, -30),
        "银龄通：到期前（负数为到期后）几天提醒认证，各地可改",
    ),
    Rule("certification_reminder_important_days", 30, "银龄通：到期前几天起的认证提醒算重要，没看会再发短信"),
    Rule("certification_session_seconds", 180, "银龄通：一次人脸认证的时限"),
    Rule("certification_sessions_per_day", 10, "银龄通：每人每天可开始的人脸认证次数"),
    Rule("certification_failures_in_row", 3, "银龄通：连续未通过后改由工作人员办理"),
    Rule("certification_sessions_per_day_account", 60, "银龄通：一个账号每天可开始的人脸认证次数，够一人帮15位邻居"),
    Rule("certification_sessions_per_day_device", 200, "银龄通：一部设备每天可开始的人脸认证次数，够街道大厅一天所用"),
    Rule("face_suspicious_days", 30, "银龄通：一个人的可疑失败计多少天"),
    Rule("face_suspicious_most", 3, "银龄通：一个人可疑失败几次后先由工作人员看"),
    Rule("face_suspicious_people", 2, "银龄通：同一账号或设备对几个人可疑失败时提醒，一天之内则暂停"),
    Rule("face_suspicious_week", 5, "银龄通：同一账号或设备7天内可疑失败几次后暂停"),
    Rule("face_suspicious_passes", 4, "银龄通：每有一人可疑失败，另有几人通过则不暂停"),
    Rule("face_lock_hours", 24, "银龄通：账号或设备暂停人脸认证的小时数"),
    Rule("face_alarm_days", 3, "银龄通：异常提醒几天没有办结算久等"),
    Rule("face_alarm_keep_days", 730, "银龄通：异常提醒办结后保留两年，供复查"),
    Rule("frames_keep_failed_days", 30, "人脸识别技术应用安全管理办法：保存不超过必需的最短时间", "2025-06-01"),
    # one yearly cycle and a month: a film that served last year must not serve this year
    Rule("fingerprints_keep_days", 400, "人脸识别技术应用安全管理办法：保存不超过必需的最短时间", "2025-06-01"),
    Rule("second_look_per_mille", 20, "银龄通：自动通过的人脸认证每千次随机抽查的次数"),
    Rule("second_look_days", 7, "银龄通：抽查照片最多保留的天数，同意书写明"),
    Rule("labels_link_days", 180, "银龄通：审核结果可以查回到某次认证的天数"),
    Rule("face_cohort_size", 400, "银龄通：作对照的已登记人数，两两相比约8万对"),
    Rule("face_cohort_least_people", 200, "银龄通：已登记不足这么多人时不作对照，按更严的标准比对"),
    Rule("face_cohort_least_pairs", 50, "银龄通：同一人的照片不足这么多对时不作对照，看不出有没有好处"),
    Rule("quiet_hours_start", 21, "银龄通：晚上几点起不发微信和短信，紧急通知除外"),
    Rule("quiet_hours_end", 8, "银龄通：早上几点起再发"),
    Rule("messages_per_day", 3, "银龄通：每人每天最多发几条微信和短信，紧急通知除外"),
    Rule("fallback_hours_wechat_to_sms", 24, "银龄通：重要通知发了微信几小时没有看，再发短信"),
    Rule("fallback_hours_sms_to_call", 48, "银龄通：重要通知发了短信几小时没有看，列入电话或上门名单"),
    Rule("unread_important_days", 7, "银龄通：重要通知发布几天后还没有看的，请社区逐一告知"),
    Rule("fallback_hours_emergency", 2, "银龄通：紧急通知发出几小时没有看，列入电话或上门名单"),
    Rule("faces_warning", 90_000, "银龄通：存储人脸信息的人数接近备案线时提醒", "2025-06-01"),
    Rule("faces_filing", 100_000, "人脸识别技术应用安全管理办法：达到10万人起30个工作日内备案", "2025-06-01"),
)


def in_force(key: str, on: dt.date) -> list[Rule]:
    """Every record of a key that is in force on a day anywhere, cities' own before the defaults."""
    day = on.isoformat()
    city = [
        Rule(key, row["value"], row["source"], row["valid_from"], row.get("valid_to"), row.get("division") or "")
        for row in collection("rules").find({"key": key})
    ]
    return [
        record
        for record in (*city, *DEFAULTS)
        if record.key == key and record.valid_from <= day <= (record.valid_to or day)
    ]


def rule(key: str, on: dt.date, division: str = "") -> Rule:
    """The record in force on a day at a place.

    Raises:
        LookupError: no record covers that day; a rule that is asked for must exist.
    """
    found = nearest(in_force(key, on), division)
    if found is None:
        raise LookupError(f"no rule {key} is in force on {on}")
    return found


def nearest(records: Iterable[Rule], division: str) -> Rule | None:
    """Of the records of one key that are in force, the one that a place goes by."""
    here = [record for record in records if division.startswith(record.division)]
    # max() keeps the first of equals, so a city's record wins over a default of the same day
    return max(here, key=lambda record: (len(record.division), record.valid_from), default=None)


def number(key: str, on: dt.date, division: str = "") -> int:
    """The value of a rule that is a whole number."""
    return int(rule(key, on, division).value)
