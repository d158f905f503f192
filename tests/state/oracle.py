"""What a plan must say of a world, worked out in plain Python and without any of the code that it judges.

It follows the rules of the semantics page one by one, with dictionaries where the store has tables.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sync.model import Candidate, Fault, Key, Kind, Learner, Record, Test

from .worlds import NOW, Identity, World

L, T, C = Kind.LEARNER, Kind.TEST, Kind.CANDIDATE
Said = tuple[str, str]
"""An action and a verdict."""


def key_of(record: Record) -> Key:
    return (record.test, record.learner) if isinstance(record, Candidate) else (record.key,)


def text_of(time: datetime | None) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ") if time else ""


def fields_of(record: Record) -> dict[str, Any]:
    if isinstance(record, Learner):
        names: tuple[str, ...] = ("username", "external_id", "auth_system", "first_name", "last_name", "email")
    elif isinstance(record, Test):
        shown = {"external_test_id": record.external_test_id, "title": record.title, "duration": record.duration}
        return shown | {"start": text_of(record.start), "end": text_of(record.end)}
    else:
        names = ("candidate_id", "extra_time", "room", "building")
    return {name: getattr(record, name) for name in names}


@dataclass
class Oracle:
    """One world, judged."""

    world: World

    def __post_init__(self) -> None:
        self.faulted: dict[Kind, set[Key | None]] = {kind: set() for kind in Kind}
        self.wanted: dict[Kind, dict[Key, dict[str, Any]]] = {}
        self.said: dict[Identity, Said] = {}
        self._gather()
        self._windows()
        self._suspects()

    def known(self, kind: Kind) -> dict[Key, dict[str, Any]]:
        return {key: fields for (of, key), fields in self.world.known.items() if of is kind}

    # what is wanted, once contradictions are out of it

    def _gather(self) -> None:
        rows: dict[Kind, list[Record]] = {}
        for kind in Kind:
            made = self.world.rows[kind]
            self.faulted[kind] = {row.key for row in made if isinstance(row, Fault)}
            rows[kind] = [row for row in made if not isinstance(row, Fault) and kind not in self.world.unread]
        for kind in Kind:
            rows[kind] = self._contradictions(kind, rows[kind])
        self._misspelt(rows, "test", T)
        self._misspelt(rows, "learner", L)
        self.faulted[C] = {self._own_case(key) for key in self.faulted[C]}
        by_number: dict[Key, set[Key]] = defaultdict(set)
        for row in rows[C]:
            if isinstance(row, Candidate) and row.candidate_id:
                by_number[row.test, row.candidate_id].add(key_of(row))
        self.faulted[C] |= {key for keys in by_number.values() if len(keys) > 1 for key in keys}
        self.wanted = {
            kind: {key_of(row): fields_of(row) for row in rows[kind] if key_of(row) not in self.faulted[kind]}
            for kind in Kind
        }

    def _contradictions(self, kind: Kind, rows: list[Record]) -> list[Record]:
        rows = [row for row in rows if key_of(row) not in self.faulted[kind]]
        if kind is not C:
            spellings: dict[str, set[Key]] = defaultdict(set)
            for row in rows:
                spellings[key_of(row)[0].lower()].add(key_of(row))
            self.faulted[kind] |= {key for keys in spellings.values() if len(keys) > 1 for key in keys}
            rows = [row for row in rows if key_of(row) not in self.faulted[kind]]
        different: dict[Key, set[Record]] = defaultdict(set)
        for row in rows:
            different[key_of(row)].add(row)
        self.faulted[kind] |= {key for key, records in different.items() if len(records) > 1}
        return [next(iter(records)) for key, records in different.items() if key not in self.faulted[kind]]

    def _misspelt(self, rows: dict[Kind, list[Record]], part: str, kind: Kind) -> None:
        there = {key_of(row)[0] for row in rows[kind]} | {key[0] for key in self.known(kind)}
        right: dict[str, str] = {key.lower(): key for key in there}
        keep = []
        for row in rows[C]:
            written = getattr(row, part)
            if written in there or written.lower() not in right:
                keep.append(row)
                continue
            test, learner = key_of(row)
            meant = right[written.lower()]
            self.faulted[C].add((meant, learner) if part == "test" else (test, meant))
        rows[C] = [row for row in keep if key_of(row) not in self.faulted[C]]

    def _own_case(self, key: Key | None) -> Key | None:
        if key is None:
            return None
        return tuple(self._known_case(kind, part) for kind, part in zip((T, L), key, strict=True))

    def _known_case(self, kind: Kind, part: str) -> str:
        known = {key[0] for key in self.known(kind)}
        return part if part in known else next((key for key in known if key.lower() == part.lower()), part)

    # what else matters

    def trouble(self, kind: Kind) -> bool:
        return kind in self.world.unread or None in self.faulted[kind]

    def _windows(self) -> None:
        self.begun, self.ended, self.retiring = set[str](), set[str](), set[str]()
        longest: Counter[str] = Counter()
        for seats in (self.known(C), self.wanted[C]):
            for (test, _), fields in seats.items():
                longest[test] = max(longest[test], fields["extra_time"] or 0)
        for key in self.known(T).keys() | self.wanted[T].keys():
            known, tried = self.known(T).get(key), self.world.under_way.get((T, key))
            sides = [known] if known and not tried else [known, self.wanted[T].get(key), tried]
            start = min(side["start"] for side in sides if side)
            end = datetime.fromisoformat(max(side["end"] for side in sides if side)).astimezone(UTC)
            if datetime.fromisoformat(start) <= NOW:
                self.begun.add(key[0])
            if end + timedelta(minutes=longest[key[0]]) <= NOW:
                self.ended.add(key[0])
                if known and key not in self.wanted[T] and key not in self.faulted[T] and not self.trouble(T):
                    self.retiring.add(key[0])

    def vanished(self, kind: Kind) -> dict[Key, dict[str, Any]]:
        gone = self.known(kind).items()
        return {key: f for key, f in gone if key not in self.wanted[kind] and key not in self.faulted[kind]}

    def _suspects(self) -> None:
        self.new_suspects, self.old_suspects = set[Identity](), set[Identity]()
        for kind in (L, T):
            for new, wanted in self.wanted[kind].items():
                if new in self.known(kind) or (kind, new) in self.world.accepted:
                    continue
                for old, known in self.vanished(kind).items():
                    if new[0].lower() == old[0].lower() or self._alike(kind, wanted, known):
                        self.new_suspects.add((kind, new))
                        self.old_suspects.add((kind, old))

    def _alike(self, kind: Kind, wanted: dict[str, Any], known: dict[str, Any]) -> bool:
        def same(*names: str) -> bool:
            return all(wanted[name] == known[name] for name in names)

        if kind is L:
            return same("first_name", "last_name", "email") or same("username") or same("external_id", "auth_system")
        return same("external_test_id") or (same("title", "start") and known["standing"] != "retired")

    # what becomes of each record

    def plan(self) -> dict[Identity, Said]:
        for kind in (L, T):
            for key in self.wanted[kind]:
                self._say(kind, key, self._present(kind, key))
        for key, fields in self.vanished(T).items():
            self._say(T, key, self._test_gone(key, fields))
        for key in self.wanted[C]:
            self._say(C, key, self._seat(key))
        for key, fields in self.known(C).items():
            if fields["standing"] == "active" and key not in self.wanted[C] and key not in self.faulted[C]:
                self._say(C, key, self._seat_gone(key, fields))
        self._hold_where_nobody_would_remain()
        for key, fields in self.vanished(L).items():
            self._say(L, key, self._learner_gone(key, fields))
        return self.said

    def _say(self, kind: Kind, key: Key, said: Said | None) -> None:
        if said:
            self.said[kind, key] = said

    def _present(self, kind: Kind, key: Key) -> Said | None:
        wanted, known = self.wanted[kind][key], self.known(kind).get(key)
        if known is None:
            return ("rekey", "held") if (kind, key) in self.new_suspects else ("create", "pass")
        differing = {name for name, value in wanted.items() if value is not None and value != known[name]}
        if differing & {"username", "external_id", "auth_system", "external_test_id"}:
            return ("rekey", "held")
        if differing or (kind, key) in self.world.under_way:
            return ("update", "pass")
        return ("restore", "pass") if known["standing"] != "active" else None

    def _seat(self, key: Key) -> Said | None:
        test = (key[0],)
        standing = self.known(T).get(test, {"standing": ""})["standing"]
        if key[0] in self.retiring or (standing == "retired" and test not in self.wanted[T]):
            return None
        said = self._present(C, key)
        if said is None or said[0] == "restore":
            return said
        for identity in ((L, (key[1],)), (T, test)):
            planned = self.said.get(identity, ("", ""))
            if planned[0] == "rekey" or (identity not in self.world.known and planned != ("create", "pass")):
                return (said[0], "waiting")
        return said

    def _test_gone(self, key: Key, fields: dict[str, Any]) -> Said | None:
        ended = key[0] in self.ended
        if fields["standing"] == "retired" or (fields["standing"] == "withdrawn" and not ended):
            return None
        action = "retire" if ended else "withdraw"
        if self.trouble(T) or (self.trouble(C) and not ended):
            return (action, "withheld")
        named = any(test == key[0] for test, _ in self.wanted[C])
        return (action, "held" if (T, key) in self.old_suspects or (named and not ended) else "pass")

    def _seat_gone(self, key: Key, fields: dict[str, Any]) -> Said | None:
        test, learner = key
        ended = test in self.ended
        if test in self.retiring or not (ended or fields["ours"]):
            return None
        action = "retire" if ended else "remove"
        if self.trouble(C) or (test, "") in self.faulted[C] or self._same_account(test, learner):
            return (action, "withheld")
        if (L, (learner,)) in self.old_suspects or (T, (test,)) in self.old_suspects:
            return (action, "held")
        return (action, "withheld" if test in self.begun and not ended else "pass")

    def _same_account(self, test: str, learner: str) -> bool:
        mine = self.known(L).get((learner,))
        others = [(other,) for at, other in self.wanted[C] if at == test]
        theirs = [self.known(L).get(key) or self.wanted[L].get(key) for key in others]
        return mine is not None and any(one and one["external_id"] == mine["external_id"] for one in theirs)

    def _hold_where_nobody_would_remain(self) -> None:
        going = {
            i for i, (action, verdict) in self.said.items() if verdict == "pass" and action in {"remove", "withdraw"}
        }
        staying = {i for i, f in self.world.known.items() if f["standing"] == "active" and i[1][0] not in self.ended}
        held: set[Identity] = set()
        for scope, known in [
            ({i for i in going if i[0] is T}, {i for i in staying if i[0] is T}),
            ({i for i in going if i[0] is C}, {i for i in staying if i[0] is C}),
            *((self._on(going, test), self._on(self._active(), test)) for test in {key[0] for _, key in going}),
        ]:
            if len(scope) >= len(known) >= 2:
                held |= scope
        for identity in held:
            self.said[identity] = (self.said[identity][0], "held")

    def _active(self) -> set[Identity]:
        return {identity for identity, fields in self.world.known.items() if fields["standing"] == "active"}

    def _on(self, identities: Iterable[Identity], test: str) -> set[Identity]:
        return {identity for identity in identities if identity[0] is C and identity[1][0] == test}

    def _learner_gone(self, key: Key, fields: dict[str, Any]) -> Said | None:
        seats = {learner for _, learner in self.wanted[C]} | {k[1] for k in self.faulted[C] if k}
        for (test, learner), seat in self.known(C).items():
            leaves = self.said.get((C, (test, learner)), ("", "")) in {("remove", "pass"), ("retire", "pass")}
            if seat["standing"] == "active" and test not in self.retiring and not leaves:
                seats.add(learner)
        if fields["standing"] == "released" or key[0] in seats:
            return None
        if self.trouble(L) or self.trouble(C):
            return ("release", "withheld")
        return ("release", "held" if (L, key) in self.old_suspects else "pass")
