"""The service's loop: what it starts, runs late, resumes and ends, and how it notifies systemd."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import time_machine
from sync.errors import Deposed, Locked, StateError, StateUnreachable, UsageError
from sync.schedule.every import Every

from .fakes import SELDOM, Given, Past, PlayedJob, Stage, now, until

ROUND = 0.04
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


@pytest.fixture
def stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    monkeypatch.setattr("sync.service.loop.ROUND", ROUND)
    monkeypatch.setattr("sync.service.leadership._PAUSES", (ROUND,))
    stage = Stage(tmp_path)
    yield stage
    stage.close()


def under_way(stage: Stage, *, obeys: bool = True) -> PlayedJob:
    """A job of which a run is under way."""
    job = stage.job("nightly", lasts=True, obeys=obeys)
    stage.start()
    until(lambda: bool(job.under_way))
    return job


# what a person has approved


def test_what_is_approved_is_sent_at_once_and_after_the_run_under_way(stage: Stage) -> None:
    approved = stage.approved = PlayedJob("approved changes", stage.state, SELDOM)
    nightly = under_way(stage)
    stage.state.approvals = True
    until(lambda: len(approved.runs) == 1)
    stage.rounds()
    assert approved.begun == []
    stage.state.approvals = False
    nightly.runs[0].go()
    until(lambda: ("approved changes", "done") in stage.observer.runs)
    stage.rounds()
    assert len(approved.runs) == 1


def test_a_service_that_stands_by_sends_nothing_that_is_approved(stage: Stage) -> None:
    stage.state.leading, stage.state.approvals = False, True
    approved = stage.approved = PlayedJob("approved changes", stage.state, SELDOM)
    stage.start()
    stage.rounds()
    assert approved.runs == []


# what systemd hears


def test_systemd_hears_of_a_whole_life_in_order(stage: Stage) -> None:
    stage.job("nightly", SELDOM)
    stage.start()
    stage.reload()
    stage.row_errors = UsageError("no such file")
    stage.reload()
    assert stage.stop() is True
    life = ["READY=1", "RELOADING=1", "READY=1", "RELOADING=1", "READY=1", "STOPPING=1"]
    until(lambda: stage.systemd.notifications == life)
    assert stage.systemd.status == "next: nightly at 2070-03-17 00:00:00 UTC"


def test_the_status_says_what_runs_and_why_nothing_is_sent(stage: Stage) -> None:
    stage.observer.stopped = "paused since today"
    stage.job("other", SELDOM)
    under_way(stage)
    until(lambda: stage.systemd.status.startswith("paused since today; running nightly; next: "))


def test_the_watchdog_is_fed_while_a_run_is_under_way_and_while_the_state_does_not_answer(
    stage: Stage,
) -> None:
    job = under_way(stage)
    fed = stage.systemd.alive
    until(lambda: stage.systemd.alive >= fed + 3)
    stage.state.answers.clear()
    fed = stage.systemd.alive
    until(lambda: stage.systemd.alive >= fed + 3)
    assert job.under_way


def test_the_watchdog_is_not_fed_while_the_loop_hangs(stage: Stage) -> None:
    stage.job("nightly", SELDOM)
    stage.start()
    stage.observer.rounds_go.clear()
    rounds = stage.observer.rounds
    until(lambda: stage.observer.rounds > rounds)  # now it hangs
    fed = stage.systemd.alive
    time.sleep(6 * ROUND)
    assert stage.systemd.alive == fed
    stage.observer.rounds_go.set()
    until(lambda: stage.systemd.alive > fed)


# runs that are due while another one is under way


def test_each_time_at_which_the_earlier_run_is_not_over_is_counted_and_one_more_run_waits(
    stage: Stage,
) -> None:
    job = under_way(stage)
    assert stage.observer.overlaps == []
    for times in (1, 2, 3):
        stage.due_again(job)
        until(lambda: len(stage.observer.overlaps) >= times)  # noqa: B023 - called at once
        stage.rounds()
        assert stage.observer.overlaps == ["nightly"] * times
    assert stage.service.run_queue.waiting == ["nightly"]
    assert len(job.begun) == 1
    job.lasts = False
    until(lambda: len(job.begun) >= 2)
    until(lambda: stage.observer.runs == [("nightly", "done")] * 2)
    stage.rounds()
    assert len(job.begun) == 2
    assert len(stage.events("due again while its earlier run is not over", job="nightly")) == 3


def test_a_job_that_only_looks_runs_next_to_others_but_not_next_to_itself(stage: Stage) -> None:
    looks = stage.job("rehearsal", lasts=True, exclusive=False)
    job = under_way(stage)
    until(lambda: bool(looks.under_way))
    stage.due_again(looks)
    until(lambda: stage.observer.overlaps == ["rehearsal"])
    stage.rounds()
    assert len(looks.begun) == 1
    assert job.under_way


def test_a_run_that_gave_way_goes_on_and_the_time_for_which_it_waited_does_not_count(
    stage: Stage,
) -> None:
    job = under_way(stage)
    exam_day = stage.job("exam_day", soonest="2026-06-01T09:00:00Z", lasts=True)
    stage.reload()
    until(lambda: stage.observer.runs == [("nightly", "yielded")])
    until(lambda: bool(exam_day.under_way))
    run, waits = job.runs[0], 0.3
    time.sleep(waits)
    assert len(run.began) == 1
    exam_day.runs[0].go()
    until(lambda: len(run.began) >= 2)
    moved = (run.began[1] - run.began[0]).total_seconds()
    assert waits <= moved < waits + 1  # its deadline is as far away as before
    run.go()
    until(
        lambda: (
            stage.observer.runs
            == [("nightly", "yielded"), ("exam_day", "done"), ("nightly", "done")]
        )
    )
    assert len(exam_day.begun) == 1


def test_a_run_that_waits_begins_as_the_newest_file_has_it_or_not_at_all(stage: Stage) -> None:
    job = under_way(stage)
    old, gone = stage.job("other"), stage.job("gone")
    stage.reload()
    until(lambda: sorted(stage.service.run_queue.waiting) == ["gone", "other"])
    new = stage.job("other", SELDOM)
    del stage.jobs["gone"]
    stage.reload()
    job.runs[0].go()
    until(lambda: stage.observer.runs == [("nightly", "done"), ("other", "done")])
    until(lambda: stage.service.run_queue.waiting == [])
    assert (old.begun, gone.begun, len(new.begun)) == ([], [], 1)


# what nobody was there for


def test_a_run_missed_while_the_state_was_away_is_made_up_for_once(stage: Stage) -> None:
    stage.state.leading = StateUnreachable("the server is down")
    times = Given(tuple(now() + timedelta(milliseconds=after) for after in (80, 120, 160)))
    job = stage.job("nightly", times)
    stage.start()
    until(lambda: now() > times.moments[-1])
    assert stage.observer.unreachable == "the server is down"
    assert stage.systemd.status == "waiting for the state: the server is down"
    assert job.runs == []
    stage.state.leading = True
    until(lambda: stage.observer.runs == [("nightly", "done")])
    stage.state.leading = StateUnreachable("the server is down again")
    until(lambda: stage.observer.unreachable == "the server is down again")
    stage.state.leading = True
    until(lambda: stage.observer.unreachable == "" and stage.observer.lead)
    stage.rounds()
    assert len(job.begun) == 1
    assert len(stage.events("starting a job late", job="nightly", reason="it was missed")) == 1


def test_what_was_due_hours_ago_while_this_service_waited_for_its_state_is_made_up_for(
    stage: Stage,
) -> None:
    moved = timedelta()
    stage.clock = lambda: now() + moved
    stage.state.leading = StateUnreachable("the server is down")
    stage.state.past["nightly"] = Past(now() - 24 * HOUR)
    job = stage.job("nightly", Given((now() + HOUR,)))
    stage.start()
    moved = 5 * HOUR
    stage.rounds()
    stage.state.leading = True
    until(lambda: len(job.begun) >= 1)


def test_what_the_leader_let_go_hours_ago_is_not_made_up_for_by_who_stood_by(stage: Stage) -> None:
    moved = timedelta()
    stage.clock = lambda: now() + moved
    stage.state.leading = False
    stage.state.past["nightly"] = Past(now() - 24 * HOUR)
    job = stage.job("nightly", Given((now() + HOUR,)))
    stage.start()
    moved = 5 * HOUR
    stage.rounds()
    stage.state.leading = True
    until(lambda: stage.observer.lead)
    stage.rounds()
    assert job.runs == []


def test_what_another_leader_ran_meanwhile_does_not_run_again(stage: Stage) -> None:
    times = Given((now() + timedelta(seconds=0.3),))
    job = stage.job("nightly", times)
    stage.start()
    assert stage.observer.next_runs == {"nightly": times.moments[0]}
    stage.state.leading = False
    until(lambda: not stage.observer.lead)
    until(lambda: now() > times.moments[0])
    stage.state.past["nightly"] = Past(now())
    stage.state.leading = True
    until(lambda: bool(stage.observer.next_runs))
    stage.rounds()
    assert job.runs == []


@pytest.mark.parametrize(
    ("ago", "made_up_for"), [(10 * MINUTE, True), (59 * MINUTE, True), (2 * HOUR, False)]
)
def test_a_run_missed_during_a_restart_is_made_up_for_within_the_hour(
    stage: Stage, ago: timedelta, made_up_for: bool
) -> None:
    stage.state.past["nightly"] = Past(now() - 24 * HOUR)
    job = stage.job("nightly", Given((now() - ago,)))
    stage.start()
    if made_up_for:
        until(lambda: stage.observer.runs == [("nightly", "done")])
    until(lambda: stage.observer.lead)
    stage.rounds()
    assert len(job.runs) == made_up_for


@pytest.mark.parametrize("ran", [True, False], ids=["began after its time", "never ran"])
def test_a_job_that_missed_nothing_waits_for_its_time(stage: Stage, ran: bool) -> None:
    if ran:
        stage.state.past["nightly"] = Past(now() - 9 * MINUTE)
    job = stage.job("nightly", Given((now() - 10 * MINUTE,)))
    stage.start()
    until(lambda: bool(stage.observer.next_runs))
    stage.rounds()
    assert job.runs == []


def test_a_job_whose_last_run_was_cut_off_is_taken_up_before_its_time(stage: Stage) -> None:
    stage.state.past["nightly"] = Past(now() - 24 * HOUR, cut_off=True)
    stage.state.past["other"] = Past(now() - 24 * HOUR)
    stage.state.past["no longer in the file"] = Past(now(), cut_off=True)
    job, other = stage.job("nightly", SELDOM), stage.job("other", SELDOM)
    stage.start()
    until(lambda: stage.observer.runs == [("nightly", "done")])
    stage.rounds()
    assert (len(job.runs), other.runs) == (1, [])
    assert stage.events("starting a job late", job="nightly", reason="its last run was cut off")


# runs that fail


@pytest.mark.parametrize(
    "error", [Deposed("taken over"), StateUnreachable("cut"), StateError("damaged")]
)
def test_a_run_that_lost_the_state_is_taken_up_after_a_while_when_its_service_still_leads(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    monkeypatch.setattr("sync.service.loop._RESUME_AFTER", 0.4)
    monkeypatch.setattr("sync.service.leadership._RUN_PAUSES", (0.4,))
    job = stage.job("nightly", error=error)
    stage.start()
    until(lambda: stage.observer.runs == [("nightly", "failed")])
    failed = time.monotonic()
    job.error = None
    until(lambda: len(job.begun) >= 2)
    assert time.monotonic() - failed > 0.2
    until(lambda: stage.observer.runs == [("nightly", "failed"), ("nightly", "done")])
    time.sleep(0.5)
    assert len(job.begun) == 2  # and not again
    assert stage.events("run failed", job="nightly", error=str(error))


def test_a_state_on_which_runs_fail_makes_no_storm_of_runs_and_one_line_of_log(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sync.service.leadership._RUN_PAUSES", (0.1, 0.2, 0.4))
    error = StateUnreachable(
        "state.db: the state can't be used just now: the disk is full; free some space"
    )
    job = stage.job("often", Every(timedelta(milliseconds=20)), error=error)
    began = time.monotonic()
    stage.start()
    until(lambda: len(stage.observer.runs) >= 4)
    # Without the pauses four runs take 0.1 s. One that was due already may follow at once.
    assert time.monotonic() - began >= 0.1 + 0.2
    until(lambda: (stage.observer.unreachable, stage.observer.next_runs) == (str(error), {}))
    until(lambda: stage.systemd.status == f"waiting for the state: {error}")
    job.error = None
    until(lambda: ("often", "done") in stage.observer.runs)
    until(lambda: bool(stage.events("the state can be used again")))
    stage.rounds(5)
    troubles = [
        *stage.events("run failed"),
        *stage.events("the state can't be used just now; tried again"),
    ]
    assert [one["error"] for one in troubles] == [str(error)]
    assert len(stage.events("the state can be used again")) == 1
    assert stage.observer.unreachable == ""


def test_a_run_that_the_state_failed_is_taken_up_however_long_that_lasted(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sync.service.leadership._RUN_PAUSES", (ROUND,))
    job = stage.job("nightly", error=StateUnreachable("full"))
    stage.start()
    until(lambda: stage.observer.runs == [("nightly", "failed")])
    stage.state.prepared = StateUnreachable("full")
    stage.state.past["nightly"] = Past(
        now() - 24 * HOUR
    )  # the run could not even say that it had begun
    stage.clock = lambda: now() + 5 * HOUR
    stage.rounds()
    assert len(job.begun) == 1
    job.error = stage.state.prepared = None
    until(lambda: ("nightly", "done") in stage.observer.runs)
    assert stage.events("starting a job late", job="nightly", reason="it lost the state")


# a clock that is set


@pytest.fixture
def clock(stage: Stage) -> Iterator[time_machine.Traveller]:
    """The clock of the whole process, which goes on by itself and can be set."""
    with time_machine.travel(datetime(2026, 6, 1, 12, tzinfo=UTC), tick=True) as clock:
        yield clock


@pytest.mark.parametrize("hours", [-2, 2])
def test_a_clock_that_is_set_neither_stops_a_job_nor_makes_a_storm_of_runs(
    stage: Stage, clock: time_machine.Traveller, hours: int
) -> None:
    job = stage.job("often", Every(timedelta(seconds=1)))
    stage.start()
    until(lambda: len(job.begun) >= 2)
    clock.shift(timedelta(hours=hours))
    before, began = len(job.begun), time.monotonic()
    word = "forward" if hours > 0 else "back"
    until(lambda: bool(stage.events(f"this machine's clock was set {word}")))
    until(lambda: len(job.begun) >= before + 2)
    seconds = time.monotonic() - began
    assert seconds < 5  # where it would be two hours if the next time stood
    assert (
        len(job.begun) <= before + seconds + 2
    )  # one for each second, and one for all that was due in between
    assert len(stage.events(f"this machine's clock was set {word}")) == 1
    assert stage.observer.next_runs["often"] - now() <= timedelta(seconds=1)


def test_a_clock_that_goes_on_as_it_should_is_not_mentioned(
    stage: Stage, clock: time_machine.Traveller
) -> None:
    stage.job("nightly", SELDOM)
    stage.start()
    clock.shift(timedelta(seconds=5))
    stage.rounds()
    assert stage.events("this machine's clock was set forward") == []


def test_a_run_that_failed_otherwise_waits_for_its_next_time(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sync.service.loop._RESUME_AFTER", 0.0)
    job = stage.job("nightly", error=UsageError("the rules are not there"))
    locked = stage.job("other", error=Locked("in use by pid 1"))
    stage.start()
    until(lambda: sorted(stage.observer.runs) == [("nightly", "failed"), ("other", "locked")])
    stage.rounds(5)
    assert (len(job.runs), len(locked.runs)) == (1, 1)


def test_a_run_that_was_taken_out_of_the_file_is_not_taken_up(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sync.service.loop._RESUME_AFTER", 0.2)
    job = stage.job("nightly", error=Deposed("taken over"))
    other = stage.job("other", SELDOM)
    stage.start()
    until(lambda: stage.observer.runs == [("nightly", "failed")])
    del stage.jobs["nightly"]
    stage.reload()
    time.sleep(0.3)
    assert len(job.runs) == 1
    stage.due_again(other)
    until(lambda: ("other", "done") in stage.observer.runs)


def test_what_nobody_foresaw_is_logged_and_the_service_goes_on(stage: Stage) -> None:
    error = ZeroDivisionError("a row error of the program's")
    job = stage.job("nightly", error=error)
    stage.start()
    unforeseen = "run failed with an unexpected error"
    until(lambda: bool(stage.events(unforeseen, job="nightly", exc_info=error, log_level="error")))
    assert stage.observer.runs == [("nightly", "failed")]
    job.error = None
    stage.due_again(job)
    until(lambda: stage.observer.runs == [("nightly", "failed"), ("nightly", "done")])
    assert stage.observer.overlaps == []


# who leads


def test_who_loses_the_lead_ends_its_runs_starts_nothing_and_takes_them_up_when_it_leads_again(
    stage: Stage,
) -> None:
    job = under_way(stage)
    stage.state.leading = False
    until(lambda: stage.observer.runs == [("nightly", "interrupted")])
    assert job.runs[0].reasons == ["this service has lost the lead"]
    until(lambda: stage.systemd.status == "standby: another replica leads")
    assert (stage.observer.lead, stage.observer.unreachable, stage.observer.next_runs) == (
        False,
        "",
        {},
    )
    other = stage.job("other")
    stage.due_again(job)
    stage.rounds()
    assert (len(job.runs), other.runs) == (1, [])
    stage.state.past["nightly"] = Past(now(), cut_off=True)
    stage.state.leading = True
    until(lambda: len(job.begun) >= 2)
    assert [one["reason"] for one in stage.events("starting a job late", job="nightly")] == [
        "its last run was cut off"
    ]


def test_a_run_that_waited_for_its_turn_is_not_begun_after_the_lead_was_lost(stage: Stage) -> None:
    first = under_way(stage, obeys=False)
    second = stage.job("second")
    stage.reload()
    until(lambda: stage.service.run_queue.waiting == ["second"])
    stage.state.leading = False
    until(lambda: bool(second.runs[0].reasons))
    first.runs[0].go()
    until(lambda: ("nightly", "interrupted") in stage.observer.runs)
    stage.rounds()
    assert second.begun == []


def test_a_run_that_gave_way_does_not_go_on_after_the_lead_was_lost(stage: Stage) -> None:
    first = under_way(stage)
    second = stage.job("exam_day", soonest="2026-06-01T09:00:00Z", lasts=True, obeys=False)
    stage.reload()
    until(lambda: bool(second.under_way))
    until(lambda: stage.service.run_queue.waiting == ["nightly"])
    stage.state.leading = False
    until(lambda: bool(first.runs[0].reasons))
    second.runs[0].go()
    until(lambda: ("exam_day", "interrupted") in stage.observer.runs)
    stage.rounds()
    assert len(first.runs[0].began) == 1


def test_while_the_state_does_not_answer_the_run_under_way_goes_on_until_patience_ends(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sync.service.leadership.PATIENCE", 0.4)
    job = under_way(stage)
    stage.state.answers.clear()
    stage.rounds()
    assert job.runs[0].reasons == []
    until(lambda: bool(job.runs[0].reasons))
    assert "does not answer" in stage.observer.unreachable


# the file is read again


def test_row_errors_of_the_new_file_are_reported_each_and_the_old_jobs_go_on(stage: Stage) -> None:
    job = stage.job("nightly", Every(timedelta(milliseconds=50)))
    stage.start()
    until(lambda: len(job.begun) >= 1)
    stage.row_errors = UsageError("file:3: one\nfile:7: another")
    stage.reload()
    refused = "the new configuration can't be used, the old one stays in use"
    assert [one["error"] for one in stage.events(refused)] == ["file:3: one", "file:7: another"]
    assert stage.observer.reloads == [False]
    runs = len(job.begun)
    until(lambda: len(job.begun) > runs + 1)
    stage.row_errors = None
    stage.reload()
    assert stage.observer.reloads == [False, True]


def test_a_sound_file_brings_other_jobs(stage: Stage) -> None:
    old, kept = stage.job("nightly", Every(timedelta(milliseconds=50))), stage.job("kept", SELDOM)
    stage.start()
    until(lambda: len(old.begun) >= 1)
    del stage.jobs["nightly"]
    new = stage.job("exam_day")
    stage.reload()
    until(lambda: ("exam_day", "done") in stage.observer.runs)
    until(lambda: not old.under_way)
    runs = len(old.begun)
    stage.rounds(5)
    assert (len(old.begun), len(new.begun), kept.runs) == (runs, 1, [])
    until(lambda: set(stage.observer.next_runs) == {"exam_day", "kept"})


def test_a_run_whose_job_is_taken_out_of_the_file_comes_to_its_end(stage: Stage) -> None:
    job = under_way(stage)
    other = stage.job("other", SELDOM)
    del stage.jobs["nightly"]
    stage.reload()
    stage.rounds()
    assert (job.runs[0].reasons, len(job.under_way)) == ([], 1)
    job.runs[0].go()
    until(lambda: stage.observer.runs == [("nightly", "done")])
    stage.due_again(other)
    until(lambda: ("other", "done") in stage.observer.runs)
    assert stage.stop() is True


def test_a_file_read_while_another_replica_leads_counts_once_this_one_does(stage: Stage) -> None:
    stage.state.leading = False
    old = stage.job("nightly")
    stage.start()
    del stage.jobs["nightly"]
    stage.job("exam_day")
    stage.reload()
    stage.state.leading = True
    until(lambda: stage.observer.runs == [("exam_day", "done")])
    assert old.runs == []


def test_a_file_is_read_while_the_state_does_not_answer(stage: Stage) -> None:
    stage.job("nightly", SELDOM)
    stage.start()
    stage.state.answers.clear()
    asked = stage.state.asked
    until(lambda: stage.state.asked > asked)
    stage.reload()
    assert stage.observer.reloads == [True]


# its end


def test_it_stops_in_order_when_its_runs_end(stage: Stage) -> None:
    job = under_way(stage)
    waits = stage.job("waits")
    stage.reload()
    until(lambda: stage.service.run_queue.waiting == ["waits"])
    assert stage.stop() is True
    assert "stopped by a signal" in job.runs[0].reasons
    assert stage.observer.runs == [("nightly", "interrupted")]
    assert waits.begun == []
    assert stage.events("service stopped")


def test_it_does_not_wait_for_a_run_longer_than_its_grace(stage: Stage) -> None:
    stage.grace = timedelta(seconds=0.5)
    job = under_way(stage, obeys=False)
    stage.job("waits")
    stage.reload()
    until(lambda: stage.service.run_queue.waiting == ["waits"])
    began = time.monotonic()
    assert stage.stop() is False
    assert 0.3 < time.monotonic() - began < 2
    assert job.under_way
    late = "not ended within shutdown_timeout; the next run settles their open calls"
    assert stage.events(late, jobs=["nightly"])  # who only waited has left the line
    until(
        lambda: stage.systemd.notifications == ["READY=1", "RELOADING=1", "READY=1", "STOPPING=1"]
    )


def test_it_stops_while_the_state_does_not_answer_and_says_that_something_is_left(
    stage: Stage,
) -> None:
    stage.job("nightly", SELDOM)
    stage.start()
    stage.state.answers.clear()
    asked = stage.state.asked
    until(lambda: stage.state.asked > asked)
    began = time.monotonic()
    assert stage.stop() is False
    assert time.monotonic() - began < 2


def test_a_state_that_can_not_be_used_at_the_first_look_ends_the_service(stage: Stage) -> None:
    stage.state.leading = StateError("written by a newer version")
    job = stage.job("nightly")
    stage.start()
    with pytest.raises(StateError, match="written by a newer version"):
        stage.ended()
    until(lambda: stage.systemd.notifications == ["STOPPING=1"])  # it never said that all is well
    assert job.runs == []


def test_a_state_that_can_not_be_made_ready_at_first_ends_the_service(stage: Stage) -> None:
    stage.state.prepared = StateError("its tables are not ours")
    stage.job("nightly")
    stage.start()
    with pytest.raises(StateError, match="its tables are not ours"):
        stage.ended()


def test_a_state_that_worked_once_is_waited_for_whatever_is_wrong_with_it(stage: Stage) -> None:
    job = stage.job("nightly")
    stage.start()
    until(lambda: stage.observer.runs == [("nightly", "done")])
    for what in ("leading", "prepared"):
        setattr(stage.state, what, StateError(f"{what}: refuses the login"))
        if what == "prepared":
            stage.state.leading = False
            until(lambda: not stage.observer.lead)
            stage.state.leading = True
        until(lambda: stage.observer.unreachable == f"{what}: refuses the login")  # noqa: B023 - called at once
        stage.rounds()
        stage.state.leading, stage.state.prepared = True, None
        until(lambda: stage.observer.unreachable == "" and bool(stage.observer.next_runs))
    stage.due_again(job)
    until(lambda: stage.observer.runs == [("nightly", "done")] * 2)
