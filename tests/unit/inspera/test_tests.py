"""Tests: created, found, held when somebody moved them, and updated."""

from datetime import timedelta

import pytest
from sync.errors import Stop
from sync.inspera.target import InsperaTarget
from sync.records.changes import Result

from .http_tenant import HttpTenant
from .made_up import SAVE_TEST, SEARCH_TESTS, SENT, THERE, WANTED, add_wanted, creating, updating
from .waiting import NOON


def test_a_new_test_is_looked_for_and_then_created_from_its_template(
    target: InsperaTarget, tenant: HttpTenant
) -> None:
    outcome = target.create_test(creating())
    assert (outcome.result, outcome.remote_id) == (Result.DONE, "284424088")
    assert [seen.method for seen in tenant.calls()] == ["GET", "POST"]
    assert tenant.calls(*SEARCH_TESTS)[0].query == {"externalTestID": "INF101-V30"}
    save = tenant.calls(*SAVE_TEST)[0]
    assert save.query == {"isExternal": "true"}
    assert save.body == {**SENT, "sourceTemplateId": 1001}


def test_a_template_that_is_no_number_is_sent_as_it_is(
    target: InsperaTarget, tenant: HttpTenant
) -> None:
    target.create_test(creating(template="INF101-template"))
    assert tenant.templates_used == ["INF101-template"]


def test_a_test_without_a_template_is_created_without_one(
    target: InsperaTarget, tenant: HttpTenant
) -> None:
    assert target.create_test(creating(template=None)).result is Result.DONE
    assert tenant.calls(*SAVE_TEST)[0].body == SENT


def test_a_test_whose_id_only_begins_alike_is_not_taken_for_it(
    target: InsperaTarget, tenant: HttpTenant
) -> None:
    tenant.add_test("INF101-V30-resit")
    assert target.create_test(creating()).result is Result.DONE
    assert tenant.templates_used == [1001]


def test_a_test_without_an_external_id_is_not_sent(
    target: InsperaTarget, tenant: HttpTenant
) -> None:
    assert target.create_test(creating(external_test_id=None)).result is Result.NOT_SENT
    assert tenant.seen == []


def test_a_test_that_inspera_has_is_found_and_its_unreadable_duration_is_sent_without_the_template(
    target: InsperaTarget, tenant: HttpTenant
) -> None:
    number = add_wanted(tenant, title="An old title", duration=60)
    outcome = target.create_test(creating())
    assert (outcome.result, outcome.remote_id, outcome.there) == (Result.FOUND, number, THERE)
    assert tenant.calls(*SAVE_TEST)[0].body == SENT
    assert tenant.templates_used == []
    assert tenant.tests["INF101-V30"]["title"] == WANTED["title"]


def test_an_existing_test_with_the_wanted_values_is_left_alone(
    target: InsperaTarget, tenant: HttpTenant
) -> None:
    row = {"assessmentRunId": 5, "assessmentRunTitle": WANTED["title"], "externalId": "INF101-V30"}
    times = {
        "startTime": "2030-05-10T09:00:00+02:00",
        "endTime": "2030-05-10T11:00:00.000Z",
        "duration": 240,
    }
    tenant.once(*SEARCH_TESTS, 200, body={"hits": 1, "page": 0, "results": [{**row, **times}]})
    outcome = target.create_test(creating())
    assert (outcome.result, outcome.remote_id, outcome.there) == (Result.FOUND, "5", THERE)
    assert tenant.calls(*SAVE_TEST) == []


@pytest.mark.parametrize("status", [409, 429])
def test_an_existing_test_that_cannot_be_brought_up_to_date_keeps_insperas_values(
    target: InsperaTarget, tenant: HttpTenant, status: int
) -> None:
    number = add_wanted(tenant, title="An old title")
    tenant.every(*SAVE_TEST, status)
    outcome = target.create_test(creating())
    assert (outcome.result, outcome.remote_id) == (Result.FOUND, number)
    assert outcome.there == {**THERE, "title": "An old title", "duration": None}
    assert str(status) in outcome.message


def test_an_existing_test_whose_update_is_lost_to_the_end_is_unknown(
    target: InsperaTarget, tenant: HttpTenant
) -> None:
    add_wanted(tenant)
    tenant.every(*SAVE_TEST, 500)
    assert target.create_test(creating()).result is Result.UNKNOWN


