"""Several sources, one truth: feeds that give way to others or fill them up, and columns joined from other sources."""

from pathlib import Path
from typing import Any

import pytest

from .site import TEST, Site

LDAP = "uid,mail,kind,person\n"


def another(site: Site, name: str, text: str) -> Path:
    """One more CSV file that the configuration has as a source."""
    site.config["sources"][name] = {"type": "csv", "path": f"{name}.csv"}
    path = site.folder / f"{name}.csv"
    path.write_text(text, encoding="utf-8")
    return path


def more_learners(site: Site, text: str, **said: Any) -> Path:
    """A second feed of learners, after the first."""
    path = another(site, "directory", "student_no,feide,given,family,mail,status\n" + text)
    site.config["feeds"].insert(1, {**site.feed("learner"), "source": "directory", **said})
    return path


@pytest.fixture
def site(site: Site) -> Site:
    site.seat(TEST, "1001", "1002", "1003")
    return site


def email(site: Site, login: str) -> str | None:
    found = site.people()[login].get("email")
    return None if found is None else str(found)


def test_two_feeds_that_say_different_things_are_a_row_error_that_names_both_places(
    site: Site,
) -> None:
    more_learners(site, "1001,s1001,Other,Name,other@example.edu,active\n")
    ran = site.apply()
    assert ran.status == 1
    assert "students.csv line 2: key" in ran.out
    assert "directory.csv line 2" in ran.out
    assert "s1001" not in site.people()


def test_a_feed_that_yields_adds_only_whom_an_earlier_one_lacks(site: Site) -> None:
    more_learners(
        site,
        "1001,s1001,Other,Name,other@example.edu,active\n1009,s1009,Only,Here,s1009@example.edu,active\n",
        on_conflict="skip",
    )
    site.settled()
    assert site.people()["s1001"]["lastName"] != "Name"
    assert email(site, "s1001") == "s1001@example.edu"
    assert site.people()["s1009"]["lastName"] == "Here"
    assert "no change" in site.settled().out


def test_a_feed_that_fills_gives_what_is_blank_and_no_more(site: Site) -> None:
    site.students.set("1001", mail="")
    more_learners(
        site,
        "1001,s1001,Other,Name,filled@example.edu,active\n1002,s1002,Other,Name,unused@example.edu,active\n",
        on_conflict="fill",
    )
    site.settled()
    assert email(site, "s1001") == "filled@example.edu"
    assert email(site, "s1002") == "s1002@example.edu"
    assert site.people()["s1001"]["lastName"] != "Name"
    assert "no change" in site.settled().out


def test_what_a_filling_feed_owns_is_kept_while_that_cannot_be_read(site: Site) -> None:
    site.students.set("1001", mail="")
    path = more_learners(
        site, "1001,s1001,Other,Name,filled@example.edu,active\n", on_conflict="fill"
    )
    site.settled()
    path.unlink()
    ran = site.apply()
    assert ran.status == 4
    assert site.writes() == []
    assert email(site, "s1001") == "filled@example.edu"


def test_a_feed_below_says_nothing_while_the_one_above_cannot_be_read(site: Site) -> None:
    more_learners(site, "1001,s1001,Other,Name,other@example.edu,active\n", on_conflict="skip")
    site.settled()
    site.students.raw = b'"cut'
    ran = site.apply()
    assert ran.status == 4
    assert (
        "directory.csv: is not used, as it yields to students.csv, which can't be read" in ran.out
    )
    assert site.writes() == []
    site.students.raw = None
    site.settled()


def test_rows_of_a_filling_feed_that_contradict_each_other_fill_nothing_and_are_row_errors(
    site: Site,
) -> None:
    site.students.set("1001", mail="")
    two = (
        "1001,s1001,Other,Name,one@example.edu,active\n",
        "1001,s1001,Other,Name,two@example.edu,active\n",
    )
    more_learners(site, "".join(two), on_conflict="fill")
    ran = site.apply()
    assert ran.status == 1
    assert "directory.csv line 2" in ran.out
    assert "directory.csv line 3" in ran.out
    assert "s1001" not in site.people()


