"""One run at a time over one state, whoever starts it; and `pause` and `resume` from another shell."""

import signal
import time

import pytest
from sync.cli import run

from .site import Served, Serving

SELDOM = 'seldom: {cron: "15 2 29 2 *", zone: Europe/Oslo}'


def under_way(site: Served) -> Serving:
    """A service in the middle of a run, which lasts until Inspera is healed."""
    site.slow(1.5)
    serving = site.serve()
    site.until(lambda: site.writes("POST", "/users/student") >= 2, serving)
    return serving


def test_a_second_process_exits_75_and_names_the_holder(
    site: Served, capsys: pytest.CaptureFixture[str]
) -> None:
    serving = under_way(site)
    config = site.university.folder / "inspera-sync.yaml"
    assert run(["-c", str(config), "apply"]) == 75
    assert f"the state is in use by pid {serving.pid} (job often)" in capsys.readouterr().err
    site.heal()
    site.settled(serving)


def test_a_second_service_on_the_same_state_exits_75_and_names_the_first(site: Served) -> None:
    site.jobs = SELDOM
    first = site.serve()
    site.until(lambda: bool(first.events("service started")), first)
    second = site.beside()
    try:
        assert second.wait() == 75
        assert f"another service runs on this state: pid {first.pid} (serve)" in second.said
    finally:
        first.kill()


def test_a_command_with_wait_begins_when_the_run_is_over(site: Served) -> None:
    serving = under_way(site)
    waiting = site.command("apply", "--wait")
    site.until(lambda: f"waiting for pid {serving.pid} (job often)" in waiting.said, serving)
    site.heal()
    assert waiting.wait() == 0, waiting.said
    assert site.contents() == site.university.expected()


def test_a_command_that_waits_ends_by_a_signal(site: Served) -> None:
    serving = under_way(site)
    waiting = site.command("apply", "--wait")
    site.until(lambda: "waiting for" in waiting.said, serving)
    waiting.signal(signal.SIGTERM)
    assert waiting.wait() == 75


def test_a_job_waits_for_a_run_by_hand(site: Served) -> None:
    site.slow(0.8)
    by_hand = site.start()
    site.until(lambda: site.writes("POST", "/users/student") >= 2, by_hand)
    serving = site.beside()
    site.until(lambda: bool(serving.events("waits for the state")), serving)
    site.heal()
    assert by_hand.wait() == 0
    site.until(lambda: "done" in serving.ran("often"), serving)
    serving.signal(signal.SIGTERM)
    assert serving.wait() == 0


def test_pause_stops_a_run_at_once_survives_a_restart_and_resume_lets_it_go_on(
    site: Served, capsys: pytest.CaptureFixture[str]
) -> None:
    serving = under_way(site)
    config = str(site.university.folder / "inspera-sync.yaml")
    assert run(["-c", config, "pause", "--reason", "wrong rooms"]) == 0
    site.until(lambda: serving.ran("often") == ["paused"], serving)
    sent = len(site.calls())
    time.sleep(2.5)  # more than one tick
    assert len(site.calls()) == sent
    serving.signal(signal.SIGTERM)
    assert serving.wait() == 0
    assert run(["-c", config, "apply"]) == 3
    said = capsys.readouterr().out
    assert "All sending is paused since" in said
    assert "(wrong rooms)" in said
    site.heal()
    serving = site.beside()
    site.until(lambda: bool(serving.events("service started")), serving)
    time.sleep(2.5)
    assert len(site.calls()) == sent
    assert run(["-c", config, "resume"]) == 0
    site.settled(serving)
    serving.signal(signal.SIGTERM)
    assert serving.wait() == 0
    assert run(["-c", config, "resume"]) == 0
    assert "It was not paused." in capsys.readouterr().out
