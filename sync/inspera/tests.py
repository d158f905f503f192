"""Changes of tests: creating, settling and updating.

A create must never be sent twice blindly: the second one would apply the template again (rules 24).
"""

from dataclasses import replace
from datetime import datetime

from sync.contract import TEST_ACTIVATE, TEST_CREATE, TEST_UPDATE, Stage
from sync.errors import CallError, NotThere, Refused, Unknown
from sync.inspera.caller import Caller
from sync.inspera.lookups import Lookups
from sync.inspera.outcomes import lookup_failed, outcome_of
from sync.inspera.recent_readings import TestMatches
from sync.inspera.refusal_words import deferred_as_archived
from sync.inspera.request import Request
from sync.inspera.requests import bodies
from sync.inspera.responses import records
from sync.planning.member_guard import AGREED
from sync.planning.remedies import adopt
from sync.records.changes import Cause, Change, Fields, Outcome, Result, Value
from sync.records.remote import RemoteTest

_ADOPT = "look at it in Inspera, and remove all but one of them there"
_UPDATED_FIELDS = ("title", "start", "end", "duration")
"""The fields that an update sends and a search shows."""

AGREED_TIMES = "somebody had changed its times in Inspera to those of the source: taken as known"


class Tests:
    """Sends changes of tests. Thread-safe; every method may raise `Stop` and nothing else.

    Only one worker may work on a test at a time.
    """

    def __init__(self, caller: Caller, lookups: Lookups) -> None:
        self._caller, self._lookups = caller, lookups

    def create(self, change: Change) -> Outcome:
        """Create a test. One that Inspera has already is `FOUND`, or `HELD` if its times differ."""
        external_id = str(change.after.get("external_test_id") or "")
        if not external_id:
            return Outcome(Result.NOT_SENT, "the test has no external_test_id; map one")
        try:
            search = self._lookups.recent_search(external_id)
        except CallError as error:
            return lookup_failed(error)
        try:
            if search.matches:
                return self._use_existing(search.matches, change.after)
            return self._post_new(external_id, change.after)
        finally:
            self._lookups.readings.forget_search(external_id)

    def settle(self, external_test_id: str, since: datetime) -> Outcome:
        """Find out what became of a create that was possibly sent until `since` (aware).

        `DONE` has Inspera's own values. `NOT_SENT`: a search finds no such test although the
        visibility delay has passed.
        """
        delay = self._caller.connection.read_after_write_delay
        try:
            search = self._lookups.search_tests(external_test_id)
            waited = (self._caller.clock() - since).total_seconds()
            if not search.matches and waited <= delay:
                if not self._caller.pause(min(delay, delay - waited)):
                    return Outcome(
                        Result.UNKNOWN,
                        "the run is being ended before it is known whether the test was created",
                    )
                search = self._lookups.search_tests(external_test_id)
        except CallError as error:
            return lookup_failed(error, Result.UNKNOWN)
        if search.matches:
            return _hold_doubtful(search.matches) or _outcome(Result.DONE, search.matches[0])
        return _absent(search)

    def update(self, change: Change) -> Outcome:
        """Send title and all times, never the template, to a test that has the known times.

        The test is looked up first: if somebody has changed its times in Inspera, it is held (rules
        17).
        """
        external_id = str(change.before.get("external_test_id") or "")
        if not external_id:
            return Outcome(
                Result.NOT_SENT, "the test has no known external_test_id; run `inspera-sync adopt`"
            )
        try:
            matches = self._lookups.search_tests(external_id).matches
        except CallError as error:
            return lookup_failed(error)
        if not matches:
            return _hold_gone(change)
        known = {
            name: _first(change.before.get(name), change.after.get(name))
            for name in ("start", "end")
        }
        stopped = (
            _hold_doubtful(matches)
            or _hold_drift(matches[0], known, "known is", change.after)
            or _defer_archived(matches[0])
        )
        if stopped:
            return stopped
        agrees = _agrees(matches[0], change, known)
        if agrees and all(
            getattr(matches[0], name) == change.after.get(name) for name in _UPDATED_FIELDS
        ):
            return replace(_outcome(Result.DONE, matches[0], AGREED), there={})
        outcome = self._post_update(matches[0], {**change.after, "external_test_id": external_id})
        outcome = replace(outcome, is_parent=matches[0].is_parent)
        done = outcome.result is Result.DONE
        return replace(outcome, message=AGREED_TIMES) if agrees and done else outcome

    def activate(self, change: Change, remote_id: str) -> Outcome:
        """Activate a test. A call whose answer was lost is sent again only after a search.

        A second activation should do no harm, since only the first one mails graders.
        """
        call = self._caller.named(TEST_ACTIVATE)
        request, lost = Request(call, {"test": remote_id}), None
        for _ in range(self._caller.connection.attempts):
            try:
                self._caller.call(request, records.done)
            except Unknown as error:
                lost = error
            except CallError as error:
                if isinstance(error, NotThere):
                    self._caller.tenant.not_there(call, remote_id)
                archived = deferred_as_archived(error) if isinstance(error, Refused) else None
                return archived or outcome_of(error)
            else:
                return Outcome(Result.DONE, remote_id=remote_id)
            if settled := self._settle_activation(change, remote_id, lost):
                return settled
        return Outcome(Result.UNKNOWN, f"{lost}; a search does not show it as activated yet")

    def _settle_activation(self, change: Change, remote_id: str, lost: Unknown) -> Outcome | None:
        """Search for the status after a lost answer; return `None` when it may be sent again."""
        if not self._caller.pause(self._caller.connection.read_after_write_delay):
            return Outcome(Result.UNKNOWN, str(lost))
        try:
            search = self._lookups.search_tests(str(change.after.get("external_test_id") or ""))
        except CallError as error:
            return Outcome(Result.UNKNOWN, f"{lost}; {error}")
        there = [test for test in search.matches if test.remote_id == remote_id]
        if any(test.stage is Stage.ACTIVATED for test in there):
            return Outcome(Result.DONE, remote_id=remote_id)
        return None if there else Outcome(Result.UNKNOWN, f"{lost}; a search does not find it")

    def _use_existing(self, matches: tuple[RemoteTest, ...], wanted: Fields) -> Outcome:
        held = _hold_doubtful(matches) or _hold_drift(matches[0], wanted, "wanted is")
        if held:
            return held
        test = matches[0]
        if all(wanted.get(name) in (None, value) for name, value in _values(test).items()):
            return _outcome(Result.FOUND, test, "Inspera had it already")
        updated = _defer_archived(test) or self._post_update(test, wanted)
        if updated.result is Result.DONE:
            values = {
                name: _first(wanted.get(name), value) for name, value in _values(test).items()
            }
            found = _outcome(Result.FOUND, test, "Inspera had it already; brought up to date")
            return replace(found, there=values)
        if updated.result is Result.UNKNOWN:
            return updated
        message = f"Inspera had it already, and keeps its own values: {updated.message}"
        return _outcome(Result.FOUND, test, message)

    def _post_update(self, test: RemoteTest, fields: Fields) -> Outcome:
        call = self._caller.named(TEST_UPDATE)
        body, query = (
            bodies.wrapped(call, bodies.test(fields)),
            self._caller.connection.external_query,
        )
        request = Request(call, query=query, body=body)
        try:
            remote_id, _ = self._caller.call(request, records.saved_test_id)
        except CallError as error:
            if isinstance(error, NotThere):
                self._caller.tenant.not_there(call, test.remote_id)
            archived = deferred_as_archived(error) if isinstance(error, Refused) else None
            return archived or outcome_of(error)
        finally:
            self._lookups.readings.forget_search(str(fields["external_test_id"]))
            self._lookups.readings.forget_members(test.remote_id)
        return Outcome(Result.DONE, remote_id=remote_id)

    def _post_new(self, external_id: str, wanted: Fields) -> Outcome:
        call = self._caller.named(TEST_CREATE)
        body = bodies.wrapped(call, bodies.new_test(wanted))
        request = Request(call, query=self._caller.connection.external_query, body=body)
        lost: Unknown | None = None
        for _ in range(self._caller.connection.attempts):
            try:
                remote_id, new = self._caller.call(request, records.saved_test_id)
            except Unknown as error:
                lost = error
            except CallError as error:
                return outcome_of(error)
            else:
                if new or lost is not None:
                    return Outcome(Result.DONE, remote_id=remote_id)
                # Somebody else created it between our search and our post, which only updated it.
                # So it counts as found, and is never removed by us (rules 10).
                names = ("external_test_id", *_UPDATED_FIELDS)
                values = {name: wanted.get(name) for name in names}
                return Outcome(Result.FOUND, "Inspera had it already", remote_id, values)
            settled = self._settle_lost(external_id, wanted, lost)
            if settled is not None:
                return settled
        return Outcome(Result.UNKNOWN, f"{lost}; a search does not find it yet")

    def _settle_lost(self, external_id: str, wanted: Fields, lost: Unknown) -> Outcome | None:
        """Search for a test whose create was lost; return `None` when it may be sent again."""
        if not self._caller.pause(self._caller.connection.read_after_write_delay):
            return Outcome(Result.UNKNOWN, str(lost))
        try:
            search = self._lookups.search_tests(external_id)
        except CallError as error:
            return Outcome(Result.UNKNOWN, f"{lost}; {error}")
        if search.matches:
            test = search.matches[0]
            held = _hold_doubtful(search.matches) or _hold_drift(test, wanted, "wanted is")
            return held or Outcome(Result.DONE, remote_id=test.remote_id)
        return None if search.conclusive else _absent(search)


