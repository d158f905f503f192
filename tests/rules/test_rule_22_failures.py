"""Rules 22: Each kind of failure has its own recovery, in one table."""

from ..support.university import NEXT_DAY, OTHER, TEST, University, names, numbers

STUDENT = "/api/v1/users/student"


SEATS = "*/candidates"


def test_a_refused_record_does_not_stop_the_others_and_is_reported_in_the_vendors_words(
    university: University,
) -> None:
    university.config["inspera"]["workers"] = 1
    university.register(TEST, *numbers(1001, 4))
    university.fail(
        method="POST",
        path=STUDENT,
        status=422,
        times=1,
        body={"error": "the registry has closed this account"},
    )
    ran = university.apply()
    assert ran.status == 1
    assert "refused: learner 1001" in ran.out
    assert "the registry has closed this account" in ran.out
    assert set(university.candidates()) == names(["1002", "1003", "1004"])
    university.stop_failing()
    university.at(NEXT_DAY)
    university.apply_cleanly()
    assert set(university.candidates()) == names(numbers(1001, 4))


def test_a_200_that_carries_errors_is_a_refusal(university: University) -> None:
    university.config["inspera"]["workers"] = 1
    university.students.add("1001", "1002")
    university.keep_feeds("learner")
    university.fail(
        method="POST",
        path=STUDENT,
        status=200,
        times=1,
        body={"success": True, "errors": ["no licence left"]},
    )
    ran = university.apply()
    assert ran.status == 1
    assert "no licence left" in ran.out
    assert set(university.learners()) == {"s1002"}


def test_a_429_is_waited_out_as_asked_and_the_call_repeated(university: University) -> None:
    university.students.add("1001")
    university.keep_feeds("learner")
    university.fail(method="POST", path=STUDENT, status=429, times=2, headers={"Retry-After": "0"})
    university.apply_cleanly()
    assert [call["status"] for call in university.sent()] == [429, 429, 200]


def test_a_title_that_inspera_repeats_slows_nothing_down(university: University) -> None:
    university.register(TEST, "1001")
    university.apply_once()
    university.at(NEXT_DAY)
    university.exams.set(TEST, name="Throttling and back-off")
    words = "Title INF1000 Throttling and back-off exceeds the limit"
    university.fail(method="POST", path="*/test", status=400, body={"error": words})
    ran = university.apply()
    assert f"Inspera refused test.update (400): {words}" in ran.out
    assert "slowed down" not in ran.output
    assert university.writes() == ["POST /v1/test"]


def test_a_call_that_the_tenant_lacks_stops_that_call_alone(university: University) -> None:
    university.register(TEST, "1001", "1002")
    university.register(OTHER, "1003")
    university.fail(method="POST", path=SEATS, status=405)
    ran = university.apply()
    assert ran.status == 1
    assert "this tenant does not seem to have the call" in ran.out
    assert len(university.learners()) == 3
    assert set(university.tests()) == {TEST, OTHER}
    university.stop_failing()
    university.apply_cleanly()
    assert set(university.candidates(OTHER)) == {"s1003"}


def test_a_token_that_ends_in_the_middle_is_renewed_once_and_the_run_goes_on(
    university: University,
) -> None:
    university.config["inspera"]["workers"] = 1
    university.students.add("1001", "1002")
    university.keep_feeds("learner")
    university.fail(method="POST", path=STUDENT, status=401, times=1)
    university.apply_cleanly()
    assert len([call for call in university.calls() if "authenticate" in call["path"]]) == 2
    assert set(university.learners()) == names(["1001", "1002"])


def test_one_token_serves_a_whole_run_and_the_key_travels_in_a_header_alone(
    university: University,
) -> None:
    university.register(TEST, *numbers(1001, 6))
    university.apply_once()
    tokens = [call for call in university.calls() if "authenticate" in call["path"]]
    assert [call["query"] for call in tokens] == [
        {"grant_type": "authorization_code", "client_id": "example"}
    ]


def test_a_second_apply_makes_no_call_at_all_not_even_for_a_token(university: University) -> None:
    university.register(TEST, *numbers(1001, 6))
    university.apply_once()
    university.apply_cleanly()
    assert university.calls() == []


def test_another_integration_that_holds_most_of_inspera_slows_a_run_down_and_refuses_nobody(
    university: University,
) -> None:
    university.config["inspera"] |= {
        "workers": 16,
        "max_in_flight": 8,
        "retry_after_ceiling": "100ms",
    }
    university.sandbox.control(
        limit={"taken": 8, "status": 503}, fail=[{"path": "*", "delay": 0.005}]
    )
    university.register(TEST, *numbers(1001, 30))
    university.apply_cleanly()
    assert set(university.candidates()) == names(numbers(1001, 30))
    shown = university.sandbox.control()
    assert shown["peak"] == 2
    assert shown["failure_counts"]["limit"] > 0


def test_no_more_calls_are_in_flight_than_configured(university: University) -> None:
    university.config["inspera"] |= {"workers": 16, "max_in_flight": 3}
    university.sandbox.control(fail=[{"path": "*", "delay": 0.005}])
    university.students.add(*numbers(1001, 30))
    university.keep_feeds("learner")
    university.apply_cleanly()
    shown = university.sandbox.control()
    assert (shown["peak"], shown["failure_counts"]["limit"]) == (3, 0)
