"""Every class of answer, from a learner's save (a write) and the reading of a test's candidates."""

import threading
from typing import Any

import pytest
from sync.errors import CallMissing, Refused, Stop, Unknown
from sync.inspera.connection import Connection
from sync.inspera.target import InsperaTarget
from sync.records.base import Kind
from sync.records.changes import Action, Change, Outcome, Result
from sync.records.remote import Assignment

from .conftest import MakeTarget
from .http_tenant import HttpTenant
from .made_up import LEARNER, SAVE_LEARNER
from .waiting import NOON, Time


def _save(target: InsperaTarget) -> Outcome:
    return target.save_learner(LEARNER, None)


def test_a_learner_is_sent_with_mapped_fields_only_and_an_external_id_of_its_auth_system(
    target: InsperaTarget, tenant: HttpTenant
) -> None:
    assert _save(target).result is Result.DONE
    assert tenant.calls(*SAVE_LEARNER)[0].body == {
        "username": "aaseb",
        "firstName": "Åse",
        "lastName": "Bergström-Łuczak",
        "externalIds": [{"authType": "FEIDE", "externalId": "aaseb@example.edu"}],
    }


def test_a_blank_that_clears_is_sent_and_a_password_when_one_is_given(
    target: InsperaTarget, tenant: HttpTenant
) -> None:
    change = Change(
        Action.CREATE, Kind.LEARNER, ("4711",), after={"username": "aaseb", "email": ""}
    )
    target.save_learner(change, "s3cret-made-up")
    assert tenant.calls(*SAVE_LEARNER)[0].body == {
        "username": "aaseb",
        "email": "",
        "password": "s3cret-made-up",
    }


def test_a_learner_without_a_username_is_not_sent(
    target: InsperaTarget, tenant: HttpTenant
) -> None:
    outcome = target.save_learner(
        Change(Action.CREATE, Kind.LEARNER, ("4711",), after={"first_name": "Åse"}), None
    )
    assert (outcome.result, tenant.seen) == (Result.NOT_SENT, [])


@pytest.mark.parametrize("status", [400, 403, 409, 413, 422])
def test_a_refusal_is_passed_on_in_the_vendors_words_and_not_repeated(
    target: InsperaTarget, tenant: HttpTenant, status: int
) -> None:
    tenant.once(
        *SAVE_LEARNER, status, body={"success": False, "message": "the user name is too long"}
    )
    outcome = _save(target)
    assert outcome == Outcome(
        Result.REFUSED, f"Inspera refused learner.create ({status}): the user name is too long"
    )
    assert len(tenant.calls(*SAVE_LEARNER)) == 1


@pytest.mark.parametrize(
    "body",
    [{"success": True, "errors": ["quota reached"]}, {"success": False, "error": "quota reached"}],
)
def test_a_200_with_errors_is_a_refusal(
    target: InsperaTarget, tenant: HttpTenant, body: Any
) -> None:
    tenant.once(*SAVE_LEARNER, 200, body=body)
    assert _save(target) == Outcome(
        Result.REFUSED, "Inspera refused learner.create (200): quota reached"
    )


def test_a_200_with_an_empty_list_of_errors_is_done(
    target: InsperaTarget, tenant: HttpTenant
) -> None:
    tenant.once(*SAVE_LEARNER, 200, body={"success": True, "errors": []})
    assert _save(target).result is Result.DONE


def test_a_204_is_done(target: InsperaTarget, tenant: HttpTenant) -> None:
    tenant.once(*SAVE_LEARNER, 204)
    assert _save(target).result is Result.DONE


LOST: list[dict[str, Any]] = [
    {"status": 500},
    {"status": 502},
    {"status": 504},
    {"status": 408},
    {"lost": True},
    {"body": b"<html>maintenance</html>"},
    {"body": b""},
    {"body": b"[" * 100_000},
    {"body": b'"done"'},
]


@pytest.mark.parametrize("reply", LOST)
def test_a_lost_answer_to_a_learners_save_is_settled_by_repeating(
    target: InsperaTarget, tenant: HttpTenant, reply: dict[str, Any]
) -> None:
    tenant.once(*SAVE_LEARNER, **reply)
    assert _save(target).result is Result.DONE
    assert len(tenant.calls(*SAVE_LEARNER)) == 2


