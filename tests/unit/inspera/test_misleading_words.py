"""Answers whose words mislead: the same tests against the sandbox and the second server."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from typing import Any

import pytest
from sync.inspera.connection import Connection
from sync.inspera.target import InsperaTarget
from sync.records.changes import Action, Cause, Change, Outcome, Result
from sync.sandbox import Sandbox

from .http_tenant import KEY, HttpTenant, serving
from .made_up import LEARNER, SAVE_LEARNER, SAVE_TEST, creating, updating
from .waiting import Time, target_at


class Server:
    """One of the two servers, which misleads once."""

    def __init__(self, server: Sandbox | HttpTenant, url: str) -> None:
        self._server, self.url = server, url

    def mislead(
        self, call: tuple[str, str], status: int, body: Any, *, carried_out: bool = False
    ) -> None:
        """Let the next call be answered so, carried out or not."""
        method, path = call
        if isinstance(self._server, HttpTenant):
            self._server.once(method, path, status, body=body, carried_out=carried_out)
            return
        rule = {"method": method, "path": f"/api{path}", "status": status, "times": 1}
        when = "after" if carried_out else "before"
        self._server.control(fail=[{**rule, "body": body, "when": when}])

    def templates_used(self) -> int:
        """Return how many times a template was applied."""
        if isinstance(self._server, HttpTenant):
            return len(self._server.templates_used)
        return sum(test["templates_sent"] for test in self._server.contents()["tests"])


@pytest.fixture(params=["the sandbox", "a second server"])
def server(request: pytest.FixtureRequest, time: Time) -> Iterator[Server]:
    with ExitStack() as open_:
        if request.param == "the sandbox":
            sandbox = Sandbox(client_id="made-up", api_key=KEY, clock=time.clock)
            open_.enter_context(sandbox)
            yield Server(sandbox, sandbox.url)
        else:
            tenant = HttpTenant()
            yield Server(tenant, open_.enter_context(serving(tenant)))


@pytest.fixture
def target(server: Server, time: Time) -> Iterator[InsperaTarget]:
    connection = Connection(server.url, "made-up", lambda: KEY, calls_per_second=1e7, attempts=3)
    with target_at(connection, time) as target:
        yield target


def _learner(username: str, **after: Any) -> Change:
    names = {"username": username, "external_id": f"{username}@example.edu"}
    return replace(LEARNER, key=(username,), after={**LEARNER.after, **names, **after})


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (503, {"error": "The limit of 10 concurrent requests is reached"}),
        (500, {"error": "PersistenceException: too many connections"}),
        (200, {"success": False, "errors": ["Too many concurrent requests"]}),
    ],
)
def test_a_create_that_was_carried_out_is_not_sent_again_because_of_words_of_a_limit(
    target: InsperaTarget, server: Server, status: int, body: Any
) -> None:
    server.mislead(SAVE_TEST, status, body, carried_out=True)
    assert target.create_test(creating()).result is Result.DONE
    assert server.templates_used() == 1


@pytest.mark.parametrize(
    "words",
    [
        "Title 'INF101 Throttling and back-off' is already used",
        "Title INF101 Throttling and back-off exceeds the limit",
        "Too many requests have the title INF101 Throttling and back-off for candidates",
    ],
)
def test_a_title_that_is_repeated_slows_nothing_down(
    target: InsperaTarget, server: Server, time: Time, words: str
) -> None:
    target.create_test(creating(template=None))
    server.mislead(SAVE_TEST, 400, {"success": False, "error": words})
    outcome = target.update_test(updating(title="INF101 Throttling and back-off"))
    assert outcome.result is Result.REFUSED
    assert outcome.message == f"Inspera refused test.update (400): {words}"
    assert time.waits == []


@pytest.mark.parametrize(
    "body",
    [
        {"success": False, "errors": [{"field": "emailAddress", "message": "already exists"}]},
        {"error": "Duplicate entry 'x@example.edu' for key 'email_UNIQUE'"},
        {"error": "User already exists"},
    ],
)
def test_an_address_that_is_in_use_keeps_no_other_person_from_their_update(
    target: InsperaTarget, server: Server, body: Any
) -> None:
    changes = [_learner(name) for name in ("aaseb", "berit")]
    assert {target.save_learner(change, None).result for change in changes} == {Result.DONE}
    server.mislead(SAVE_LEARNER, 400, body)
    updates = [replace(one, action=Action.UPDATE) for one in changes]
    outcomes = [target.save_learner(update, None) for update in updates]
    assert [one.result for one in outcomes] == [Result.REFUSED, Result.DONE]
    assert outcomes[0].cause is Cause.NONE


def test_a_create_whose_address_is_in_use_is_refused_with_the_name_of_the_field(
    target: InsperaTarget, server: Server
) -> None:
    body = {"success": False, "errors": [{"field": "emailAddress", "message": "already exists"}]}
    server.mislead(SAVE_LEARNER, 409, body)
    assert target.save_learner(_learner("aaseb"), None) == Outcome(
        Result.REFUSED, "Inspera refused learner.create (409): emailAddress: already exists"
    )


@pytest.mark.parametrize(
    "body",
    [
        {"success": "false", "message": "no licence left"},
        {"result": {"success": False, "message": "no licence left"}},
        {"error": "no licence left"},
        {"result": {"errors": ["no licence left"]}},
    ],
)
def test_a_200_that_reports_an_error_in_another_form_is_never_done(
    target: InsperaTarget, server: Server, body: Any
) -> None:
    server.mislead(SAVE_LEARNER, 200, body)
    assert target.save_learner(_learner("aaseb"), None).result is Result.REFUSED


ODD_BODIES: dict[str, Any] = {
    "empty": b"",
    "null": b"null",
    "a list": [],
    "another language": {"message": "For mange forespørsler, prøv igjen senere"},
    "a page": b"<html><script>throttle(limit)</script><h1>Maintenance</h1>Please slow down",
    "cut off": b'{"errors":' * 5000,
    "deep": b'{"result":' * 900 + b"1" + b"}" * 900,
    "not text": b"\xff\xfe\x00",
    "long": {"details": [{"message": "the limit of the number of " * 200}] * 500},
    "the request": {"message": "invalid", "request": {"title": "Too many requests"}},
}


@pytest.mark.parametrize("body", ODD_BODIES.values(), ids=ODD_BODIES)
@pytest.mark.parametrize("status", [200, 400, 409, 500, 503])
def test_no_answer_applies_a_template_twice_or_calls_done_what_was_not(
    status: int, body: Any, time: Time
) -> None:
    tenant, carried_out = HttpTenant(), status not in (400, 409)
    with serving(tenant) as url:
        connection = Connection(url, "made-up", lambda: KEY, calls_per_second=1e7, attempts=3)
        tenant.once(*SAVE_TEST, status, body=body, carried_out=carried_out)
        with target_at(connection, time) as target:
            outcome = target.create_test(creating())
    assert outcome.result is (Result.DONE if carried_out else Result.REFUSED)
    assert len(tenant.templates_used) == carried_out
    assert len(tenant.calls(*SAVE_TEST)) == 1
