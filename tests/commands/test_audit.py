"""`flask audit` at a shell."""

from __future__ import annotations

import time_machine
from click.testing import CliRunner

from commands import audit as command
from models import clock
from models.database import collection
from tests.builders import a_retiree


def run(name: str):
    return CliRunner().invoke(command.group, [name])


def test_a_log_that_nobody_touched_holds_and_one_that_was_changed_does_not(ground):
    a_retiree()
    with time_machine.travel(clock.now() + clock.days(1.1), tick=False):
        sealed = run("seal")
        assert sealed.output.startswith(f"sealed {clock.today() - clock.days(1)}") or "sealed 20" in sealed.output
        good = run("verify")
        assert (good.exit_code, "the chain holds" in good.output) == (0, True)
        collection("audit").update_one({}, {"$set": {"actor.role": "city"}})
        bad = run("verify")
    assert bad.exit_code == 1
    assert "FAULT" in bad.output
    assert "the chain holds" not in bad.output
