"""Creates, settles and updates tests: the one kind whose create must never be sent twice blindly (its template)."""

from dataclasses import replace
from datetime import datetime

from sync.contract import TEST_CREATE, TEST_UPDATE
from sync.errors import CallError, NotThere, Unknown
from sync.inspera.caller import Caller
from sync.inspera.calls import Request
from sync.inspera.lookups import Lookups, Search
from sync.inspera.outcomes import outcome_of, unread
from sync.inspera.requests import bodies
from sync.inspera.responses import records
from sync.planning.guard import AGREED
from sync.planning.remedies import adopt
from sync.records.changes import Cause, Change, Fields, Outcome, Result, Value
from sync.records.remote import RemoteTest

_ADOPT = "look at it in Inspera, and remove all but one of them there"
_TOLD = ("title", "start", "end", "duration")
"""What a search shows of a test and an update sends."""

AGREED_TIMES = "somebody had changed its times in Inspera to what the source says: taken as known"


class Tests:
    """Carries out changes of tests. Thread-safe; every method may raise `Stop` and nothing else.

    Each test must be in the hands of one worker at a time.
    """

    def __init__(self, caller: Caller, lookups: Lookups) -> None:
        self._caller, self._lookups = caller, lookups

    def create(self, change: Change) -> Outcome:
        """Creates a test; one that Inspera has already is taken in as found, or held when its times differ."""
        external_id = _text(change.after.get("external_test_id"))
        if not external_id:
            return Outcome(Result.NOT_SENT, "the test has no external_test_id; map one")
        try:
            search = self._lookups.search(external_id)
        except CallError as error:
            return unread(error)
        if search.matches:
            return self._take_in(search.matches, change.after)
        return self._post_new(external_id, change.after)

    def settle(self, external_test_id: str, since: datetime) -> Outcome:
        """What became of a create whose outcome was not recorded, when it may have been sent until `since` (aware).

        `DONE` with Inspera's own values, or `NOT_SENT` when a search finds none once the visibility delay has passed.
        """
        delay = self._caller.connection.read_after_write_delay
        try:
            search = self._lookups.search(external_test_id)
            waited = (self._caller.clock() - since).total_seconds()
            if not search.matches and waited <= delay:
                if not self._caller.pause(min(delay, delay - waited)):
                    return Outcome(
                        Result.UNKNOWN,
                        "the run is being ended before it could be told whether it was made",
                    )
                search = self._lookups.search(external_test_id)
        except CallError as error:
            return unread(error, Result.UNKNOWN)
        if search.matches:
            return _held_doubtful(search.matches) or _is_there(Result.DONE, search.matches[0])
        return _absent(search)

    def update(self, change: Change) -> Outcome:
        """Sends title and all times to a test that still has the times that are known, and never its template."""
        external_id = _text(change.before.get("external_test_id"))
        if not external_id:
            return Outcome(
                Result.NOT_SENT, "the test has no known external_test_id; run `inspera-sync adopt`"
            )
        try:
            matches = self._lookups.search(external_id).matches
        except CallError as error:
            return unread(error)
        if not matches:
            return Outcome(Result.HELD, _gone(change), cause=Cause.DRIFT)
        known = {name: _known_time(change, name) for name in ("start", "end")}
        held = _held_doubtful(matches) or _held_drift(matches[0], known, "known is", change.after)
        if held:
            return held
        agrees = _agrees(matches[0], change, known)
        if agrees and all(getattr(matches[0], name) == change.after.get(name) for name in _TOLD):
            return Outcome(Result.DONE, AGREED, matches[0].remote_id)
        done = self._post_update(matches[0], {**change.after, "external_test_id": external_id})
        return (
            replace(done, message=AGREED_TIMES) if agrees and done.result is Result.DONE else done
        )

    def _take_in(self, matches: tuple[RemoteTest, ...], wanted: Fields) -> Outcome:
        held = _held_doubtful(matches) or _held_drift(matches[0], wanted, "wanted is")
        if held:
            return held
        test = matches[0]
        if all(wanted.get(name) in (None, value) for name, value in _values(test).items()):
            return _is_there(Result.FOUND, test, "Inspera had it already")
        done = self._post_update(test, wanted)
        if done.result is Result.DONE:
            there = {name: _first(wanted.get(name), value) for name, value in _values(test).items()}
            return Outcome(
                Result.FOUND, "Inspera had it already; brought up to date", test.remote_id, there
            )
        if done.result is Result.UNKNOWN:
            return done
        return _is_there(
            Result.FOUND, test, f"Inspera had it already, and keeps its own values: {done.message}"
        )

    def _post_update(self, test: RemoteTest, fields: Fields) -> Outcome:
        call = self._caller.named(TEST_UPDATE)
        request = Request(call, body=bodies.wrapped(call, bodies.test(fields)))
        try:
            remote_id, _ = self._caller.call(request, records.saved_test)
        except CallError as error:
            if isinstance(error, NotThere):
                self._caller.tenant.not_there(call, test.remote_id)
            return outcome_of(error)
        return Outcome(Result.DONE, remote_id=remote_id)

    def _post_new(self, external_id: str, wanted: Fields) -> Outcome:
        call = self._caller.named(TEST_CREATE)
        request = Request(call, body=bodies.wrapped(call, bodies.new_test(wanted)))
        lost: Unknown | None = None
        for _ in range(self._caller.connection.attempts):
            try:
                remote_id, new = self._caller.call(request, records.saved_test)
            except Unknown as error:
                lost = error
            except CallError as error:
                return outcome_of(error)
            else:
                return _made(remote_id, wanted, found=not new and lost is None)
            settled = self._after_lost(external_id, wanted, lost)
            if settled is not None:
                return settled
        return Outcome(Result.UNKNOWN, f"{lost}; a search does not find it yet")

    def _after_lost(self, external_id: str, wanted: Fields, lost: Unknown) -> Outcome | None:
        """Looks for a test whose create was lost; `None` when a search proves that it may be sent again."""
        if not self._caller.pause(self._caller.connection.read_after_write_delay):
            return Outcome(Result.UNKNOWN, str(lost))
        try:
            search = self._lookups.search(external_id)
        except CallError as error:
            return Outcome(Result.UNKNOWN, f"{lost}; {error}")
        if search.matches:
            held = _held_doubtful(search.matches) or _held_drift(
                search.matches[0], wanted, "wanted is"
            )
            return held or Outcome(Result.DONE, remote_id=search.matches[0].remote_id)
        return None if search.sure else _absent(search)


