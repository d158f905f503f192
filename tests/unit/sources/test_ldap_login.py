"""Directories: servers that can't be used, certificates that are refused, and logins that are."""

import socket
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import trustme
from sync.errors import SourceError, install_remedy
from sync.sources.ldap.source import LdapSettings

from ...support.servers.needed import free_port
from ...support.servers.slapd import ADMIN, PASSWORD, PEOPLE, SUFFIX, Certificate, Slapd, people

LONG_AGO = datetime(2020, 2, 29, 12, tzinfo=UTC)
LOGIN = {"user": ADMIN, "password": PASSWORD}


def source(servers: object, **others: object) -> LdapSettings:
    return LdapSettings.model_validate(
        {"servers": servers, "base": PEOPLE, "attributes": ["uid"]} | others
    )


def names(servers: object, folder: Path, **others: object) -> list[str]:
    return [row.values["uid"] for row in source(servers, filter="(uid=*)", **others).rows(folder)]


def refused(servers: object, folder: Path, **others: object) -> str:
    """Return the error if nothing can be read; it is the same for the columns alone."""
    one = source(servers, **others)
    with pytest.raises(SourceError) as caught:
        one.column_names(folder)
    assert caught.value.where == one.place(folder)
    assert caught.value.remedy
    assert "\n" not in str(caught.value)
    assert PASSWORD not in str(caught.value)
    return str(caught.value)


@pytest.fixture(scope="module")
def ca(tmp_path_factory: pytest.TempPathFactory) -> trustme.CA:
    ca = trustme.CA()
    ca.cert_pem.write_to_path(str(tmp_path_factory.getbasetemp() / "ca.pem"))
    return ca


@pytest.fixture
def ca_file(ca: trustme.CA, tmp_path: Path) -> Path:
    ca.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    return tmp_path / "ca.pem"


def certificate(
    ca: trustme.CA,
    folder: Path,
    *identities: str,
    ends: datetime | None = None,
    clients: Path | None = None,
) -> Certificate:
    """PEM files of a certificate for these names."""
    folder.mkdir(parents=True, exist_ok=True)
    begins = ends - timedelta(days=30) if ends else None
    made = ca.issue_cert(*identities, not_before=begins, not_after=ends)
    chain, key = folder / "chain.pem", folder / "key.pem"
    for number, pem in enumerate(made.cert_chain_pems):
        pem.write_to_path(str(chain), append=number > 0)
    made.private_key_pem.write_to_path(str(key))
    return Certificate(chain, key, clients)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, ca: trustme.CA) -> Iterator[Slapd]:
    """Run a server that reads the client's certificate, and lets such a client read everyone."""
    folder = tmp_path_factory.mktemp("slapd")
    ca.cert_pem.write_to_path(str(folder / "clients.pem"))
    certificate_ = certificate(ca, folder, "localhost", "127.0.0.1", clients=folder / "clients.pem")
    lines = 'access to dn.subtree="ou=people,dc=example,dc=edu" by anonymous auth by users read'
    with Slapd(
        folder / "server", people(3), certificate=certificate_, lines=lines
    ).running() as one:
        yield one


