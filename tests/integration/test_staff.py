"""Staff come, change, leave and come back: what each of these sends."""

import pytest

from ..support.manual_edits import account
from ..support.university import University, numbers


@pytest.fixture
def staffed(university: University) -> University:
    """Five members of staff, all in Inspera."""
    university.add_feeds("staff")
    university.keep_feeds("staff")
    university.employees.add(*numbers(7001, 5))
    university.apply_once()
    return university


def statuses(university: University) -> dict[str, str]:
    """Who may use Inspera, by username."""
    return {username: one["status"] for username, one in university.staff().items()}


def lifecycles(university: University) -> dict[str, int]:
    """How many members of staff are known, by lifecycle."""
    return {
        one["lifecycle"]: one["count"]
        for one in university.status()["known"]
        if one["kind"] == "staff"
    }


def test_a_member_of_staff_is_made_once(staffed: University) -> None:
    assert statuses(staffed) == {f"t{number}": "ACTIVE" for number in numbers(7001, 5)}
    assert staffed.planned() == []
    staffed.apply_cleanly()
    assert staffed.calls() == []


def test_a_change_is_sent_for_the_one_who_changed(staffed: University) -> None:
    staffed.employees.set("7002", family="Nyansatt")
    assert staffed.planned() == ["update staff 7002"]
    staffed.apply_cleanly()
    assert [call["body"]["username"] for call in staffed.sent()] == ["t7002"]
    assert staffed.staff()["t7002"]["lastName"] == "Nyansatt"


def test_rights_are_lists_whose_order_is_no_difference(staffed: University) -> None:
    staffed.feed("staff")["map"]["accesses"] = "rights"
    staffed.employees.set("7001", rights="author;grade")
    staffed.apply_cleanly()
    assert sorted(staffed.staff()["t7001"]["authorizedAccesses"]) == ["author", "grade"]
    staffed.employees.set("7001", rights="grade;author;grade")
    assert staffed.planned() == []


def test_anyone_who_the_source_drops_is_disabled_and_not_deleted(staffed: University) -> None:
    staffed.employees.drop("7002")
    assert staffed.planned() == ["disable staff 7002"]
    staffed.apply_cleanly()
    assert {name for name, status in statuses(staffed).items() if status == "DISABLED"} == {"t7002"}
    assert len(staffed.sent()) == 1
    assert lifecycles(staffed) == {"active": 4, "disabled": 1}
    staffed.apply_cleanly()
    assert staffed.calls() == []


def test_anyone_who_is_dropped_is_deleted_once_where_the_configuration_says_so(
    staffed: University,
) -> None:
    staffed.config["on_absence"] = {"staff": "delete"}
    staffed.employees.drop("7002")
    assert staffed.planned() == ["delete staff 7002"]
    staffed.apply_cleanly()
    assert [call["method"] for call in staffed.sent()] == ["DELETE"]
    assert "t7002" not in staffed.staff()
    assert lifecycles(staffed) == {"active": 4}
    staffed.apply_cleanly()
    assert staffed.calls() == []


def test_anyone_who_is_dropped_stays_as_they_are_where_the_configuration_says_keep(
    staffed: University,
) -> None:
    staffed.config["on_absence"] = {"staff": "keep"}
    staffed.employees.drop("7002")
    assert staffed.planned() == []
    staffed.apply_cleanly()
    assert staffed.writes() == []
    assert statuses(staffed)["t7002"] == "ACTIVE"


def test_one_who_was_disabled_and_comes_back_is_enabled_with_what_changed_meanwhile(
    staffed: University,
) -> None:
    row = staffed.employees.rows[1]
    staffed.employees.drop("7002")
    staffed.apply_cleanly()
    staffed.employees.rows.append({**row, "mail": "tilbake@example.edu"})
    assert staffed.planned() == ["enable staff 7002"]
    staffed.apply_cleanly()
    assert statuses(staffed)["t7002"] == "ACTIVE"
    assert staffed.staff()["t7002"]["email"] == "tilbake@example.edu"
    assert (lifecycles(staffed), staffed.planned()) == ({"active": 5}, [])


def test_a_row_that_says_disabled_disables_though_another_source_cannot_be_read(
    staffed: University,
) -> None:
    staffed.feed("staff")["map"]["status"] = "status"
    staffed.config["sources"]["guests"] = {"type": "csv", "path": "guests.csv"}
    staffed.config["feeds"].append({**staffed.feed("staff"), "source": "guests"})
    staffed.employees.set("7002", status="disabled")
    staffed.employees.drop("7003")
    ran = staffed.apply()
    assert ran.status == 4
    assert {name for name, status in statuses(staffed).items() if status == "DISABLED"} == {"t7002"}


def test_a_row_that_says_active_again_enables(staffed: University) -> None:
    staffed.feed("staff")["map"]["status"] = "status"
    staffed.employees.set("7002", status="disabled")
    assert staffed.planned() == ["disable staff 7002"]
    staffed.apply_cleanly()
    assert staffed.planned() == []
    staffed.employees.set("7002", status="active")
    assert staffed.planned() == ["enable staff 7002"]
    staffed.apply_cleanly()
    assert set(statuses(staffed).values()) == {"ACTIVE"}
    assert staffed.planned() == []


