"""The question whether a new person's login exists, answered by one export instead of look-ups.

A look-up takes two calls for each person. Before a load of many new people one export of a kind
tells which logins exist: only people whose login does are looked up.
"""

from collections.abc import Callable, Collection, Mapping
from datetime import datetime

from sync.engine.protocols import Target
from sync.errors import CallError
from sync.planning.export_need import EXPORTS, UNSEEN, NewPeople
from sync.records.base import Kind
from sync.records.changes import SOON, Action, PlannedChange
from sync.state.journal import Journal
from sync.state.store import Store

_MAY_LACK, _MAY_LACK_SHARE = 10, 0.1
"""An export that lacks more known people than both, or all, is not complete and proves nothing."""

_WORDS = {Kind.LEARNER: "learners", Kind.STAFF: "staff"}


class ExistingLogins:
    """The logins that Inspera has, from exports that are made once in a run and when needed.

    Args:
        store: has the plan, and keeps the logins in its scratch.
        journal: is committed before a wait.
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
        self._store, self._journal, self._target = store, journal, target
        self._above, self._note = above, note
        self._began, self._seen = began, seen or {}
        self._asked = {Kind.STAFF} | ({Kind.LEARNER} if learners else set())
        self._usable: dict[Kind, bool] = {}
        self._new: Mapping[Kind, NewPeople] | None = None

    def prove_new(self, line: PlannedChange) -> bool:
        """Tell whether an export shows that nobody has the login of this new person.

        The first time for a kind it orders the export and waits for it.
        """
        kind, wanted = line.change.kind, line.change.after
        if line.change.action is not Action.CREATE or not wanted.get("username"):
            return False
        if kind not in self._asked or not self._needs(kind, near=line.wave.startswith(SOON)):
            return False
        if not all(self._export(one) for one in EXPORTS[kind]):
            return False
        identity = (wanted.get("auth_system"), wanted.get("external_id"))
        return not self._store.exports.has_account(
            str(wanted["username"]), *(str(one) if one else None for one in identity)
        )

    def _needs(self, kind: Kind, *, near: bool) -> bool:
        if self._new is None:
            self._new = self._store.plan.new_people()
        return self._new.get(kind, NewPeople()).need_export(self._above, near=near)

    def _export(self, kind: Kind) -> bool:
        """Stage the export of a kind, unless that was tried before; tell whether it can be used."""
        if kind not in self._usable:
            self._usable[kind] = False
            self._journal.commit()  # what is recorded is durable before a long wait
            try:
                total = self._store.exports.stage_accounts(kind, self._target.export_people(kind))
            except CallError as error:
                # A Stop is met again by the look-up that is made instead.
                self._drop(kind, f"could not be used ({error})")
            else:
                self._judge(kind, total)
        return self._usable[kind]

    def _judge(self, kind: Kind, total: int) -> None:
        """Use the staged export, unless it lacks people who are known to have an account."""
        exports, words = self._store.exports, _WORDS[kind]
        lacking, known = exports.count_lacking(kind, self._began)
        if lacking > max(_MAY_LACK, known * _MAY_LACK_SHARE) or 0 < known == lacking:
            self._drop(kind, f"lacks {lacking:,} of {known:,} known {words}")
        elif any(not exports.has_account(login, None, None) for login in self._seen.get(kind, ())):
            self._drop(kind, "lacks an account that a look-up has found")
        else:
            self._usable[kind] = True
            limit = f" {UNSEEN}" if total and not exports.shows_external_ids(kind) else ""
            self._note(
                f"Inspera's export of its {words} is read (accounts: {total:,}): new people whose "
                f"login is not among them are created without a look-up.{limit}"
            )

    def _drop(self, kind: Kind, why: str) -> None:
        self._store.exports.discard_accounts(kind)
        self._note(
            f"Inspera's export of its {_WORDS[kind]} {why}: new {_WORDS[kind]} are looked up one "
            "by one."
        )
