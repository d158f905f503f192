"""Rules 31: An identifier belongs to one record."""

import pytest

from ..support.manual_edits import account, make_test
from ..support.university import OTHER, TEST, University, names, numbers


def row_errors(university: University) -> dict[str, str]:
    """The row errors of a plan by place."""
    return {
        one["where"]: f"{one['field']}: {one['reason']}; {one['remedy']}"
        for one in university.plan_json()["row_errors"]
    }


def sent_people(university: University) -> set[str]:
    """Everybody about whom the last command sent something."""
    return {call["body"]["username"] for call in university.sent() if "username" in call["body"]}


@pytest.fixture
def twins(university: University) -> University:
    """Two students of one login, each with a registration, beside one of whom nothing is wrong."""
    university.register(TEST, "1001", "4001", "4002")
    for one in ("4001", "4002"):
        university.students.set(one, feide="twin", mail="")
    university.registrations.set(f"{TEST} 4001", extra="60")
    university.registrations.set(f"{TEST} 4002", extra="0")
    return university


def keyed_tests(university: University) -> None:
    """Tests have keys of their own: the name of the row."""
    university.feed("test")["map"] |= {
        "key": "name",
        "title": "Prøve {name}",
        "external_test_id": "{course}-{term}",
    }
    university.feed("candidate")["map"]["test"] = "room"


def sitting(university: University, name: str, course: str = "INF1000", **values: str) -> None:
    """A test by its key."""
    university.exams.add(f"{course}-H26", name=name, **values)


def test_two_rows_of_one_login_are_errors_of_both_in_check_plan_and_apply_and_neither_is_sent(
    twins: University,
) -> None:
    check = twins.run("check")
    assert check.status == 1
    assert "students.csv line 3: username: students.csv line 4 has the same username" in check.out
    assert "students.csv line 4: username: students.csv line 3 has the same username" in check.out
    assert (twins.plan().status, twins.apply().status) == (1, 1)
    assert sent_people(twins) == {"s1001"}
    assert set(twins.candidates()) == {"s1001"}
    assert twins.apply().status == 1
    assert twins.writes() == []


def test_what_the_message_says_helps(twins: University) -> None:
    assert twins.apply().status == 1
    twins.students.set("4002", feide="s4002")
    twins.apply_cleanly()
    assert set(twins.candidates()) == {"s1001", "twin", "s4002"}
    assert (
        twins.candidates()["twin"]["extraTimeMins"],
        twins.candidates()["s4002"].get("extraTimeMins") or 0,
    ) == (60, 0)


def test_leaving_a_row_out_helps_too(twins: University) -> None:
    twins.students.drop("4002")
    twins.registrations.drop(f"{TEST} 4002")
    twins.apply_once()
    assert set(twins.candidates()) == {"s1001", "twin"}


def test_a_dozen_rows_of_one_login_are_all_errors_and_a_message_names_a_few(
    university: University,
) -> None:
    university.keep_feeds("learner")
    university.students.add(*numbers(1001, 12), feide="none", mail="")
    ran = university.apply()
    assert (ran.status, university.writes()) == (1, [])
    assert len(row_errors(university)) == 12
    assert (
        "students.csv line 3 and students.csv line 4 and students.csv line 5 and 8 more have the same"
        in ran.out
    )


@pytest.mark.parametrize(
    ("one", "other"), [("case@ex.edu", "Case@EX.edu"), ("øst", "ØST"), ("strasse", "straße")]
)
def test_logins_that_differ_by_case_are_one(university: University, one: str, other: str) -> None:
    university.feed("learner")["map"]["external_id"] = "student_no"
    university.register(TEST, "4001", "4002", "4003")
    university.students.set("4001", feide=one)
    university.students.set("4002", feide=other)
    ran = university.apply()
    assert ran.status == 1
    assert set(university.learners()) == {"s4003"}
    assert "has the same username except for upper and lower case" in ran.out


def test_external_ids_that_differ_by_case_are_one(university: University) -> None:
    university.feed("learner")["map"]["external_id"] = "secret"
    university.register(TEST, "4001", "4002", "4003")
    for number, external_id in (("4001", "A-7"), ("4002", "a-7"), ("4003", "a-8")):
        university.students.set(number, secret=external_id)
    assert university.apply().status == 1
    assert set(university.learners()) == {"s4003"}
    assert {one.split(":")[0] for one in row_errors(university).values()} == {"external_id"}


