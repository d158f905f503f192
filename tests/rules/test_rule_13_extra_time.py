"""Rules 13: Extra time is never lost. It is minutes, or a percentage of the test's duration,
rounded up to whole minutes.
"""

from ..support.university import OTHER, TEST, University, names, numbers


def minutes(university: University) -> dict[str, int]:
    """The extra time that Inspera gives, by username."""
    return {name: seat["extraTimeMins"] for name, seat in university.candidates().items()}


def test_extra_time_is_minutes_or_a_share_of_the_duration_rounded_up(
    university: University,
) -> None:
    university.exams.add(TEST, minutes="235")
    university.register(TEST, "1001", "1002", "1003", "1004")
    for learner, extra in (("1001", "30"), ("1002", "25%"), ("1003", "33 %"), ("1004", "0")):
        university.registrations.set(f"{TEST} {learner}", extra=extra)
    university.apply_once()
    assert minutes(university) == {"s1001": 30, "s1002": 59, "s1003": 78, "s1004": 0}
    assert university.planned() == []


def test_a_share_is_worked_out_anew_when_the_duration_changes(university: University) -> None:
    university.register(TEST, "1001", "1002")
    university.registrations.set(f"{TEST} 1001", extra="25%")
    university.apply_once()
    assert minutes(university)["s1001"] == 60
    university.exams.set(TEST, minutes="180")
    assert university.planned() == [f"update test {TEST}", f"update candidate {TEST}/1001"]
    university.apply_cleanly()
    assert minutes(university)["s1001"] == 45


def test_a_share_waits_with_its_candidate_until_the_tests_duration_is_known(
    university: University,
) -> None:
    university.exams.add(OTHER)
    university.students.add("1001")
    university.registrations.add(f"{TEST} 1001", extra="10%")
    assert university.apply().status == 1  # no feed makes the test as yet
    university.exams.add(TEST)
    university.apply_cleanly()
    assert minutes(university) == {"s1001": 24}
    assert university.planned() == []


def test_blank_extra_time_keeps_the_minutes_or_takes_them_back_where_the_feed_says_clear(
    university: University,
) -> None:
    university.register(TEST, "1001", "1002")
    university.registrations.set(f"{TEST} 1001", extra="25%")
    university.apply_once()
    university.registrations.set(f"{TEST} 1001", extra="")
    assert university.planned() == []
    university.feed("candidate")["blank"] = "clear"
    assert f"update candidate {TEST}/1001" in university.planned("pass")
    university.apply_cleanly()
    assert minutes(university) == {"s1001": 0, "s1002": 0}
    assert university.planned() == []


def test_minutes_are_written_as_the_feed_says(university: University) -> None:
    university.feed("test")["map"]["duration"] = {"column": "minutes", "minutes": "hh:mm"}
    university.feed("candidate")["map"]["extra_time"] = {"column": "extra", "minutes": "iso8601"}
    university.exams.add(TEST, minutes="3:30")
    university.register(TEST, "1001")
    university.registrations.set(f"{TEST} 1001", extra="PT1H15M")
    university.apply_once()
    assert university.tests()[TEST]["duration"] == 210
    assert minutes(university) == {"s1001": 75}


def test_a_duration_longer_than_the_test_is_a_row_error(university: University) -> None:
    university.exams.add(TEST, minutes="241")
    university.exams.add(OTHER, minutes="240")
    university.keep_feeds("test")
    ran = university.apply()
    assert ran.status == 1
    assert "exams.csv line 2: duration:" in ran.out
    assert set(university.tests()) == {OTHER}


def test_two_learners_with_one_candidate_number_on_a_test_are_row_errors_that_name_both_places(
    university: University,
) -> None:
    university.register(TEST, "1001", "1002", "1003")
    university.apply_once()
    university.registrations.set(f"{TEST} 1001", number="7")
    university.registrations.set(f"{TEST} 1002", number="7")
    university.registrations.set(f"{TEST} 1003", number="8")
    ran = university.apply()
    assert ran.status == 1
    reason = "gives another learner the same candidate number on this test"
    assert f"registrations.csv line 2: candidate_id: registrations.csv line 3 {reason}" in ran.out
    assert f"registrations.csv line 3: candidate_id: registrations.csv line 2 {reason}" in ran.out
    assert {name: seat["candidateId"] for name, seat in university.candidates().items()} == {
        "s1001": None,
        "s1002": None,
        "s1003": "8",
    }


def test_one_candidate_number_on_two_tests_is_no_row_error(university: University) -> None:
    university.register(TEST, "1001")
    university.register(OTHER, "1002")
    university.registrations.set(f"{TEST} 1001", number="7")
    university.registrations.set(f"{OTHER} 1002", number="7")
    university.apply_once()
    assert university.candidates(OTHER)["s1002"]["candidateId"] == "7"


