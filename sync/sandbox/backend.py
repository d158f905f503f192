"""The sandbox's backend: it carries out each received call as Inspera would, and logs it."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from sqlite3 import Connection
from typing import TypeVar

from sync.sandbox.controls import Controls
from sync.sandbox.endpoints import ControlledHandlers, all_endpoints
from sync.sandbox.exports import Exports
from sync.sandbox.failures import DELAY
from sync.sandbox.manual_edits import apply_edit
from sync.sandbox.people import Existing, contents_of_staff, contents_of_students
from sync.sandbox.replica import Replica, Write
from sync.sandbox.request_log import RequestLog, entries_after
from sync.sandbox.rules import Rule
from sync.sandbox.store import SandboxStore
from sync.sandbox.tokens import Tokens, void_token
from sync.sandbox.users import post_staff, post_student
from sync.sandbox.whole_tests import all_tests, get_test
from sync.sandbox.wire import (
    Answer,
    Endpoints,
    Json,
    ReceivedCall,
    Refusal,
    with_unknown_fields,
)

PAGE = 10_000
"""The most entries of the request log in one response."""

View = TypeVar("View")


class SandboxBackend:
    """One local Inspera: its store, its request log and its failures.

    Raises:
        OSError: the folder can't be used (it is read by `SandboxStore`).
        ValueError: the client id or the API key is empty.
    """

    def __init__(
        self,
        folder: Path | None,
        client_id: str,
        api_key: str,
        controls: Controls,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        if not client_id or not api_key:
            raise ValueError("the sandbox's client id and API key must not be empty")
        self.controls, self.clock = controls, clock
        self._store = SandboxStore(folder)
        self._log = RequestLog(folder, api_key)
        self._tokens = Tokens(client_id, api_key, lambda: controls.token_lifetime)
        self._exports, self._replica = Exports(controls), Replica()

    def endpoints(self) -> Mapping[str, Endpoints]:
        """Return all endpoints by path, the most specific first (vendor contract, 2 to 4)."""
        controlled = ControlledHandlers(self._get_test, self._post_student, self._post_staff)
        return all_endpoints(self._tokens.give, controlled, self._exports)

    def handle(self, call: ReceivedCall, endpoints: Endpoints, rule: Rule | None) -> Answer:
        """Carry out a call and log it in one transaction; a refusal leaves only its log entry."""
        if rule and rule.voids_token and not self._tokens.was_used(call):
            # A token never expires at its first call: otherwise no client could ever continue.
            rule = None
        if rule:
            self.controls.count(rule.name)
        failure = rule.name if rule else None
        try:
            with self._writing() as db:
                answer, committed = self._execute(db, call, endpoints, rule)
                entry = self._log.note(db, call, answer, failure, committed=committed)
        except Refusal as refusal:
            # An invalid token is reported as such: a failure's answer could mean that the call was
            # carried out.
            instead = rule.answer() if rule and refusal.status != 401 else None
            answer = instead or Answer.no(refusal)
            with self._store.transaction() as db:
                entry = self._log.note(db, call, answer, failure, committed=False)
        self._log.append(entry)
        return answer

    def _execute(
        self, db: Connection, call: ReceivedCall, endpoints: Endpoints, rule: Rule | None
    ) -> tuple[Answer, bool]:
        instead = rule.answer() if rule else None
        if rule and rule.voids_token:
            void_token(db, call)
        if instead and rule and rule.when == "before":
            return instead, False
        if not endpoints:
            raise Refusal(404, f"{call.path} does not exist")
        endpoint = endpoints.get(call.method)
        if endpoint is None:
            refusal = Refusal(405, f"{call.method} is not possible here")
            return instead or Answer.no(refusal, {"Allow": ", ".join(sorted(endpoints))}), False
        if endpoint.needs_token:
            self._tokens.require(db, call)
            if rule is None:  # with a rule, the client may never learn that it was valid
                self._tokens.note_use(call)
        answer = endpoint.handler(self._replica.seen(call.now, db) if endpoint.reads else db, call)
        if self.controls.unknown_fields:
            answer = replace(answer, body=with_unknown_fields(answer.body))
        if endpoint.writes:
            self._replicate(call.now, lambda copy: endpoint.handler(copy, call))
        return instead or answer, endpoint.writes

    def _get_test(self, db: Connection, call: ReceivedCall) -> Answer:
        answer = get_test(db, call)
        return Answer(answer.status, {"result": answer.body}) if self.controls.wrapped else answer

    def _post_student(self, db: Connection, call: ReceivedCall) -> Answer:
        return post_student(db, call, self._existing)

    def _post_staff(self, db: Connection, call: ReceivedCall) -> Answer:
        return post_staff(db, call, self._existing)

    @property
    def _existing(self) -> Existing:
        return Existing.REFUSE if self.controls.refuse_existing else Existing.UPDATE

    def contents(self) -> Json:
        """Return all contents of this Inspera, including those that the API does not show yet."""
        with self._store.transaction() as db:
            return {
                "students": contents_of_students(db),
                "staff": contents_of_staff(db),
                "tests": all_tests(db),
            }

    def look(self, view: Callable[[Connection], View]) -> View:
        """Return the result of `view` for the database, for the sandbox's own pages."""
        with self._store.transaction() as db:
            return view(db)

    def requests(self, after: int = 0) -> list[Json]:
        """Return the next entries of the request log, at most `PAGE`."""
        with self._store.transaction() as db:
            return entries_after(db, after, PAGE)

    def edit(self, edit: Json) -> Json:
        """Edit the contents as a person would in the vendor's own pages, without a log entry.

        Raises:
            Refusal: the edit is not possible.
        """
        with self._writing() as db:
            edited = apply_edit(db, edit)
            self._replicate(self.clock(), lambda copy: apply_edit(copy, edit))
        return edited

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        """Yield a transaction that may write, after adjusting the replica to the controls."""
        with self._store.lock:
            self._replica.keep(self.controls.failures.delay, self._store.copy)
            with self._store.transaction() as db:
                yield db

    def _replicate(self, now: datetime, write: Write) -> None:
        if self._replica.later(now, write):
            self.controls.count(DELAY)

    def close(self) -> None:
        """Close the files."""
        self._log.close()
        self._replica.close()
        self._store.close()