@pytest.mark.server
class TestTls:
    @pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
    def test_a_good_certificate_is_trusted_by_name_and_by_address(
        self, host: str, server: Slapd, ca_file: Path, tmp_path: Path
    ) -> None:
        by_tls, turned = f"ldaps://{host}:{server.tls_port}", f"ldap://{host}:{server.port}"
        assert names(by_tls, tmp_path, ca_file="ca.pem", **LOGIN) == ["0", "1", "2"]
        assert names(turned, tmp_path, ca_file=str(ca_file), start_tls=True, **LOGIN) == [
            "0",
            "1",
            "2",
        ]

    @pytest.mark.parametrize("start_tls", [False, True])
    def test_an_authority_that_is_not_trusted_is_named_as_the_reason(
        self, start_tls: bool, server: Slapd, tmp_path: Path
    ) -> None:
        url = server.url if start_tls else server.ldaps_url
        said = refused(url, tmp_path, start_tls=start_tls, **LOGIN)
        assert (
            f"can't be connected to ({url}: its certificate is from an authority that is "
            f"not trusted here" in said
        )
        assert "; set 'ca_file' to the PEM file of the authority that issued it" in said

    @pytest.mark.parametrize("start_tls", [False, True])
    def test_another_authority_than_the_one_configured_is_not_trusted(
        self, start_tls: bool, server: Slapd, tmp_path: Path
    ) -> None:
        trustme.CA().cert_pem.write_to_path(str(tmp_path / "other.pem"))
        url = server.url if start_tls else server.ldaps_url
        said = refused(url, tmp_path, start_tls=start_tls, ca_file="other.pem", **LOGIN)
        assert "from an authority that is not trusted here" in said

    @pytest.mark.parametrize("start_tls", [False, True])
    def test_a_certificate_that_has_expired_is_refused_with_its_date(
        self, start_tls: bool, ca: trustme.CA, ca_file: Path, tmp_path: Path
    ) -> None:
        old = certificate(ca, tmp_path / "tls", "127.0.0.1", ends=LONG_AGO)
        with Slapd(tmp_path / "slapd", certificate=old).running() as one:
            url = one.url if start_tls else one.ldaps_url
            said = refused(url, tmp_path, start_tls=start_tls, ca_file=str(ca_file), **LOGIN)
        assert (
            f"{url}: its certificate, or that of its authority, has expired (it ends on 2020-02-29)"
            in said
        )
        assert "renew it on the server" in said

    @pytest.mark.parametrize("start_tls", [False, True])
    def test_a_certificate_for_other_names_is_refused_and_they_are_listed(
        self, start_tls: bool, ca: trustme.CA, ca_file: Path, tmp_path: Path
    ) -> None:
        other = certificate(ca, tmp_path / "tls", "ldap.example.edu", "10.1.2.3")
        with Slapd(tmp_path / "slapd", certificate=other).running() as one:
            url = one.url if start_tls else one.ldaps_url
            said = refused(url, tmp_path, start_tls=start_tls, ca_file=str(ca_file), **LOGIN)
            by_name = url.replace("127.0.0.1", "localhost")
            named = refused(by_name, tmp_path, start_tls=start_tls, ca_file=str(ca_file), **LOGIN)
        assert (
            f"{url}: its certificate is made for ldap.example.edu, 10.1.2.3, not for 127.0.0.1"
            in said
        )
        assert "not for localhost" in named
        assert "write the server's name as in the certificate" in named

    def test_a_server_that_can_not_turn_to_tls_is_not_talked_to(self, tmp_path: Path) -> None:
        with Slapd(tmp_path / "slapd").running() as one:
            said = refused(one.url, tmp_path, start_tls=True, **LOGIN)
        assert "does not start TLS" in said
        assert "use its ldaps:// address, or enable StartTLS" in said

    @pytest.mark.parametrize(
        "answer",
        [
            bytes.fromhex("300c02010178070a010204000400"),  # it says no
            bytes.fromhex("300c02010178070a010004000400"),  # it says yes, and then nothing
            bytes.fromhex("300c02010178070a010004000400") + b"not the beginning of TLS",
            bytes.fromhex(
                "300c02010178070a010004000400300c02010261070a010004000400"
            ),  # … and that the login is good
        ],
    )
    def test_nothing_is_said_before_tls_has_started(self, answer: bytes, tmp_path: Path) -> None:
        with Counting(answer) as (port, calls):
            url = f"ldap://127.0.0.1:{port}"
            said = refused(
                url, tmp_path, start_tls=True, timeout="1s", connect_timeout="1s", **LOGIN
            )
        assert f"can't be connected to ({url}: " in said
        assert len(calls) == 1
        assert PASSWORD.encode() not in calls[0]
        assert ADMIN.encode() not in calls[0]

    def test_a_port_without_tls_is_not_talked_to(self, server: Slapd, tmp_path: Path) -> None:
        said = refused(
            f"ldaps://127.0.0.1:{server.port}",
            tmp_path,
            timeout="2s",
            connect_timeout="2s",
            **LOGIN,
        )
        assert f"(ldaps://127.0.0.1:{server.port}: " in said

    @pytest.mark.parametrize(
        ("content", "said"),
        [(None, "can't be read (No such file"), ("no PEM", "does not contain a usable PEM")],
    )
    def test_a_file_of_authorities_that_can_not_be_used_is_named(
        self, content: str | None, said: str, server: Slapd, tmp_path: Path
    ) -> None:
        if content:
            (tmp_path / "bad.pem").write_text(content, encoding="utf-8")
        assert f"the file of 'ca_file' {said}" in refused(
            server.ldaps_url, tmp_path, ca_file="bad.pem"
        )


