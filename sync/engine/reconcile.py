"""The comparison of Inspera with what is known: what changed, what is gone, what is not managed.

Only reads. Nothing is gone before that is proven: a 404, an empty search or a key with fewer rights
proves nothing.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from sync.engine.compare import There, differences
from sync.engine.protocols import Reread
from sync.errors import CallError, Stop
from sync.progress import Progress
from sync.records.base import Key, Kind, utc_time
from sync.records.changes import Fields
from sync.records.kinds import PEOPLE, PERSON_OF
from sync.records.remote import Members, RemotePerson
from sync.state.store import Store

READ_ON_TESTS = (Kind.COMMITTEE, Kind.CONTRIBUTOR, Kind.CANDIDATE)
"""What of a test can be read. Options can't."""

_HIDDEN = "a search does not find it, but Inspera shows it by its id"
_FOUND_LATER = "one search does not find it, and the next one does"
_NO_SEARCH = (
    "no search for tests has been answered otherwise than by 404, so this tenant may "
    "not have it; run `doctor`"
)
_NO_READING = (
    "a search does not find it, but no test could be read by its id in this run, so that a 404 "
    "there proves nothing; look at Inspera, and at the rights of the key"
)
_UNSURE = (
    "no look-up of people has been answered otherwise than by 404, so this tenant may "
    "not have it; run `doctor`"
)


class DriftGroup(StrEnum):
    """How Inspera differs from what is known."""

    CHANGED = "changed"
    GONE = "gone"
    FOREIGN = "unmanaged"
    UNREAD = "unread"


@dataclass(frozen=True, slots=True)
class Drift:
    """A record that differs in Inspera from what is known, or that was not read (see `text`).

    `fields` names what differs; `there` is Inspera's side of it. `under_way` says that its test is
    running, so that nothing of it is to be changed now.
    """

    heap: DriftGroup
    kind: Kind
    key: Key
    fields: tuple[str, ...] = ()
    text: str = ""
    there: There | None = field(default=None, repr=False)
    known: Fields = field(default_factory=dict, repr=False)
    under_way: bool = False

    @property
    def managed(self) -> bool:
        """Tell whether we keep the record in step, so that it can be repaired."""
        return self.heap in (DriftGroup.CHANGED, DriftGroup.GONE)


