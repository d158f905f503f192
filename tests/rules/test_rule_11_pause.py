"""Rules 11: A person decides, and that stays decided. Sending can be stopped at once by `pause`,
until `resume`.
"""

import fcntl
from threading import Event

from sync.app import App
from sync.commands.apply import ApplyOptions, apply
from sync.engine.interruption import Interruption

from ..support.university import TEST, University


def test_a_paused_apply_sends_nothing_and_says_why_with_3(university: University) -> None:
    university.register(TEST, "1001")
    assert university.run("pause", "--reason", "wrong rooms").status == 0
    ran = university.apply()
    assert ran.status == 3
    assert "All sending is paused since 20" in ran.out
    assert "(wrong rooms); `inspera-sync resume` allows it again." in ran.out
    assert university.calls() == []
    assert "Run: nothing was sent; exit status 3: sending is paused.\n" in ran.out
    assert "paused since" in university.run("status").out
    plan = university.plan()
    assert plan.status == 0  # nothing is sent by that
    assert plan.out.startswith("All sending is paused since 2026-09-01T08:00:00Z (wrong rooms); ")
    assert "(wrong rooms)" in university.plan_json()["summary"]["paused"]
    assert university.run("resume").status == 0
    university.apply_cleanly()


def test_a_second_pause_keeps_what_it_does_not_replace(university: University) -> None:
    university.register(TEST, "1001")
    university.run("pause", "--reason", "wrong rooms")
    university.at("2026-09-01T09:00")
    since = "Paused already. All sending is paused since 2026-09-01T08:00:00Z"
    assert f"{since} (wrong rooms); " in university.run("pause").out
    assert f"{since} (a drill); " in university.run("pause", "--reason", "a drill").out


def test_a_pause_that_cannot_be_read_stops_all_the_same(university: University) -> None:
    university.register(TEST, "1001")
    university.state.with_name("state.db.paused").write_text("{")
    assert university.apply().status == 3
    assert university.calls() == []


def test_a_pause_given_while_a_run_waited_for_its_turn_stops_it_before_anything_is_sent(
    university: University,
) -> None:
    university.register(TEST, "1001")
    app = App.open(university.write(), lambda _line: None)
    university.start_observing()

    def paused_meanwhile(_holder: str) -> bool:
        university.state.with_name("state.db.paused").write_text(
            '{"since": "2026-09-01T08:00:00Z", "reason": "a drill"}'
        )
        lock.close()
        return True

    university.state.parent.mkdir(exist_ok=True)
    lock = university.state.with_name("state.db.lock").open("w")
    fcntl.flock(lock, fcntl.LOCK_EX)
    printed: list[str] = []
    options = ApplyOptions(wait=paused_meanwhile)
    assert apply(app, options, printed.append, lambda *_: None, Interruption(Event())) == 3
    assert any("a drill" in line for line in printed)
    assert university.calls() == []