@pytest.mark.server
class TestLogin:
    def test_a_wrong_password_is_refused_and_not_shown(self, server: Slapd, tmp_path: Path) -> None:
        said = refused(server.url, tmp_path, user=ADMIN, password="not-it-at-all")
        assert "refuses this login (invalidCredentials); check 'user' and 'password'" in said
        assert "not-it-at-all" not in said

    def test_a_wrong_password_is_tried_at_one_server_only(
        self, server: Slapd, tmp_path: Path
    ) -> None:
        with Counting() as (port, calls):
            refused(
                [server.url, f"ldap://127.0.0.1:{port}"],
                tmp_path,
                user=ADMIN,
                password="not-it-at-all",
            )
        assert calls == []

    def test_the_password_is_read_when_it_is_used(self, server: Slapd, tmp_path: Path) -> None:
        one = source(server.url, filter="(uid=*)", user=ADMIN, password="${file:secret}")
        (tmp_path / "secret").write_text(PASSWORD + "\n", encoding="utf-8")
        assert len(list(one.rows(tmp_path))) == 3
        assert PASSWORD not in repr(one.reader(tmp_path))

    def test_nobody_is_anonymous_by_an_empty_password(self, server: Slapd, tmp_path: Path) -> None:
        (tmp_path / "secret").write_text("\n", encoding="utf-8")
        said = refused(server.url, tmp_path, user=ADMIN, password="${file:secret}")
        assert "'password': ${file:secret} is empty; put the value into it" in said

    def test_without_a_user_one_is_anonymous(self, server: Slapd, tmp_path: Path) -> None:
        assert source(server.url).column_names(tmp_path) == ("dn", "uid")
        with pytest.raises(
            SourceError, match="this account may not read here \\(insufficientAccessRights\\)"
        ):
            names(server.url, tmp_path)

    def test_a_client_certificate_is_a_login(
        self, server: Slapd, ca: trustme.CA, ca_file: Path, tmp_path: Path
    ) -> None:
        mine = certificate(ca, tmp_path / "client", "sync.example.edu")
        files = {
            "ca_file": str(ca_file),
            "client_cert": str(mine.chain),
            "client_key": str(mine.key),
        }
        assert names(server.ldaps_url, tmp_path, bind="external", **files) == ["0", "1", "2"]
        assert names(server.url, tmp_path, bind="external", start_tls=True, **files) == [
            "0",
            "1",
            "2",
        ]

    def test_a_client_certificate_of_nobody_known_is_refused(
        self, server: Slapd, ca_file: Path, tmp_path: Path
    ) -> None:
        mine = certificate(trustme.CA(), tmp_path / "client", "sync.example.edu")
        files = {
            "ca_file": str(ca_file),
            "client_cert": str(mine.chain),
            "client_key": str(mine.key),
        }
        assert "can't be connected to" in refused(
            server.ldaps_url, tmp_path, bind="external", **files
        )

    def test_a_client_certificate_whose_key_is_missing_is_named(
        self, server: Slapd, ca: trustme.CA, tmp_path: Path
    ) -> None:
        mine = certificate(ca, tmp_path / "client", "sync.example.edu")
        said = refused(server.ldaps_url, tmp_path, bind="external", client_cert=str(mine.chain))
        assert "the file of 'client_cert' or 'client_key' does not contain a usable PEM" in said

    def test_ones_own_account_is_a_login_over_a_socket_of_this_machine(
        self, server: Slapd, tmp_path: Path
    ) -> None:
        assert names(server.ldapi_url, tmp_path, bind="external") == ["0", "1", "2"]

    def test_a_directory_that_does_not_take_anonymous_says_so(self, tmp_path: Path) -> None:
        with Slapd(tmp_path / "slapd", options="disallow bind_anon").running() as one:
            said = refused(one.url, tmp_path)
        assert (
            "does not allow this kind of login (inappropriateAuthentication); check 'bind'" in said
        )


