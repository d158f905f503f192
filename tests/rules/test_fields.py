"""What is sent of a record, and what is left alone."""

import sqlite3

from .site import TEST, Site

SECRET = "hemmelig-passord-9"


def everything_kept(site: Site) -> bytes:
    """Every byte that lies in the site's folder beside its sources."""
    return b"".join(file.read_bytes() for file in site.folder.glob("state.db*"))


def test_a_field_that_is_not_mapped_is_never_sent_and_inspera_keeps_its_own(site: Site) -> None:
    del site.feed("learner")["map"]["email"]
    site.seat(TEST, "1001")
    site.settled()
    assert "email" not in site.sent()[0]["body"]
    student = {
        "username": "s1001",
        "firstName": "Åse",
        "lastName": "Prøvesen",
        "email": "hers@example.edu",
    }
    site.sandbox.edit(student=student)
    site.students.set("1001", family="Øvelsesen")
    site.settled()
    assert site.people()["s1001"]["lastName"] == "Øvelsesen"
    assert site.people()["s1001"]["email"] == "hers@example.edu"


def test_a_newly_mapped_field_is_sent_to_those_who_have_it_and_nothing_else_changes(
    site: Site,
) -> None:
    site.seat(TEST, "1001", "1002", "1003")
    site.registrations.set(f"{TEST} 1002", room="U-37")
    site.settled()
    site.feed("candidate")["map"]["room"] = "room"
    assert site.planned() == [f"update candidate {TEST}/1002"]
    site.settled()
    assert [call["body"]["candidates"] for call in site.sent()] == [
        [{"externalId": "s1002", "roomName": "U-37"}]
    ]
    assert site.planned() == []


def test_a_field_that_is_no_longer_mapped_is_left_as_it_is(site: Site) -> None:
    site.seat(TEST, "1001")
    site.settled()
    del site.feed("learner")["map"]["email"]
    site.settled()
    assert site.writes() == []
    assert site.people()["s1001"]["email"] == "s1001@example.edu"


def test_a_blank_value_leaves_insperas_value_alone(site: Site) -> None:
    site.seat(TEST, "1001", "1002")
    site.settled()
    site.students.set("1001", mail=" ")
    assert site.planned() == []
    site.settled()
    assert site.people()["s1001"]["email"] == "s1001@example.edu"


def test_a_blank_value_clears_where_the_feed_says_so(site: Site) -> None:
    site.seat(TEST, "1001", "1002")
    site.settled()
    site.feed("learner")["blank"] = "clear"
    site.students.set("1001", mail="")
    assert site.planned() == ["update learner 1001"]
    site.settled()
    assert site.people()["s1001"]["email"] in ("", None)
    assert site.people()["s1002"]["email"] == "s1002@example.edu"
    assert site.planned() == []


def test_nought_is_a_value(site: Site) -> None:
    site.seat(TEST, "1001", "1002")
    site.registrations.set(f"{TEST} 1001", extra="30")
    site.settled()
    site.registrations.set(f"{TEST} 1001", extra="0")
    site.settled()
    assert site.sent()[0]["body"]["candidates"] == [{"externalId": "s1001", "extraTimeMins": 0}]
    assert site.seats()["s1001"]["extraTimeMins"] == 0


def test_a_candidate_post_carries_every_known_field_so_that_a_new_room_never_drops_the_minutes(
    site: Site,
) -> None:
    site.feed("candidate")["map"]["room"] = "room"
    site.seat(TEST, "1001")
    site.registrations.set(f"{TEST} 1001", extra="30", number="12", room="U-37")
    site.settled()
    site.registrations.set(f"{TEST} 1001", extra="", number="", room="A-1")
    site.settled()
    seat = {"externalId": "s1001", "candidateId": "12", "extraTimeMins": 30, "roomName": "A-1"}
    assert site.sent()[0]["body"]["candidates"] == [seat]


def test_a_password_is_sent_when_the_learner_is_made_and_never_again(site: Site) -> None:
    site.feed("learner")["map"]["password"] = "secret"
    site.seat(TEST, "1001", "1002")
    site.students.set("1001", secret=SECRET)
    site.settled()
    assert site.people()["s1001"]["passwordSet"] is True
    assert site.people()["s1002"]["passwordSet"] is False
    site.students.set("1001", secret="et-annet-passord")
    assert site.planned() == []
    site.students.set("1001", family="Øvelsesen")
    site.settled()
    assert "password" not in site.sent()[0]["body"]


def test_a_newly_mapped_password_changes_nobody_who_is_known(site: Site) -> None:
    site.seat(TEST, "1001")
    site.settled()
    site.students.set("1001", secret=SECRET)
    site.feed("learner")["map"]["password"] = "secret"
    assert site.planned() == []


def test_a_password_is_in_no_plan_no_log_no_status_and_no_state(site: Site) -> None:
    site.feed("learner")["map"]["password"] = "secret"
    site.config["inspera"]["workers"] = 1
    site.seat(TEST, "1001", "1002")
    site.students.set("1001", secret=SECRET)
    site.fail(
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
    said = "".join(site.run(*one).said for one in words)
    assert "create learner 1001" in said
    assert SECRET not in said
    assert SECRET.encode() not in everything_kept(site)


def test_plans_and_statuses_name_keys_and_never_people(site: Site) -> None:
    site.seat(TEST, "1001", "1002")
    site.students.set("1001", given="Gudrún", family="Plannavnsen")
    said = site.plan().said + site.run("plan", "--json").said + site.apply().said
    site.students.set("1001", family="Annetsen", mail="nytt@example.edu")
    said += (
        site.plan().said
        + site.run("plan", "--json").said
        + site.apply().said
        + site.run("status", "--all").said
    )
    assert "last_name changes" in said
    assert not any(
        word in said for word in ("Gudrún", "Plannavnsen", "Annetsen", "nytt@example.edu")
    )


def test_a_template_is_sent_when_the_test_is_made_and_never_again(site: Site) -> None:
    site.exams.add(TEST, template="2002")
    site.only("test")
    site.settled()
    site.exams.set(TEST, name="Muntlig prøve", template="3003")
    site.settled()
    assert "sourceTemplateId" not in site.sent()[0]["body"]
    assert site.tests()[TEST]["templates_sent"] == 1


def test_fields_of_a_feed_that_cannot_be_read_keep_their_known_values(site: Site) -> None:
    site.seat(TEST, "1001", "1002")
    site.settled()
    before = site.people()["s1001"]
    site.students.set("1001", family="Øvelsesenius")
    site.students.raw = site.students.text().encode() + b"ragged\n"
    site.registrations.set(f"{TEST} 1002", number="5")
    assert site.apply().status == 4
    assert site.people()["s1001"] == before
    assert site.seats()["s1002"]["candidateId"] == "5"


def test_fingerprints_carry_a_version(site: Site) -> None:
    site.seat(TEST, "1001")
    site.settled()
    connection = sqlite3.connect(site.state)
    prints = [row[0] for row in connection.execute("SELECT fingerprint FROM known_learner")]
    connection.close()
    assert [one[0] for one in prints] == [1]
