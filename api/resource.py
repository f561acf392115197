"""What every resource is made of: a strict parser, locked routes, documented problems, fields of our conventions."""

from __future__ import annotations

import datetime as dt
import functools
import hashlib
import re
from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import Any

import flask_smorest
import marshmallow as ma
from bson import ObjectId
from flask import request
from flask_smorest import Api
from webargs.flaskparser import FlaskParser
from werkzeug.routing import BaseConverter

from api.identity import current
from api.problems import ProblemSchema, VersionRequired, document
from models import clock, idempotency
from models.errors import Invalid

# What the library says in English, a retiree reads in Chinese
ma.fields.Field.default_error_messages |= {
    "required": "这一项必填。",
    "null": "这一项不能为空。",
    "validator_failed": "填写有误。",
}
ma.fields.String.default_error_messages |= {"invalid": "应为文字。", "invalid_utf8": "有不能识别的字符。"}
ma.fields.Integer.default_error_messages |= {"invalid": "应为整数。"}
ma.fields.Number.default_error_messages |= {"invalid": "应为数字。", "too_large": "数字太大。"}
ma.fields.Boolean.default_error_messages |= {"invalid": "应为“是”或“否”。"}
ma.fields.List.default_error_messages |= {"invalid": "应为列表。"}
ma.fields.Nested.default_error_messages |= {"type": "格式不对。"}

UPLOAD_LIMIT = 64 * 1024 * 1024
LAST_PAGE = 10**9
VERSION_PATTERN = re.compile(r"[0-9]{1,18}")
KEY_PATTERN = re.compile(r"[\x21-\x7e]{1,200}")


class ObjectIdConverter(BaseConverter):
    """`<objectid:name>`: a path part of 24 hexadecimal digits; anything else is no such page."""

    regex = "[0-9a-f]{24}"

    def to_python(self, value: str) -> ObjectId:
        return ObjectId(value)

    def to_url(self, value: Any) -> str:
        return str(value)


def objectid_schema(_: Any) -> dict[str, str]:
    return {"type": "string", "pattern": "^[0-9a-f]{24}$"}