def _absent(search: TestMatches) -> Outcome:
    if search.conclusive:
        return Outcome(Result.NOT_SENT, "Inspera does not have it")
    return Outcome(
        Result.UNKNOWN,
        "it is not known whether Inspera has it, because this tenant answers every search for "
        "tests with 404; run `inspera-sync doctor`, and look for it in Inspera",
    )


def _hold_gone(change: Change) -> Outcome:
    message = (
        "Inspera does not have it any more; look there first; "
        f"{adopt(change.kind, change.key, '--as-new')} forgets it and all that is on it here, "
        "so that the next `apply` creates it again"
    )
    return Outcome(Result.HELD, message, cause=Cause.DRIFT)


def _hold_doubtful(matches: tuple[RemoteTest, ...]) -> Outcome | None:
    if len(matches) < 2:
        return None
    ids = ", ".join(test.remote_id for test in matches[:5])
    message = f"doubtful: Inspera has {len(matches)} tests with this external id ({ids}); {_ADOPT}"
    return Outcome(Result.HELD, message, cause=Cause.DOUBTFUL)


def _hold_drift(
    test: RemoteTest, ours: Fields, ours_are: str, wanted: Fields | None = None
) -> Outcome | None:
    """Return a `HELD` outcome when Inspera's times are not ours, or can't be read.

    Times that we do not have are ignored. A time that somebody has changed to exactly the `wanted`
    one is not drift.
    """
    theirs = {"start": test.start, "end": test.end}
    agreed = {
        name
        for name, value in theirs.items()
        if value is not None and (wanted or {}).get(name) == value
    }
    disputed = tuple(
        name
        for name, value in theirs.items()
        if name not in agreed and ours.get(name) not in (None, value)
    )
    if not disputed:
        return None
    message = (
        f"drift: Inspera has {test.start or 'no readable start'} to "
        f"{test.end or 'no readable end'}, {ours_are} {ours.get('start')} to {ours.get('end')}"
    )
    return replace(_outcome(Result.HELD, test, message), cause=Cause.DRIFT, disputed=disputed)


