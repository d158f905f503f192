"""Changes of the candidates, contributors, committees and options of tests.

One call contains many entries, and each entry has its own outcome.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sync.contract import TEST_READ, Call
from sync.errors import CallError, NotThere, Outdated, Refused, Stop, Unknown
from sync.inspera.assignment_spec import (
    ASSIGNMENT_SPECS,
    AssignmentSpec,
    BuildBody,
    may_be_repeated,
)
from sync.inspera.batch import Batch, Slice
from sync.inspera.caller import Caller, StopInDoubt
from sync.inspera.lookups import Lookups
from sync.inspera.outcomes import outcome_of
from sync.inspera.recovery import narrows
from sync.inspera.refusal_words import cause_of_kept, deferred_as_archived
from sync.inspera.request import Request
from sync.inspera.requests.entries import secrets
from sync.inspera.responses import records
from sync.records.base import Kind
from sync.records.changes import Cause, Outcome, Result
from sync.records.remote import Assignment, Members

_DONE = Outcome(Result.DONE)
_WAS_NOT_THERE = Outcome(Result.DONE, "was not there")


MayGo = Callable[[], bool]
"""The question, asked right before a call, whether what it rests on still holds."""


@dataclass(frozen=True, slots=True)
class MembershipChange:
    """The entries of one kind that one call puts on a test or takes off it."""

    test: str
    kind: Kind
    spec: AssignmentSpec
    call: Call
    build_body: BuildBody
    batch: Batch
    may_go: MayGo | None = None

    def request(self, batch_slice: Slice) -> Request:
        """Return the request that carries this slice."""
        entries = [entry for _, entry in self.batch.entries(batch_slice)]
        return Request(
            self.call,
            {"test": self.test},
            body=self.build_body(self.call, entries),
            # All secrets of the batch: a response may also repeat what another slice has set.
            hide=secrets(self.batch.all),
            ids=frozenset(entry.external_id for entry in entries),
            may_go=self.may_go,
        )

    def may_be_repeated(self, batch_slice: Slice) -> bool:
        """Tell whether the whole slice may be sent again before a read has shown its outcome."""
        return all(
            may_be_repeated(self.call, entry) for _, entry in self.batch.entries(batch_slice)
        )


class _ArchivedError(Exception):
    """The refusal of every change on a test, with the outcome of what was not sent."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__(outcome.message)
        self.outcome = outcome


SendSlice = Callable[[MembershipChange, Slice], list[Slice]]
"""A function that sends one slice, records outcomes, and returns the slices still to be sent."""


