"""For operators, outside the API: /healthz (this process), /readyz (database and broker), /metrics (Prometheus)."""

from __future__ import annotations

import hmac
import os

from flask import Blueprint, Response, jsonify, request
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.multiprocess import MultiProcessCollector

from api.identity import public
from models import database, deliveries, face_references, outbox, providers
from models.errors import Forbidden
from settings import settings

blueprint = Blueprint("health", __name__)

LOOPBACK = ("127.0.0.1", "::1")


@blueprint.get("/healthz")
@public
def healthz() -> Response:
    """This process answers."""
    return jsonify(status="ok")


@blueprint.get("/readyz")
@public
def readyz() -> tuple[Response, int]:
    """The database answers, and the broker, which is the same server unless it is configured otherwise."""
    checks = {"database": _works(database.ping), "broker": _works(_ping_broker)}
    ready = all(checks.values())
    return jsonify(status="ok" if ready else "unavailable", **checks), 200 if ready else 503


@blueprint.get("/metrics")
@public
def metrics() -> Response:
    """Counters of all web processes and the state of the house; for a token, or from this machine where there is none."""
    given = request.headers.get("Authorization", "").removeprefix("Bearer ")
    if settings.METRICS_TOKEN:
        allowed = hmac.compare_digest(given.encode(), settings.METRICS_TOKEN.encode())
    else:
        allowed = request.remote_addr in LOOPBACK and "X-Forwarded-For" not in request.headers
    if not allowed:
        raise Forbidden()
    registry: CollectorRegistry = REGISTRY
    if os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
        registry = CollectorRegistry()
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    house = CollectorRegistry()
    house.register(_House())  # type: ignore[arg-type]
    return Response(generate_latest(registry) + generate_latest(house), content_type=CONTENT_TYPE_LATEST)


class _House:
    """What the database says of the house at this moment."""

    def collect(self) -> list[GaugeMetricFamily]:
        counts = outbox.counts()
        faces = face_references.filing_state()
        values = {
            "yinling_outbox_pending": ("Events that wait", counts[outbox.PENDING]),
            "yinling_outbox_failed": ("Events that failed for good and need a person", counts[outbox.FAILED]),
            "yinling_outbox_oldest_seconds": ("Age of the oldest event that is due", outbox.oldest_pending_seconds()),
            "yinling_deliveries_failed": ("Messages that no provider took and need a person", deliveries.failed()),
            "yinling_providers_away": ("Providers that are left alone because they fail", providers.away()),
            "yinling_faces_stored": ("People with a stored face template", faces["count"]),
            "yinling_faces_warning": (
                "1 from 90,000 on: 100,000 must be filed with the authority",
                int(faces["warning"]),
            ),
        }
        return [GaugeMetricFamily(name, text, value) for name, (text, value) in values.items()]


def _works(check: object) -> bool:
    try:
        check()  # type: ignore[operator]
    except Exception:
        return False
    return True


def _ping_broker() -> None:
    if not settings.CELERY_BROKER_URL:
        return database.ping()
    from kombu import Connection

    with Connection(settings.CELERY_BROKER_URL, connect_timeout=2) as connection:
        connection.ensure_connection(max_retries=1, timeout=2)
    return None
