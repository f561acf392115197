"""Limits by address: in a process whose settings have them on, as the house has."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap

GUESSES = """
    import json, secrets
    from api import create_app
    from models import database
    app = create_app()
    database.client().drop_database("yinling_tests_limits")
    client = app.test_client()
    def guess(address):
        return client.post(
            "/api/v1/auth/logout" if address is None else "/api/v1/auth/refresh",
            json={"refresh_token": secrets.token_hex(8)},
            environ_base={"REMOTE_ADDR": address or "192.0.2.1"},
        )
    replies = [guess("192.0.2.1") for _ in range(61)]
    last = replies[-1]
    print(json.dumps({
        "statuses": [reply.status_code for reply in replies],
        "body": last.json, "type": last.mimetype, "retry": last.headers.get("Retry-After"),
        "other": guess("192.0.2.2").status_code, "elsewhere": guess(None).status_code,
    }))
"""


def test_sixty_sign_ins_a_minute_from_one_address_are_enough_and_another_address_is_not_touched(ground):
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(GUESSES)],
        env={**os.environ, "RATE_LIMITS": "1", "LOG_LEVEL": "ERROR"},
        capture_output=True,
        text=True,
        check=True,
    )
    told = json.loads(done.stdout.splitlines()[-1])
    assert told["statuses"] == [401] * 60 + [429]
    assert (told["type"], told["body"]["code"]) == ("application/problem+json", "too_many_requests")
    assert int(told["retry"]) > 0
    assert told["other"] == 401
    assert told["elsewhere"] == 204
