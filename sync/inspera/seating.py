"""Puts candidates on tests and takes them off: batches of many, each record with an outcome of its own."""

from collections.abc import Callable, Sequence

from sync.errors import CallError, NotThere, Refused, Stop, Unknown
from sync.found import Assignment, Seat, Seats
from sync.inspera.caller import Caller, StopInDoubt
from sync.inspera.calls import CANDIDATE_ASSIGN, CANDIDATE_REMOVE, TEST_READ, Call, Request
from sync.inspera.lookups import Lookups
from sync.inspera.outcomes import outcome_of
from sync.inspera.payloads import bodies, readings
from sync.inspera.sheet import Part, Sheet
from sync.plan import Fields, Outcome, Result

Step = Callable[[str, Sheet, Part], list[Part]]
"""Sends one part of a test's seats, notes outcomes on the sheet, and gives the parts that are still to be sent."""

_DONE = Outcome(Result.DONE)
_WAS_NOT_THERE = Outcome(Result.DONE, "was not there")


class Seating:
    """Carries out changes of candidates. Thread-safe; each test must be in the hands of one worker at a time.

    Both methods give one outcome for each seat, in the order of the seats. They raise `Stop` only while no outcome of
    this call is known; else the rest is not sent, and the next call raises it.
    """

    def __init__(self, caller: Caller, lookups: Lookups) -> None:
        self._caller, self._lookups = caller, lookups

    def assign(self, test: str, seats: Sequence[Assignment]) -> list[Outcome]:
        """Puts people on a test, or updates their seats (vendor contract, Test API: candidates; inferred)."""
        return self._carry_out(test, Sheet(seats), self._assign)

    def remove(self, test: str, seats: Sequence[Assignment]) -> list[Outcome]:
        """Takes people off a test (vendor contract, Test API: candidates; inferred); not there is done, once proven."""
        sheet = Sheet(seats)
        outcomes = self._carry_out(test, sheet, self._remove)
        if sheet.refused_alone:
            # A refusal may just say that somebody is not there, in words that we cannot know.
            there = self._read_or_none(test)
            for number in sheet.refused_alone:
                if there and there.lack(seats[number].auth_system, seats[number].external_id):
                    outcomes[number] = _WAS_NOT_THERE
        return outcomes

    def _carry_out(self, test: str, sheet: Sheet, step: Step) -> list[Outcome]:
        pending = sheet.parts(self._caller.connection.batch)[::-1]
        try:
            while pending:
                pending.extend(reversed(step(test, sheet, pending.pop())))
        except NotThere as error:
            return sheet.finish(outcome_of(error))
        except Stop as error:
            if not sheet.begun:
                raise  # the caller notes that none of these was sent
            return sheet.finish(Outcome(Result.NOT_SENT, str(error)))
        return sheet.finish(Outcome(Result.NOT_SENT))

    def _assign(self, test: str, sheet: Sheet, part: Part) -> list[Part]:
        try:
            self._caller.call(_request(CANDIDATE_ASSIGN, test, sheet, part), readings.done)
        except Unknown as error:
            return self._settle(test, sheet, part, error)
        except NotThere:
            if not self._caller.tenant.has(CANDIDATE_ASSIGN) and self._exists(test):
                self._caller.tenant.not_there(CANDIDATE_ASSIGN, test)
            raise
        except Refused as error:
            return sheet.refuse(part, error)
        except CallError as error:
            sheet.note(part.numbers, outcome_of(error))
        else:
            sheet.note(part.numbers, _DONE)
        return []

    def _settle(self, test: str, sheet: Sheet, part: Part, error: Unknown) -> list[Part]:
        """Reads what became of a lost assignment; what is not proven to be as wanted is to be sent again."""
        sheet.doubt(part, error)
        lost = Outcome(Result.UNKNOWN, str(error))
        if not self._caller.pause(self._caller.connection.visibility_delay):
            sheet.note(part.numbers, lost)
            return []
        there, rest = self._read(test), []
        for number, seat in sheet.seats(part):
            found = there.there.get((seat.auth_system, seat.external_id)) if there else None
            if found and _as_wanted(found, seat.fields):
                sheet.note([number], _DONE)
                continue
            rest.append(number)
            if there and there.lack(seat.auth_system, seat.external_id):
                sheet.clear(number)
        tries = part.tries + 1
        if tries >= self._caller.connection.attempts:
            sheet.note(rest, lost)
            return []
        return [Part(tuple(rest), tries)] if rest else []

    def _remove(self, test: str, sheet: Sheet, part: Part) -> list[Part]:
        try:
            self._caller.call(_request(CANDIDATE_REMOVE, test, sheet, part), readings.done, repeat=True)
        except NotThere as error:
            self._after_404(test, sheet, part, error)
        except Refused as error:
            return sheet.refuse(part, error)
        except StopInDoubt as error:
            sheet.doubt(part, error)
            raise
        except CallError as error:
            sheet.note(part.numbers, outcome_of(error))
        else:
            sheet.note(part.numbers, _DONE)
        return []

    def _after_404(self, test: str, sheet: Sheet, part: Part, error: NotThere) -> None:
        """A removal that found nothing is done only when that is proven, or when the call is known to work."""
        tenant, there = self._caller.tenant, self._read(test)
        if there and there.readable:
            for number, seat in sheet.seats(part):
                if there.lack(seat.auth_system, seat.external_id):
                    sheet.note([number], _WAS_NOT_THERE)
                else:
                    tenant.not_there(CANDIDATE_REMOVE, test)
                    sheet.note([number], outcome_of(error))
            return
        exists = self._exists(test)
        if exists:
            tenant.not_there(CANDIDATE_REMOVE, test)
        done = exists is False or tenant.has(CANDIDATE_REMOVE)
        sheet.note(part.numbers, _WAS_NOT_THERE if done else outcome_of(error))

    def _exists(self, test: str) -> bool | None:
        """Whether Inspera has the test; `None` when that cannot be told, as when no test could ever be read."""
        try:
            found = self._lookups.read_test(test) is not None
        except Stop:
            raise
        except CallError:
            return None
        return found if self._caller.tenant.has(TEST_READ) else None

    def _read(self, test: str) -> Seats | None:
        try:
            return self._lookups.seats(test)
        except Stop:
            raise
        except CallError:
            return None

    def _read_or_none(self, test: str) -> Seats | None:
        try:
            return self._read(test)
        except Stop:
            return None  # the outcomes are already known; the next call raises it again


def _request(call: Call, test: str, sheet: Sheet, part: Part) -> Request:
    seats = [seat for _, seat in sheet.seats(part)]
    word = bodies.removals if call is CANDIDATE_REMOVE else bodies.assignments
    ids = frozenset(seat.external_id for seat in seats)
    return Request(call, {"test": test}, body=word(seats[0].auth_system, seats), ids=ids)


def _as_wanted(seat: Seat, wanted: Fields) -> bool:
    """Whether a reading proves all that is wanted; what it does not show is not proven."""
    shown = {
        "candidate_id": seat.candidate_id,
        "extra_time": seat.extra_time,
        "room": seat.room,
        "building": seat.building,
    }
    return all(wanted.get(name) in (None, value) for name, value in shown.items())
