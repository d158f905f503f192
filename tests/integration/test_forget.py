"""People are forgotten: searched for in every byte; the rest stays, and the next run is calm."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from ..support.university import NEXT_DAY, OTHER, TEST, University

TEN = [f"s77{number:03}x" for number in range(10)]
"""Keys that no hash and no time can contain."""


def bytes_of(folder: Path) -> dict[str, bytes]:
    """The state and all files next to it."""
    return {file.name: file.read_bytes() for file in folder.glob("state.db*")}


def found(folder: Path, *words: str) -> set[tuple[str, str]]:
    """In which files which words are."""
    return {
        (name, word)
        for name, content in bytes_of(folder).items()
        for word in words
        if word.encode() in content
    }


def words_of(key: str) -> tuple[str, ...]:
    """What there is about a person: key, address, login and a name of their own."""
    return (key, f"{key}@mail.example", f"login-{key}", f"Forename{key}", f"Surname{key}")


ALL_WORDS = [word for key in TEN for word in words_of(key)]


@pytest.fixture
def left(university: University) -> University:
    """Ten people were on two tests; one was held, and all left the sources since."""
    university.allow_shrinkage()
    for key in TEN:
        _, email, login, first, last = words_of(key)
        university.students.add(key, feide=login, given=first, family=last, mail=email)
    university.register(TEST, "1001", *TEN)
    university.register(OTHER, "1002", *TEN[:3])
    university.apply_cleanly()
    university.at(NEXT_DAY)
    university.registrations.drop(*(f"{TEST} {key}" for key in TEN))
    university.registrations.drop(*(f"{OTHER} {key}" for key in TEN[:3]))
    university.apply()
    university.students.drop(*TEN)
    university.apply()
    return university


def test_ten_people_leave_no_byte_and_the_rest_is_intact(left: University) -> None:
    assert found(left.folder, *TEN)
    others = rows(left.state, "1001")
    forgotten = left.run("forget", *TEN, "--yes")
    assert forgotten.status == 0, forgotten.out
    assert found(left.folder, *ALL_WORDS) == set()
    assert rows(left.state, "1001") == others
    assert left.run("audit", "verify").status == 0
    events = [json.loads(one) for one in left.run("audit", "export").out.splitlines()]
    assert [one["event"] for one in events][-10:] == ["forgotten"] * 10
    with closing(sqlite3.connect(left.state)) as state, closing(sqlite3.connect(":memory:")) as to:
        state.backup(to)
        backup = to.serialize()
    assert not [word for word in ALL_WORDS if word.encode() in backup]


def rows(state: Path, key: str) -> list[object]:
    """What is known of a person, with their calls."""
    with closing(sqlite3.connect(state)) as opened:
        known = opened.execute("SELECT * FROM known_learner WHERE key = ?", [key]).fetchall()
        sent = opened.execute("SELECT * FROM intent WHERE k1 = ? OR k2 = ?", [key, key]).fetchall()
    return [known, sent]


def test_the_next_run_brings_nobody_back(left: University) -> None:
    left.run("forget", *TEN, "--yes")
    left.apply()
    assert found(left.folder, *ALL_WORDS) == set()


def test_the_source_that_still_has_a_person_is_named(university: University) -> None:
    university.register(TEST, "1001")
    university.apply_once()
    said = university.run("forget", "1001", "--yes").out
    assert "named this person when it was last read" in said
    assert "1 place on tests stay in Inspera" in said
    assert "1001" in str(university.planned())


def test_nobody_to_ask_and_nobody_to_forget_are_refused(university: University) -> None:
    university.register(TEST, "1001")
    university.apply_once()
    assert university.run("forget", "1001").status == 2
    assert university.run("forget", "nobody", "--yes").status == 2


def test_everything_about_a_person_can_be_exported(university: University) -> None:
    university.register(TEST, "1001")
    university.apply_once()
    kept = json.loads(university.run("export-person", "1001").out)["kept"]["learner"]
    assert {"known_learner", "known_candidate", "intent", "audit"} <= set(kept)
    assert kept["known_candidate"][0]["test"] == TEST
    assert kept["audit"][0]["event"] == "change"
    assert university.run("export-person", "nobody").status == 2