def test_a_feed_that_yields_takes_nobody_over_from_one_that_is_not_whole(site: Site) -> None:
    more_learners(site, "1001,s1001,Other,Name,other@example.edu,active\n", on_conflict="skip")
    site.config["sources"]["students"]["completeness"] = {"minimum_rows": 3}
    site.settled()
    before = site.people()["s1001"]["lastName"]
    site.students.drop("1001")
    ran = site.apply()
    assert ran.status == 4
    assert site.people()["s1001"]["lastName"] == before != "Name"


def test_nor_does_it_bring_anybody_who_may_be_in_the_part_that_is_missing(site: Site) -> None:
    more_learners(site, "1004,x1004,Other,Name,other@example.edu,active\n", on_conflict="skip")
    site.config["sources"]["students"]["completeness"] = {"minimum_rows": 4}
    assert site.apply().status == 4
    assert "x1004" not in site.people()
    site.students.add("1004")
    site.settled()
    assert "s1004" in site.people()
    assert "x1004" not in site.people()


def test_a_row_that_should_yield_anyhow_stops_nobody_by_a_row_error(site: Site) -> None:
    more_learners(site, "1001,s1001,Ot\aher,Name,other@example.edu,active\n", on_conflict="skip")
    ran = site.apply()
    assert ran.status == 1
    assert "directory.csv line 2" in ran.out
    assert "s1001" in site.seats()


def test_a_feed_that_does_not_give_way_stands_above_those_that_do(site: Site) -> None:
    more_learners(site, "", on_conflict="skip")
    site.config["feeds"].insert(2, {**site.feed("learner"), "source": "directory"})
    ran = site.run("check")
    assert ran.status == 2
    assert (
        "comes after a feed of the same kind with 'on_conflict: skip' or 'fill'; move this feed above"
        in ran.said
    )


def test_nothing_can_be_filled_below_blanks_that_clear_nor_for_contributors(site: Site) -> None:
    site.also("staff", "contributor")
    site.feed("learner")["blank"] = "clear"
    more_learners(site, "", on_conflict="fill")
    site.config["feeds"].append({**site.feed("contributor"), "on_conflict": "fill"})
    ran = site.run("check")
    assert ran.status == 2
    assert "on_conflict: has no effect: a feed above has 'blank: clear'" in ran.said
    assert "on_conflict: can't be 'fill': several rows make one contributor" in ran.said


def join(site: Site, text: str, **said: Any) -> Path:
    """The learners' email addresses from another source."""
    path = another(site, "ldap", LDAP + text)
    feed = site.feed("learner")
    feed["join"] = {"ldap": {"by": {"feide": "uid"}, **said}}
    feed["map"] = {**feed["map"], "email": "ldap.mail"}
    return path


ALL = "s1001,a@example.edu,x,1\ns1002,b@example.edu,x,2\ns1003,c@example.edu,x,3\n"


def test_a_column_is_taken_from_another_source_by_key(site: Site) -> None:
    join(site, ALL)
    site.settled()
    assert [email(site, login) for login in ("s1001", "s1002", "s1003")] == [
        f"{x}@example.edu" for x in "abc"
    ]
    assert "no change" in site.settled().out


def test_upper_and_lower_case_are_the_same_only_where_that_is_said(site: Site) -> None:
    join(site, ALL.replace("s1001", "S1001"))
    site.settled()
    assert not email(site, "s1001")
    site.feed("learner")["join"]["ldap"]["ignore_case"] = True
    site.settled()
    assert email(site, "s1001") == "a@example.edu"


@pytest.mark.parametrize(
    ("missing", "status", "there"),
    [("blank", 0, True), ("error", 1, False), ("skip", 0, False)],
)
def test_who_is_missing_there_is_blank_a_row_error_or_skipped(
    site: Site, missing: str, status: int, there: bool
) -> None:
    site.registrations.drop(f"{TEST} 1003")
    join(site, ALL.replace("s1003", "s9999"), missing=missing)
    ran = site.apply()
    assert ran.status == status
    assert ("s1003" in site.people()) is there
    assert ("students.csv line 4: join.ldap: has no row in ldap.csv" in ran.out) is (
        missing == "error"
    )


