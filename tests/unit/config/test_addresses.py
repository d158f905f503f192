import pytest

from .configurations import SOUND, changed
from .conftest import Errors, Load

URL = "https://example.inspera.com"


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:8080",
        "http://127.8.9.1",
        "http://[::1]:80",
        "http://localhost:1",
        "https://a.inspera.no:8443",
    ],
)
def test_addresses_of_a_tenant_and_of_this_machine_are_taken(load_text: Load, url: str) -> None:
    assert load_text(changed(URL, f'"{url}/"')).settings.inspera.url == url


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("http://example.inspera.com", "would send the API key unencrypted"),
        ("http://10.0.0.1", "would send the API key unencrypted"),
        ("http://localhost.example.edu", "would send the API key unencrypted"),
        ("https://example.inspera.com/api", "should have no path"),
        ("https://me:hush@example.inspera.com", "holds a user or password"),
        ("https://@example.inspera.com", "holds a user or password"),
        ("https://example.inspera.com?a=b", "should end with the host name and port"),
        ("https://example.inspera.com#", "should end with the host name and port"),
        ("example.inspera.com", "should begin with https:// or http://"),
        ("ftp://example.inspera.com", "should begin with https:// or http://"),
        ("https:example.inspera.com", "should begin with https:// or http://"),
        ("https://", "names no host"),
        ("https://exa_mple-", "names no host"),
        ("https://example.inspera.com:99999", "is not a valid address"),
        ("https://[::1", "is not a valid address"),
        ("https://exam ple.com", "holds a character that an address can't"),
        ("https://bokmål.example.edu", "holds a character that an address can't"),
    ],
)
def test_addresses_that_would_not_work_or_not_be_safe_are_refused(
    errors_of: Errors, url: str, reason: str
) -> None:
    (error,) = errors_of(changed(URL, f"'{url}'"))
    assert error.startswith(f"2:8: inspera.url: {reason}, ")
    assert "hush" not in error


@pytest.mark.parametrize(
    ("proxy", "reason"),
    [
        (
            "http://me:hush@proxy.example.edu",
            "holds a user or password, take it out; secrets have settings of their own",
        ),
        (
            "socks5://proxy.example.edu",
            "should begin with https:// or http://, write it as http://proxy.example.edu:3128",
        ),
        ("http://proxy.example.edu/x", "should have no path, end it after the host name and port"),
    ],
)
def test_a_proxy_is_a_bare_address(errors_of: Errors, proxy: str, reason: str) -> None:
    assert errors_of(changed("client_id: example", f"client_id: example\n  proxy: {proxy}")) == [
        f"4:10: inspera.proxy: {reason}"
    ]


@pytest.mark.parametrize(
    ("state", "reason"),
    [
        ("postgresql://me:hush@db.example.edu/x", "holds a password"),
        ("postgresql://me@db.example.edu/x?password=hush", "holds a password"),
        ("postgresql://me@db.example.edu/x?options=-c%20a&passwd=hush", "holds a password"),
        ("postgresql://me@db.example.edu", "names no database on that server"),
        ("postgresql://me@db.example.edu/", "names no database on that server"),
        ("postgresql://me@db.example.edu/x y", "holds a character that an address can't"),
        (
            "mysql://me@db.example.edu/x",
            "names no database that can hold the state (known: sqlite, postgresql)",
        ),
        (
            "postgresql+asyncpg://db/x",
            "names no database that can hold the state (known: sqlite, postgresql)",
        ),
        ("state.db", "names no database that can hold the state (known: sqlite, postgresql)"),
        ("sqlite:///", "names no file, so nothing would be remembered"),
        ("sqlite:///:memory:", "names no file, so nothing would be remembered"),
        ("sqlite:///folder/", "names no file, so nothing would be remembered"),
        (
            "sqlite:///a.db?mode=memory",
            "holds a character that can't be part of the file's name here",
        ),
    ],
)
def test_a_state_that_would_forget_or_is_not_supported_is_refused(
    errors_of: Errors, state: str, reason: str
) -> None:
    (error,) = errors_of(SOUND + f"state: '{state}'")
    assert error.startswith(f"25:8: state: {reason}, ")
    assert "hush" not in error


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_a_state_on_postgresql_has_one_name_however_it_is_written(
    load_text: Load, scheme: str
) -> None:
    place = "inspera_sync@db.example.edu:5433/state?sslmode=verify-full&passfile=x"
    loaded = load_text(SOUND + f"state: {scheme}://{place}\nstate_password: hush")
    assert loaded.state_url == f"postgresql://{place}"
    assert loaded.state_password() == "hush"
    assert "hush" not in repr(loaded)


def test_a_state_needs_no_password_of_ours(load_text: Load) -> None:
    assert (
        load_text(SOUND + "state: postgresql:///state?host=/run/postgresql").state_password() == ""
    )


def test_a_password_for_a_file_is_a_slip(load_text: Load) -> None:
    warnings = load_text(SOUND + "state_password: hush").warnings
    assert any(
        "state_password: means nothing for a state in a file" in str(one) for one in warnings
    )
    assert not any("hush" in str(one) for one in warnings)
