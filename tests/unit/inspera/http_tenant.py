"""A fake tenant on loopback, written from the contract page alone, which can fail in every way.

It shares no code with the package. It keeps people by username, tests by external id, and what is
on a test by its number (`holdings`).
"""

import json
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import trustme

from .holdings import OnTests, People, Reply, Seen

KEY = "made-up-API-key-7f3a"
CERTIFICATE = Path(__file__).with_name("loopback.pem")
TOKEN_PATH = "/api/authenticate/token/"


class HttpTenant:
    """What the tenant holds, what it has seen, and the row errors that it is yet to show."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.reset()

    def reset(self) -> None:
        """As new."""
        self.seen: list[Seen] = []
        self.row_errors: list[tuple[str, str, Reply]] = []
        self.always: dict[tuple[str, str], Reply] = {}
        self.people, self.on_tests = People(), OnTests()
        self.learners, self.staff = self.people.learners, self.people.staff
        self.tests: dict[str, dict[str, Any]] = {}
        self.seats, self.contributors = self.on_tests.seats, self.on_tests.contributors
        self.committees, self.options = self.on_tests.committees, self.on_tests.options
        self.systems: dict[str, str] = {}
        self.archived, self.parents = set[str](), set[str]()
        self.refuse_seat: Callable[[str], bool] = lambda _: False
        self.names_the_refused = False
        self.readable_seats = True
        self.readable_tests = True
        self.token_life: Any = 3600
        self.tokens = 0
        self.templates_used: list[Any] = []
        self.most, self.taken, self.refuses_with = 10, 0, 429
        self.in_progress = self.peak = self.too_many = 0
        self.work: Callable[[Seen], float] = lambda _: 0
        self.activations: list[str] = []
        self.url = ""

    def once(self, method: str, path: str, status: int = 200, times: int = 1, **reply: Any) -> None:
        """The next calls to a path answer so, after `/api`."""
        self.row_errors += [(method, path, Reply(status, **reply)) for _ in range(times)]

    def every(self, method: str, path: str, status: int, body: Any = None) -> None:
        """All calls to a path answer so."""
        self.always[(method, path)] = Reply(status, body)

    def calls(self, method: str = "", path: str = "") -> list[Seen]:
        """What was asked, without the token calls unless those are meant."""
        found = [s for s in self.seen if method in ("", s.method) and path in ("", s.path)]
        return found if path else [s for s in found if s.path != TOKEN_PATH.removeprefix("/api")]

    def add_test(self, external_id: str, **values: Any) -> str:
        """A test that somebody made."""
        number = 284424088 + len(self.tests)
        base = {
            "title": "INF101",
            "startTime": "2030-05-10T07:00:00Z",
            "endTime": "2030-05-10T11:00:00Z",
        }
        self.tests[external_id] = {**base, "assessmentRunId": number, **values}
        self.on_tests.add(str(number))
        return str(number)

    def reply(self, seen: Seen) -> Reply:
        """What to answer to a request, or to one too many (contract page, 1)."""
        with self.lock:
            if self.in_progress + self.taken >= self.most:
                self.too_many += 1
                words = f"The limit of {self.most} concurrent requests is reached"
                return Reply(self.refuses_with, {"success": False, "message": words})
            self.in_progress += 1
            self.peak = max(self.peak, self.in_progress)
        time.sleep(self.work(seen))
        try:
            return self._reply(seen)
        finally:
            with self.lock:
                self.in_progress -= 1

    def _reply(self, seen: Seen) -> Reply:
        with self.lock:
            self.seen.append(seen)
            row_error = self._row_error(seen)
            if row_error and not row_error.carried_out:
                return row_error
            done = self._answer(seen)
            done.body = later(done.body)
            return row_error or done

    def _row_error(self, seen: Seen) -> Reply | None:
        for number, (method, path, reply) in enumerate(self.row_errors):
            if (method, path) == (seen.method, seen.path):
                del self.row_errors[number]
                return reply
        return self.always.get((seen.method, seen.path))

    def _answer(self, seen: Seen) -> Reply:
        parts = [unquote(part) for part in seen.path.strip("/").split("/")]
        if seen.path == TOKEN_PATH.removeprefix("/api"):
            return self._token(seen)
        if parts[0] == "signed":
            return self.people.exported(seen, parts[1])
        if seen.headers.get("Authorization") != f"Bearer token-{self.tokens}":
            return Reply(401, {"error": "invalid_token"})
        match (seen.method, *parts[1:]):
            case (_, "users", *rest):
                reply = self.people.answer(seen, rest)
            case (_, "fileExport", *rest):
                reply = self.people.export(seen, rest, self.url)
            case ("POST", "test"):
                reply = self._save_test(seen.body, seen.query)
            case ("GET", "test", "search"):
                reply = self._search(seen.query)
            case ("GET", "test", number):
                reply = self._read_test(number)
            case (method, "test", number, what):
                reply = self._on_test(method, number, what, seen.body)
            case _:
                reply = Reply(404, {"error": "no such page"})
        return reply

    def _token(self, seen: Seen) -> Reply:
        if seen.query != {"grant_type": "authorization_code", "client_id": "made-up"} or seen.body:
            return Reply(400, {"error": "bad request"})
        if seen.headers.get("code") != KEY:
            return Reply(401, {"error": "invalid_grant"})
        self.tokens += 1
        return Reply(200, {"access_token": f"token-{self.tokens}", "expires_in": self.token_life})

    def _save_test(self, body: dict[str, Any], query: dict[str, str]) -> Reply:
        old = body["externalTestId"] in self.tests
        self.systems.setdefault(body["externalTestId"], query.get("externalSystem", "API"))
        if "sourceTemplateId" in body:
            self.templates_used.append(body["sourceTemplateId"])
        if not old:
            self.add_test(body["externalTestId"])
        self.tests[body["externalTestId"]].update(body)
        number = self.tests[body["externalTestId"]]["assessmentRunId"]
        content = {
            "success": True,
            "assessmentRunId": number,
            "status": "updated" if old else "created",
        }
        return Reply(200 if old else 201, content)

    def _search(self, query: dict[str, str]) -> Reply:
        rows = [
            {
                "assessmentRunId": test["assessmentRunId"],
                "assessmentRunTitle": test["title"],
                "externalId": external_id,
                "status": test.get(
                    "status", "BEING_REHEARSED"
                ),  # a word that the page does not name
                "startTime": test["startTime"],
                "endTime": test["endTime"],
                "isTemplate": False,
                "isAssessmentPath": external_id in self.parents,
            }
            for external_id, test in self.tests.items()
            if external_id.startswith(query.get("externalTestID", ""))
            and self.systems.get(external_id, "API") == query.get("externalSystem", "API")
        ]
        return Reply(200, {"hits": len(rows), "page": 0, "results": rows})

    def _activate(self, number: str) -> Reply:
        """200, or 400 with a message that says what setting is wrong (contract page, 4)."""
        test = next(t for t in self.tests.values() if str(t["assessmentRunId"]) == number)
        if not self.seats[number]:
            return Reply(400, {"error": "the test has no candidates"})
        test["status"] = "ACTIVE"
        self.activations.append(number)
        return Reply(200, {"success": True})

    def _read_test(self, number: str) -> Reply:
        names = [
            test["title"] for test in self.tests.values() if str(test["assessmentRunId"]) == number
        ]
        if not names or not self.readable_tests:
            return Reply(404, {"error": "not found"})
        return Reply(200, {"result": {"name": names[0], **self.on_tests.shown(number)}})

    def _on_test(self, method: str, number: str, what: str, body: Any) -> Reply:
        if number not in self.seats or (method == "GET" and not self.readable_seats):
            return Reply(404, {"error": "not found"})
        if method != "GET" and what in ("candidates", "activate") and number in self.archived:
            return Reply(400, {"error": "the assessment is archived"})
        if (method, what) == ("POST", "activate"):
            return self._activate(number)
        if method == "DELETE" and what == "candidates":
            seats = self.seats[number]
            started = [key for key, seat in seats.items() if seat.get("started")]
            wanted = set(self.on_tests.named(what, body))
            if staying := [one for _, one in started if one in wanted]:
                return Reply(400, {"errors": [f"candidate {one} has started" for one in staying]})
        bad = (
            [one for one in self.on_tests.named(what, body) if self.refuse_seat(one)]
            if body
            else []
        )
        if bad:
            named = [{"externalId": external_id, "message": "no such user"} for external_id in bad]
            return Reply(
                200,
                {"success": False, "errors": named if self.names_the_refused else ["unknown user"]},
            )
        return self.on_tests.answer(method, number, what, body)


def later(body: Any) -> Any:
    """A body as a later version of the vendor's service sends it, with more than the page names."""
    if isinstance(body, list):
        return [later(one) for one in body]
    if not isinstance(body, dict):
        return body
    return {"since2031": ["NEW"], **{name: later(one) for name, one in body.items()}, "more": {}}