def test_nobody_is_made_only_to_be_disabled(staffed: University) -> None:
    staffed.feed("staff")["map"]["status"] = "status"
    staffed.employees.add("7009", status="disabled")
    assert staffed.planned() == []
    staffed.apply_cleanly()
    assert "t7009" not in staffed.staff()


def test_a_source_that_cannot_be_read_disables_nobody(staffed: University) -> None:
    staffed.employees.drop("7002")
    staffed.employees.raw = staffed.employees.text().encode() + b"ragged\n"
    assert staffed.apply().status == 4
    assert set(statuses(staffed).values()) == {"ACTIVE"}
    staffed.employees.raw = None
    staffed.apply_cleanly()
    assert statuses(staffed)["t7002"] == "DISABLED"


def test_a_row_with_a_row_error_disables_nobody(staffed: University) -> None:
    staffed.employees.set("7002", mail="no email at all")
    staffed.employees.set("7003", feide="")
    assert staffed.apply().status == 1
    assert staffed.writes() == []
    assert set(statuses(staffed).values()) == {"ACTIVE"}


def test_staff_found_in_inspera_are_brought_up_to_date_and_never_disabled(
    university: University,
) -> None:
    university.add_feeds("staff")
    university.keep_feeds("staff")
    university.employees.add("7001")
    university.apply_once()
    university.employees.add("7002", "7003", secret="foerste-passord-1")
    university.sandbox.edit(staff=account(university.employees.rows[1], lastName="Gift"))
    university.feed("staff")["map"]["password"] = "secret"
    ran = university.apply_cleanly()
    assert "1 create found" in ran.out
    assert university.staff()["t7002"]["lastName"] == university.employees.rows[1]["family"]
    assert [one["passwordSet"] for one in university.staff().values()] == [False, False, True]
    university.employees.drop("7002", "7003")
    assert university.planned() == ["disable staff 7003"]
    university.apply_cleanly()
    assert statuses(university) == {"t7001": "ACTIVE", "t7002": "ACTIVE", "t7003": "DISABLED"}


def test_the_account_of_somebody_else_is_not_taken_over(staffed: University) -> None:
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


def test_the_flat_form_has_one_organisation_and_more_are_a_row_error(staffed: University) -> None:
    staffed.feed("staff")["map"]["organisations"] = "rights"
    staffed.employees.set("7001", rights="Physics")
    staffed.employees.set("7002", rights="Physics;Music")
    ran = staffed.apply()
    assert (ran.status, staffed.writes()) == (1, ["POST /v1/users"])
    assert "2 organisations, but the flat form of staff has one; map one of them, or set" in ran.out
    assert staffed.sent()[0]["body"]["orgUnitName"] == "Physics"
    staffed.config["inspera"]["staff_body"] = "nested"
    staffed.apply_cleanly()
    assert staffed.staff()["t7002"]["organisations"] == ["Music", "Physics"]


def test_access_groups_beyond_the_vendors_limits_are_named_and_their_rows_not_sent(
    staffed: University, monkeypatch: pytest.MonkeyPatch
) -> None:
    staffed.feed("staff")["map"]["accesses"] = "rights"
    staffed.employees.set("7001", rights="grade")
    staffed.apply_cleanly()
    monkeypatch.setattr("sync.state.staging.access_groups.MAX_ACCESS_GROUPS", 2)
    monkeypatch.setattr("sync.state.staging.access_groups.MAX_GROUP_MEMBERS", 2)
    for number, rights in (("7002", "author"), ("7003", "author"), ("7004", "author")):
        staffed.employees.set(number, rights=rights)
    staffed.employees.set("7005", rights="grade;rare")
    checked = staffed.run("check").out
    ran = staffed.apply()
    for text in (
        "line 5: accesses: access group 'author' has more than the 2 members of a group",
        "line 6: accesses: 'rare' is beyond the 2 access groups of a tenant",
    ):
        assert text in ran.out
        assert text in checked
    assert {call["body"]["username"] for call in staffed.sent()} == {"t7002", "t7003"}


def test_many_accesses_of_one_person_are_a_warning(staffed: University) -> None:
    staffed.feed("staff")["map"]["accesses"] = "rights"
    staffed.employees.set("7001", rights=";".join(f"right {number}" for number in range(21)))
    ran = staffed.run("check")
    assert ran.status == 0
    assert "line 2: 21 accesses of one person; Inspera advises at most 20" in ran.out


def test_a_tenant_that_refuses_updates_of_staff_defers_them_in_one_line(
    staffed: University,
) -> None:
    staffed.sandbox.control(refuse_existing=True)
    for number in numbers(7001, 2):
        staffed.employees.set(number, family="Ny")
    staffed.employees.drop("7005")
    ran = staffed.apply()
    assert (ran.status, len(staffed.writes())) == (1, 2)  # one update, one disabling
    assert "this tenant takes no updates of staff by staff.update" in ran.out
    assert "2 of them differ from the sources" in ran.out
    assert "set the call under inspera.calls: staff.disable" in ran.out
    assert staffed.staff()["t7005"]["status"] == "ACTIVE"
    staffed.sandbox.control(refuse_existing=False)
    staffed.apply_cleanly()
    assert staffed.staff()["t7005"]["status"] == "DISABLED"
