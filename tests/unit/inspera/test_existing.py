"""Refusals that say that the username exists, and those that say something else."""

from typing import Any

import pytest
from sync.inspera.responses.existing import Existing, existing_of

NONE = frozenset[str]()


def _existing(status: int, reason: str) -> Existing | None:
    return existing_of(status, {"success": False, "error": reason}, NONE)


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (400, "a user with username aaseb already exists"),
        (400, "The username is taken"),
        (400, "This user name has already been taken"),
        (400, "USERNAME_ALREADY_EXISTS"),
        (409, "Username already in use"),
        (409, "the login is in use"),
        (422, "Duplicate username"),
        (422, "username: must be unique"),
        (422, "username: is not unique"),
        (400, 'duplicate key value violates unique constraint "users_username_key"'),
        (400, "email: is too long; username: exists already"),
    ],
)
def test_it_names_the_username(status: int, reason: str) -> None:
    assert _existing(status, reason) is Existing.USERNAME


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (400, "User already exists"),
        (409, "Conflict"),
        (409, "HTTP Status 409"),
        (422, "duplicate entry"),
        (200, "user exists"),
        (400, "an account with the username of this email already exists"),
    ],
)
def test_it_may_be_the_username(status: int, reason: str) -> None:
    assert _existing(status, reason) is Existing.UNNAMED


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (400, "email: already in use"),
        (400, "A user with this e-mail already exists"),
        (400, "A user with this mail address already exists"),
        (400, "emailAddress already in use"),
        (400, "userEmail is already in use"),
        (400, "EMAIL_ALREADY_EXISTS"),
        (400, "Duplicate entry *** for key 'email_UNIQUE'"),
        (400, "unique constraint (APP.USERS_EMAIL_UK) violated"),
        (400, "This address is already registered"),
        (400, "national identity number is already taken"),
        (400, "personal number already in use"),
        (400, "ssn already exists"),
        (400, "externalUserId already exists"),
        (400, "The email, which must be unique, already exists"),
        (400, "the username is not valid, email already exists"),
        (400, "the account aaseb, whose email is taken"),
        (409, "externalId 4711 (FEIDE) already exists"),
        (409, "external id is taken"),
        (409, "username aaseb belongs to another user"),
        (400, "the name is not taken"),
        (400, "the organisation does not exist"),
        (400, "username: no such user exists"),
        (400, "username: is too short"),
        (400, "Brukernavnet finnes allerede"),
        (409, "quota reached"),
        (400, "Conflict"),
        (400, ""),
        (403, "the username is taken"),
        (500, "the username already exists"),
        (400, "username: is too long; email: already exists"),
        (422, "the organisation exists twice"),
    ],
)
def test_it_says_something_else(status: int, reason: str) -> None:
    assert _existing(status, reason) is None


@pytest.mark.parametrize(
    "content",
    [
        {"errors": [{"field": "emailAddress", "message": "already exists"}]},
        {"errors": [{"message": "already exists", "fields": ["email"]}]},
        {"errors": [{"property": "user.email", "code": "ALREADY_EXISTS"}]},
        {"errors": [{"attribute": "ssn", "description": "is taken"}]},
        {"errors": [{"source": {"pointer": "/data/email"}, "detail": "already exists"}]},
        {"errors": {"email": "already exists"}},
        {"errors": {"email": ["already exists"]}},
        {"email": ["already exists"]},
        {"duplicate": ["email"]},
        {"message": "already exists", "details": {"about": {"what": "email"}}},
        {"message": "email is in use", "code": "ALREADY_EXISTS"},
        {"message": "<p>The e-mail already exists</p>"},
    ],
)
@pytest.mark.parametrize("status", [400, 409])
def test_another_field_may_be_named_anywhere(status: int, content: Any) -> None:
    assert existing_of(status, content, NONE) is None


@pytest.mark.parametrize(
    "content",
    [
        {"errors": [{"field": "username", "message": "already exists"}]},
        {"errors": {"userName": ["already exists"]}},
        {"username": ["A user with that name already exists."]},
        {"result": {"errors": [{"code": "USERNAME_TAKEN", "message": "username is taken"}]}},
    ],
)
def test_the_username_may_be_named_by_a_member(content: Any) -> None:
    assert existing_of(400, content, NONE) is Existing.USERNAME


@pytest.mark.parametrize("content", [{}, [], None, {"status": 409, "error": "Conflict"}])
def test_a_conflict_without_words_may_be_about_the_username_and_other_statuses_are_not(
    content: Any,
) -> None:
    assert existing_of(409, content, NONE) is Existing.UNNAMED
    assert existing_of(400, content, NONE) is None


def test_what_was_sent_does_not_count() -> None:
    def existing(message: str) -> Existing | None:
        content = {"message": message, "user": {"username": "email_admin", "email": "in-use@x.no"}}
        return existing_of(400, content, frozenset({"email_admin", "in-use@x.no", "Is Taken"}))

    assert existing("username email_admin already exists") is Existing.USERNAME
    assert existing("user email_admin already exists") is Existing.UNNAMED
    assert existing("Is Taken has no access") is None


def test_a_huge_answer_takes_no_time() -> None:
    content = {"errors": [{"field": "x" * 9000, "message": "exists not " * 9000}] * 1000}
    assert existing_of(400, content, frozenset(f"s{n}" for n in range(500))) is Existing.UNNAMED
