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
        ("https://example.inspera.com/api", "has a path"),
        ("https://me:hush@example.inspera.com", "contains a user or password"),
        ("https://@example.inspera.com", "contains a user or password"),
        ("https://example.inspera.com?a=b", "has '?' or '#'"),
        ("https://example.inspera.com#", "has '?' or '#'"),
        ("example.inspera.com", "should begin with https:// or http://"),
        ("ftp://example.inspera.com", "should begin with https:// or http://"),
        ("https:example.inspera.com", "should begin with https:// or http://"),
        ("https://", "does not name a valid host"),
        ("https://exa_mple-", "does not name a valid host"),
        ("https://example.inspera.com:99999", "is not a valid address"),
        ("https://[::1", "is not a valid address"),
        ("https://exam ple.com", "contains a character that is not allowed in an address"),
        ("https://bokmål.example.edu", "contains a character that is not allowed in an address"),
    ],
)
def test_addresses_that_would_not_work_or_not_be_safe_are_refused(
    errors_of: Errors, url: str, reason: str
) -> None:
    (error,) = errors_of(changed(URL, f"'{url}'"))
    assert error.startswith(f"2:8: inspera.url: {reason}; ")
    assert "hush" not in error


@pytest.mark.parametrize(
    ("proxy", "reason"),
    [
        (
            "http://me:hush@proxy.example.edu",
            "contains a user or password; remove it; secrets have settings of their own",
        ),
        (
            "socks5://proxy.example.edu",
            "should begin with https:// or http://; write it as http://proxy.example.edu:3128",
        ),
        ("http://proxy.example.edu/x", "has a path; end it after the host name and port"),
    ],
)
def test_a_proxy_is_a_bare_address(errors_of: Errors, proxy: str, reason: str) -> None:
    assert errors_of(changed("client_id: example", f"client_id: example\n  proxy: {proxy}")) == [
        f"4:10: inspera.proxy: {reason}"
    ]


@pytest.mark.parametrize(
    ("state", "reason"),
    [
        ("postgresql://me:hush@db.example.edu/x", "contains a password"),
        ("postgresql://me@db.example.edu/x?password=hush", "contains a password"),
        ("postgresql://me@db.example.edu/x?options=-c%20a&passwd=hush", "contains a password"),
        ("postgresql://me@db.example.edu", "does not name a database on that server"),
        ("postgresql://me@db.example.edu/", "does not name a database on that server"),
        (
            "postgresql://me@db.example.edu/x y",
            "contains a character that is not allowed in an address",
        ),
        (
            "mysql://me@db.example.edu/x",
            "does not name a database that can store the state (sqlite or postgresql)",
        ),
        (
            "postgresql+asyncpg://db/x",
            "does not name a database that can store the state (sqlite or postgresql)",
        ),
        ("state.db", "does not name a database that can store the state (sqlite or postgresql)"),
        ("sqlite:///", "does not name a file"),
        ("sqlite:///:memory:", "does not name a file"),
        ("sqlite:///folder/", "does not name a file"),
        (
            "sqlite:///a.db?mode=memory",
            "contains a character that is not allowed in the file's name here",
        ),
    ],
)
def test_a_state_that_would_forget_or_is_not_supported_is_refused(
    errors_of: Errors, state: str, reason: str
) -> None:
    (error,) = errors_of(SOUND + f"state: '{state}'")
    assert error.startswith(f"25:8: state: {reason}; ")
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
        "state_password: has no effect for a state in a file" in str(one) for one in warnings
    )
    assert not any("hush" in str(one) for one in warnings)
