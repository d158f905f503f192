"""Rules 1: Every record has a key: the source's own identifier that never changes, such as a
student number. It is never sent.
"""

from ..support.university import TEST, University


def test_the_key_is_never_sent_and_seats_name_people_by_external_id(university: University) -> None:
    university.register(TEST, "1001")
    university.students.set("1001", student_no="55501", feide="åse-1")
    university.registrations.set(f"{TEST} 1001", student_no="55501")
    university.apply_once()
    assert "55501" not in str([call["body"] for call in university.sent()])
    assert list(university.candidates()) == ["åse-1"]
