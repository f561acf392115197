"""The web process: `app` for any WSGI server, and the operator's commands for `flask --app wsgi`."""

from api import create_app
from commands import install

app = create_app()
install(app)
