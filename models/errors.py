"""What the domain refuses, and the sentence that it says to the person who asked.

`code` is a stable English token that clients switch on. `detail` is one plain Chinese sentence that says what to do next.
The kinds map to HTTP in `api/problems.py`; nothing here knows of HTTP.
"""

from __future__ import annotations


class DomainError(Exception):
    """A request that the rules refuse. Subclasses are the kinds; instances carry the reason."""

    code = "refused"
    detail = "现在不能办理，请稍后再试，或给社区打电话。"

    def __init__(self, code: str | None = None, detail: str | None = None, **extra: object) -> None:
        self.code = code or self.code
        self.detail = detail or self.detail
        self.extra = extra
        super().__init__(self.code)


class NotFound(DomainError):
    """There is no such thing, or it is not this actor's to see: the two are told apart by nobody."""

    code = "not_found"
    detail = "没有找到您要的内容，请返回上一页再试。"


class Conflict(DomainError):
    """The state of things does not allow it now."""

    code = "conflict"


class Invalid(DomainError):
    """The request can be read but not accepted. `pointer` names the field."""

    code = "invalid"
    detail = "填写的内容有误，请检查后再试。"

    def __init__(self, code: str | None = None, detail: str | None = None, pointer: str = "", **extra: object) -> None:
        super().__init__(code, detail, **extra)
        self.pointer = pointer


class Unauthenticated(DomainError):
    """Nobody that we know signed this request."""

    code = "sign_in_required"
    detail = "请先登录。"


class Forbidden(DomainError):
    """Known, but not allowed to do this at all."""

    code = "not_allowed"
    detail = "您的账号不能办理这一项，请联系管理员。"


class TooMany(DomainError):
    """Asked too often. `retry_after` is in seconds."""

    code = "too_many_requests"
    detail = "操作太频繁了，请过一会儿再试。"

    def __init__(self, code: str | None = None, detail: str | None = None, retry_after: int = 60) -> None:
        super().__init__(code, detail)
        self.retry_after = retry_after


class Stale(DomainError):
    """Somebody else changed it meanwhile."""

    code = "stale"
    detail = "这条记录刚刚被别人修改过，请刷新后再改。"


class Gone(DomainError):
    """It was there and its time is over."""

    code = "gone"


class Unavailable(DomainError):
    """Another company's server does not answer. `retry_after` is in seconds."""

    code = "unavailable"
    detail = "对方服务暂时没有回应，请过一会儿再试。"
