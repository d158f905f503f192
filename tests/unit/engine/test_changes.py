"""Readings of changes: what is wanted is what the last whole reading said, with all changes since laid over it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from sync.engine.extract.extract import EVERYTHING, ExtractionResult, ReadOptions, extract
from sync.engine.protocols import BoundSource, Feed
from sync.errors import SourceError
from sync.mapping import FeedRule, FieldRule, compile_feed, fingerprint
from sync.records.base import Kind, Row
from sync.records.extract import Extract, Since
from sync.state.sqlite.open import open_to_write
from sync.state.store import Store

from ...support.examples import examples

NOW = datetime(2026, 12, 1, 8, tzinfo=UTC)
RULES = {
    "key": FieldRule(column="no"),
    "username": FieldRule(column="login"),
    "external_id": FieldRule(column="login"),
    "auth_system": FieldRule(constant="FEIDE"),
    "first_name": FieldRule(column="name"),
    "last_name": FieldRule(constant="Eksempel"),
}
COLUMNS = ("no", "login", "name", "status", "changed")
CHANGED = ReadOptions(changed=True)


@dataclass
class Table:
    """A table that knows when each of its rows last changed."""

    rows: dict[str, dict[str, str]] = field(default_factory=dict)
    time: int = 0
    asked: list[str] = field(default_factory=list)
    torn: bool = False

    def put(self, number: str, **values: str) -> None:
        self.time += 1
        row = {
            "no": number,
            "login": f"login{number}",
            "name": "Åse",
            "status": "active",
            **self.rows.get(number, {}),
        }
        self.rows[number] = {**row, **values, "changed": str(self.time)}

    @contextmanager
    def open(self, since: Since | None) -> Iterator[Extract]:
        mark = since.mark if since else ""
        self.asked.append(mark)
        before = str(self.time)

        def rows() -> Iterator[Row]:
            for number, row in enumerate(self.rows.values(), 1):
                if not mark or int(row["changed"]) > int(mark):
                    yield Row(number, row)
            if self.torn:
                raise SourceError("people", "was cut off", "see to the server")

        yield Extract("people", COLUMNS, rows(), mark=lambda: before)

    def feed(self, digest: str = "one", **rules: FieldRule) -> Feed:
        rule = FeedRule(
            Kind.LEARNER,
            {**RULES, **rules},
            {"status": ("active",)},
            departure={"status": ("gone",)},
        )
        return Feed(
            Kind.LEARNER,
            BoundSource("people", "people", self.open, "row"),
            compile_feed(rule, "people"),
            allow_empty=True,
            updated_column="changed",
            digest=digest,
        )


@dataclass
class Wanted:
    """What one run wants: names by number, who departs, the row errors, and what absence proves."""

    names: dict[str, str]
    departed: set[str]
    row_errors: list[str]
    extracted: ExtractionResult


def run(path: Path, feed: Feed, how: ReadOptions = EVERYTHING, *, keeps: bool = True) -> Wanted:
    """One run's reading; a plan reads and keeps nothing."""
    with open_to_write(path, "apply") as connection:
        store = Store(connection, places=["people"], fingerprint=fingerprint)
        extracted = extract([feed], store, NOW, lambda *_: None, how)
        if keeps:
            store.snapshots.keep(NOW, [feed.digest])
        rows = connection.execute(text("SELECT key, first_name FROM wanted_learner")).fetchall()
        gone = {row[0] for row in connection.execute(text("SELECT k1 FROM departed"))}
        names = {str(key): str(name) for key, name in rows}
        return Wanted(
            names,
            gone - set(names),
            [str(row_error) for row_error in store.staging.row_errors()],
            extracted,
        )


@pytest.fixture
def table() -> Table:
    table = Table()
    for number in ("1", "2", "3"):
        table.put(number)
    return table


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state.db"


def test_the_first_reading_is_whole_whatever_is_asked(table: Table, path: Path) -> None:
    first = run(path, table.feed(), CHANGED)
    assert set(first.names) == {"1", "2", "3"}
    assert Kind.LEARNER not in first.extracted.trouble
    assert table.asked == [""]


def test_changes_are_laid_over_what_was_read_before_and_prove_no_absence(
    table: Table, path: Path
) -> None:
    run(path, table.feed())
    table.put("2", name="Bjørn")
    table.put("4")
    del table.rows["3"]
    second = run(path, table.feed(), CHANGED)
    assert second.names == {"1": "Åse", "2": "Bjørn", "3": "Åse", "4": "Åse"}
    assert "removals wait for a full reading" in second.extracted.trouble[Kind.LEARNER].reason
    assert second.extracted.unhealthy == []
    assert table.asked == ["", "3"]
    assert set(run(path, table.feed()).names) == {"1", "2", "4"}


def test_a_plan_keeps_no_snapshot_so_that_the_next_run_reads_the_same_changes(
    table: Table, path: Path
) -> None:
    run(path, table.feed())
    table.put("2", name="Bjørn")
    assert run(path, table.feed(), CHANGED, keeps=False).names["2"] == "Bjørn"
    assert run(path, table.feed(), CHANGED).names["2"] == "Bjørn"
    assert table.asked == ["", "3", "3"]


