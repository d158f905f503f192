"""Rules 2: An identity change is held."""

from ..support.university import OTHER, TEST, University, names, numbers


def test_a_changed_username_is_held_as_an_identity_change_and_no_second_account_is_made(
    university: University,
) -> None:
    university.register(TEST, *numbers(1001, 3))
    university.apply_once()
    university.students.set("1002", feide="s1002-new")
    university.students.set("1003", mail="another@example.edu")
    ran = university.apply()
    assert ran.status == 3
    assert "identity change learner 1002" in ran.out
    assert set(university.learners()) == names(numbers(1001, 3))
    assert set(university.candidates()) == names(numbers(1001, 3))
    assert university.learners()["s1003"]["email"] == "another@example.edu"


def test_adopt_takes_the_account_that_inspera_renamed_as_the_known_one(
    university: University,
) -> None:
    university.register(TEST, "1001", "1002")
    university.apply_once()
    university.sandbox.edit(
        student={"username": "s1001-new", "firstName": "Åse", "lastName": "Prøvesen"}
    )
    university.students.set("1001", feide="s1001-new")
    assert university.apply().status == 3
    ran = university.adopt("learner", "1001")
    assert ran.status == 0, ran.output
    assert university.apply().status == 0
    assert university.planned() == []


def test_a_changed_login_can_be_settled_as_a_new_account(university: University) -> None:
    university.register(TEST, "1001", "1002")
    university.apply_once()
    university.students.set("1001", feide="s1001-new")
    ran = university.adopt("learner", "1001", "--as-new")
    assert ran.status == 0, ran.output
    university.apply_cleanly()
    assert {"s1001", "s1001-new"} <= set(university.learners())
    assert "s1001-new" in university.candidates()


def test_a_changed_external_test_id_on_a_known_key_is_held_and_makes_no_second_test(
    university: University,
) -> None:
    university.feed("test")["map"] |= {"key": "{course}", "external_test_id": "{course}-{term}"}
    university.feed("candidate")["map"]["test"] = "course"
    university.register(TEST, "1001")
    university.apply_once()
    university.exams.set(TEST, term="V27")
    ran = university.apply()
    assert ran.status == 3
    assert "identity change test INF1000" in ran.out
    assert set(university.tests()) == {TEST}


def test_a_changed_auth_system_is_held_for_everybody_and_nothing_is_sent(
    university: University,
) -> None:
    university.register(TEST, *numbers(1001, 3))
    university.apply_once()
    university.feed("learner")["auth_system"] = "EMAIL"
    ran = university.run("apply")
    assert ran.status == 3
    assert (
        "identity change 3 learners: identity change: auth_system changed on a known key" in ran.out
    )
    assert university.writes() == []


def test_a_new_number_with_a_vanished_persons_name_and_email_is_held_with_all_that_hangs_on_the_old_one(
    university: University,
) -> None:
    university.register(TEST, *numbers(1001, 6))
    university.apply_once()
    university.students.set("1001", student_no="2001")
    university.registrations.set(f"{TEST} 1001", student_no="2001")
    university.registrations.drop(f"{TEST} 1006")
    changes = {
        (one["action"], one["kind"], one["key"][-1]): one["verdict"]
        for one in university.plan_json()["changes"]
    }
    assert changes == {
        ("identity change", "learner", "2001"): "held",
        ("remove", "candidate", "1001"): "held",
        ("create", "candidate", "2001"): "waiting",
        ("remove", "candidate", "1006"): "pass",
    }
    assert university.apply().status == 3
    assert set(university.candidates()) == names(numbers(1001, 5))


def test_adopting_a_look_alike_moves_it_and_its_seats_to_the_new_key_without_a_call(
    university: University,
) -> None:
    university.register(TEST, "1001", "1002")
    university.apply_once()
    university.students.set("1001", student_no="2001")
    university.registrations.set(f"{TEST} 1001", student_no="2001")
    assert university.apply().status == 3
    ran = university.adopt("learner", "2001")
    assert ran.status == 0
    assert "its candidates went along" in ran.out
    university.apply_cleanly()
    assert university.writes() == []
    assert university.planned() == []
    assert set(university.candidates()) == names(["1001", "1002"])


def test_a_look_alike_can_be_settled_as_somebody_else(university: University) -> None:
    university.register(TEST, *numbers(1001, 3))
    university.apply_once()
    university.students.set("1001", student_no="2001", feide="s2001")
    university.registrations.set(f"{TEST} 1001", student_no="2001")
    assert university.apply().status == 3
    assert university.adopt("learner", "2001", "--as-new").status == 0
    university.apply_cleanly()
    assert set(university.candidates()) == names(["2001", "1002", "1003"])


def test_a_new_test_with_a_vanished_ones_title_and_start_is_held_and_its_candidates_wait(
    university: University,
) -> None:
    university.feed("test")["map"]["title"] = "name"
    university.register(TEST, *numbers(1001, 3))
    university.exams.add(OTHER, name="Annen prøve")
    university.apply_once()
    university.exams.set(TEST, course="INF1001")
    for learner in numbers(1001, 3):
        university.registrations.set(f"{TEST} {learner}", course="INF1001")
    assert university.planned("pass") == []
    assert "identity change test INF1001-H26" in university.planned("held")
    assert university.apply().status == 3
    assert set(university.tests()) == {TEST, OTHER}
    assert set(university.candidates()) == names(numbers(1001, 3))


def test_a_key_that_comes_back_in_another_case_is_held_and_makes_no_second_account(
    university: University,
) -> None:
    university.students.add("ab1001", "1002")
    university.register(TEST, "ab1001", "1002")
    university.apply_once()
    university.students.set("ab1001", student_no="AB1001")
    university.registrations.set(f"{TEST} ab1001", student_no="AB1001")
    ran = university.apply()
    assert ran.status == 3
    assert "identity change learner AB1001" in ran.out
    assert university.writes() == []
    assert university.adopt("learner", "AB1001").status == 0
    university.apply_cleanly()
    assert (university.writes(), university.planned()) == ([], [])


def test_every_hold_names_the_whole_command_that_settles_it(university: University) -> None:
    university.allow_shrinkage()
    university.register(TEST, "1001", "1002", "1003", "1004", "1005")
    university.apply_once()
    university.students.set("1001", feide="s1001-new")
    university.students.set("1002", student_no="2002", feide="s2002")
    university.registrations.set(f"{TEST} 1002", student_no="2002")
    out = university.run("apply").out
    assert "on a known key; if that is right, run `adopt learner 1001`" in out
    way = "if it is the same, run `adopt learner 2002`; if not, run `adopt learner 2002 --as-new`"
    assert way in out
    assert "Held: 2 identity changes; `adopt --held --show` shows" in university.adopt().out
    assert university.adopt("learner", "1001").status == 3
    assert university.adopt("learner", "1001", "--as-new").status == 0
    assert university.adopt("learner", "2002", "--as-new").status == 0
    university.apply_cleanly()
    assert {"s1001-new", "s2002"} <= set(university.candidates())