@pytest.mark.parametrize(
    "moved", [{"startTime": "2030-05-10T08:00:00Z"}, {"endTime": "2030-05-10T12:00:00Z"}]
)
def test_an_existing_test_with_other_times_is_held_and_nothing_is_sent(
    target: InsperaTarget, tenant: HttpTenant, moved: dict[str, str]
) -> None:
    number = add_wanted(tenant, **moved)
    outcome = target.create_test(creating())
    assert (outcome.result, outcome.remote_id) == (Result.HELD, number)
    assert outcome.message.startswith("drift: Inspera has 2030-05-10T0")
    assert "wanted is 2030-05-10T07:00:00Z to 2030-05-10T11:00:00Z" in outcome.message
    assert set(moved.values()) <= set(outcome.there.values())
    assert tenant.calls(*SAVE_TEST) == []


def test_an_existing_test_whose_times_cannot_be_read_is_held(
    target: InsperaTarget, tenant: HttpTenant
) -> None:
    add_wanted(tenant, startTime="2030-05-10 07:00", endTime=None)
    outcome = target.create_test(creating())
    assert outcome.result is Result.HELD
    assert "no readable start to no readable end" in outcome.message


def _twins(tenant: HttpTenant) -> None:
    row = {
        "assessmentRunTitle": "x",
        "externalId": "INF101-V30",
        "startTime": None,
        "endTime": None,
    }
    tenant.every(
        *SEARCH_TESTS,
        200,
        {"hits": 2, "page": 0, "results": [{**row, "assessmentRunId": n} for n in (5, 6)]},
    )


def test_several_tests_with_one_external_id_are_doubtful(
    target: InsperaTarget, tenant: HttpTenant
) -> None:
    _twins(tenant)
    for outcome in (
        target.create_test(creating()),
        target.update_test(updating(title="New")),
        target.settle_test("INF101-V30", NOON - timedelta(hours=1)),
    ):
        assert outcome.result is Result.HELD
        assert outcome.message.startswith(
            "doubtful: Inspera has 2 tests with this external id (5, 6)"
        )
    assert tenant.calls(*SAVE_TEST) == []


def test_a_template_with_that_external_id_is_no_test(
    target: InsperaTarget, tenant: HttpTenant
) -> None:
    row = {
        "assessmentRunId": 5,
        "assessmentRunTitle": "x",
        "externalId": "INF101-V30",
        "isTemplate": True,
    }
    tenant.once(*SEARCH_TESTS, 200, body={"hits": 1, "results": [row]})
    assert target.create_test(creating()).result is Result.DONE


def test_a_create_is_not_sent_when_the_first_search_fails(
    target: InsperaTarget, tenant: HttpTenant
) -> None:
    tenant.every(*SEARCH_TESTS, 500)
    assert target.create_test(creating()).result is Result.NOT_SENT
    assert tenant.calls(*SAVE_TEST) == []


def test_a_create_is_not_sent_on_a_tenant_without_the_search(
    target: InsperaTarget, tenant: HttpTenant
) -> None:
    tenant.every(*SEARCH_TESTS, 405)
    outcome = target.create_test(creating())
    assert outcome.result is Result.NOT_SENT
    assert "test.search" in outcome.message
    assert tenant.calls(*SAVE_TEST) == []


def test_a_create_that_meets_a_test_made_meanwhile_is_found(
    target: InsperaTarget, tenant: HttpTenant
) -> None:
    tenant.once(*SEARCH_TESTS, 200, body={"hits": 0, "results": []})
    add_wanted(tenant)
    outcome = target.create_test(creating())
    assert (outcome.result, outcome.there) == (Result.FOUND, THERE)


def test_a_refused_create_is_refused_and_sent_once(
    target: InsperaTarget, tenant: HttpTenant
) -> None:
    tenant.every(*SAVE_TEST, 422, {"message": "no such template"})
    outcome = target.create_test(creating())
    assert outcome.result is Result.REFUSED
    assert outcome.message == "Inspera refused test.create (422): no such template"
    assert len(tenant.calls(*SAVE_TEST)) == 1


def test_a_429_on_a_create_is_tried_again_without_a_search(
    target: InsperaTarget, tenant: HttpTenant
) -> None:
    tenant.once(*SAVE_TEST, 429)
    assert target.create_test(creating()).result is Result.DONE
    assert tenant.templates_used == [1001]


def test_a_stop_comes_through_from_every_method(target: InsperaTarget, tenant: HttpTenant) -> None:
    tenant.every(*SEARCH_TESTS, 401)
    with pytest.raises(Stop):
        target.create_test(creating())
    with pytest.raises(Stop):
        target.update_test(updating())
    with pytest.raises(Stop):
        target.settle_test("INF101-V30", NOON)


