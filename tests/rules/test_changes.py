"""Registrations read for changes only, from a database: quick, never a removal, and nothing lost on the way."""

import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest

from .site import TEST, Site, numbers

TABLE = (
    "CREATE TABLE registration (course TEXT, term TEXT, student_no TEXT, room TEXT, changed TEXT)"
)


class Database:
    """The student system's table of registrations."""

    def __init__(self, site: Site) -> None:
        self._path = site.folder / "sis.db"
        self.run(TABLE)

    def run(self, statement: str, *values: object) -> None:
        with closing(sqlite3.connect(self._path, isolation_level=None)) as connection:
            connection.execute(statement, values)

    def put(self, learner: str, room: str = "", minutes_ago: int = 0) -> None:
        """A registration that was made or changed now, or some time ago."""
        course, term = TEST.split("-")
        changed = (datetime.now(UTC) - timedelta(minutes=minutes_ago)).strftime("%Y-%m-%d %H:%M:%S")
        self.drop(learner)
        self.run(
            "INSERT INTO registration VALUES (?, ?, ?, ?, ?)", course, term, learner, room, changed
        )

    def drop(self, learner: str) -> None:
        self.run("DELETE FROM registration WHERE student_no = ?", learner)


@pytest.fixture
def database(site: Site) -> Database:
    """Five learners on a test, read whole once, an hour after they were registered."""
    site.students.add(*numbers(1001, 9))
    site.exams.add(TEST)
    database = Database(site)
    for learner in numbers(1001, 5):
        database.put(learner, minutes_ago=60)
    site.config["sources"]["registrations"] = {
        "type": "sql",
        "url": "sqlite:///sis.db",
        "query": "SELECT * FROM registration",
    }
    candidates = site.feed("candidate")
    candidates["map"] = {"test": "{course}-{term}", "learner": "student_no", "room": "room"}
    candidates["updated_column"] = "changed"
    site.settled()
    return database


def seats(site: Site) -> set[str]:
    return set(site.seats())


def test_what_was_added_and_changed_arrives_and_who_has_gone_stays_until_a_full_reading(
    site: Site, database: Database
) -> None:
    database.put("1006")
    database.put("1002", room="Ø2")
    database.drop("1001")
    ran = site.apply("--changed")
    assert ran.status == 0
    assert (
        "Changes: sqlite:///sis.db: only what changed was read; removals wait for a full reading"
        in ran.out
    )
    assert seats(site) == {f"s{number}" for number in numbers(1001, 6)}
    assert site.seats()["s1002"]["roomName"] == "Ø2"
    site.settled()
    assert "s1001" not in seats(site)


def test_a_plan_of_changes_writes_nothing(site: Site, database: Database) -> None:
    database.put("1006")
    before = site.state.read_bytes()
    assert (
        f"create candidate {TEST} / 1006 (registrations (sqlite:///sis.db) "
        in site.plan("--changed").out
    )
    assert site.state.read_bytes() == before
    site.apply("--changed")
    assert "s1006" in seats(site)


def test_what_could_not_be_sent_is_not_lost_with_the_reading_that_brought_it(
    site: Site, database: Database
) -> None:
    database.put("1099")  # whom no source names yet
    ran = site.apply("--changed")
    assert ran.status == 1
    assert "no feed makes the learner '1099'" in ran.out
    site.students.add("1099")
    # the row is not read again, as it was changed long before the last reading by now
    database.run(
        "UPDATE registration SET changed = '2020-01-01 00:00:00' WHERE student_no = '1099'"
    )
    assert site.apply("--changed").status == 0
    assert "s1099" in seats(site)


def test_a_server_that_fails_leaves_all_as_it_was(site: Site, database: Database) -> None:
    database.put("1006")
    database.run("ALTER TABLE registration RENAME TO elsewhere")
    ran = site.apply("--changed")
    assert ran.status == 4
    assert site.writes() == []
    database.run("ALTER TABLE elsewhere RENAME TO registration")
    assert site.apply("--changed").status == 0
    assert "s1006" in seats(site)


def test_the_word_for_changes_needs_a_feed_that_can(site: Site, database: Database) -> None:
    del site.feed("candidate")["updated_column"]
    ran = site.apply("--changed")
    assert ran.status == 2
    assert "no feed has an 'updated_column'" in ran.said


def test_a_registration_that_is_cancelled_while_it_waits_is_not_sent_any_more(
    site: Site, database: Database
) -> None:
    site.feed("candidate")["where"] = {"room": ["", "A"]}
    site.settled()
    database.put("1099")
    site.apply("--changed")
    database.put("1099", room="CANCELLED")
    site.students.add("1099")
    site.apply("--changed")
    assert "s1099" not in seats(site)


