"""Whatever copy of the state is put back when: nothing of ours becomes theirs, and nothing of theirs is removed."""

import random
import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from ..support.manual_edits import put_candidate
from ..support.university import TEST, University, names, numbers
from .test_older_copy import copied, put_back

CLASS, STRANGERS, NEIGHBOURS = numbers(1001, 8), numbers(2001, 2), numbers(3001, 2)
"""Whom the source may name; whom it names although they were put there by hand; whom nobody but a hand ever named."""


class History:
    """A university to which things happen, and what must be true of it after each."""

    def __init__(self, university: University, chance: random.Random) -> None:
        self.university, self.chance = university, chance
        self.wanted, self.by_hand = set(CLASS[:4]), set(STRANGERS)
        self.copies: list[Path] = []
        university.allow_shrinkage()
        university.config["limits"] = {"test": {"at_least": 20, "percent": 100, "at_most": 100}}
        university.students.add(*CLASS, *STRANGERS, *NEIGHBOURS)
        university.register(TEST, *CLASS[:4])
        university.apply_cleanly()
        for number in STRANGERS:
            put_candidate(university, number)
        university.registrations.add(*(f"{TEST} {number}" for number in STRANGERS))
        university.apply_cleanly()
        self.copies.append(copied(university))

    def step(self) -> None:
        """Something happens, and the day ends with an `apply`."""
        self.university.time += timedelta(hours=1)
        self.chance.choice(
            (self.come, self.come, self.go, self.more_time, self.move, self.hand, self.copy)
        )()
        self.university.apply_cleanly()

    def come(self) -> None:
        new = [number for number in CLASS if number not in self.wanted]
        if new:
            self.wanted.add(number := self.chance.choice(new))
            self.university.registrations.add(f"{TEST} {number}")

    def go(self) -> None:
        if len(self.wanted) > 2:
            self.wanted.remove(number := self.chance.choice(sorted(self.wanted)))
            self.university.registrations.drop(f"{TEST} {number}")

    def more_time(self) -> None:
        minutes = str(self.chance.choice((15, 30, 45)))
        self.university.registrations.set(
            f"{TEST} {self.chance.choice(sorted(self.wanted))}", extra=minutes
        )

    def move(self) -> None:
        self.university.exams.set(TEST, end=f"01.12.2026 13:{self.chance.choice((10, 20, 30))}")

    def hand(self) -> None:
        self.by_hand.add(number := self.chance.choice(NEIGHBOURS))
        put_candidate(self.university, number)

    def copy(self) -> None:
        self.copies.append(copied(self.university))

    def restore(self) -> None:
        """A copy, or none at all, is put in the place of the state, which is recovered by the guide."""
        university = self.university
        if self.chance.random() < 0.8:
            put_back(
                university, self.chance.choice(self.copies), elsewhere=self.chance.random() < 0.4
            )
        else:
            self.theirs_no_longer_known()
        assert university.apply().status == 3
        assert university.writes() == []
        university.adopt("--managed")
        university.reconcile()
        university.apply()
        university.adopt("--held")
        university.apply_cleanly()

    def theirs_no_longer_known(self) -> None:
        """The state is lost altogether: whoever says `--managed` then first takes out of the source who is not."""
        for file in self.university.folder.glob("state.db*"):
            file.unlink()
        for number in STRANGERS:
            if any(row["student_no"] == number for row in self.university.registrations.rows):
                self.university.registrations.drop(f"{TEST} {number}")

    def check(self) -> None:
        """Everybody who should be there is, and of each it is known whose seat it is."""
        assert set(self.university.candidates()) == names(self.wanted | self.by_hand)
        with closing(sqlite3.connect(self.university.state)) as state:
            known = dict(
                state.execute(
                    "SELECT learner, managed FROM known_candidate WHERE lifecycle = 'active'"
                )
            )
        assert {number for number, managed in known.items() if managed} == self.wanted
        assert self.university.planned() == []


@pytest.mark.parametrize("seed", range(4))
def test_whatever_copy_is_put_back_ours_stays_ours_and_theirs_stays(
    university: University, seed: int
) -> None:
    history = History(university, random.Random(seed))
    for _ in range(2):
        for _ in range(3):
            history.step()
        history.restore()
        history.check()
    history.step()
    history.check()