def test_rows_that_say_different_things_are_a_row_error_that_names_all_places(site: Site) -> None:
    join(site, f"{ALL}s1001,z@example.edu,x,1\ns1002,b@example.edu,y,2\n")
    ran = site.apply()
    assert ran.status == 1
    assert (
        "students.csv line 2: join.ldap: ldap.csv line 2 and 5 say different things under its key"
        in ran.out
    )
    assert set(site.people()) == {
        "s1002",
        "s1003",
    }  # what 1002 has twice differs in nothing that is taken


def test_while_the_joined_source_cannot_be_read_its_feed_says_nothing(site: Site) -> None:
    path = join(site, ALL)
    site.settled()
    path.unlink()
    site.students.drop("1003")
    site.registrations.drop(f"{TEST} 1003")
    site.students.set("1001", family="Øvelsesen-Ny")
    ran = site.apply()
    assert ran.status == 4
    assert "ldap.csv: is not there" in ran.out
    assert "students.csv: is not used, as it joins ldap.csv, which can't be read" in ran.out
    assert site.people()["s1001"]["lastName"] != "Øvelsesen-Ny"
    assert "s1003" not in site.seats()  # registrations rest on nothing of it
    assert "release learner 1003" not in " ".join(site.planned("pass"))
    path.write_text(LDAP + ALL)
    site.settled()
    assert site.people()["s1001"]["lastName"] == "Øvelsesen-Ny"


def test_who_is_not_in_a_joined_source_that_is_not_whole_keeps_what_is_known(site: Site) -> None:
    path = join(site, ALL)
    feed = site.feed("learner")
    feed["blank"] = "clear"
    site.config["sources"]["ldap"]["completeness"] = {"minimum_rows": 3}
    site.settled()
    path.write_text(LDAP + "\n".join(ALL.splitlines()[:2]) + "\n")
    site.seat(TEST, "1004")
    ran = site.apply()
    assert ran.status == 4
    assert (
        "ldap.csv: has 2 rows, fewer than minimum_rows (3); nothing that rests on it is removed"
        in ran.out
    )
    assert (
        "students.csv line 4: join.ldap: has no row in ldap.csv, which can't be relied on now"
        in ran.out
    )
    assert email(site, "s1003") == "c@example.edu"
    assert "s1004" not in site.people()


def test_where_may_select_by_a_joined_column_and_no_doubt_makes_anybody_absent(site: Site) -> None:
    path = join(site, ALL)
    site.feed("learner")["where"] = {"status": "active", "ldap.kind": "x"}
    site.settled()
    assert set(site.people()) == {"s1001", "s1002", "s1003"}
    path.write_text(LDAP + ALL + "s1003,c@example.edu,y,3\n")
    site.registrations.drop(f"{TEST} 1003")
    ran = site.apply()
    assert ran.status == 1
    assert "release learner 1003" not in ran.out


def test_a_key_may_come_from_a_joined_source(site: Site) -> None:
    another(site, "members", "course,dn\nINF1000-H26,s1001\nINF1000-H26,s1002\n")
    another(site, "ldap", f"{LDAP}s1001,a@example.edu,x,1001\ns1002,b@example.edu,x,1002\n")
    candidates = site.feed("candidate")
    candidates["source"] = "members"
    candidates["join"] = {"ldap": {"by": {"dn": "uid"}}}
    candidates["map"] = {"test": "course", "learner": "ldap.person"}
    del site.config["sources"]["registrations"]
    site.settled()
    assert set(site.seats()) == {"s1001", "s1002"}


