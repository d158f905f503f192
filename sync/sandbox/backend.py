"""The sandbox's desk: takes a call that has arrived, carries it out as Inspera would, and notes it in the log."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from sqlite3 import Connection
from typing import TypeVar

from sync.sandbox.addresses import addresses
from sync.sandbox.controls import Controls
from sync.sandbox.exports import Exports
from sync.sandbox.failures import DELAY
from sync.sandbox.manual_edits import apply_edit
from sync.sandbox.people import contents_of_staff, contents_of_students
from sync.sandbox.replica import Deed, Replica
from sync.sandbox.request_log import RequestLog, entries_after
from sync.sandbox.rules import Rule
from sync.sandbox.store import SandboxStore
from sync.sandbox.tokens import Tokens, void_token
from sync.sandbox.whole_tests import all_tests, get_test
from sync.sandbox.wire import Answer, Call, Json, Operations, Refusal

PAGE = 10_000
"""Entries of the request log that are given at once."""

View = TypeVar("View")


class Backend:
    """One local Inspera: its store, its request log and what it was told to do wrong.

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
        self._exports, self._replica = Exports(), Replica()

    def addresses(self) -> Mapping[str, Operations]:
        """Every address of the vendor's that this Inspera has, most particular first (vendor contract, 2 to 4)."""
        return addresses(self._tokens.give, self._get_test, self._exports)

    def handle(self, call: Call, operations: Operations, rule: Rule | None) -> Answer:
        """Carries out a call and notes it, both in one transaction. A refusal leaves nothing behind but its note."""
        if rule and rule.voids_token and not self._tokens.was_used(call):
            rule = None  # A token expires in use, never at its first call: no client could get on.
        if rule:
            self.controls.count(rule.name)
        struck = rule.name if rule else None
        try:
            with self._writing() as db:
                answer, committed = self._carry_out(db, call, operations, rule)
                entry = self._log.note(db, call, answer, struck, committed=committed)
        except Refusal as refusal:
            # A token that is no good is told as such: another answer would say that the call was carried out.
            told = rule.answer() if rule and refusal.status != 401 else None
            answer = told or Answer.no(refusal)
            with self._store.transaction() as db:
                entry = self._log.note(db, call, answer, struck, committed=False)
        self._log.append(entry)
        return answer

    def _carry_out(
        self, db: Connection, call: Call, operations: Operations, rule: Rule | None
    ) -> tuple[Answer, bool]:
        told = rule.answer() if rule else None
        if rule and rule.voids_token:
            void_token(db, call)
        if told and rule and rule.when == "before":
            return told, False
        if not operations:
            raise Refusal(404, f"{call.path} does not exist")
        operation = operations.get(call.method)
        if operation is None:
            refusal = Refusal(405, f"{call.method} is not possible here")
            return told or Answer.no(refusal, {"Allow": ", ".join(sorted(operations))}), False
        if operation.needs_token:
            self._tokens.require(db, call)
            if rule is None:  # or else the client may never hear that it was good
                self._tokens.note_use(call)
        answer = operation.handler(
            self._replica.seen(call.now, db) if operation.reads else db, call
        )
        if operation.writes:
            self._later(call.now, lambda copy: operation.handler(copy, call))
        return told or answer, operation.writes

    def _get_test(self, db: Connection, call: Call) -> Answer:
        answer = get_test(db, call)
        return Answer(answer.status, {"result": answer.body}) if self.controls.wrapped else answer

    def contents(self) -> Json:
        """Everything that this Inspera holds, whether it is readable for others yet or not."""
        with self._store.transaction() as db:
            return {
                "students": contents_of_students(db),
                "staff": contents_of_staff(db),
                "tests": all_tests(db),
            }

    def look(self, view: Callable[[Connection], View]) -> View:
        """What a page of the sandbox's own makes of what it holds."""
        with self._store.transaction() as db:
            return view(db)

    def requests(self, after: int = 0) -> list[Json]:
        """The next entries of the request log, at most `PAGE`."""
        with self._store.transaction() as db:
            return entries_after(db, after, PAGE)

    def edit(self, edit: Json) -> Json:
        """Edits the contents as a person would in the vendor's own pages; it does not show in the request log.

        Raises:
            Refusal: the edit is not possible.
        """
        with self._writing() as db:
            edited = apply_edit(db, edit)
            self._later(self.clock(), lambda copy: apply_edit(copy, edit))
        return edited

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        """A transaction that may write, before which what reads see is set up as the controls say now."""
        with self._store.lock:
            self._replica.keep(self.controls.failures.delay, self._store.copy)
            with self._store.transaction() as db:
                yield db

    def _later(self, now: datetime, deed: Deed) -> None:
        if self._replica.later(now, deed):
            self.controls.count(DELAY)

    def close(self) -> None:
        """Lets go of the files."""
        self._log.close()
        self._replica.close()
        self._store.close()
