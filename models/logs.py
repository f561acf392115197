"""Log lines: one JSON object each, with the request's id and without personal data.

Values under names that carry personal data are masked, and so is whatever looks like an ID number or a telephone number
anywhere in a line, also in the text of an exception. Frames, templates and request bodies are never logged by anybody.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog

from models import masking
from settings import settings

MASKED = ("name", "id_number", "phone", "username", "address", "q", "code", "photo", "password", "token")
QUIET = ("pymongo", "celery.utils.functional", "kombu", "PIL", "urllib3", "werkzeug")


def mask(_: Any, __: str, line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """The last processor before a line is written."""
    for key, value in line.items():
        if key in MASKED and value:
            line[key] = masking.mask_name(str(value)) if key == "name" else "***"
        elif isinstance(value, str):
            line[key] = masking.mask_text(value)
        elif isinstance(value, (list, tuple, dict)):
            line[key] = masking.mask_text(str(value))
    return line


def configure() -> None:
    """Send every log line of this process, ours and the libraries', through the same processors."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared, structlog.stdlib.PositionalArgumentsFormatter()],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                mask,
                structlog.processors.JSONRenderer(ensure_ascii=False),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(settings.LOG_LEVEL)
    for name in QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)


def logger(name: str) -> Any:
    return structlog.stdlib.get_logger(name)
