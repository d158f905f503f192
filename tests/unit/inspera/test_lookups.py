"""Look-ups of people and tests."""

from datetime import UTC, datetime
from typing import Any

import pytest
from sync.contract import CALLS
from sync.errors import CallMissing, Stop, Unknown
from sync.inspera.lookups import TenantProbe
from sync.inspera.target import InsperaTarget
from sync.records.remote import RemotePerson, RemoteTest

from .holdings import Reply, Seen
from .http_tenant import HttpTenant
from .made_up import LEARNER

SEARCH = ("GET", "/v1/test/search")
PEOPLE = ("GET", "/v1/users/search")
PERSON = {
    "userId": 7000000001,
    "username": "aaseb",
    "firstName": "Åse",
    "lastName": "Bergström-Łuczak",
    "email": "aaseb@example.edu",
    "externalIds": [{"authType": "FEIDE", "externalId": "aaseb@example.edu"}],
}


def test_a_person_is_found_by_external_id_whatever_it_holds(
    target: InsperaTarget, tenant: HttpTenant
) -> None:
    external_id = "å/b?c#d %20@example.edu"
    tenant.learners["aaseb"] = {
        **PERSON,
        "externalIds": [{"authType": "FEIDE", "externalId": external_id}],
    }
    assert target.find_person("FEIDE", external_id) == [
        RemotePerson(
            "7000000001",
            "aaseb",
            (("FEIDE", external_id),),
            "Åse",
            "Bergström-Łuczak",
            "aaseb@example.edu",
        )
    ]
    assert tenant.calls("GET")[0].query == {"includeStudent": "True"}


@pytest.mark.parametrize("status", [200, 404])
def test_nobody_is_an_empty_answer_or_a_404(
    target: InsperaTarget, tenant: HttpTenant, status: int
) -> None:
    tenant.every("GET", "/v1/users/external/FEIDE/4711", status, [])
    assert target.find_person("FEIDE", "4711") == []


def test_a_saved_learner_is_found_by_the_external_id_that_was_sent(target: InsperaTarget) -> None:
    target.save_learner(LEARNER, None)
    assert [person.username for person in target.find_person("FEIDE", "aaseb@example.edu")] == [
        "aaseb"
    ]


def test_a_found_person_does_not_show_their_name_or_address(
    target: InsperaTarget, tenant: HttpTenant
) -> None:
    tenant.learners["aaseb"] = {**PERSON, "externalIds": [{"authType": "LTI", "externalId": "17"}]}
    shown = repr(target.find_person("LTI", "17"))
    assert not any(word in shown for word in ("Åse", "Luczak", "@"))


@pytest.mark.parametrize("wrap", [list, lambda rows: {"hits": 2, "page": 0, "results": rows}])
def test_a_login_is_matched_exactly(target: InsperaTarget, tenant: HttpTenant, wrap: Any) -> None:
    tenant.once(*PEOPLE, 200, body=wrap([{**PERSON, "username": "aaseb2"}, PERSON]))
    assert [person.username for person in target.find_person_by_login("aaseb")] == ["aaseb"]
    assert tenant.calls(*PEOPLE)[0].query == {"query": "aaseb"}


@pytest.mark.parametrize("status", [404, 405, 501])
def test_a_tenant_without_the_search_for_people_is_asked_once(
    target: InsperaTarget, tenant: HttpTenant, status: int
) -> None:
    tenant.every(*PEOPLE, status)
    for _ in range(2):
        with pytest.raises(CallMissing, match=r"does not seem to have the call person\.search"):
            target.find_person_by_login("aaseb")
    assert len(tenant.calls(*PEOPLE)) == 1


def test_a_test_is_found_by_its_external_id_with_its_times_in_utc(
    target: InsperaTarget, tenant: HttpTenant
) -> None:
    number = tenant.add_test("INF101", title="INF101", startTime="2030-05-10T09:00:00.000+02:00")
    assert target.find_test("INF101") == [
        RemoteTest(
            number,
            "INF101",
            "INF101",
            "2030-05-10T07:00:00Z",
            "2030-05-10T11:00:00Z",
            "BEING_REHEARSED",
            is_parent=False,
        )
    ]
    assert target.find_test("INF1") == []


@pytest.mark.parametrize("body", [{"name": "INF101"}, {"result": {"name": "INF101"}}])
def test_a_test_is_read_by_its_number(target: InsperaTarget, tenant: HttpTenant, body: Any) -> None:
    tenant.once("GET", "/v1/test/7", 200, body=body)
    assert target.read_test("7") == RemoteTest("7", title="INF101")
    assert target.read_test("8") is None


def _rows(count: int) -> list[dict[str, Any]]:
    times = {"startTime": "2030-05-10T07:00:00Z", "endTime": "2030-05-10T11:00:00Z"}
    ids = [*(f"INF101-{number}" for number in range(count - 1)), "INF101"]
    return [
        {"assessmentRunId": number, "externalId": external_id, "assessmentRunTitle": "x", **times}
        for number, external_id in enumerate(ids)
    ]