class API(Api):
    """The OpenAPI document, with our problems instead of the library's errors."""

    ERROR_SCHEMA = ProblemSchema
    DEFAULT_ERROR_RESPONSE_NAME = None

    def _register_responses(self) -> None:
        self.spec.components.schema("Problem", schema=ProblemSchema)
        for status in HTTPStatus:
            self.spec.components.response(status.name, document(status.value, ()), lazy=True)
        self.spec.components.security_scheme("bearer", {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"})

    def _register_error_handlers(self) -> None:
        """The library would answer every HTTP error in its own format; `api.problems` has registered ours."""


class _Strict(FlaskParser):
    """Unknown fields are refused wherever they stand. Headers are the browser's own affair."""

    DEFAULT_UNKNOWN_BY_LOCATION = {  # noqa: RUF012 - the library's name
        "json": ma.RAISE, "query": ma.RAISE, "form": ma.RAISE, "files": ma.RAISE, "headers": ma.EXCLUDE,
    }  # fmt: skip


class _PageParser(FlaskParser):
    """A page beyond all pages is empty, not an error; a number too large for the database's own would be one."""

    def parse(self, *args: Any, **kwargs: Any) -> Any:
        asked = super().parse(*args, **kwargs)
        asked.page = min(asked.page, LAST_PAGE)
        return asked


class Resource(flask_smorest.Blueprint):
    """A blueprint whose operations all document who may call them and how they fail."""

    ARGUMENTS_PARSER = _Strict()
    PAGINATION_ARGUMENTS_PARSER = _PageParser()
    DEFAULT_PAGINATION_PARAMETERS = {"page": 1, "page_size": 20, "max_page_size": 100}  # noqa: RUF012

    def __init__(self, name: str, import_name: str, *, url_prefix: str = "", description: str = "") -> None:
        super().__init__(name, import_name, url_prefix=url_prefix, description=description)

    def add_url_rule(self, rule: str, endpoint: Any = None, view_func: Any = None, **options: Any) -> None:
        roles = getattr(view_func, "allowed", None)
        declared = dict(getattr(view_func, "problems", {}))
        documented = view_func._apidoc = dict(getattr(view_func, "_apidoc", {}))
        takes_body = any(
            parameter["in"] in ("json", "files", "form")
            for parameter in documented.get("arguments", {}).get("parameters", [])
        )
        always: dict[int, tuple[str, ...]] = {
            429: ("too_many_requests",),
            500: ("internal_error",),
            503: ("unavailable",),
        }
        if roles is not None:
            always |= {401: ("sign_in_required", "sign_in_expired"), 403: ("not_allowed",)}
        if "<" in rule:
            always[404] = ("not_found",)
        if "arguments" in documented or "pagination" in documented:
            always[422] = ("invalid",)
        if takes_body:
            always |= {400: ("bad_request",), 413: ("too_large",), 415: ("unsupported_media_type",)}
        if getattr(view_func, "idempotent", False):
            always |= {409: ("still_running",), 422: ("invalid", "key_reused")}
        if getattr(view_func, "versioned", False):
            always |= {412: ("stale",), 428: ("version_required",)}
        for status, codes in always.items():
            declared[status] = (*codes, *declared.get(status, ()))
        manual = documented.setdefault("manual_doc", {})
        manual["responses"] = {
            **manual.get("responses", {}),
            **{str(status): document(status, codes) for status, codes in sorted(declared.items())},
        }
        if roles is not None:
            manual["security"] = [{"bearer": []}]
            manual["description"] = f"Roles: {', '.join(roles)}"
        else:
            manual["security"] = []
        headers = list(manual.get("parameters", []))
        if getattr(view_func, "idempotent", False):
            headers.append(_header("Idempotency-Key", "Same key and body: the first reply again", required=False))
        if getattr(view_func, "versioned", False):
            headers.append(_header("If-Match", "ETag of the record that was seen", required=True))
        if headers:
            manual["parameters"] = headers
        super().add_url_rule(rule, endpoint, view_func, **options)

    def _prepare_arguments_doc(self, doc: Any, doc_info: Any, *, api: Any, spec: Any, **kwargs: Any) -> Any:
        # the library would name 422 itself, with its own error format; ours is in the manual document
        doc_info.get("arguments", {}).pop("responses", None)
        return super()._prepare_arguments_doc(doc, doc_info, api=api, spec=spec, **kwargs)

    def _document_pagination_metadata(self, spec: Any, resp_doc: Any) -> None:
        # the header is a JSON text, which the library's own entry does not say
        resp_doc.setdefault("headers", {})[self.PAGINATION_HEADER_NAME] = {
            "description": "total, total_pages, page, first_page, last_page, next_page, previous_page, as JSON",
            "schema": {"type": "string"},
        }

    def _prepare_pagination_doc(self, doc: Any, doc_info: Any, *, spec: Any, **kwargs: Any) -> Any:
        if "pagination" in doc_info:
            doc_info["pagination"]["response"] = {}
        return super()._prepare_pagination_doc(doc, doc_info, spec=spec, **kwargs)


def _header(name: str, meaning: str, *, required: bool) -> dict[str, Any]:
    return {"in": "header", "name": name, "required": required, "description": meaning, "schema": {"type": "string"}}


def idempotent(view: Callable[..., Any]) -> Callable[..., Any]:
    """`Idempotency-Key`: the same request sent twice by the same account is done once."""

    @functools.wraps(view)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        key = request.headers.get("Idempotency-Key")
        if not key:
            return view(*args, **kwargs)
        if not KEY_PATTERN.fullmatch(key):
            raise Invalid("bad_idempotency_key", "请求编号的格式不对，请刷新页面再试。")
        return idempotency.once(current().account_id, key, _request_digest(), lambda: view(*args, **kwargs))

    wrapped.idempotent = True  # type: ignore[attr-defined]
    return wrapped


def versioned(view: Callable[..., Any]) -> Callable[..., Any]:
    """`If-Match`: the view gets `version`, the version of the record that the caller has seen; 428 without."""

    @functools.wraps(view)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        tags = request.if_match
        if not request.headers.get("If-Match"):
            raise VersionRequired()
        numbers = [int(tag) for tag in tags.as_set() if VERSION_PATTERN.fullmatch(tag or "")]
        return view(*args, version=numbers[0] if numbers else -1, **kwargs)

    wrapped.versioned = True  # type: ignore[attr-defined]
    return wrapped


def tag(version: int) -> dict[str, str]:
    """The ETag header of a version."""
    return {"ETag": f'"{version}"'}


def _request_digest() -> bytes:
    """What was asked, for comparing; a multipart body by its parts, because its boundary differs every time."""
    digest = hashlib.sha256(f"{request.method} {request.full_path}".encode())
    if request.mimetype == "multipart/form-data":
        for name, value in sorted(request.form.items(multi=True)):
            digest.update(f"\0{name}={value}".encode())
        for name, part in request.files.items(multi=True):
            digest.update(f"\0{name}:".encode())
            digest.update(part.stream.read())
            part.stream.seek(0)
    else:
        digest.update(request.get_data())
    return digest.digest()


# ---- Fields


class Id(ma.fields.String):
    """24 hexadecimal digits."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("validate", ma.validate.Regexp(r"^[0-9a-f]{24}\Z", error="编号的格式不对。"))
        super().__init__(**kwargs)

    def _serialize(self, value: Any, attr: Any, obj: Any, **kwargs: Any) -> Any:
        return None if value is None else str(value)

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> Any:
        return super()._deserialize(value, attr, data, **kwargs)


class Instant(ma.fields.Field[dt.datetime]):
    """RFC 3339 with +08:00."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("metadata", {})
        kwargs["metadata"] |= {"type": "string", "format": "date-time"}
        super().__init__(**kwargs)

    def _serialize(self, value: Any, attr: Any, obj: Any, **kwargs: Any) -> Any:
        return None if value is None else value.astimezone(clock.SHANGHAI).isoformat(timespec="seconds")


class Day(ma.fields.String):
    """YYYY-MM-DD in Asia/Shanghai; kept as text."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("metadata", {})
        kwargs["metadata"] |= {"format": "date"}
        super().__init__(**kwargs)

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> Any:
        text = super()._deserialize(value, attr, data, **kwargs)
        try:
            if not re.fullmatch(r"\d{4}-\d{2}-\d{2}", text) or not text.isascii():
                raise ValueError
            dt.date.fromisoformat(text)
        except ValueError as error:
            raise ma.ValidationError("日期请写成 2026-11-21 这样。") from error
        return text


class Text(ma.fields.String):
    """Text that a person typed: trimmed, without control characters, of limited length."""

    def __init__(self, most: int, least: int = 0, **kwargs: Any) -> None:
        limits = ma.validate.Length(least, most, error=f"长度应为{least}到{most}个字。")
        kwargs["validate"] = [limits, *kwargs.pop("validate", [])]
        super().__init__(**kwargs)

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> Any:
        text = super()._deserialize(value, attr, data, **kwargs)
        if any((ord(char) < 32 and char not in "\n\t") or 0xD800 <= ord(char) <= 0xDFFF for char in text):
            raise ma.ValidationError("有不能识别的字符，请删掉再试。")
        return text.strip()


class Division(ma.fields.String):
    """A code of the administrative division, or a prefix of one."""

    def __init__(self, pattern: str = r"^(\d{4}|\d{6}|\d{9}|\d{12})\Z", **kwargs: Any) -> None:
        kwargs["validate"] = ma.validate.Regexp(pattern, flags=re.ASCII, error="行政区划代码应为4、6、9或12位数字。")
        super().__init__(**kwargs)


def choice(values: Iterable[str]) -> ma.validate.OneOf:
    """One of a few tokens; the message names them."""
    tokens = tuple(values)
    return ma.validate.OneOf(tokens, error=f"只能是：{'、'.join(tokens)}。")


class Schema(ma.Schema):
    """Unknown fields are refused; order is as written."""

    class Meta:
        unknown = ma.RAISE

    error_messages = {"unknown": "没有这一项。", "type": "格式不对。"}  # noqa: RUF012 - the library's name


class Filters(Schema):
    """The query of a list that has pages: which page stands beside the filters and is read by a schema of its own."""

    @ma.pre_load
    def _without_page(self, query: Any, **_: Any) -> dict[str, Any]:
        return {name: query[name] for name in query if name not in ("page", "page_size")}
