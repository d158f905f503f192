"""Puts candidates, contributors, committees and options on tests, and takes them off.

Many go in one call, and each has an outcome of its own.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sync.contract import TEST_READ, Call
from sync.errors import CallError, NotThere, Refused, Stop, Unknown
from sync.inspera.assignment_spec import MANNERS, AssignmentSpec, Word, may_be_repeated
from sync.inspera.batch import Batch, Slice
from sync.inspera.caller import Caller, StopInDoubt
from sync.inspera.calls import Request
from sync.inspera.lookups import Lookups
from sync.inspera.outcomes import outcome_of
from sync.inspera.recovery import narrows
from sync.inspera.requests.entries import secrets
from sync.inspera.responses import records
from sync.records.base import Kind
from sync.records.changes import Outcome, Result
from sync.records.remote import Assignment, Members

_DONE = Outcome(Result.DONE)
_WAS_NOT_THERE = Outcome(Result.DONE, "was not there")


@dataclass(frozen=True, slots=True)
class Work:
    """What is to be done on one test with one call: entries of one kind, and what became of each."""

    test: str
    kind: Kind
    manner: AssignmentSpec
    call: Call
    word: Word
    sheet: Batch

    def request(self, part: Slice) -> Request:
        """One call with this part of the entries."""
        entries = [entry for _, entry in self.sheet.entries(part)]
        body = self.word(self.call, entries)
        return Request(
            self.call,
            {"test": self.test},
            body=body,
            # An answer may also repeat what another part of them has set.
            hide=secrets(self.sheet.all),
            ids=frozenset(entry.external_id for entry in entries),
        )

    def may_be_repeated(self, part: Slice) -> bool:
        """Whether all of it may be sent again before a reading has shown what became of it."""
        return all(may_be_repeated(self.call, entry) for _, entry in self.sheet.entries(part))


Step = Callable[[Work, Slice], list[Slice]]
"""Sends one part, notes outcomes on the sheet, and gives the parts that are still to be sent."""


class Membership:
    """Carries out changes of what is on tests. Thread-safe; each test must be in the hands of one worker at a time.

    Both methods give one outcome for each entry, in the order of the entries. They raise `Stop` only while no outcome
    of this call is known; else the rest is not sent, and the next call raises it.
    """

    def __init__(self, caller: Caller, lookups: Lookups) -> None:
        self._caller, self._lookups = caller, lookups

    def assign(self, test: str, entries: Sequence[Assignment], kind: Kind) -> list[Outcome]:
        """Puts entries on a test, or updates those that are there."""
        manner = MANNERS[kind]
        call = self._caller.named(manner.assign)
        return self._carry_out(
            Work(test, kind, manner, call, manner.word, Batch(entries)), self._assign
        )

    def remove(self, test: str, entries: Sequence[Assignment], kind: Kind) -> list[Outcome]:
        """Takes entries off a test; not there is done, once proven."""
        manner = MANNERS[kind]
        if manner.remove is None or manner.word_removal is None:
            return [
                Outcome(Result.NOT_SENT, f"Inspera has no call that takes an {kind} off a test")
                for _ in entries
            ]
        call, sheet = self._caller.named(manner.remove), Batch(entries)
        outcomes = self._carry_out(
            Work(test, kind, manner, call, manner.word_removal, sheet), self._remove
        )
        if sheet.refused_alone:
            # A refusal may just say that somebody is not there, in words that we cannot know.
            there = self._read_or_none(test, kind)
            for number in sheet.refused_alone:
                if there and there.lack(entries[number].auth_system, entries[number].external_id):
                    outcomes[number] = _WAS_NOT_THERE
        return outcomes

    def _carry_out(self, work: Work, step: Step) -> list[Outcome]:
        sheet = work.sheet
        pending = sheet.parts(self._caller.connection.batch_size)[::-1]
        try:
            while pending:
                pending.extend(reversed(step(work, pending.pop())))
        except NotThere as error:
            return sheet.finish(outcome_of(error))
        except Stop as error:
            if not sheet.begun:
                raise  # the caller notes that none of these was sent
            return sheet.finish(Outcome(Result.NOT_SENT, str(error)))
        return sheet.finish(Outcome(Result.NOT_SENT))

    def _assign(self, work: Work, part: Slice) -> list[Slice]:
        try:
            self._caller.call(
                work.request(part), records.done, settles=work.manner.shows is not None
            )
        except Unknown as error:
            return self._settle(work, part, error)
        except NotThere:
            if not self._caller.tenant.has(work.call) and self._exists(work.test):
                self._caller.tenant.not_there(work.call, work.test)
            raise
        except Refused as error:
            return self._refuse(work, part, error)
        except CallError as error:
            work.sheet.note(part.numbers, outcome_of(error))
        else:
            work.sheet.note(part.numbers, _DONE)
        return []

    def _settle(self, work: Work, part: Slice, error: Unknown) -> list[Slice]:
        """Reads what became of a lost assignment: what is shown absent is sent again, and so is, where that changes
        nothing, what is not proven to be as wanted."""
        lost = Outcome(Result.UNKNOWN, str(error))
        if work.manner.shows is None:  # it was already sent again, as often as it may be
            work.sheet.note(part.numbers, lost)
            return []
        absent, unproven = self._told_apart(work, part, str(error))
        again = tuple(sorted((*absent, *unproven))) if work.may_be_repeated(part) else absent
        work.sheet.note([number for number in unproven if number not in again], lost)
        if part.tries + 1 >= self._caller.connection.attempts:
            work.sheet.note(again, lost)
            return []
        return [Slice(again, part.tries + 1)] if again else []

    def _refuse(self, work: Work, part: Slice, error: Refused) -> list[Slice]:
        """Narrows a refused part down. What may not be sent twice blindly is looked for before: an error may have been
        reported although it was done, wholly or in part (vendor contract, Test API: committees)."""
        may_narrow = narrows(work.call, error)
        if may_narrow and not work.may_be_repeated(part):
            doubt = f"{error}; whether it was done all the same cannot be told"
            absent, unproven = self._told_apart(work, part, doubt)
            work.sheet.note(unproven, Outcome(Result.UNKNOWN, doubt))
            if len(absent) < len(part.numbers):  # it was about the others, perhaps
                return [Slice(absent, part.tries)] if absent else []
        return work.sheet.refuse(part, error, narrows=may_narrow)

    def _told_apart(
        self, work: Work, part: Slice, doubt: str
    ) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Notes as done what a reading, after the visibility delay, shows as wanted; gives what it shows absent, and
        what it leaves open. When the run is being ended meanwhile, all of it is noted as unknown."""
        work.sheet.doubt(part, doubt)
        if not self._caller.pause(self._caller.connection.read_after_write_delay):
            work.sheet.note(part.numbers, Outcome(Result.UNKNOWN, doubt))
            return (), ()
        there = self._read(work.test, work.kind)
        absent, unproven = [], []
        for number, entry in work.sheet.entries(part):
            seat = there.there.get((entry.auth_system, entry.external_id)) if there else None
            if seat and work.manner.proven(
                seat, entry, repeatable=may_be_repeated(work.call, entry)
            ):
                work.sheet.note([number], _DONE)
            elif there and there.lack(entry.auth_system, entry.external_id):
                work.sheet.clear(number)
                absent.append(number)
            else:
                unproven.append(number)
        return tuple(absent), tuple(unproven)

    def _remove(self, work: Work, part: Slice) -> list[Slice]:
        try:
            self._caller.call(work.request(part), records.done)
        except NotThere as error:
            self._after_404(work, part, error)
        except Refused as error:
            return work.sheet.refuse(part, error, narrows=narrows(work.call, error))
        except StopInDoubt as error:
            work.sheet.doubt(part, str(error))
            raise
        except CallError as error:
            work.sheet.note(part.numbers, outcome_of(error))
        else:
            work.sheet.note(part.numbers, _DONE)
        return []

    def _after_404(self, work: Work, part: Slice, error: NotThere) -> None:
        """A removal that found nothing is done only when that is proven, or when the call is known to work."""
        tenant, there = self._caller.tenant, self._read(work.test, work.kind)
        if there and any(
            not there.lack(entry.auth_system, entry.external_id)
            for _, entry in work.sheet.entries(part)
        ):
            # an attempt of ours may have been carried out, and its reading lag behind
            self._caller.pause(self._caller.connection.read_after_write_delay)
            there = self._read(work.test, work.kind)
        if there and there.readable:
            for number, entry in work.sheet.entries(part):
                if there.lack(entry.auth_system, entry.external_id):
                    work.sheet.note([number], _WAS_NOT_THERE)
                else:
                    tenant.not_there(work.call, work.test)
                    work.sheet.note([number], outcome_of(error))
            return
        exists = self._exists(work.test)
        if exists:
            tenant.not_there(work.call, work.test)
        done = exists is False or tenant.has(work.call)
        work.sheet.note(part.numbers, _WAS_NOT_THERE if done else outcome_of(error))

    def _exists(self, test: str) -> bool | None:
        """Whether Inspera has the test; `None` when that cannot be told, as when no test could ever be read."""
        try:
            found = self._lookups.read_test(test) is not None
        except Stop:
            raise
        except CallError:
            return None
        return found if self._caller.tenant.has(TEST_READ) else None

    def _read(self, test: str, kind: Kind) -> Members | None:
        try:
            return self._lookups.seats(test, kind)
        except Stop:
            raise
        except CallError:
            return None

    def _read_or_none(self, test: str, kind: Kind) -> Members | None:
        try:
            return self._read(test, kind)
        except Stop:
            return None  # the outcomes are already known; the next call raises it again
