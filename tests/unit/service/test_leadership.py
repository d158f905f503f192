"""How a service stands to its state: it asks again and again, and never hangs on it."""

import time
from collections.abc import Callable, Iterator, Mapping
from threading import Event

import pytest
import structlog
from structlog.testing import LogCapture
from sync.errors import Locked, StateError, StateUnreachable
from sync.service.leadership import Leadership

from .fakes import PATIENCE, Past, now, until

SHORT = 0.02
SILENT = "the state does not answer; check its database server"


class State:
    """Answers with what a test sets, as soon as it may."""

    def __init__(self) -> None:
        self.lead: bool | Exception = True
        self.prepared: Exception | None = None
        self.says_lead, self.says_prepared = Event(), Event()
        self.says_lead.set()
        self.says_prepared.set()
        self.preparations = 0
        self.past = {"nightly": Past(now())}

    def leads(self) -> bool:
        self.says_lead.wait(PATIENCE)
        if isinstance(self.lead, Exception):
            raise self.lead
        return self.lead

    def approvals_wait(self) -> bool:
        return False

    def take_requested(self) -> list[str]:
        return []

    def prepare(self) -> Mapping[str, Past]:
        self.preparations += 1
        past, error = dict(self.past), self.prepared
        self.says_prepared.wait(PATIENCE)
        if error:
            raise error
        return past


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sync.service.leadership.PATIENCE", 0.2)
    monkeypatch.setattr("sync.service.leadership._PAUSES", (SHORT,))


@pytest.fixture
def state() -> Iterator[State]:
    state = State()
    yield state
    state.says_lead.set()
    state.says_prepared.set()


@pytest.fixture
def leadership(state: State) -> Leadership:
    return Leadership(state)


def looks(leadership: Leadership, met: Callable[[], bool]) -> list[Mapping[str, Past]]:
    """Check until the condition holds; return each job history on the way."""
    said: list[Mapping[str, Past]] = []

    def looked() -> bool:
        past = leadership.check(SHORT)
        if past is not None:
            said.append(past)  # type: ignore[arg-type]
        return met()

    until(looked)
    return said


def ready(leadership: Leadership) -> None:
    looks(leadership, lambda: leadership.ready)
    assert (leadership.leads, leadership.unreachable) == (True, "")


def test_who_leads_makes_the_state_ready_once_and_is_reported_what_it_remembers(
    state: State, leadership: Leadership
) -> None:
    assert looks(leadership, lambda: leadership.ready) == [state.past]
    for _ in range(3):
        assert leadership.check(PATIENCE) is None
    assert state.preparations == 1
    assert leadership.idle


def test_who_stands_by_prepares_nothing(state: State, leadership: Leadership) -> None:
    state.lead = False
    for _ in range(3):
        assert leadership.check(PATIENCE) is None
    assert (leadership.leads, leadership.ready, leadership.unreachable) == (False, False, "")
    assert state.preparations == 0


@pytest.mark.parametrize("question", ["says_lead", "says_prepared"])
def test_a_look_does_not_take_longer_than_it_may(
    state: State, leadership: Leadership, question: str
) -> None:
    getattr(state, question).clear()
    for _ in range(3):
        began = time.monotonic()
        assert leadership.check(SHORT) is None
        assert time.monotonic() - began < 1
        assert not leadership.idle
    getattr(state, question).set()
    ready(leadership)
    looks(leadership, lambda: leadership.idle)


def test_a_short_silence_changes_nothing(state: State, leadership: Leadership) -> None:
    ready(leadership)
    state.says_lead.clear()
    began = time.monotonic()
    while time.monotonic() - began < 0.1:
        leadership.check(SHORT)
        assert (leadership.leads, leadership.ready, leadership.unreachable) == (True, True, "")


def test_who_gets_no_answer_for_long_leads_no_longer_until_there_is_one(
    state: State, leadership: Leadership
) -> None:
    ready(leadership)
    state.says_lead.clear()
    began = time.monotonic()
    looks(leadership, lambda: not leadership.leads)
    assert time.monotonic() - began >= 0.2
    assert (leadership.ready, leadership.unreachable) == (False, SILENT)
    state.says_lead.set()
    assert looks(leadership, lambda: leadership.ready) == [state.past]
    assert (leadership.leads, leadership.unreachable, state.preparations) == (True, "", 2)


def test_a_state_that_never_answered_counts_as_out_of_reach_and_answers_later(
    state: State, leadership: Leadership
) -> None:
    state.says_lead.clear()
    looks(leadership, lambda: bool(leadership.unreachable))
    assert (leadership.leads, leadership.unreachable) == (False, SILENT)
    state.says_lead.set()
    ready(leadership)


def test_preparing_may_take_as_long_as_it_takes(state: State, leadership: Leadership) -> None:
    state.says_prepared.clear()
    began = time.monotonic()
    looks(leadership, lambda: time.monotonic() - began > 0.5)  # more than patience
    assert (leadership.leads, leadership.ready, leadership.unreachable) == (True, False, "")
    state.says_prepared.set()
    ready(leadership)
    assert state.preparations == 1


@pytest.mark.parametrize(
    "error", [Locked("in use by pid 1 (apply)"), StateUnreachable("the server starts up")]
)
def test_what_stands_in_the_way_of_preparing_is_said_and_tried_again(
    state: State, leadership: Leadership, error: Exception
) -> None:
    state.prepared = error
    looks(leadership, lambda: state.preparations >= 3)
    assert (leadership.leads, leadership.ready, leadership.unreachable) == (True, False, str(error))
    state.prepared = None
    ready(leadership)


