"""The API keeps what its own document says, for whoever asks and whatever they send."""

from __future__ import annotations

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.specs.openapi.checks import missing_required_header, positive_data_acceptance

from models import access
from tests.builders import a_retiree, a_worker, headers_of, oneself
from tests.story import a_wechat_sandbox

pytestmark = pytest.mark.timeout(600)

schema = schemathesis.pytest.from_fixture("document")

# A well-formed request may still be refused by a rule (a wrong code, an ID number whose check digit is wrong): 422, with
# its code in the document. And an edit without If-Match is answered with 428, which this check does not know.
NOT_HERE = [positive_data_acceptance, missing_required_header]
EVERYTHING = list(HealthCheck)


@pytest.fixture
def document(application, ground):
    a_retiree()
    with a_wechat_sandbox():
        yield schemathesis.openapi.from_wsgi("/api/openapi.json", application)


@pytest.fixture
def worker(ground):
    return a_worker(access.CITY, "4301")


@pytest.fixture
def retiree(ground):
    return headers_of(oneself(a_retiree()))


@schema.parametrize()
@settings(max_examples=8, deadline=None, suppress_health_check=EVERYTHING, derandomize=True)
def test_an_operation_does_for_a_worker_what_the_document_says(case, worker):
    case.call_and_validate(headers=worker, excluded_checks=NOT_HERE)


@schema.parametrize()
@settings(max_examples=8, deadline=None, suppress_health_check=EVERYTHING, derandomize=True)
def test_an_operation_does_for_a_retiree_what_the_document_says(case, retiree):
    case.call_and_validate(headers=retiree, excluded_checks=NOT_HERE)


@schema.parametrize()
@settings(max_examples=3, deadline=None, suppress_health_check=EVERYTHING, derandomize=True)
def test_an_operation_does_for_a_stranger_what_the_document_says(case):
    case.call_and_validate(excluded_checks=NOT_HERE)
