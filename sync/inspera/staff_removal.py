"""Deletions of members of staff.

A deletion can't be undone. So each person is looked up first, and the call is never repeated
blindly.
"""

from sync.contract import PERSON_BY_ID, PERSON_READ, STAFF_DELETE
from sync.errors import CallError, NotThere, Stop, Unknown
from sync.inspera.caller import Caller
from sync.inspera.lookups import Lookups
from sync.inspera.outcomes import lookup_failed, outcome_of
from sync.inspera.people import hold_doubtful_person
from sync.inspera.request import Request
from sync.inspera.responses import records
from sync.records.changes import Fields, Outcome, Result

_WAS_NOT_THERE = Outcome(Result.DONE, "was not there")
_NOT_KNOWN = Outcome(
    Result.NOT_SENT,
    "it is not known whether Inspera has it, because this tenant answers every look-up of people "
    "with 404; run `inspera-sync doctor`, and look for it in Inspera",
)


class StaffRemoval:
    """Sends deletions of staff. Thread-safe; may raise `Stop` and nothing else."""

    def __init__(self, caller: Caller, lookups: Lookups) -> None:
        self._caller, self._lookups = caller, lookups

    def delete(self, known: Fields) -> Outcome:
        """Delete the member of staff with the known external id (vendor contract, Users API).

        It is done when nobody is there. It is held when the person has another username now, or
        when several people match.
        """
        auth_system, external_id = known.get("auth_system"), known.get("external_id")
        if not auth_system or not external_id:
            return Outcome(
                Result.NOT_SENT,
                "the member of staff has no known external_id; run `inspera-sync adopt`",
            )
        identity = (str(auth_system), str(external_id))
        try:
            matches = self._lookups.find_person(*identity)
        except CallError as error:
            return lookup_failed(error)
        if not matches:
            return _WAS_NOT_THERE if self._caller.tenant.has(PERSON_BY_ID) else _NOT_KNOWN
        held = hold_doubtful_person(matches, known)
        if held:
            return held
        user = matches[0].remote_id
        if not user:
            return Outcome(Result.NOT_SENT, "Inspera does not show its user id")
        return self._delete(user, identity)

    def _delete(self, user: str, identity: tuple[str, str]) -> Outcome:
        request = Request(self._caller.named(STAFF_DELETE), {"user": user})
        lost = Outcome(Result.UNKNOWN)
        for _ in range(self._caller.connection.attempts):
            try:
                self._caller.call(request, records.done, settles=True)
            except Unknown as error:
                lost = Outcome(Result.UNKNOWN, str(error))
            except NotThere as error:
                return self._settle_404(request, user, identity, error)
            except CallError as error:
                return outcome_of(error)
            else:
                return Outcome(Result.DONE)
            if not self._caller.pause(self._caller.connection.read_after_write_delay):
                return lost
            gone = self._is_gone(user, identity)
            if gone is not False:
                return Outcome(Result.DONE) if gone else lost
        return lost

    def _settle_404(
        self, request: Request, user: str, identity: tuple[str, str], error: NotThere
    ) -> Outcome:
        """Return the outcome of a 404 for a person who was found a moment ago.

        The person counts as gone only when that is proven, or when the call is known to work here.
        """
        gone = self._is_gone(user, identity)
        if gone is False:
            self._caller.tenant.not_there(request.call, user)
            return outcome_of(error)
        return (
            _WAS_NOT_THERE if gone or self._caller.tenant.has(request.call) else outcome_of(error)
        )

    def _is_gone(self, user: str, identity: tuple[str, str]) -> bool | None:
        """Tell whether Inspera no longer has the user; `None` when that is not known.

        A 404 proves nothing on a tenant where no user could ever be read. There the look-up by
        external id is repeated.
        """
        try:
            if self._lookups.read_person(user) is not None:
                return False
            if self._caller.tenant.has(PERSON_READ):
                return True
        except Stop:
            raise
        except CallError:
            pass  # the look-up below may still show it
        try:
            return all(person.remote_id != user for person in self._lookups.find_person(*identity))
        except Stop:
            raise
        except CallError:
            return None