def test_above_1500_candidates_those_known_stay_and_every_addition_beyond_is_deferred_by_name(
    university: University,
) -> None:
    university.config["inspera"]["batch_size"] = 1500
    university.config["existing"] = {
        "look_up_learners": False
    }  # thousands of look-ups prove nothing here
    university.register(TEST, *numbers(10001, 1498))
    university.apply_once()
    university.register(TEST, *numbers(20001, 4))
    deferred = [one for one in university.plan_json()["changes"] if one["verdict"] == "deferred"]
    assert [one["key"][1] for one in deferred] == ["20003", "20004"]
    assert (
        "the test already has the most candidates that it can hold (1500)" in deferred[0]["reason"]
    )
    assert university.apply().status == 1  # two who are wanted have no place
    assert set(university.candidates()) == names([*numbers(10001, 1498), "20001", "20002"])


def test_a_test_that_others_filled_takes_only_as_many_as_it_has_places_left_and_names_the_rest(
    university: University,
) -> None:
    university.exams.add(TEST)
    university.register(OTHER, "1001", "1002")
    university.apply_once()
    for number in numbers(10001, 1499):
        external = [{"authType": "EMAIL", "externalId": f"{number}@example.edu"}]
        university.sandbox.edit(
            student={"username": number, "firstName": "Dagfinn", "externalIds": external}
        )
        university.sandbox.edit(candidate={"test": TEST, "username": number})
    university.register(TEST, "1001", "1002")
    ran = university.apply()
    assert ran.status == 1
    assert (
        f"deferred: candidate {TEST} / 1002 (registrations.csv line 5): the test already has the most"
        in ran.out
    )
    assert "s1001" in university.candidates()
    assert len(university.candidates()) == 1500


def test_a_candidate_post_carries_every_known_field_so_that_a_new_room_never_drops_the_minutes(
    university: University,
) -> None:
    university.feed("candidate")["map"]["room"] = "room"
    university.register(TEST, "1001")
    university.registrations.set(f"{TEST} 1001", extra="30", number="12", room="U-37")
    university.apply_once()
    university.registrations.set(f"{TEST} 1001", extra="", number="", room="A-1")
    university.apply_cleanly()
    seat = {"externalId": "s1001", "candidateId": "12", "extraTimeMins": 30, "roomName": "A-1"}
    assert university.sent()[0]["body"]["candidates"] == [seat]


def minutes_of(university: University, learner: str) -> int:
    """The extra time that Inspera gives."""
    return int(university.candidates()[f"s{learner}"]["extraTimeMins"])


def test_extra_time_given_by_hand_is_held_and_the_others_go_on(seated: University) -> None:
    seated.sandbox.edit(candidate={"test": TEST, "username": "s1001", "extraTimeMins": 60})
    seated.registrations.set(f"{TEST} 1001", extra="45")
    seated.registrations.set(f"{TEST} 1002", extra="15")
    ran = seated.apply()
    assert ran.status == 3
    assert "drift: Inspera gives 60 minutes of extra time where 30 are known" in ran.out
    assert (minutes_of(seated, "1001"), minutes_of(seated, "1002")) == (60, 15)


def test_a_change_of_another_field_never_takes_back_the_minutes_that_somebody_gave(
    seated: University,
) -> None:
    seated.sandbox.edit(candidate={"test": TEST, "username": "s1001", "extraTimeMins": 60})
    seated.registrations.set(f"{TEST} 1001", number="7")
    assert seated.apply().status == 3
    assert minutes_of(seated, "1001") == 60


def test_less_extra_time_than_known_is_no_hands_gift_and_is_put_right(seated: University) -> None:
    seated.sandbox.edit(candidate={"test": TEST, "username": "s1001", "extraTimeMins": 0})
    seated.registrations.set(f"{TEST} 1001", extra="45")
    seated.apply_cleanly()
    assert minutes_of(seated, "1001") == 45


def test_more_extra_time_on_an_existing_seat_than_is_wanted_is_held(seated: University) -> None:
    seated.students.add("1009")
    seated.apply_cleanly()
    seated.sandbox.edit(candidate={"test": TEST, "username": "s1009", "extraTimeMins": 90})
    seated.registrations.add(f"{TEST} 1009", extra="15")
    ran = seated.apply()
    assert ran.status == 3
    assert "drift: Inspera gives 90 minutes of extra time where 15 are wanted" in ran.out
    assert minutes_of(seated, "1009") == 90