def _made(remote_id: str, wanted: Fields, *, found: bool) -> Outcome:
    if not found:
        return Outcome(Result.DONE, remote_id=remote_id)
    # Somebody else made it between our search and our post, which changed it: it is not ours.
    there = {
        name: wanted.get(name) for name in ("external_test_id", "title", "start", "end", "duration")
    }
    return Outcome(Result.FOUND, "Inspera had it already", remote_id, there)


def _absent(search: Search) -> Outcome:
    if search.sure:
        return Outcome(Result.NOT_SENT, "Inspera does not have it")
    return Outcome(
        Result.UNKNOWN,
        "whether Inspera has it cannot be told, because this tenant answers every search for tests with 404; "
        "run `inspera-sync doctor`, and look for it in Inspera",
    )


def _held_doubtful(matches: tuple[RemoteTest, ...]) -> Outcome | None:
    if len(matches) < 2:
        return None
    ids = ", ".join(test.remote_id for test in matches[:5])
    message = f"doubtful: Inspera has {len(matches)} tests with this external id ({ids}); {_ADOPT}"
    return Outcome(Result.HELD, message, cause=Cause.DOUBTFUL)


def _held_drift(
    test: RemoteTest, ours: Fields, ours_are: str, wanted: Fields | None = None
) -> Outcome | None:
    """Held when Inspera's times are not ours, or cannot be read; a time that we have no word on is left alone.

    What somebody has changed there to the very time that is `wanted` is no drift.
    """
    theirs = {"start": test.start, "end": test.end}
    agreed = {
        name
        for name, value in theirs.items()
        if value is not None and (wanted or {}).get(name) == value
    }
    disputed = tuple(
        n for n, value in theirs.items() if n not in agreed and ours.get(n) not in (None, value)
    )
    if not disputed:
        return None
    message = (
        f"drift: Inspera has {test.start or 'no readable start'} to {test.end or 'no readable end'}, {ours_are} "
        f"{ours.get('start')} to {ours.get('end')}"
    )
    return replace(_is_there(Result.HELD, test, message), cause=Cause.DRIFT, disputed=disputed)


def _agrees(test: RemoteTest, change: Change, known: Fields) -> bool:
    """Whether somebody has changed Inspera's times, and the source now says the same."""
    theirs = {"start": test.start, "end": test.end}
    return bool(change.before.get("start")) and any(
        value != known.get(name) and value == change.after.get(name)
        for name, value in theirs.items()
    )


def _gone(change: Change) -> str:
    return (
        "Inspera does not have it any more; look there first; "
        f"{adopt(change.kind, change.key, '--as-new')} forgets it and all that is on it here, so that the next `apply` "
        "makes it anew"
    )


def _is_there(result: Result, test: RemoteTest, message: str = "") -> Outcome:
    return Outcome(result, message, test.remote_id, _values(test))


def _values(test: RemoteTest) -> dict[str, Value]:
    """What Inspera showed of a test; `None` is what it did not."""
    return {
        "external_test_id": test.external_test_id,
        "title": test.title,
        "start": test.start,
        "end": test.end,
        "duration": test.duration,
    }


def _known_time(change: Change, name: str) -> Value:
    return _first(change.before.get(name), change.after.get(name))


def _first(value: Value, otherwise: Value) -> Value:
    return otherwise if value is None else value


def _text(value: Value) -> str:
    return "" if value is None else str(value)
