"""Changes of learners and staff: creating and updating by username, enabling and disabling.

Looking up who is new is the engine's task.
"""

from typing import Final

from sync.contract import (
    LEARNER_CREATE,
    LEARNER_UPDATE,
    PERSON_BY_ID,
    STAFF_CREATE,
    STAFF_DISABLE,
    STAFF_ENABLE,
    STAFF_UPDATE,
    Call,
)
from sync.errors import AlreadyExists, CallError, CallMissing, Refused
from sync.inspera.caller import Caller
from sync.inspera.lookups import Lookups
from sync.inspera.outcomes import lookup_failed, outcome_of
from sync.inspera.request import Request
from sync.inspera.requests import bodies
from sync.inspera.responses import records
from sync.inspera.update_gate import UpdateGate
from sync.records.changes import Action, Cause, Change, Fields, Outcome, Result
from sync.records.remote import RemotePerson

_ADOPT: Final = "look at it in Inspera, then run `inspera-sync adopt`"


class People:
    """Sends changes of learners and staff, except deletions (see `StaffRemoval`). Thread-safe.

    A create that is refused because the username exists has `Cause.TAKEN`: the engine looks the
    person up. So has, as `UNKNOWN`, one that is refused after an earlier attempt was lost.

    An update that is refused so has `Cause.UPDATES`: this tenant takes no updates, and no more of
    them are sent in this run (vendor contract, Users API). If the refusal does not name the
    username, two people must be refused so.

    Every method may raise `Stop` and nothing else.
    """

    def __init__(self, caller: Caller, lookups: Lookups) -> None:
        self._caller, self._lookups = caller, lookups
        self._gates = {
            call.name: UpdateGate()
            for call in (LEARNER_UPDATE, STAFF_UPDATE, STAFF_ENABLE, STAFF_DISABLE)
        }

    def save_learner(self, change: Change, password: str | None) -> Outcome:
        """Create or update a learner; send a password only for a new account."""
        if not change.after.get("username"):
            return Outcome(Result.NOT_SENT, "the learner has no username; map one")
        if change.action is not Action.CREATE:
            return self._update(LEARNER_UPDATE, change, bodies.learner(change.after, None))
        try:
            password = password if password and not self._has_account(change) else None
        except CallError as error:
            return outcome_of(error)
        return self._create(LEARNER_CREATE, bodies.learner(change.after, password))

    def save_staff(self, change: Change, password: str | None) -> Outcome:
        """Create, update, enable or disable staff; send a password only with a create."""
        fields = {**change.before, **change.after}
        if not fields.get("username"):
            return Outcome(Result.NOT_SENT, "the member of staff has no username; map one")
        if change.action is Action.ENABLE:
            body = self._staff({**fields, "status": "active"})
            return self._update(STAFF_ENABLE, change, body)
        if change.action is Action.DISABLE:
            return self._disable(change)
        if change.action is Action.CREATE:
            return self._create(STAFF_CREATE, self._staff(change.after, password))
        return self._update(STAFF_UPDATE, change, self._staff(change.after))

    def _disable(self, change: Change) -> Outcome:
        """Disable an account that still exists: saving a deleted one would create it again."""
        identity = (change.before.get("auth_system"), change.before.get("external_id"))
        try:
            exists = not all(identity) or self._lookups.find_person(*map(str, identity))
        except CallError as error:
            return lookup_failed(error)
        if not exists and self._caller.tenant.has(PERSON_BY_ID):
            return Outcome(Result.DONE, "was not there any more")
        body = self._staff({**change.before, "status": "disabled"})
        return self._update(STAFF_DISABLE, change, body)

    def _staff(self, fields: Fields, password: str | None = None) -> dict[str, object]:
        return bodies.staff(fields, password, self._caller.connection.staff_body)

    def _update(self, call: Call, change: Change, body: dict[str, object]) -> Outcome:
        """Send an update, unless this tenant has refused one in this run as existing."""
        gate = self._gates[call.name]
        with gate.turn() as refused:
            if refused:
                return Outcome(Result.DEFERRED, refused, cause=Cause.UPDATES)
            try:
                # Without the login: a refusal may be reported for the whole tenant.
                remote_id = self._post(call, body, "username")
            except AlreadyExists as error:
                return self._end_refused(gate, change, error)
            except CallError as error:
                return outcome_of(error)
            gate.open()
            return Outcome(Result.DONE, remote_id=remote_id)

    def _end_refused(self, gate: UpdateGate, change: Change, error: AlreadyExists) -> Outcome:
        """Return the outcome of an update that was refused as existing.

        After updates that were taken, or of another's username, the refusal is about this person.
        """
        username = str({**change.before, **change.after}["username"])
        if self._is_own(change) and gate.close(
            str(error), username, names_username=error.names_username
        ):
            return Outcome(Result.DEFERRED, str(error), cause=Cause.UPDATES)
        return Outcome(Result.REFUSED, str(error))

    def _is_own(self, change: Change) -> bool:
        """Tell whether Inspera shows no other username of this person."""
        fields = {**change.before, **change.after}
        auth_system, external_id = fields.get("auth_system"), fields.get("external_id")
        if not (auth_system and external_id):
            return True
        try:
            found = self._lookups.find_person(str(auth_system), str(external_id))
        except CallError:
            return True
        return not found or any(person.username == fields["username"] for person in found)

    def _create(self, call: Call, body: dict[str, object]) -> Outcome:
        try:
            return Outcome(Result.DONE, remote_id=self._post(call, body))
        except CallError as error:
            if isinstance(error, Refused) and error.in_doubt:
                # Whatever its words: what exists may be the account of the lost attempt.
                return Outcome(Result.UNKNOWN, str(error), cause=Cause.TAKEN)
            return outcome_of(error)

    def _post(self, call: Call, body: dict[str, object], *hidden: str) -> str | None:
        """Send the body, and return the user id if the response has it.

        Raises:
            CallError: see `Caller.call`. Its message has no name, email or `hidden` member.
        """
        call = self._caller.named(call)
        names = ("password", "firstName", "lastName", "email", *hidden)
        secret = (body.get(name) for name in names)
        hide = tuple(str(value) for value in secret if value)
        request = Request(call, body=bodies.wrapped(call, body), hide=hide)
        return self._caller.call(request, records.saved_person_id)

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
