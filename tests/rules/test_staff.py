"""Staff come, change, leave and come back: what each of these sends."""

import pytest

from .manual_edits import account
from .site import Site, numbers

SAVE = "/v1/users"


@pytest.fixture
def staffed(site: Site) -> Site:
    """Five members of staff, all in Inspera."""
    site.also("staff")
    site.only("staff")
    site.employees.add(*numbers(7001, 5))
    site.settled()
    return site


def statuses(site: Site) -> dict[str, str]:
    """Who may use Inspera, by username."""
    return {username: one["status"] for username, one in site.staff().items()}


def lifecycles(site: Site) -> dict[str, int]:
    """How many members of staff are known, by lifecycle."""
    return {
        one["lifecycle"]: one["count"] for one in site.status()["known"] if one["kind"] == "staff"
    }


def test_a_member_of_staff_is_made_once(staffed: Site) -> None:
    assert statuses(staffed) == {f"t{number}": "ACTIVE" for number in numbers(7001, 5)}
    assert staffed.planned() == []
    staffed.settled()
    assert staffed.calls() == []


def test_a_change_is_sent_for_the_one_who_changed(staffed: Site) -> None:
    staffed.employees.set("7002", family="Nyansatt")
    assert staffed.planned() == ["update staff 7002"]
    staffed.settled()
    assert [call["body"]["username"] for call in staffed.sent()] == ["t7002"]
    assert staffed.staff()["t7002"]["lastName"] == "Nyansatt"


def test_rights_are_lists_whose_order_is_no_difference(staffed: Site) -> None:
    staffed.feed("staff")["map"]["accesses"] = "rights"
    staffed.employees.set("7001", rights="author;grade")
    staffed.settled()
    assert sorted(staffed.staff()["t7001"]["authorizedAccesses"]) == ["author", "grade"]
    staffed.employees.set("7001", rights="grade;author;grade")
    assert staffed.planned() == []


def test_whoever_the_source_drops_is_disabled_and_not_deleted(staffed: Site) -> None:
    staffed.employees.drop("7002")
    assert staffed.planned() == ["disable staff 7002"]
    staffed.settled()
    assert {name for name, status in statuses(staffed).items() if status == "DISABLED"} == {"t7002"}
    assert len(staffed.sent()) == 1
    assert lifecycles(staffed) == {"active": 4, "disabled": 1}
    staffed.settled()
    assert staffed.calls() == []


def test_whoever_is_dropped_is_deleted_once_where_the_configuration_says_so(staffed: Site) -> None:
    staffed.config["on_absence"] = {"staff": "delete"}
    staffed.employees.drop("7002")
    assert staffed.planned() == ["delete staff 7002"]
    staffed.settled()
    assert [call["method"] for call in staffed.sent()] == ["DELETE"]
    assert "t7002" not in staffed.staff()
    assert lifecycles(staffed) == {"active": 4}
    staffed.settled()
    assert staffed.calls() == []


def test_whoever_is_dropped_stays_as_they_are_where_the_configuration_says_keep(
    staffed: Site,
) -> None:
    staffed.config["on_absence"] = {"staff": "keep"}
    staffed.employees.drop("7002")
    assert staffed.planned() == []
    staffed.settled()
    assert staffed.writes() == []
    assert statuses(staffed)["t7002"] == "ACTIVE"


def test_one_who_was_disabled_and_comes_back_is_enabled_with_what_changed_meanwhile(
    staffed: Site,
) -> None:
    row = staffed.employees.rows[1]
    staffed.employees.drop("7002")
    staffed.settled()
    staffed.employees.rows.append({**row, "mail": "tilbake@example.edu"})
    assert staffed.planned() == ["enable staff 7002"]
    staffed.settled()
    assert statuses(staffed)["t7002"] == "ACTIVE"
    assert staffed.staff()["t7002"]["email"] == "tilbake@example.edu"
    assert (lifecycles(staffed), staffed.planned()) == ({"active": 5}, [])


def test_a_row_that_says_disabled_disables_though_another_source_cannot_be_read(
    staffed: Site,
) -> None:
    staffed.feed("staff")["map"]["status"] = "status"
    staffed.config["sources"]["guests"] = {"type": "csv", "path": "guests.csv"}
    staffed.config["feeds"].append({**staffed.feed("staff"), "source": "guests"})
    staffed.employees.set("7002", status="disabled")
    staffed.employees.drop("7003")
    ran = staffed.apply()
    assert ran.status == 4
    assert {name for name, status in statuses(staffed).items() if status == "DISABLED"} == {"t7002"}


def test_a_row_that_says_active_again_enables(staffed: Site) -> None:
    staffed.feed("staff")["map"]["status"] = "status"
    staffed.employees.set("7002", status="disabled")
    assert staffed.planned() == ["disable staff 7002"]
    staffed.settled()
    assert staffed.planned() == []
    staffed.employees.set("7002", status="active")
    assert staffed.planned() == ["enable staff 7002"]
    staffed.settled()
    assert set(statuses(staffed).values()) == {"ACTIVE"}
    assert staffed.planned() == []


def test_nobody_is_made_only_to_be_disabled(staffed: Site) -> None:
    staffed.feed("staff")["map"]["status"] = "status"
    staffed.employees.add("7009", status="disabled")
    assert staffed.planned() == []
    staffed.settled()
    assert "t7009" not in staffed.staff()


def test_a_source_that_cannot_be_read_disables_nobody(staffed: Site) -> None:
    staffed.employees.drop("7002")
    staffed.employees.raw = staffed.employees.text().encode() + b"ragged\n"
    assert staffed.apply().status == 4
    assert set(statuses(staffed).values()) == {"ACTIVE"}
    staffed.employees.raw = None
    staffed.settled()
    assert statuses(staffed)["t7002"] == "DISABLED"


def test_a_row_with_a_row_error_disables_nobody(staffed: Site) -> None:
    staffed.employees.set("7002", mail="no email at all")
    staffed.employees.set("7003", feide="")
    assert staffed.apply().status == 1
    assert staffed.writes() == []
    assert set(statuses(staffed).values()) == {"ACTIVE"}


def test_staff_found_in_inspera_are_brought_up_to_date_and_never_disabled(site: Site) -> None:
    site.also("staff")
    site.only("staff")
    site.employees.add("7001")
    site.settled()
    site.employees.add("7002", "7003", secret="foerste-passord-1")
    site.sandbox.edit(staff=account(site.employees.rows[1], lastName="Gift"))
    site.feed("staff")["map"]["password"] = "secret"
    ran = site.settled()
    assert "1 create found" in ran.out
    assert site.staff()["t7002"]["lastName"] == site.employees.rows[1]["family"]
    assert [one["passwordSet"] for one in site.staff().values()] == [False, False, True]
    site.employees.drop("7002", "7003")
    assert site.planned() == ["disable staff 7003"]
    site.settled()
    assert statuses(site) == {"t7001": "ACTIVE", "t7002": "ACTIVE", "t7003": "DISABLED"}


def test_the_account_of_somebody_else_is_not_taken_over(staffed: Site) -> None:
    hand = {
        "username": "t7009",
        "externalIds": [{"authType": "FEIDE", "externalId": "somebody-else"}],
    }
    staffed.sandbox.edit(staff={"firstName": "Annen", "lastName": "Person", **hand})
    staffed.employees.add("7009")
    ran = staffed.apply()
    assert ran.status == 3
    assert "the account with this username has another external id" in ran.out
    assert staffed.writes() == []
