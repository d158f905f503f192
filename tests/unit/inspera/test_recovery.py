"""The table of failures: every row is met over the wire, and does what it says."""

from typing import Any

import pytest
from sync.contract import CALLS
from sync.errors import CallError, Refused, Retry
from sync.inspera.client import Client
from sync.inspera.connection import Connection
from sync.inspera.recovery import RECOVERY, Event, event_of, event_of_token, narrows
from sync.inspera.request import Request
from sync.inspera.target import InsperaTarget
from sync.records.changes import Outcome, Result
from sync.records.remote import Assignment

from .conftest import MakeTarget
from .http_tenant import HttpTenant
from .made_up import make_seats, path_of, results_of, sizes

TOKEN = ("POST", "/authenticate/token/")
ASSIGN, REMOVE, READ = (
    CALLS[name] for name in ("candidate.assign", "candidate.remove", "test.read")
)

MET: dict[Event, dict[str, Any]] = {
    Event.THROTTLED: {"status": 429},
    Event.LOST: {"lost": True},
    Event.FAILED: {"status": 500},
    Event.UNREADABLE: {"body": b"<html>"},
    Event.REFUSED: {"status": 422},
    Event.NOT_ALLOWED: {"status": 403},
    Event.NO_TEST: {"status": 404},
    Event.NO_CALL: {"status": 405},
    Event.NO_RIGHT: {"status": 401},
    Event.REDIRECTED: {"status": 302},
    Event.PROXY_LOGIN: {"status": 407},
}
"""A tenant's responses to an assignment for each row; the other rows are tested below."""

RESULTS = {
    "Retry": Result.NOT_SENT,
    "Unknown": Result.UNKNOWN,
    "Refused": Result.REFUSED,
    "NotThere": Result.REFUSED,
    "CallMissing": Result.NOT_SENT,
}


def _assign(target: InsperaTarget, exam: str, count: int = 4) -> list[Result]:
    return results_of(target.assign(exam, make_seats(count)))


@pytest.mark.parametrize("row", MET, ids=lambda row: row.name)
def test_a_row_of_the_table_ends_and_narrows_as_it_says(
    target: InsperaTarget, tenant: HttpTenant, exam: str, row: Event
) -> None:
    tenant.readable_seats = False
    tenant.once("POST", path_of(exam), times=50, **MET[row])
    recovery = RECOVERY[row]
    if recovery.error.__name__ == "Stop":
        with pytest.raises(recovery.error):
            _assign(target, exam)
        assert target.stopped
    else:
        assert _assign(target, exam) == [RESULTS[recovery.error.__name__]] * 4
        assert target.stopped is None
    assert (min(sizes(tenant, "POST", exam)) == 1) == recovery.narrows


def test_a_404_means_nobody_on_a_look_up_and_is_believed_on_a_removal_only_when_proven(
    target: InsperaTarget, tenant: HttpTenant, exam: str
) -> None:
    assert target.read_test("1") is None
    tenant.every("DELETE", path_of(exam), 404)
    assert target.remove(exam, [Assignment("FEIDE", "a")]) == [
        Outcome(Result.DONE, "was not there")
    ]
    assert [event_of(call, 404) for call in (READ, ASSIGN, REMOVE)] == [
        Event.NOBODY,
        Event.NO_TEST,
        Event.GONE,
    ]


def test_what_was_not_sent_is_distinguished_and_what_is_not_trusted_ends_the_run(
    make_target: MakeTarget,
) -> None:
    target = make_target(url="http://127.0.0.1:1", attempts=1)
    assert results_of(target.assign("1", make_seats(1))) == [Result.NOT_SENT]
    with pytest.raises(RECOVERY[Event.NOT_TRUSTED].error):
        make_target(url="ftp://example.edu").read_test("1")


@pytest.mark.parametrize("status", [403, 409])
def test_a_refused_token_ends_the_run_and_one_that_may_come_later_does_not(
    make_target: MakeTarget, tenant: HttpTenant, exam: str, status: int
) -> None:
    tenant.once(*TOKEN, 503, times=3)
    assert _assign(make_target(), exam) == [Result.NOT_SENT] * 4
    tenant.once(*TOKEN, status)
    with pytest.raises(RECOVERY[Event.TOKEN_REFUSED].error):
        _assign(make_target(), exam)


def test_every_row_is_met_by_one_of_these_tests() -> None:
    by_hand = {
        Event.NOT_SENT,
        Event.NOBODY,
        Event.GONE,
        Event.NOT_TRUSTED,
        Event.TOKEN_LATER,
        Event.TOKEN_REFUSED,
    }
    assert set(MET) | by_hand == set(Event) == set(RECOVERY)
    assert all(recovery.then for recovery in RECOVERY.values())


def test_every_status_has_a_row_and_only_a_refusal_about_a_record_narrows() -> None:
    rows = {status: event_of(ASSIGN, status) for status in range(200, 600)}
    assert {status for status, row in rows.items() if RECOVERY[row].narrows and status >= 300} == {
        400,
        409,
        422,
    }
    assert {row.value for status, row in rows.items() if status >= 500 and status != 501} == {
        Event.FAILED.value
    }
    for status in (200, 400, 403, 404, 413, 422):
        assert narrows(ASSIGN, Refused("", status)) == (status in (200, 400, 422))
    assert RECOVERY[event_of_token(501)].error is Retry


def test_a_call_that_is_missing_stops_alone_and_names_doctor(
    target: InsperaTarget, tenant: HttpTenant, exam: str
) -> None:
    tenant.every("POST", path_of(exam), 501)
    (outcome,) = target.assign(exam, make_seats(1))
    assert "`inspera-sync doctor`" in outcome.message
    assert results_of(target.remove(exam, make_seats(1))) == [Result.DONE]
    target.assign(exam, make_seats(1))
    assert len(tenant.calls("POST", path_of(exam))) == 1


def test_the_client_sorts_a_broken_connection_as_lost(
    connection: Connection, tenant: HttpTenant
) -> None:
    tenant.once("GET", "/v1/test/1", lost=True)
    wire = Client(connection)
    with pytest.raises(CallError) as caught:
        wire.send(Request(READ, {"test": "1"}), {})
    wire.close()
    assert type(caught.value) is RECOVERY[Event.LOST].error
