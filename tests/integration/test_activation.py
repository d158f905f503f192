"""A test is activated once it has all that the sources say, and never before somebody could lose by it."""

import re

import pytest
from sync.records.base import Kind

from ..support.university import DURING, OTHER, TEST, University

WEEK_BEFORE, DAY_BEFORE, MORNING = "2026-11-24T09:00", "2026-11-30T09:00", "2026-12-01T07:00"
ACTIVATE = "/activate"


@pytest.fixture
def ready(university: University) -> University:
    """Two learners and a grader in a committee on a test, all of it in Inspera a week before."""
    university.add_feeds("staff", "contributor", "committee", "option")
    university.feed("test")["activate"] = {"before": "24h"}
    university.register(TEST, "1001", "1002")
    university.assign_staff(TEST, "501", committees="A")
    university.panels.add(f"{TEST} A")
    university.settings.add(f"{TEST} LOCKDOWN_BROWSER", value="true")
    university.at(WEEK_BEFORE)
    university.apply_once()
    university.at(DAY_BEFORE)
    return university


def activated(university: University, test: str = TEST) -> bool:
    return bool(university.tests()[test]["activated"])


def waiting(university: University) -> list[str]:
    """Why activations wait, as the last run found it."""
    findings = university.findings("apply")
    return [one["text"] for one in findings if "not activated" in one["text"]]


def test_a_test_is_activated_within_the_window_once_and_never_again(ready: University) -> None:
    ready.at(WEEK_BEFORE)
    assert ready.planned() == []
    ready.at(DAY_BEFORE)
    assert ready.planned() == [f"activate test {TEST}"]
    plan = ready.plan()
    assert f"activate test {TEST}" in plan.out
    assert "the first activation of a test lets Inspera mail its graders" in plan.out
    ready.apply_cleanly()
    assert activated(ready)
    assert [call["path"].rsplit("/", 1)[1] for call in ready.sent()] == ["activate"]
    assert ready.planned() == []
    ready.apply_cleanly()
    assert ready.sent() == []


def test_without_the_setting_nothing_is_activated(ready: University) -> None:
    del ready.feed("test")["activate"]
    assert ready.planned() == []
    ready.apply_cleanly()
    assert not activated(ready)


def test_it_comes_after_all_that_is_on_the_test_its_removals_included(ready: University) -> None:
    ready.config["grace"] = {"readings": 1, "age": "0s"}
    ready.registrations.drop(f"{TEST} 1002")
    ready.register(TEST, "1003")
    ready.register(OTHER, "1001")
    ready.panels.add(f"{OTHER} A")
    ready.apply_cleanly()
    written = ready.written()
    assert f"DELETE candidates {TEST}" in written
    assert sorted(written[-2:]) == [f"POST activate {TEST}", f"POST activate {OTHER}"]
    assert activated(ready, OTHER)


def test_it_waits_for_a_candidate_until_the_freeze_and_the_run_ends_with_3(
    ready: University,
) -> None:
    ready.register(TEST, "1003")
    ready.fail(method="POST", path="*/candidates", status=400, body={"error": "no such person"})
    assert ready.apply().status == 3
    assert not activated(ready)
    (text,) = waiting(ready)
    assert "waits for 1 candidate " in text
    assert "from 2 h before its start it is activated without them" in text
    assert ready.plan().status == 3  # refused a moment ago: the activation waits in the plan, too
    ready.at(MORNING)
    assert ready.apply().status != 0
    assert activated(ready)


def test_it_waits_for_an_option_however_late_it_is(ready: University) -> None:
    ready.settings.add(f"{TEST} LOCKDOWN_CHROME_KIOSK", value="true")
    ready.fail(method="POST", path="*/options", status=400, body={"error": "not now"})
    assert ready.apply().status == 3
    ready.at(MORNING)
    assert ready.apply().status == 3
    assert not activated(ready)
    assert "waits for 1 option " in waiting(ready)[0]
    ready.stop_failing()
    ready.at("2026-12-01T07:30")
    ready.apply_cleanly()
    assert activated(ready)


def test_a_test_without_candidates_waits_for_one(ready: University) -> None:
    ready.exams.add(OTHER)
    assert ready.apply().status == 3
    assert waiting(ready) == ["not activated: waits for at least one candidate"]
    assert activated(ready)
    assert not activated(ready, OTHER)