@contextmanager
def serving(tenant: HttpTenant, *, tls: bool | trustme.LeafCert = False) -> Iterator[str]:
    """Run the tenant on a free loopback port, perhaps over TLS; return its address."""
    server = _Server(("127.0.0.1", 0), _handler(tenant))
    if tls:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        if isinstance(tls, trustme.LeafCert):
            tls.configure_cert(context)
        else:
            context.load_cert_chain(CERTIFICATE)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(
        target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True
    )
    thread.start()
    tenant.url = f"{'https' if tls else 'http'}://127.0.0.1:{server.server_address[1]}"
    try:
        yield tenant.url
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients that hang up are part of these tests."""


def _handler(tenant: HttpTenant) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def answer(self) -> None:
            split = urlsplit(self.path)
            raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            body = json.loads(raw) if raw else None
            path = split.path.removeprefix("/api")
            reply = tenant.reply(
                Seen(self.command, path, dict(parse_qsl(split.query)), dict(self.headers), body)
            )
            if reply.lost:
                self.close_connection = True
                return
            content = (
                reply.body
                if isinstance(reply.body, bytes)
                else json.dumps(reply.body or {}).encode()
            )
            if isinstance(reply.body, list):
                content = json.dumps(reply.body).encode()
            self.send_response_only(reply.status)
            if "Date" not in reply.headers:
                self.send_header("Date", self.date_time_string())
            for name, value in reply.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = answer  # noqa: N815 -- the standard library's names

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 -- the standard library's name
            """Says nothing."""

    return Handler