@pytest.mark.parametrize("reply", LOST)
def test_a_learners_save_whose_answers_are_all_lost_is_unknown(
    target: InsperaTarget, tenant: HttpTenant, reply: dict[str, Any]
) -> None:
    tenant.once(*SAVE_LEARNER, times=3, **reply)
    outcome = _save(target)
    assert outcome.result is Result.UNKNOWN
    assert "not known whether it was carried out" in outcome.message
    assert len(tenant.calls(*SAVE_LEARNER)) == 3


def test_what_was_lost_once_stays_unknown_when_later_attempts_are_not_taken(
    target: InsperaTarget, tenant: HttpTenant
) -> None:
    tenant.once(*SAVE_LEARNER, 500)
    tenant.once(*SAVE_LEARNER, 429, times=2)
    assert _save(target).result is Result.UNKNOWN


def test_a_read_timeout_is_unknown(make_target: MakeTarget, tenant: HttpTenant) -> None:
    held = threading.Event()
    tenant.refuse_seat = lambda _: held.wait(5)
    target = make_target(read_timeout=0.05, attempts=1)
    number = tenant.add_test("INF101")
    outcomes = target.assign(number, [Assignment("FEIDE", "4711")])
    held.set()
    assert [outcome.result for outcome in outcomes] == [Result.UNKNOWN]
    assert "did not answer candidate.assign in time" in outcomes[0].message


def test_a_404_on_saving_a_person_says_that_the_call_is_missing_unless_it_has_worked(
    target: InsperaTarget, tenant: HttpTenant
) -> None:
    assert _save(target).result is Result.DONE
    tenant.once(*SAVE_LEARNER, 404)
    assert _save(target).result is Result.REFUSED


def test_a_tenant_without_the_call_that_saves_people_is_reported_once_and_refuses_nobody(
    target: InsperaTarget, tenant: HttpTenant
) -> None:
    tenant.every(*SAVE_LEARNER, 404)
    outcomes = [_save(target) for _ in range(3)]
    assert {outcome.result for outcome in outcomes} == {Result.NOT_SENT}
    assert "`inspera-sync doctor`" in outcomes[0].message
    assert len(tenant.calls(*SAVE_LEARNER)) == 1


@pytest.mark.parametrize("status", [405, 501])
def test_a_call_that_the_tenant_lacks_is_sent_once_in_a_run(
    target: InsperaTarget, tenant: HttpTenant, status: int
) -> None:
    tenant.every(*SAVE_LEARNER, status)
    first, second = _save(target), _save(target)
    assert [first.result, second.result] == [Result.NOT_SENT] * 2
    assert "this tenant does not seem to have the call learner.create" in second.message
    assert "inspera-sync doctor" in second.message
    assert len(tenant.calls(*SAVE_LEARNER)) == 1


def test_a_missing_call_does_not_stop_the_others(target: InsperaTarget, tenant: HttpTenant) -> None:
    tenant.every(*SAVE_LEARNER, 405)
    _save(target)
    assert target.read_test(tenant.add_test("INF101")) is not None


def test_a_429_is_sent_again_after_the_wait_that_it_asks_for(
    target: InsperaTarget, tenant: HttpTenant, time: Time
) -> None:
    tenant.once(*SAVE_LEARNER, 429, headers={"Retry-After": "17"})
    assert _save(target).result is Result.DONE
    assert time.passed == pytest.approx(17)


@pytest.mark.parametrize(
    "reply",
    [
        {"status": 503, "body": {"message": "The limit of 10 concurrent requests is reached"}},
        {"status": 503, "body": b"<html><h1>Too Many Requests</h1></html>"},
        {"status": 500, "body": {"fault": {"code": "RATE_LIMIT_EXCEEDED"}}},
        {"status": 403, "body": {"error": "API request limit exceeded"}},
        {"status": 400, "body": {"errors": [{"externalId": "a", "message": "Too many requests"}]}},
        {"status": 200, "body": {"success": True, "errors": ["Too many concurrent requests"]}},
    ],
)
def test_words_of_the_limit_on_requests_count_as_429_whatever_the_status_is(
    target: InsperaTarget, tenant: HttpTenant, reply: dict[str, Any]
) -> None:
    tenant.once(*SAVE_LEARNER, times=2, **reply)
    assert _save(target).result is Result.DONE
    assert len(tenant.calls(*SAVE_LEARNER)) == 3
    tenant.once(*SAVE_LEARNER, times=3, **reply)
    outcome = _save(target)
    assert outcome.result is Result.NOT_SENT
    assert f"({reply['status']})" in outcome.message
    assert (target.out_of_reach, target.stopped) == (None, None)


