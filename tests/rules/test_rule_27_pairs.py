"""Rules 27: The database pairs, one function decides. SQL finds the keys that are only wanted,
only known, or different. A pure function decides what each pair means.
"""

from ..support.university import TEST, University, numbers


def test_each_pair_is_one_change_and_what_is_equal_is_none(university: University) -> None:
    university.register(TEST, *numbers(1001, 9))
    university.apply_once()
    university.register(TEST, "1010")
    university.registrations.set(f"{TEST} 1002", extra="30")
    university.registrations.drop(f"{TEST} 1003")
    changes = university.planned("pass")
    assert sorted(one for one in changes if " candidate " in one) == [
        f"create candidate {TEST}/1010",
        f"remove candidate {TEST}/1003",
        f"update candidate {TEST}/1002",
    ]


def test_one_difference_means_another_thing_by_what_is_known_of_the_test(
    university: University,
) -> None:
    university.register(TEST, *numbers(1001, 9))
    university.apply_once()
    university.registrations.drop(f"{TEST} 1003")
    assert f"remove candidate {TEST}/1003" in university.planned("pass")
    university.at("2026-12-01T09:30")
    assert f"remove candidate {TEST}/1003" not in university.planned("pass")
    assert f"remove candidate {TEST}/1003" in university.planned("deferred")
