from pathlib import Path

import pytest
from sync.config import ConfigurationErrors, load
from sync.records.base import Kind

from .configurations import SOUND, changed
from .conftest import Errors, Load


def test_a_sound_configuration_has_every_documented_default(load_text: Load) -> None:
    settings = load_text(SOUND).settings
    inspera, limits = settings.inspera, settings.limits

    assert (inspera.calls_per_second, inspera.workers, inspera.batch_size, inspera.attempts) == (
        5,
        8,
        100,
        5,
    )
    assert [
        wait.total_seconds()
        for wait in (
            inspera.connect_timeout,
            inspera.read_timeout,
            inspera.retry_after_ceiling,
            inspera.call_timeout,
            inspera.read_after_write_delay,
        )
    ] == [5, 65, 300, 60, 10]
    assert (inspera.max_in_flight, inspera.i_have_more) == (4, False)
    assert (inspera.proxy, inspera.ca_bundle) == (None, None)
    assert (limits.kind.at_least, limits.kind.percent, limits.kind.at_most) == (10, 10, 500)
    assert limits.kind.at_most_percent == 3
    assert (limits.test.at_least, limits.test.percent, limits.test.at_most) == (3, 25, 100)
    assert (limits.updates.at_least, limits.updates.percent, limits.updates.at_most) == (
        10,
        50,
        None,
    )
    absence = settings.on_absence
    assert (absence.learner, absence.test, absence.candidate) == ("release", "withdraw", "remove")
    assert (absence.staff, absence.committee, absence.contributor) == ("disable", "keep", "remove")
    assert (settings.existing.claim, settings.existing.unread, settings.existing.match_email) == (
        (),
        "unmanaged",
        False,
    )
    assert (settings.verify, settings.reconcile.repair, settings.reconcile.people) == (
        "sample",
        False,
        "one_by_one",
    )
    assert (inspera.calls, inspera.options) == ({}, {})
    assert [(feed.kind, feed.blank, feed.allow_empty) for feed in settings.feeds] == [
        (kind, None, False) for kind in (Kind.LEARNER, Kind.TEST, Kind.CANDIDATE)
    ]


def test_a_relative_state_lies_next_to_the_configuration_file(load_text: Load) -> None:
    loaded = load_text(SOUND)
    assert loaded.state_url == f"sqlite:///{loaded.folder}/state.db"
    assert loaded.folder.is_absolute()


def test_an_absolute_state_stays_where_it_is(load_text: Load) -> None:
    assert (
        load_text(SOUND + "state: sqlite:////var/lib/x/state.db").state_url
        == "sqlite:////var/lib/x/state.db"
    )


def test_limits_that_are_partly_given_keep_the_other_defaults(load_text: Load) -> None:
    limits = load_text(SOUND + "limits: {kind: {percent: 2.5}}").settings.limits
    assert (limits.kind.at_least, limits.kind.percent, limits.kind.at_most) == (10, 2.5, 500)
    assert limits.kind.at_most_percent == 3


@pytest.mark.parametrize(
    ("given", "grows"), [("at_most: 500", 0), ("{at_most: 500, at_most_percent: 2}", 2)]
)
def test_a_bound_that_somebody_has_set_does_not_grow_unless_they_say_so(
    load_text: Load, given: str, grows: int
) -> None:
    given = given if given.startswith("{") else f"{{{given}}}"
    kind = load_text(SOUND + f"limits: {{kind: {given}}}").settings.limits.kind
    assert (kind.at_most, kind.at_most_percent) == (500, grows)


def test_sections_whose_lines_are_all_commented_out_set_nothing(load_text: Load) -> None:
    text = SOUND + "limits:\n  kind:\n  # percent: 5\nexisting:\non_absence:\nreconcile:\n"
    text = text.replace("client_id: example", "client_id: example\n  calls:\n  options:")
    assert load_text(text).settings == load_text(SOUND).settings


