"""One run at a time over one state, whoever starts it; and `pause` and `resume` from another shell."""

import signal
import time

import pytest
from sync.cli import run

from .served_university import ServedUniversity, ServiceProcess

SELDOM = 'seldom: {cron: "15 2 29 2 *", zone: Europe/Oslo}'


def under_way(university: ServedUniversity) -> ServiceProcess:
    """A service in the middle of a run, which lasts until Inspera is healed."""
    university.slow(1.5)
    serving = university.serve()
    university.until(lambda: university.writes("POST", "/users/student") >= 2, serving)
    return serving


def test_a_second_process_exits_75_and_names_the_holder(
    university: ServedUniversity, capsys: pytest.CaptureFixture[str]
) -> None:
    serving = under_way(university)
    config = university.rows.folder / "inspera-sync.yaml"
    assert run(["-c", str(config), "apply"]) == 75
    assert f"the state is in use by pid {serving.pid} (job often)" in capsys.readouterr().err
    university.heal()
    university.settled(serving)


def test_a_second_service_on_the_same_state_exits_75_and_names_the_first(
    university: ServedUniversity,
) -> None:
    university.jobs = SELDOM
    first = university.serve()
    university.until(lambda: bool(first.events("service started")), first)
    second = university.beside()
    try:
        assert second.wait() == 75
        assert f"another service runs on this state: pid {first.pid} (serve)" in second.output
    finally:
        first.kill()


def test_a_command_with_wait_begins_when_the_run_is_over(university: ServedUniversity) -> None:
    serving = under_way(university)
    waiting = university.command("apply", "--wait")
    university.until(
        lambda: f"waiting for pid {serving.pid} (job often)" in waiting.output, serving
    )
    university.heal()
    assert waiting.wait() == 0, waiting.output
    assert university.contents() == university.rows.expected()


def test_a_command_that_waits_ends_by_a_signal(university: ServedUniversity) -> None:
    serving = under_way(university)
    waiting = university.command("apply", "--wait")
    university.until(lambda: "waiting for" in waiting.output, serving)
    waiting.signal(signal.SIGTERM)
    assert waiting.wait() == 75


def test_a_job_waits_for_a_run_by_hand(university: ServedUniversity) -> None:
    university.slow(0.8)
    by_hand = university.start()
    university.until(lambda: university.writes("POST", "/users/student") >= 2, by_hand)
    serving = university.beside()
    university.until(lambda: bool(serving.events("waits for the state")), serving)
    university.heal()
    assert by_hand.wait() == 0
    university.until(lambda: "done" in serving.ran("often"), serving)
    serving.signal(signal.SIGTERM)
    assert serving.wait() == 0


def test_pause_stops_a_run_at_once_survives_a_restart_and_resume_lets_it_go_on(
    university: ServedUniversity, capsys: pytest.CaptureFixture[str]
) -> None:
    serving = under_way(university)
    config = str(university.rows.folder / "inspera-sync.yaml")
    assert run(["-c", config, "pause", "--reason", "wrong rooms"]) == 0
    university.until(lambda: serving.ran("often") == ["paused"], serving)
    sent = len(university.calls())
    time.sleep(2.5)  # more than one tick
    assert len(university.calls()) == sent
    serving.signal(signal.SIGTERM)
    assert serving.wait() == 0
    assert run(["-c", config, "apply"]) == 3
    said = capsys.readouterr().out
    assert "All sending is paused since" in said
    assert "(wrong rooms)" in said
    university.heal()
    serving = university.beside()
    university.until(lambda: bool(serving.events("service started")), serving)
    time.sleep(2.5)
    assert len(university.calls()) == sent
    assert run(["-c", config, "resume"]) == 0
    university.settled(serving)
    serving.signal(signal.SIGTERM)
    assert serving.wait() == 0
    assert run(["-c", config, "resume"]) == 0
    assert "It was not paused." in capsys.readouterr().out
