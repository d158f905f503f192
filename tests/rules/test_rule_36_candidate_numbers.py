"""Rules 36: A candidate number is given only when it is free: no person who stays on the test in
Inspera may still have it.
"""

from collections import Counter
from typing import Any

import pytest
from sync.app import App
from sync.commands.jobs import ConfiguredJob
from sync.engine.executor import never
from sync.service.metrics import Metrics

from ..support.manual_edits import put_candidate
from ..support.university import BEFORE, DURING, OTHER, TEST, University, numbers

SHORTLY_BEFORE = "2026-11-27T08:00"
LEARNERS = numbers(1001, 20)


@pytest.fixture
def numbered(university: University) -> University:
    """20 candidates of one test, with the numbers 101 to 120, and never a number twice after any call."""
    university.allow_shrinkage()
    university.config["inspera"]["workers"] = 1
    university.register(TEST, *LEARNERS)
    for at, learner in enumerate(LEARNERS):
        give(university, learner, str(101 + at))
    university.apply_once()
    return university


def give(university: University, learner: str, number: str, test: str = TEST) -> None:
    university.registrations.set(f"{test} {learner}", number=number)


def seat(university: University, learner: str, number: str) -> None:
    university.register(TEST, learner)
    give(university, learner, number)


def given(university: University, test: str = TEST) -> dict[str, str]:
    """Every candidate's number in Inspera by student number."""
    return {
        name.removeprefix("s"): one["candidateId"]
        for name, one in university.candidates(test).items()
    }


def replay(university: University) -> list[Counter[str]]:
    """How often each number of the test was there before the last command and after each of its calls."""
    now: dict[str, str] = dict(university.before)  # type: ignore[attr-defined]
    moments = [Counter(now.values())]
    for call in university.sent(f"/{university.tests()[TEST]['assessmentRunId']}/candidates"):
        for one in call["body"]["candidates"] if call["committed"] else ():
            learner = one["externalId"].removeprefix("s")
            if call["method"] == "DELETE":
                now.pop(learner, None)
            elif one.get("candidateId") is not None:
                now[learner] = one["candidateId"]
        moments.append(Counter(now.values()))
    return moments


def apply(university: University, *words: str) -> Any:
    """Applies, and holds every moment of it against the rule."""
    university.before = given(university)  # type: ignore[attr-defined]
    ran = university.apply(*words)
    for moment in replay(university):
        assert max(moment.values(), default=0) <= 1, moment
    assert max(Counter(given(university).values()).values(), default=0) <= 1
    return ran


def reasons(university: University, *verdicts: str) -> dict[str, str]:
    """The plan's reasons by student number."""
    changes = [one for one in university.plan_json()["changes"] if one["kind"] == "candidate"]
    return {one["key"][1]: one["reason"] for one in changes if one["verdict"] in verdicts}


def test_numbers_of_those_who_left_who_a_limit_holds_are_not_given_away(
    numbered: University,
) -> None:
    for at in range(6):
        numbered.registrations.drop(f"{TEST} {1012 + at}")
        seat(numbered, str(6001 + at), str(112 + at))
    seat(numbered, "6100", "300")
    why = reasons(numbered, "deferred")
    assert set(why) == set(numbers(6001, 6))
    assert why["6001"].startswith("number 112 is still 1012's, who stays: limit: removals on test ")
    ran = apply(numbered)
    assert ran.status == 3
    assert "number 112 is still 1012's" in ran.out
    assert set(given(numbered)) == {*LEARNERS, "6100"}
    hash_ = numbered.plan_json()["summary"]["held_scopes"][0]["hash"]
    assert apply(numbered, "--allow", hash_).status == 0
    assert given(numbered)["6001"] == "112"
    assert [call["method"] for call in numbered.sent("/candidates")] == ["DELETE", "POST"]


def test_the_removal_goes_first_only_where_a_number_changes_hands(numbered: University) -> None:
    numbered.registrations.drop(f"{TEST} 1001", f"{TEST} 1002")
    seat(numbered, "6001", "101")
    assert apply(numbered).status == 0
    order = [f"{method} candidates {TEST}" for method in ("DELETE", "POST", "DELETE")]
    assert numbered.written()[-3:] == order


def test_a_refused_removal_leaves_the_number_where_it_is(numbered: University) -> None:
    numbered.registrations.drop(f"{TEST} 1001")
    seat(numbered, "6001", "101")
    numbered.fail(method="DELETE", path="*/candidates", status=409)
    ran = apply(numbered)
    assert ran.status == 1
    assert "number 101 is still 1001's, who stays" in ran.out
    assert "6001" not in given(numbered)
    numbered.stop_failing()
    assert apply(numbered, "--retry-refused").status == 0
    assert given(numbered)["6001"] == "101"


