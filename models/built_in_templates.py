"""The messages of the house in its own words: version 0 of every key that it uses. An office's own versions win over them.

A placeholder that a key names is given by the house whenever it sends that message; `EVERYBODY` may stand in any message to a
retiree. `example` is a value of the right form and of usual length: what a template is checked and shown with.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from settings import settings


@dataclass(frozen=True)
class Placeholder:
    """A gap that is filled when a message is written; one that is `needed` may not be left out of the text."""

    name: str
    words: str
    example: str
    needed: bool = False


@dataclass(frozen=True)
class BuiltIn:
    """The house's own words for one key.

    `wechat` are the fields of the subscribe message, by the kinds of `wechat_fields`; empty: none is sent. `moments` are when
    the phone asks its holder for leave to send one (MOMENTS: after a certification, a registration, a payment, on the first
    page), in the words of `ask`. A text message alone (`inbox` False)
    has neither title nor body.
    """

    words: str
    title: str = ""
    body: str = ""
    link: str = ""
    wechat: dict[str, str] = field(default_factory=dict)
    sms: str | None = None
    placeholders: tuple[Placeholder, ...] = ()
    moments: tuple[str, ...] = ()
    ask: str = ""
    inbox: bool = True


MOMENTS = ("certified", "signed_up", "paid", "home")

HOUSE = (
    Placeholder("service", "服务名称", settings.SERVICE_NAME),
    Placeholder("service_phone", "服务电话", settings.SERVICE_PHONE),
)
EVERYBODY = (Placeholder("name", "姓名", "王秀英"), Placeholder("community", "社区", "银杏社区"), *HOUSE)

CERTIFIED_ON = Placeholder("certified_on", "认证日期", "2026年3月15日")
DUE_ON = Placeholder("due_on", "到期日", "2027年3月15日")
METHOD = Placeholder("method", "办理方式", "上门")
CODE = Placeholder("code", "验证码", "123456", needed=True)
MINUTES = Placeholder("minutes", "有效分钟数", "10", needed=True)

BUILT_IN = {
    "certified": BuiltIn(
        words="认证成功",
        title="认证成功",
        body="您已在{certified_on}完成养老金领取资格认证，下次请在{due_on}之前认证。",
        link="/certificates",
        wechat={"thing1": "养老金领取资格认证", "phrase2": "认证成功", "date3": "{certified_on}", "date4": "{due_on}"},
        placeholders=(CERTIFIED_ON, DUE_ON),
    ),
    "attempt_failed": BuiltIn(
        words="人脸认证没有通过，可以再试",
        title="人脸认证没有通过",
        body=(
            "刚才有一次人脸认证没有通过。可以再试一次，也可以选择窗口、上门或视频办理，不影响您领养老金。"
            "如果不是您或家人操作，请给社区打电话。"
        ),
        link="/certify",
        wechat={"thing1": "人脸认证没有通过，可以再试一次", "thing2": "窗口、上门、视频也能办"},
    ),
    "attempt_failed_locked": BuiltIn(
        words="人脸认证没有通过，改由工作人员办",
        title="人脸认证没有通过",
        body=(
            "刚才有一次人脸认证没有通过。接下来请社区工作人员帮您办：到窗口、请人上门、视频都可以，不影响您领养老金。"
            "如果不是您或家人操作，请给社区打电话。"
        ),
        link="/help",
        wechat={"thing1": "人脸认证没有通过，请人工办理", "thing2": "窗口、上门、视频都能办"},
    ),
    "help_asked": BuiltIn(
        words="收到人工办理的申请",
        title="已收到您的申请",
        body="您申请了{method}认证，社区工作人员会打电话和您联系，请保持电话畅通。",
        wechat={"thing1": "已收到您的{method}认证申请", "thing2": "工作人员会打电话联系您"},
        placeholders=(METHOD,),
    ),
    "notice": BuiltIn(
        words="通知",
        title="{title}",
        body="{summary}",
        wechat={"thing1": "{title}", "thing2": "{summary}"},
        sms="社区通知：{title}。详情请打开{service}查看，或致电{service_phone}。",
        placeholders=(
            Placeholder("title", "通知标题", "养老金调整说明"),
            Placeholder("summary", "通知的一句话说明", "下个月起养老金有调整"),
        ),
        moments=MOMENTS,
        ask="社区有新通知时告诉我",
    ),
    "certification_due": BuiltIn(
        words="该认证了",
        title="该认证了",
        body=(
            "{name}的养老金领取资格认证请在{due_on}（含当天）以前完成。可以在这里用人脸办，也可以选择窗口、上门或视频。"
            "需要帮忙请打{service_phone}。"
        ),
        link="/certify",
        wechat={
            "thing1": "养老金领取资格认证",
            "name2": "{name}",
            "date3": "{due_on}",
            "thing4": "窗口、上门、视频也能办",
        },
        sms="{name}的养老金领取资格认证请在{due_on}（含当天）以前完成。手机、窗口、上门、视频都能办，帮忙请打{service_phone}。",
        placeholders=(DUE_ON,),
        moments=("certified", "home"),
        ask="快到认证的日子时提醒我",
    ),
    "certification_overdue": BuiltIn(
        words="认证过期了",
        title="认证过期了，请尽快办",
        body=(
            "{name}的养老金领取资格认证已在{due_on}到期，请尽快办：可以在这里用人脸办，也可以选择窗口、上门或视频。"
            "社区工作人员也会联系您，需要帮忙请打{service_phone}。"
        ),
        link="/certify",
        wechat={
            "thing1": "养老金领取资格认证已到期",
            "name2": "{name}",
            "date3": "{due_on}",
            "thing4": "请尽快办，社区也会联系您",
        },
        sms="{name}的养老金领取资格认证已在{due_on}到期，请尽快办理：手机、窗口、上门、视频都可以，帮忙请打{service_phone}。",
        placeholders=(DUE_ON,),
        moments=("home",),
        ask="认证过期时提醒我",
    ),
    "sign_in_code": BuiltIn(
        words="登录验证码",
        sms="验证码{code}，{minutes}分钟内有效。任何人索要都不要告诉。",
        placeholders=(CODE, MINUTES),
        inbox=False,
    ),
    "binding_code": BuiltIn(
        words="绑定验证码",
        sms=(
            "有人申请用微信或手机为您办理“{service}”业务，验证码{code}，{minutes}分钟内有效。"
            "如果不是您或家人，请不要告诉别人。"
        ),
        placeholders=(CODE, MINUTES),
        inbox=False,
    ),
}
