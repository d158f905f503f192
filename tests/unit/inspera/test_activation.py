"""The activation of a test: an answer that is lost is settled by the test's status."""

from typing import Any

import pytest
from sync.inspera.target import InsperaTarget
from sync.records.changes import Result

from .http_tenant import HttpTenant
from .made_up import LIMIT_IN_DOUBT, SEARCH_TESTS, add_wanted, creating


@pytest.fixture
def number(tenant: HttpTenant) -> str:
    """The id of a test with a candidate."""
    number = add_wanted(tenant)
    tenant.seats[number]["FEIDE", "aaseb@example.edu"] = {}
    return number


def test_the_vendors_message_is_the_outcome(target: InsperaTarget, tenant: HttpTenant) -> None:
    number = add_wanted(tenant)
    outcome = target.activate_test(creating(), number)
    assert outcome.result is Result.REFUSED
    assert "the test has no candidates" in outcome.message


@pytest.mark.parametrize("reply", [{"lost": True}, *LIMIT_IN_DOUBT])
def test_a_lost_answer_of_a_call_that_was_carried_out_is_not_sent_again(
    target: InsperaTarget, tenant: HttpTenant, number: str, reply: dict[str, Any]
) -> None:
    tenant.once("POST", f"/v1/test/{number}/activate", carried_out=True, **reply)
    assert target.activate_test(creating(), number).result is Result.DONE
    assert tenant.activations == [number]


def test_a_lost_answer_of_a_call_that_was_not_carried_out_is_sent_again(
    target: InsperaTarget, tenant: HttpTenant, number: str
) -> None:
    tenant.once("POST", f"/v1/test/{number}/activate", lost=True)
    assert target.activate_test(creating(), number).result is Result.DONE
    assert len(tenant.calls("POST", f"/v1/test/{number}/activate")) == 2


def test_it_stays_unknown_when_no_search_can_settle_it(
    target: InsperaTarget, tenant: HttpTenant, number: str
) -> None:
    tenant.once("POST", f"/v1/test/{number}/activate", 500)
    tenant.once(*SEARCH_TESTS, 500, times=9)
    assert target.activate_test(creating(), number).result is Result.UNKNOWN
    assert tenant.activations == []


def test_a_tenant_without_the_call_says_so(
    target: InsperaTarget, tenant: HttpTenant, number: str
) -> None:
    tenant.every("POST", f"/v1/test/{number}/activate", 405)
    assert target.activate_test(creating(), number).result is Result.NOT_SENT
