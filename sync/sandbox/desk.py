"""The sandbox's desk: takes a call that has arrived, carries it out as Inspera would, and notes it in the log."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from sqlite3 import Connection

from sync.sandbox.by_hand import edit_by_hand
from sync.sandbox.candidates import all_tests, delete_candidates, get_candidates, post_candidates
from sync.sandbox.exams import get_test, post_test, search_tests
from sync.sandbox.faults import Controls, Rule
from sync.sandbox.request_log import RequestLog
from sync.sandbox.store import Store
from sync.sandbox.tokens import Tokens, require_token
from sync.sandbox.users import all_students, get_by_external_id, get_user, post_student, search_users
from sync.sandbox.wire import Answer, Call, Handler, Json, Refusal

TOKEN_PATH = "/api/authenticate/token/"  # noqa: S105  (an address, not a token)

PAGE = 10_000
"""Entries of the request log that are given at once."""

Handlers = Mapping[str, Handler]
"""What one address can do, by method."""


class Desk:
    """One local Inspera: its store, its request log and what it was told to do wrong.

    Raises:
        OSError: the folder can't be used (it is read by `Store`).
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
        self._store = Store(folder)
        self._log = RequestLog(folder, api_key)
        self._tokens = Tokens(client_id, api_key, lambda: controls.token_lifetime)

    def addresses(self) -> Mapping[str, Handlers]:
        """Every address of the vendor's that this Inspera has, most particular first (vendor contract, 2 to 4)."""
        candidates = {"GET": get_candidates, "POST": post_candidates, "DELETE": delete_candidates}
        return {
            TOKEN_PATH: {"POST": self._tokens.give},
            "/api/v1/users/student": {"POST": post_student},
            "/api/v1/users/search": {"GET": search_users},
            "/api/v1/users/external/{auth_type}/{external_id}": {"GET": get_by_external_id},
            "/api/v1/users/{user}": {"GET": get_user},
            "/api/v1/test": {"POST": post_test},
            "/api/v1/test/search": {"GET": search_tests},
            "/api/v1/test/{test}/candidates": candidates,
            "/api/v1/test/{test}": {"GET": get_test},
        }

    def handle(self, call: Call, handlers: Handlers, rule: Rule | None) -> Answer:
        """Carries out a call and notes it, both in one transaction. A refusal leaves nothing behind but its note."""
        try:
            with self._store.transaction() as db:
                answer, committed = self._carry_out(db, call, handlers, rule)
                entry = self._log.note(db, call, answer, committed=committed)
        except Refusal as refusal:
            answer = (rule and rule.answer()) or Answer.no(refusal)
            with self._store.transaction() as db:
                entry = self._log.note(db, call, answer, committed=False)
        self._log.append(entry)
        return answer

    def _carry_out(self, db: Connection, call: Call, handlers: Handlers, rule: Rule | None) -> tuple[Answer, bool]:
        told = rule.answer() if rule else None
        if told and rule and rule.when == "before":
            return told, False
        if not handlers:
            raise Refusal(404, f"{call.path} does not exist")
        if call.method not in handlers:
            refusal = Refusal(405, f"{call.method} is not possible here")
            return told or Answer.no(refusal, {"Allow": ", ".join(sorted(handlers))}), False
        if call.path != TOKEN_PATH:
            require_token(db, call)
        answer = handlers[call.method](db, call)
        return told or answer, is_write(call)

    def contents(self) -> Json:
        """Everything that this Inspera holds."""
        with self._store.transaction() as db:
            return {"students": all_students(db), "tests": all_tests(db)}

    def requests(self, after: int = 0) -> list[Json]:
        """The next entries of the request log, at most `PAGE`."""
        with self._store.transaction() as db:
            return self._log.read(db, after, PAGE)

    def by_hand(self, edit: Json) -> Json:
        """Edits the contents as a person would in the vendor's own pages; it does not show in the request log.

        Raises:
            Refusal: the edit is not possible.
        """
        with self._store.transaction() as db:
            return edit_by_hand(db, edit)

    def close(self) -> None:
        """Lets go of the files."""
        self._log.close()
        self._store.close()


def is_write(call: Call) -> bool:
    """Whether the call is one that changes what Inspera holds; asking for a token is not."""
    return call.method != "GET" and call.path != TOKEN_PATH
