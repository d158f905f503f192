"""Rules 4: Text is normalised first. It is stripped and converted to one Unicode form (NFC) before
everything else.
"""

from ..support.university import TEST, University


def test_two_spellings_of_one_key_name_one_learner(university: University) -> None:
    university.register(TEST, "å1001")
    university.registrations.rows[0]["student_no"] = "a\u030a1001"
    university.registrations.rows.append(
        {**university.registrations.rows[0], "student_no": " å1001 "}
    )
    university.apply_once()
    assert set(university.candidates()) == {"så1001"}


def test_text_is_stripped_and_composed_so_that_two_spellings_of_a_name_are_no_change(
    university: University,
) -> None:
    university.keep_feeds("learner")
    university.students.add("1001", given="A\u030ase", family="  Prøvesen ")
    university.apply_once()
    assert university.learners()["s1001"]["firstName"] == "\u00c5se"
    assert university.learners()["s1001"]["lastName"] == "Prøvesen"
    university.students.set("1001", given="\u00c5se", family="Prøvesen")
    assert university.planned() == []


def test_a_control_character_is_a_row_error_of_its_row_alone(university: University) -> None:
    university.keep_feeds("learner")
    university.students.add("1001", given="Å\u0007se")
    university.students.add("1002")
    ran = university.apply()
    assert ran.status == 1
    assert "students.csv line 2: first_name: holds a control character (U+0007" in ran.out
    assert set(university.learners()) == {"s1002"}


def test_national_identity_numbers_are_masked_wherever_they_would_be_shown(
    university: University,
) -> None:
    university.students.add("01019912345", feide="s-masked", mail="not an email")
    university.students.add("02029912345", feide="t-masked", mail="")
    printed = (
        university.plan().output
        + university.run("plan", "--json").output
        + university.apply().output
        + university.run("status").output
    )
    assert "01019912345" not in printed
    assert "02029912345" not in printed
    assert "0202*******" in printed
