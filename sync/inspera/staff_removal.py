"""Deletes members of staff, which can't be undone: each is looked up first, and the call is never repeated blindly."""

from sync.contract import PERSON_BY_ID, PERSON_READ, STAFF_DELETE
from sync.errors import CallError, NotThere, Stop, Unknown
from sync.inspera.caller import Caller
from sync.inspera.calls import Request
from sync.inspera.lookups import Lookups
from sync.inspera.outcomes import outcome_of, unread
from sync.inspera.people import held_doubtful
from sync.inspera.responses import records
from sync.records.changes import Fields, Outcome, Result

_WAS_NOT_THERE = Outcome(Result.DONE, "was not there")
_NOBODY = Outcome(
    Result.NOT_SENT,
    "whether Inspera has it cannot be told, because this tenant answers every look-up of people with 404; "
    "run `inspera-sync doctor`, and look for it in Inspera",
)


class StaffRemoval:
    """Carries out deletions. Thread-safe; may raise `Stop` and nothing else."""

    def __init__(self, caller: Caller, lookups: Lookups) -> None:
        self._caller, self._lookups = caller, lookups

    def delete(self, known: Fields) -> Outcome:
        """Deletes the member of staff with the known external id (vendor contract, Users API; inferred).

        Nobody there is done. One who has another username by now, or several, are held.
        """
        identity = _identity(known)
        if identity is None:
            return Outcome(
                Result.NOT_SENT,
                "the member of staff has no known external_id; run `inspera-sync adopt`",
            )
        try:
            matches = self._lookups.person(*identity)
        except CallError as error:
            return unread(error)
        if not matches:
            return _WAS_NOT_THERE if self._caller.tenant.has(PERSON_BY_ID) else _NOBODY
        held = held_doubtful(matches, known)
        if held:
            return held
        user = matches[0].remote_id
        return (
            self._delete(user, identity)
            if user
            else Outcome(Result.NOT_SENT, "Inspera does not show its user id")
        )

    def _delete(self, user: str, identity: tuple[str, str]) -> Outcome:
        request = Request(self._caller.named(STAFF_DELETE), {"user": user})
        lost = Outcome(Result.UNKNOWN)
        for _ in range(self._caller.connection.attempts):
            try:
                self._caller.call(request, records.done, settles=True)
            except Unknown as error:
                lost = Outcome(Result.UNKNOWN, str(error))
            except NotThere as error:
                return self._after_404(request, user, identity, error)
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

    def _after_404(
        self, request: Request, user: str, identity: tuple[str, str], error: NotThere
    ) -> Outcome:
        """It was found a moment ago, so a 404 is believed only when it is proven, or when the call is known to work."""
        gone = self._is_gone(user, identity)
        if gone is False:
            self._caller.tenant.not_there(request.call, user)
            return outcome_of(error)
        return (
            _WAS_NOT_THERE if gone or self._caller.tenant.has(request.call) else outcome_of(error)
        )

    def _is_gone(self, user: str, identity: tuple[str, str]) -> bool | None:
        """Whether Inspera has the user no more; `None` when that can't be told.

        A 404 proves nothing on a tenant where no user could ever be read; there the look-up that found it tells.
        """
        try:
            if self._lookups.read_person(user) is not None:
                return False
            if self._caller.tenant.has(PERSON_READ):
                return True
        except Stop:
            raise
        except CallError:
            pass  # the look-up may still tell
        try:
            return all(person.remote_id != user for person in self._lookups.person(*identity))
        except Stop:
            raise
        except CallError:
            return None


def _identity(known: Fields) -> tuple[str, str] | None:
    auth_system, external_id = known.get("auth_system"), known.get("external_id")
    return (str(auth_system), str(external_id)) if auth_system and external_id else None
