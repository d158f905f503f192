"""`apply`: plans, then carries out. Settles what an earlier run left unknown before it sends anything."""

import threading
from collections import Counter
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING

from sync.commands.planning import make_store, plan_status, tell_plan
from sync.commands.wiring import House, Say, now
from sync.engine.carry_out import Carried, Carrier
from sync.engine.doors import Progress
from sync.engine.planning import Planning, Policy, make_plan
from sync.engine.probing import looks_lost
from sync.engine.settling import Settler
from sync.engine.verifying import SAMPLE, Verified, Verifier
from sync.errors import CallError, Stop, SyncError
from sync.exits import Exit, worst
from sync.model import Key, Kind
from sync.plan import CALLING, Result, Verdict
from sync.report.plan_text import MOST
from sync.report.run_text import outcomes_text, run_text
from sync.report.wording import plural
from sync.state.database import open_to_write
from sync.state.history import findings
from sync.state.journal import Journal
from sync.state.refusals import wake
from sync.state.store import Store

if TYPE_CHECKING:
    from sync.inspera.target import Target

MOST_FINDINGS = 5_000
"""Faults, holds and the like that a run keeps for `status`; the plan names all of them."""


@dataclass(slots=True)
class Interruption:
    """Set by a signal: calls under way finish and are recorded, nothing new is sent."""

    event: threading.Event = field(default_factory=threading.Event)
    status: Exit = Exit.INTERRUPTED


@dataclass(frozen=True, slots=True)
class ApplyOptions:
    """What the apply command was asked for."""

    allowed: tuple[str, ...] = ()
    retry_refused: bool = False
    accepted: tuple[str, ...] = ()
    changed: bool = False
    show_all: bool = False


def apply(house: House, options: ApplyOptions, say: Say, progress: Progress, interruption: Interruption) -> Exit:
    """Carries out what the guard lets pass. Returns the exit status of the run."""
    policy = house.policy(options.allowed, house.how(options.accepted, changed=options.changed))
    house.prepare()
    with open_to_write(house.state, "apply") as connection:
        store = make_store(house, connection, write=True)
        run = _Run(house, store, Journal(connection, now, "apply"), interruption, progress)
        if options.retry_refused:
            wake(connection)
        try:
            with run.target():
                status = run.carry_out(policy, say, show_all=options.show_all)
        except CallError as error:
            say(f"Inspera: {error}")
            status = Exit.INSPERA
        except SyncError:
            run.end(Exit.USAGE)
            raise
        if interruption.event.is_set():
            status = interruption.status
        run.end(status)
        sent = islice(findings(connection, run.journal.run_id), run.planned_findings, None)
        for line in outcomes_text(sent, None if options.show_all else MOST):
            say(line)
        say(run_text(run.counts, status))
    return status