class Membership:
    """Sends changes of what is on tests. Thread-safe; only one worker may work on a test at a time.

    Both methods return one outcome for each entry, in the order of the entries. `may_go` is asked
    right before each call; once it says no, the rest ends as not sent, with `Cause.OUTDATED`. They
    raise `Stop` only while no outcome is known. Later they do not send the rest, and the next call raises it.
    """

    def __init__(self, caller: Caller, lookups: Lookups) -> None:
        self._caller, self._lookups = caller, lookups

    def assign(
        self, test: str, entries: Sequence[Assignment], kind: Kind, may_go: MayGo | None = None
    ) -> list[Outcome]:
        """Put entries on a test, or update those that are on it already."""
        spec, batch = ASSIGNMENT_SPECS[kind], Batch(entries)
        call = self._caller.named(spec.assign)
        change = MembershipChange(test, kind, spec, call, spec.build_assign, batch, may_go)
        try:
            return self._send(change, self._assign)
        finally:
            self._lookups.readings.forget_members(test, kind)

    def remove(
        self, test: str, entries: Sequence[Assignment], kind: Kind, may_go: MayGo | None = None
    ) -> list[Outcome]:
        """Take entries off a test. An entry that is proven not to be there is done."""
        try:
            return self._remove_all(test, entries, kind, may_go)
        finally:
            # Of all kinds: who is removed may take their committee or their seat along.
            self._lookups.readings.forget_members(test)

    def _remove_all(
        self, test: str, entries: Sequence[Assignment], kind: Kind, may_go: MayGo | None
    ) -> list[Outcome]:
        spec, batch = ASSIGNMENT_SPECS[kind], Batch(entries)
        if spec.remove is None or spec.build_remove is None:
            message = f"Inspera has no call that takes an {kind} off a test"
            return [Outcome(Result.NOT_SENT, message) for _ in entries]
        call = self._caller.named(spec.remove)
        change = MembershipChange(test, kind, spec, call, spec.build_remove, batch, may_go)
        outcomes = self._send(change, self._remove)
        if batch.refused_alone:
            # A refusal may only mean that the entry is not on the test. Its wording is not known,
            # so the test is read to find out.
            try:
                members = self._read_members(test, kind)
            except Stop:
                members = None  # the outcomes are known already; the next call raises it again
            for position in batch.refused_alone:
                if members and members.lack(*_identity(entries[position])):
                    outcomes[position] = _WAS_NOT_THERE
        return outcomes

    def _send(self, change: MembershipChange, send_slice: SendSlice) -> list[Outcome]:
        batch = change.batch
        pending = batch.slices(self._caller.connection.batch_size)[::-1]
        try:
            while pending:
                pending.extend(reversed(send_slice(change, pending.pop())))
        except NotThere as error:
            return batch.finish(outcome_of(error))
        except _ArchivedError as error:
            return batch.finish(error.outcome)
        except Outdated as error:
            return batch.finish(Outcome(Result.NOT_SENT, str(error), cause=Cause.OUTDATED))
        except Stop as error:
            if not batch.begun:
                raise  # the engine records that none of these was sent
            return batch.finish(Outcome(Result.NOT_SENT, str(error)))
        return batch.finish(Outcome(Result.NOT_SENT))

    def _assign(self, change: MembershipChange, batch_slice: Slice) -> list[Slice]:
        readable = change.spec.readable_fields is not None
        try:
            self._caller.call(change.request(batch_slice), records.done, settles=readable)
        except Unknown as error:
            return self._settle_lost(change, batch_slice, error)
        except NotThere:
            if not self._caller.tenant.has(change.call) and self._test_exists(change.test):
                self._caller.tenant.not_there(change.call, change.test)
            raise
        except Refused as error:
            return self._refuse(change, batch_slice, error)
        except Outdated:
            raise
        except CallError as error:
            change.batch.note(batch_slice.positions, outcome_of(error))
        else:
            change.batch.note(batch_slice.positions, _DONE)
        return []

    def _settle_lost(
        self, change: MembershipChange, batch_slice: Slice, error: Unknown
    ) -> list[Slice]:
        """Read what became of a lost assignment, and return what is to be sent again.

        Entries that are absent are sent again. Entries that are not confirmed are sent again only
        where a second time changes nothing.
        """
        lost = Outcome(Result.UNKNOWN, str(error))
        if change.spec.readable_fields is None:
            # It can't be read; the caller has repeated it as often as it may.
            change.batch.note(batch_slice.positions, lost)
            return []
        absent, unconfirmed = self._read_back(change, batch_slice, str(error))
        again = absent
        if change.may_be_repeated(batch_slice):
            again = tuple(sorted((*absent, *unconfirmed)))
        change.batch.note([position for position in unconfirmed if position not in again], lost)
        if batch_slice.tries + 1 >= self._caller.connection.attempts:
            change.batch.note(again, lost)
            return []
        return [Slice(again, batch_slice.tries + 1)] if again else []

    def _refuse(self, change: MembershipChange, batch_slice: Slice, error: Refused) -> list[Slice]:
        """Narrow a refused slice down.

        Entries that may not be sent twice blindly are read first: Inspera may have reported an
        error although it carried out all or part of the call (vendor contract, Test API:
        committees).
        """
        _raise_if_archived(error, batch_slice)
        may_narrow = narrows(change.call, error)
        if may_narrow and not change.may_be_repeated(batch_slice):
            doubt = f"{error}; it is not known whether it was carried out all the same"
            absent, unconfirmed = self._read_back(change, batch_slice, doubt)
            change.batch.note(unconfirmed, Outcome(Result.UNKNOWN, doubt))
            if len(absent) < len(batch_slice.positions):
                # Some were carried out, so perhaps the refusal was only about those.
                return [Slice(absent, batch_slice.tries)] if absent else []
        return change.batch.refuse(batch_slice, error, narrows=may_narrow)

    def _read_back(
        self, change: MembershipChange, batch_slice: Slice, doubt: str
    ) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Read the test after the visibility delay, and record what is there as wanted as done.

        Returns the positions of absent entries, and of entries that the read leaves open. When the
        run is being ended meanwhile, it records all of them as unknown.
        """
        change.batch.doubt(batch_slice, doubt)
        if not self._caller.pause(self._caller.connection.read_after_write_delay):
            change.batch.note(batch_slice.positions, Outcome(Result.UNKNOWN, doubt))
            return (), ()
        members = self._read_members(change.test, change.kind)
        absent, unconfirmed = [], []
        for position, entry in change.batch.entries(batch_slice):
            identity = _identity(entry)
            member = members.there.get(identity) if members else None
            repeatable = may_be_repeated(change.call, entry)
            if member and change.spec.confirms(member, entry, repeatable=repeatable):
                change.batch.note([position], _DONE)
            elif members and members.lack(*identity):
                change.batch.clear_doubt(position)
                absent.append(position)
            else:
                unconfirmed.append(position)
        return tuple(absent), tuple(unconfirmed)

    def _remove(self, change: MembershipChange, batch_slice: Slice) -> list[Slice]:
        try:
            self._caller.call(change.request(batch_slice), records.done)
        except NotThere as error:
            self._settle_404(change, batch_slice, error)
        except Refused as error:
            _raise_if_archived(error, batch_slice)
            cause = cause_of_kept(error) if change.kind is Kind.CANDIDATE else Cause.NONE
            narrow = narrows(change.call, error)
            return change.batch.refuse(batch_slice, error, narrows=narrow, cause=cause)
        except StopInDoubt as error:
            change.batch.doubt(batch_slice, str(error))
            raise
        except Outdated:
            raise
        except CallError as error:
            change.batch.note(batch_slice.positions, outcome_of(error))
        else:
            change.batch.note(batch_slice.positions, _DONE)
        return []

    def _settle_404(self, change: MembershipChange, batch_slice: Slice, error: NotThere) -> None:
        """Record the outcomes of a removal that was answered 404.

        It is done only when a read proves it, or when the call is known to work on this tenant: a
        tenant that lacks the call answers 404 as well.
        """
        tenant, members = self._caller.tenant, self._read_members(change.test, change.kind)
        entries = list(change.batch.entries(batch_slice))
        if members and any(not members.lack(*_identity(entry)) for _, entry in entries):
            # An earlier attempt may have been carried out and not be visible yet.
            self._caller.pause(self._caller.connection.read_after_write_delay)
            members = self._read_members(change.test, change.kind)
        if members and members.readable:
            for position, entry in entries:
                if members.lack(*_identity(entry)):
                    change.batch.note([position], _WAS_NOT_THERE)
                else:
                    tenant.not_there(change.call, change.test)
                    change.batch.note([position], outcome_of(error))
            return
        exists = self._test_exists(change.test)
        if exists:
            tenant.not_there(change.call, change.test)
        done = exists is False or tenant.has(change.call)
        change.batch.note(batch_slice.positions, _WAS_NOT_THERE if done else outcome_of(error))

    def _test_exists(self, test: str) -> bool | None:
        """Tell whether Inspera has the test; `None` when that is not known.

        It is not known when this tenant has never let a test be read: then a 404 proves nothing.
        """
        try:
            exists = self._lookups.read_test(test) is not None
        except Stop:
            raise
        except CallError:
            return None
        return exists if self._caller.tenant.has(TEST_READ) else None

    def _read_members(self, test: str, kind: Kind) -> Members | None:
        try:
            return self._lookups.members(test, kind)
        except Stop:
            raise
        except CallError:
            return None


def _raise_if_archived(error: Refused, batch_slice: Slice) -> None:
    if archived := deferred_as_archived(error, len(batch_slice.positions)):
        raise _ArchivedError(archived) from None


def _identity(entry: Assignment) -> tuple[str, str]:
    return entry.auth_system, entry.external_id