def test_all_errors_are_said_at_once_with_file_line_column_and_path(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    text = changed("path: people.csv", "pth: people.csv").replace(
        "client_id: example", "client_id: example\n  workers: many"
    )
    path.write_text(text.replace("source: seats", "source: seat"), encoding="utf-8")

    with pytest.raises(ConfigurationErrors) as caught:
        load(path)

    assert str(caught.value).splitlines() == [
        f"{path}:4:12: inspera.workers: should be a whole number; write a number such as 5",
        f"{path}:7:23: sources.people.pth: unknown setting; did you mean 'path'?",
        f"{path}:24:13: feeds[3].source: is not a source; did you mean 'seats'?",
    ]


def test_an_unknown_setting_without_a_near_name_lists_what_there_is(errors_of: Errors) -> None:
    assert errors_of(SOUND + "existing: {zzz: 1}") == [
        "25:12: existing.zzz: unknown setting; known here: claim, unread, look_up_learners, export_above, match_email"
    ]


@pytest.mark.parametrize(
    ("more", "error"),
    [
        ("verify: some", "25:9: verify: is not a valid value; did you mean 'sample'?"),
        ("verify: true", "25:9: verify: is not a valid value; known here: sample, all, none"),
        ("verify:", "25:8: verify: is empty; give it a value, or remove the line"),
        (
            "reconcile: {people: export_all}",
            "25:21: reconcile.people: is not a valid value; did you mean 'export'?",
        ),
        (
            "reconcile: {repair: maybe}",
            "25:21: reconcile.repair: should be true or false; write 'true' or 'false'",
        ),
        (
            "existing: {match_email: often}",
            "25:25: existing.match_email: should be true or false; write 'true' or 'false'",
        ),
        (
            "on_absence: {staff: remove}",
            "25:21: on_absence.staff: is not a valid value; known here: disable, delete, keep",
        ),
        (
            "on_absence: {committee: forget}",
            "25:25: on_absence.committee: is not a valid value; known here: keep, remove",
        ),
        (
            "on_absence: {option: keep}",
            "25:14: on_absence.option: unknown setting; "
            "known here: learner, staff, test, committee, contributor, candidate",
        ),
    ],
)
def test_what_is_no_choice_of_a_setting_is_refused_with_the_choices(
    errors_of: Errors, more: str, error: str
) -> None:
    assert errors_of(f"{SOUND}{more}\n") == [error]


def test_every_choice_of_absence_reading_back_and_reconciling_is_taken(load_text: Load) -> None:
    text = (
        "on_absence: {staff: delete, committee: remove, contributor: keep}\n"
        "existing: {match_email: true}\nverify: none\nreconcile: {repair: true, people: export}\n"
    )
    settings = load_text(SOUND + text).settings
    absence = settings.on_absence
    assert (absence.staff, absence.committee, absence.contributor) == ("delete", "remove", "keep")
    assert (settings.existing.match_email, settings.verify) == (True, "none")
    assert (settings.reconcile.repair, settings.reconcile.people) == (True, "export")


def test_a_missing_setting_is_explained_by_what_it_is_for(errors_of: Errors) -> None:
    errors = errors_of(changed(", external_id: feide", ""))
    assert errors == [
        "13:5: feeds[1].map.external_id: is needed; add it: the identifier by which the auth system knows the person"
    ]


@pytest.mark.parametrize(
    ("old", "new", "error"),
    [
        (
            "client_id: example",
            "client_id: example\n  batch_size: 0",
            "4:15: inspera.batch_size: is too small; use at least 1",
        ),
        (
            "client_id: example",
            "client_id: example\n  batch_size: 1501",
            "4:15: inspera.batch_size: is too large; use at most 1500",
        ),
        (
            "client_id: example",
            "client_id: example\n  calls_per_second: nan",
            "4:21: inspera.calls_per_second: should be a number; write a number such as 5 or 2.5",
        ),
        (
            "client_id: example",
            "client_id: example\n  connect_timeout: 10",
            "4:20: inspera.connect_timeout: is not a valid duration; write it with its unit, "
            "such as 200ms, 90s, 30m, 26h, 7d or 1h30m",
        ),
        (
            "client_id: example",
            "client_id:",
            "3:13: inspera.client_id: is empty; give it a value, or remove the line",
        ),
        (
            "client_id: example",
            "client_id: [a]",
            "3:14: inspera.client_id: should be one text; write a single value on this line",
        ),
        (
            "kind: candidate",
            "kind: candidat",
            "22:11: feeds[3].kind: is not a valid value; did you mean 'candidate'?",
        ),
        (
            "  - kind: candidate\n    s",
            "  - s",
            "22:5: feeds[3].kind: is needed; add it: the other settings depend on it",
        ),
        (
            "source: seats",
            "source: seats\n    blank: kepe",
            "24:12: feeds[3].blank: is not a valid value; did you mean 'keep'?",
        ),
        (
            "source: seats",
            "source: seats\n    allow_empty: perhaps",
            "24:18: feeds[3].allow_empty: should be true or false; write 'true' or 'false'",
        ),
        (
            "source: people",
            "source: people\n    where: {status: }",
            "12:20: feeds[1].where.status: is empty; give it a value, or remove the line",
        ),
        (
            "source: people",
            "source: people\n    where: {status: []}",
            "12:21: feeds[1].where.status: is empty; give at least one entry",
        ),
        (
            "source: people",
            "source: people\n    where: {' ': [a]}",
            "12:18: feeds[1].where.' ': is empty; give it a value, or remove the line",
        ),
        (
            "duration: minutes",
            "duration:",
            "21:16: feeds[2].map.duration: is empty; give it a column, or remove the line",
        ),
        (
            "learner: no}",
            "learner: no, room: }",
            "24:54: feeds[3].map.room: is empty; give it a column, or remove the line",
        ),
    ],
)
def test_each_error_stands_at_its_own_line_in_plain_words(
    errors_of: Errors, old: str, new: str, error: str
) -> None:
    assert errors_of(changed(old, new)) == [error]


@pytest.mark.parametrize(
    ("settings", "error"),
    [
        (
            "type: csv, path: a.csv, delimiter: ;;",
            "delimiter: is too long; use no more characters than 1",
        ),
        (
            "type: csv, path: a.csv, quotechar: ''",
            "quotechar: is empty; give it a value, or remove the line",
        ),
        ("path: a.csv", "type: is needed; add it: the other settings depend on it"),
        ("type: csv, path: [a]", "path: should be one text; write a single value on this line"),
    ],
)
def test_errors_in_a_sources_own_settings_are_said_in_the_same_words(
    errors_of: Errors, settings: str, error: str
) -> None:
    (found,) = errors_of(changed("type: csv, path: exams.csv", settings))
    assert found.startswith("7:")
    assert found.endswith(f": sources.exams.{error}")


def test_what_a_source_says_of_its_own_settings_is_passed_on_with_the_line(
    errors_of: Errors,
) -> None:
    (found,) = errors_of(changed("path: exams.csv", "path: exams.csv, encoding: latin-seven"))
    assert found.startswith("7:49: sources.exams.encoding: ")
    assert "encoding, such as utf-8-sig" in found


def test_an_empty_file_says_what_is_needed(errors_of: Errors) -> None:
    assert [error.split(": ")[1] for error in errors_of("# nothing yet\n")] == [
        "inspera",
        "sources",
        "feeds",
    ]


def test_a_file_that_is_a_list_is_refused(errors_of: Errors) -> None:
    assert errors_of("- a\n- b\n") == [
        "1:1: should contain settings; write them below it, indented, as 'name: value'"
    ]


def test_empty_sources_and_feeds_are_refused(errors_of: Errors) -> None:
    text = SOUND[: SOUND.index("sources:")] + "sources: {}\nfeeds: []\n"
    assert errors_of(text) == [
        "5:10: sources: is empty; give at least one entry",
        "6:8: feeds: is empty; give at least one entry",
    ]


def test_one_wrong_feed_does_not_make_the_list_look_empty(errors_of: Errors) -> None:
    text = SOUND[: SOUND.index("  - kind: test")].replace("kind: learner", "kind: lerner")
    assert [error for error in errors_of(text) if ": feeds: " in error] == []


def test_a_missing_file_is_a_error_without_a_line(tmp_path: Path) -> None:
    with pytest.raises(
        ConfigurationErrors,
        match=r"no\.yaml: does not exist; give the configuration's path with --config$",
    ):
        load(tmp_path / "no.yaml")


def test_a_folder_and_an_enormous_file_are_not_configurations(tmp_path: Path) -> None:
    with pytest.raises(
        ConfigurationErrors, match="can't be read; give the user who runs this program"
    ):
        load(tmp_path)
    (tmp_path / "big.yaml").write_bytes(b"#" * (1024 * 1024 + 1))
    with pytest.raises(ConfigurationErrors, match="is larger than 1024 KiB"):
        load(tmp_path / "big.yaml")


def test_a_byte_that_is_not_utf_8_is_named_by_its_place(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_bytes("inspera:\n  client_id: Å".encode("cp1252"))
    with pytest.raises(
        ConfigurationErrors,
        match=r"a\.yaml:2:14: a byte is not UTF-8; save the file as UTF-8",
    ):
        load(tmp_path / "a.yaml")


def test_a_byte_order_mark_is_no_obstacle(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(SOUND, encoding="utf-8-sig")
    assert load(tmp_path / "a.yaml").settings.inspera.client_id == "example"


def test_a_very_long_list_of_errors_is_printed_capped_but_held_whole(load_text: Load) -> None:
    nonsense = "".join(f"x{number}: 1\n" for number in range(150))
    with pytest.raises(ConfigurationErrors) as caught:
        load_text(SOUND + nonsense)
    assert len(caught.value.errors) == 150
    assert str(caught.value).splitlines()[-1] == "and 50 more"


def test_a_source_that_no_feed_reads_is_only_a_warning(load_text: Load) -> None:
    loaded = load_text(changed("sources:\n", "sources:\n  spare: {type: csv, path: a.csv}\n"))
    assert [f"{w.line}:{w.column}: {w.path}: {w.reason}" for w in loaded.warnings] == [
        "6:3: sources.spare: is not read by any feed"
    ]
