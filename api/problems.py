"""Errors: `application/problem+json` (RFC 9457) everywhere, with a stable code and one plain Chinese sentence."""

from __future__ import annotations

import json
import traceback
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

import marshmallow as ma
import structlog
from flask import Flask, Response, g
from limits.errors import StorageError
from pymongo.errors import PyMongoError
from werkzeug.exceptions import HTTPException

from models import errors

CONTENT_TYPE = "application/problem+json"


class VersionRequired(errors.DomainError):
    """An edit has to say which version it has seen."""

    code = "version_required"
    detail = "请先刷新页面，再保存修改。"


STATUS = {
    errors.NotFound: 404,
    errors.Conflict: 409,
    errors.Invalid: 422,
    errors.Unauthenticated: 401,
    errors.Forbidden: 403,
    errors.TooMany: 429,
    errors.Stale: 412,
    errors.Gone: 410,
    errors.Unavailable: 503,
    VersionRequired: 428,
}

HTTP_PROBLEMS = {
    400: ("bad_request", "请求有误，请返回上一页再试。"),
    401: ("sign_in_required", "请先登录。"),
    403: ("not_allowed", "您的账号不能办理这一项，请联系管理员。"),
    404: ("not_found", "没有找到您要的内容，请返回上一页再试。"),
    405: ("method_not_allowed", "这个地址不支持这种操作。"),
    408: ("request_timeout", "网络太慢，没有收全，请再试一次。"),
    413: ("too_large", "文件太大了，请换小一些的再试。"),
    415: ("unsupported_media_type", "提交的格式不对，请刷新页面再试。"),
    422: ("invalid", "填写的内容有误，请检查后再试。"),
    429: ("too_many_requests", "操作太频繁了，请过一会儿再试。"),
    500: ("internal_error", "系统出了点问题，我们已经记下，请稍后再试，或给社区打电话。"),
    503: ("unavailable", "系统正忙，请稍后再试。"),
}

log = structlog.stdlib.get_logger("api")


class FieldErrorSchema(ma.Schema):
    pointer = ma.fields.String(required=True, metadata={"description": "JSON pointer of the field"})
    detail = ma.fields.String(required=True, metadata={"description": "一句话说明这一项哪里不对"})


class ProblemSchema(ma.Schema):
    """RFC 9457 problem details."""

    type = ma.fields.String(required=True)
    title = ma.fields.String(required=True)
    status = ma.fields.Integer(required=True)
    detail = ma.fields.String(required=True, metadata={"description": "一句话：怎么了，接下来怎么做"})
    code = ma.fields.String(required=True, metadata={"description": "Stable token that clients switch on"})
    errors = ma.fields.List(ma.fields.Nested(FieldErrorSchema), required=True)
    request_id = ma.fields.String(required=True)


def problems(status: int, *codes: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Document that a view may answer with these problems: `@problems(409, "already_registered")`."""

    def decorate(view: Callable[..., Any]) -> Callable[..., Any]:
        declared = dict(getattr(view, "problems", {}))
        declared[status] = (*declared.get(status, ()), *codes)
        view.problems = declared  # type: ignore[attr-defined]
        return view

    return decorate


def document(status: int, codes: tuple[str, ...]) -> dict[str, Any]:
    """The OpenAPI response of a status with its codes."""
    phrase = HTTPStatus(status).phrase
    return {
        "description": f"{phrase}: {', '.join(sorted(set(codes)))}" if codes else phrase,
        "content": {CONTENT_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }


def respond(
    status: int,
    code: str,
    detail: str,
    field_errors: list[dict[str, str]] | None = None,
    headers: dict[str, str] | None = None,
) -> Response:
    body = {
        "type": f"/api/docs#{code}",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "code": code,
        "errors": field_errors or [],
        "request_id": g.get("request_id", ""),
    }
    return Response(json.dumps(body, ensure_ascii=False), status, headers, content_type=CONTENT_TYPE)


def install(app: Flask) -> None:
    app.register_error_handler(errors.DomainError, _domain)
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(PyMongoError, _database)
    app.register_error_handler(StorageError, _database)
    app.register_error_handler(Exception, _unexpected)


def _domain(error: errors.DomainError) -> Response:
    status = next(code for kind, code in STATUS.items() if isinstance(error, kind))
    pointer = getattr(error, "pointer", "")
    fields = [{"pointer": pointer, "detail": error.detail}] if pointer else []
    headers = {"Retry-After": str(error.retry_after)} if isinstance(error, errors.TooMany) else {}
    if status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    return respond(status, error.code, error.detail, fields, headers)


def _http(error: HTTPException) -> Response:
    if error.response is not None and error.code is None:
        return error.response  # type: ignore[return-value]  # a redirect that werkzeug raises
    status = error.code or 500
    if status in (301, 302, 303, 307, 308):
        return error.get_response()  # type: ignore[return-value]
    code, detail = HTTP_PROBLEMS.get(status, ("http_error", "请求没有办成，请返回上一页再试。"))
    data = getattr(error, "data", None) or {}
    fields = _flatten(data.get("messages", {})) if status == 422 else []
    headers = {name: value for name, value in error.get_headers() if name in ("Allow", "Retry-After")}
    return respond(status, code, detail, fields, headers)


def _flatten(messages: Any, pointer: str = "") -> list[dict[str, str]]:
    """webargs' nested messages as pointers; the location (json, query) is not part of the pointer."""
    if isinstance(messages, dict):
        found = []
        for key, value in messages.items():
            at = pointer if not pointer and key in LOCATIONS else f"{pointer}/{key}"
            found += _flatten(value, at)
        return found
    texts = messages if isinstance(messages, list) else [messages]
    return [{"pointer": pointer or "/", "detail": str(text)} for text in texts]


LOCATIONS = ("json", "query", "form", "files", "headers", "json_or_form")


def _database(error: Exception) -> Response:
    log.error("database_unavailable", error=type(error).__name__)
    return respond(503, *HTTP_PROBLEMS[503], headers={"Retry-After": "5"})


def _unexpected(error: Exception) -> Response:
    # where it happened, but not the error's text: it may quote what somebody typed
    places = [f"{frame.name} ({frame.filename}:{frame.lineno})" for frame in traceback.extract_tb(error.__traceback__)]
    log.error("unexpected_error", error=type(error).__name__, places=places[-8:])
    return respond(500, *HTTP_PROBLEMS[500])
