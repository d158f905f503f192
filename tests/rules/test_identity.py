"""Who is who: keys, changed logins, look-alikes, rows that contradict each other, and text as it is taken."""

from .site import OTHER, TEST, Site, names, numbers


def test_the_key_is_never_sent_and_seats_name_people_by_external_id(site: Site) -> None:
    site.seat(TEST, "1001")
    site.students.set("1001", student_no="55501", feide="åse-1")
    site.registrations.set(f"{TEST} 1001", student_no="55501")
    site.settled()
    assert "55501" not in str([call["body"] for call in site.sent()])
    assert list(site.seats()) == ["åse-1"]


def test_a_changed_username_is_held_as_a_identity_change_and_no_second_account_is_made(
    site: Site,
) -> None:
    site.seat(TEST, *numbers(1001, 3))
    site.settled()
    site.students.set("1002", feide="s1002-new")
    site.students.set("1003", mail="another@example.edu")
    ran = site.apply()
    assert ran.status == 3
    assert "identity change learner 1002" in ran.out
    assert set(site.people()) == names(numbers(1001, 3))
    assert set(site.seats()) == names(numbers(1001, 3))
    assert site.people()["s1003"]["email"] == "another@example.edu"


def test_adopt_takes_the_account_that_inspera_renamed_as_the_known_one(site: Site) -> None:
    site.seat(TEST, "1001", "1002")
    site.settled()
    site.sandbox.edit(student={"username": "s1001-new", "firstName": "Åse", "lastName": "Prøvesen"})
    site.students.set("1001", feide="s1001-new")
    assert site.apply().status == 3
    ran = site.adopt("learner", "1001")
    assert ran.status == 0, ran.said
    assert site.apply().status == 0
    assert site.planned() == []


def test_a_changed_login_can_be_settled_as_a_new_account(site: Site) -> None:
    site.seat(TEST, "1001", "1002")
    site.settled()
    site.students.set("1001", feide="s1001-new")
    ran = site.adopt("learner", "1001", "--as-new")
    assert ran.status == 0, ran.said
    site.settled()
    assert {"s1001", "s1001-new"} <= set(site.people())
    assert "s1001-new" in site.seats()


def test_a_changed_external_test_id_on_a_known_key_is_held_and_makes_no_second_test(
    site: Site,
) -> None:
    site.feed("test")["map"] |= {"key": "{course}", "external_test_id": "{course}-{term}"}
    site.feed("candidate")["map"]["test"] = "course"
    site.seat(TEST, "1001")
    site.settled()
    site.exams.set(TEST, term="V27")
    ran = site.apply()
    assert ran.status == 3
    assert "identity change test INF1000" in ran.out
    assert set(site.tests()) == {TEST}


def test_a_changed_auth_system_is_held_for_everybody_and_nothing_is_sent(site: Site) -> None:
    site.seat(TEST, *numbers(1001, 3))
    site.settled()
    site.feed("learner")["auth_system"] = "EMAIL"
    ran = site.apply()
    assert ran.status == 3
    assert (
        "identity change 3 learners: identity change: auth_system changed on a known key" in ran.out
    )
    assert site.writes() == []


def test_a_new_number_with_a_vanished_persons_name_and_email_is_held_with_all_that_hangs_on_the_old_one(
    site: Site,
) -> None:
    site.seat(TEST, *numbers(1001, 6))
    site.settled()
    site.students.set("1001", student_no="2001")
    site.registrations.set(f"{TEST} 1001", student_no="2001")
    site.registrations.drop(f"{TEST} 1006")
    changes = {
        (one["action"], one["kind"], one["key"][-1]): one["verdict"]
        for one in site.plan_json()["changes"]
    }
    assert changes == {
        ("identity change", "learner", "2001"): "held",
        ("remove", "candidate", "1001"): "held",
        ("create", "candidate", "2001"): "waiting",
        ("remove", "candidate", "1006"): "pass",
    }
    assert site.apply().status == 3
    assert set(site.seats()) == names(numbers(1001, 5))


def test_adopting_a_look_alike_moves_it_and_its_seats_to_the_new_key_without_a_call(
    site: Site,
) -> None:
    site.seat(TEST, "1001", "1002")
    site.settled()
    site.students.set("1001", student_no="2001")
    site.registrations.set(f"{TEST} 1001", student_no="2001")
    assert site.apply().status == 3
    ran = site.adopt("learner", "2001")
    assert ran.status == 0
    assert "its candidates went along" in ran.out
    site.settled()
    assert site.writes() == []
    assert site.planned() == []
    assert set(site.seats()) == names(["1001", "1002"])


def test_a_look_alike_can_be_settled_as_somebody_else(site: Site) -> None:
    site.seat(TEST, *numbers(1001, 3))
    site.settled()
    site.students.set("1001", student_no="2001", feide="s2001")
    site.registrations.set(f"{TEST} 1001", student_no="2001")
    assert site.apply().status == 3
    assert site.adopt("learner", "2001", "--as-new").status == 0
    site.settled()
    assert set(site.seats()) == names(["2001", "1002", "1003"])


