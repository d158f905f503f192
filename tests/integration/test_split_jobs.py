"""Jobs that read a part each lead to what one job of all does, and none removes what another one's feed wants."""

from collections.abc import Sequence

import pytest
from sync.engine.plan import needed_by
from sync.records.base import Kind

from ..support.university import NEXT_DAY, OTHER, TEST, University, names

NEW = "NEW1000-H26"
PEOPLE = [Kind.LEARNER, Kind.STAFF]
KINDS = [*PEOPLE, Kind.TEST, Kind.COMMITTEE, Kind.CONTRIBUTOR, Kind.CANDIDATE]
UNNAMED = {"K2", "K4", "P"}
"""The committees of which no feed names any after the change."""


@pytest.fixture
def changed(university: University) -> University:
    """A test whose committees are named by three feeds, and one that has none, after a change of nearly everything."""
    university.add_feeds("staff", "contributor", "committee")
    university.feed("candidate")["map"]["committees"] = "committees"
    university.registrations.columns += ("committees",)
    university.config["on_absence"] = {"committee": "remove"}
    university.config["committees"] = {"ensure": "Z"}
    university.allow_shrinkage()
    university.register(TEST, "1001", "1002", "1003")
    university.register(OTHER, "1001")
    university.assign_staff(TEST, "501", "502", "504")
    for key, committee in {"1001": "K1", "1002": "K3", "1003": "K4"}.items():
        university.registrations.set(f"{TEST} {key}", committees=committee)
    for key, committee in {"501": "K1", "502": "K2", "504": "K1"}.items():
        university.graders.set(f"{TEST} {key}", committees=committee)
    university.panels.add(f"{TEST} P", f"{TEST} Q")
    university.apply_once()
    university.at(NEXT_DAY)
    university.exams.set(TEST, name="Hjemmeeksamen")
    university.registrations.drop(f"{TEST} 1003")
    university.register(TEST, "1004")
    university.registrations.set(f"{TEST} 1004", committees="K5")
    university.register(NEW, "1001")
    university.graders.drop(f"{TEST} 501")
    university.assign_staff(TEST, "503")
    university.graders.set(f"{TEST} 503", committees="K1")
    university.graders.set(f"{TEST} 502", committees="K6")
    university.panels.drop(f"{TEST} P")
    return university


def one_each(kinds: Sequence[Kind]) -> list[list[Kind]]:
    return [[kind] for kind in kinds]


SPLITS = {
    "one each": one_each(KINDS),
    "one each, from the end": one_each(KINDS[::-1]),
    "committees with contributors": [
        [Kind.COMMITTEE, Kind.CONTRIBUTOR],
        [Kind.TEST],
        [Kind.CANDIDATE],
    ],
    "all who name committees": [[Kind.CANDIDATE, Kind.CONTRIBUTOR], [Kind.COMMITTEE, *KINDS[:3]]],
}


@pytest.mark.parametrize("split", SPLITS.values(), ids=SPLITS)
def test_jobs_one_after_another_end_where_one_job_of_all_does(
    changed: University, split: list[list[Kind]]
) -> None:
    for kinds in split:
        changed.run_job("-".join(kinds), *kinds)
        assert set(changed.committees(TEST)) >= {"K1", "K3", "Q"}
        assert set(changed.candidates(TEST)) >= names(["1001", "1002"])
        assert set(changed.contributors(TEST)) >= {"t502", "t504"}
        assert set(changed.committees(OTHER)) == {"Z"}
    # Committees that nobody names wait for a job that reads all who could name them
    whole = any({*KINDS[3:]} <= needed_by(kinds) for kinds in split)
    left = set() if whole else UNNAMED
    wanted = {"K1", "K3", "K5", "K6", "Q"}
    assert set(changed.committees(TEST)) == wanted | left
    assert set(changed.candidates(TEST)) == names(["1001", "1002", "1004"])
    assert set(changed.contributors(TEST)) == {"t502", "t503", "t504"}
    assert set(changed.candidates(NEW)) == names(["1001"])
    changed.apply_cleanly()
    assert set(changed.committees(TEST)) == wanted
    deferred = {f"DELETE committees {TEST}", f"POST committees {NEW}"}
    assert set(changed.written()) == (set() if whole else deferred)
    assert set(changed.committees(NEW)) == set(changed.committees(OTHER)) == {"Z"}
    assert changed.planned("pass") == []