def test_a_refusal_is_shown_in_the_vendors_words_and_is_not_repeated_each_run(
    ready: University,
) -> None:
    ready.fail(
        method="POST", path=f"*{ACTIVATE}", status=400, body={"error": "grading scale is missing"}
    )
    assert ready.apply().status != 0
    assert "grading scale is missing" in waiting(ready)[0]
    assert ready.apply().status != 0
    assert ready.sent(ACTIVATE) == []
    assert "grading scale is missing" in waiting(ready)[0]
    ready.at("2026-11-30T09:16")
    assert ready.apply().status != 0
    assert len(ready.sent(ACTIVATE)) == 1
    ready.stop_failing()
    ready.register(TEST, "1003")  # what is on the test changes, so it is tried after that
    ready.apply()
    ready.apply_cleanly()
    assert activated(ready)


def test_a_job_that_does_not_read_all_of_a_test_activates_nothing_and_forgets_no_refusal(
    ready: University,
) -> None:
    ready.fail(method="POST", path=f"*{ACTIVATE}", status=400, body={"error": "no scale"})
    ready.apply()
    ready.run_job("tests", Kind.TEST)
    assert ready.sent(ACTIVATE) == []
    (refused,) = ready.status()["refused"]
    assert "no scale" in refused["message"]


def test_check_warns_of_the_mails_and_of_jobs_that_come_too_late(ready: University) -> None:
    assert "lets Inspera mail its graders" in ready.run("check").out
    ready.config["jobs"] = {"all": {"every": "26h"}}
    assert "leave up to 26 h between two runs" in ready.run("check").out
    ready.config["jobs"] = {"all": {"every": "1h", "kinds": ["learner", "test", "candidate"]}}
    assert "no job activates tests" in ready.run("check").out
    ready.config["jobs"] = {"all": {"every": "1h"}}
    assert "two runs" not in ready.run("check").out


def test_one_that_somebody_activated_by_hand_needs_no_call(ready: University) -> None:
    ready.sandbox.edit(test=TEST, activated=True)
    ready.apply_cleanly()
    assert ready.sent() == []
    assert ready.planned() == []


def test_a_lost_answer_is_settled_by_a_search_in_the_same_run_or_the_next(
    ready: University,
) -> None:
    ready.fail(method="POST", path=f"*{ACTIVATE}", status="reset", when="after", times=1)
    ready.apply_cleanly()
    assert activated(ready)
    assert len(ready.sent(ACTIVATE)) == 1


def test_security_options_stay_as_they_are_once_the_test_is_activated(ready: University) -> None:
    ready.apply_cleanly()
    ready.settings.set(f"{TEST} LOCKDOWN_BROWSER", value="false")
    ran = ready.apply()
    assert "the test is activated: its security options can't change any more" in ran.out
    assert ready.sent("/options") == []


def test_a_test_that_was_there_before_is_activated_only_if_it_is_claimed(
    university: University,
) -> None:
    university.feed("test")["activate"] = {"before": "24h"}
    university.register(OTHER, "1001")
    university.exams.set(OTHER, start="10.12.2026 09:00", end="10.12.2026 13:00")
    university.at(WEEK_BEFORE)
    university.apply_once()
    university.register(TEST, "1001")
    test = {"title": "Programming", "start": "2026-12-01T08:00:00Z", "end": "2026-12-01T12:00:00Z"}
    university.sandbox.edit(test=TEST, **test, duration=240)
    university.sandbox.edit(committee={"test": TEST, "name": "A", "type": "GRADING"})
    university.at(DAY_BEFORE)
    university.apply()
    assert not activated(university)
    assert university.planned() == []
    university.config["existing"] = {"claim": [f"{TEST[:3]}*"]}
    assert university.planned() == [f"activate test {TEST}"]
    university.apply_cleanly()
    assert activated(university)


def test_a_protected_test_and_one_outside_the_pilot_are_not_activated(ready: University) -> None:
    protect = {"test": TEST, "why": "a planner does it", "until": "2026-12-31"}
    ready.config["protect"] = [protect]
    assert ready.planned("deferred") == [f"activate test {TEST}"]
    del ready.config["protect"]
    ready.config["only"] = [{"test": OTHER}]
    assert ready.planned("deferred") == [f"activate test {TEST}"]
    ready.apply()
    assert not activated(ready)


def test_a_part_of_a_plan_activates_only_with_all_that_is_planned_on_the_test(
    ready: University,
) -> None:
    ready.register(TEST, "1003")
    assert ready.apply("--kind", "test").status == 3
    assert not activated(ready)
    assert ready.apply("--test", TEST).status == 0
    assert activated(ready)