class _Run:
    """One execution of apply."""

    def __init__(
        self, house: House, store: Store, journal: Journal, interruption: Interruption, progress: Progress
    ) -> None:
        self.house, self.store, self.journal = house, store, journal
        self._interruption, self._progress = interruption, progress
        self._target: Target | None = None
        self.counts: Counter[str] = Counter()
        self.planned_findings = 0
        self._barred: Collection[tuple[Kind, Key]] = ()
        self._tried: Collection[tuple[Kind, Key]] = ()

    @contextmanager
    def target(self) -> Iterator[None]:
        """Inspera, reached only by a run that has something to say to it."""
        try:
            yield
        finally:
            if self._target:
                self._target.close()

    def _inspera(self) -> "Target":
        if self._target is None:
            from sync.inspera.target import Target

            self._target = Target(self.house.connection(), self._interruption.event, now)
        return self._target

    def carry_out(self, policy: Policy, say: Say, *, show_all: bool) -> Exit:
        """Settles, plans, sends."""
        if self.store.open_intent_count():
            settler = Settler(
                self.store,
                self.journal,
                self._inspera(),
                self.house.seat_policy().visibility_delay,
                now,
                self._interruption.event.wait,
            )
            say(f"Found out about {plural(settler.settle(), 'call')} of an earlier run without a known outcome.")
            self._barred, self._tried = settler.barred, settler.tried
        planning = make_plan(self.house.feeds, self.store, policy, now(), self._progress)
        # before anything is sent: what was read only in changes must not be lost when this run is
        self.store.keep_snapshots(now(), [feed.digest for feed in self.house.feeds], planning.gathered.ill)
        tell_plan(self.store, planning, say, None if show_all else MOST, passing="To do")
        for digest in set(policy.allowed).difference(held.digest for held in planning.held_scopes):
            say(f"--allow {digest}: nothing that is over a limit now has this hash; take it from a new plan")
        self._keep_findings()
        carried = self._send(say)
        if not carried.stopped:
            self.journal.lapse(planning.gathered.trouble)
        self.journal.promote_silent()
        self._note_sources(planning, policy.how.accepted)
        verified = self._read_back(carried, say)
        return self._status(planning, carried, verified)

    def _note_sources(self, planning: Planning, accepted: Collection[str]) -> None:
        """Takes what each source says now as that from which it may shrink."""
        gathered, feeds = planning.gathered, self.house.feeds
        # what is withheld for another reason is still to be counted when that is gone
        proven = {(kind, of) for kind, of in gathered.proven if kind not in gathered.trouble or of in accepted}
        self.store.note_sources([(feed.kind, feed.source.name) for feed in feeds], proven, accepted)
        joined = [join.source for feed in feeds for join in feed.joins]
        grouped = {door.name for door in [*(feed.source for feed in feeds), *joined] if door.proof.group}
        for reading in (*gathered.readings, *gathered.lookups):
            if reading.source in grouped and not reading.partial and reading.source not in gathered.ill:
                self.store.keep_groups(reading.source, reading.groups)
        rows = {one.source: one.rows for one in gathered.lookups if one.source not in gathered.ill}
        self.store.keep_rows(rows, [door.name for door in joined])

    def _send(self, say: Say) -> Carried:
        tally = self.store.tally()
        total = sum(n for (_, action, verdict), n in tally.items() if verdict is Verdict.PASS and action in CALLING)
        if not total:
            return Carried()
        lost = looks_lost(self.store, self._inspera())
        if lost:
            say(f"Held: {lost}")
            self.counts["held"] += total
            return Carried()
        workers = self.house.loaded.settings.inspera.workers
        carrier = Carrier(
            self.store,
            self.journal,
            self._inspera(),
            self.house.seat_policy(),
            workers=workers,
            stop=self._interruption.event,
            clock=now,
            progress=self._progress,
            barred=self._barred,
            tried=self._tried,
            wary=self.house.loaded.settings.found.look_up_learners,
        )
        carried = carrier.carry_out(total)
        carried.stopped = carried.stopped or self._inspera().stopped or ""
        if carried.count(Result.NOT_SENT, Result.UNKNOWN):
            carried.stopped = carried.stopped or self._inspera().out_of_reach or ""
        for (_, action, result), number in carried.results.items():
            self.counts[f"{action} {result}"] += number
        self.counts["not sent"] += total - sum(carried.results.values())
        if carried.stopped:
            say(f"Stopped: {carried.stopped}")
        return carried

    def _read_back(self, carried: Carried, say: Say) -> Verified:
        """Reads what was written, as much of it as the configuration says, and keeps what came of it."""
        how = self.house.loaded.settings.verify
        if how == "none" or carried.stopped or not carried.count(Result.DONE, Result.FOUND):
            return Verified()
        event = self._interruption.event
        delay = self.house.seat_policy().visibility_delay
        verifier = Verifier(self.store, self._inspera(), delay, now, event.wait)
        try:
            verified = verifier.verify(self.journal.run_id, SAMPLE if how == "sample" else None)
        except Stop as error:
            say(f"Not all read back: {error}")
            return Verified()
        for written, trouble in verified.bad if not event.is_set() else ():
            text = f"was sent, but {trouble}; look at it in Inspera, or run `reconcile`"
            self.journal.find("drift", written.kind, written.key, "", text)
        self.counts["read back"] += verified.good
        self.counts["not as sent"] += len(verified.bad)
        self.counts["seconds at most until readable"] += verified.longest
        return verified

    def _status(self, planning: Planning, carried: Carried, verified: Verified) -> Exit:
        held = bool(self.counts["held"]) or carried.count(Result.HELD) > 0
        failed = carried.count(Result.REFUSED, Result.UNKNOWN, Result.NOT_SENT) > 0
        planned = plan_status(self.store, planning)
        return worst(
            inspera=bool(carried.stopped),
            source=planned is Exit.SOURCE,
            held=held or planned is Exit.HELD or any(v is Verdict.HELD for _, _, v in self.store.tally()),
            faults=failed or bool(verified.bad) or self.store.fault_count() + self.store.refusals() > 0,
        )

    def _keep_findings(self) -> None:
        for fault in islice(self.store.faults(), MOST_FINDINGS):
            reason = f"{fault.field}: {fault.reason}; {fault.remedy}"
            self.journal.find("fault", fault.kind, fault.key, fault.where, reason)
            self.planned_findings += 1
        for verdict in (Verdict.HELD, Verdict.WAITING, Verdict.WITHHELD):
            for line in islice(self.store.planned(verdict), MOST_FINDINGS):
                self.journal.find(verdict, line.change.kind, line.change.key, line.change.where, line.reason)
                self.planned_findings += 1
            self.counts[verdict] += sum(n for (_, _, v), n in self.store.tally().items() if v is verdict)
        self.counts["fault"] = self.store.fault_count()
        self.journal.commit()

    def end(self, status: Exit) -> None:
        """Closes the run in the journal."""
        word = {Exit.INSPERA: "stopped", self._interruption.status: "interrupted"}.get(status, "done")
        self.journal.end(word, status, self.counts)
