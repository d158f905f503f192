"""Changes of learners and staff: saving by username, enabling and disabling.

Looking up who is new is the engine's task.
"""

from typing import Final

from sync.contract import LEARNER_SAVE, PERSON_BY_ID, STAFF_DISABLE, STAFF_ENABLE, STAFF_SAVE, Call
from sync.errors import CallError, CallMissing
from sync.inspera.caller import Caller
from sync.inspera.lookups import Lookups
from sync.inspera.outcomes import lookup_failed, outcome_of
from sync.inspera.request import Request
from sync.inspera.requests import bodies
from sync.inspera.responses import records
from sync.records.changes import Action, Cause, Change, Fields, Outcome, Result
from sync.records.remote import RemotePerson

_ADOPT: Final = "look at it in Inspera, then run `inspera-sync adopt`"


class People:
    """Sends changes of learners and staff, except deletions (see `StaffRemoval`). Thread-safe.

    Every method may raise `Stop` and nothing else.
    """

    def __init__(self, caller: Caller, lookups: Lookups) -> None:
        self._caller, self._lookups = caller, lookups

    def save_learner(self, change: Change, password: str | None) -> Outcome:
        """Create or update a learner; send a password only for a new account."""
        if not change.after.get("username"):
            return Outcome(Result.NOT_SENT, "the learner has no username; map one")
        try:
            password = password if password and not self._has_account(change) else None
        except CallError as error:
            return outcome_of(error)
        return self._save(LEARNER_SAVE, bodies.learner(change.after, password))

    def save_staff(self, change: Change, password: str | None) -> Outcome:
        """Create, update, enable or disable staff; send a password only with a create."""
        fields = {**change.before, **change.after}
        if not fields.get("username"):
            return Outcome(Result.NOT_SENT, "the member of staff has no username; map one")
        if change.action is Action.ENABLE:
            return self._save(STAFF_ENABLE, bodies.staff({**fields, "status": "active"}))
        if change.action is Action.DISABLE:
            return self._disable(change)
        first_password = password if change.action is Action.CREATE else None
        return self._save(STAFF_SAVE, bodies.staff(change.after, first_password))

    def _disable(self, change: Change) -> Outcome:
        """Disable an account that still exists: saving a deleted one would create it again."""
        identity = (change.before.get("auth_system"), change.before.get("external_id"))
        try:
            exists = not all(identity) or self._lookups.find_person(*map(str, identity))
        except CallError as error:
            return lookup_failed(error)
        if not exists and self._caller.tenant.has(PERSON_BY_ID):
            return Outcome(Result.DONE, "was not there any more")
        return self._save(STAFF_DISABLE, bodies.staff({**change.before, "status": "disabled"}))

    def _save(self, call: Call, body: dict[str, object]) -> Outcome:
        call = self._caller.named(call)
        secret = (body.get(name) for name in ("password", "firstName", "lastName", "email"))
        hide = tuple(str(value) for value in secret if value)
        try:
            request = Request(call, body=bodies.wrapped(call, body), hide=hide)
            remote_id = self._caller.call(request, records.saved_person_id)
        except CallError as error:
            return outcome_of(error)
        return Outcome(Result.DONE, remote_id=remote_id)

    def _has_account(self, change: Change) -> bool:
        identity = (change.after.get("auth_system"), change.after.get("external_id"))
        try:
            return all(identity) and bool(self._lookups.find_person(*map(str, identity)))
        except CallMissing:
            return False


def hold_doubtful_person(matches: list[RemotePerson], ours: Fields) -> Outcome | None:
    """Return a `HELD` outcome if the match may be another person.

    That is so if several people match, or if the only match has another username, or another
    external id in the same auth system.
    """
    if len(matches) > 1:
        ids = ", ".join(person.remote_id or "?" for person in matches[:5])
        message = f"doubtful: Inspera has {len(matches)} people who match ({ids}); {_ADOPT}"
        return Outcome(Result.HELD, message, cause=Cause.DOUBTFUL)
    person = matches[0]
    linked = {
        external_id
        for system, external_id in person.external_ids
        if system == ours.get("auth_system")
    }
    if person.username not in (None, ours.get("username")):
        other = "username"
    elif ours.get("external_id") and linked and ours["external_id"] not in linked:
        other = "external id"
    else:
        return None
    message = f"doubtful: Inspera has it under another {other}; {_ADOPT}"
    return Outcome(Result.HELD, message, person.remote_id, cause=Cause.DOUBTFUL)
