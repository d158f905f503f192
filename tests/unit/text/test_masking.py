"""Masking: national identity numbers of six countries, and values that may name a person."""

import pytest
from sync.text.masking import masked, masked_words, national_ids, quoted_value

# Plainly made up, or the examples of python-stdnum's documentation.
NATIONAL_IDS = [
    ("01019912345", "0101*******"),
    ("010199 12345", "0101** *****"),
    ("010199-12345", "0101**-*****"),
    ("01 01 99 12345", "01 01 ** *****"),
    ("01.01.99 12345", "01.01.** *****"),
    ("010199 123 45", "0101** *** **"),
    ("010199 \u2013 12345", "0101** \u2013 *****"),
    ("010199\u00a012345", "0101**\u00a0*****"),
    ("410199 12345", "4101** *****"),
    ("018199 12345", "0181** *****"),
    ("2110625629", "2110******"),
    ("211062-5629", "2110**-****"),
    ("211062 5629", "2110** ****"),
    ("880320-0016", "8803**-****"),
    ("880320 0016", "8803** ****"),
    ("880380-0016", "8803**-****"),
    ("198803200016", "1988********"),
    ("19880320 0016", "1988**** ****"),
    ("19880320-0016", "1988****-****"),
    ("131052-308T", "1310**-****"),
    ("131052a308t", "1310*******"),
    ("120174-3399", "1201**-****"),
    ("111222333", "1112*****"),
    ("1112.22.333", "1112.**.***"),
    ("111 22 23 33", "111 2* ** **"),
]


@pytest.mark.parametrize(("number", "shown"), NATIONAL_IDS)
def test_national_ids_are_masked_however_they_are_grouped(number: str, shown: str) -> None:
    assert masked(number) == shown
    assert masked(f"learner {number}: is deferred") == f"learner {shown}: is deferred"
    assert number not in masked_words(f"the person ({number}) is known")


@pytest.mark.parametrize(
    "text",
    [
        "2026-12-01 09:00",
        "01.12.2026 09:00",
        "20261201 0900",
        "20261201T0900",
        "learner 100123 2026-12-01",
        "100123",
        "500001",
        "123456789",
        "INF1000-H26 / 100123",
        "+47 22 85 50 50",
        "1,234,567 rows",
        "registrations.csv line 100123",
    ],
)
def test_times_counts_and_student_numbers_are_not_masked(text: str) -> None:
    assert masked(text) == text


@pytest.mark.parametrize(
    ("country", "numbers"),
    [
        ("Norwegian", ["15108695088", "151086 95088", "151086-95088"]),
        ("Swedish", ["880320-0016", "8803200016", "198803200016"]),
        ("Danish", ["211062-5629", "2110625629", "211062 5629"]),
        ("Finnish", ["131052-308T"]),
        ("Icelandic", ["120174-3399", "1201743399"]),
        ("Dutch", ["111222333", "1112.22.333"]),
    ],
)
def test_values_that_are_national_ids_are_known_by_their_check_digits(
    country: str, numbers: list[str]
) -> None:
    assert national_ids(numbers) == country
    assert national_ids([*numbers, *map(str, range(500_000, 500_000 + len(numbers)))]) == country
    assert national_ids([*numbers, *map(str, range(500_000, 500_001 + len(numbers)))]) == ""


def test_student_numbers_are_not_taken_for_national_ids() -> None:
    assert national_ids([]) == ""
    for first in (1000, 500_000, 10_000_000, 200_500_000, 2_026_000_000, 20_260_000_000):
        assert national_ids(map(str, range(first, first + 500))) == ""


@pytest.mark.parametrize(
    "text",
    [
        "half an hour", "30 minutter", "3. des 2099", "1.12.2026 25:00", "20261201T0900", "2026-12-01T09:00Z",
        "15 min/h", "12,5 %", "PT14400X".replace("X", "S"), "4:61", "NULL", "N/A", "", "-", "100123",
    ],
)  # fmt: skip
def test_times_minutes_and_codes_are_quoted_as_they_are(text: str) -> None:
    assert quoted_value(text) == f"'{text}'"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Kari Nordmann", "'K*** ********'"),
        ("NORDMANN, KARI", "'N*******, ****'"),
        ("kari.nordmann", "'k***.********'"),
        ("kari@example.edu", "'k***@*******.***'"),
        ("s100123", "'s******'"),
        ("t7001", "'t****'"),
        ("August", "'A*****'"),
        ("Per", "'P**'"),
        ("Åse 30", "'Å** **'"),
        ("010199 12345", "'0101** *****'"),
        ("x" * 100, f"'x{'*' * 39}…'"),
    ],
)
def test_what_may_name_somebody_is_masked_when_it_is_quoted(text: str, shown: str) -> None:
    assert quoted_value(text) == shown
    assert quoted_value(text, code=True) == shown or text.isalpha()


def test_a_field_of_words_shows_small_words_and_those_that_are_nearly_right() -> None:
    assert quoted_value("examiner") == "'e*******'"
    assert quoted_value("examiner", code=True) == "'examiner'"
    assert quoted_value("EVALUTE", ["evaluate"]) == "'EVALUTE'"
    assert quoted_value("Kari Nordmann", ["evaluate"], code=True) == "'K*** ********'"
