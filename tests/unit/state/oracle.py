"""What a plan must contain for a world, in plain Python without any of the tested code.

It follows the rules one by one, with dictionaries where the store has tables.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sync.records.base import Key, Kind, utc_text

from .drawing import LOCKED
from .oracle_wanted import ON_TESTS, PERSON, C, K, L, O, P, S, T, Wanted, fields_of
from .worlds import NOW, Identity, World

Said = tuple[str, str]
"""An action and a verdict."""
IDENTITY = {L: {"username", "external_id", "auth_system"}, T: {"external_test_id"}, K: {"type"}}
IDENTITY[S] = IDENTITY[L]
FREEZE = timedelta(hours=2)
LONGEST, AFTER = timedelta(days=1), timedelta(days=14)
CALLING = {"create", "update", "enable", "remove", "disable", "delete"}
ADDING = {"create", "update", "enable"}
GOING = {"remove", "disable", "delete", "withdraw"}


@dataclass
class Oracle:
    """One world, judged."""

    world: World

    def __post_init__(self) -> None:
        found = Wanted(self.world)
        self.known, self.invalid, self.astray = found.known, found.invalid, found.astray
        self.held, self.concerned, self.reused = found.held, found.concerned, found.reused
        self.wanted = {kind: found.records(kind) for kind in Kind}
        self.said: dict[Identity, Said] = {}
        self._windows()
        self._suspects()

    def trouble(self, kind: Kind) -> bool:
        kinds = (K, P, C) if kind is K else (kind,)  # committees are named by others, too
        return any(one in self.world.unread or None in self.invalid[one] for one in kinds)

    def _windows(self) -> None:
        self.begun, self.ended, self.retiring = set[str](), set[str](), set[str]()
        self.frozen, self.unsent, self.timed = set[str](), set[str](), set[str]()
        self.closed = set[str]()
        longest: Counter[str] = Counter()
        for seats in (self.known(C), self.wanted[C]):
            for (test, _), fields in seats.items():
                longest[test] = max(longest[test], fields["extra_time"] or 0)
        for key in self.known(T).keys() | self.wanted[T].keys():
            known, tried = self.known(T).get(key), self.world.under_way.get((T, key))
            sides = [known] if known and not tried else [known, self.wanted[T].get(key), tried]
            start = min(side["start"] for side in sides if side)
            end = datetime.fromisoformat(max(side["end"] for side in sides if side)).astimezone(UTC)
            self.timed.add(key[0])
            if (
                datetime.fromisoformat(start) <= NOW + FREEZE
                and end + timedelta(minutes=longest[key[0]]) > NOW
            ):
                self.frozen.add(key[0])
            if datetime.fromisoformat(start) <= NOW:
                self.begun.add(key[0])
            if end + timedelta(minutes=longest[key[0]]) <= NOW:
                self.ended.add(key[0])
                if end + timedelta(minutes=longest[key[0]]) + AFTER <= NOW:
                    self.closed.add(key[0])
                if not known and not tried:
                    self.unsent.add(key[0])
                if (
                    known
                    and key not in self.wanted[T]
                    and key not in self.invalid[T]
                    and not self.trouble(T)
                ):
                    self.retiring.add(key[0])

    def vanished(self, kind: Kind) -> dict[Key, dict[str, Any]]:
        gone = self.known(kind).items()
        return {
            key: f
            for key, f in gone
            if key not in self.wanted[kind] and key not in self.invalid[kind]
        }

    def _suspects(self) -> None:
        self.new_suspects, self.old_suspects = (
            {new for new, _ in self.reused},
            {old for _, old in self.reused},
        )
        for kind in (L, S, T):
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

        if kind is T:
            return same("external_test_id") or (
                same("title", "start") and known["lifecycle"] != "retired"
            )
        return (
            same("first_name", "last_name", "email")
            or same("username")
            or same("external_id", "auth_system")
        )

    def plan(self) -> dict[Identity, Said]:
        for kind in (L, S, T):
            for key in self.wanted[kind]:
                self._say(kind, key, self._present(kind, key))
        for key, fields in self.vanished(T).items():
            self._say(T, key, self._test_gone(key, fields))
        for kind in ON_TESTS:
            for key in self.wanted[kind]:
                self._say(kind, key, self._member(kind, key))
            for key, fields in self.known(kind).items():
                there = key in self.wanted[kind] or key in self.invalid[kind]
                back = key[0] in self.timed and key[0] not in self.ended
                if (fields["lifecycle"] == "active" or back) and not there and kind is not O:
                    self._say(kind, key, self._member_gone(kind, key, fields))
        for key, fields in self.vanished(S).items():
            self._say(S, key, self._staff_gone(key, fields))
        self._hold_where_nobody_would_remain()
        for key, fields in self.vanished(L).items():
            self._say(L, key, self._learner_gone(key, fields))
        return self.said

    def _say(self, kind: Kind, key: Key, said: Said | None) -> None:
        if kind is T and key[0] in self.unsent:
            return
        if said and said[0] in ADDING and (kind, key) in self.held:
            said = (said[0], "held")
        elif said and said[0] in CALLING and self._rests(kind, key):
            said = (said[0], "deferred")
        if said:
            self.said[kind, key] = said

    def _rests(self, kind: Kind, key: Key) -> bool:
        record, rests = self.world.refused.get((kind, key), (None, False))
        wanted = self.wanted[kind].get(key)
        return rests and (fields_of(record) == wanted if record else wanted is None)

    def _present(self, kind: Kind, key: Key) -> Said | None:
        wanted, known = self.wanted[kind][key], self.known(kind).get(key)
        if kind is S:
            return self._present_staff(key, wanted, known)
        if kind is O and wanted["value"] is None:
            return None
        if known is None:
            return (
                ("identity change", "held")
                if (kind, key) in self.new_suspects
                else ("create", "held" if kind is T and self._is_late(wanted) else "pass")
            )
        differing = {
            name for name, value in wanted.items() if value is not None and value != known[name]
        }
        if any(known[name] for name in differing & IDENTITY.get(kind, set())):
            return ("identity change", "held")
        if differing or (kind, key) in self.world.under_way:
            return ("update", self._test_verdict(key[0], wanted, known) if kind is T else "pass")
        return ("restore", "pass") if known["lifecycle"] != "active" else None

    def _is_late(self, wanted: dict[str, Any]) -> bool:
        """Tell whether a test began longer ago than a test lasts: too late to be registered late."""
        return datetime.fromisoformat(wanted["start"]) + LONGEST < NOW

    def _test_verdict(self, test: str, wanted: dict[str, Any], known: dict[str, Any]) -> str:
        differing = {
            name for name, value in wanted.items() if value is not None and value != known[name]
        }
        if self._stays_ended(test, wanted, differing):
            return "deferred"
        return "held" if self._shifts(test, wanted, known) else "pass"

    def _stays_ended(self, test: str, wanted: dict[str, Any], differing: set[str]) -> bool:
        """Tell whether a test has ended and would still have ended after this change."""
        again = "end" in differing and wanted["end"] > utc_text(NOW)
        return test in self.ended and bool(differing) and not again

    def _has_other_times(self, test: str) -> bool:
        """Tell whether a test has ended by times that change now, other than by a held update."""
        said, identity = self.said.get((T, (test,)), ("", "")), (T, (test,))
        if test not in self.ended or said[0] != "update":
            return False
        rests = self._rests(*identity)
        by_times = said[1] == "held" and identity not in self.held
        stays = said[1] == "deferred" and not rests
        return not (by_times or stays)

    def _shifts(self, test: str, wanted: dict[str, Any], known: dict[str, Any]) -> bool:
        """Tell whether a test's new times or title need a person: frozen, or about to be past."""
        now, soon = (utc_text(moment) for moment in (NOW, NOW + FREEZE))
        if any(wanted[name] <= now < known[name] for name in ("start", "end")):
            return True
        moves = wanted["start"] != known["start"]
        again = test in self.ended and not moves and wanted["end"] > now
        if test in self.frozen or again:
            return bool(moves or wanted["end"] < known["end"] or wanted["title"] != known["title"])
        return bool(moves and wanted["start"] <= soon and wanted["end"] > now)

    def _present_staff(
        self, key: Key, wanted: dict[str, Any], known: dict[str, Any] | None
    ) -> Said | None:
        unsettled = (S, key) in self.world.under_way
        if known is None:
            if wanted["status"] == "disabled":
                return None
            return (
                ("identity change", "held") if (S, key) in self.new_suspects else ("create", "pass")
            )
        out = known["lifecycle"] == "disabled"
        if wanted["status"] == "disabled":
            kept = not known["managed"] or self._shares_account(key, known)
            return ("disable", "held" if kept else "pass") if unsettled or not out else None
        others = {
            name: value for name, value in wanted.items() if name != "status" and value is not None
        }
        differing = {name for name, value in others.items() if value != known[name]}
        if differing & IDENTITY[S]:
            return ("identity change", "held")
        if out:
            return ("enable", "pass")
        return ("update", "pass") if differing or unsettled else None

    def _member(self, kind: Kind, key: Key) -> Said | None:
        test = (key[0],)
        if (
            key[0] in self.unsent
            or self._over(key[0])
            or (kind is O and key[1] == LOCKED and key[0] in self.ended)
        ):
            return None
        said = self._present(kind, key)
        if said is None or said[0] not in CALLING:
            return said
        needed = [(T, test)] + ([(PERSON[kind], (key[1],))] if kind in PERSON else [])
        for identity in needed:
            planned = self.said.get(identity, ("", ""))
            if planned[0] == "identity change" or (
                identity not in self.world.known and planned != ("create", "pass")
            ):
                return (said[0], "waiting")
        unsure = self.trouble(kind) or self._half_read(kind, test[0])
        locked = kind is O and key[1] == LOCKED and key[0] in self.begun
        if locked or (said[0] == "update" and unsure and self._takes_away(kind, key)):
            return (said[0], "deferred")
        frozen = said[0] == "update" and test[0] in self.frozen and not self._adds(kind, key)
        differs = said[0] == "create" or self._differs(kind, key)
        if frozen or (differs and self._is_over(kind, test[0])):
            return (said[0], "deferred")
        return said

    def _is_over(self, kind: Kind, test: str) -> bool:
        """Tell whether nothing of this kind changes on a test any more."""
        over = test in self.ended if kind is C else test in self.closed
        return over and not self._has_other_times(test)

    def _differs(self, kind: Kind, key: Key) -> bool:
        wanted, known = self.wanted[kind][key], self.known(kind)[key]
        return any(value is not None and value != known[name] for name, value in wanted.items())

    def _adds(self, kind: Kind, key: Key) -> bool:
        """Tell whether anything wanted on a frozen test adds to what is known, or equals it."""
        wanted, known = self.wanted[kind][key], self.known(kind)[key]
        differing = {
            name for name, value in wanted.items() if value is not None and value != known[name]
        }
        return not differing or any(
            self._adds_to(name, known[name], wanted[name]) for name in differing
        )

    def _adds_to(self, name: str, known: Any, wanted: Any) -> bool:
        if name == "extra_time":
            return bool(wanted >= (known or 0))
        if name in {"roles", "committees"}:
            return set((known or "").split("\n")) - {""} <= set(wanted.split("\n"))
        return not known and name != "candidate_id"

    def _takes_away(self, kind: Kind, key: Key) -> bool:
        """Tell whether a change leaves somebody on a test with less than they have.

        A blank value leaves everything.
        """
        wanted, known = self.wanted[kind][key], self.known(kind)[key]
        for name in {"roles", "committees"} & wanted.keys():
            if wanted[name] is not None and set((known[name] or "").split("\n")) - {""} - set(
                wanted[name].split("\n")
            ):
                return True
        minutes = wanted.get("extra_time")
        return minutes is not None and minutes < (known.get("extra_time") or 0)

    def _shares_account(self, key: Key, known: dict[str, Any]) -> bool:
        """Tell whether another wanted or invalid person has this member of staff's account."""
        if (S, key) in self.concerned:
            return True
        for kind in (L, S):
            errors = {
                one: fields for one, fields in self.known(kind).items() if one in self.invalid[kind]
            }
            if any(
                self._one_account(known, one)
                for key_, one in errors.items()
                if (kind, key_) != (S, key)
            ):
                return True
            for other, wanted in self.wanted[kind].items():
                itself = kind is S and (other == key or wanted["status"] == "disabled")
                if self._one_account(known, wanted) and not itself:
                    return True
        return False

    def _one_account(self, one: dict[str, Any], other: dict[str, Any]) -> bool:
        same_id = (one["external_id"], one["auth_system"]) == (
            other["external_id"],
            other["auth_system"],
        )
        return same_id or one["username"] == other["username"]

    def _test_gone(self, key: Key, fields: dict[str, Any]) -> Said | None:
        ended = key[0] in self.ended
        if fields["lifecycle"] == ("retired" if ended else "withdrawn"):
            return None
        action = "retire" if ended else "withdraw"
        if self.trouble(T) or (self.trouble(C) and not ended):
            return (action, "deferred")
        named = any(test == key[0] for test, _ in self.wanted[C])
        return (
            action,
            "held" if (T, key) in self.old_suspects or (named and not ended) else "pass",
        )

    def _member_gone(self, kind: Kind, key: Key, fields: dict[str, Any]) -> Said | None:
        test, other = key
        ended = test in self.ended
        retires = kind is C and ended
        if test in self.retiring or not (retires or fields["managed"]):
            return None
        action = "retire" if retires else "remove"
        unsettled = self.said.get((T, (test,)), ("", "")) == ("update", "held")
        unsettled = unsettled or self._has_other_times(test)
        unsettled = (
            unsettled
            or self._may_be_meant(kind, test, other)
            or self._shares_names(kind, test, other)
        )
        if self.trouble(kind) or self._half_read(kind, test) or unsettled:
            return (action, "deferred")
        if (PERSON.get(kind, T), (other,)) in self.old_suspects & self._people() or (
            T,
            (test,),
        ) in self.old_suspects:
            return (action, "held")
        if self._same_account(kind, test, other) or (test in self.begun and not ended):
            return (action, "deferred")
        if fields["lifecycle"] == "retired":
            return (action, "held")
        over = action == "remove" and test in self.closed
        stays = test in self.frozen or over or (kind is K and self._is_last(test, other, fields))
        return (action, "deferred" if stays else "pass")

    def _is_last(self, test: str, committee: str, fields: dict[str, Any]) -> bool:
        """Tell whether a test has no other committee for grading that stays."""
        if fields["type"] == "REASSESSMENT":
            return False
        return not any(
            one["lifecycle"] == "active"
            and one["type"] != "REASSESSMENT"
            and (key in self.wanted[K] or key in self.invalid[K] or not one["managed"])
            for key, one in self.known(K).items()
            if key[0] == test and key[1] != committee
        )

    def _shares_names(self, kind: Kind, test: str, other: str) -> bool:
        return bool({(T, (test,)), (PERSON.get(kind, K), (other,))} & self.concerned)

    def _people(self) -> set[Identity]:
        return {identity for identity in self.old_suspects if identity[0] in (L, S)}

    def _may_be_meant(self, kind: Kind, test: str, other: str) -> bool:
        return not self.astray[kind].isdisjoint({(test, ""), ("", other), ("", "")})

    def _half_read(self, kind: Kind, test: str) -> bool:
        """Whether a row of this test might mean anybody; any row may name a committee."""
        if kind is K:
            rows = {
                key[0]
                for one in (K, P, C)
                for key in (*self.invalid[one], *self.astray[one])
                if key
            }
            return test in rows or any(not key[0] for one in (K, P, C) for key in self.astray[one])
        return (test, "") in self.invalid[kind]

    def _same_account(self, kind: Kind, test: str, person: str) -> bool:
        if kind not in PERSON:
            return False
        of = PERSON[kind]
        mine = self.known(of).get((person,))
        others = [(other,) for at, other in self.wanted[kind] if at == test]
        theirs = [self.known(of).get(key) or self.wanted[of].get(key) for key in others]
        return mine is not None and any(
            one and one["external_id"] == mine["external_id"] for one in theirs
        )

    def _hold_where_nobody_would_remain(self) -> None:
        going = {
            i for i, (action, verdict) in self.said.items() if verdict == "pass" and action in GOING
        }
        active = {i for i, fields in self.world.known.items() if fields["lifecycle"] == "active"}
        ending = {i for i in active if i[0] not in (L, S) and i[1][0] in self.ended}
        scopes = [(self._of(going, kind), self._of(active - ending, kind)) for kind in Kind]
        for test in {key[0] for _, key in going}:
            for kind in (C, P, K):
                scopes.append((self._of(going, kind, test), self._of(active, kind, test)))
        held = set().union(*(scope for scope, known in scopes if len(scope) >= len(known) >= 2))
        for identity in held:
            self.said[identity] = (self.said[identity][0], "held")

    def _of(
        self, identities: Iterable[Identity], kind: Kind, test: str | None = None
    ) -> set[Identity]:
        return {one for one in identities if one[0] is kind and test in (None, one[1][0])}

    def _named_on(self, kind: Kind) -> set[Key]:
        """Return the tests and people that rows of this kind name, or that are known and stay."""
        places = {key for key in self.wanted[kind] if kind is not P or not self._over(key[0])}
        places |= {key for key in self.invalid[kind] if key}
        for key, fields in self.known(kind).items():
            leaves = self.said.get((kind, key), ("", "")) in {
                ("remove", "pass"),
                ("retire", "pass"),
            }
            old = kind is P and key[0] in self.closed
            over = key[0] in self.retiring or old
            if fields["lifecycle"] == "active" and not over and not leaves:
                places.add(key)
        return places

    def _over(self, test: str) -> bool:
        """Whether a test is retired, or retires now: what still names it is ignored."""
        known = self.known(T).get((test,), {"lifecycle": ""})
        return test in self.retiring or (
            known["lifecycle"] == "retired" and (test,) not in self.wanted[T]
        )

    def _learner_gone(self, key: Key, fields: dict[str, Any]) -> Said | None:
        seated = any(learner == key[0] for _, learner in self._named_on(C))
        if fields["lifecycle"] == "released" or seated:
            return None
        if self.trouble(L) or self.trouble(C):
            return ("release", "deferred")
        return ("release", "held" if (L, key) in self.old_suspects else "pass")

    def _staff_gone(self, key: Key, fields: dict[str, Any]) -> Said | None:
        out = fields["lifecycle"] == "disabled" and (S, key) not in self.world.under_way
        if out or not fields["managed"]:
            return None
        action = "delete" if self.world.delete else "disable"
        if self.trouble(S) or self.trouble(P):
            return (action, "deferred")
        named = any(member == key[0] for _, member in self._named_on(P))
        kept = named or (S, key) in self.old_suspects or self._shares_account(key, fields)
        return (action, "held" if kept else "pass")
