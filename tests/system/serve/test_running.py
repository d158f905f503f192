"""`serve` as a real process: what changes between two ticks is carried out, and it stops in order."""

import signal

import pytest
from sync.cli import run

from .site import Served


def test_a_file_changed_between_two_ticks_is_carried_out_by_the_second(site: Served) -> None:
    serving = site.serve()
    site.settled(serving)
    site.university.correct_names()
    site.university.withdraw_some()
    site.write_rows()
    site.settled(serving)
    assert len(serving.ran("often")) >= 1
    assert set(serving.ran("often")) == {"done"}
    serving.signal(signal.SIGTERM)
    assert serving.wait() == 0, serving.said
    assert serving.events("service stopped")


def test_it_stops_at_once_when_nothing_is_under_way(site: Served) -> None:
    site.jobs = 'nightly: {cron: "15 2 29 2 *", zone: Europe/Oslo}'
    serving = site.serve()
    site.until(lambda: bool(serving.events("service started")), serving)
    serving.signal(signal.SIGINT)
    assert serving.wait() == 0
    assert site.calls() == []


def test_a_second_signal_ends_it_at_once_and_the_journal_tells_the_truth(site: Served) -> None:
    site.rule("POST", "/api/v1/users/student", times=4, latency=60)
    serving = site.serve()
    site.until(lambda: site.writes("POST", "/users/student") >= 4, serving)
    serving.signal(signal.SIGTERM)
    site.until(lambda: "stopping" in serving.said, serving)
    serving.signal(signal.SIGTERM)
    assert serving.wait() == 143
    assert site.unknown()
    site.recovers()


def test_calls_under_way_are_recorded_when_it_stops(site: Served) -> None:
    site.rule("POST", "/api/v1/users/student", times=4, latency=0.5)
    serving = site.serve()
    site.until(lambda: site.writes("POST", "/users/student") >= 4, serving)
    serving.signal(signal.SIGTERM)
    assert serving.wait() == 0
    assert serving.ran("often") == ["interrupted"]
    assert site.unknown() == set()
    assert site.recovers() == set()


def test_a_run_that_was_cut_off_is_taken_up_at_the_next_start_before_its_next_time(
    site: Served,
) -> None:
    site.jobs = "seldom: {every: 7s}"
    site.slow(0.05)
    serving = site.serve()
    site.until(lambda: site.writes("POST", "/users/student") >= 4, serving)
    serving.kill()
    site.jobs = "seldom: {every: 366d}"
    site.heal()
    serving = site.serve()
    site.settled(serving)
    assert serving.events("starting a job late", job="seldom")
    serving.signal(signal.SIGTERM)
    assert serving.wait() == 0


def test_a_invalid_file_at_the_start_is_told_whole_and_nothing_is_scheduled(
    site: Served, capsys: pytest.CaptureFixture[str]
) -> None:
    site.jobs = 'broken: {cron: "0 0 31 2 *", zone: Europe/Oslo}\nother: {every: 5, kinds: [cat]}'
    serving = site.serve()
    assert serving.wait() == 2
    for said in ("jobs.broken.cron: never fires", "jobs.other.every", "jobs.other.kinds"):
        assert said in serving.said
    assert site.calls() == []


def test_without_jobs_there_is_nothing_to_serve(site: Served) -> None:
    site.jobs = "{}"
    config = site.configuration()
    config.write_text(config.read_text("utf-8").replace("jobs:\n  {}", "jobs: {}"), "utf-8")
    assert run(["-c", str(config), "serve"]) == 2


def test_a_state_that_a_newer_version_wrote_is_refused_by_name(site: Served) -> None:
    import sqlite3

    site.apply()
    with sqlite3.connect(site.university.folder / "state.db") as state:
        state.execute("UPDATE alembic_version SET version_num = '9999'")
    serving = site.serve()
    assert serving.wait() == 2
    assert "written by a newer version of inspera-sync (schema 9999" in serving.said
