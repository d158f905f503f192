"""Rules 29: Incremental reads remove nothing. Removals wait for a full read."""

import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest

from ..support.university import TEST, University, numbers

TABLE = (
    "CREATE TABLE registration (course TEXT, term TEXT, student_no TEXT, room TEXT, changed TEXT)"
)


class Database:
    """The student system's table of registrations."""

    def __init__(self, university: University) -> None:
        self._path = university.folder / "sis.db"
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
def database(university: University) -> Database:
    """Five learners on a test, read whole once, an hour after they were registered."""
    university.students.add(*numbers(1001, 9))
    university.exams.add(TEST)
    database = Database(university)
    for learner in numbers(1001, 5):
        database.put(learner, minutes_ago=60)
    university.config["sources"]["registrations"] = {
        "type": "sql",
        "url": "sqlite:///sis.db",
        "query": "SELECT * FROM registration",
    }
    candidates = university.feed("candidate")
    candidates["map"] = {"test": "{course}-{term}", "learner": "student_no", "room": "room"}
    candidates["updated_column"] = "changed"
    university.apply_once()
    return database


def seats(university: University) -> set[str]:
    return set(university.candidates())


def test_what_was_added_and_changed_arrives_and_who_has_gone_stays_until_a_full_reading(
    university: University, database: Database
) -> None:
    database.put("1006")
    database.put("1002", room="Ø2")
    database.drop("1001")
    ran = university.apply("--changed")
    assert ran.status == 0
    assert (
        "Changes: sqlite:///sis.db: only what changed was read; removals wait for a full reading"
        in ran.out
    )
    assert seats(university) == {f"s{number}" for number in numbers(1001, 6)}
    assert university.candidates()["s1002"]["roomName"] == "Ø2"
    university.apply_cleanly()
    assert "s1001" not in seats(university)


def test_a_plan_of_changes_writes_nothing(university: University, database: Database) -> None:
    database.put("1006")
    before = university.state.read_bytes()
    assert (
        f"create candidate {TEST} / 1006 (registrations (sqlite:///sis.db) "
        in university.plan("--changed").out
    )
    assert university.state.read_bytes() == before
    university.apply("--changed")
    assert "s1006" in seats(university)


def test_what_could_not_be_sent_is_not_lost_with_the_reading_that_brought_it(
    university: University, database: Database
) -> None:
    database.put("1099")  # whom no source names yet
    ran = university.apply("--changed")
    assert ran.status == 1
    assert "no feed makes the learner '1099'" in ran.out
    university.students.add("1099")
    # the row is not read again, as it was changed long before the last reading by now
    database.run(
        "UPDATE registration SET changed = '2020-01-01 00:00:00' WHERE student_no = '1099'"
    )
    assert university.apply("--changed").status == 0
    assert "s1099" in seats(university)


def test_a_server_that_fails_leaves_all_as_it_was(
    university: University, database: Database
) -> None:
    database.put("1006")
    database.run("ALTER TABLE registration RENAME TO elsewhere")
    ran = university.apply("--changed")
    assert ran.status == 4
    assert university.writes() == []
    database.run("ALTER TABLE elsewhere RENAME TO registration")
    assert university.apply("--changed").status == 0
    assert "s1006" in seats(university)


def test_the_word_for_changes_needs_a_feed_that_can(
    university: University, database: Database
) -> None:
    del university.feed("candidate")["updated_column"]
    ran = university.apply("--changed")
    assert ran.status == 2
    assert "no feed has an 'updated_column'" in ran.output


def test_a_registration_that_is_cancelled_while_it_waits_is_not_sent_any_more(
    university: University, database: Database
) -> None:
    university.feed("candidate")["where"] = {"room": ["", "A"]}
    university.apply_cleanly()
    database.put("1099")
    university.apply("--changed")
    database.put("1099", room="CANCELLED")
    university.students.add("1099")
    university.apply("--changed")
    assert "s1099" not in seats(university)


def test_a_full_reading_that_is_not_whole_loses_nothing_that_waits(
    university: University, database: Database
) -> None:
    database.put("1099")
    university.apply("--changed")
    university.config["sources"]["registrations"]["completeness"] = {"minimum_rows": 6}
    database.drop("1099")
    assert university.apply().status == 4
    university.students.add("1099")
    university.apply("--changed")
    assert "s1099" in seats(university)