class _Paged(HttpTenant):
    """A tenant whose search has ten results a page; `first` is the number of its first page."""

    def __init__(self, first: int, *, says: bool, turns: bool = True) -> None:
        super().__init__()
        self.first, self.says, self.turns = first, says, turns

    def _answer(self, seen: Seen) -> Reply:
        if seen.path != SEARCH[1]:
            return super()._answer(seen)
        asked = int(seen.query.get("page", self.first)) - self.first if self.turns else 0
        rows = _rows(35)[max(asked, 0) * 10 :][:10]
        number = {"page": max(asked, 0) + self.first} if self.says else {}
        return Reply(200, {"hits": 35, **number, "results": rows})


@pytest.mark.parametrize(
    "tenant", [_Paged(first, says=says) for first in (0, 1) for says in (True, False)]
)
def test_all_pages_are_read_whether_they_count_from_zero_or_one_and_say_so_or_not(
    target: InsperaTarget, tenant: HttpTenant
) -> None:
    assert [test.remote_id for test in target.find_test("INF101")] == ["34"]
    assert len(tenant.calls(*SEARCH)) <= 5


@pytest.mark.parametrize("tenant", [_Paged(0, says=says, turns=False) for says in (True, False)])
def test_nothing_is_reported_from_a_search_whose_pages_cannot_be_turned(
    target: InsperaTarget, tenant: HttpTenant
) -> None:
    with pytest.raises(Unknown, match="more results than can be read"):
        target.find_test("INF101")
    assert len(tenant.calls(*SEARCH)) == 3


@pytest.mark.parametrize(
    "body",
    [
        [1],
        {"hits": 1},
        {"results": {}},
        {"results": [{"externalId": "INF101"}]},
        "none",
    ],
)
def test_a_search_that_is_not_of_the_expected_form_is_unreadable(
    target: InsperaTarget, tenant: HttpTenant, body: Any
) -> None:
    tenant.every(*SEARCH, 200, body)
    with pytest.raises(Unknown, match="cannot be read"):
        target.find_test("INF101")


def test_every_call_has_a_name_of_its_own_and_says_how_sure_we_are() -> None:
    assert {call.proof.value for call in CALLS.values()} == {
        "documented",
        "observed",
        "inferred",
    }
    assert all(name == call.name and call.path.startswith("/") for name, call in CALLS.items())
    assert len({(call.method, call.path, call.name) for call in CALLS.values()}) == len(CALLS)


def test_an_address_is_matched_whole_and_in_whatever_case(
    target: InsperaTarget, tenant: HttpTenant
) -> None:
    rows = [PERSON, {**PERSON, "email": "x.aaseb@example.edu"}, {**PERSON, "email": None}]
    tenant.once(*PEOPLE, 200, body=rows)
    assert [person.email for person in target.find_person_by_email("AaseB@Example.edu")] == [
        "aaseb@example.edu"
    ]
    assert tenant.calls(*PEOPLE)[0].query == {"query": "AaseB@Example.edu"}


def test_a_tenant_without_the_search_for_people_says_so_for_addresses_too(
    target: InsperaTarget, tenant: HttpTenant
) -> None:
    tenant.every(*PEOPLE, 404)
    with pytest.raises(CallMissing, match=r"person\.search"):
        target.find_person_by_email("aaseb@example.edu")


@pytest.mark.parametrize("wrap", [lambda row: row, lambda row: {"result": row}])
@pytest.mark.parametrize(
    ("shown", "status"), [("ACTIVE", "active"), ("disabled", "disabled"), ("odd", None)]
)
def test_a_person_is_read_by_their_number_with_their_status(
    target: InsperaTarget, tenant: HttpTenant, wrap: Any, shown: str, status: str | None
) -> None:
    row = {name: value for name, value in PERSON.items() if name != "username"}
    tenant.once(
        "GET", "/v1/users/7000000001", 200, body=wrap({**row, "userName": "aaseb", "status": shown})
    )
    person = target.read_person("7000000001")
    assert person
    assert (person.remote_id, person.username, person.status) == ("7000000001", "aaseb", status)
    assert target.read_person("7") is None


DATES = [
    ("Thu, 02 May 2030 12:00:40 GMT", datetime(2030, 5, 2, 12, 0, 40, tzinfo=UTC)),
    ("soon", None),
    ("", None),
]


@pytest.mark.parametrize(("shown", "date"), DATES)
def test_a_first_look_tells_inspera_s_clock_and_how_much_it_found(
    target: InsperaTarget, tenant: HttpTenant, shown: str, date: datetime | None
) -> None:
    tenant.once(*SEARCH, 200, body={"hits": 60, "page": 1, "results": []}, headers={"Date": shown})
    assert target.probe() == TenantProbe("test.search answered 200", date, 60)
    assert len(tenant.seen) == 2, "the token, and one page"


def test_a_first_look_that_fails_says_why(target: InsperaTarget, tenant: HttpTenant) -> None:
    tenant.once("POST", "/authenticate/token/", 401)
    with pytest.raises(Stop, match=r"inspera\.api_key"):
        target.probe()
