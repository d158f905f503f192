"""The question whether a new person's login exists, answered by exports instead of look-ups.

A look-up takes two calls for each person. Before a load of many new people an export of each kind
tells which logins exist: only people whose login does are looked up. An export may take 30 minutes.
A worker waits for it, and only people who are not needed within 7 days wait for the worker.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime
from itertools import chain, islice

from sync.engine.protocols import Target
from sync.errors import CallError
from sync.log import in_context
from sync.planning.export_need import EXPORTS, UNSEEN, NewPeople
from sync.records.base import Kind
from sync.records.changes import SOON, Action, Cause, PlannedChange
from sync.records.remote import RemotePerson
from sync.records.rule_numbers import rule_of
from sync.state.journal import Journal
from sync.state.store import Store

DOUBTFUL_EXPORT = "export"
"""The type of the finding that an export of people was not believed: one a run."""

_MAY_LACK, _MAY_LACK_SHARE = 3, 0.1
"""An export that lacks more known people than both, or all, is not complete and proves nothing."""

_MAY_BE_NAMELESS = 0.05
"""The share of accounts without a login above which an export proves nothing."""

_WORDS = {Kind.LEARNER: "learners", Kind.STAFF: "staff"}


class ExistingLogins:
    """The logins that Inspera has, from exports that are made once in a run and when needed.

    Both exports are needed to prove anything. If one of them can't be used or is in doubt, everyone
    is looked up. Only the thread of the executor uses this.

    Args:
        store: has the plan, and keeps the logins in its scratch.
        journal: receives the finding of an export that is in doubt.
        target: Inspera.
        above: how many new people of a kind are looked up one by one at most; 0 for everyone.
        learners: whether new learners are looked up at all.
        began: when the run began to send; aware. What was written later may not be exported yet.
        note: shows a line to people.
        seen: logins that look-ups of this run have found, by kind. An export without one is not
            complete.
    """

    def __init__(  # noqa: PLR0913 - each is a separate part
        self,
        store: Store,
        journal: Journal,
        target: Target,
        *,
        above: int,
        learners: bool,
        began: datetime,
        note: Callable[[str], None],
        seen: Mapping[Kind, Collection[str]] | None = None,
    ) -> None:
        self._store, self._journal, self._target, self._note = store, journal, target, note
        self._began, self._seen = began, seen or {}
        asked = {Kind.STAFF} | ({Kind.LEARNER} if learners else set())
        new = store.plan.new_people() if above else {}
        self._kinds = {k for k in asked if new.get(k, NewPeople()).need_export(above)}
        self._unread = list(EXPORTS[min(self._kinds)]) if self._kinds else []
        self._reading: Future[Iterable[RemotePerson]] | None = None

    def advance(
        self, pool: ThreadPoolExecutor, *, over: bool = False
    ) -> Future[Iterable[RemotePerson]] | None:
        """Take in what a worker has read, and have the next export read.

        Returns the reading that is under way; None when there is none. If the run is `over`, no
        other export is read.
        """
        if self._reading and self._reading.done():
            reading, self._reading = self._reading, None
            self._take_in(self._unread.pop(0), reading)
        if self._unread and not self._reading and not over:
            self._reading = pool.submit(in_context(_read), self._target, self._unread[0])
        return self._reading

    def awaits(self, line: PlannedChange) -> bool:
        """Tell whether this new person waits until the exports are read.

        Nobody waits who is needed by a test that starts within 7 days.
        """
        return bool(self._unread) and self._may_prove(line)

    def prove_new(self, line: PlannedChange) -> bool:
        """Tell whether the exports show that nobody has the login of this new person."""
        if self._unread or not self._may_prove(line):
            return False
        wanted = line.change.after
        identity = (wanted.get("auth_system"), wanted.get("external_id"))
        return not self._store.exports.has_account(
            str(wanted["username"]), *(str(one) if one else None for one in identity)
        )

    def _may_prove(self, line: PlannedChange) -> bool:
        change = line.change
        return (
            change.kind in self._kinds
            and change.action is Action.CREATE
            and bool(change.after.get("username"))
            and not line.wave.startswith(SOON)
        )

    def _take_in(self, kind: Kind, reading: Future[Iterable[RemotePerson]]) -> None:
        """Stage what was read, and use it unless there is a reason for doubt."""
        try:
            total, nameless = self._store.exports.stage_accounts(kind, reading.result())
        except CallError as error:
            # A Stop is met again by the look-up that is made instead.
            self._give_up(kind, f"could not be used ({error})")
            return
        if doubt := self._doubt(kind, total, nameless):
            text = self._give_up(kind, doubt)
            self._journal.find(DOUBTFUL_EXPORT, kind, None, "", text, rule_of(Cause.DOUBTFUL, kind))
            return
        shown = any(map(self._store.exports.shows_external_ids, EXPORTS[kind]))
        limit = "" if self._unread or shown else f" {UNSEEN}"
        self._note(
            f"Inspera's export of its {_WORDS[kind]} is read (accounts: {total:,}): new people whose "
            f"login is not among them are created without a look-up.{limit}"
        )

    def _doubt(self, kind: Kind, total: int, nameless: int) -> str:
        """Return why this export may not name everybody; empty when nothing speaks against it."""
        exports, words = self._store.exports, _WORDS[kind]
        if not total and kind is Kind.STAFF:  # The key that we use belongs to somebody.
            return "names nobody, although each tenant has an administrator"
        if nameless > total * _MAY_BE_NAMELESS:
            return f"has no login of {nameless:,} of its {total:,} accounts"
        (other,) = (one for one in EXPORTS[kind] if one is not kind)
        if total and not self._unread and exports.are_all_shared(kind, other):
            return f"names nobody who is not in that of the {_WORDS[other]}, too"
        lacking, known = exports.count_lacking(kind, self._began)
        if lacking > max(_MAY_LACK, known * _MAY_LACK_SHARE) or 0 < known == lacking:
            return f"lacks {lacking:,} of {known:,} known {words}"
        if any(not exports.has_account(login, None, None) for login in self._seen.get(kind, ())):
            return "lacks an account that a look-up has found"
        return ""

    def _give_up(self, kind: Kind, why: str) -> str:
        """Prove nothing any more, and read no other export: one alone proves nothing.

        Returns what is shown to people.
        """
        people = " and ".join(_WORDS[one] for one in sorted(self._kinds))
        text = (
            f"Inspera's export of its {_WORDS[kind]} {why}: new {people} are looked up one by one"
        )
        for one in _WORDS:
            self._store.exports.discard_accounts(one)
        self._kinds, self._unread = set(), []
        self._note(f"{text}.")
        return text


def _read(target: Target, kind: Kind) -> Iterable[RemotePerson]:
    """Wait for an export and download it, which ends before its first person is there.

    Runs on a worker. What is returned makes no call.

    Raises:
        CallError: it can't be had.
    """
    people = iter(target.export_people(kind))
    return chain(list(islice(people, 1)), people)
