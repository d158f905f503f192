"""Rows that say that their record departs: they need no full reading, and the guard applies to them all the same."""

from dataclasses import replace

import pytest

from .site import DURING, OTHER, TEST, Site, numbers


@pytest.fixture
def site(site: Site) -> Site:
    """Five learners on a test, six on another. Rows of registrations say `gone` in `extra` when they depart."""
    site.seat(TEST, *numbers(1001, 5))
    site.seat(OTHER, *numbers(1001, 6))
    site.feed("candidate")["departure"] = {"extra": "gone"}
    site.settled()
    return site


def depart(site: Site, *learners: str, test: str = TEST) -> None:
    for learner in learners:
        site.registrations.set(f"{test} {learner}", extra="gone")


def test_a_row_that_says_so_takes_its_candidate_off_the_test(site: Site) -> None:
    depart(site, "1001")
    site.settled()
    assert "s1001" not in site.seats()
    assert "no change" in site.settled().out


def test_it_does_so_although_the_source_is_not_whole_and_who_is_merely_absent_stays(
    site: Site,
) -> None:
    site.config["sources"]["registrations"]["completeness"] = {"minimum_rows": 100}
    depart(site, "1001")
    site.registrations.drop(f"{TEST} 1002")
    assert site.apply().status == 4
    assert "s1001" not in site.seats()
    assert "s1002" in site.seats()


def test_a_source_that_cannot_be_read_to_its_end_departs_nobody(site: Site) -> None:
    depart(site, "1001")
    site.registrations.raw = site.registrations.text().encode() + b'"cut'
    assert site.apply().status == 4
    assert "s1001" in site.seats()


def test_the_limits_count_departures_like_absences(site: Site) -> None:
    depart(site, *numbers(1001, 5))
    ran = site.apply()
    assert ran.status == 3
    assert "none would remain" in ran.out
    assert len(site.seats()) == 5


def test_a_test_that_has_begun_keeps_them(site: Site) -> None:
    site.at(DURING)
    depart(site, "1001")
    site.apply()
    assert "s1001" in site.seats()


def test_another_row_that_wants_the_record_wins(site: Site) -> None:
    site.registrations.add(f"{TEST} 1001", extra="gone")
    site.settled()
    assert "s1001" in site.seats()


def test_a_departure_whose_key_cannot_be_read_is_a_row_error(site: Site) -> None:
    site.registrations.set(f"{TEST} 1001", extra="gone", student_no="")
    ran = site.apply()
    assert ran.status == 1
    assert "learner: is blank" in ran.out
    assert len(site.seats()) == 5


def test_while_another_feed_of_the_kind_cannot_be_read_it_may_still_name_them(site: Site) -> None:
    site.config["sources"]["late"] = {"type": "csv", "path": "late.csv"}
    site.config["feeds"].append({**site.feed("candidate"), "source": "late", "allow_empty": True})
    path = site.folder / "late.csv"
    path.write_text(",".join(site.registrations.columns) + "\n")
    site.settled()
    depart(site, "1001")
    path.unlink()
    assert site.apply().status == 4
    assert "s1001" in site.seats()
    path.write_text(",".join(site.registrations.columns) + "\n")
    site.settled()
    assert "s1001" not in site.seats()


def test_where_selects_whose_departures_count(site: Site) -> None:
    site.feed("candidate")["where"] = {"term": "H26", "extra": ["", "15"]}
    depart(site, "1001")
    site.settled()
    assert "s1001" not in site.seats()


def test_nor_does_anybody_depart_while_another_feed_of_the_kind_is_not_whole(site: Site) -> None:
    site.config["sources"]["late"] = {
        "type": "csv",
        "path": "late.csv",
        "completeness": {"minimum_rows": 2},
    }
    site.config["feeds"].append({**site.feed("candidate"), "source": "late", "on_conflict": "skip"})
    path = site.folder / "late.csv"
    late = replace(site.registrations, path=path, rows=[])
    late.add(f"{TEST} 1001", f"{TEST} 1002")
    late.write()
    site.settled()
    depart(site, "1001")
    site.settled()
    assert "s1001" in site.seats()
    late.drop(f"{TEST} 1001")
    late.write()
    assert site.apply().status == 4
    assert "s1001" in site.seats()


def test_a_word_of_departure_that_cannot_be_read_is_a_row_error(site: Site) -> None:
    site.registrations.set(f"{TEST} 1001", extra="go\ane")
    ran = site.apply()
    assert ran.status == 1
    assert "extra: holds a control character" in ran.out
    assert "s1001" in site.seats()
