"""What is wanted in a world once contradictions are removed: the oracle's first half."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

from sync.records.base import Key, Kind, RowError
from sync.records.candidate import Candidate
from sync.records.committee import Committee
from sync.records.contributor import Contributor
from sync.records.kinds import Record
from sync.records.learner import Learner
from sync.records.option import Option
from sync.records.staff import Staff
from sync.records.test import Test

from .worlds import Identity, World

# Learner, staff, test, option, committee, contributor, candidate.
L, S, T, O, K, P, C = Kind  # noqa: E741
ON_TESTS = (O, K, P, C)
PERSON = {P: S, C: L}
PERSONAL = ("username", "external_id", "auth_system", "first_name", "last_name", "email")


def key_of(record: Record) -> Key:
    match record:
        case Option():
            return record.test, record.option
        case Committee():
            return record.test, record.committee
        case Contributor():
            return record.test, record.staff
        case Candidate():
            return record.test, record.learner
        case _:
            return (record.key,)


def text_of(time: Any) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ") if time else ""


def fields_of(record: Record) -> dict[str, Any]:
    names: tuple[str, ...]
    match record:
        case Learner():
            names = PERSONAL
        case Staff():
            names = (*PERSONAL, "status", "accesses", "organisations")
        case Test():
            shown = {
                "external_test_id": record.external_test_id,
                "title": record.title,
                "duration": record.duration,
            }
            return shown | {"start": text_of(record.start), "end": text_of(record.end)}
        case Option():
            names = ("value",)
        case Committee():
            names = ("type",)
        case Contributor():
            names = ("roles", "committees", "room", "building")
        case Candidate():
            names = ("candidate_id", "extra_time", "room", "building", "committees")
    return {name: getattr(record, name) for name in names}


def items(text: str | None) -> set[str]:
    return set(text.split("\n")) if text else set()


class Wanted:
    """The records that rows want, by kind and key, and the keys that row errors name."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.invalid: dict[Kind, set[Key | None]] = {kind: set() for kind in Kind}
        self.rows: dict[Kind, list[Record]] = {}
        self.astray: dict[Kind, set[tuple[str, str]]] = {kind: set() for kind in Kind}
        """What rows may mean that name something unknown: tests with anybody, people on any test,
        anything."""
        for kind in Kind:
            self.invalid[kind] = {row.key for row in world.rows[kind] if isinstance(row, RowError)}
        for kind in Kind:
            read = [
                row
                for row in world.rows[kind]
                if not isinstance(row, RowError) and kind not in world.unread
            ]
            self.rows[kind] = read
            self._drop(kind)
            if kind in ON_TESTS:
                self._resolve(kind)
            self.rows[kind] = self._without_contradictions(kind, self.rows[kind])
        for kind in ON_TESTS:
            self.invalid[kind] = {self._own_case(kind, key) for key in self.invalid[kind]}
            self._drop(kind)
        for kind in ON_TESTS:
            self._row_errors_astray(kind)
        self._shared_numbers()
        self._derive_committees()
        self._shared_identities()

    def known(self, kind: Kind) -> dict[Key, dict[str, Any]]:
        return {key: fields for (of, key), fields in self.world.known.items() if of is kind}

    def records(self, kind: Kind) -> dict[Key, dict[str, Any]]:
        return {key_of(row): fields_of(row) for row in self.rows[kind]}

    def _drop(self, kind: Kind, *bad: Key) -> None:
        self.invalid[kind] |= set(bad)
        self.rows[kind] = [row for row in self.rows[kind] if key_of(row) not in self.invalid[kind]]

    def _without_contradictions(self, kind: Kind, rows: list[Record]) -> list[Record]:
        self.rows[kind] = rows
        self._drop(kind)
        if kind not in (O, P, C):
            self._other_case(kind)
        by_key: dict[Key, list[Record]] = defaultdict(list)
        for row in self.rows[kind]:
            by_key[key_of(row)].append(row)
        kept = {key: _one_of(found) for key, found in by_key.items()}
        self._drop(kind, *(key for key, record in kept.items() if record is None))
        return [record for record in kept.values() if record is not None]

    def _other_case(self, kind: Kind) -> None:
        spellings: dict[Key, set[Key]] = defaultdict(set)
        for row in self.rows[kind]:
            *test, own = key_of(row)
            spellings[*test, own.lower()].add(key_of(row))
        self._drop(kind, *(key for keys in spellings.values() if len(keys) > 1 for key in keys))

    def _resolve(self, kind: Kind) -> None:
        """Turn rows that name an unknown record into row errors, unless its feed is unread."""
        self._misspelt(kind, 0, T)
        if kind in PERSON:
            self._misspelt(kind, 1, PERSON[kind])
        keep = []
        for row in self.rows[kind]:
            meant, unknown = self._meant(kind, *key_of(row))
            if unknown:
                self.astray[kind].add(meant)
            if unknown <= self.world.unread:
                keep.append(row)
            elif any(meant):
                self.invalid[kind].add(meant)
        self.rows[kind] = keep

    def _meant(self, kind: Kind, test: str, other: str) -> tuple[tuple[str, str], set[Kind]]:
        """Of a key what somebody knows, and the kinds of what nobody does."""
        unknown = set[Kind]() if self._is_there(T, test) else {T}
        if kind in PERSON and other and not self._is_there(PERSON[kind], other):
            unknown.add(PERSON[kind])
        lost = kind in PERSON and PERSON[kind] in unknown
        return ("" if T in unknown else test, "" if lost else other), unknown

    def _is_there(self, kind: Kind, key: str) -> bool:
        return (
            (key,) in self.records(kind)
            or (key,) in self.known(kind)
            or (key,) in self.invalid[kind]
        )

    def _row_errors_astray(self, kind: Kind) -> None:
        for key in self.invalid[kind]:
            if key and key[0]:
                meant, unknown = self._meant(kind, key[0], key[1])
                if unknown:
                    self.astray[kind].add(meant)

    def _misspelt(self, kind: Kind, part: int, named: Kind) -> None:
        there = {key[0] for key in (*self.records(named), *self.known(named))}
        right = {key.lower(): key for key in there}
        keep = []
        for row in self.rows[kind]:
            key = list(key_of(row))
            meant = right.get(key[part].lower(), key[part])
            if key[part] in there or meant == key[part]:
                keep.append(row)
                continue
            key[part] = meant
            self.invalid[kind].add(tuple(key))
        self.rows[kind] = keep
        self._drop(kind)

    def _own_case(self, kind: Kind, key: Key | None) -> Key | None:
        if key is None:
            return None
        second = self._known_case(PERSON[kind], key[1]) if kind in PERSON else key[1]
        return self._known_case(T, key[0]), second

    def _known_case(self, kind: Kind, part: str) -> str:
        known = {key[0] for key in self.known(kind)}
        return (
            part
            if part in known
            else next((key for key in known if key.lower() == part.lower()), part)
        )

    def _shared_numbers(self) -> None:
        by_number: dict[Key, set[Key]] = defaultdict(set)
        for row in self.rows[C]:
            if isinstance(row, Candidate) and row.candidate_id:
                by_number[row.test, row.candidate_id].add(key_of(row))
        self._drop(C, *(key for keys in by_number.values() if len(keys) > 1 for key in keys))

    def _derive_committees(self) -> None:
        """Want a committee when a row names it, or when a row leaves a person in theirs."""
        named = {
            (test, name) for test, name in self._named() if (test, name) not in self.invalid[K]
        }
        there = {key_of(row) for row in self.rows[K]}
        if named - there:
            self.rows[K] += [Committee(test, name) for test, name in sorted(named - there)]
            self._other_case(K)

    def _shared_identities(self) -> None:
        """Drop both of a pair with one identity within a kind; hold both across kinds."""
        wanted = {
            (kind, key): fields for kind in (L, S, T) for key, fields in self._sent(kind).items()
        }
        pairs = [
            (one, other)
            for one in wanted
            for other in wanted
            if one != other and self._share(one, other, wanted)
        ]
        within = {one for one, other in pairs if one[0] is other[0]}
        across = {one for one, other in pairs if one[0] is not other[0]}
        for kind, key in within:
            self._drop(kind, key)
        taken = self._taken(wanted)
        self.reused = [(one, other) for one, other, gone in taken if gone and one not in within]
        clashing = [(one, other) for one, other, _ in taken if (one, other) not in self.reused]
        self.concerned = within | across | {record for pair in clashing for record in pair}
        within |= {one for one, other in clashing if one[0] is other[0]}
        across |= {one for one, other in clashing if one[0] is not other[0]}
        for kind, key in within:
            self._drop(kind, key)  # What it reuses stays reused: the row may mean who is gone.
        self.held = across - within
        for kind, key in self.held:
            self.invalid[kind].add(key)

    def _share(
        self, one: Identity, other: Identity, fields: Mapping[Identity, dict[str, Any]]
    ) -> bool:
        return bool(_names(one[0], fields[one]) & _names(other[0], fields[other]))

    def _taken(
        self, wanted: Mapping[Identity, dict[str, Any]]
    ) -> list[tuple[Identity, Identity, bool]]:
        """Yield each new record with each known one of its identity, and whether that is gone."""
        known = {one: fields for one, fields in self.world.known.items() if one[0] in (L, S, T)}
        taken = []
        for one in wanted.keys() - known.keys():  # all that is known here has its names
            for other, fields in known.items():
                if _names(one[0], wanted[one]) & _names(other[0], fields):
                    gone = (
                        other[1] not in self.records(other[0])
                        and other[1] not in self.invalid[other[0]]
                    )
                    taken.append((one, other, gone and one[0] is other[0]))
        return taken

    def _sent(self, kind: Kind) -> dict[Key, dict[str, Any]]:
        """Return what is wanted of a kind, without those who are only to be disabled."""
        return {
            key: one
            for key, one in self.records(kind).items()
            if kind is not S or one["status"] != "disabled"
        }

    def _named(self) -> Iterator[tuple[str, str]]:
        kept = {key for key, fields in self.known(K).items() if fields["lifecycle"] == "active"}
        for kind in PERSON:
            for key, fields in self.records(kind).items():
                yield from ((key[0], name) for name in items(fields["committees"]))
                known = self.known(kind).get(key)
                if fields["committees"] is None and known and known["lifecycle"] == "active":
                    yield from (
                        (key[0], name)
                        for name in items(known["committees"])
                        if (key[0], name) in kept
                    )


def _one_of(rows: list[Record]) -> Record | None:
    """Return the one record of these rows of a key, or None when they contradict each other."""
    if len(set(rows)) == 1:
        return rows[0]
    # All of one kind.
    if not isinstance(rows[0], Contributor) or len({(row.room, row.building) for row in rows}) > 1:  # type: ignore[union-attr]
        return None
    merged: dict[str, str | None] = {}
    for name in ("roles", "committees"):
        told = [getattr(row, name) for row in rows]
        found = set().union(*map(items, told))
        merged[name] = (
            "\n".join(sorted(found)) if any(value is not None for value in told) else None
        )
    return rows[0]._replace(**merged)  # type: ignore[arg-type]  # notify is not compared


def _names(kind: Kind, fields: dict[str, Any]) -> set[tuple[str, ...]]:
    """Under what Inspera knows a record; people share theirs, whatever their kind."""
    if kind is T:
        return {("test", str(fields["external_test_id"]).casefold())}
    return {
        ("login", str(fields["username"]).casefold()),
        ("id", str(fields["auth_system"]), str(fields["external_id"]).casefold()),
    }
