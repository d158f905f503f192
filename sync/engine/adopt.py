"""The adoption of what Inspera has into the state, by external id, then by login.

What is doubtful is only shown.

Single records are settled in `resolve`. Nothing is ever sent.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import groupby

from sync.engine.account_lookup import somebody_elses
from sync.engine.account_match import identity_of, match_person, unlike, values_of
from sync.engine.compare import given_by_hand
from sync.engine.protocols import Target
from sync.engine.reconcile import READ_ON_TESTS
from sync.planning.remedies import disputed
from sync.progress import Progress
from sync.records.base import Key, Kind
from sync.records.changes import Action, Change, Fields, PlannedChange, Value
from sync.records.kinds import COMPARED, IDENTITY, PEOPLE, PERSON_OF
from sync.records.remote import Member, Members, RemotePerson, RemoteTest
from sync.state.journal import Journal
from sync.state.store import Store


@dataclass(frozen=True, slots=True)
class AdoptionResult:
    """What became of one record: taken in, doubtful (with what to do), or not in Inspera.

    `both` are the two sides of a person, where they differ: they are shown to the person who
    decides, and never kept.
    """

    kind: Kind
    key: Key
    word: str
    text: str = ""
    both: tuple[str, ...] = field(default=(), repr=False)
    """The two sides of a person where they differ: shown, and never kept."""


TAKEN, DOUBTFUL, MISSING = "taken", "doubtful", "not there"

_TIMES = ("start", "end")


class Adopter:
    """Looks wanted records up and remembers what matches.

    `managed` says that we put them there (a lost state).

    `by_email` lets people be matched by their address, when neither external id nor login leads to
    an account.
    """

    def __init__(
        self,
        store: Store,
        journal: Journal,
        target: Target,
        *,
        managed: bool,
        by_email: bool = False,
    ) -> None:
        self._store, self._journal, self._target = store, journal, target
        self._managed, self._by_email = managed, by_email
        self._unsettled: set[str] = set()

    @property
    def managed(self) -> bool:
        """Tell whether this tool has put there what is taken in."""
        return self._managed

    def take_in(self, progress: Progress) -> Iterator[AdoptionResult]:
        """Take in every planned create of a record that Inspera has already.

        Options can't be read: they are sent again.

        Raises:
            Stop: nothing can be read from Inspera.
        """
        for kind in (*PEOPLE, Kind.TEST):
            for number, line in enumerate(self._creates(kind)):
                progress(f"looking up {kind}s", number)
                yield self._test(line.change) if kind is Kind.TEST else self._person(line.change)
            self._journal.commit()
        for kind in READ_ON_TESTS:
            # By test: the plan's order may come back to one, and each is read once
            lines_by_test = sorted(self._creates(kind), key=lambda line: line.change.key[0])
            for test, lines in groupby(lines_by_test, key=lambda line: line.change.key[0]):
                progress(f"reading {kind}s", 0)
                yield from self._seats(kind, test, [line.change for line in lines])
                self._journal.commit()

    def _creates(self, kind: Kind) -> Iterator[PlannedChange]:
        return (
            line
            for line in self._store.plan.read()
            if line.change.kind is kind and line.change.action is Action.CREATE
        )

    def _person(self, change: Change) -> AdoptionResult:
        found, trouble = self.match(change.after)
        trouble = self.shared.get((change.kind, change.key), "") or trouble
        if found and not trouble:
            there = values_of(change.after, found)
            differing = unlike(change.after, there)
            trouble = somebody_elses(change.kind, change.key, differing) if differing else ""
            trouble = trouble or self.held_by_others(
                change.kind, change.key, there, found.remote_id
            )
        if trouble or not found:
            return AdoptionResult(
                change.kind, change.key, DOUBTFUL if trouble else MISSING, trouble
            )
        self.remember_person(change.kind, change.key, change.after, found)
        return AdoptionResult(change.kind, change.key, TAKEN)

    @cached_property
    def shared(self) -> Mapping[tuple[Kind, Key], str]:
        """Return why records that share an identity with another are not adopted.

        Needs the plan.
        """
        return self._store.comparison.shared_identities()

    def held_by_others(self, kind: Kind, key: Key, fields: Fields, remote_id: str | None) -> str:
        """Return why what Inspera has is not taken for this record: another one has it.

        Empty when none has.
        """
        holder = self._store.known.holder(kind, key, fields, remote_id)
        what = "test" if kind is Kind.TEST else "account"
        return f"{holder} has this {what} already; correct the source, or Inspera" if holder else ""

    def match(self, wanted: Fields) -> tuple[RemotePerson | None, str]:
        """Return the account of this person, or why there is doubt, as the configuration says."""
        return match_person(self._target, wanted, by_email=self._by_email)

    def remember_person(
        self,
        kind: Kind,
        key: Key,
        wanted: Fields,
        person: RemotePerson,
        managed: bool | None = None,
        *,
        known: Fields | None = None,
    ) -> None:
        """Record a person as known with Inspera's values.

        An external id is recorded only where Inspera has it linked.

        One who was matched by email keeps the username that Inspera has, as it can't be changed
        there. What a look-up does not show stays as it is `known`.
        """
        whose = self._managed if managed is None else managed
        values = values_of(wanted, person)
        unshown = [
            name
            for name in COMPARED[kind]
            if values.get(name) is None and name not in IDENTITY[kind]
        ]
        values = {**values, **{name: (known or {}).get(name) for name in unshown}}
        self._journal.known.remember(kind, key, values, remote_id=person.remote_id, managed=whose)
        if person.username and person.username != wanted["username"]:
            self._journal.known.alias(kind, key, str(wanted["username"]), person.username)

    def _test(self, change: Change) -> AdoptionResult:
        found = self._search(change.after)
        if not found:
            return AdoptionResult(change.kind, change.key, MISSING)
        if len(found) > 1:
            self._unsettled.add(change.key[0])
            return AdoptionResult(
                change.kind, change.key, DOUBTFUL, "Inspera has several tests with this external id"
            )
        there = found[0]
        trouble = self.shared.get((change.kind, change.key), "") or self.held_by_others(
            change.kind, change.key, change.after, there.remote_id
        )
        if trouble:
            return AdoptionResult(change.kind, change.key, DOUBTFUL, trouble)
        differ = tuple(
            name for name in _TIMES if getattr(there, name) not in (change.after[name], None)
        )
        # Its times do not decide whose it is. They stay unknown, so that nothing is sent before a
        # person decides, and what is on it is taken in with it.
        self.remember_test(change.key, change.after, there, unknown=differ)
        if not differ:
            return AdoptionResult(change.kind, change.key, TAKEN)
        text = (
            f"its times differ: Inspera has {there.start} to {there.end}, the source "
            f"{change.after['start']} to "
        )
        text += f"{change.after['end']}; all else is taken in; "
        text += disputed(change.kind, change.key, change.after, differ, change.where)
        return AdoptionResult(change.kind, change.key, DOUBTFUL, text)

    def _search(self, fields: Fields) -> list[RemoteTest]:
        return self._target.find_test(str(fields["external_test_id"]))

    def remember_test(
        self,
        key: Key,
        wanted: Fields,
        there: RemoteTest,
        managed: bool | None = None,
        *,
        unknown: Sequence[str] = (),
        duration: Value = None,
    ) -> None:
        """Record a test as known with Inspera's values.

        What the search does not show, or is `unknown`, stays unknown.

        `duration` is the one that is known where the search shows none.
        """
        fields = {
            "external_test_id": wanted["external_test_id"],
            "title": there.title,
            "start": there.start or wanted["start"],
            "end": there.end or wanted["end"],
            "duration": duration if there.duration is None else there.duration,
            **dict.fromkeys(unknown),
        }
        whose = self._managed if managed is None else managed
        self._journal.known.remember(
            Kind.TEST, key, fields, remote_id=there.remote_id, managed=whose
        )
        self._journal.known.note_parent(key[0], is_parent=there.is_parent)

    def _seats(self, kind: Kind, test: str, changes: Sequence[Change]) -> Iterator[AdoptionResult]:
        known = self._store.known.find(Kind.TEST, (test,))
        if not known or not known["remote_id"]:
            if test in self._unsettled:
                text = (
                    f"its {kind}s were not looked at; when the test is settled, run `adopt` "
                    "again as now"
                )
                yield AdoptionResult(Kind.TEST, (test,), DOUBTFUL, text)
            return
        seats = self._target.members(str(known["remote_id"]), kind)
        if not seats.readable:
            yield AdoptionResult(
                Kind.TEST, (test,), DOUBTFUL, f"its {kind}s can't be read: {seats.message}"
            )
            return
        for change in changes:
            yield self._seat(change, self.seat_of(seats, kind, change.key))

    def _seat(self, change: Change, seat: Member | None) -> AdoptionResult:
        if seat is None:
            return AdoptionResult(change.kind, change.key, MISSING)
        given = given_by_hand(change.after, seat)
        # Whose seat it is does not hang on what it holds: that stays unknown until a person decides
        self.remember_seat(change.kind, change.key, seat, unknown=given[1:])
        if not given:
            return AdoptionResult(change.kind, change.key, TAKEN)
        text = f"{given[0]}; all else is taken in; "
        text += disputed(change.kind, change.key, change.after, given[1:], change.where)
        return AdoptionResult(change.kind, change.key, DOUBTFUL, text)

    def seat_of(self, seats: Members, kind: Kind, key: Key) -> Member | None:
        """Return the member that this candidate, contributor or committee is, if it is there.

        Somebody who is not known, as their account is doubtful, is looked for as the source names
        them: whose seat it is must not be forgotten meanwhile.
        """
        who = identity_of(self._store, kind, key)
        if kind in PERSON_OF and who == ("", ""):
            person = self._store.staging.wanted(PERSON_OF[kind], (key[1],)) or {}
            who = (str(person.get("auth_system")), str(person.get("external_id")))
        return seats.there.get(who)

    def remember_seat(
        self,
        kind: Kind,
        key: Key,
        seat: Member,
        managed: bool | None = None,
        *,
        unknown: Sequence[str] = (),
    ) -> None:
        """Record a member as known with Inspera's values, except for what is `unknown`.

        Without `managed` it is taken in as everything else is.
        """
        fields = {name: None if name in unknown else getattr(seat, name) for name in COMPARED[kind]}
        whose = self._managed if managed is None else managed
        self._journal.known.remember(
            kind, key, fields, remote_id=seat.remote_user_id, managed=whose
        )
