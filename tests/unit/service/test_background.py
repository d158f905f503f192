"""A question that may hang never keeps who asks it waiting longer than they said."""

import time
from collections.abc import Iterator
from threading import Event, current_thread

import pytest
from sync.errors import StateError
from sync.service.background import BackgroundCall

from .fakes import PATIENCE, until


class Oracle:
    """Answers with `says`, once it may."""

    def __init__(self) -> None:
        self.may_answer = Event()
        self.asked: list[str] = []
        self.says: object = "yes"

    def ask(self) -> object:
        self.asked.append(current_thread().name)
        assert self.may_answer.wait(PATIENCE)
        if isinstance(self.says, BaseException):
            raise self.says
        return self.says


@pytest.fixture
def oracle() -> Iterator[Oracle]:
    oracle = Oracle()
    yield oracle
    oracle.may_answer.set()


def test_an_answer_is_given_as_soon_as_it_is_there_and_each_question_is_asked_anew(
    oracle: Oracle,
) -> None:
    call = BackgroundCall(oracle.ask, "lead")
    oracle.may_answer.set()
    began = time.monotonic()
    assert call.result(PATIENCE) == "yes"
    oracle.says = "no"
    assert call.result(PATIENCE) == "no"
    assert time.monotonic() - began < 2
    assert oracle.asked == ["lead", "lead"]  # in threads of their own, named for who looks at them
    assert call.pending_for == 0


def test_a_question_that_hangs_does_not_block_longer_than_was_said_and_is_not_asked_twice(
    oracle: Oracle,
) -> None:
    call = BackgroundCall(oracle.ask, "lead")
    for times in (1, 2, 3):
        began = time.monotonic()
        with pytest.raises(TimeoutError):
            call.result(0.05)
        assert 0.04 < time.monotonic() - began < 1
        assert call.pending_for > 0.04 * times
    assert len(oracle.asked) == 1


def test_the_answer_to_a_question_that_hung_is_given_to_anyone_who_asks_next(
    oracle: Oracle,
) -> None:
    call = BackgroundCall(oracle.ask, "lead")
    with pytest.raises(TimeoutError):
        call.result(0.01)
    oracle.may_answer.set()
    assert call.result(PATIENCE) == "yes"
    assert call.pending_for == 0
    assert len(oracle.asked) == 1


@pytest.mark.parametrize(
    "error", [StateError("damaged"), ZeroDivisionError("unforeseen"), SystemExit(3)]
)
def test_what_the_question_raises_is_raised_where_the_answer_is_needed(
    oracle: Oracle, error: BaseException
) -> None:
    call = BackgroundCall(oracle.ask, "lead")
    oracle.says = error
    with pytest.raises(TimeoutError):
        call.result(0.01)
    oracle.may_answer.set()
    with pytest.raises(type(error)) as raised:
        call.result(PATIENCE)
    assert raised.value is error
    oracle.says = "yes"
    assert call.result(PATIENCE) == "yes"


@pytest.mark.process
def test_a_question_that_hangs_does_not_keep_the_process_alive() -> None:
    import subprocess
    import sys

    code = (
        "import threading; from sync.service.background import BackgroundCall\n"
        "try: BackgroundCall(threading.Event().wait, 'lead').result(0.01)\n"
        "except TimeoutError: print('gone')"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=20, check=True
    )
    assert done.stdout == "gone\n"


def test_the_time_for_which_it_is_open_runs_from_when_it_was_asked(oracle: Oracle) -> None:
    call = BackgroundCall(oracle.ask, "lead")
    assert call.pending_for == 0
    with pytest.raises(TimeoutError):
        call.result(0)
    until(lambda: call.pending_for > 0.1)