def test_two_who_swap_their_numbers_do_so_in_one_call(numbered: University) -> None:
    give(numbered, "1001", "102")
    give(numbered, "1002", "101")
    assert apply(numbered).status == 0
    assert (given(numbered)["1001"], given(numbered)["1002"]) == ("102", "101")
    (call,) = numbered.sent("/candidates")
    assert len(call["body"]["candidates"]) == 2


def test_they_swap_again_and_nobody_is_named_twice_whatever_the_order_of_rows(
    numbered: University,
) -> None:
    for at, learner in enumerate(LEARNERS):
        give(numbered, learner, str(101 + (at + 1) % 20))
    numbered.config["limits"] = {"updates": {"percent": 100}}
    assert apply(numbered).status == 0
    assert sorted(given(numbered).values()) == numbers(101, 20)
    for at, learner in enumerate(LEARNERS):
        give(numbered, learner, str(102 + (at + 1) % 20) if at < 19 else "300")
    numbered.registrations.rows.reverse()
    assert apply(numbered).status == 0
    assert given(numbered)["1020"] == "300"


def test_a_swap_that_is_refused_leaves_both_with_their_own(numbered: University) -> None:
    give(numbered, "1001", "102")
    give(numbered, "1002", "101")
    numbered.fail(method="POST", path="*/candidates", status=400, body={"errors": ["no"]})
    assert apply(numbered).status == 1
    assert (given(numbered)["1001"], given(numbered)["1002"]) == ("101", "102")


def test_a_number_of_somebody_put_there_by_hand_is_not_given_to_another(
    numbered: University,
) -> None:
    numbered.students.add("1099")
    numbered.apply_cleanly()
    put_candidate(numbered, "1099", candidateId="300")
    seat(numbered, "6001", "300")
    assert reasons(numbered, "deferred") == {}
    ran = apply(numbered)
    assert ran.status == 1
    assert "number 300 is still account s1099's" in ran.out
    assert "exit status 1: a change waits." in ran.out


def test_a_plan_knows_of_a_number_that_the_last_apply_found_taken(numbered: University) -> None:
    numbered.students.add("1099", "6001")
    numbered.apply_once()
    put_candidate(numbered, "1099", candidateId="300")
    seat(numbered, "6001", "300")
    apply(numbered)
    ran = numbered.run("plan")
    assert "Would do" not in ran.out
    assert ran.out.endswith("no change; 1 deferred; 0 row errors; exit status 1: a change waits.\n")
    assert reasons(numbered, "deferred")["6001"].startswith("number 300 is still ")
    give(numbered, "6001", "301")
    assert "create candidate" in numbered.run("plan").out  # the remedy that the reason names
    assert apply(numbered).status == 0


def test_while_a_test_is_under_way_its_numbers_stay_with_those_who_sit_it(
    numbered: University,
) -> None:
    numbered.at(DURING)
    numbered.registrations.drop(f"{TEST} 1001")
    seat(numbered, "6001", "101")
    why = reasons(numbered, "deferred")
    assert (
        why["6001"]
        == "number 101 is still 1001's, who stays: the test has begun: its candidates stay"
    )
    assert apply(numbered).status == 3  # the test is within 7 days
    assert "6001" not in given(numbered)


def test_the_same_number_on_another_test_is_free(numbered: University) -> None:
    numbered.register(OTHER, "1002")
    give(numbered, "1002", "101", OTHER)
    assert apply(numbered).status == 0
    assert given(numbered, OTHER) == {"1002": "101"}


def as_job(university: University) -> tuple[Metrics, str]:
    """One run of a job, and how it ended."""
    university.config["jobs"] = {"exam_day": {"every": "10m"}}
    app, metrics = App.open(university.write(), lambda _line: None), Metrics(university.now)
    job = ConfiguredJob(app, "exam_day", app.loaded.settings.jobs["exam_day"], metrics)
    return metrics, job.begin().run(never, university.now())


@pytest.mark.parametrize("moment", [BEFORE, SHORTLY_BEFORE])
def test_what_waits_for_a_number_is_counted_once_in_the_metric(
    numbered: University, moment: str
) -> None:
    numbered.students.add("1099")
    numbered.apply_once()
    put_candidate(numbered, "1099", candidateId="300")
    seat(numbered, "6001", "300")  # only Inspera shows who has it
    for at in range(6):  # the state knows who has these: their removals are held
        numbered.registrations.drop(f"{TEST} {1012 + at}")
        seat(numbered, str(6012 + at), str(112 + at))
    numbered.at(moment)
    metrics, _ = as_job(numbered)
    soon = 7 if moment == SHORTLY_BEFORE else 0
    shown = metrics.expose().decode()
    assert f'waiting{{due="within 7 days",job="exam_day"}} {soon}.0' in shown
    assert f'waiting{{due="later",job="exam_day"}} {7 - soon}.0' in shown
