"""The web process: `app` for any WSGI server, and the operator's commands for `flask --app wsgi`."""

import click

from api import create_app
from commands import install
from models import schema

# A command prepares the database where it needs one, and some work without
if click.get_current_context(silent=True) is None:
    schema.prepare()
app = create_app()
install(app)
