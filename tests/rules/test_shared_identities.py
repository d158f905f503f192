"""What Inspera identifies by has one bearer: usernames, external ids and external test ids, by case too."""

import pytest

from .manual_edits import account, make_test
from .site import OTHER, TEST, Site, names, numbers


def row_errors(site: Site) -> dict[str, str]:
    """The row errors of a plan by place."""
    return {
        one["where"]: f"{one['field']}: {one['reason']}; {one['remedy']}"
        for one in site.plan_json()["row_errors"]
    }


def sent_people(site: Site) -> set[str]:
    """Everybody about whom the last command sent something."""
    return {call["body"]["username"] for call in site.sent() if "username" in call["body"]}


@pytest.fixture
def twins(site: Site) -> Site:
    """Two students of one login, each with a registration, beside one of whom nothing is wrong."""
    site.seat(TEST, "1001", "4001", "4002")
    for one in ("4001", "4002"):
        site.students.set(one, feide="twin", mail="")
    site.registrations.set(f"{TEST} 4001", extra="60")
    site.registrations.set(f"{TEST} 4002", extra="0")
    return site


def keyed_tests(site: Site) -> None:
    """Tests have keys of their own: the name of the row."""
    site.feed("test")["map"] |= {
        "key": "name",
        "title": "Prøve {name}",
        "external_test_id": "{course}-{term}",
    }
    site.feed("candidate")["map"]["test"] = "room"


def sitting(site: Site, name: str, course: str = "INF1000", **values: str) -> None:
    """A test by its key."""
    site.exams.add(f"{course}-H26", name=name, **values)


def test_two_rows_of_one_login_are_errors_of_both_in_check_plan_and_apply_and_neither_is_sent(
    twins: Site,
) -> None:
    check = twins.run("check")
    assert check.status == 1
    assert "students.csv line 3: username: students.csv line 4 has the same username" in check.out
    assert "students.csv line 4: username: students.csv line 3 has the same username" in check.out
    assert (twins.plan().status, twins.apply().status) == (1, 1)
    assert sent_people(twins) == {"s1001"}
    assert set(twins.seats()) == {"s1001"}
    assert twins.apply().status == 1
    assert twins.writes() == []


def test_what_the_message_says_helps(twins: Site) -> None:
    assert twins.apply().status == 1
    twins.students.set("4002", feide="s4002")
    twins.settled()
    assert set(twins.seats()) == {"s1001", "twin", "s4002"}
    assert (
        twins.seats()["twin"]["extraTimeMins"],
        twins.seats()["s4002"].get("extraTimeMins") or 0,
    ) == (60, 0)


def test_leaving_a_row_out_helps_too(twins: Site) -> None:
    twins.students.drop("4002")
    twins.registrations.drop(f"{TEST} 4002")
    twins.settled()
    assert set(twins.seats()) == {"s1001", "twin"}


def test_a_dozen_rows_of_one_login_are_all_errors_and_a_message_names_a_few(site: Site) -> None:
    site.only("learner")
    site.students.add(*numbers(1001, 12), feide="none", mail="")
    ran = site.apply()
    assert (ran.status, site.writes()) == (1, [])
    assert len(row_errors(site)) == 12
    assert (
        "students.csv line 3 and students.csv line 4 and students.csv line 5 and 8 more have the same"
        in ran.out
    )


@pytest.mark.parametrize(
    ("one", "other"), [("case@ex.edu", "Case@EX.edu"), ("øst", "ØST"), ("strasse", "straße")]
)
def test_logins_that_differ_by_case_are_one(site: Site, one: str, other: str) -> None:
    site.feed("learner")["map"]["external_id"] = "student_no"
    site.seat(TEST, "4001", "4002", "4003")
    site.students.set("4001", feide=one)
    site.students.set("4002", feide=other)
    ran = site.apply()
    assert ran.status == 1
    assert set(site.people()) == {"s4003"}
    assert "has the same username except for upper and lower case" in ran.out


def test_external_ids_that_differ_by_case_are_one(site: Site) -> None:
    site.feed("learner")["map"]["external_id"] = "secret"
    site.seat(TEST, "4001", "4002", "4003")
    for number, external_id in (("4001", "A-7"), ("4002", "a-7"), ("4003", "a-8")):
        site.students.set(number, secret=external_id)
    assert site.apply().status == 1
    assert set(site.people()) == {"s4003"}
    assert {one.split(":")[0] for one in row_errors(site).values()} == {"external_id"}