def test_external_ids_of_two_auth_systems_may_be_the_same_and_usernames_may_not(
    university: University,
) -> None:
    university.keep_feeds("learner")
    fields = {**university.feed("learner")["map"], "external_id": "secret"}
    university.config["feeds"][0] |= {"map": fields, "where": {"status": "active"}}
    guests = {**university.feed("learner"), "auth_system": "EMAIL", "where": {"status": "exchange"}}
    university.config["feeds"].append(guests)
    university.students.add("4001", secret="7")
    university.students.add("4002", secret="7", status="exchange")
    university.apply_once()
    assert set(university.learners()) == {"s4001", "s4002"}
    university.students.add("4003", secret="8")
    university.students.add("4004", secret="8", status="exchange", feide="s4003")
    assert university.apply().status == 1
    assert university.writes() == []


def test_what_is_known_of_somebody_whose_login_another_row_has_too_stays(
    university: University,
) -> None:
    university.register(TEST, *numbers(1001, 5))
    university.apply_once()
    university.students.add("4002", feide="s1002", family="Nyfamilie")
    university.students.set("1002", mail="nytt@example.edu")
    university.registrations.set(f"{TEST} 1002", student_no="4002")
    before = university.learners()["s1002"]
    assert university.apply().status == 1
    assert university.learners()["s1002"] == before
    assert set(university.candidates()) == names(numbers(1001, 5))
    assert university.planned("deferred") == [f"remove candidate {TEST}/1002"]
    university.students.drop("4002")
    university.registrations.set(f"{TEST} 4002", student_no="1002")
    university.apply_cleanly()
    assert university.planned() == []


def test_the_seats_of_somebody_who_left_stay_while_two_rows_have_their_login(
    university: University,
) -> None:
    university.register(TEST, *numbers(1001, 5))
    university.apply_once()
    university.students.set("1002", student_no="4001")
    university.students.add("4002", feide="s1002")
    university.registrations.drop(f"{TEST} 1002")
    university.registrations.add(f"{TEST} 4001", f"{TEST} 4002")
    assert university.apply().status == 1
    assert set(university.candidates()) == names(numbers(1001, 5))
    assert sent_people(university) == set()


def test_a_login_whose_own_row_is_an_error_is_not_given_to_another(university: University) -> None:
    university.register(TEST, *numbers(1001, 4))
    university.apply_once()
    university.students.set("1002", given="Å\u0007se")
    university.students.add("4002", feide="S1002")
    ran = university.apply()
    assert (ran.status, university.writes()) == (1, [])
    assert "learner 1002 (students.csv line 3) has this username in Inspera" in ran.out
    university.students.set("4002", feide="s4002")
    university.students.set("1002", given="Åse")
    university.apply_cleanly()


def test_a_login_that_moves_from_one_to_another_waits_until_that_is_settled(
    university: University,
) -> None:
    university.register(TEST, *numbers(1001, 4))
    university.apply_once()
    university.students.set("1002", feide="s1002-new")
    university.students.add(
        "4002", feide="s1002", given="Ny", family="Student", mail="ny@example.edu"
    )
    before = university.learners()["s1002"]
    ran = university.apply()
    assert (ran.status, university.learners()["s1002"]) == (3, before)
    assert "learner 1002 (students.csv line 3) has this username in Inspera" in ran.out
    assert university.adopt("learner", "1002", "--as-new").status == 0
    ran = university.apply()
    assert ran.status == 3
    assert (
        "learner 4002 (students.csv line 6): the account in Inspera has other names and another email"
        in ran.out
    )
    assert "s1002-new" in university.candidates()
    assert university.learners()["s1002"] == before


@pytest.fixture
def left(university: University) -> University:
    """A learner who has left, whose login a new one gets."""
    university.register(TEST, *numbers(1001, 4))
    university.students.add("1009")
    university.apply_once()
    university.students.drop("1009")
    university.apply_cleanly()
    university.register(TEST, "4009")
    university.students.set(
        "4009", feide="S1009", given="Ny", family="Student", mail="ny@example.edu"
    )
    return university


def test_the_login_of_one_who_left_is_an_identity_change_and_no_save_over_the_other(
    left: University,
) -> None:
    before = left.learners()["s1009"]
    ran = left.apply()
    assert ran.status == 3
    assert (
        "looks like learner 1009, which has vanished: it has its username or external id" in ran.out
    )
    assert left.learners()["s1009"] == before
    assert set(left.learners()) == names([*numbers(1001, 4), "1009"])
    assert set(left.candidates()) == names(numbers(1001, 4))


