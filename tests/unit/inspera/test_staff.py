"""Staff: saved, disabled by default, and deleted at most once."""

import threading
from typing import Any

import pytest
from sync.errors import Stop
from sync.inspera.target import InsperaTarget
from sync.records.changes import Action, Outcome, Result

from .http_tenant import HttpTenant
from .made_up import LIMIT_IN_DOUBT, SAVE_STAFF, STAFF_SENT, new_staff, results_of, staff
from .waiting import Time

PASSWORD = "Hemmelig-made-up-1"
BY_ID = ("GET", "/v1/users/external/FEIDE/kariv@example.edu".replace("@", "%40"))
SEARCH = ("GET", "/v1/users/search")


def _there(tenant: HttpTenant, username: str = "kariv", user: int = 7001, **values: Any) -> str:
    ids = [{"authType": "FEIDE", "externalId": "kariv@example.edu"}]
    tenant.staff[username] = {"userId": user, "username": username, "externalIds": ids, **values}
    return str(user)


def test_new_staff_are_saved_with_their_password(target: InsperaTarget, tenant: HttpTenant) -> None:
    assert target.save_staff(new_staff(), PASSWORD).result is Result.DONE
    assert [(seen.method, seen.path) for seen in tenant.calls()] == [SAVE_STAFF]
    assert tenant.calls(*SAVE_STAFF)[0].body == {**STAFF_SENT, "password": PASSWORD}


def test_an_update_sends_all_that_is_wanted_and_never_a_password(
    target: InsperaTarget, tenant: HttpTenant
) -> None:
    change = staff(Action.UPDATE, last_name="Rettleder", organisations="", status="disabled")
    assert target.save_staff(change, PASSWORD).result is Result.DONE
    assert tenant.calls(*SAVE_STAFF)[0].body == {
        **STAFF_SENT,
        "lastName": "Rettleder",
        "orgUnitName": "",
        "status": "DISABLED",
    }


def test_what_is_not_mapped_is_not_sent(target: InsperaTarget, tenant: HttpTenant) -> None:
    known = {"username": "kariv", "email": None, "status": None, "accesses": None}
    target.save_staff(staff(Action.UPDATE, known), None)
    assert tenant.calls(*SAVE_STAFF)[0].body == {"username": "kariv"}


@pytest.mark.parametrize(
    ("action", "status"), [(Action.DISABLE, "DISABLED"), (Action.ENABLE, "ACTIVE")]
)
def test_disabling_and_enabling_send_all_that_is_known_with_the_status(
    target: InsperaTarget, tenant: HttpTenant, action: Action, status: str
) -> None:
    _there(tenant)
    assert target.save_staff(staff(action), None).result is Result.DONE
    assert tenant.calls(*SAVE_STAFF)[0].body == {**STAFF_SENT, "status": status}
    assert "kariv" in tenant.staff


@pytest.mark.parametrize("action", [Action.UPDATE, Action.DISABLE, Action.ENABLE])
def test_a_lost_save_is_settled_by_repeating(
    target: InsperaTarget, tenant: HttpTenant, action: Action
) -> None:
    _there(tenant)
    tenant.once(*SAVE_STAFF, 500, carried_out=True)
    assert target.save_staff(staff(action), None).result is Result.DONE
    assert len(tenant.calls(*SAVE_STAFF)) == 2


def test_somebody_who_is_gone_is_not_made_anew_to_be_disabled(
    target: InsperaTarget, tenant: HttpTenant
) -> None:
    outcome = target.save_staff(staff(Action.DISABLE), None)
    assert (outcome.result, outcome.message) == (Result.DONE, "was not there any more")
    assert tenant.calls(*SAVE_STAFF) == []


def test_staff_without_a_username_are_not_sent(target: InsperaTarget, tenant: HttpTenant) -> None:
    assert target.save_staff(staff(Action.CREATE, {"email": "x"}), None).result is Result.NOT_SENT
    assert tenant.seen == []


def _delete(user: str) -> tuple[str, str]:
    return "DELETE", f"/v1/users/{user}"


def test_a_deletion_looks_the_person_up_and_is_sent_once(
    target: InsperaTarget, tenant: HttpTenant
) -> None:
    user = _there(tenant)
    assert target.save_staff(staff(Action.DELETE), None) == Outcome(Result.DONE)
    assert len(tenant.calls(*_delete(user))) == 1
    assert tenant.staff == {}


def test_deleting_nobody_is_done(target: InsperaTarget, tenant: HttpTenant) -> None:
    assert target.save_staff(staff(Action.DELETE), None) == Outcome(Result.DONE, "was not there")
    assert tenant.calls("DELETE") == []


def test_deleting_nobody_is_not_done_where_every_look_up_is_a_404(
    target: InsperaTarget, tenant: HttpTenant
) -> None:
    tenant.every(*BY_ID, 404)
    outcome = target.save_staff(staff(Action.DELETE), None)
    assert outcome.result is Result.NOT_SENT
    assert "inspera-sync doctor" in outcome.message


