"""What is sent of a record, and what is left alone."""

from ..support.university import TEST, University


def test_plans_and_statuses_name_keys_and_never_people(university: University) -> None:
    university.register(TEST, "1001", "1002")
    university.students.set("1001", given="Gudrún", family="Plannavnsen")
    printed = (
        university.plan().output
        + university.run("plan", "--json").output
        + university.apply().output
    )
    university.students.set("1001", family="Annetsen", mail="nytt@example.edu")
    printed += (
        university.plan().output
        + university.run("plan", "--json").output
        + university.apply().output
        + university.run("status", "--all").output
    )
    assert "last_name changes" in printed
    assert not any(
        word in printed for word in ("Gudrún", "Plannavnsen", "Annetsen", "nytt@example.edu")
    )