def test_an_update_sends_title_and_all_times_and_never_the_template(
    target: InsperaTarget, tenant: HttpTenant
) -> None:
    number = add_wanted(tenant)
    outcome = target.update_test(
        updating(title="Et nytt navn", end="2030-05-10T12:00:00Z", template="1001")
    )
    assert (outcome.result, outcome.remote_id) == (Result.DONE, number)
    assert tenant.calls(*SAVE_TEST)[0].body == {
        **SENT,
        "title": "Et nytt navn",
        "endTime": "2030-05-10T12:00:00Z",
    }
    assert tenant.templates_used == []


def test_an_update_of_a_test_that_somebody_extended_is_held_and_says_both_times(
    target: InsperaTarget, tenant: HttpTenant
) -> None:
    number = add_wanted(tenant, endTime="2030-05-10T11:30:00Z")
    outcome = target.update_test(updating(title="Et nytt navn"))
    assert (outcome.result, outcome.remote_id) == (Result.HELD, number)
    assert "Inspera has 2030-05-10T07:00:00Z to 2030-05-10T11:30:00Z" in outcome.message
    assert "known is 2030-05-10T07:00:00Z to 2030-05-10T11:00:00Z" in outcome.message
    assert outcome.there["end"] == "2030-05-10T11:30:00Z"
    assert tenant.calls(*SAVE_TEST) == []


def test_an_update_of_a_test_that_is_gone_is_held(
    target: InsperaTarget, tenant: HttpTenant
) -> None:
    outcome = target.update_test(updating(title="Et nytt navn"))
    assert outcome.result is Result.HELD
    assert outcome.message.startswith("Inspera does not have it any more")
    assert tenant.calls(*SAVE_TEST) == []


def test_an_update_is_looked_up_by_the_id_that_is_known(
    target: InsperaTarget, tenant: HttpTenant
) -> None:
    add_wanted(tenant)
    target.update_test(updating(external_test_id="INF102-V30", title="Et nytt navn"))
    assert list(tenant.tests) == ["INF101-V30"]
    assert tenant.tests["INF101-V30"]["title"] == "Et nytt navn"


def test_an_update_without_a_known_id_is_not_sent(
    target: InsperaTarget, tenant: HttpTenant
) -> None:
    assert target.update_test(updating({"external_test_id": None})).result is Result.NOT_SENT
    assert tenant.seen == []


def test_a_lost_update_is_repeated_and_unknown_when_lost_to_the_end(
    target: InsperaTarget, tenant: HttpTenant
) -> None:
    add_wanted(tenant)
    tenant.once(*SAVE_TEST, 500)
    assert target.update_test(updating(title="Et nytt navn")).result is Result.DONE
    tenant.every(*SAVE_TEST, 500)
    assert target.update_test(updating(title="Enda et navn")).result is Result.UNKNOWN


def test_an_update_is_not_sent_when_the_look_up_fails(
    target: InsperaTarget, tenant: HttpTenant
) -> None:
    add_wanted(tenant)
    tenant.every(*SEARCH_TESTS, 500)
    assert target.update_test(updating(title="Et nytt navn")).result is Result.NOT_SENT
    assert tenant.calls(*SAVE_TEST) == []


def test_a_404_on_updates_of_three_tests_that_exist_stops_that_call(
    target: InsperaTarget, tenant: HttpTenant
) -> None:
    for number in range(4):
        tenant.add_test(f"T{number}", **{**SENT, "externalTestId": f"T{number}"})
    tenant.every(*SAVE_TEST, 404)
    results = [
        target.update_test(updating({"external_test_id": f"T{number}"}, title="x"))
        for number in range(4)
    ]
    assert [outcome.result for outcome in results] == [Result.REFUSED] * 3 + [Result.NOT_SENT]
    assert "this tenant does not seem to have the call test.update" in results[3].message
    assert len(tenant.calls(*SAVE_TEST)) == 3


def test_an_update_call_that_has_worked_is_never_taken_for_missing(
    target: InsperaTarget, tenant: HttpTenant
) -> None:
    for number in range(5):
        tenant.add_test(f"T{number}", **{**SENT, "externalTestId": f"T{number}"})
    assert target.update_test(updating({"external_test_id": "T0"}, title="x")).result is Result.DONE
    tenant.every(*SAVE_TEST, 404)
    later = [
        target.update_test(updating({"external_test_id": f"T{number}"}, title="x"))
        for number in range(1, 5)
    ]
    assert [outcome.result for outcome in later] == [Result.REFUSED] * 4