def _defer_archived(test: RemoteTest) -> Outcome | None:
    """Return a `DEFERRED` outcome for a test that Inspera shows as archived (rules 22)."""
    if test.stage is not Stage.ARCHIVED:
        return None
    message = f"Inspera shows the status '{test.status}'"
    return Outcome(Result.DEFERRED, message, test.remote_id, cause=Cause.ARCHIVED)


def _agrees(test: RemoteTest, change: Change, known: Fields) -> bool:
    """Tell whether somebody has changed Inspera's times to those that the source has now."""
    theirs = {"start": test.start, "end": test.end}
    return bool(change.before.get("start")) and any(
        value != known.get(name) and value == change.after.get(name)
        for name, value in theirs.items()
    )


def _outcome(result: Result, test: RemoteTest, message: str = "") -> Outcome:
    there = _values(test)
    return Outcome(result, message, test.remote_id, there, is_parent=test.is_parent)


def _values(test: RemoteTest) -> dict[str, Value]:
    """Return the values that Inspera showed of a test; `None` for those that it did not."""
    return {
        "external_test_id": test.external_test_id,
        "title": test.title,
        "start": test.start,
        "end": test.end,
        "duration": test.duration,
    }


def _first(value: Value, otherwise: Value) -> Value:
    return otherwise if value is None else value