def test_row_errors_of_the_configuration_are_said_at_once(site: Site) -> None:
    feed = site.feed("learner")
    feed["join"] = {"studnts": {"by": {"feide": "uid"}}, "students": {"by": {"feide": "feide"}}}
    feed["updated_column"] = "changed"
    ran = site.run("check")
    assert ran.status == 2
    assert (
        "feeds[0].join.studnts: is not a source" in ran.said
        or "studnts: is not a source" in ran.said
    )
    assert "has no effect: no column 'students.COLUMN' is used" in ran.said
    assert "updated_column: can't be used with this source" in ran.said


def test_a_joined_source_that_is_called_like_the_feeds_own_columns_is_refused(site: Site) -> None:
    join(site, ALL)
    site.students.columns = (*site.students.columns, "ldap.id")
    ran = site.apply()
    assert ran.status == 4
    assert (
        "students.csv: has a column 'ldap.id', which is also what a column of the joined source is called"
        in ran.out
    )


def test_doctor_looks_at_joined_sources_too(site: Site) -> None:
    path = join(site, ALL)
    ran = site.run("doctor", "--offline")
    assert "ldap.csv (joined by learner): 4 columns and every row can be read" in ran.out
    path.write_text("uid\ns1001\n")
    ran = site.run("doctor", "--offline")
    assert (
        "ldap.csv (joined by learner): column 'mail' is missing (it has 1 column); correct the source"
        in ran.out
    )


@pytest.mark.parametrize("where", ["joined", "own"])
def test_a_key_that_cannot_be_read_on_either_side_leaves_nobody_out(site: Site, where: str) -> None:
    rows = "s1001,a,x,1001\ns1002,b,x,1002\ns1003,c,x,1003\n"
    path = another(site, "ldap", LDAP + rows)
    candidates = site.feed("candidate")
    candidates["join"] = {"ldap": {"by": {"student_no": "person"}, "missing": "skip"}}
    candidates["map"]["room"] = "ldap.mail"
    site.settled()
    if where == "joined":
        path.write_text(LDAP + rows.replace("1003\n", "10\a03\n"))
    else:
        site.registrations.set(f"{TEST} 1003", student_no="10\a03")
    ran = site.apply()
    assert ran.status in (1, 4)
    assert "control character" in ran.out
    assert "s1003" in site.seats()


def test_a_joined_source_that_has_lost_its_rows_wipes_nothing_until_that_is_accepted(
    site: Site,
) -> None:
    people = [f"{n}" for n in range(1001, 1031)]
    site.seat(TEST, *people)
    lines = [f"s{n},m{n}@example.edu,x,1\n" for n in people]
    path = join(site, "".join(lines))
    site.feed("learner")["blank"] = "clear"
    site.settled()
    path.write_text(LDAP + "".join(lines[:19]))
    ran = site.apply()
    assert ran.status == 4
    assert (
        "ldap.csv: has 11 rows fewer than the 30 when it was last whole, more than max(10, 10%) = 10"
        in ran.out
    )
    assert email(site, "s1030") == "m1030@example.edu"
    path.write_text(LDAP + "".join(lines[:20]))
    site.settled()
    assert not email(site, "s1030")


def test_what_is_joined_cannot_be_read_for_changes(site: Site) -> None:
    join(site, ALL)
    site.feed("learner")["updated_column"] = "mail"
    ran = site.run("check")
    assert (
        "updated_column: can't be used with 'join': the joined row can change although this row does not"
        in ran.said
    )


def test_a_joined_source_under_another_name_is_held_to_the_number_of_rows_that_it_had(
    site: Site,
) -> None:
    people = [f"{n}" for n in range(1001, 1031)]
    site.seat(TEST, *people)
    lines = [f"s{n},m{n}@example.edu,x,1\n" for n in people]
    path = join(site, "".join(lines))
    site.feed("learner")["blank"] = "clear"
    site.settled()
    path.write_text(LDAP + "".join(lines[:16]))
    site.config["sources"]["ad"] = site.config["sources"].pop("ldap")
    feed = site.feed("learner")
    feed["join"] = {"ad": feed["join"]["ldap"]}
    feed["map"]["email"] = "ad.mail"
    assert site.apply().status == 4
    assert email(site, "s1030") == "m1030@example.edu"
