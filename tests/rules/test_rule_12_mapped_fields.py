"""Rules 12: An unmapped field is never sent. A blank value does not change the value in Inspera,
unless the feed sets `blank: clear`. `0` is a value.
"""

import sqlite3
from typing import Any

import pytest

from ..support.university import TEST, University

SECRET = "hemmelig-passord-9"


def everything_kept(university: University) -> bytes:
    """Every byte that lies in the site's folder beside its sources."""
    return b"".join(file.read_bytes() for file in university.folder.glob("state.db*"))


def test_a_field_that_is_not_mapped_is_never_sent_and_inspera_keeps_its_own(
    university: University,
) -> None:
    del university.feed("learner")["map"]["email"]
    university.register(TEST, "1001")
    university.apply_once()
    assert "email" not in university.sent()[0]["body"]
    student = {
        "username": "s1001",
        "firstName": "Åse",
        "lastName": "Prøvesen",
        "email": "hers@example.edu",
    }
    university.sandbox.edit(student=student)
    university.students.set("1001", family="Øvelsesen")
    university.apply_cleanly()
    assert university.learners()["s1001"]["lastName"] == "Øvelsesen"
    assert university.learners()["s1001"]["email"] == "hers@example.edu"


def test_a_newly_mapped_field_is_sent_to_those_who_have_it_and_nothing_else_changes(
    university: University,
) -> None:
    university.register(TEST, "1001", "1002", "1003")
    university.registrations.set(f"{TEST} 1002", room="U-37")
    university.apply_once()
    university.feed("candidate")["map"]["room"] = "room"
    assert university.planned() == [f"update candidate {TEST}/1002"]
    university.apply_cleanly()
    assert [call["body"]["candidates"] for call in university.sent()] == [
        [{"externalId": "s1002", "roomName": "U-37"}]
    ]
    assert university.planned() == []


def test_a_field_that_is_no_longer_mapped_is_left_as_it_is(university: University) -> None:
    university.register(TEST, "1001")
    university.apply_once()
    del university.feed("learner")["map"]["email"]
    university.apply_cleanly()
    assert university.writes() == []
    assert university.learners()["s1001"]["email"] == "s1001@example.edu"


def test_a_blank_value_leaves_insperas_value_alone(university: University) -> None:
    university.register(TEST, "1001", "1002")
    university.apply_once()
    university.students.set("1001", mail=" ")
    assert university.planned() == []
    university.apply_cleanly()
    assert university.learners()["s1001"]["email"] == "s1001@example.edu"


def test_a_blank_value_clears_where_the_feed_says_so(university: University) -> None:
    university.register(TEST, "1001", "1002")
    university.apply_once()
    university.feed("learner")["blank"] = "clear"
    university.students.set("1001", mail="")
    assert university.planned() == ["update learner 1001"]
    university.apply_cleanly()
    assert university.learners()["s1001"]["email"] in ("", None)
    assert university.learners()["s1002"]["email"] == "s1002@example.edu"
    assert university.planned() == []


def test_zero_is_a_value(university: University) -> None:
    university.register(TEST, "1001", "1002")
    university.registrations.set(f"{TEST} 1001", extra="30")
    university.apply_once()
    university.registrations.set(f"{TEST} 1001", extra="0")
    university.apply_cleanly()
    assert university.sent()[0]["body"]["candidates"] == [
        {"externalId": "s1001", "extraTimeMins": 0}
    ]
    assert university.candidates()["s1001"]["extraTimeMins"] == 0


def test_a_password_is_sent_when_the_learner_is_made_and_never_again(
    university: University,
) -> None:
    university.feed("learner")["map"]["password"] = "secret"
    university.register(TEST, "1001", "1002")
    university.students.set("1001", secret=SECRET)
    university.apply_once()
    assert university.learners()["s1001"]["passwordSet"] is True
    assert university.learners()["s1002"]["passwordSet"] is False
    university.students.set("1001", secret="et-annet-passord")
    assert university.planned() == []
    university.students.set("1001", family="Øvelsesen")
    university.apply_cleanly()
    assert "password" not in university.sent()[0]["body"]


def test_a_newly_mapped_password_changes_nobody_who_is_known(university: University) -> None:
    university.register(TEST, "1001")
    university.apply_once()
    university.students.set("1001", secret=SECRET)
    university.feed("learner")["map"]["password"] = "secret"
    assert university.planned() == []


def test_a_password_is_in_no_plan_no_log_no_status_and_no_state(university: University) -> None:
    university.feed("learner")["map"]["password"] = "secret"
    university.config["inspera"]["workers"] = 1
    university.register(TEST, "1001", "1002")
    university.students.set("1001", secret=SECRET)
    university.fail(
        method="POST",
        path="/api/v1/users/student",
        status=400,
        times=1,
        body={"error": f"weak: {SECRET}"},
    )
    words = (
        ["plan", "--all"],
        ["plan", "--json"],
        ["--verbose", "apply"],
        ["status", "--all"],
        ["status", "--json"],
    )
    printed = "".join(university.run(*one).output for one in words)
    assert "create learner 1001" in printed
    assert SECRET not in printed
    assert SECRET.encode() not in everything_kept(university)


def test_a_template_is_sent_when_the_test_is_made_and_never_again(university: University) -> None:
    university.exams.add(TEST, template="2002")
    university.keep_feeds("test")
    university.apply_once()
    university.exams.set(TEST, name="Muntlig prøve", template="3003")
    university.apply_cleanly()
    assert "sourceTemplateId" not in university.sent()[0]["body"]
    assert university.tests()[TEST]["templates_sent"] == 1