@pytest.mark.parametrize(
    "reply",
    [
        {"status": 400, "body": {"message": "The limit of 1500 candidates is reached"}},
        {"status": 409, "body": {"message": "limit reached"}},
        {"status": 200, "body": {"success": False, "error": "request has a time limit"}},
        {"status": 413, "body": {"message": "The request exceeds the size limit"}},
    ],
)
def test_words_of_another_limit_are_a_refusal(
    target: InsperaTarget, tenant: HttpTenant, reply: dict[str, Any]
) -> None:
    tenant.once(*SAVE_LEARNER, **reply)
    assert _save(target).result is Result.REFUSED
    assert len(tenant.calls(*SAVE_LEARNER)) == 1


def test_a_success_that_contains_such_words_is_a_success(
    target: InsperaTarget, tenant: HttpTenant
) -> None:
    tenant.once(*SAVE_LEARNER, body={"success": True, "message": "Too many requests"})
    assert _save(target).result is Result.DONE


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (400, {"error": "too_many_requests"}),
        (503, {"error": "limit reached"}),
        (200, {"success": False, "error": "Rate limit exceeded"}),
    ],
)
def test_words_of_the_limit_on_requests_are_no_refusal_of_the_key(
    target: InsperaTarget, tenant: HttpTenant, status: int, body: Any
) -> None:
    tenant.once("POST", "/authenticate/token/", status, body=body)
    assert _save(target).result is Result.DONE
    assert target.stopped is None


def test_a_refused_call_that_was_alone_slows_the_rate_down_too(
    make_target: MakeTarget, tenant: HttpTenant, time: Time
) -> None:
    target = make_target(calls_per_second=10)
    tenant.once(*SAVE_LEARNER, 429, headers={"Retry-After": "0"})
    for _ in range(3):
        _save(target)
    assert 0.55 < time.passed < 0.65, "it would be 0.4 s at 10 a second"


def test_a_wait_may_be_asked_for_as_a_date(
    target: InsperaTarget, tenant: HttpTenant, time: Time
) -> None:
    tenant.once(*SAVE_LEARNER, 429, headers={"Retry-After": "Thu, 02 May 2030 12:00:40 GMT"})
    assert _save(target).result is Result.DONE
    assert time.passed == pytest.approx(40)


@pytest.mark.parametrize("asked", ["7200", "Fri, 03 May 2030 12:00:00 GMT", "1e300"])
def test_no_wait_is_longer_than_the_ceiling(
    target: InsperaTarget, tenant: HttpTenant, time: Time, asked: str
) -> None:
    tenant.once(*SAVE_LEARNER, 429, headers={"Retry-After": asked})
    assert _save(target).result is Result.DONE
    assert time.passed == pytest.approx(60)


@pytest.mark.parametrize("asked", ["soon", "nan", "-5", "Thu, 99 May", ""])
def test_a_senseless_wait_falls_back_to_a_short_random_one(
    target: InsperaTarget, tenant: HttpTenant, time: Time, asked: str
) -> None:
    tenant.once(*SAVE_LEARNER, 429, headers={"Retry-After": asked})
    assert _save(target).result is Result.DONE
    assert time.passed <= 30


def test_a_429_holds_the_other_workers_too(
    make_target: MakeTarget, tenant: HttpTenant, time: Time
) -> None:
    """With one attempt the refused worker does not wait itself; with two the throttle pauses."""
    target = make_target(attempts=2)
    tenant.once(*SAVE_LEARNER, 429, headers={"Retry-After": "20"})
    sent: list[float] = []

    def another_worker() -> None:
        time.while_waiting = lambda: None
        time.passed -= 20  # that wait was the first worker's; for this one it begins now
        target.read_test("1")
        sent.append(time.passed)

    time.while_waiting = another_worker
    assert _save(target).result is Result.DONE
    assert sent == [pytest.approx(20)]


def test_a_429_to_the_end_is_not_sent(target: InsperaTarget, tenant: HttpTenant) -> None:
    tenant.every(*SAVE_LEARNER, 429)
    outcome = _save(target)
    assert outcome.result is Result.NOT_SENT
    assert "429" in outcome.message
    assert len(tenant.calls(*SAVE_LEARNER)) == 3


def test_a_503_that_asks_for_a_wait_gets_it(
    target: InsperaTarget, tenant: HttpTenant, time: Time
) -> None:
    tenant.once(*SAVE_LEARNER, 503, headers={"Retry-After": "45"})
    assert _save(target).result is Result.DONE
    assert time.passed == pytest.approx(45)


