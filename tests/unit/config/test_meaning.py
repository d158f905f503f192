"""What a configuration means, kept as text without secrets, and made a configuration again."""

from pathlib import Path

import pytest
from sync.config import load
from sync.config.meaning_changes import PresentMeaning
from sync.records.base import Kind
from sync.sources.sql.source import SqlSettings

from .configurations import SOUND, changed
from .conftest import Load
from .test_example import EXAMPLE

SHIPPED = [EXAMPLE, *sorted((EXAMPLE.parent / "examples").glob("*.yaml"))]
EVERY = frozenset(Kind)


def stored(meaning: PresentMeaning) -> str:
    return meaning.stored_with(None, EVERY)[1]


def changes(load_text: Load, before: str, after: str) -> str:
    earlier = stored(PresentMeaning.of(load_text(before)))
    return PresentMeaning.of(load_text(after)).changed_since(earlier, EVERY)


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_a_shipped_configuration_is_restored_with_the_same_meaning(path: Path) -> None:
    loaded = load(path)
    meaning = PresentMeaning.of(loaded)
    earlier = meaning.load_earlier(stored(meaning))
    assert PresentMeaning.of(earlier).digest == meaning.digest
    kinds = {feed.kind for feed in loaded.settings.feeds}
    for kind in kinds:
        before, after = (
            [feed for feed in settings.feeds if feed.kind == kind]
            for settings in (loaded.settings, earlier.settings)
        )
        skip = {"allow_empty", "longest_duration", "updated_column"}
        assert [one.model_dump(exclude=skip) for one in before] == [
            one.model_dump(exclude=skip) for one in after
        ]


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_nothing_of_a_login_is_kept(path: Path) -> None:
    text = stored(PresentMeaning.of(load(path)))
    assert "password" not in text.replace('"password":null', "")
    assert "${" not in text


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("client_id: example\n", "client_id: example # a comment\n"),
        ("path: people.csv}", "path: people.csv, completeness: {minimum_rows: 5}}"),
        ("auth_system: FEIDE\n", "auth_system: FEIDE\n    allow_empty: true\n"),
        ("client_id: example\n", "client_id: example\n  workers: 3\n"),
        ("sources:\n", "limits: {updates: {percent: 5}}\nsources:\n"),
        ("{key: no, username: feide,", "{username: feide, key: no,"),
    ],
)
def test_what_only_guards_or_explains_is_no_change(load_text: Load, old: str, new: str) -> None:
    assert changes(load_text, SOUND, changed(old, new)) == ""


@pytest.mark.parametrize(
    ("old", "new", "names"),
    [
        ("title: name", "title: '{name} {term}'", "feeds[2].map.title: changed"),
        ("learner: no}", "learner: no, room: room}", "feeds[3].map.room: added"),
        (
            "source: seats\n",
            "source: seats\n    where: {state: on}\n    blank: clear\n",
            "feeds[3].where: added, feeds[3].blank: added",
        ),
        (
            "zone: Europe/Oslo}\n      end",
            "zone: UTC}\n      end",
            "feeds[2].map.start.zone: changed",
        ),
        ("path: exams.csv", "path: exams2.csv", "sources.exams.path: changed"),
        ("sources:\n", "on_absence: {candidate: keep}\nsources:\n", "on_absence.candidate: added"),
        (
            "sources:\n",
            "existing: {claim: [A]}\nsources:\n",
            "existing.claim: added",
        ),
        (
            "  - kind: test\n",
            "  - kind: learner\n    source: exams\n    on_conflict: skip\n"
            "    auth_system: FEIDE\n"
            "    map: {username: u, external_id: u, first_name: n, last_name: n}\n"
            "  - kind: test\n",
            "feeds[2]: added",
        ),
    ],
)
def test_a_change_of_meaning_is_named(load_text: Load, old: str, new: str, names: str) -> None:
    assert changes(load_text, SOUND, changed(old, new)) == names


def test_a_feed_that_is_gone_is_named(load_text: Load) -> None:
    shorter = SOUND[: SOUND.index("  - kind: candidate")]
    assert changes(load_text, SOUND, shorter) == "feeds: candidate of seats: removed"


SQL = """
  people:
    type: sql
    url: postgresql://db.example.edu/sis
    user: reader
    password: plain-and-unwise
    query_file: people.sql
"""
WITH_SQL = SOUND.replace("\n  people: {type: csv, path: people.csv}", SQL.rstrip())


def test_a_query_file_counts_by_its_text_and_the_login_is_that_of_now(
    load_text: Load, tmp_path: Path
) -> None:
    query = next(tmp_path.iterdir()) / "people.sql"
    query.write_text("SELECT no, '${x}' AS feide FROM people")
    earlier = stored(PresentMeaning.of(load_text(WITH_SQL)))
    assert "plain-and-unwise" not in earlier
    assert "reader" not in earlier
    query.write_text("SELECT no, feide FROM people")
    present = PresentMeaning.of(load_text(WITH_SQL.replace("reader", "other")))
    assert present.changed_since(earlier, EVERY) == "sources.people.query: changed"
    source = present.load_earlier(earlier).settings.sources["people"]
    assert isinstance(source, SqlSettings)
    assert source.query == "SELECT no, '${x}' AS feide FROM people"
    assert source.user == "other"
    assert str(source.password) == "****"


def test_a_kind_that_was_not_in_step_keeps_its_earlier_meaning(load_text: Load) -> None:
    earlier = stored(PresentMeaning.of(load_text(SOUND)))
    both = changed("title: name", "title: term").replace("learner: no}", "learner: no, room: room}")
    present = PresentMeaning.of(load_text(both))
    digest, merged = present.stored_with(earlier, {Kind.CANDIDATE, Kind.LEARNER})
    assert present.changed_since(merged, EVERY) == "feeds[2].map.title: changed"
    assert digest != present.digest
    assert present.stored_with(merged, EVERY)[0] == present.digest
