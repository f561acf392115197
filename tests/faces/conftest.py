"""What the tests of faces share: the two people, enrolled once a session."""

from __future__ import annotations

import pytest

from faces import Template, enrol
from tests.faces import actors


@pytest.fixture(scope="session")
def templates() -> dict[str, Template]:
    made = {person: enrol(actors.photo(person)).template for person in actors.PEOPLE}
    assert all(made.values())
    return made
