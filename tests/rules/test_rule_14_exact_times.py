"""Rules 14: Times are exact. Local times need a zone. A time that a clock change skips or repeats
is a row error, not a guess. Times are sent and stored in UTC.
"""

import pytest

from ..support.university import OTHER, TEST, University


def minutes(university: University) -> dict[str, int]:
    """The extra time that Inspera gives, by username."""
    return {name: seat["extraTimeMins"] for name, seat in university.candidates().items()}


def test_local_times_are_sent_in_utc_summer_and_winter(university: University) -> None:
    university.exams.add(TEST)
    university.exams.add(OTHER, start="15.10.2026 09:00", end="15.10.2026 13:00")
    university.keep_feeds("test")
    university.apply_once()
    starts = {key: (test["startTime"], test["endTime"]) for key, test in university.tests().items()}
    assert starts == {
        TEST: ("2026-12-01T08:00:00Z", "2026-12-01T12:00:00Z"),
        OTHER: ("2026-10-15T07:00:00Z", "2026-10-15T11:00:00Z"),
    }


@pytest.mark.parametrize(
    ("start", "why"), [("29.03.2026 02:30", "skips it"), ("25.10.2026 02:30", "comes twice")]
)
def test_a_time_that_a_clock_change_skips_or_repeats_is_a_row_error_and_not_a_guess(
    university: University, start: str, why: str
) -> None:
    university.exams.add(TEST, start=start)
    university.exams.add(OTHER)
    university.keep_feeds("test")
    ran = university.apply()
    assert ran.status == 1
    assert "exams.csv line 2: start:" in ran.out
    assert why in ran.out
    assert set(university.tests()) == {OTHER}


def test_local_times_without_a_zone_are_refused_before_anything_is_read(
    university: University,
) -> None:
    university.feed("test")["map"]["start"] = {"column": "start", "format": "%d.%m.%Y %H:%M"}
    ran = university.run("apply")
    assert ran.status == 2
    assert "zone" in ran.err
    assert not university.state.exists()


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"end": "01.12.2026 09:00"}, "end"),
        ({"name": "x" * 500}, "title"),
        ({"name": "prøve [utkast]"}, "title"),
        ({"start": "2026-12-01 09:00"}, "start"),
        ({"minutes": "4 hours"}, "duration"),
    ],
)
def test_a_test_that_inspera_would_refuse_is_a_row_error_with_its_line_and_field(
    university: University, values: dict[str, str], field: str
) -> None:
    university.exams.add(OTHER)
    university.exams.add(TEST, **values)
    university.keep_feeds("test")
    ran = university.apply()
    assert ran.status == 1
    assert f"exams.csv line 3: {field}:" in ran.out
    assert set(university.tests()) == {OTHER}