def test_a_new_test_with_a_vanished_ones_title_and_start_is_held_and_its_candidates_wait(
    site: Site,
) -> None:
    site.feed("test")["map"]["title"] = "name"
    site.seat(TEST, *numbers(1001, 3))
    site.exams.add(OTHER, name="Annen prøve")
    site.settled()
    site.exams.set(TEST, course="INF1001")
    for learner in numbers(1001, 3):
        site.registrations.set(f"{TEST} {learner}", course="INF1001")
    assert site.planned("pass") == []
    assert "identity change test INF1001-H26" in site.planned("held")
    assert site.apply().status == 3
    assert set(site.tests()) == {TEST, OTHER}
    assert set(site.seats()) == names(numbers(1001, 3))


def test_keys_that_differ_only_in_case_are_row_errors_that_name_both_places(site: Site) -> None:
    site.students.add("a1001", "A1001", mail="")
    site.students.set("A1001", feide="other")
    site.students.add("1003")
    plan = site.plan_json()
    said = {row_error["where"]: row_error["reason"] for row_error in plan["row_errors"]}
    assert set(said) == {"students.csv line 2", "students.csv line 3"}
    assert "students.csv line 3" in said["students.csv line 2"]
    assert "students.csv line 2" in said["students.csv line 3"]
    assert [change["key"] for change in plan["changes"]] == [["1003"]]


def test_a_registration_in_another_case_than_its_test_is_a_row_error_and_keeps_the_seat_it_means(
    site: Site,
) -> None:
    site.seat(TEST, *numbers(1001, 4))
    site.settled()
    site.registrations.set(f"{TEST} 1001", course="inf1000")
    site.registrations.drop(f"{TEST} 1002")
    ran = site.apply()
    assert ran.status == 1
    assert "is written 'inf1000-H26' here and 'INF1000-H26'" in ran.out
    assert set(site.seats()) == names(["1001", "1003", "1004"])


def test_two_combinations_that_a_template_makes_into_one_key_are_row_errors_that_name_both_places(
    site: Site,
) -> None:
    site.exams.add("INF-H26", course="INF-A", term="B")
    site.exams.add("INF-H26", course="INF", term="A-B")
    site.exams.add(TEST)
    plan = site.plan_json()
    assert {row_error["where"] for row_error in plan["row_errors"]} == {
        "exams.csv line 2",
        "exams.csv line 3",
    }
    assert all(
        "different values make the same key" in row_error["reason"]
        for row_error in plan["row_errors"]
    )
    assert [change["key"] for change in plan["changes"]] == [[TEST]]


def test_a_registration_whose_values_only_happen_to_make_a_tests_key_is_a_row_error_and_seats_nobody(
    site: Site,
) -> None:
    site.seat(TEST, "1001")
    site.exams.add("INF-H26", course="INF-A", term="B")
    site.registrations.add("INF-H26 1001", course="INF", term="A-B")
    ran = site.apply()
    assert ran.status == 1
    assert "different values make the same key here and in the test's own row" in ran.out
    assert site.seats("INF-A-B") == {}
    assert set(site.seats()) == {"s1001"}


def test_rows_that_map_to_the_same_record_are_one_whatever_their_other_columns_say(
    site: Site,
) -> None:
    site.only("learner")
    site.students.add("1001", "1001")
    site.students.rows[1] |= {"status": "exchange", "secret": "not mapped"}
    site.settled()
    assert site.writes() == ["POST /v1/users/student"]


def test_two_spellings_of_one_key_name_one_learner(site: Site) -> None:
    site.seat(TEST, "å1001")
    site.registrations.rows[0]["student_no"] = "a\u030a1001"
    site.registrations.rows.append({**site.registrations.rows[0], "student_no": " å1001 "})
    site.settled()
    assert set(site.seats()) == {"så1001"}


def test_two_rows_of_one_key_that_say_different_things_are_row_errors_and_the_record_stays_as_it_is(
    site: Site,
) -> None:
    site.only("learner")
    site.students.add("1001", "1002")
    site.settled()
    site.students.add("1001", mail="other@example.edu")
    ran = site.apply()
    assert ran.status == 1
    assert (
        "students.csv line 2: key: students.csv line 4 has the same key and says otherwise"
        in ran.out
    )
    assert (
        "students.csv line 4: key: students.csv line 2 has the same key and says otherwise"
        in ran.out
    )
    assert site.people()["s1001"]["email"] == "s1001@example.edu"


def test_text_is_stripped_and_composed_so_that_two_spellings_of_a_name_are_no_change(
    site: Site,
) -> None:
    site.only("learner")
    site.students.add("1001", given="A\u030ase", family="  Prøvesen ")
    site.settled()
    assert site.people()["s1001"]["firstName"] == "\u00c5se"
    assert site.people()["s1001"]["lastName"] == "Prøvesen"
    site.students.set("1001", given="\u00c5se", family="Prøvesen")
    assert site.planned() == []


def test_a_control_character_is_a_row_error_of_its_row_alone(site: Site) -> None:
    site.only("learner")
    site.students.add("1001", given="Å\u0007se")
    site.students.add("1002")
    ran = site.apply()
    assert ran.status == 1
    assert "students.csv line 2: first_name: holds a control character (U+0007" in ran.out
    assert set(site.people()) == {"s1002"}


def test_national_identity_numbers_are_masked_wherever_they_would_be_shown(site: Site) -> None:
    site.students.add("01019912345", feide="s-masked", mail="not an email")
    site.students.add("02029912345", feide="t-masked", mail="")
    said = (
        site.plan().said
        + site.run("plan", "--json").said
        + site.apply().said
        + site.run("status").said
    )
    assert "01019912345" not in said
    assert "02029912345" not in said
    assert "0202*******" in said
