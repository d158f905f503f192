"""Absence is not departure: what a missing row may take away, and on whose word."""

import pytest

from .site import OTHER, TEST, Site, names, numbers


def test_a_registration_that_is_truly_absent_is_removed(site: Site) -> None:
    site.seat(TEST, *numbers(1001, 4))
    site.settled()
    site.registrations.drop(f"{TEST} 1002")
    assert site.planned() == [f"remove candidate {TEST}/1002", "release learner 1002"][:1]
    site.settled()
    assert set(site.seats()) == names(["1001", "1003", "1004"])