def test_an_undo_says_that_nothing_deactivates_a_test(ready: University) -> None:
    ready.apply_cleanly()
    run = ready.status()["runs"][0]["id"]
    ran = ready.run("undo", str(run), "--show")
    assert "Inspera has no call that deactivates a test" in ran.output
    assert activated(ready)


def test_explain_says_what_it_waits_for_and_when_it_was_activated(ready: University) -> None:
    ready.fail(method="POST", path=f"*{ACTIVATE}", status=400, body={"error": "no scale"})
    ready.apply()
    assert "refused before: " in ready.run("explain", "test", TEST).out
    ready.stop_failing()
    ready.apply("--retry-refused")
    assert ": activate, done" in ready.run("explain", "test", TEST).out


def test_a_running_test_that_nobody_has_activated_is_tried_all_the_same(ready: University) -> None:
    ready.at(DURING)
    ready.apply_cleanly()
    assert activated(ready)
    assert ready.planned() == []


def test_an_activation_without_a_known_outcome_is_settled_by_the_next_run(
    ready: University,
) -> None:
    lost = {"method": "POST", "path": f"*{ACTIVATE}", "status": "reset", "when": "after"}
    unread = {"method": "GET", "path": "*/test/search", "status": 400, "skip": 1}
    ready.sandbox.control(fail=[lost, unread])
    assert ready.apply().status == 1
    ready.stop_failing()
    assert ready.planned() == [f"activate test {TEST}"]
    ready.apply_cleanly()
    assert ready.sent(ACTIVATE) == []
    assert ready.planned() == []


def test_one_that_inspera_starts_later_is_not_activated_yet(ready: University) -> None:
    ready.sandbox.edit(test=TEST, start="2026-12-05T08:00:00Z", end="2026-12-05T12:00:00Z")
    ran = ready.apply()
    assert "Inspera has it start at 2026-12-05T08:00:00Z, which is not within 24 h" in str(
        ready.findings("apply")
    )
    assert ran.status == 3
    assert not activated(ready)


def test_a_reviewed_plan_may_create_and_activate_one_test(ready: University) -> None:
    ready.register(OTHER, "1001")
    ready.panels.add(f"{OTHER} A")
    file = str(ready.folder / "plan.jsonl")
    assert ready.plan("--out", file).status == 0
    ran = ready.apply(file)
    assert ran.status == 0, ran.output
    assert activated(ready, OTHER)


def test_an_unknown_status_stops_the_activation_and_what_must_come_before(
    ready: University,
) -> None:
    """The same word must not mean activated for one and not activated for the other."""
    ready.settings.add(f"{TEST} LOCKDOWN_CHROME_KIOSK", value="true")
    shown = {
        "assessmentRunId": ready.tests()[TEST]["assessmentRunId"],
        "externalId": TEST,
        "status": "Being_Ready",
        "startTime": "2026-12-01T08:00:00Z",
        "endTime": "2026-12-01T12:00:00Z",
        "assessmentRunTitle": ready.tests()[TEST]["title"],
    }
    answer = {"hits": 1, "page": 1, "results": [shown]}
    ready.fail(method="GET", path="*/search", status=200, body=answer)
    ran = ready.apply()
    assert ran.status == 3
    assert ready.writes() == []
    assert "unknown status 'Being_Ready'" in ran.out
    assert 'set inspera.statuses: {"Being_Ready": not_activated}' in ran.out
    ready.config["inspera"]["statuses"] = {"Being_Ready": "not_activated"}
    ready.apply_cleanly()
    assert [one.rsplit("/", 1)[1] for one in ready.writes()] == ["options", "activate"]


def test_an_archived_test_is_not_activated(ready: University) -> None:
    ready.sandbox.edit(test=TEST, archived=True)
    ran = ready.apply()
    assert ran.status == 1
    assert not activated(ready)
    assert "is archived" in ran.out
    assert ready.apply().status == 1
    assert ready.sent() == []  # it is remembered for a day
    ready.sandbox.edit(test=TEST, archived=False)
    assert ready.apply("--retry-refused").status == 0
    assert activated(ready)