def test_external_ids_of_two_auth_systems_may_be_the_same_and_usernames_may_not(site: Site) -> None:
    site.only("learner")
    fields = {**site.feed("learner")["map"], "external_id": "secret"}
    site.config["feeds"][0] |= {"map": fields, "where": {"status": "active"}}
    guests = {**site.feed("learner"), "auth_system": "EMAIL", "where": {"status": "exchange"}}
    site.config["feeds"].append(guests)
    site.students.add("4001", secret="7")
    site.students.add("4002", secret="7", status="exchange")
    site.settled()
    assert set(site.people()) == {"s4001", "s4002"}
    site.students.add("4003", secret="8")
    site.students.add("4004", secret="8", status="exchange", feide="s4003")
    assert site.apply().status == 1
    assert site.writes() == []


def test_what_is_known_of_somebody_whose_login_another_row_has_too_stays(site: Site) -> None:
    site.seat(TEST, *numbers(1001, 5))
    site.settled()
    site.students.add("4002", feide="s1002", family="Nyfamilie")
    site.students.set("1002", mail="nytt@example.edu")
    site.registrations.set(f"{TEST} 1002", student_no="4002")
    before = site.people()["s1002"]
    assert site.apply().status == 1
    assert site.people()["s1002"] == before
    assert set(site.seats()) == names(numbers(1001, 5))
    assert site.planned("deferred") == [f"remove candidate {TEST}/1002"]
    site.students.drop("4002")
    site.registrations.set(f"{TEST} 4002", student_no="1002")
    site.settled()
    assert site.planned() == []


def test_the_seats_of_somebody_who_left_stay_while_two_rows_have_their_login(site: Site) -> None:
    site.seat(TEST, *numbers(1001, 5))
    site.settled()
    site.students.set("1002", student_no="4001")
    site.students.add("4002", feide="s1002")
    site.registrations.drop(f"{TEST} 1002")
    site.registrations.add(f"{TEST} 4001", f"{TEST} 4002")
    assert site.apply().status == 1
    assert set(site.seats()) == names(numbers(1001, 5))
    assert sent_people(site) == set()


def test_a_login_whose_own_row_is_an_error_is_not_given_to_another(site: Site) -> None:
    site.seat(TEST, *numbers(1001, 4))
    site.settled()
    site.students.set("1002", given="Å\u0007se")
    site.students.add("4002", feide="S1002")
    ran = site.apply()
    assert (ran.status, site.writes()) == (1, [])
    assert "learner 1002 (students.csv line 3) has this username in Inspera" in ran.out
    site.students.set("4002", feide="s4002")
    site.students.set("1002", given="Åse")
    site.settled()


def test_a_login_that_moves_from_one_to_another_waits_until_that_is_settled(site: Site) -> None:
    site.seat(TEST, *numbers(1001, 4))
    site.settled()
    site.students.set("1002", feide="s1002-new")
    site.students.add("4002", feide="s1002", given="Ny", family="Student", mail="ny@example.edu")
    before = site.people()["s1002"]
    ran = site.apply()
    assert (ran.status, site.people()["s1002"]) == (3, before)
    assert "learner 1002 (students.csv line 3) has this username in Inspera" in ran.out
    assert site.adopt("learner", "1002", "--as-new").status == 0
    ran = site.apply()
    assert ran.status == 3
    assert (
        "learner 4002 (students.csv line 6): the account in Inspera has other names and another email"
        in ran.out
    )
    assert "s1002-new" in site.seats()
    assert site.people()["s1002"] == before


@pytest.fixture
def left(site: Site) -> Site:
    """A learner who has left, whose login a new one gets."""
    site.seat(TEST, *numbers(1001, 4))
    site.students.add("1009")
    site.settled()
    site.students.drop("1009")
    site.settled()
    site.seat(TEST, "4009")
    site.students.set("4009", feide="S1009", given="Ny", family="Student", mail="ny@example.edu")
    return site


def test_the_login_of_one_who_left_is_a_identity_change_and_no_save_over_the_other(
    left: Site,
) -> None:
    before = left.people()["s1009"]
    ran = left.apply()
    assert ran.status == 3
    assert (
        "looks like learner 1009, which has vanished: it has its username or external id" in ran.out
    )
    assert left.people()["s1009"] == before
    assert set(left.people()) == names([*numbers(1001, 4), "1009"])
    assert set(left.seats()) == names(numbers(1001, 4))