def test_other_rules_make_another_feed_which_is_read_whole(table: Table, path: Path) -> None:
    run(path, table.feed())
    table.put("2", name="Bjørn")
    again = run(path, table.feed("two", first_name=FieldRule(constant="Chloé")), CHANGED)
    assert set(again.names.values()) == {"Chloé"}
    assert table.asked == ["", ""]
    run(path, table.feed(), CHANGED)
    assert table.asked == ["", "", ""]  # the snapshot of rules that are no more is gone


def test_a_row_error_stays_one_until_its_row_is_read_again(table: Table, path: Path) -> None:
    table.put("2", login="a\tb")
    first = run(path, table.feed())
    again = run(path, table.feed(), CHANGED)
    assert first.row_errors == again.row_errors != []
    assert set(again.names) == {"1", "3"}
    table.put("2", login="login2")
    assert set(run(path, table.feed(), CHANGED).names) == {"1", "2", "3"}


def test_a_row_without_a_key_stays_a_row_error_too(table: Table, path: Path) -> None:
    table.rows["9"] = {**table.rows["1"], "no": ""}
    assert run(path, table.feed()).row_errors == run(path, table.feed(), CHANGED).row_errors != []


def test_a_departure_is_not_forgotten_by_the_next_reading_of_changes(
    table: Table, path: Path
) -> None:
    run(path, table.feed())
    table.put("2", status="gone")
    assert run(path, table.feed(), CHANGED).departed == {"2"}
    assert run(path, table.feed(), CHANGED).departed == {"2"}
    table.put("2", status="active")
    back = run(path, table.feed(), CHANGED)
    assert (back.departed, set(back.names)) == (set(), {"1", "2", "3"})


@pytest.mark.parametrize("sent", [True, False])
def test_what_where_selects_no_longer_waits_for_a_full_reading_once_it_was_sent(
    table: Table, path: Path, sent: bool
) -> None:
    run(path, table.feed())
    if sent:
        with open_to_write(path, "apply") as connection:
            values = "VALUES ('2', 'active', 1, '2026-12-01T08:00:00Z')"
            connection.execute(
                text(f"INSERT INTO known_learner (key, lifecycle, managed, updated) {values}")
            )
            connection.commit()
    table.put("2", status="left")
    assert ("2" in run(path, table.feed(), CHANGED).names) is sent
    assert ("2" in run(path, table.feed(), CHANGED).names) is sent
    assert "2" not in run(path, table.feed()).names


def test_a_reading_that_breaks_off_changes_no_snapshot(table: Table, path: Path) -> None:
    run(path, table.feed())
    table.put("2", name="Bjørn")
    table.torn = True
    broken = run(path, table.feed(), CHANGED)
    assert (broken.names, len(broken.extracted.unhealthy)) == ({}, 1)
    table.torn = False
    assert run(path, table.feed(), CHANGED).names == {"1": "Åse", "2": "Bjørn", "3": "Åse"}


def test_rows_that_contradicted_each_other_are_no_truth_in_the_next_reading_of_changes(
    table: Table, path: Path
) -> None:
    table.rows["again"] = {**table.rows["1"], "name": "Other"}
    assert set(run(path, table.feed()).names) == {"2", "3"}
    again = run(path, table.feed(), CHANGED)
    assert set(again.names) == {"2", "3"}
    assert "several rows of this record contradicted each other" in again.row_errors[0]


NUMBERS = st.sampled_from("12345")
STEPS = st.lists(
    st.tuples(
        st.lists(st.tuples(NUMBERS, st.sampled_from(["put", "gone", "drop", "bad"])), max_size=4),
        st.booleans(),
    ),
    min_size=1,
    max_size=6,
)


@settings(max_examples=examples(40), deadline=timedelta(seconds=20))
@given(STEPS)
def test_after_any_history_all_that_the_source_said_last_is_wanted(
    steps: list[tuple[list[tuple[str, str]], bool]],
) -> None:
    table, said = Table(), dict[str, str]()
    with TemporaryDirectory() as folder:
        for step, (changes, whole) in enumerate(steps):
            for number, change in changes:
                if change == "drop":
                    table.rows.pop(number, None)
                else:
                    login = "a\tb" if change == "bad" else f"login{number}"
                    status = "gone" if change == "gone" else "active"
                    table.put(number, name=f"Name{step}", login=login, status=status)
            got = run(
                Path(folder) / "state.db",
                table.feed(),
                EVERYTHING if whole or not step else CHANGED,
            )
            if whole or not step:
                said = {}
            for number, row in table.rows.items():
                said[number] = (
                    "gone"
                    if row["status"] == "gone"
                    else ("bad" if "\t" in row["login"] else row["name"])
                )
            assert got.names == {
                number: what for number, what in said.items() if what.startswith("Name")
            }
            assert got.departed == {number for number, what in said.items() if what == "gone"}
            assert len(got.row_errors) >= len([what for what in said.values() if what == "bad"])
