"""`serve` as a real process: what changes between two ticks is carried out, and it stops in order."""

import signal

import pytest
from sync.cli import run

from .served_university import ServedUniversity


def test_a_file_changed_between_two_ticks_is_carried_out_by_the_second(
    university: ServedUniversity,
) -> None:
    serving = university.serve()
    university.settled(serving)
    university.rows.correct_names()
    university.rows.withdraw_some()
    university.write_rows()
    university.settled(serving)
    assert len(serving.ran("often")) >= 1
    assert set(serving.ran("often")) == {"done"}
    serving.signal(signal.SIGTERM)
    assert serving.wait() == 0, serving.output
    assert serving.events("service stopped")


def test_it_stops_at_once_when_nothing_is_under_way(university: ServedUniversity) -> None:
    university.jobs = 'nightly: {cron: "15 2 29 2 *", zone: Europe/Oslo}'
    serving = university.serve()
    university.until(lambda: bool(serving.events("service started")), serving)
    serving.signal(signal.SIGINT)
    assert serving.wait() == 0
    assert university.calls() == []


def test_a_second_signal_ends_it_at_once_and_the_journal_tells_the_truth(
    university: ServedUniversity,
) -> None:
    university.rule("POST", "/api/v1/users/student", times=4, latency=60)
    serving = university.serve()
    university.until(lambda: university.writes("POST", "/users/student") >= 4, serving)
    serving.signal(signal.SIGTERM)
    university.until(lambda: "stopping" in serving.output, serving)
    serving.signal(signal.SIGTERM)
    assert serving.wait() == 143
    assert university.unknown()
    university.recovers()


def test_calls_under_way_are_recorded_when_it_stops(university: ServedUniversity) -> None:
    university.rule("POST", "/api/v1/users/student", times=4, latency=0.5)
    serving = university.serve()
    university.until(lambda: university.writes("POST", "/users/student") >= 4, serving)
    serving.signal(signal.SIGTERM)
    assert serving.wait() == 0
    assert serving.ran("often") == ["interrupted"]
    assert university.unknown() == set()
    assert university.recovers() == set()


def test_a_run_that_was_cut_off_is_taken_up_at_the_next_start_before_its_next_time(
    university: ServedUniversity,
) -> None:
    university.jobs = "seldom: {every: 7s}"
    university.slow(0.05)
    serving = university.serve()
    university.until(lambda: university.writes("POST", "/users/student") >= 4, serving)
    serving.kill()
    university.jobs = "seldom: {every: 366d}"
    university.heal()
    serving = university.serve()
    university.settled(serving)
    assert serving.events("starting a job late", job="seldom")
    serving.signal(signal.SIGTERM)
    assert serving.wait() == 0


def test_an_invalid_file_at_the_start_is_reported_whole_and_nothing_is_scheduled(
    university: ServedUniversity, capsys: pytest.CaptureFixture[str]
) -> None:
    university.jobs = (
        'broken: {cron: "0 0 31 2 *", zone: Europe/Oslo}\nother: {every: 5, kinds: [cat]}'
    )
    serving = university.serve()
    assert serving.wait() == 2
    for said in ("jobs.broken.cron: never fires", "jobs.other.every", "jobs.other.kinds"):
        assert said in serving.output
    assert university.calls() == []


def test_without_jobs_there_is_nothing_to_serve(university: ServedUniversity) -> None:
    university.jobs = "{}"
    config = university.configuration()
    config.write_text(config.read_text("utf-8").replace("jobs:\n  {}", "jobs: {}"), "utf-8")
    assert run(["-c", str(config), "serve"]) == 2


def test_a_state_that_a_newer_version_wrote_is_refused_by_name(
    university: ServedUniversity,
) -> None:
    import sqlite3

    university.apply()
    with sqlite3.connect(university.rows.folder / "state.db") as state:
        state.execute("UPDATE alembic_version SET version_num = '9999'")
    serving = university.serve()
    assert serving.wait() == 2
    assert "written by a newer version of inspera-sync (schema 9999" in serving.output
