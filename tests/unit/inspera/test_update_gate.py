"""The gate before updates: one is tried, and it decides about the others."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

from sync.inspera.update_gate import UpdateGate


def test_of_many_workers_one_is_refused_and_the_others_send_nothing() -> None:
    gate, together, sent = UpdateGate(), Barrier(8), list[int]()

    def update(number: int) -> str | None:
        together.wait()
        with gate.turn() as refused:
            if refused is None:
                sent.append(number)
                gate.close("exists", str(number), names_username=True)
            return refused

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(update, range(8)))
    assert len(sent) == 1
    assert sorted(answers, key=str) == [None, *["exists"] * 7]


def test_after_an_update_that_was_taken_a_refusal_is_about_one_person() -> None:
    gate = UpdateGate()
    with gate.turn() as refused:
        assert refused is None
        gate.open()
    assert not gate.close("exists", "s1", names_username=True)
    with gate.turn() as refused:
        assert refused is None


def test_a_refusal_that_does_not_name_the_username_must_meet_two_people() -> None:
    gate = UpdateGate()
    assert not gate.close("exists", "s1", names_username=False)
    assert not gate.close("exists", "s1", names_username=False)
    with gate.turn() as refused:
        assert refused is None
    assert gate.close("exists already", "s2", names_username=False)
    with gate.turn() as refused:
        assert refused == "exists already"


def test_an_update_that_proves_nothing_lets_the_next_one_try() -> None:
    gate = UpdateGate()
    for _ in range(2):
        with gate.turn() as refused:
            assert refused is None