def test_a_reading_of_changes_forgets_no_groups(university: University, database: Database) -> None:
    university.config["sources"]["registrations"]["completeness"] = {"group": "room"}
    database.put("1001", room="A")
    database.put("1002", room="B")
    rooms = {**university.feed("candidate"), "where": {"room": "B"}}
    del rooms["updated_column"]
    university.config["feeds"].append(rooms)
    university.apply_cleanly()
    database.put("1006")
    assert university.apply("--changed").status == 0
    database.drop("1001")
    ran = university.apply()
    assert ran.status == 4
    assert "has no row any more with 'A' in column 'room'" in ran.out


def test_an_old_row_of_a_record_that_another_row_wants_makes_nobody_depart(
    university: University, database: Database
) -> None:
    university.feed("candidate")["departure"] = {"room": "out"}
    course, term = TEST.split("-")
    database.run(
        "INSERT INTO registration VALUES (?, ?, '1001', 'out', '2020-01-01 00:00:00')", course, term
    )
    university.apply_cleanly()
    assert "s1001" in seats(university)
    database.run("UPDATE registration SET changed = datetime('now') WHERE room = 'out'")
    database.run("UPDATE registration SET changed = '2020-01-01 00:00:00' WHERE room = ''")
    assert university.apply("--changed").status == 0
    assert "s1001" in seats(university)
    university.apply_cleanly()
    assert "s1001" in seats(university)


def test_a_reading_that_was_not_whole_moves_no_mark(
    university: University, database: Database
) -> None:
    def marks() -> list[object]:
        with closing(sqlite3.connect(university.state)) as connection:
            return [row[0] for row in connection.execute("SELECT value FROM watermark")]

    before = marks()
    university.config["sources"]["registrations"]["completeness"] = {"minimum_rows": 60}
    assert university.apply().status == 4
    assert marks() == before != []


class People:
    """The student system's table of students."""

    def __init__(self, university: University) -> None:
        self._path = university.folder / "people.db"
        self.run(
            "CREATE TABLE p (student_no TEXT, feide TEXT, given TEXT, family TEXT, mail TEXT, changed TEXT)"
        )
        university.config["sources"]["students"] = {
            "type": "sql",
            "url": "sqlite:///people.db",
            "query": "SELECT * FROM p",
        }
        learners = university.feed("learner")
        del learners["where"]
        learners["updated_column"] = "changed"

    def run(self, statement: str, *values: object) -> None:
        with closing(sqlite3.connect(self._path, isolation_level=None)) as connection:
            connection.execute(statement, values)

    def put(self, number: str, given: str = "Ada") -> None:
        values = (number, f"s{number}", given, "Prøvesen", f"{given}@example.edu".lower())
        self.run("INSERT INTO p VALUES (?, ?, ?, ?, ?, datetime('now'))", *values)


def test_a_key_that_is_corrected_before_it_was_sent_makes_no_second_account(
    university: University,
) -> None:
    people = People(university)
    people.put("1001", "Åse")
    university.keep_feeds("learner")
    university.apply_once()
    people.put("1O04")
    university.config["inspera"]["proxy"] = "http://127.0.0.1:9"
    assert university.apply("--changed").status == 5
    del university.config["inspera"]["proxy"]
    people.run(
        "UPDATE p SET student_no = '1004', feide = 's1004', changed = datetime('now') WHERE given = 'Ada'"
    )
    university.apply("--changed")
    assert set(university.learners()) == {"s1001", "s1004"}


def test_after_an_identity_change_is_settled_the_old_record_does_not_come_back(
    university: University,
) -> None:
    people = People(university)
    people.put("1001", "Åse")
    people.put("1002", "Bo")
    university.keep_feeds("learner")
    university.apply_once()
    people.run(
        "UPDATE p SET student_no = '9001', family = 'Nytt', changed = datetime('now') WHERE student_no = '1001'"
    )
    assert university.apply("--changed").status == 3
    university.adopt("learner", "9001")
    ran = university.apply("--changed")
    assert "learner 1001" not in ran.out
    assert university.learners()["s1001"]["lastName"] == "Nytt"
    assert "no change" in university.apply_cleanly().out