def test_a_login_of_their_own_is_what_another_person_needs(left: University) -> None:
    assert left.apply().status == 3
    ran = left.adopt("learner", "4009", "--as-new")
    assert ran.status == 3
    assert "Inspera has it as learner 1009" in ran.out
    assert left.adopt("--held").status == 3, (
        "many are not settled where they may be somebody else's"
    )
    assert left.apply().status == 3
    assert left.learners()["s1009"]["lastName"] != "Student"
    left.students.set("4009", feide="s4009")
    left.apply_cleanly()
    assert "s4009" in left.candidates()


def test_the_same_person_under_a_new_number_is_adopted_and_shown(left: University) -> None:
    left.students.set("4009", feide="s1009")
    assert left.apply().status == 3
    ran = left.adopt("learner", "4009")
    assert ran.status == 0
    assert "ny@example.edu" in ran.out
    assert "s1009@example.edu" in ran.out
    left.apply_cleanly()
    assert left.learners()["s1009"]["email"] == "ny@example.edu"
    assert "s1009" in left.candidates()


@pytest.fixture
def both(university: University) -> University:
    """A person who is both learner and staff on one login, beside others who are not."""
    university.add_feeds("staff", "contributor")
    university.register(TEST, *numbers(1001, 3))
    university.assign_staff(TEST, "7001", "7002")
    university.employees.set("7002", feide="s1002", mail="")
    return university


def test_a_person_who_is_learner_and_staff_on_one_login_is_held_before_anything_is_sent(
    both: University,
) -> None:
    check = both.run("check")
    assert check.status == 1
    assert (
        "students.csv line 3: username: employees.csv line 3 (staff) has the same username"
        in check.out
    )
    assert (
        "employees.csv line 3: username: students.csv line 3 (learner) has the same username"
        in check.out
    )
    assert both.plan().status == 3
    assert set(both.planned("held")) == {"create learner 1002", "create staff 7002"}
    assert both.apply().status == 3
    assert sent_people(both) == {"s1001", "s1003", "t7001"}
    assert set(both.candidates()) == {"s1001", "s1003"}
    assert set(both.contributors()) == {"t7001"}


def test_who_is_both_is_adopted_as_neither(both: University) -> None:
    both.sandbox.edit(student=account(both.students.rows[1]))
    assert both.adopt().status == 3
    for record in (("learner", "1002"), ("staff", "7002"), ("learner", "1002", "--as-new")):
        ran = both.adopt(*record)
        assert ran.status == 3
        assert "its row is an error" in ran.out
    assert both.status()["known"] == []


def test_leaving_the_person_out_of_one_feed_helps(both: University) -> None:
    assert both.apply().status == 3
    both.feed("staff")["where"] = {"employee_no": "7001"}
    both.graders.drop(f"{TEST} 7002")
    both.apply_cleanly()
    assert set(both.candidates()) == names(numbers(1001, 3))


def test_a_learner_who_becomes_staff_keeps_their_seats_and_gets_new_ones(
    university: University,
) -> None:
    university.add_feeds("staff")
    university.register(TEST, *numbers(1001, 3))
    university.exams.add(OTHER)
    university.employees.add("7001")
    university.apply_once()
    university.employees.add("7002", feide="S1002")
    university.registrations.add(f"{OTHER} 1002")
    assert university.apply().status == 3
    assert set(university.candidates()) == names(numbers(1001, 3))
    assert set(university.candidates(OTHER)) == {"s1002"}
    assert set(university.staff()) == {"t7001"}


@pytest.mark.parametrize("hired", [True, False])
def test_one_who_left_and_comes_back_as_the_other_kind_gets_an_account_by_the_way_that_is_said(
    university: University, hired: bool
) -> None:
    university.add_feeds("staff")
    university.allow_shrinkage()
    university.register(TEST, *numbers(1001, 3))
    university.employees.add("7001", "7002", "7003")
    university.apply_once()
    left, kind, table = (
        ("1002", "learner", university.students)
        if hired
        else ("7002", "staff", university.employees)
    )
    login = table.rows[1]["feide"]
    if hired:
        university.registrations.drop(f"{TEST} {left}")
    table.drop(left)
    university.apply_cleanly()
    if hired:
        university.employees.add("7009", feide=login)
    else:
        university.students.add("1009", feide=login)
    ran = university.apply()
    assert ran.status == 3
    way = f"adopt {kind} {left} --as-new"
    assert (
        f"take that account away in Inspera, and then run `{way}`, which forgets it here" in ran.out
    )
    assert university.run(*way.split()).status == 3  # it is still there
    university.sandbox.edit(
        **{"student" if hired else "staff": {"username": login, "removed": True}}
    )
    assert university.run(*way.split()).status == 0
    university.apply_cleanly()
    assert login in (university.staff() if hired else university.learners())
    assert login not in (university.learners() if hired else university.staff())