def test_a_tenant_that_is_never_available_ends_the_run_instead_of_wearing_every_record_out(
    target: InsperaTarget, tenant: HttpTenant
) -> None:
    tenant.every(*SAVE_LEARNER, 503)
    # 4 workers with 3 attempts each: the twelfth attempt in a row is one too many.
    assert [_save(target).result for _ in range(4)] == [Result.UNKNOWN] * 4
    with pytest.raises(Stop, match=r"not available.*12 times in a row"):
        _save(target)
    assert len(tenant.calls(*SAVE_LEARNER)) == 12
    assert target.stopped is not None


def test_a_record_that_always_breaks_the_server_never_ends_the_run(
    target: InsperaTarget, tenant: HttpTenant
) -> None:
    tenant.every(*SAVE_LEARNER, 500)
    assert [_save(target).result for _ in range(10)] == [Result.UNKNOWN] * 10


@pytest.mark.parametrize("reply", [*LOST, {"status": 503}, {"status": 429}])
def test_a_reading_is_repeated_whatever_was_lost(
    target: InsperaTarget, tenant: HttpTenant, reply: dict[str, Any]
) -> None:
    number = tenant.add_test("INF101")
    tenant.once("GET", f"/v1/test/{number}/candidates", **reply)
    assert target.members(number).readable


def test_a_reading_that_is_lost_to_the_end_says_so(
    target: InsperaTarget, tenant: HttpTenant
) -> None:
    number = tenant.add_test("INF101")
    tenant.every("GET", f"/v1/test/{number}/candidates", 500)
    with pytest.raises(Unknown):
        target.members(number)


def test_a_reading_that_is_refused_says_so(target: InsperaTarget, tenant: HttpTenant) -> None:
    tenant.every("GET", "/v1/test/7", 403, {"message": "not yours"})
    with pytest.raises(Refused, match="not yours"):
        target.read_test("7")


def test_a_reading_that_the_tenant_lacks_says_so(target: InsperaTarget, tenant: HttpTenant) -> None:
    tenant.every("GET", "/v1/test/7", 405)
    with pytest.raises(CallMissing):
        target.read_test("7")


def test_nothing_is_sent_once_the_run_is_being_ended(
    target: InsperaTarget, tenant: HttpTenant, stop: threading.Event
) -> None:
    stop.set()
    assert _save(target).result is Result.NOT_SENT
    assert tenant.seen == []


def test_a_wait_between_attempts_ends_with_the_run_and_nothing_more_is_sent(
    target: InsperaTarget, tenant: HttpTenant, time: Time, stop: threading.Event
) -> None:
    tenant.every(*SAVE_LEARNER, 429)
    time.while_waiting = stop.set
    assert _save(target).result is Result.NOT_SENT
    assert len(tenant.calls(*SAVE_LEARNER)) == 1


def test_what_was_lost_stays_unknown_when_the_run_is_ended_before_it_is_repeated(
    target: InsperaTarget, tenant: HttpTenant, time: Time, stop: threading.Event
) -> None:
    tenant.every(*SAVE_LEARNER, 500)
    time.while_waiting = stop.set
    assert _save(target).result is Result.UNKNOWN
    assert len(tenant.calls(*SAVE_LEARNER)) == 1


def test_a_real_wait_ends_at_once_when_the_run_is_being_ended(
    connection: Connection, tenant: HttpTenant, stop: threading.Event
) -> None:
    """No door is given here: the target waits on the event itself."""
    tenant.every(*SAVE_LEARNER, 429, {})
    tenant.always["POST", "/v1/users/student"].headers = {"Retry-After": "60"}
    with InsperaTarget(connection, stop, lambda: NOON) as target:
        threading.Timer(0.05, stop.set).start()
        assert _save(target).result is Result.NOT_SENT
    assert len(tenant.calls(*SAVE_LEARNER)) == 1


def test_an_account_that_is_there_already_keeps_its_own_password(
    target: InsperaTarget, tenant: HttpTenant
) -> None:
    link = {"authType": LEARNER.after["auth_system"], "externalId": LEARNER.after["external_id"]}
    tenant.learners["aaseb"] = {"userId": 7, "username": "aaseb", "externalIds": [link]}
    assert target.save_learner(LEARNER, "made-up-secret").result is Result.DONE
    assert [
        seen.body
        for seen in tenant.seen
        if seen.method == "POST" and seen.body and "password" in seen.body
    ] == []
