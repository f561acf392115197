"""HTTP: the application, and one module per resource. A view reads a request, calls models and shapes the reply."""

from __future__ import annotations

from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix

from api import (
    audiences,
    audit,
    callbacks,
    certification,
    contact_settings,
    deliveries,
    face_alarms,
    face_reports,
    follow_ups,
    health,
    identity,
    imports,
    inbox,
    library,
    limits,
    me,
    message_templates,
    notices,
    observability,
    office,
    pages,
    problems,
    references,
    retirees,
    reviews,
    second_looks,
    sign_in,
)
from api.resource import API, UPLOAD_LIMIT, ObjectIdConverter, objectid_schema
from models import logs
from settings import settings

RESOURCES = (
    sign_in,
    me,
    retirees,
    imports,
    references,
    certification,
    reviews,
    follow_ups,
    face_alarms,
    second_looks,
    face_reports,
    inbox,
    notices,
    library,
    audiences,
    contact_settings,
    message_templates,
    deliveries,
    callbacks,
    office,
    audit,
)


def create_app() -> Flask:
    """The web application: registers every resource and locks every route. Waits for no database."""
    logs.configure()
    app = Flask("api", static_folder=None)
    app.config.update(
        API_TITLE="银龄通",
        API_VERSION="v1",
        OPENAPI_VERSION="3.1.0",
        OPENAPI_URL_PREFIX="/api",
        OPENAPI_JSON_PATH="openapi.json",
        MAX_CONTENT_LENGTH=UPLOAD_LIMIT,
        MAX_FORM_MEMORY_SIZE=UPLOAD_LIMIT,
        MAX_FORM_PARTS=200,
        PROPAGATE_EXCEPTIONS=False,
    )
    app.json.ensure_ascii = False  # type: ignore[attr-defined]
    if settings.TRUSTED_PROXIES:
        app.wsgi_app = ProxyFix(  # type: ignore[method-assign]
            app.wsgi_app,
            x_for=settings.TRUSTED_PROXIES,
            x_proto=settings.TRUSTED_PROXIES,
            x_host=settings.TRUSTED_PROXIES,
        )
    app.url_map.converters["objectid"] = ObjectIdConverter
    observability.install(app)
    identity.install(app)
    limits.install(app)
    problems.install(app)
    api = API(app)
    document = app.view_functions["api-docs.openapi_json"]
    app.view_functions["api-docs.openapi_json"] = identity.public(lambda: document())
    api.register_converter(ObjectIdConverter, objectid_schema)
    for module in RESOURCES:
        api.register_blueprint(module.blueprint, url_prefix=f"/api/v1{module.blueprint.url_prefix or ''}")
    for plain in (health.blueprint, pages.blueprint):
        limits.limiter.exempt(plain)
        app.register_blueprint(plain)
    return app
