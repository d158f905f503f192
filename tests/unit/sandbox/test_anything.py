from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sync.sandbox import Sandbox

from ...support.examples import examples
from .api_client import ASE, EXAM, ApiClient, plant

MEMBERS = [
    *(
        *ASE,
        "password",
        "authType",
        "externalId",
        "authenticationSystem",
        "candidates",
        "candidateId",
        "extraTimeMins",
    ),
    *(
        *EXAM,
        "sourceTemplateId",
        "roomName",
        "buildingName",
        "committeesName",
        "test",
        "start",
        "end",
        "student",
    ),
    *(
        "candidate",
        "removed",
        "latency",
        "token_lifetime",
        "fail",
        "status",
        "when",
        "times",
        "headers",
        "skip",
        "limit",
        "most",
        "taken",
    ),
    *(
        "staff",
        "contributor",
        "committee",
        "option",
        "contributors",
        "committees",
        "roles",
        "name",
        "type",
        "value",
    ),
    *(
        "testOptions",
        "securityOptions",
        "generalOptions",
        "authorizedAccesses",
        "organisations",
        "resourceType",
    ),
    *(
        "parameters",
        "userType",
        "failures",
        "rates",
        "seconds",
        "only",
        "except",
        "seed",
        "wrapped",
    ),
]
PLAIN = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8)
)
LIKELY = st.sampled_from(
    ["x", "FEIDE", "ase@example.edu", EXAM["startTime"], EXAM["endTime"], "after", 240, 0, -1]
)
JSON = st.recursive(
    PLAIN | LIKELY,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(MEMBERS) | st.text(max_size=3), inner, max_size=6)
    ),
    max_leaves=12,
)
ON_A_TEST = ("contributors", "committees")
CALLS = st.sampled_from(
    [
        ("POST", "/v1/users/student"),
        ("POST", "/v1/test?isExternal=true"),
        ("POST", "/v1/test/x/candidates?isExternal=true"),
        ("DELETE", "/v1/test/x/candidates?isExternal=true"),
        ("POST", "/v1/users"),
        ("POST", "/v1/fileExport/order"),
        *(
            (method, f"/v1/test/x/{kind}?isExternal=true")
            for method in ("POST", "DELETE")
            for kind in ON_A_TEST
        ),
        ("POST", "/v1/test/x/options?isExternal=true"),
    ]
)


@pytest.fixture(scope="module")
def steady(shared: Sandbox) -> Iterator[ApiClient]:
    """One client for all examples: a connection each would be slow."""
    client = ApiClient(shared.url)
    plant(shared)
    shared.edit(test="x", title="Prøve", start=EXAM["startTime"], end=EXAM["endTime"], duration=60)
    yield client
    client.close()


@given(call=CALLS, body=JSON)
@settings(max_examples=examples(100), deadline=None)
def test_whatever_is_sent_is_taken_or_refused_and_never_breaks_it(
    steady: ApiClient, call: tuple[str, str], body: Any
) -> None:
    answer = steady.call(*call, body)
    assert answer.status_code in (200, 201, 400, 404, 409)
    assert isinstance(answer.json(), dict)


@given(body=JSON)
@settings(max_examples=examples(70), deadline=None)
def test_whatever_is_edited_by_hand_is_taken_or_refused(steady: ApiClient, body: Any) -> None:
    assert steady.page("POST", "manual-edits", body).status_code in (200, 400, 404, 409)


@given(
    text=st.text(max_size=20),
    path=st.sampled_from(
        ["users/{}", "users/external/F/{}", "test/{}", "test/{}/candidates", "fileExport/status/{}"]
    ),
)
@settings(max_examples=examples(70), deadline=None)
def test_whatever_is_asked_for_is_found_or_not_and_never_breaks_it(
    steady: ApiClient, text: str, path: str
) -> None:
    for query in ("", "?isExternal=true", f"?query={quote(text)}&page={quote(text)}"):
        answer = steady.get(f"/v1/{path.format(quote(text, safe=''))}{query}")
        assert answer.status_code in (200, 400, 404, 405)


@given(body=JSON)
@settings(max_examples=examples(70), deadline=None)
def test_whatever_control_is_reported_it_takes_or_refuses(steady: ApiClient, body: Any) -> None:
    answer = steady.page("POST", "control", body)
    assert answer.status_code in (200, 400)
    steady.page(
        "POST",
        "control",
        {"latency": 0, "token_lifetime": 3600, "fail": [], "failures": {}, "limit": {}},
    )