def test_fields_of_a_feed_that_cannot_be_read_keep_their_known_values(
    university: University,
) -> None:
    university.register(TEST, "1001", "1002")
    university.apply_once()
    before = university.learners()["s1001"]
    university.students.set("1001", family="Øvelsesenius")
    university.students.raw = university.students.text().encode() + b"ragged\n"
    university.registrations.set(f"{TEST} 1002", number="5")
    assert university.apply().status == 4
    assert university.learners()["s1001"] == before
    assert university.candidates()["s1002"]["candidateId"] == "5"


def test_fingerprints_carry_a_version(university: University) -> None:
    university.register(TEST, "1001")
    university.apply_once()
    connection = sqlite3.connect(university.state)
    prints = [row[0] for row in connection.execute("SELECT fingerprint FROM known_learner")]
    connection.close()
    assert [one[0] for one in prints] == [1]


@pytest.fixture
def seated(university: University) -> University:
    """Two candidates of whom 1001 has a room, which this tool has put there."""
    university.feed("candidate")["map"]["room"] = "room"
    university.register(TEST, "1001", "1002")
    university.registrations.set(f"{TEST} 1001", extra="30", room="U-37")
    university.apply_once()
    return university


def rooms(university: University) -> dict[str, str | None]:
    """The room of each candidate in Inspera."""
    return {name: one["roomName"] for name, one in university.candidates().items()}


def seats_sent(university: University) -> list[dict[str, Any]]:
    """Return what the last command sent about candidates."""
    return [one for call in university.sent("/candidates") for one in call["body"]["candidates"]]


def test_a_room_that_the_row_has_lost_is_taken_away_and_nothing_else(seated: University) -> None:
    seated.registrations.set(f"{TEST} 1001", room="", extra="")
    assert f"update candidate {TEST} / 1001: room U-37 → (nothing)" in seated.plan().out
    seated.apply_cleanly()
    assert seats_sent(seated) == [
        {"externalId": "s1001", "extraTimeMins": 30, "removeRoomName": True}
    ]
    assert rooms(seated) == {"s1001": None, "s1002": None}
    assert seated.planned() == []
    seated.registrations.set(f"{TEST} 1001", extra="45")
    seated.apply_cleanly()
    assert seats_sent(seated) == [{"externalId": "s1001", "extraTimeMins": 45}]


def test_a_room_of_which_the_feed_says_keep_stays(seated: University) -> None:
    seated.feed("candidate")["blank"] = "keep"
    seated.registrations.set(f"{TEST} 1001", room="")
    seated.apply_cleanly()
    assert seated.writes() == []
    assert rooms(seated)["s1001"] == "U-37"


def test_a_room_that_is_no_longer_mapped_stays(seated: University) -> None:
    del seated.feed("candidate")["map"]["room"]
    seated.registrations.set(f"{TEST} 1001", extra="45")
    seated.apply_cleanly()
    assert rooms(seated)["s1001"] == "U-37"


def test_a_room_that_somebody_else_has_put_there_is_cleared_only_where_the_feed_says_so(
    seated: University,
) -> None:
    seated.students.add("1003", "1004")
    seated.apply_cleanly()
    seated.sandbox.edit(candidate={"test": TEST, "username": "s1003", "roomName": "B"})
    seated.sandbox.edit(candidate={"test": TEST, "username": "s1004", "roomName": "B"})
    seated.register(TEST, "1003")
    seated.apply_cleanly()
    assert rooms(seated)["s1003"] == "B"
    seated.feed("candidate")["blank"] = "clear"
    seated.register(TEST, "1004")
    seated.apply_cleanly()
    assert (rooms(seated)["s1003"], rooms(seated)["s1004"]) == ("B", None)


def test_while_a_row_of_its_test_is_in_doubt_a_room_stays_and_then_goes(
    seated: University,
) -> None:
    seated.registrations.set(f"{TEST} 1001", room="")
    seated.registrations.add(f"{TEST} 9999")
    assert seated.apply().status == 1
    assert rooms(seated)["s1001"] == "U-37"
    seated.registrations.drop(f"{TEST} 9999")
    seated.apply_cleanly()
    assert rooms(seated)["s1001"] is None


def test_undo_of_a_room_takes_it_away_and_undo_of_that_puts_it_back(seated: University) -> None:
    seated.registrations.set(f"{TEST} 1001", room="")
    seated.apply_cleanly()
    run = seated.status()["runs"][0]["id"]
    assert seated.run("undo", str(run), "--why", "wrong", "--yes").status in (0, 3)
    assert rooms(seated)["s1001"] == "U-37"


def test_a_contributor_loses_room_and_building_by_flags(university: University) -> None:
    university.add_feeds("staff", "contributor")
    university.register(TEST, "1001")
    university.assign_staff(TEST, "501", room="U-37")
    university.apply_once()
    university.graders.set(f"{TEST} 501", room="")
    university.apply_cleanly()
    (call,) = university.sent("/contributors")
    (sent,) = call["body"]["contributors"]
    assert sent["removeRoomName"] is True
    assert "roomName" not in sent
    assert university.contributors()["t501"]["roomName"] is None
    assert university.planned() == []


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_room_whose_removal_got_no_answer_is_taken_away_by_sending_the_flag_again(
    seated: University, when: str
) -> None:
    seated.registrations.set(f"{TEST} 1001", room="")
    seated.fail(method="POST", path="*/candidates", status=500, times=1, when=when)
    seated.apply_cleanly()
    assert all(one["removeRoomName"] for one in seats_sent(seated))
    assert rooms(seated)["s1001"] is None
    assert seated.planned() == []
