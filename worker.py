"""The background process: the Celery app, its queues and its beat schedule. Wiring only.

`celery -A worker worker` does the work, `celery -A worker beat` is the clock, `python worker.py` hands the outbox's events
to the queue.
"""

from __future__ import annotations

from typing import Any

from celery import Celery
from celery.schedules import crontab
from celery.signals import setup_logging, worker_process_init

import jobs
from jobs import dispatcher, housekeeping, registry
from models import database, logs, outbox, schema
from settings import settings


def broker_url() -> str:
    """The configured broker, or a database beside ours in the same MongoDB, with the same credentials."""
    if settings.CELERY_BROKER_URL:
        return settings.CELERY_BROKER_URL
    scheme, _, rest = database.uri().partition("://")
    hosts, _, tail = rest.partition("/")
    name, _, options = tail.partition("?")
    if name and "authsource" not in options.lower():
        options = f"{options}&authSource={name}".lstrip("&")
    return f"{scheme}://{hosts}/{settings.MONGODB_DATABASE}_broker?{options}"


app = Celery("yinling", broker=broker_url())
app.conf.update(
    task_default_queue="default",
    task_queues={name: {"exchange": name, "routing_key": name} for name in outbox.QUEUES},
    task_ignore_result=True,
    task_acks_late=False,  # the outbox row, not the queue, says what is done
    worker_prefetch_multiplier=1,
    worker_max_tasks_per_child=500,
    worker_hijack_root_logger=False,
    worker_send_task_events=False,
    worker_enable_remote_control=False,
    broker_connection_retry_on_startup=True,
    broker_transport_options={"polling_interval": 0.1},  # of MongoDB; the default makes a retiree wait a second
    timezone="Asia/Shanghai",
    beat_schedule_filename=str(settings.DATA_DIR / "beat"),
    beat_schedule={
        "expire sessions": {"task": "tick", "schedule": 15.0, "args": ["expire_sessions"]},
        "delete frames": {"task": "tick", "schedule": 30.0, "args": ["delete_frames"]},
        "sweep files": {"task": "tick", "schedule": 600.0, "args": ["sweep_files"]},
        "count faces": {"task": "tick", "schedule": 3600.0, "args": ["count_faces"]},
        "forget devices": {"task": "tick", "schedule": 3600.0, "args": ["forget_devices"]},
        "end second looks": {"task": "tick", "schedule": 600.0, "args": ["end_second_looks"]},
        "unlink labels": {"task": "tick", "schedule": crontab(hour="3", minute="10"), "args": ["unlink_labels"]},
        "prepare the report on faces": {
            "task": "tick",
            "schedule": crontab(minute="40"),
            "args": ["prepare_face_report"],
        },
        "enrol faces again": {"task": "tick", "schedule": crontab(hour="2", minute="0"), "args": ["re_enrol"]},
        "refresh the cohort": {"task": "tick", "schedule": crontab(hour="2", minute="30"), "args": ["refresh_cohort"]},
        "start schedules": {"task": "tick", "schedule": 15.0, "args": ["start_schedules"]},
        "send messages": {
            "task": "tick",
            "schedule": 5.0,
            "args": ["send_messages"],
            # the next tick is as good: none waits behind a long fan-out
            "options": {"queue": outbox.MESSAGES, "expires": 5},
        },
        "expire deliveries": {"task": "tick", "schedule": 3600.0, "args": ["expire_deliveries"]},
        "publish notices": {"task": "tick", "schedule": 15.0, "args": ["publish_notices"]},
        "seal the audit log": {"task": "tick", "schedule": crontab(minute="20"), "args": ["seal_audit"]},
    },
)


@app.task(name="deliver")
def deliver(event_id: str) -> None:
    """Do the work of one outbox event."""
    registry.deliver(event_id)


@app.task(name="tick")
def tick(name: str) -> None:
    """Do what the clock asks for."""
    housekeeping.run(name)


def send(event_id: str, queue: str) -> None:
    """Put an event on its queue: a nudge, nothing more."""
    app.send_task("deliver", [event_id], queue=queue, expires=60)


@setup_logging.connect
def _log(**_: Any) -> None:
    logs.configure()


@worker_process_init.connect
def _prepare(**_: Any) -> None:
    schema.prepare()
    jobs.warm_up()


if __name__ == "__main__":
    logs.configure()
    dispatcher.run(send, dispatcher.stop_by_signal())
