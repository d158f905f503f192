"""Rules 17: A test is looked up before it is updated. If Inspera's times differ from the known
ones, a person changed them: this is drift, and held.
"""

from ..support.university import TEST, University, names, numbers

RUNNING_LATE = {"end": "2026-12-01T12:45:00Z"}


def test_a_test_extended_by_hand_is_looked_up_and_held_before_any_update(
    seated: University,
) -> None:
    seated.sandbox.edit(test=TEST, **RUNNING_LATE)
    seated.exams.set(TEST, name="Muntlig prøve")
    ran = seated.apply()
    assert ran.status == 3
    assert (
        "drift: Inspera has 2026-12-01 09:00 Europe/Oslo (08:00Z) to "
        "2026-12-01 13:45 Europe/Oslo (12:45Z), known is"
    ) in ran.out
    assert seated.writes() == []
    assert seated.tests()[TEST]["endTime"] == "2026-12-01T12:45:00Z"


def test_adopting_a_test_takes_its_times_as_known_and_the_next_run_decides_anew(
    seated: University,
) -> None:
    seated.sandbox.edit(test=TEST, **RUNNING_LATE)
    seated.exams.set(TEST, name="Muntlig prøve")
    assert seated.apply().status == 3
    ran = seated.adopt("test", TEST)
    assert ran.status == 0
    assert "2026-12-01T08:00:00Z to 2026-12-01T12:45:00Z" in ran.out
    assert seated.writes() == []
    assert (
        "end 2026-12-01 13:45 Europe/Oslo (12:45Z) → 2026-12-01 13:00 Europe/Oslo (12:00Z)"
        in seated.plan().out
    )
    seated.apply_cleanly()
    assert seated.tests()[TEST]["title"] == "INF1000 Muntlig prøve"
    assert seated.tests()[TEST]["endTime"] == "2026-12-01T12:00:00Z"


def test_times_in_which_the_source_agrees_with_the_hand_are_taken_as_known_with_a_word(
    seated: University,
) -> None:
    seated.sandbox.edit(test=TEST, **RUNNING_LATE)
    seated.exams.set(TEST, end="01.12.2026 13:45")
    ran = seated.apply_cleanly()
    assert (
        "somebody had changed its times in Inspera to those of the source: taken as known"
        in ran.out
    )
    assert seated.tests()[TEST]["endTime"] == "2026-12-01T12:45:00Z"
    assert seated.planned() == []


def test_a_test_started_earlier_by_hand_keeps_its_candidates(seated: University) -> None:
    seated.at("2026-11-30T09:00")
    seated.sandbox.edit(test=TEST, start="2026-11-30T08:00:00Z", end="2026-11-30T12:00:00Z")
    seated.registrations.drop(f"{TEST} 1001")
    assert seated.planned("pass") == [f"remove candidate {TEST}/1001"]
    assert seated.apply().status == 0
    assert "the test has begun: its candidates stay" in seated.run("status").out
    assert set(seated.candidates()) == names(numbers(1001, 3))


def test_a_test_that_a_search_does_not_show_for_once_is_not_forgotten(seated: University) -> None:
    seated.registrations.drop(f"{TEST} 1001")
    seated.fail(
        method="GET", path="*/test/search", status=200, body={"hits": 0, "page": 0, "results": []}
    )
    printed = seated.apply()
    assert f"`adopt test {TEST} --as-new` forgets it and all that is on it here" in printed.out
    ran = seated.adopt("test", TEST, "--as-new")
    assert ran.status == 3
    assert "Inspera has it, so nothing was forgotten" in ran.out
    seated.stop_failing()
    seated.apply_cleanly()
    assert set(seated.candidates()) == names(["1002", "1003"])
