"""What Inspera answers, and what becomes of the record and of all others."""

import pytest

from .site import NEXT_DAY, OTHER, TEST, Site, names, numbers

STUDENT = "/api/v1/users/student"
SEATS = "*/candidates"


def test_a_refused_record_does_not_stop_the_others_and_is_told_in_the_vendors_words(
    site: Site,
) -> None:
    site.config["inspera"]["workers"] = 1
    site.seat(TEST, *numbers(1001, 4))
    site.fail(
        method="POST",
        path=STUDENT,
        status=422,
        times=1,
        body={"error": "the registry has closed this account"},
    )
    ran = site.apply()
    assert ran.status == 1
    assert "refused: learner 1001" in ran.out
    assert "the registry has closed this account" in ran.out
    assert set(site.seats()) == names(["1002", "1003", "1004"])
    site.heal()
    site.at(NEXT_DAY)
    site.settled()
    assert set(site.seats()) == names(numbers(1001, 4))


def test_a_200_that_carries_errors_is_a_refusal(site: Site) -> None:
    site.config["inspera"]["workers"] = 1
    site.students.add("1001", "1002")
    site.only("learner")
    site.fail(
        method="POST",
        path=STUDENT,
        status=200,
        times=1,
        body={"success": True, "errors": ["no licence left"]},
    )
    ran = site.apply()
    assert ran.status == 1
    assert "no licence left" in ran.out
    assert set(site.people()) == {"s1002"}


def test_a_refused_batch_is_narrowed_down_to_the_seat_that_is_to_blame(site: Site) -> None:
    site.seat(TEST, *numbers(1001, 20))
    site.settled()
    site.registrations.set(f"{TEST} 1013", number="x" * 1001)
    for learner in numbers(1001, 9):
        site.registrations.set(f"{TEST} {learner}", number=learner)
    ran = site.apply()
    assert ran.status == 1
    assert f"refused: candidate {TEST} / 1013" in ran.out
    assert ran.out.count("refused: ") == 1
    numbered = [seat["candidateId"] for seat in site.seats().values() if seat["candidateId"]]
    assert sorted(numbered) == numbers(1001, 9)
    assert len(site.writes()) > 2


def test_a_refused_batch_that_names_its_culprit_parts_it_from_the_others_at_once(
    site: Site,
) -> None:
    site.seat(TEST, *numbers(1001, 20))
    body = {"errors": ["externalId s1007: is blocked"]}
    site.fail(method="POST", path=SEATS, status=400, times=1, body=body)
    site.config["inspera"]["attempts"] = 2
    site.apply()
    batches = [
        len(call["body"]["candidates"])
        for call in site.sent()
        if call["path"].endswith("candidates")
    ]
    assert (batches[0], sorted(batches[1:])) == (20, [1, 19])
    assert set(site.seats()) == names(numbers(1001, 20))


@pytest.mark.parametrize("status", [403, 404])
def test_a_batch_is_not_taken_apart_on_other_refusals(site: Site, status: int) -> None:
    site.seat(TEST, *numbers(1001, 8))
    site.fail(method="POST", path=SEATS, status=status)
    assert site.apply().status == 1
    assert len([path for path in site.writes() if path.endswith("/candidates")]) == 1


def test_a_429_is_waited_out_as_asked_and_the_call_repeated(site: Site) -> None:
    site.students.add("1001")
    site.only("learner")
    site.fail(method="POST", path=STUDENT, status=429, times=2, headers={"Retry-After": "0"})
    site.settled()
    assert [call["status"] for call in site.sent()] == [429, 429, 200]


def test_a_lost_answer_to_a_create_is_settled_by_searching_and_the_template_is_sent_once(
    site: Site,
) -> None:
    site.seat(TEST, "1001")
    site.fail(method="POST", path="/api/v1/test", status="reset", when="after", times=1)
    site.settled()
    assert site.tests()[TEST]["templates_sent"] == 1
    assert set(site.seats()) == {"s1001"}
    assert site.planned() == []


def test_a_create_that_was_lost_before_inspera_carried_it_out_is_sent_again(site: Site) -> None:
    site.seat(TEST, "1001")
    site.fail(method="POST", path="/api/v1/test", status=502, when="before", times=1)
    site.settled()
    assert site.tests()[TEST]["templates_sent"] == 1


def test_a_lost_answer_to_an_assignment_is_settled_by_reading(site: Site) -> None:
    site.seat(TEST, *numbers(1001, 5))
    site.fail(method="POST", path=SEATS, status=500, when="after", times=1)
    site.settled()
    assert len([path for path in site.writes() if path.endswith("/candidates")]) == 1
    assert set(site.seats()) == names(numbers(1001, 5))


def test_a_removal_of_somebody_who_is_not_there_is_done_only_because_a_reading_shows_it(
    site: Site,
) -> None:
    site.seat(TEST, *numbers(1001, 5))
    site.settled()
    site.registrations.drop(f"{TEST} 1001")
    site.fail(method="DELETE", path=SEATS, status=404)
    ran = site.apply()
    assert ran.status == 1
    assert "s1001" in site.seats()
    assert site.planned() == [f"remove candidate {TEST}/1001"]
    site.heal()
    site.at(NEXT_DAY)
    site.settled()
    assert "s1001" not in site.seats()


def test_a_call_that_the_tenant_lacks_stops_that_call_alone(site: Site) -> None:
    site.seat(TEST, "1001", "1002")
    site.seat(OTHER, "1003")
    site.fail(method="POST", path=SEATS, status=405)
    ran = site.apply()
    assert ran.status == 1
    assert "this tenant does not seem to have the call" in ran.out
    assert len(site.people()) == 3
    assert set(site.tests()) == {TEST, OTHER}
    site.heal()
    site.settled()
    assert set(site.seats(OTHER)) == {"s1003"}


def test_a_token_that_ends_in_the_middle_is_renewed_once_and_the_run_goes_on(site: Site) -> None:
    site.config["inspera"]["workers"] = 1
    site.students.add("1001", "1002")
    site.only("learner")
    site.fail(method="POST", path=STUDENT, status=401, times=1)
    site.settled()
    assert len([call for call in site.calls() if "authenticate" in call["path"]]) == 2
    assert set(site.people()) == names(["1001", "1002"])


def test_one_token_serves_a_whole_run_and_the_key_travels_in_a_header_alone(site: Site) -> None:
    site.seat(TEST, *numbers(1001, 6))
    site.settled()
    tokens = [call for call in site.calls() if "authenticate" in call["path"]]
    assert [call["query"] for call in tokens] == [
        {"grant_type": "authorization_code", "client_id": "example"}
    ]


def test_a_second_apply_makes_no_call_at_all_not_even_for_a_token(site: Site) -> None:
    site.seat(TEST, *numbers(1001, 6))
    site.settled()
    site.settled()
    assert site.calls() == []
