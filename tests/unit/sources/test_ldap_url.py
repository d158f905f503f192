"""The URLs of LDAP servers and of sockets."""

import pytest
from pydantic_core import PydanticCustomError
from sync.sources.ldap.url import parse_url


@pytest.mark.parametrize(
    ("text", "scheme", "host", "port"),
    [
        ("ldaps://ldap.example.edu", "ldaps", "ldap.example.edu", 636),
        ("ldap://127.0.0.1:1389/", "ldap", "127.0.0.1", 1389),
        ("ldap://[::1]", "ldap", "::1", 389),
        ("ldapi://", "ldapi", "/var/run/slapd/ldapi", 0),
        ("ldapi:///", "ldapi", "/var/run/slapd/ldapi", 0),
        ("ldapi://%2Frun%2Fother.sock", "ldapi", "/run/other.sock", 0),
    ],
)
def test_a_url_names_a_server_or_a_socket(text: str, scheme: str, host: str, port: int) -> None:
    assert parse_url(text) == (scheme, host, port)


@pytest.mark.parametrize(
    "text",
    [
        "ldapi:///var/run/other.sock",
        "ldapi://%2Frun%2Fother.sock?x",
        "ldap://ldap.example.edu:0",
        "ldap://ldap.example.edu/dc=example,dc=edu",
        "ldap://cn=admin@ldap.example.edu",
        "https://ldap.example.edu",
        "ldaps://",
    ],
)
def test_a_url_with_more_than_that_is_refused_with_a_remedy(text: str) -> None:
    with pytest.raises(PydanticCustomError, match=r"; (write|set|use) "):
        parse_url(text)