def test_a_parent_of_other_tests_is_left_to_a_planner(ready: University) -> None:
    ready.exams.add(OTHER)
    ready.at(WEEK_BEFORE)
    ready.apply()
    ready.sandbox.edit(test=OTHER, isAssessmentPath=True)
    ready.exams.set(OTHER, name="Todelt")
    ready.apply_cleanly()  # the update has shown that it is a parent
    ready.at(DAY_BEFORE)
    ran = ready.apply()
    assert ran.status == 1
    assert activated(ready)
    assert "the test is a parent of other tests" in ran.out
    assert "at least one candidate" not in ran.out


EXPLAIN = "EXPLANATION_OF_GRADES_ADMINISTRATION_ENABLED"


def test_an_option_that_matters_only_after_the_test_stops_no_activation(
    ready: University,
) -> None:
    ready.settings.add(f"{TEST} {EXPLAIN}", value="true")
    ready.fail(method="POST", path="*/options", status=400, body={"error": "no licence"})
    assert ready.apply().status == 1
    assert activated(ready)


@pytest.mark.parametrize("moment", [MORNING, "2026-12-01T08:05"])
def test_a_security_option_that_the_freeze_defers_stops_it_until_a_person_decides(
    ready: University, moment: str
) -> None:
    """Once the test is activated it would be sat without its lock-down browser."""
    ready.settings.set(f"{TEST} LOCKDOWN_BROWSER", value="false")
    ready.at(moment)
    ran = ready.apply()
    assert ran.status == 3
    assert not activated(ready)
    assert "waits for 1 option (see its own line)" in ran.out
    digest = re.findall("--allow ([0-9a-f]{12})", ran.out)[0]
    assert ready.apply("--allow", digest).status == 0
    assert activated(ready)


def test_a_missing_security_option_stops_it_after_the_start_too(ready: University) -> None:
    ready.settings.add(f"{TEST} LOCKDOWN_CHROME_KIOSK", value="true")
    ready.fail(method="POST", path="*/options", status=400, body={"error": "not now"})
    ready.at("2026-12-01T08:05")
    assert ready.apply().status == 3
    assert not activated(ready)
    ready.stop_failing()
    assert ready.apply("--retry-refused").status == 0
    assert activated(ready)
    assert ready.options()["securityOptions"]["LOCKDOWN_CHROME_KIOSK"] is True


def test_a_title_that_is_held_or_refused_locks_nobody_out(ready: University) -> None:
    ready.exams.set(TEST, name="Nytt navn")
    ready.fail(method="POST", path="*/test", status=400, body={"error": "not this title"})
    assert ready.apply().status == 3
    assert not activated(ready)
    ready.stop_failing()
    ready.at(MORNING)
    assert ready.apply().status == 3  # the new title is held by the freeze
    assert activated(ready)


def test_times_that_are_held_stop_it_until_a_person_decides(ready: University) -> None:
    ready.exams.set(TEST, start="01.12.2026 15:00", end="01.12.2026 19:00")
    ready.at(MORNING)
    for moment in (MORNING, "2026-12-01T08:05"):
        ready.at(moment)
        assert ready.apply().status == 3
        assert not activated(ready)


def test_a_test_activated_by_hand_counts_whatever_this_run_misses_on_it(
    ready: University,
) -> None:
    ready.register(TEST, "1003")
    ready.fail(method="POST", path="*/candidates", status=400, body={"error": "no such person"})
    ready.sandbox.edit(test=TEST, activated=True)
    assert ready.apply().status == 1
    assert not [one for one in waiting(ready) if "waits" in one]
    assert ready.planned("waiting") == []


@pytest.mark.parametrize(
    ("moment", "status", "verdict"),
    [
        ("2026-11-30T07:00", 0, ""),
        ("2026-12-01T06:00", 3, "waiting"),
        ("2026-12-01T07:55", 3, "waiting"),
        ("2026-12-01T08:05", 3, "waiting"),
    ],
)
def test_what_is_said_of_a_test_without_candidates_around_its_start(
    ready: University, moment: str, status: int, verdict: str
) -> None:
    ready.exams.add(OTHER)
    ready.at(WEEK_BEFORE)
    ready.apply_cleanly()
    ready.at(moment)
    ran = ready.apply()
    assert ran.status == status
    assert ready.plan().status == status
    line = f"activate test {OTHER}"
    assert (line in ready.planned("waiting")) is (verdict == "waiting")
    text = "waits for at least one candidate"
    assert (text in ready.run("explain", "test", OTHER).out) is bool(verdict)
    assert (text in str(ready.status())) is bool(verdict)
