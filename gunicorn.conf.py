"""The web server: settings of ours, counters shared between its processes."""

import os
import shutil
from pathlib import Path

from prometheus_client import multiprocess

from settings import settings

bind = f"{settings.HOST}:{settings.PORT}"
workers = settings.WEB_WORKERS
threads = settings.WEB_THREADS
worker_class = "gthread"
timeout = 60
graceful_timeout = 10
keepalive = 30
accesslog = None  # the application writes one line a request, without personal data
errorlog = "-"
loglevel = "warning"


def on_starting(_):
    folder = os.environ.get("PROMETHEUS_MULTIPROC_DIR")
    if folder:
        shutil.rmtree(folder, ignore_errors=True)
        Path(folder).mkdir(parents=True, mode=0o700)


def child_exit(_, worker):
    if os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
        multiprocess.mark_process_dead(worker.pid)