def test_a_run_that_does_not_read_staff_minds_those_who_are_known(university: University) -> None:
    learners = university.config["feeds"][0]
    university.add_feeds("staff")
    university.keep_feeds("staff")
    university.employees.add("7001", "7002")
    university.apply_once()
    university.config["feeds"] = [learners]
    university.students.add("1001")
    university.students.add("1002", feide="T7002")
    ran = university.apply()
    assert ran.status == 3
    assert "staff 7002 has this username in Inspera, and one account there can't be both" in ran.out
    assert sent_people(university) == {"s1001"}
    university.students.set("1002", feide="s1002")
    university.apply_cleanly()


def test_two_tests_of_one_external_id_are_errors_of_both_and_no_advice_mixes_them(
    university: University,
) -> None:
    keyed_tests(university)
    university.students.add(*numbers(1001, 2))
    sitting(university, "9001")
    sitting(university, "9002", start="15.12.2026 09:00", end="15.12.2026 13:00")
    university.registrations.add(f"{TEST} 1001", room="9001", number="101")
    university.registrations.add(f"{TEST} 1002", room="9002", number="101")
    check = university.run("check")
    assert check.status == 1
    assert (
        "exams.csv line 2: external_test_id: exams.csv line 3 has the same external test id"
        in check.out
    )
    ran = university.apply()
    assert (ran.status, university.tests()) == (1, {})
    assert "adopt" not in ran.out
    for key in ("9001", "9002"):
        assert university.adopt("test", key).status == 3
        assert university.adopt("test", key, "--as-new").status == 3
    assert university.adopt().status == 0
    make_test(university, title="Prøve 9001")
    assert university.adopt().status == 0
    assert (university.apply().status, university.writes()) == (1, [])
    university.exams.rows[1]["term"] = "V27"
    university.apply_cleanly()
    assert (set(university.candidates()), set(university.candidates("INF1000-V27"))) == (
        {"s1001"},
        {"s1002"},
    )


def test_tests_whose_external_ids_differ_by_case_are_one_and_a_known_one_stays_as_it_is(
    university: University,
) -> None:
    keyed_tests(university)
    sitting(university, "9001")
    university.students.add(*numbers(1001, 4))
    university.registrations.add(*(f"{TEST} {one}" for one in numbers(1001, 4)), room="9001")
    university.apply_once()
    before = university.tests()
    sitting(university, "9002", course="inf1000", start="15.12.2026 09:00", end="15.12.2026 13:00")
    university.registrations.set(f"{TEST} 1001", room="9002")
    university.registrations.drop(f"{TEST} 1002")
    assert university.apply().status == 1
    assert university.tests() == before


def test_the_external_id_of_a_test_of_last_year_is_not_given_to_another(
    university: University,
) -> None:
    keyed_tests(university)
    university.keep_feeds("test")
    sitting(university, "9001")
    university.apply_once()
    university.at("2027-11-01T08:00")
    university.exams.rows.clear()
    sitting(university, "9002", start="01.12.2027 09:00", end="01.12.2027 13:00")
    before = university.tests()
    ran = university.apply()
    assert (ran.status, university.tests()) == (3, before)
    assert "looks like test 9001, which has vanished: it has its external test id" in ran.out
    assert university.adopt("--held").status == 3
    assert university.adopt("test", "9002", "--as-new").status == 3
    assert (university.apply().status, university.tests()) == (3, before)
    university.exams.rows[0]["term"] = "H27"
    university.apply_cleanly()
    assert set(university.tests()) == {TEST, "INF1000-H27"}


def test_adopt_and_apply_leave_an_account_that_another_key_has(university: University) -> None:
    university.keep_feeds("learner")
    fields = {**university.feed("learner")["map"], "external_id": "secret"}
    university.feed("learner")["map"] = fields
    university.students.add("1001", secret="7")
    university.apply_once()
    # somebody has given the account of 1001 a second external id, which is that of the new row
    ids = [{"authType": "FEIDE", "externalId": "7"}, {"authType": "FEIDE", "externalId": "8"}]
    university.sandbox.edit(student=account(university.students.rows[0], externalIds=ids))
    university.students.set("1001", secret="7", feide="s1001")
    university.students.add("4001", secret="8", given="Åse", mail="s1001@example.edu")
    before = university.learners()
    ran = university.apply()
    assert (ran.status, university.learners()) == (3, before)
    assert university.adopt("learner", "4001").status == 3
    assert university.adopt().status == 3
    university.students.set("4001", secret="9", mail="s4001@example.edu")
    university.apply_cleanly()