def test_a_login_of_their_own_is_what_another_person_needs(left: Site) -> None:
    assert left.apply().status == 3
    ran = left.adopt("learner", "4009", "--as-new")
    assert ran.status == 3
    assert "Inspera has it as learner 1009" in ran.out
    assert left.adopt("--held").status == 3, (
        "many are not settled where they may be somebody else's"
    )
    assert left.apply().status == 3
    assert left.people()["s1009"]["lastName"] != "Student"
    left.students.set("4009", feide="s4009")
    left.settled()
    assert "s4009" in left.seats()


def test_the_same_person_under_a_new_number_is_adopted_and_shown(left: Site) -> None:
    left.students.set("4009", feide="s1009")
    assert left.apply().status == 3
    ran = left.adopt("learner", "4009")
    assert ran.status == 0
    assert "ny@example.edu" in ran.out
    assert "s1009@example.edu" in ran.out
    left.settled()
    assert left.people()["s1009"]["email"] == "ny@example.edu"
    assert "s1009" in left.seats()


@pytest.fixture
def both(site: Site) -> Site:
    """A person who is both learner and staff on one login, beside others who are not."""
    site.also("staff", "contributor")
    site.seat(TEST, *numbers(1001, 3))
    site.hire(TEST, "7001", "7002")
    site.employees.set("7002", feide="s1002", mail="")
    return site


