"""A person approves while a run holds the state: the service carries it out as soon as it can."""

import json

import pytest
from sync.cli import run

from .served_university import ServedUniversity

SELDOM = 'seldom: {cron: "15 2 29 2 *", zone: Europe/Oslo}'


def test_the_service_sends_what_was_approved_while_a_run_held_the_state(
    university: ServedUniversity, capsys: pytest.CaptureFixture[str]
) -> None:
    university.jobs = SELDOM
    university.apply()
    exam = sorted(university.rows.exams)[2]
    gone = sorted(seat for seat in university.rows.seats if seat[0] == exam)[2:15]
    for seat in gone:
        del university.rows.seats[seat]
    config = str(university.configuration())
    assert run(["-c", config, "apply"]) == 4  # the source has become shorter
    capsys.readouterr()
    run(["-c", config, "held", "--json"])
    (hold,) = json.loads(capsys.readouterr().out)["holds"]
    assert hold["counts"] == [{"action": "remove", "kind": "candidate", "count": len(gone)}]

    university.change_all("Ny", 15)
    serving = university.serve()
    university.until(lambda: bool(serving.events("service started")), serving)
    university.slow(1.5)
    university.mark()
    by_hand = university.start()
    university.until(lambda: university.writes("POST", "/users/student") >= 2, by_hand)
    assert run(["-c", config, "approve", hold["id"], "--why", "the faculty said so"]) == 0
    assert f"Queued: pid {by_hand.pid} (apply) holds the state" in capsys.readouterr().out
    university.until(lambda: bool(serving.events("waits for the state")), serving)
    university.heal()
    assert by_hand.wait() == 4
    seats = {(test, university.rows.students[number]["feide"]) for test, number in gone}
    university.until(lambda: not seats & university.contents()["seats"].keys(), serving)
    assert [one["command"] for one in serving.events("run started")] == ["approve"]
