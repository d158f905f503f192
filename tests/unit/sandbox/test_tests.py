import base64
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import pytest
from sync.sandbox import Sandbox

from .api_client import EXAM, ApiClient, Clock, errors

POST = "/v1/test?isExternal=true"


def test_a_new_test_is_created_with_an_id_of_nine_digits(client: ApiClient) -> None:
    answer = client.post(POST, EXAM)
    assert answer.status_code == 201
    said = answer.json()
    assert (said["success"], said["status"]) == (True, "created")
    assert 10**7 <= said["assessmentRunId"] < 10**9


def test_posting_it_again_updates_it_in_place_and_keeps_its_id(
    client: ApiClient, sandbox: Sandbox
) -> None:
    made = client.post(POST, EXAM).json()
    answer = client.post(POST, EXAM | {"title": "Flyttet prøve", "endTime": "2026-12-01T13:00:00Z"})
    assert (answer.status_code, answer.json()) == (200, made | {"status": "updated"})
    (test,) = sandbox.contents()["tests"]
    assert (test["title"], test["endTime"], test["startTime"]) == (
        "Flyttet prøve",
        "2026-12-01T13:00:00Z",
        EXAM["startTime"],
    )


def test_an_identical_post_also_says_updated(client: ApiClient) -> None:
    client.post(POST, EXAM)
    assert client.post(POST, EXAM).json()["status"] == "updated"


def test_the_template_that_made_a_test_stays_and_every_one_sent_is_counted(
    client: ApiClient, sandbox: Sandbox
) -> None:
    client.post(POST, EXAM | {"sourceTemplateId": 1001})
    client.post(POST, EXAM)
    (test,) = sandbox.contents()["tests"]
    assert (test["sourceTemplateId"], test["templates_sent"]) == ("1001", 1)
    client.post(POST, EXAM | {"sourceTemplateId": "2002"})
    (test,) = sandbox.contents()["tests"]
    assert (test["sourceTemplateId"], test["templates_sent"]) == ("1001", 2)


def test_a_test_without_a_template_has_none(client: ApiClient, sandbox: Sandbox) -> None:
    client.post(POST, EXAM)
    (test,) = sandbox.contents()["tests"]
    assert (test["sourceTemplateId"], test["templates_sent"]) == (None, 0)


def test_past_dates_a_title_of_500_characters_and_a_leap_day_are_accepted(
    client: ApiClient,
) -> None:
    past = {
        "title": "Ø" * 500,
        "startTime": "2024-02-29T23:59:59Z",
        "endTime": "2024-03-01T00:00:00Z",
        "duration": 1,
    }
    assert client.post(POST, EXAM | past).status_code == 201


@pytest.mark.parametrize(
    ("wrong", "complaint"),
    [
        ({"externalTestId": ""}, "externalTestId: must not be empty"),
        ({"title": "x" * 501}, "title: at most 500 characters, has 501"),
        ({"title": "INF [1000]"}, "title: must not contain [ or ]"),
        ({"title": "]"}, "title: must not contain [ or ]"),
        ({"startTime": "2026-12-01T08:00:00"}, "startTime: must be a time in UTC"),
        ({"startTime": "2026-12-01T08:00:00+01:00"}, "startTime: must be a time in UTC"),
        ({"startTime": "2026-12-01T08:00:00.000Z"}, "startTime: must be a time in UTC"),
        ({"startTime": "2026-12-01 08:00:00Z"}, "startTime: must be a time in UTC"),
        ({"startTime": "2026-02-30T08:00:00Z"}, "startTime: must be a time in UTC"),
        ({"startTime": "٢٠٢٦-12-01T08:00:00Z"}, "startTime: must be a time in UTC"),
        ({"startTime": 1764576000}, "startTime: must be text"),
        ({"endTime": EXAM["startTime"]}, "endTime: must be after startTime"),
        ({"endTime": "2026-11-30T12:00:00Z"}, "endTime: must be after startTime"),
        ({"duration": 0}, "duration: must be a whole number, 1 or more"),
        ({"duration": -5}, "duration: must be a whole number, 1 or more"),
        ({"duration": 1.5}, "duration: must be a whole number, 1 or more"),
        ({"duration": True}, "duration: must be a whole number, 1 or more"),
        ({"duration": "240"}, "duration: must be a whole number, 1 or more"),
        ({"duration": 10**20}, "duration: must be a whole number, 1 or more"),
        ({"sourceTemplateId": "exam"}, "sourceTemplateId: must be the number of a template"),
        ({"sourceTemplateID": 1}, "sourceTemplateID: is not a known name"),
    ],
)
def test_a_test_that_the_vendor_would_refuse_is_refused_by_name(
    stranger: ApiClient, shared: Sandbox, wrong: dict[str, Any], complaint: str
) -> None:
    answer = stranger.post(POST, EXAM | wrong)
    assert answer.status_code == 400
    assert errors(answer).startswith(complaint)
    assert shared.contents()["tests"] == []


@pytest.mark.parametrize("name", list(EXAM))
def test_every_member_but_the_template_is_needed(stranger: ApiClient, name: str) -> None:
    answer = stranger.post(POST, {key: value for key, value in EXAM.items() if key != name})
    assert (answer.status_code, errors(answer)) == (400, f"{name}: is missing")


def test_a_test_is_made_by_its_external_id_only(stranger: ApiClient) -> None:
    answer = stranger.post("/v1/test", EXAM)
    assert answer.status_code == 400
    assert "isExternal" in errors(answer)


