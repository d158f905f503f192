"""The token's life: fetched late, shared, renewed in time, and what ends the run."""

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sync.errors import Stop
from sync.inspera.target import InsperaTarget
from sync.records.changes import Result

from .conftest import MakeTarget
from .http_tenant import KEY, HttpTenant
from .made_up import LEARNER
from .waiting import Time

TOKEN = ("POST", "/authenticate/token/")


def test_no_token_is_fetched_before_the_first_call(
    target: InsperaTarget, tenant: HttpTenant
) -> None:
    assert tenant.seen == []
    target.read_test("7")
    assert len(tenant.calls(*TOKEN)) == 1


def test_the_key_goes_in_a_header_and_never_into_the_address(
    target: InsperaTarget, tenant: HttpTenant
) -> None:
    target.read_test("7")
    call = tenant.calls(*TOKEN)[0]
    assert call.headers["code"] == KEY
    assert call.query == {"grant_type": "authorization_code", "client_id": "made-up"}
    assert call.headers["Content-Type"] == "application/x-www-form-urlencoded"
    assert "Authorization" not in call.headers


def test_many_workers_share_one_token(target: InsperaTarget, tenant: HttpTenant) -> None:
    with ThreadPoolExecutor(8) as workers:
        results = list(workers.map(lambda _: target.save_learner(LEARNER, None).result, range(40)))
    assert set(results) == {Result.DONE}
    assert len(tenant.calls(*TOKEN)) == 1


def test_a_token_is_renewed_a_minute_before_it_ends_and_not_sooner(
    target: InsperaTarget, tenant: HttpTenant, time: Time
) -> None:
    target.read_test("7")
    time.passed = 3539
    target.read_test("7")
    assert tenant.tokens == 1
    time.passed = 3540
    target.read_test("7")
    assert tenant.tokens == 2


def test_a_short_lived_token_serves_half_its_life(
    target: InsperaTarget, tenant: HttpTenant, time: Time
) -> None:
    tenant.token_life = 40
    for moment, fetched in [(0, 1), (19, 1), (20, 2)]:
        time.passed = moment
        target.read_test("7")
        assert tenant.tokens == fetched


@pytest.mark.parametrize("life", [None, "an hour", 0, -1, True])
def test_a_token_whose_life_is_not_said_lives_an_hour(
    target: InsperaTarget, tenant: HttpTenant, time: Time, life: Any
) -> None:
    tenant.token_life = life
    for moment, fetched in [(0, 1), (3500, 1), (3540, 2)]:
        time.passed = moment
        target.read_test("7")
        assert tenant.tokens == fetched


def test_a_401_renews_the_token_once_and_the_call_goes_on(
    target: InsperaTarget, tenant: HttpTenant
) -> None:
    target.read_test("7")
    tenant.tokens += 1  # somebody else took a token, and ours is void
    assert target.save_learner(LEARNER, None).result is Result.DONE
    assert len(tenant.calls(*TOKEN)) == 2


def test_workers_that_meet_a_void_token_together_renew_it_once(
    target: InsperaTarget, tenant: HttpTenant
) -> None:
    target.read_test("7")
    tenant.tokens += 1
    with ThreadPoolExecutor(8) as workers:
        results = list(workers.map(lambda _: target.save_learner(LEARNER, None).result, range(40)))
    assert set(results) == {Result.DONE}
    assert len(tenant.calls(*TOKEN)) == 2


def test_a_401_after_the_renewal_ends_the_run(target: InsperaTarget, tenant: HttpTenant) -> None:
    tenant.every("POST", "/v1/users/student", 401)
    with pytest.raises(Stop, match="does not accept its own new token"):
        target.save_learner(LEARNER, None)
    assert len(tenant.calls(*TOKEN)) == 2
    asked = len(tenant.seen)
    with pytest.raises(Stop):
        target.read_test("7")
    assert len(tenant.seen) == asked


@pytest.mark.parametrize(
    ("status", "body", "words"),
    [
        (400, {"error": "bad client"}, "bad client.*inspera.api_key and inspera.client_id"),
        (401, {"error": "invalid_grant"}, "invalid_grant.*the API key is refused"),
        (403, {}, "may not use the API"),
        (404, {}, "this address has no Inspera.*inspera.url"),
        (
            409,
            {"error": "Multiple tokens for user", "description": "Please contact inspera support"},
            "Multiple tokens for user; Please contact inspera support.*a person must",
        ),
        (200, {"access": "none"}, "contains no token"),
        (302, {}, "redirect"),
    ],
)
def test_a_token_that_is_refused_ends_the_run_and_says_what_to_do(
    target: InsperaTarget, tenant: HttpTenant, status: int, body: Any, words: str
) -> None:
    tenant.every(*TOKEN, status, body)
    with pytest.raises(Stop, match=words) as caught:
        target.save_learner(LEARNER, None)
    assert KEY not in str(caught.value)
    assert len(tenant.seen) == 1
    assert target.stopped == str(caught.value)


@pytest.mark.parametrize(
    "reply", [{"status": 500}, {"status": 501}, {"status": 429}, {"lost": True}]
)
def test_a_token_that_cannot_be_had_just_now_is_asked_for_again(
    target: InsperaTarget, tenant: HttpTenant, reply: dict[str, Any]
) -> None:
    tenant.once(*TOKEN, **reply)
    assert target.save_learner(LEARNER, None).result is Result.DONE


@pytest.mark.parametrize("reply", [{"status": 500}, {"status": 429}, {"lost": True}])
def test_without_a_token_nothing_was_sent(
    target: InsperaTarget, tenant: HttpTenant, reply: dict[str, Any]
) -> None:
    tenant.once(*TOKEN, times=3, **reply)
    assert target.save_learner(LEARNER, None).result is Result.NOT_SENT
    assert tenant.calls() == []


def test_a_429_on_the_token_waits_as_long_as_it_asks(
    target: InsperaTarget, tenant: HttpTenant, time: Time
) -> None:
    tenant.once(*TOKEN, 429, headers={"Retry-After": "12"})
    assert target.save_learner(LEARNER, None).result is Result.DONE
    assert time.passed == pytest.approx(12)


@pytest.mark.parametrize("key", ["", "  ", "two\nlines", "nøkkel"])
def test_a_key_that_cannot_be_one_is_never_sent(
    make_target: MakeTarget, tenant: HttpTenant, key: str
) -> None:
    with pytest.raises(Stop, match=r"inspera\.api_key"):
        make_target(api_key=lambda: key).read_test("7")
    assert tenant.seen == []


def test_a_key_file_that_ends_in_a_line_break_is_fine(
    make_target: MakeTarget, tenant: HttpTenant
) -> None:
    assert make_target(api_key=lambda: f"{KEY}\n").save_learner(LEARNER, None).result is Result.DONE


def test_a_replaced_key_is_picked_up_with_the_next_token(
    make_target: MakeTarget, time: Time
) -> None:
    keys = iter([KEY, "an old key"])
    target = make_target(api_key=lambda: next(keys))
    target.read_test("7")
    time.passed = 4000
    with pytest.raises(Stop, match="the API key is refused"):
        target.read_test("7")


def test_workers_do_not_queue_for_a_token_once_the_run_is_being_ended(
    target: InsperaTarget, tenant: HttpTenant, stop: threading.Event
) -> None:
    stop.set()
    with ThreadPoolExecutor(8) as workers:
        results = list(workers.map(lambda _: target.save_learner(LEARNER, None).result, range(20)))
    assert set(results) == {Result.NOT_SENT}
    assert tenant.seen == []
