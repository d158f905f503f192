"""What the tests of rules 28 and 39 share: a state that cannot be used for a while."""

from ..support.university import CommandResult, University, numbers

HELD, FULL = (
    "the state can't be used just now: another program holds it",
    "can't be used just now: the disk is full",
)


def goes_on(university: University) -> None:
    """The next run brings everything into Inspera, and makes nothing twice."""
    ran = university.apply()
    assert ran.status == 0, ran.output
    assert {row["username"] for row in university.sandbox.contents()["students"]} == {
        f"s{n}" for n in numbers(1001, 8)
    }
    (test,) = university.sandbox.contents()["tests"]
    assert (len(test["candidates"]), test["templates_sent"]) == (8, 1)
    assert university.status()["unsettled"] == 0


def says(ran: CommandResult, status: int, *words: str) -> None:
    assert ran.status == status, ran.output
    assert [word for word in words if word not in ran.output] == []
    assert "Traceback" not in ran.output