def test_a_full_reading_that_is_not_whole_loses_nothing_that_waits(
    site: Site, database: Database
) -> None:
    database.put("1099")
    site.apply("--changed")
    site.config["sources"]["registrations"]["completeness"] = {"minimum_rows": 6}
    database.drop("1099")
    assert site.apply().status == 4
    site.students.add("1099")
    site.apply("--changed")
    assert "s1099" in seats(site)


def test_a_reading_of_changes_forgets_no_groups(site: Site, database: Database) -> None:
    site.config["sources"]["registrations"]["completeness"] = {"group": "room"}
    database.put("1001", room="A")
    database.put("1002", room="B")
    rooms = {**site.feed("candidate"), "where": {"room": "B"}}
    del rooms["updated_column"]
    site.config["feeds"].append(rooms)
    site.settled()
    database.put("1006")
    assert site.apply("--changed").status == 0
    database.drop("1001")
    ran = site.apply()
    assert ran.status == 4
    assert "has no row any more with 'A' in column 'room'" in ran.out


def test_an_old_row_of_a_record_that_another_row_wants_makes_nobody_depart(
    site: Site, database: Database
) -> None:
    site.feed("candidate")["departure"] = {"room": "out"}
    course, term = TEST.split("-")
    database.run(
        "INSERT INTO registration VALUES (?, ?, '1001', 'out', '2020-01-01 00:00:00')", course, term
    )
    site.settled()
    assert "s1001" in seats(site)
    database.run("UPDATE registration SET changed = datetime('now') WHERE room = 'out'")
    database.run("UPDATE registration SET changed = '2020-01-01 00:00:00' WHERE room = ''")
    assert site.apply("--changed").status == 0
    assert "s1001" in seats(site)
    site.settled()
    assert "s1001" in seats(site)


def test_a_reading_that_was_not_whole_moves_no_mark(site: Site, database: Database) -> None:
    def marks() -> list[object]:
        with closing(sqlite3.connect(site.state)) as connection:
            return [row[0] for row in connection.execute("SELECT value FROM watermark")]

    before = marks()
    site.config["sources"]["registrations"]["completeness"] = {"minimum_rows": 60}
    assert site.apply().status == 4
    assert marks() == before != []


class People:
    """The student system's table of students."""

    def __init__(self, site: Site) -> None:
        self._path = site.folder / "people.db"
        self.run(
            "CREATE TABLE p (student_no TEXT, feide TEXT, given TEXT, family TEXT, mail TEXT, changed TEXT)"
        )
        site.config["sources"]["students"] = {
            "type": "sql",
            "url": "sqlite:///people.db",
            "query": "SELECT * FROM p",
        }
        learners = site.feed("learner")
        del learners["where"]
        learners["updated_column"] = "changed"

    def run(self, statement: str, *values: object) -> None:
        with closing(sqlite3.connect(self._path, isolation_level=None)) as connection:
            connection.execute(statement, values)

    def put(self, number: str, given: str = "Ada") -> None:
        values = (number, f"s{number}", given, "Prøvesen", f"{given}@example.edu".lower())
        self.run("INSERT INTO p VALUES (?, ?, ?, ?, ?, datetime('now'))", *values)


def test_a_key_that_is_corrected_before_it_was_sent_makes_no_second_account(site: Site) -> None:
    people = People(site)
    people.put("1001", "Åse")
    site.only("learner")
    site.settled()
    people.put("1O04")
    site.config["inspera"]["proxy"] = "http://127.0.0.1:9"
    assert site.apply("--changed").status == 5
    del site.config["inspera"]["proxy"]
    people.run(
        "UPDATE p SET student_no = '1004', feide = 's1004', changed = datetime('now') WHERE given = 'Ada'"
    )
    site.apply("--changed")
    assert set(site.people()) == {"s1001", "s1004"}


def test_after_a_identity_change_is_settled_the_old_record_does_not_come_back(site: Site) -> None:
    people = People(site)
    people.put("1001", "Åse")
    people.put("1002", "Bo")
    site.only("learner")
    site.settled()
    people.run(
        "UPDATE p SET student_no = '9001', family = 'Nytt', changed = datetime('now') WHERE student_no = '1001'"
    )
    assert site.apply("--changed").status == 3
    site.adopt("learner", "9001")
    ran = site.apply("--changed")
    assert "learner 1001" not in ran.out
    assert site.people()["s1001"]["lastName"] == "Nytt"
    assert "no change" in site.settled().out