def test_a_person_who_is_learner_and_staff_on_one_login_is_held_before_anything_is_sent(
    both: Site,
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
    assert set(both.seats()) == {"s1001", "s1003"}
    assert set(both.contributors()) == {"t7001"}


def test_who_is_both_is_adopted_as_neither(both: Site) -> None:
    both.sandbox.edit(student=account(both.students.rows[1]))
    assert both.adopt().status == 3
    for record in (("learner", "1002"), ("staff", "7002"), ("learner", "1002", "--as-new")):
        ran = both.adopt(*record)
        assert ran.status == 3
        assert "its row is an error" in ran.out
    assert both.status()["known"] == []


def test_leaving_the_person_out_of_one_feed_helps(both: Site) -> None:
    assert both.apply().status == 3
    both.feed("staff")["where"] = {"employee_no": "7001"}
    both.graders.drop(f"{TEST} 7002")
    both.settled()
    assert set(both.seats()) == names(numbers(1001, 3))


def test_a_learner_who_becomes_staff_keeps_their_seats_and_gets_new_ones(site: Site) -> None:
    site.also("staff")
    site.seat(TEST, *numbers(1001, 3))
    site.exams.add(OTHER)
    site.employees.add("7001")
    site.settled()
    site.employees.add("7002", feide="S1002")
    site.registrations.add(f"{OTHER} 1002")
    assert site.apply().status == 3
    assert set(site.seats()) == names(numbers(1001, 3))
    assert set(site.seats(OTHER)) == {"s1002"}
    assert set(site.staff()) == {"t7001"}


@pytest.mark.parametrize("hired", [True, False])
def test_one_who_left_and_comes_back_as_the_other_kind_gets_an_account_by_the_way_that_is_said(
    site: Site, hired: bool
) -> None:
    site.also("staff")
    site.may_shrink()
    site.seat(TEST, *numbers(1001, 3))
    site.employees.add("7001", "7002", "7003")
    site.settled()
    left, kind, table = (
        ("1002", "learner", site.students) if hired else ("7002", "staff", site.employees)
    )
    login = table.rows[1]["feide"]
    if hired:
        site.registrations.drop(f"{TEST} {left}")
    table.drop(left)
    site.settled()
    if hired:
        site.employees.add("7009", feide=login)
    else:
        site.students.add("1009", feide=login)
    ran = site.apply()
    assert ran.status == 3
    way = f"adopt {kind} {left} --as-new"
    assert (
        f"take that account away in Inspera, and then run `{way}`, which forgets it here" in ran.out
    )
    assert site.run(*way.split()).status == 3  # it is still there
    site.sandbox.edit(**{"student" if hired else "staff": {"username": login, "removed": True}})
    assert site.run(*way.split()).status == 0
    site.settled()
    assert login in (site.staff() if hired else site.people())
    assert login not in (site.people() if hired else site.staff())


def test_a_run_that_does_not_read_staff_minds_those_who_are_known(site: Site) -> None:
    learners = site.config["feeds"][0]
    site.also("staff")
    site.only("staff")
    site.employees.add("7001", "7002")
    site.settled()
    site.config["feeds"] = [learners]
    site.students.add("1001")
    site.students.add("1002", feide="T7002")
    ran = site.apply()
    assert ran.status == 3
    assert "staff 7002 has this username in Inspera, and one account there can't be both" in ran.out
    assert sent_people(site) == {"s1001"}
    site.students.set("1002", feide="s1002")
    site.settled()


def test_two_tests_of_one_external_id_are_errors_of_both_and_no_advice_mixes_them(
    site: Site,
) -> None:
    keyed_tests(site)
    site.students.add(*numbers(1001, 2))
    sitting(site, "9001")
    sitting(site, "9002", start="15.12.2026 09:00", end="15.12.2026 13:00")
    site.registrations.add(f"{TEST} 1001", room="9001", number="101")
    site.registrations.add(f"{TEST} 1002", room="9002", number="101")
    check = site.run("check")
    assert check.status == 1
    assert (
        "exams.csv line 2: external_test_id: exams.csv line 3 has the same external test id"
        in check.out
    )
    ran = site.apply()
    assert (ran.status, site.tests()) == (1, {})
    assert "adopt" not in ran.out
    for key in ("9001", "9002"):
        assert site.adopt("test", key).status == 3
        assert site.adopt("test", key, "--as-new").status == 3
    assert site.adopt().status == 0
    make_test(site, title="Prøve 9001")
    assert site.adopt().status == 0
    assert (site.apply().status, site.writes()) == (1, [])
    site.exams.rows[1]["term"] = "V27"
    site.settled()
    assert (set(site.seats()), set(site.seats("INF1000-V27"))) == ({"s1001"}, {"s1002"})


def test_tests_whose_external_ids_differ_by_case_are_one_and_a_known_one_stays_as_it_is(
    site: Site,
) -> None:
    keyed_tests(site)
    sitting(site, "9001")
    site.students.add(*numbers(1001, 4))
    site.registrations.add(*(f"{TEST} {one}" for one in numbers(1001, 4)), room="9001")
    site.settled()
    before = site.tests()
    sitting(site, "9002", course="inf1000", start="15.12.2026 09:00", end="15.12.2026 13:00")
    site.registrations.set(f"{TEST} 1001", room="9002")
    site.registrations.drop(f"{TEST} 1002")
    assert site.apply().status == 1
    assert site.tests() == before


def test_the_external_id_of_a_test_of_last_year_is_not_given_to_another(site: Site) -> None:
    keyed_tests(site)
    site.only("test")
    sitting(site, "9001")
    site.settled()
    site.at("2027-11-01T08:00")
    site.exams.rows.clear()
    sitting(site, "9002", start="01.12.2027 09:00", end="01.12.2027 13:00")
    before = site.tests()
    ran = site.apply()
    assert (ran.status, site.tests()) == (3, before)
    assert "looks like test 9001, which has vanished: it has its external test id" in ran.out
    assert site.adopt("--held").status == 3
    assert site.adopt("test", "9002", "--as-new").status == 3
    assert (site.apply().status, site.tests()) == (3, before)
    site.exams.rows[0]["term"] = "H27"
    site.settled()
    assert set(site.tests()) == {TEST, "INF1000-H27"}


def test_adopt_and_apply_leave_an_account_that_another_key_has(site: Site) -> None:
    site.only("learner")
    fields = {**site.feed("learner")["map"], "external_id": "secret"}
    site.feed("learner")["map"] = fields
    site.students.add("1001", secret="7")
    site.settled()
    # somebody has given the account of 1001 a second external id, which is that of the new row
    ids = [{"authType": "FEIDE", "externalId": "7"}, {"authType": "FEIDE", "externalId": "8"}]
    site.sandbox.edit(student=account(site.students.rows[0], externalIds=ids))
    site.students.set("1001", secret="7", feide="s1001")
    site.students.add("4001", secret="8", given="Åse", mail="s1001@example.edu")
    before = site.people()
    ran = site.apply()
    assert (ran.status, site.people()) == (3, before)
    assert site.adopt("learner", "4001").status == 3
    assert site.adopt().status == 3
    site.students.set("4001", secret="9", mail="s4001@example.edu")
    site.settled()
