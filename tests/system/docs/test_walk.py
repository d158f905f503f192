"""The tutorial does what it says, word for word."""

from .conftest import Step, without_times
from .pages import README, blocks


def test_every_command_of_the_tutorial_prints_what_the_page_says(walk: list[Step]) -> None:
    assert len(walk) >= 7
    for step in walk:
        assert without_times(step.printed) == without_times(step.promised), step.command


def test_the_tutorial_ends_as_the_page_says(walk: list[Step]) -> None:
    assert [step.status for step in walk] == [0, 0, 0, 0, 1, 3, 0, 0]


def test_the_tutorial_names_nobody(walk: list[Step]) -> None:
    printed = "".join(step.printed for step in walk)
    assert not [
        name
        for name in ("Åsne", "Prøve", "Bjørn", "Zoë", "Signe", "@example.edu", "sandbox-key")
        if name in printed
    ]


def test_the_plan_that_the_readme_shows_is_one_that_the_tutorial_prints(walk: list[Step]) -> None:
    (shown,) = [block.text for block in blocks(README) if block.language == "text"]
    assert any(without_times(shown) in without_times(step.printed) for step in walk)