def test_one_who_has_another_username_by_now_is_not_deleted(
    target: InsperaTarget, tenant: HttpTenant
) -> None:
    _there(tenant, username="somebody-else")
    assert target.save_staff(staff(Action.DELETE), None).result is Result.HELD
    assert tenant.calls("DELETE") == []


def test_one_without_a_known_external_id_is_not_deleted(
    target: InsperaTarget, tenant: HttpTenant
) -> None:
    assert (
        target.save_staff(staff(Action.DELETE, {"username": "kariv"}), None).result
        is Result.NOT_SENT
    )
    assert tenant.seen == []


LOST: list[dict[str, Any]] = [
    {"status": 500},
    {"lost": True},
    {"body": b"<html>"},
    *LIMIT_IN_DOUBT,
]


@pytest.mark.parametrize("reply", LOST)
def test_a_lost_deletion_that_was_carried_out_is_reported_by_reading_and_not_sent_again(
    target: InsperaTarget, tenant: HttpTenant, time: Time, reply: dict[str, Any]
) -> None:
    user = _there(tenant)
    tenant.once(*_delete(user), carried_out=True, **reply)
    assert target.save_staff(staff(Action.DELETE), None).result is Result.DONE
    assert len(tenant.calls(*_delete(user))) == 1
    assert time.waits.count(10.0) == 1


@pytest.mark.parametrize("reply", LOST)
def test_a_lost_deletion_is_sent_again_only_after_a_reading_shows_the_person(
    target: InsperaTarget, tenant: HttpTenant, reply: dict[str, Any]
) -> None:
    user = _there(tenant)
    tenant.once(*_delete(user), **reply)
    assert target.save_staff(staff(Action.DELETE), None).result is Result.DONE
    paths = [(seen.method, seen.path) for seen in tenant.calls()]
    assert paths == [BY_ID, _delete(user), ("GET", _delete(user)[1]), _delete(user)]


def test_a_deletion_is_lost_a_bounded_number_of_times(
    target: InsperaTarget, tenant: HttpTenant
) -> None:
    user = _there(tenant)
    tenant.every(*_delete(user), 500)
    assert target.save_staff(staff(Action.DELETE), None).result is Result.UNKNOWN
    assert len(tenant.calls(*_delete(user))) == 3


def test_a_lost_deletion_stays_unknown_where_nothing_can_be_read(
    target: InsperaTarget, tenant: HttpTenant
) -> None:
    user = _there(tenant)
    tenant.once(*_delete(user), 500)
    tenant.every("GET", f"/v1/users/{user}", 500)
    tenant.once(*BY_ID, 200, body=[tenant.staff["kariv"]])
    tenant.every(*BY_ID, 500)
    assert target.save_staff(staff(Action.DELETE), None).result is Result.UNKNOWN
    assert len(tenant.calls(*_delete(user))) == 1


def test_a_lost_deletion_stays_unknown_when_the_run_is_ended_during_the_delay(
    target: InsperaTarget, tenant: HttpTenant, time: Time, stop: threading.Event
) -> None:
    user = _there(tenant)
    tenant.once(*_delete(user), 500)
    time.while_waiting = stop.set
    assert target.save_staff(staff(Action.DELETE), None).result is Result.UNKNOWN


def test_a_404_on_reading_proves_nothing_where_no_user_could_ever_be_read(
    target: InsperaTarget, tenant: HttpTenant
) -> None:
    user = _there(tenant)
    tenant.every("GET", f"/v1/users/{user}", 404)
    tenant.once(*_delete(user), 500)
    assert target.save_staff(staff(Action.DELETE), None).result is Result.DONE
    assert len(tenant.calls(*_delete(user))) == 2, (
        "the look-up by external id still showed the person"
    )


def test_a_404_on_a_deletion_is_refused_while_a_reading_shows_the_person_and_stops_after_three(
    target: InsperaTarget, tenant: HttpTenant
) -> None:
    results = []
    for number in range(4):
        user = _there(tenant, user=7001 + number)
        tenant.every(*_delete(user), 404)
        results.append(target.save_staff(staff(Action.DELETE), None))
    assert results_of(results) == [Result.REFUSED] * 3 + [Result.NOT_SENT]
    assert "does not seem to have the call staff.delete" in results[3].message


def test_a_404_on_a_deletion_is_done_when_a_reading_shows_the_absence(
    target: InsperaTarget, tenant: HttpTenant
) -> None:
    user = _there(tenant)
    tenant.once(*_delete(user), 404, carried_out=True)
    assert target.save_staff(staff(Action.DELETE), None) == Outcome(Result.DONE, "was not there")


def test_a_stop_comes_through_from_every_action(target: InsperaTarget, tenant: HttpTenant) -> None:
    tenant.every("POST", "/authenticate/token/", 403)
    for action in (Action.UPDATE, Action.DELETE):
        with pytest.raises(Stop):
            target.save_staff(staff(action), None)
    with pytest.raises(Stop):
        target.save_staff(new_staff(), None)