def test_it_is_not_prepared_again_at_once(
    state: State, leadership: Leadership, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sync.service.leadership._PAUSES", (0.0, 60.0))
    state.prepared = Locked("in use by pid 1 (apply)")
    looks(leadership, lambda: state.preparations == 2)
    looks(leadership, lambda: leadership.idle)
    for _ in range(5):
        leadership.check(SHORT)
    assert state.preparations == 2


def test_a_state_out_of_reach_at_first_is_waited_for(state: State, leadership: Leadership) -> None:
    state.lead = StateUnreachable("the server is down")
    looks(leadership, lambda: bool(leadership.unreachable))
    assert (leadership.leads, leadership.ready, leadership.unreachable) == (
        False,
        False,
        "the server is down",
    )
    state.lead = True
    ready(leadership)


@pytest.mark.parametrize("question", ["lead", "prepared"])
def test_what_time_does_not_mend_is_raised_at_first_and_borne_later(
    state: State, leadership: Leadership, question: str
) -> None:
    good = getattr(state, question)
    setattr(state, question, StateError("refuses the login"))
    with pytest.raises(StateError, match="refuses the login"):
        looks(leadership, lambda: leadership.ready)
    setattr(state, question, good)
    ready(leadership)
    state.lead = False
    looks(leadership, lambda: not leadership.leads)
    state.lead = True
    setattr(state, question, StateError("refuses the login"))
    looks(leadership, lambda: leadership.unreachable == "refuses the login")
    setattr(state, question, good)
    ready(leadership)


def test_an_outage_of_who_stands_by_passes(state: State, leadership: Leadership) -> None:
    state.lead = False
    leadership.check(PATIENCE)
    for error in (StateUnreachable("the server is down"), StateError("refuses the login")):
        state.lead = error
        looks(leadership, lambda: leadership.unreachable == str(error))  # noqa: B023 - called at once
        state.lead = False
        looks(leadership, lambda: leadership.unreachable == "")
        assert (leadership.leads, leadership.ready) == (False, False)
    assert state.preparations == 0


def test_what_was_remembered_before_the_lead_was_lost_is_not_taken_for_what_is_remembered_now(
    state: State, leadership: Leadership
) -> None:
    state.says_prepared.clear()
    looks(leadership, lambda: state.preparations == 1)  # and it hangs
    state.lead = False
    looks(leadership, lambda: not leadership.leads)
    state.says_prepared.set()
    state.past = {"nightly": Past(now(), cut_off=True)}  # another service led meanwhile
    state.lead = True
    assert looks(leadership, lambda: leadership.ready) == [state.past]


FULL = StateUnreachable(
    "state.db: the state can't be used just now: the disk is full; free some space"
)
LOST, FOUND = "the state can't be used just now; tried again", "the state can be used again"


@pytest.fixture
def log() -> Iterator[LogCapture]:
    log = LogCapture()
    structlog.configure(processors=[log])
    yield log
    structlog.reset_defaults()


def said(log: LogCapture) -> list[str]:
    return [str(one["event"]) for one in log.entries]


def test_who_doubts_the_state_looks_at_it_anew(state: State, leadership: Leadership) -> None:
    ready(leadership)
    leadership.report_failure(StateError("damaged"))
    assert not leadership.ready
    assert looks(leadership, lambda: leadership.ready) == [state.past]
    assert state.preparations == 2


def test_a_trouble_is_said_once_and_so_is_its_end(
    state: State, leadership: Leadership, log: LogCapture
) -> None:
    state.prepared = FULL
    looks(leadership, lambda: state.preparations >= 4)
    assert leadership.unreachable == str(FULL)
    assert said(log) == [LOST]
    state.prepared = None
    ready(leadership)
    for _ in range(3):
        leadership.check(SHORT)
    assert said(log) == [LOST, FOUND]


def test_a_trouble_that_runs_meet_is_tried_again_after_growing_pauses(
    state: State, leadership: Leadership, monkeypatch: pytest.MonkeyPatch, log: LogCapture
) -> None:
    monkeypatch.setattr("sync.service.leadership._RUN_PAUSES", (0.05, 0.1, 0.2))
    ready(leadership)
    began = time.monotonic()
    for least in (0.05, 0.15, 0.35, 0.55):
        # after the first time it is not new
        assert leadership.report_failure(FULL) is (least == 0.05)
        leadership.check(SHORT)
        assert (leadership.ready, leadership.unreachable) == (False, str(FULL))
        ready(leadership)
        assert time.monotonic() - began >= least
    assert said(log) == []  # the caller logs a new error
    leadership.report_success()
    leadership.check(SHORT)
    leadership.report_success()
    leadership.check(SHORT)
    assert said(log) == [FOUND]
    assert leadership.report_failure(FULL)  # which is another one


def test_a_trouble_that_a_run_met_is_over_when_none_comes_for_a_while(
    leadership: Leadership, monkeypatch: pytest.MonkeyPatch, log: LogCapture
) -> None:
    monkeypatch.setattr("sync.service.leadership._PROVEN", 0.05)
    monkeypatch.setattr("sync.service.leadership._RUN_PAUSES", (SHORT,))
    ready(leadership)
    assert leadership.report_failure(FULL)
    looks(leadership, lambda: said(log) == [FOUND])
    assert leadership.ready


def test_another_service_on_a_state_that_takes_one_ends_this_one(
    state: State, leadership: Leadership
) -> None:
    state.lead = Locked("another service runs on this state")
    with pytest.raises(Locked, match="another service"):
        looks(leadership, lambda: False)