def test_a_refused_update_leaves_the_test_as_it_was(client: ApiClient, sandbox: Sandbox) -> None:
    client.post(POST, EXAM)
    before = sandbox.contents()
    assert (
        client.post(POST, EXAM | {"title": "Ny", "duration": 0, "sourceTemplateId": 1}).status_code
        == 400
    )
    assert sandbox.contents() == before


@pytest.mark.parametrize("external_id", ["INF1000-H26", "INF/1000/H26", "ÆØÅ 1", "12345678"])
def test_a_test_is_read_by_its_own_id_and_by_ours(client: ApiClient, external_id: str) -> None:
    run_id = client.post(POST, EXAM | {"externalTestId": external_id}).json()["assessmentRunId"]
    expected = {"result": {"name": EXAM["title"], "contributors": [], "committees": []}}
    assert client.get(f"/v1/test/{run_id}").json() == expected
    encoded = base64.b64encode(external_id.encode()).decode()
    query = "isExternal=true&b64encodedExternalTestId=true"
    assert client.get(f"/v1/test/{quote(encoded, safe='')}?{query}").json() == expected
    plain = client.get(f"/v1/test/{quote(external_id, safe='')}?isExternal=true")
    assert plain.status_code == (404 if "/" in external_id else 200)
    assert client.get(f"/v1/test/{encoded}").status_code == 404
    assert client.get(f"/v1/test/{run_id}?isExternal=true").status_code == 404


@pytest.mark.parametrize("path", ["284424088", "NONE?isExternal=true", "9" * 40, "NONE/candidates"])
def test_an_unknown_test_is_not_found(stranger: ApiClient, path: str) -> None:
    answer = stranger.get(f"/v1/test/{path}")
    assert answer.status_code == 404
    assert "does not exist" in errors(answer)


def test_a_search_by_external_id_finds_exactly_that_test(client: ApiClient) -> None:
    run_id = client.post(POST, EXAM).json()["assessmentRunId"]
    client.post(POST, EXAM | {"externalTestId": "INF1000-H26-2"})
    assert client.get("/v1/test/search?externalTestID=INF1000-H26").json() == {
        "hits": 1,
        "page": 1,
        "results": [
            {
                "assessmentRunId": run_id,
                "assessmentRunTitle": EXAM["title"],
                "externalId": "INF1000-H26",
                "status": "SCHEDULED",
                "startTime": EXAM["startTime"],
                "endTime": EXAM["endTime"],
                "isTemplate": False,
                "metadataUrl": f"{client.url}/api/v1/test/{run_id}",
                "isAssessmentPath": False,
            }
        ],
    }


def test_a_search_that_finds_nothing_says_so(stranger: ApiClient) -> None:
    answer = stranger.get("/v1/test/search?externalTestID=NONE")
    assert (answer.status_code, answer.json()) == (200, {"hits": 0, "page": 1, "results": []})


def test_a_title_and_a_query_are_found_anywhere_and_in_any_case(client: ApiClient) -> None:
    client.post(POST, EXAM)
    client.post(POST, EXAM | {"externalTestId": "MAT1-H26", "title": "MAT1 ØVING"})

    def found(query: str) -> list[str]:
        return [
            one["externalId"] for one in client.get(f"/v1/test/search?{query}").json()["results"]
        ]

    assert found("title=øving") == ["MAT1-H26"]
    assert found("title=MAT1-H26") == []
    assert found("query=mat1-h") == ["MAT1-H26"]
    assert found("query=prøveeks") == ["INF1000-H26"]
    assert found("title=øving&externalTestID=INF1000-H26") == []
    assert found("query=h26") == ["INF1000-H26", "MAT1-H26"]


def test_a_long_search_comes_in_pages_of_fifty(client: ApiClient, sandbox: Sandbox) -> None:
    for number in range(101):
        sandbox.edit(
            test=f"T{number}",
            title="Prøve",
            start=EXAM["startTime"],
            end=EXAM["endTime"],
            duration=60,
        )
    pages = [client.get(f"/v1/test/search?title=prøve&page={page}").json() for page in (1, 2, 3, 4)]
    assert [(page["hits"], page["page"], len(page["results"])) for page in pages] == [
        (101, 1, 50),
        (101, 2, 50),
        (101, 3, 1),
        (101, 4, 0),
    ]
    assert len({one["externalId"] for page in pages for one in page["results"]}) == 101


@pytest.mark.parametrize("page", ["0", "-1", "one", "9" * 5000])
def test_a_page_that_cannot_be_is_refused(stranger: ApiClient, page: str) -> None:
    answer = stranger.get(f"/v1/test/search?page={page}")
    assert answer.status_code == 400
    assert "page" in errors(answer)


@pytest.mark.parametrize(
    ("now", "status"),
    [
        (datetime(2026, 12, 1, 7, 59, 59, tzinfo=UTC), "ACTIVE"),
        (datetime(2026, 12, 1, 11, 59, 59, tzinfo=UTC), "ACTIVE"),
        (datetime(2026, 12, 1, 12, 0, 0, tzinfo=UTC), "FINISHED"),
    ],
)
def test_the_status_follows_the_clock_once_it_is_activated(
    sandbox: Sandbox, clock: Clock, client: ApiClient, now: datetime, status: str
) -> None:
    sandbox.edit(test="T", title="Prøve", start=EXAM["startTime"], end=EXAM["endTime"], duration=60)
    clock.now = now
    (found,) = client.get("/v1/test/search").json()["results"]
    assert found["status"] == "SCHEDULED"
    sandbox.edit(test="T", activated=True)
    (found,) = client.get("/v1/test/search").json()["results"]
    assert found["status"] == status
