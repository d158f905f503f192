"""The sandbox's own schema, and its answers held to it by schemathesis."""

import re
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import CHECKS
from schemathesis.errors import FailureGroup
from sync.contract import CALLS
from sync.sandbox import Sandbox

from .api_client import (
    BERIT,
    CANDIDATES,
    COMMITTEES,
    CONTRIBUTORS,
    ApiClient,
    batch,
    committees,
    errors,
    plant,
    staff_batch,
)

OPERATIONS = [
    "POST /authenticate/token/",
    "POST /v1/users/student",
    "POST /v1/users",
    "GET /v1/users/search",
    "GET /v1/users/external/{authType}/{externalId}",
    "GET /v1/users/{userId}",
    "DELETE /v1/users/{userId}",
    "POST /v1/fileExport/order",
    "GET /v1/fileExport/status/{jobId}",
    "POST /v1/test",
    "GET /v1/test/search",
    "GET /v1/test/{testId}",
    "POST /v1/test/{testId}/activate",
    "POST /v1/test/{testId}/options",
    "POST /v1/test/{testId}/committees",
    "DELETE /v1/test/{testId}/committees",
    "POST /v1/test/{testId}/contributors",
    "DELETE /v1/test/{testId}/contributors",
    "GET /v1/test/{testId}/candidates",
    "POST /v1/test/{testId}/candidates",
    "DELETE /v1/test/{testId}/candidates",
]
HELD = [
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
]
"""The checks of every answer. Valid calls may be refused: names clash, tests begin."""


quick = settings(
    max_examples=12,
    derandomize=True,
    database=None,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture
def held(sandbox: Sandbox, client: ApiClient) -> Sandbox:
    """A sandbox with something of everything."""
    plant(sandbox)
    client.post(COMMITTEES, committees("A"))
    client.post(
        CONTRIBUTORS, staff_batch("berit@example.edu", roles=["evaluate"], committeesName=["A"])
    )
    client.post(CANDIDATES, batch("ase@example.edu", candidateId="K-1", committeesName=["A"]))
    return sandbox


@pytest.fixture
def apidoc(sandbox: Sandbox) -> dict[str, Any]:
    """The schema, as anybody can read it without a token."""
    said: dict[str, Any] = requests.get(f"{sandbox.url}/apidoc", timeout=10).json()
    return said


@pytest.fixture
def aimed(apidoc: dict[str, Any], held: Sandbox, client: ApiClient) -> Any:
    """Return the schema with the ids of existing records, so that not every answer is a refusal."""
    contents = held.contents()
    order = {"resourceType": "AllUsers", "parameters": {"userType": "student"}}
    known = {
        "client_id": [client.client_id],
        "code": [client.api_key],
        "testId": [str(contents["tests"][0]["assessmentRunId"])],
        "isExternal": ["false", "true"],
        "userId": [
            str(contents["staff"][0]["userId"]),
            str(contents["students"][0]["userId"]),
            "0",
        ],
        "jobId": [client.post("/v1/fileExport/order", order).json()["jobId"], "x"],
        "authType": ["FEIDE"],
        "authenticationSystem": ["FEIDE"],
        "externalId": ["ase@example.edu", "berit@example.edu"],
        "committeesName": ["A", "X"],
        "name": ["A", "B"],
    }
    for methods in apidoc["paths"].values():
        for operation in methods.values():
            for parameter in operation["parameters"]:
                if parameter["name"] in known and parameter["schema"] != {"enum": ["true"]}:
                    parameter["schema"] = {"enum": known[parameter["name"]]}
            if "requestBody" in operation:
                aim(apidoc["components"]["schemas"][name_of_body(operation)], known)
    return schemathesis.openapi.from_dict(apidoc)


def name_of_body(operation: dict[str, Any]) -> str:
    """The schema of what an operation is sent."""
    reference: str = operation["requestBody"]["content"]["application/json"]["schema"]["$ref"]
    return reference.rpartition("/")[2]


def aim(schema: Any, known: dict[str, list[str]]) -> None:
    """Lets the members of these names have only the values that are known, wherever they stand."""
    if isinstance(schema, list):
        for one in schema:
            aim(one, known)
    elif isinstance(schema, dict):
        for name, member in schema.items():
            if name in known and member.get("type") == "string":
                member["enum"] = known[name]
            elif name in known and "items" in member:
                member["items"] = {"enum": known[name]}
            elif name in ("candidates", "contributors", "committees"):
                member["maxItems"] = 1
                aim(member, known)
            else:
                aim(member, known)


@pytest.mark.parametrize("label", OPERATIONS)
def test_every_answer_has_the_status_and_the_form_that_the_schema_says(
    client: ApiClient, aimed: Any, label: str
) -> None:
    method, path = label.split(" ")
    operation = aimed[path][method]
    checks = [CHECKS.get_one(name) for name in HELD]
    statuses = set()

    def hold(case: Any) -> None:
        answer = client.send(case)
        statuses.add(answer.status_code)
        case.validate_response(answer, checks=checks)

    for mode in schemathesis.GenerationMode:
        quick(given(case=operation.as_strategy(generation_mode=mode))(hold))()
    assert min(statuses) in (200, 201)
    assert max(statuses) >= 400


def test_the_schema_names_every_operation(apidoc: dict[str, Any]) -> None:
    named = [
        f"{method.upper()} {path}"
        for path, methods in apidoc["paths"].items()
        for method in methods
    ]
    assert sorted(named) == sorted(OPERATIONS)
    assert apidoc["openapi"].startswith("3.")


def test_every_address_does_just_what_the_schema_names(
    client: ApiClient, apidoc: dict[str, Any]
) -> None:
    for path, methods in apidoc["paths"].items():
        answer = client.call("PATCH", re.sub(r"\{\w+\}", "1", path))
        allowed = ", ".join(sorted(method.upper() for method in methods))
        assert (path, answer.status_code, answer.headers["Allow"]) == (path, 405, allowed)


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS.keys())
def test_every_call_of_the_contract_is_in_the_schema(apidoc: dict[str, Any], call: Any) -> None:
    path = re.sub(r"\{\w+\}", "{}", call.path.partition("?")[0])
    (operation,) = [
        methods[call.method.lower()]
        for known, methods in apidoc["paths"].items()
        if re.sub(r"\{\w+\}", "{}", known) == path
    ]
    if call.fields:
        schema = apidoc["components"]["schemas"][name_of_body(operation)]
        inner = schema["properties"][call.wrapper]["items"] if call.wrapper else schema
        assert set(call.fields) - {"status"} == set(inner["required"])


@pytest.mark.parametrize(
    "name", ["username", "externalTestId", "title", "startTime", "endTime", "duration"]
)
def test_what_the_schema_calls_required_is_required(
    client: ApiClient, apidoc: dict[str, Any], name: str
) -> None:
    schemas = apidoc["components"]["schemas"]
    path, schema = (
        ("/v1/users", "Staff") if name == "username" else ("/v1/test?isExternal=true", "TestToSave")
    )
    assert name in schemas[schema]["required"]
    assert f"{name}: is missing" in errors(client.post(path, {}))


def test_an_answer_that_breaks_the_schema_would_be_noticed(
    client: ApiClient, aimed: Any, held: Sandbox
) -> None:
    case = aimed["/v1/users/search"]["GET"].Case(query={"query": BERIT["username"]})
    held.control(fail=[{"status": 200, "body": [{"userId": "1"}], "times": 1}])
    with pytest.raises(FailureGroup, match="Response violates schema"):
        case.validate_response(
            client.send(case), checks=[CHECKS.get_one("response_schema_conformance")]
        )
