"""The comparison of what is wanted with what is known."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime

from sqlalchemy import text

from sync.planning.absence import AbsenceDoubt
from sync.planning.decide import Pair
from sync.planning.freeze import Moment, TimeFacts
from sync.records.base import Key, Kind
from sync.records.kinds import ON_A_TEST
from sync.state.compare import absences, activation, context, pairs, pilot, zeros
from sync.state.compare.activation import DueActivation
from sync.state.compare.pilot import Covers
from sync.state.dialect import insert, stream
from sync.state.staging import derive, identities, scratch
from sync.state.store.scope import RunScope


class Comparison:
    """The pairs of wanted and known records that differ, with the facts to decide them."""

    def __init__(self, scope: RunScope) -> None:
        self._scope, self._connection = scope, scope.connection

    def compute_windows(self, now: datetime) -> None:
        """Compute when each test begins and ends."""
        self._scope.moment = Moment.of(now)
        scope = self._scope
        context.fill_test_windows(self._connection, now, scope.rules_of, leave_out=scope.leave_out)

    def compute_windows_alone(self, now: datetime) -> None:
        """Compute when each test begins and ends, for a plan that rests on no source."""
        self._scope.moment = Moment.of(now)
        context.fill_windows_alone(self._connection, now, self._scope.rules_of)

    def compute_context(self, now: datetime, trouble: Mapping[Kind, AbsenceDoubt]) -> None:
        """Compute who vanished, which records look alike, and which tests retire.

        Needs the windows.
        """
        self._scope.trouble = trouble
        context.fill_context(self._connection, now, trouble)

    def note_needed(self, covers: Covers) -> None:
        """Record the tests, people and committees that the wanted records of a pilot need."""
        pilot.fill_needed(self._connection, covers)

    def arrived_or_changed(
        self, kind: Kind, follows: Mapping[int, Collection[str]] = pairs.NOTHING_FOLLOWED
    ) -> Iterator[Pair]:
        """Yield every wanted record of this kind that is not known, or known with other values.

        So is one whose row has a blank in a field that is taken away then: `follows` has these
        fields by the number of the feed.
        """
        scope = self._scope
        return pairs.pair_wanted(
            self._connection,
            kind,
            scope.places,
            scope.timing,
            scope.options,
            scope.trouble.get(kind),
            follows,
        )

    def absent(
        self, kind: Kind, trouble: AbsenceDoubt | None, seat_trouble: AbsenceDoubt | None
    ) -> Iterator[Pair]:
        """Yield every known record of this kind that no feed names and no row error keeps."""
        scope = self._scope
        sources = () if kind in scope.accepted else scope.sources.get(kind, ())
        return absences.pair_absent(
            self._connection, kind, trouble, seat_trouble, scope.timing, sources
        )

    def due_activations(self) -> Iterator[DueActivation]:
        """Yield the tests that are due for activation. Needs all the rest of the draft."""
        scope = self._scope
        feeds = [
            number for number, rules in scope.rules.items() if number is not None and rules.activate
        ]
        groups = {name: rule.group for name, rule in scope.options.items()}
        return activation.read_due(self._connection, feeds, scope.places, scope.timing, groups)

    def refresh(self, settled: Iterable[tuple[Kind, Key, bytes | None]]) -> None:
        """Record pairs whose two sides agree although their fingerprints do not."""
        for chunk in scratch.chunks(settled):
            rows: list[tuple[object, ...]] = [
                (kind.value, *scratch.key_columns(key), mark) for kind, key, mark in chunk
            ]
            insert(self._connection, "refresh", ("kind", "k1", "k2", "fingerprint"), rows)

    def note_stay(self, kind: Kind, key: Key) -> None:
        """Record a person who stays without a source, since this tool has not put them there."""
        k1, k2 = scratch.key_columns(key)
        query = text("INSERT INTO stay (kind, k1, k2) VALUES (:kind, :k1, :k2)")
        self._connection.execute(query, {"kind": kind.value, "k1": k1, "k2": k2})

    def stays(self) -> Mapping[Kind, Sequence[Key]]:
        """Return those who stay although no source names them any more, by kind and in order."""
        rows = self._connection.execute(text("SELECT kind, k1, k2 FROM stay ORDER BY kind, k1, k2"))
        found: dict[Kind, list[Key]] = {}
        for name, k1, k2 in rows:
            found.setdefault(Kind(name), []).append(scratch.key_from(Kind(name), k1, k2))
        return found

    def note_unsettled(self) -> None:
        """Record the tests whose times are not settled. Needs the tests drafted.

        A percentage of a duration that is held is one of the known duration.
        """
        context.mark_unsettled_tests(self._connection)
        scope = self._scope
        derive.settle_percentages(self._connection, scope.places, scope.fingerprint_of, held=True)

    def drop_stays(self, covers: Covers) -> None:
        """Forget the people who stay and were not asked for."""
        query = text("DELETE FROM stay WHERE kind = :kind AND k1 = :k1 AND k2 = :k2")
        for kind, keys in self.stays().items():
            for key in keys:
                if not covers(kind, key):
                    k1, k2 = scratch.key_columns(key)
                    self._connection.execute(query, {"kind": kind.value, "k1": k1, "k2": k2})

    def keys(self, kinds: Collection[Kind]) -> Iterator[str]:
        """Yield the keys of tests, or of people, that are known, wanted, or in a row error."""
        tables = [f"{table}_{kind}" for kind in kinds for table in ("known", "wanted")]
        names = [f"SELECT key FROM {table}" for table in tables]
        names += [f"SELECT k1 FROM row_error WHERE kind = '{kind}' AND k1 <> ''" for kind in kinds]
        for row in stream(self._connection, " UNION ".join(names)):
            yield row[0]

    def ignored(self) -> int:
        """Return how many wanted candidates name a test that is retired."""
        return pairs.count_ignored(self._connection)

    def left_out(self) -> Mapping[Kind, int]:
        """Return how many tests ended before they were sent, and their registrations."""
        return pairs.count_left_out(self._connection)

    def timing(self, test: str, moment: Moment) -> TimeFacts:
        """Return when a test runs by the plan, to be judged at this moment."""
        query = text(f"SELECT {context.WINDOW} FROM test_window tw WHERE tw.test = :test")
        row = self._connection.execute(query, {"test": test}).first()
        timing = self._scope.timing(row, moment) if row else None
        return timing or TimeFacts(moment, rules=self._scope.rules[None])

    def shared_identities(self) -> Mapping[tuple[Kind, Key], str]:
        """Return why records that share an identity with another are neither sent nor adopted."""
        return identities.read_errors(self._connection)

    def lost_zeros(self) -> Iterator[str]:
        """Yield a line for each kind whose new keys are vanished ones without leading zeros."""
        return zeros.lost_zeros(self._connection, self._scope.places)

    def is_zeroed(self, kind: Kind, key: Key) -> bool:
        """Tell whether this record is a known one without the leading zeros of its key."""
        return kind not in ON_A_TEST and zeros.is_zeroed(self._connection, kind, key)

    def reuses(self, kind: Kind, key: Key) -> Key | None:
        """Return the vanished record whose identity this new one has, if any."""
        return identities.find_reused(self._connection, kind, key)

    def lookalike(self, kind: Kind, key: Key) -> Key | None:
        """Return the vanished record that this new one looks like, if any."""
        if (reused := self.reuses(kind, key)) is not None:
            return reused
        query = "SELECT min(old_key) FROM suspect WHERE kind = :kind AND new_key = :key"
        old = self._connection.execute(text(query), {"kind": kind, "key": key[0]}).scalar()
        return None if old is None else (str(old),)
