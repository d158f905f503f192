"""Extra time, candidate numbers, the most that a test can hold, and times of day."""

import pytest

from .site import OTHER, TEST, Site, names, numbers


def minutes(site: Site) -> dict[str, int]:
    """The extra time that Inspera gives, by username."""
    return {name: seat["extraTimeMins"] for name, seat in site.seats().items()}


def test_extra_time_is_minutes_or_a_share_of_the_duration_rounded_up(site: Site) -> None:
    site.exams.add(TEST, minutes="235")
    site.seat(TEST, "1001", "1002", "1003", "1004")
    for learner, extra in (("1001", "30"), ("1002", "25%"), ("1003", "33 %"), ("1004", "0")):
        site.registrations.set(f"{TEST} {learner}", extra=extra)
    site.settled()
    assert minutes(site) == {"s1001": 30, "s1002": 59, "s1003": 78, "s1004": 0}
    assert site.planned() == []


def test_a_share_is_worked_out_anew_when_the_duration_changes(site: Site) -> None:
    site.seat(TEST, "1001", "1002")
    site.registrations.set(f"{TEST} 1001", extra="25%")
    site.settled()
    assert minutes(site)["s1001"] == 60
    site.exams.set(TEST, minutes="180")
    assert site.planned() == [f"update test {TEST}", f"update candidate {TEST}/1001"]
    site.settled()
    assert minutes(site)["s1001"] == 45


def test_a_share_waits_with_its_candidate_until_the_tests_duration_is_known(site: Site) -> None:
    site.exams.add(OTHER)
    site.students.add("1001")
    site.registrations.add(f"{TEST} 1001", extra="10%")
    assert site.apply().status == 1  # no feed makes the test as yet
    site.exams.add(TEST)
    site.settled()
    assert minutes(site) == {"s1001": 24}
    assert site.planned() == []


def test_blank_extra_time_keeps_the_minutes_or_takes_them_back_where_the_feed_says_clear(
    site: Site,
) -> None:
    site.seat(TEST, "1001", "1002")
    site.registrations.set(f"{TEST} 1001", extra="25%")
    site.settled()
    site.registrations.set(f"{TEST} 1001", extra="")
    assert site.planned() == []
    site.feed("candidate")["blank"] = "clear"
    assert f"update candidate {TEST}/1001" in site.planned("pass")
    site.settled()
    assert minutes(site) == {"s1001": 0, "s1002": 0}
    assert site.planned() == []


def test_minutes_are_written_as_the_feed_says(site: Site) -> None:
    site.feed("test")["map"]["duration"] = {"column": "minutes", "minutes": "hh:mm"}
    site.feed("candidate")["map"]["extra_time"] = {"column": "extra", "minutes": "iso8601"}
    site.exams.add(TEST, minutes="3:30")
    site.seat(TEST, "1001")
    site.registrations.set(f"{TEST} 1001", extra="PT1H15M")
    site.settled()
    assert site.tests()[TEST]["duration"] == 210
    assert minutes(site) == {"s1001": 75}


def test_a_duration_longer_than_the_test_is_a_row_error(site: Site) -> None:
    site.exams.add(TEST, minutes="241")
    site.exams.add(OTHER, minutes="240")
    site.only("test")
    ran = site.apply()
    assert ran.status == 1
    assert "exams.csv line 2: duration:" in ran.out
    assert set(site.tests()) == {OTHER}


def test_two_learners_with_one_candidate_number_on_a_test_are_row_errors_that_name_both_places(
    site: Site,
) -> None:
    site.seat(TEST, "1001", "1002", "1003")
    site.settled()
    site.registrations.set(f"{TEST} 1001", number="7")
    site.registrations.set(f"{TEST} 1002", number="7")
    site.registrations.set(f"{TEST} 1003", number="8")
    ran = site.apply()
    assert ran.status == 1
    reason = "gives another learner the same candidate number on this test"
    assert f"registrations.csv line 2: candidate_id: registrations.csv line 3 {reason}" in ran.out
    assert f"registrations.csv line 3: candidate_id: registrations.csv line 2 {reason}" in ran.out
    assert {name: seat["candidateId"] for name, seat in site.seats().items()} == {
        "s1001": None,
        "s1002": None,
        "s1003": "8",
    }


