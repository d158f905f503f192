"""Learners and staff: saved by username, looked up before a new one is made, and staff disabled or deleted."""

from typing import Final

from sync.contract import LEARNER_SAVE, STAFF_DISABLE, STAFF_ENABLE, STAFF_SAVE, Call
from sync.errors import CallError, CallMissing
from sync.found import FoundPerson
from sync.inspera.caller import Caller
from sync.inspera.calls import Request
from sync.inspera.lookups import Lookups
from sync.inspera.outcomes import outcome_of, unread
from sync.inspera.payloads import bodies, readings
from sync.plan import Action, Change, Fields, Outcome, Result, Value

_ADOPT: Final = "look at it in Inspera, then run `inspera-sync adopt`"


class People:
    """Carries out changes of learners and of staff, but for deletions (see `Leavers`). Thread-safe.

    Every method may raise `Stop` and nothing else.
    """

    def __init__(self, caller: Caller, lookups: Lookups) -> None:
        self._caller, self._lookups = caller, lookups

    def learner(self, change: Change, password: str | None) -> Outcome:
        """Creates or updates a learner; a password goes only to an account that is not there yet."""
        if not change.after.get("username"):
            return Outcome(Result.NOT_SENT, "the learner has no username; map one")
        try:
            password = password if password and not self._has_account(change) else None
        except CallError as error:
            return outcome_of(error)
        return self._save(LEARNER_SAVE, bodies.learner(change.after, password))

    def staff(self, change: Change, password: str | None) -> Outcome:
        """Creates, updates, enables or disables a member of staff."""
        fields = {**change.before, **change.after}
        if not fields.get("username"):
            return Outcome(Result.NOT_SENT, "the member of staff has no username; map one")
        if change.action is Action.CREATE:
            return self._create_staff(change.after, password)
        if change.action is Action.ENABLE:
            return self._save(STAFF_ENABLE, bodies.staff({**fields, "status": "active"}))
        if change.action is Action.DISABLE:
            return self._save(STAFF_DISABLE, bodies.staff({**change.before, "status": "disabled"}))
        return self._save(STAFF_SAVE, bodies.staff(change.after))

    def _create_staff(self, wanted: Fields, password: str | None) -> Outcome:
        try:
            matches = self._matches(wanted)
        except CallError as error:
            return unread(error)
        if not matches:
            return self._save(STAFF_SAVE, bodies.staff(wanted, password))
        held = held_doubtful(matches, wanted)
        return held or self._take_in(matches[0], wanted)

    def _take_in(self, person: FoundPerson, wanted: Fields) -> Outcome:
        """Brings an account that was there up to date; its password stays its own."""
        done = self._save(STAFF_SAVE, bodies.staff(wanted))
        if done.result is Result.DONE:
            return Outcome(Result.FOUND, "Inspera had it already; brought up to date", person.remote_id)
        if done.result is Result.UNKNOWN:
            return done
        message = f"Inspera had it already, and keeps its own values: {done.message}"
        return Outcome(Result.FOUND, message, person.remote_id, _values(person, wanted))

    def _matches(self, wanted: Fields) -> list[FoundPerson]:
        """By external id, then by login (vendor contract, Users API: how the vendor's own integrations match)."""
        identity = (wanted.get("auth_system"), wanted.get("external_id"))
        found = self._lookups.person(*map(str, identity)) if all(identity) else []
        try:
            return found or self._lookups.person_by_login(str(wanted["username"]))
        except CallMissing:
            return []

    def _save(self, call: Call, body: dict[str, object]) -> Outcome:
        call = self._caller.named(call)
        secret = (body.get(name) for name in ("password", "firstName", "lastName", "email"))
        hide = tuple(str(value) for value in secret if value)
        try:
            request = Request(call, body=bodies.wrapped(call, body), hide=hide)
            remote_id = self._caller.call(request, readings.saved_person)
        except CallError as error:
            return outcome_of(error)
        return Outcome(Result.DONE, remote_id=remote_id)

    def _has_account(self, change: Change) -> bool:
        identity = (change.after.get("auth_system"), change.after.get("external_id"))
        try:
            return all(identity) and bool(self._lookups.person(*map(str, identity)))
        except CallMissing:
            return False


def held_doubtful(matches: list[FoundPerson], ours: Fields) -> Outcome | None:
    """Held when several people match, or when the one who does has another username, which can't be changed."""
    if len(matches) > 1:
        ids = ", ".join(person.remote_id or "?" for person in matches[:5])
        return Outcome(Result.HELD, f"doubtful: Inspera has {len(matches)} people who match ({ids}); {_ADOPT}")
    person = matches[0]
    if person.username in (None, ours.get("username")):
        return None
    return Outcome(Result.HELD, f"doubtful: Inspera has it under another username; {_ADOPT}", person.remote_id)


def _values(person: FoundPerson, wanted: Fields) -> dict[str, Value]:
    """What Inspera showed of a person; `None` is what it did not."""
    has_id = (wanted.get("auth_system"), wanted.get("external_id")) in person.external_ids
    return {
        "username": person.username,
        "auth_system": wanted.get("auth_system") if has_id else None,
        "external_id": wanted.get("external_id") if has_id else None,
        "first_name": person.first_name,
        "last_name": person.last_name,
        "email": person.email,
        "status": person.status,
    }
