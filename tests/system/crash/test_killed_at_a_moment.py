"""`apply` killed where it hurts: with an intent but no call, with a commit but no answer, in the middle of a batch."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from ...support.process_university import SEATS, STUDENT, TEST, ProcessUniversity
from ...support.university_rows import UniversityRows


@dataclass(frozen=True)
class Stage:
    """One kind of call: which site makes it, after which change of its files, and what Inspera gets to see.

    `skip` calls of that kind go through before the one that matters.
    """

    university: str
    method: str
    path: str
    change: Callable[[UniversityRows], None] | None = None
    skip: int = 0

    def reached(self, request: pytest.FixtureRequest) -> ProcessUniversity:
        """The site, changed so that this call comes."""
        university: ProcessUniversity = request.getfixturevalue(self.university)
        if self.change:
            self.change(university.rows)
        return university


STAGES = {
    "learners are created": Stage("new", "POST", STUDENT, skip=20),
    "learners are updated": Stage("settled", "POST", STUDENT, UniversityRows.correct_names, skip=5),
    "tests are created": Stage("new", "POST", TEST, skip=1),
    "tests are moved": Stage("settled", "POST", TEST, UniversityRows.move_exams, skip=1),
    "candidates are assigned": Stage("new", "POST", SEATS, skip=2),
    "candidates are updated": Stage("settled", "POST", SEATS, UniversityRows.give_more_time),
    "candidates are removed": Stage("settled", "DELETE", SEATS, UniversityRows.withdraw_some),
}

every_stage = pytest.mark.parametrize(
    "stage", STAGES.values(), ids=[name.replace(" ", "-") for name in STAGES]
)
HELD = 60.0
"""Seconds for which a call is held; it ends with the sandbox."""


@every_stage
def test_a_call_that_was_never_carried_out_is_made_up_for_by_the_next_apply(
    request: pytest.FixtureRequest, stage: Stage, nothing_left: Callable[[ProcessUniversity], bool]
) -> None:
    university = stage.reached(request)
    university.rule(
        stage.method, stage.path, skip=stage.skip, delay=HELD, status="reset", when="before"
    )
    run = university.start()
    university.until(university.rule_met, run)
    run.kill()
    assert university.unknown() - university.sent(), (
        "the intent of the call that never came through must be durable"
    )
    assert university.contents() != university.rows.expected()
    university.recovers()
    assert nothing_left(university)


@every_stage
def test_a_call_that_was_carried_out_without_an_answer_is_found_out_about_by_the_next_apply(
    request: pytest.FixtureRequest, stage: Stage, nothing_left: Callable[[ProcessUniversity], bool]
) -> None:
    university = stage.reached(request)
    ending = stage.path.rpartition("*")[2]
    university.rule(stage.method, stage.path, skip=stage.skip, latency=HELD)
    run = university.start()
    university.until(
        lambda: university.rule_met() and university.writes(stage.method, ending) > stage.skip, run
    )
    run.kill()
    assert university.unknown() & university.sent(), (
        "what was carried out must still be of unknown outcome"
    )
    university.recovers()
    assert nothing_left(university)


def test_a_test_that_was_created_without_an_answer_is_not_sent_a_second_time_at_all(
    new: ProcessUniversity,
) -> None:
    new.rule("POST", TEST, times=6, latency=HELD)
    new.settings["workers"] = 6
    run = new.start()
    new.until(lambda: new.writes("POST", TEST) >= 2, run)
    run.kill()
    lost = {record for record in new.unknown() & new.sent() if record[0] == "test"}
    assert lost
    assert not lost & new.recovers()


@pytest.mark.parametrize("lost", ["before", "after"])
def test_our_own_move_of_a_test_is_not_taken_for_somebody_elses_hand(
    settled: ProcessUniversity, lost: str
) -> None:
    settled.rows.move_exams()
    how = {"delay": HELD, "status": "reset"} if lost == "before" else {"latency": HELD}
    settled.rule("POST", TEST, times=4, **how)
    run = settled.start()
    settled.until(settled.rule_met, run)
    if lost == "after":
        settled.until(lambda: settled.writes("POST", TEST) == 4, run)
    run.kill()
    settled.heal()
    assert "drift" not in settled.apply()
    assert settled.contents() == settled.rows.expected()


@pytest.mark.parametrize(
    ("method", "change", "batch"),
    [
        ("POST", UniversityRows.register_more, 6),
        ("POST", UniversityRows.give_more_time, 3),
        ("DELETE", UniversityRows.withdraw_some, 2),
    ],
    ids=["assigned", "updated", "removed"],
)
def test_a_batch_that_ends_half_way_through_a_test_leaves_nobody_out_and_sends_nobody_twice(
    settled: ProcessUniversity,
    method: str,
    change: Callable[[UniversityRows], None],
    batch: int,
    nothing_left: Callable[[ProcessUniversity], bool],
) -> None:
    change(settled.rows)
    settled.settings |= {"batch_size": batch, "workers": 1}
    settled.rule(method, SEATS, skip=1, latency=HELD)
    run = settled.start()
    settled.until(lambda: settled.writes(method, "/candidates") == 2, run)
    run.kill()
    sent = settled.sent()
    assert len(sent) == 2 * batch
    assert sent < settled.unknown()
    assert settled.recovers() == set(), (
        "Inspera shows all that was sent, so that nothing need be repeated"
    )
    assert nothing_left(settled)


def test_a_seat_that_was_sent_without_an_answer_and_is_not_wanted_any_more_is_taken_away_again(
    settled: ProcessUniversity,
) -> None:
    settled.rows.register_more()
    settled.rule("POST", SEATS, latency=HELD)
    run = settled.start()
    settled.until(lambda: settled.writes("POST", "/candidates") >= 1, run)
    run.kill()
    *_, test, username = next(record for record in settled.sent() & settled.unknown())
    del settled.rows.seats[test, username.removeprefix("s")]
    settled.recovers()
    assert (test, username) not in settled.contents()["seats"]


def test_a_removal_that_was_sent_without_an_answer_is_undone_when_the_seat_is_wanted_again(
    settled: ProcessUniversity,
) -> None:
    seats = dict(settled.rows.seats)
    settled.rows.withdraw_some()
    settled.rule("DELETE", SEATS, latency=HELD)
    run = settled.start()
    settled.until(lambda: settled.writes("DELETE", "/candidates") >= 1, run)
    run.kill()
    settled.rows.seats = seats
    assert settled.contents() != settled.rows.expected()
    settled.recovers()


def test_a_kill_while_a_tests_candidates_are_being_read_leaves_nothing_to_find_out(
    settled: ProcessUniversity,
) -> None:
    settled.rows.register_more()
    settled.rule("GET", SEATS, times=2, latency=HELD)
    run = settled.start()
    settled.until(
        lambda: sum(call["path"].endswith("/candidates") for call in settled.calls()) == 2, run
    )
    run.kill()
    assert (settled.unknown(), settled.sent()) == (set(), set())
    assert settled.recovers() == set()


def test_a_kill_between_the_reading_of_candidates_and_their_sending_repeats_nothing(
    settled: ProcessUniversity,
) -> None:
    settled.rows.register_more()
    settled.settings |= {"calls_per_second": 1, "workers": 1}
    run = settled.start()
    settled.until(lambda: bool(settled.unknown()), run)
    run.kill()
    assert settled.sent() == set()
    settled.settings.clear()
    assert settled.recovers() == set()


def test_a_second_kill_while_the_first_is_being_made_up_for_is_made_up_for_as_well(
    new: ProcessUniversity, nothing_left: Callable[[ProcessUniversity], bool]
) -> None:
    for path in (TEST, SEATS):
        new.rule("POST", path, times=2, latency=HELD)
        run = new.start()
        new.until(new.rule_met, run)
        run.kill()
    new.recovers()
    assert nothing_left(new)
