"""The operator's door: `flask --app wsgi NAME`. What api/ is to a request, commands/ is to a person at a shell."""

from __future__ import annotations

from flask import Flask

from commands import audit, demo, faces, outbox, photos, staff


def install(app: Flask) -> None:
    """Register every command."""
    for group in (audit.group, staff.group, photos.group, outbox.group, faces.group, demo.command):
        app.cli.add_command(group)