@pytest.mark.server
class TestServers:
    def test_the_next_server_is_used_when_one_can_not_be(
        self, server: Slapd, tmp_path: Path
    ) -> None:
        servers = [f"ldap://127.0.0.1:{free_port()}", server.ldaps_url, server.url]
        assert names(servers, tmp_path, **LOGIN) == ["0", "1", "2"]

    def test_when_none_can_be_used_each_says_why(self, server: Slapd, tmp_path: Path) -> None:
        gone = f"ldap://127.0.0.1:{free_port()}"
        said = refused([gone, server.ldaps_url, "ldap://ldap.invalid"], tmp_path, **LOGIN)
        assert (
            f"({gone}: can't be reached (connection refused); {server.ldaps_url}: its "
            f"certificate is from" in said
        )
        assert "; ldap://ldap.invalid: its name is not known)" in said
        assert "check 'servers', the network and the firewall, or set 'ca_file'" in said

    def test_a_server_that_says_nothing_is_given_up(self, tmp_path: Path) -> None:
        with Counting() as (port, _):
            said = refused(f"ldap://127.0.0.1:{port}", tmp_path, timeout="1s", connect_timeout="1s")
        assert "does not answer as an LDAP server (no answer in time)" in said

    def test_a_server_that_says_nothing_by_tls_is_given_up(self, tmp_path: Path) -> None:
        with Counting() as (port, _):
            said = refused(
                f"ldaps://127.0.0.1:{port}", tmp_path, timeout="1m", connect_timeout="1s"
            )
        assert "no answer in time" in said

    @pytest.mark.parametrize(
        "answer", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\x30\x03\x02\x01\x07", b"\xff" * 40]
    )
    def test_what_is_no_directory_is_none(self, answer: bytes, tmp_path: Path) -> None:
        with Counting(answer) as (port, _):
            said = refused(f"ldap://127.0.0.1:{port}", tmp_path, timeout="1s", connect_timeout="1s")
        assert "does not answer as an LDAP server" in said


class Counting:
    """A server that answers every connection with these bytes, and keeps what it received."""

    def __init__(self, answer: bytes = b"") -> None:
        self._answer, self._calls = answer, list[bytes]()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._serve)

    def __enter__(self) -> tuple[int, list[bytes]]:
        self._thread.start()
        return int(self._listener.getsockname()[1]), self._calls

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._listener.close()

    def _serve(self) -> None:
        while True:
            try:
                call, _ = self._listener.accept()
            except OSError:
                return
            with call:
                call.settimeout(3)
                self._calls.append(b"")
                call.sendall(self._answer)
                while more := self._more(call):
                    self._calls[-1] += more

    @staticmethod
    def _more(call: socket.socket) -> bytes:
        try:
            return call.recv(65536)
        except OSError:
            return b""


def test_without_the_library_it_says_how_to_install_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("library", "connection", "search", "schema", "changes", "reader"):
        monkeypatch.delitem(sys.modules, f"sync.sources.ldap.{name}", raising=False)
    monkeypatch.setitem(sys.modules, "ldap3", None)
    said = refused("ldaps://ldap.example.edu", tmp_path)
    assert f"the library for LDAP is not installed; {install_remedy('ldap')}" in said


def test_the_settings_alone_do_not_need_the_library() -> None:
    assert (
        source("ldaps://ldap.example.edu", base=SUFFIX).place(Path())
        == f"ldaps://ldap.example.edu/{SUFFIX}"
    )
