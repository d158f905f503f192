"""Rules 23: A refused batch is divided, by the ids that the answer names or else into halves, until
only the refused record is left out.
"""

import pytest

from ..support.university import TEST, University, names, numbers

SEATS = "*/candidates"


def test_a_refused_batch_is_narrowed_down_to_the_seat_that_is_to_blame(
    university: University,
) -> None:
    university.register(TEST, *numbers(1001, 20))
    university.apply_once()
    university.registrations.set(f"{TEST} 1013", number="x" * 1001)
    for learner in numbers(1001, 9):
        university.registrations.set(f"{TEST} {learner}", number=learner)
    ran = university.apply()
    assert ran.status == 1
    assert f"refused: candidate {TEST} / 1013" in ran.out
    assert ran.out.count("refused: ") == 1
    numbered = [
        seat["candidateId"] for seat in university.candidates().values() if seat["candidateId"]
    ]
    assert sorted(numbered) == numbers(1001, 9)
    assert len(university.writes()) > 2


def test_a_refused_batch_that_names_its_culprit_parts_it_from_the_others_at_once(
    university: University,
) -> None:
    university.register(TEST, *numbers(1001, 20))
    body = {"errors": ["externalId s1007: is blocked"]}
    university.fail(method="POST", path=SEATS, status=400, times=1, body=body)
    university.config["inspera"]["attempts"] = 2
    university.apply()
    batches = [
        len(call["body"]["candidates"])
        for call in university.sent()
        if call["path"].endswith("candidates")
    ]
    assert (batches[0], sorted(batches[1:])) == (20, [1, 19])
    assert set(university.candidates()) == names(numbers(1001, 20))


@pytest.mark.parametrize("status", [403, 404])
def test_a_batch_is_not_taken_apart_on_other_refusals(university: University, status: int) -> None:
    university.register(TEST, *numbers(1001, 8))
    university.fail(method="POST", path=SEATS, status=status)
    assert university.apply().status == 1
    assert len([path for path in university.writes() if path.endswith("/candidates")]) == 1