def test_one_candidate_number_on_two_tests_is_no_row_error(site: Site) -> None:
    site.seat(TEST, "1001")
    site.seat(OTHER, "1002")
    site.registrations.set(f"{TEST} 1001", number="7")
    site.registrations.set(f"{OTHER} 1002", number="7")
    site.settled()
    assert site.seats(OTHER)["s1002"]["candidateId"] == "7"


def test_above_1500_candidates_those_known_stay_and_every_addition_beyond_is_deferred_by_name(
    site: Site,
) -> None:
    site.config["inspera"]["batch_size"] = 1500
    site.config["existing"] = {
        "look_up_learners": False
    }  # thousands of look-ups prove nothing here
    site.seat(TEST, *numbers(10001, 1498))
    site.settled()
    site.seat(TEST, *numbers(20001, 4))
    deferred = [one for one in site.plan_json()["changes"] if one["verdict"] == "deferred"]
    assert [one["key"][1] for one in deferred] == ["20003", "20004"]
    assert (
        "the test already has the most candidates that it can hold (1500)" in deferred[0]["reason"]
    )
    assert site.apply().status == 1  # two who are wanted have no place
    assert set(site.seats()) == names([*numbers(10001, 1498), "20001", "20002"])


def test_a_test_that_others_filled_takes_only_as_many_as_it_has_places_left_and_names_the_rest(
    site: Site,
) -> None:
    site.exams.add(TEST)
    site.seat(OTHER, "1001", "1002")
    site.settled()
    for number in numbers(10001, 1499):
        external = [{"authType": "EMAIL", "externalId": f"{number}@example.edu"}]
        site.sandbox.edit(
            student={"username": number, "firstName": "Dagfinn", "externalIds": external}
        )
        site.sandbox.edit(candidate={"test": TEST, "username": number})
    site.seat(TEST, "1001", "1002")
    ran = site.apply()
    assert ran.status == 1
    assert (
        f"deferred: candidate {TEST} / 1002 (registrations.csv line 5): the test already has the most"
        in ran.out
    )
    assert "s1001" in site.seats()
    assert len(site.seats()) == 1500


def test_local_times_are_sent_in_utc_summer_and_winter(site: Site) -> None:
    site.exams.add(TEST)
    site.exams.add(OTHER, start="15.10.2026 09:00", end="15.10.2026 13:00")
    site.only("test")
    site.settled()
    starts = {key: (test["startTime"], test["endTime"]) for key, test in site.tests().items()}
    assert starts == {
        TEST: ("2026-12-01T08:00:00Z", "2026-12-01T12:00:00Z"),
        OTHER: ("2026-10-15T07:00:00Z", "2026-10-15T11:00:00Z"),
    }


@pytest.mark.parametrize(
    ("start", "why"), [("29.03.2026 02:30", "skips it"), ("25.10.2026 02:30", "comes twice")]
)
def test_a_time_that_a_clock_change_skips_or_repeats_is_a_row_error_and_not_a_guess(
    site: Site, start: str, why: str
) -> None:
    site.exams.add(TEST, start=start)
    site.exams.add(OTHER)
    site.only("test")
    ran = site.apply()
    assert ran.status == 1
    assert "exams.csv line 2: start:" in ran.out
    assert why in ran.out
    assert set(site.tests()) == {OTHER}


def test_local_times_without_a_zone_are_refused_before_anything_is_read(site: Site) -> None:
    site.feed("test")["map"]["start"] = {"column": "start", "format": "%d.%m.%Y %H:%M"}
    ran = site.run("apply")
    assert ran.status == 2
    assert "zone" in ran.err
    assert not site.state.exists()


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
    site: Site, values: dict[str, str], field: str
) -> None:
    site.exams.add(OTHER)
    site.exams.add(TEST, **values)
    site.only("test")
    ran = site.apply()
    assert ran.status == 1
    assert f"exams.csv line 3: {field}:" in ran.out
    assert set(site.tests()) == {OTHER}
