"""What the sandbox lets the fields of a subscribe message hold: WeChat's own table, read a second time.

The house checks its templates by `models/wechat_fields.py`. The sandbox stands for another company, so it does not ask that
module: what the one lets through and the other refuses is an error that a test should see. Where WeChat's table leaves room,
the house is the stricter of the two.

Source: developers.weixin.qq.com, 小程序 服务端 发送订阅消息, 订阅消息参数值内容限制说明.
"""

from __future__ import annotations

import re

_HAN = "\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_CLOCK = r"(?:[01]?\d|2[0-3]):[0-5]\d(?::[0-5]\d)?"
_MARK = "[-/.]"
_DAY = (
    rf"(?:\d{{4}}年(?:\d{{1,2}}月(?:\d{{1,2}}日)?)?|\d{{1,2}}月\d{{1,2}}日"
    rf"|\d{{4}}{_MARK}\d{{1,2}}(?:{_MARK}\d{{1,2}})?|\d{{1,2}}{_MARK}\d{{1,2}})"
)


def _span(one: str) -> str:
    return rf"{one}(?: ?~ ?{one})?"


FORMS = {
    kind: re.compile(form)
    for kind, form in {
        "thing": r".{1,20}",
        "number": r"(?=.{1,32}$)[-+]?\d+(?:\.\d+)?",
        "letter": r"[A-Za-z]{1,32}",
        "symbol": rf"[^\sA-Za-z0-9{_HAN}]{{1,5}}",
        "character_string": rf"[^{_HAN}]{{1,32}}",
        "time": _span(rf"(?:{_DAY} ?)?{_CLOCK}"),
        "date": _span(rf"{_DAY}(?: ?{_CLOCK})?"),
        "amount": r"[¥￥$€£]?\d{1,10}(?:\.\d+)?元?",
        "phone_number": r"[^A-Za-z\u4e00-\u9fff]{1,17}",
        "car_number": rf"(?=.{{1,8}}$)[{_HAN}A-Za-z0-9][A-Za-z0-9]*[{_HAN}]?",
        "name": rf"[^0-9{_HAN}]{{1,20}}|[^0-9]{{1,10}}",
        "phrase": rf"[{_HAN}]{{1,5}}",
        "const": r".{1,20}",
        "enum": r".{1,20}",
        "enum_string": r".{1,20}",
    }.items()
}

_NAME = re.compile(r"([a-z_]+?)\d{1,3}")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


def fits(name: str, value: str) -> bool:
    """Whether the field of that name (`thing1`) may hold the value. None holds a line break or another control character."""
    named = _NAME.fullmatch(name)
    form = FORMS.get(named[1]) if named else None
    return bool(form and not _CONTROL.search(value) and form.fullmatch(value))
