"""Refusals that say that the username exists, and those that say something else."""

import pytest
from sync.inspera.responses.existing import refused_as_existing


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (400, "a user with username aaseb already exists"),
        (400, "User already exists"),
        (400, "The username is taken"),
        (400, "This user name has already been taken"),
        (409, "Username already in use"),
        (409, "the login is in use"),
        (409, "Conflict"),
        (409, "no reason was given"),
        (422, "Duplicate username"),
        (422, "duplicate entry"),
        (422, "username: must be unique"),
        (422, "username: is not unique"),
        (200, "user exists"),
        (400, "email: is too long; username: exists already"),
        (400, "an account with the username of this email already exists"),
    ],
)
def test_it_says_that_the_username_exists(status: int, reason: str) -> None:
    assert refused_as_existing(status, reason)


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (400, "email: already in use"),
        (400, "A user with this e-mail already exists"),
        (409, "externalId 4711 (FEIDE) already exists"),
        (409, "external id is taken"),
        (409, "username aaseb belongs to another user"),
        (400, "the name is not taken"),
        (400, "the organisation does not exist"),
        (400, "username: no such user exists"),
        (400, "username: is too short"),
        (409, "quota reached"),
        (400, "no reason was given"),
        (400, "Conflict"),
        (403, "the username is taken"),
        (500, "the username already exists"),
        (400, "username: is too long; email: already exists"),
        (422, "the organisation exists twice"),
    ],
)
def test_it_says_something_else(status: int, reason: str) -> None:
    assert not refused_as_existing(status, reason)
