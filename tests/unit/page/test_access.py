"""Tokens and sessions of the status page, with the time passed in."""

import pytest
from sync.page.access import (
    IDLE,
    LONGEST,
    MOST_SESSIONS,
    WINDOW,
    WRONG_OF_ALL,
    WRONG_OF_ONE,
    Access,
    TooMany,
    WrongToken,
)


class Desk:
    """A log-in with a clock and a token that tests turn."""

    def __init__(self) -> None:
        self.time, self.token = 1000.0, "t" * 24
        self.access = Access(lambda: self.token, lambda: self.time)

    def log_in(self, client: str = "10.0.0.1") -> str:
        return self.access.log_in(self.token, client)

    def wrong(self, client: str = "10.0.0.1") -> None:
        with pytest.raises(WrongToken):
            self.access.log_in("wrong", client)


@pytest.fixture
def desk() -> Desk:
    return Desk()


def test_the_right_token_begins_a_session_and_each_has_a_proof_of_its_own(desk: Desk) -> None:
    one, other = (desk.access.session(desk.log_in()) for _ in range(2))
    assert one
    assert other
    assert one.csrf != other.csrf


@pytest.mark.parametrize("cookie", [None, "", "made up"])
def test_other_cookies_are_no_session(desk: Desk, cookie: str | None) -> None:
    assert desk.access.session(cookie) is None


@pytest.mark.parametrize("given", ["", "wrong", "t" * 23, "\ud800"])
def test_a_wrong_token_begins_none(desk: Desk, given: str) -> None:
    with pytest.raises(WrongToken):
        desk.access.log_in(given, "10.0.0.1")


def test_a_session_ends_when_idle_and_at_its_end_however_busy(desk: Desk) -> None:
    idle, busy = desk.log_in(), desk.log_in()
    for _ in range(int(LONGEST // (IDLE - 1))):
        desk.time += IDLE - 1
        assert desk.access.session(busy)
    assert desk.access.session(idle) is None
    desk.time += IDLE - 1
    assert desk.access.session(busy) is None


def test_a_new_token_ends_all_sessions(desk: Desk) -> None:
    cookie = desk.log_in()
    desk.token = "another" * 4
    assert desk.access.session(cookie) is None


def test_logging_out_ends_one_session(desk: Desk) -> None:
    one, other = desk.log_in(), desk.log_in()
    desk.access.log_out(one)
    assert desk.access.session(one) is None
    assert desk.access.session(other)


def test_one_more_session_ends_the_oldest(desk: Desk) -> None:
    cookies = [desk.log_in() for _ in range(MOST_SESSIONS + 1)]
    assert [desk.access.session(one) is not None for one in cookies] == [False] + [True] * (
        MOST_SESSIONS
    )


def test_after_wrong_tokens_even_the_right_one_waits_and_other_clients_do_not(desk: Desk) -> None:
    for _ in range(WRONG_OF_ONE):
        desk.wrong()
    with pytest.raises(TooMany) as refused:
        desk.log_in()
    assert 0 < refused.value.seconds <= WINDOW + 1
    assert desk.log_in("10.0.0.2")
    desk.time += WINDOW + 1
    assert desk.log_in()


def test_many_clients_together_are_bounded_too(desk: Desk) -> None:
    for number in range(WRONG_OF_ALL):
        desk.wrong(f"10.0.1.{number}")
    with pytest.raises(TooMany):
        desk.log_in("10.0.0.2")
