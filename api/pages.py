"""The pages: the retirees' app at /, the staff console at /admin, our own files under /static, the public check of a
certificate at /verify/{code}, the reader of the API document at /api/docs."""

from __future__ import annotations

from pathlib import Path

from flask import Blueprint, Response, render_template_string, request, send_from_directory

from api.identity import public
from api.wording import METHODS
from models import certifications
from models.errors import NotFound
from settings import settings

STATIC = Path(__file__).resolve().parent.parent / "static"
VENDOR_AGE = 30 * 86_400

blueprint = Blueprint("pages", __name__)


@blueprint.get("/")
@public
def app() -> Response:
    """The retirees' pages."""
    return _page("app/index.html")


@blueprint.get("/admin")
@blueprint.get("/admin/")
@public
def admin() -> Response:
    """The staff console."""
    return _page("admin/index.html")


@blueprint.get("/static/<path:name>")
@public
def static(name: str) -> Response:
    """Our own files; those of third parties are pinned by their folder's version and may be kept."""
    response = send_from_directory(STATIC, name)
    if name.startswith("vendor/"):
        response.cache_control.max_age = VENDOR_AGE
        response.cache_control.no_cache = None
        response.cache_control.public = True
    return response


@blueprint.get("/favicon.ico")
@public
def favicon() -> Response:
    return send_from_directory(STATIC, "app/icon.svg", mimetype="image/svg+xml")


@blueprint.get("/api/docs")
@public
def docs() -> Response:
    """The reader of the OpenAPI document, from our own files."""
    return _page("docs.html")


@blueprint.get("/verify/<code>")
@public
def verify(code: str) -> tuple[str, int]:
    """What anybody with the code may know of a certificate."""
    template = (STATIC / "verify.html").read_text()
    try:
        certificate = certifications.verify(code)
    except NotFound as error:
        return render_template_string(template, certificate=None, detail=error.detail, settings=settings), 404
    method = METHODS[certificate["method"]]
    return render_template_string(template, certificate=certificate, method=method, settings=settings), 200


def _page(name: str) -> Response:
    response = send_from_directory(STATIC, name)
    response.cache_control.no_cache = True
    return response


@blueprint.get("/app-config.json")
@public
def config() -> dict[str, object]:
    """What the pages need to know before anybody has signed in."""
    return {
        "name": settings.SERVICE_NAME,
        "phone": settings.SERVICE_PHONE,
        "demo": settings.YINLING_DEMO,
        "secure": request.is_secure,
    }
