"""A create whose answer was lost: settled by searching, in the same run and in the next."""

import threading
from datetime import timedelta
from typing import Any

import pytest
from sync.inspera.target import InsperaTarget
from sync.records.changes import Result

from .http_tenant import HttpTenant
from .made_up import LIMIT_IN_DOUBT, SAVE_TEST, SEARCH_TESTS, THERE, add_wanted, creating
from .waiting import NOON, Time

LOST: list[dict[str, Any]] = [
    {"status": 500},
    {"lost": True},
    {"body": b"<html>"},
    {"body": {"success": True}},
    *LIMIT_IN_DOUBT,
]


@pytest.mark.parametrize("reply", LOST)
def test_a_create_whose_answer_is_lost_but_was_carried_out_is_done_and_sent_once(
    target: InsperaTarget, tenant: HttpTenant, time: Time, reply: dict[str, Any]
) -> None:
    tenant.once(*SAVE_TEST, carried_out=True, **reply)
    outcome = target.create_test(creating())
    assert (outcome.result, outcome.remote_id) == (Result.DONE, "284424088")
    assert tenant.templates_used == [1001]
    assert time.passed >= 10


@pytest.mark.parametrize("reply", LOST)
def test_a_create_that_was_lost_before_it_was_carried_out_is_sent_again_only_after_a_search(
    target: InsperaTarget, tenant: HttpTenant, time: Time, reply: dict[str, Any]
) -> None:
    tenant.once(*SAVE_TEST, **reply)
    assert target.create_test(creating()).result is Result.DONE
    assert [seen.path for seen in tenant.calls()] == [
        SEARCH_TESTS[1],
        SAVE_TEST[1],
        SEARCH_TESTS[1],
        SAVE_TEST[1],
    ]
    assert tenant.templates_used == [1001]
    assert time.waits.count(10.0) == 1


def test_between_two_creates_there_is_always_a_search_after_the_delay(
    target: InsperaTarget, tenant: HttpTenant, time: Time
) -> None:
    tenant.every(*SAVE_TEST, 500)
    assert target.create_test(creating()).result is Result.UNKNOWN
    assert [seen.path for seen in tenant.calls()] == [SEARCH_TESTS[1]] + [
        SAVE_TEST[1],
        SEARCH_TESTS[1],
    ] * 3
    assert time.waits.count(10.0) == 3


def test_a_lost_create_is_not_sent_again_when_the_search_fails(
    target: InsperaTarget, tenant: HttpTenant
) -> None:
    tenant.once(*SAVE_TEST, 500)
    tenant.once(*SEARCH_TESTS, 200, body={"hits": 0, "results": []})
    tenant.once(*SEARCH_TESTS, 500, times=3)
    assert target.create_test(creating()).result is Result.UNKNOWN
    assert len(tenant.calls(*SAVE_TEST)) == 1


def test_a_lost_create_is_not_sent_again_on_a_tenant_that_answers_every_search_with_404(
    target: InsperaTarget, tenant: HttpTenant
) -> None:
    tenant.every(*SEARCH_TESTS, 404)
    tenant.once(*SAVE_TEST, 500)
    outcome = target.create_test(creating())
    assert outcome.result is Result.UNKNOWN
    assert "not known whether Inspera has it" in outcome.message
    assert len(tenant.calls(*SAVE_TEST)) == 1


def test_a_lost_create_that_turns_up_with_other_times_is_held(
    target: InsperaTarget, tenant: HttpTenant
) -> None:
    tenant.once(*SEARCH_TESTS, 200, body={"hits": 0, "results": []})
    add_wanted(tenant, startTime="2030-05-10T06:00:00Z")
    tenant.once(*SAVE_TEST, 500)
    assert target.create_test(creating()).result is Result.HELD
    assert tenant.templates_used == []


def test_a_lost_create_stays_unknown_when_the_run_is_ended_during_the_delay(
    target: InsperaTarget, tenant: HttpTenant, time: Time, stop: threading.Event
) -> None:
    tenant.once(*SAVE_TEST, 500, carried_out=True)
    time.while_waiting = stop.set
    assert target.create_test(creating()).result is Result.UNKNOWN
    assert len(tenant.calls()) == 2


def test_settling_finds_what_was_created_with_insperas_own_values(
    target: InsperaTarget, tenant: HttpTenant, time: Time
) -> None:
    number = add_wanted(tenant, title="As Inspera has it")
    outcome = target.settle_test("INF101-V30", NOON)
    assert (outcome.result, outcome.remote_id) == (Result.DONE, number)
    assert outcome.there == {**THERE, "title": "As Inspera has it", "duration": None}
    assert time.passed == 0


def test_settling_waits_out_the_rest_of_the_delay_before_it_says_not_there(
    target: InsperaTarget, tenant: HttpTenant, time: Time
) -> None:
    outcome = target.settle_test("INF101-V30", NOON - timedelta(seconds=4))
    assert outcome.result is Result.NOT_SENT
    assert time.waits == [pytest.approx(6)]
    assert len(tenant.calls(*SEARCH_TESTS)) == 2


def test_settling_long_after_needs_no_wait(
    target: InsperaTarget, tenant: HttpTenant, time: Time
) -> None:
    assert target.settle_test("INF101-V30", NOON - timedelta(hours=8)).result is Result.NOT_SENT
    assert (time.passed, len(tenant.calls(*SEARCH_TESTS))) == (0, 1)


def test_settling_never_waits_longer_than_the_delay_even_when_a_clock_was_set_back(
    target: InsperaTarget, time: Time
) -> None:
    assert target.settle_test("INF101-V30", NOON + timedelta(days=1)).result is Result.NOT_SENT
    assert time.waits == [10.0]


def test_settling_finds_what_becomes_visible_during_the_delay(
    target: InsperaTarget, tenant: HttpTenant, time: Time
) -> None:
    time.while_waiting = lambda: None if tenant.tests else (add_wanted(tenant), None)[1]
    assert target.settle_test("INF101-V30", NOON).result is Result.DONE


def test_settling_stays_unknown_when_the_run_is_ended_or_the_search_fails(
    target: InsperaTarget, tenant: HttpTenant, time: Time, stop: threading.Event
) -> None:
    tenant.once(*SEARCH_TESTS, 500, times=3)
    assert target.settle_test("INF101-V30", NOON - timedelta(hours=1)).result is Result.UNKNOWN
    time.while_waiting = stop.set
    assert target.settle_test("INF101-V30", NOON + timedelta(hours=1)).result is Result.UNKNOWN


def test_settling_proves_nothing_on_a_tenant_that_answers_every_search_with_404(
    target: InsperaTarget, tenant: HttpTenant
) -> None:
    tenant.every(*SEARCH_TESTS, 404)
    assert target.settle_test("INF101-V30", NOON - timedelta(hours=1)).result is Result.UNKNOWN
