"""Whatever is edited and decided in whatever order: no guarded change is sent that nobody approved just so."""

import json
import random
from datetime import datetime, timedelta

from sync.app import App

from ..support.university import TEST, University, numbers

CLASS = numbers(1001, 6)
Removal = tuple[str, int]
"""A removal as a person sees it: who, and with how many minutes of extra time."""


class History:
    """A university in which every removal is guarded, and what people have decided so far."""

    def __init__(self, university: University, chance: random.Random) -> None:
        self.university, self.chance = university, chance
        self.approved: dict[Removal, datetime] = {}
        self.rejected: set[Removal] = set()
        self.sent = 0
        nothing = {"at_least": 0, "percent": 0, "at_most": 0}
        university.allow_shrinkage()
        university.config["limits"] = {"test": nothing, "kind": nothing}
        university.register(TEST, *CLASS, "1099")
        university.apply_once()

    def listed(self) -> set[str]:
        """Who the source names."""
        return {row["student_no"] for row in self.university.registrations.rows}

    def there(self) -> dict[str, int]:
        """Who is on the test in Inspera, with the minutes of extra time."""
        candidates = self.university.candidates().items()
        return {name[1:]: int(seat["extraTimeMins"] or 0) for name, seat in candidates}

    def edit(self) -> None:
        """Somebody leaves, comes back, or gets other minutes."""
        learner, rows = self.chance.choice(CLASS), self.university.registrations
        if learner not in self.listed():
            rows.add(f"{TEST} {learner}", extra=self.chance.choice(("", "15", "30")))
        elif self.chance.random() < 0.7:
            rows.drop(f"{TEST} {learner}")
        else:
            rows.set(f"{TEST} {learner}", extra=self.chance.choice(("45", "60")))

    def wait(self) -> None:
        self.university.time += timedelta(hours=self.chance.choice((1, 5, 13)))

    def decide(self) -> None:
        """Somebody decides about a part of what is listed, perhaps while another run is under way."""
        listed = json.loads(self.university.run("held", "--json").out)["holds"]
        if not listed:
            return
        changes = [one["key"][1] for one in listed[0]["changes"]]
        chosen = self.chance.sample(changes, self.chance.randint(1, len(changes)))
        verdict = self.chance.choice(("approve", "approve", "reject"))
        there, before = self.there(), self.university.time
        words = [verdict, listed[0]["id"], "--why", "so", "--by", "ann"]
        words += [f"--only={learner}" for learner in chosen]
        for removal in ((learner, there[learner]) for learner in chosen if learner in there):
            self.approved.pop(removal, None)
            self.rejected.discard(removal)
            if verdict == "approve":
                self.approved[removal] = before + timedelta(hours=24)
            else:
                self.rejected.add(removal)
        if self.chance.random() < 0.5:
            state = App.open(self.university.write(), lambda _: None).state
            with state.open_to_write("job nightly"):
                assert self.university.run(*words).status == 0
            assert self.there() == there
        else:
            self.university.run(*words)
            self.check(there)

    def run(self) -> None:
        there = self.there()
        self.university.apply()
        self.check(there)
        wanted = self.listed()
        due = {one for one in there.items() if one[0] not in wanted}
        assert not {one for one in due if self.counts(one)} & set(self.there().items())

    def counts(self, removal: Removal) -> bool:
        return removal in self.approved and self.approved[removal] > self.university.time

    def check(self, before: dict[str, int]) -> None:
        """Everybody who has gone was to go, and a person had approved exactly that in time."""
        wanted, there = self.listed(), self.there()
        for learner in before.keys() - there.keys():
            removal = (learner, before[learner])
            assert learner not in wanted
            assert self.counts(removal), f"{removal} was not approved"
            assert removal not in self.rejected
            del self.approved[removal]
            self.sent += 1


def test_only_what_was_approved_just_so_and_in_time_is_sent(university: University) -> None:
    history = History(university, random.Random(2))
    steps = (history.edit, history.edit, history.run, history.decide, history.decide, history.wait)
    for _ in range(25):
        history.chance.choice(steps)()
    assert history.sent > 1