class Reconciler:
    """Finds drift. `people` is how people are read: `one_by_one`, by `export`, or `none`.

    What was written less than `delay` ago may not be readable yet and is passed over. `now` is
    aware.
    """

    def __init__(
        self,
        store: Store,
        target: Reread,
        people: str,
        now: datetime,
        delay: timedelta,
        progress: Progress,
    ) -> None:
        self._store, self._target, self._people = store, target, people
        self._now, self._delay, self._progress = now, delay, progress
        self._missing: list[tuple[Key, Fields]] = []

    def drift(self) -> Iterator[Drift]:
        """Yield every difference: tests first, then what is on them, then people.

        Raises:
            Stop: nothing can be read from Inspera.
        """
        for number, (key, known) in enumerate(self._store.known.everything(Kind.TEST)):
            self._progress("reading tests", number)
            yield from self._guarded(Kind.TEST, key, self._test(key, known))
        # Last: only now is it known which look-ups this tenant answers
        for key, known in self._missing:
            yield from self._guarded(Kind.TEST, key, self._not_found(key, known))
        for kind in PEOPLE:
            if self._people == "export":
                yield from self._guarded(kind, (), self._exported(kind))
            elif self._people == "one_by_one":
                for number, (key, known) in enumerate(self._store.known.everything(kind)):
                    self._progress(f"reading {kind}", number)
                    yield from self._guarded(kind, key, self._person(kind, key, known))

    def _guarded(self, kind: Kind, key: Key, drift: Iterator[Drift]) -> Iterator[Drift]:
        try:
            yield from drift
        except Stop:
            raise
        except CallError as error:
            yield Drift(DriftGroup.UNREAD, kind, key, text=str(error))

    def _fresh(self, known: Fields) -> bool:
        return utc_time(str(known["updated"])) + self._delay > self._now

    def _test(self, key: Key, known: Fields) -> Iterator[Drift]:
        found = self._target.find_test(str(known["external_test_id"]))
        if not found:
            if not self._fresh(known):
                self._missing.append((key, known))
            return
        if len(found) > 1:
            yield Drift(
                DriftGroup.UNREAD,
                Kind.TEST,
                key,
                text="Inspera has several tests with this external id",
            )
            return
        under_way = self._under_way(key)
        yield from self._changed(Kind.TEST, key, known, found[0], under_way=under_way)
        if known["remote_id"]:
            for kind in READ_ON_TESTS:
                yield from self._guarded(
                    kind, key, self._on_test(kind, key[0], str(known["remote_id"]), under_way)
                )

    def _under_way(self, key: Key) -> bool:
        _, begun, ended = self._store.known.window(key[0], self._now)
        return begun and not ended

    def _not_found(self, key: Key, known: Fields) -> Iterator[Drift]:
        doubt = self._doubt(known)
        if doubt:
            yield Drift(DriftGroup.UNREAD, Kind.TEST, key, text=doubt)
        else:
            yield Drift(
                DriftGroup.GONE, Kind.TEST, key, known=known, under_way=self._under_way(key)
            )

    def _doubt(self, test: Fields) -> str:
        """Return why a test that no search finds may exist; empty where it is proven gone.

        A search may find less than there is, as with fewer rights.
        """
        if not self._target.has_searched_tests():
            return _NO_SEARCH
        if not test["remote_id"]:
            return _FOUND_LATER if self._target.find_test(str(test["external_test_id"])) else ""
        try:
            shown = self._target.read_test(str(test["remote_id"]))
        except Stop:
            raise
        except CallError as error:
            return f"a search does not find it, and it cannot be read by its id ({error})"
        if shown:
            return _HIDDEN
        return "" if self._target.has_read_tests() else _NO_READING

    def _on_test(self, kind: Kind, test: str, remote_id: str, under_way: bool) -> Iterator[Drift]:
        known = self._store.known.on_test(kind, test)
        seats = self._target.members(remote_id, kind)
        if not seats.readable:
            if known:
                yield Drift(DriftGroup.UNREAD, kind, (test, ""), text=seats.message)
            return
        who = self._identities(kind, test, known)
        for name, fields in known.items():
            seat = seats.there.get(who.get(name, ("", "")))
            if seat is not None:
                yield from self._changed(kind, (test, name), fields, seat, under_way=under_way)
            elif not seats.unnamed and not self._fresh(fields):
                yield Drift(DriftGroup.GONE, kind, (test, name), known=fields, under_way=under_way)
        yield from self._foreign(kind, test, seats, who)

    def _identities(
        self, kind: Kind, test: str, known: Mapping[str, Fields]
    ) -> Mapping[str, tuple[str, str]]:
        if kind not in PERSON_OF:
            return {name: ("", name) for name in known}
        people = self._store.known.people(kind, test, list(known))
        return {
            name: (str(one["auth_system"]), str(one["external_id"])) for name, one in people.items()
        }

    def _foreign(
        self, kind: Kind, test: str, seats: Members, who: Mapping[str, tuple[str, str]]
    ) -> Iterator[Drift]:
        managed = {id(seats.there[one]) for one in who.values() if one in seats.there}
        seen: set[int] = set()
        for (system, name), seat in seats.there.items():
            if id(seat) not in managed and id(seat) not in seen:
                seen.add(id(seat))  # one person may be under several ids
                yield Drift(DriftGroup.FOREIGN, kind, (test, f"{system} {name}".strip()))
        if seats.unnamed:
            yield Drift(
                DriftGroup.FOREIGN, kind, (test, ""), text=f"{seats.unnamed} without an external id"
            )

    def _changed(
        self, kind: Kind, key: Key, known: Fields, there: There, *, under_way: bool = False
    ) -> Iterator[Drift]:
        fields = () if self._fresh(known) else differences(kind, known, there)
        if fields:
            yield Drift(
                DriftGroup.CHANGED, kind, key, fields, there=there, known=known, under_way=under_way
            )

    def _person(self, kind: Kind, key: Key, known: Fields) -> Iterator[Drift]:
        if not known["auth_system"] or not known["external_id"]:
            found = self._target.find_person_by_login(str(known["username"]))
        else:
            found = self._target.find_person(str(known["auth_system"]), str(known["external_id"]))
        if not found and not self._target.has_found_people():
            yield Drift(DriftGroup.UNREAD, kind, key, text=_UNSURE)
            return
        yield from self._held_against(kind, key, known, found[0] if found else None)

    def _held_against(
        self, kind: Kind, key: Key, known: Fields, person: RemotePerson | None
    ) -> Iterator[Drift]:
        if person is not None:
            yield from self._changed(kind, key, known, person)
        elif not self._fresh(known):
            yield Drift(DriftGroup.GONE, kind, key, known=known)

    def _exported(self, kind: Kind) -> Iterator[Drift]:
        self._progress(f"exporting {kind}", 0)
        if not self._store.exports.stage(kind, self._target.export_people(kind)):
            if any(self._store.known.everything(kind)):
                yield Drift(
                    DriftGroup.UNREAD,
                    kind,
                    (),
                    text="the export names nobody, so it is not believed",
                )
            return
        for key, known, person in self._store.exports.read(kind):
            yield from self._held_against(kind, key, known, person)
        for name in self._store.exports.strangers(kind):
            yield Drift(DriftGroup.FOREIGN, kind, (name,))
