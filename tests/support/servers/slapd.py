"""A real OpenLDAP server (slapd), on loopback and on a free port; started in a moment, stopped by its own process id.

    server = Slapd(folder, people(3))
    with server.running(): ...

Like Active Directory it gives 1,000 entries at once and no more, unless they are asked for by pages.
"""

import base64
import signal
import socket
import subprocess
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from .needed import free_port, need

SUFFIX = "dc=example,dc=edu"
PEOPLE = f"ou=people,{SUFFIX}"
GROUPS = f"ou=groups,{SUFFIX}"
ADMIN = f"cn=admin,{SUFFIX}"
PASSWORD = "made-up-for-tests"
PAGED_AS_ACTIVE_DIRECTORY = "size.soft=1000 size.hard=1000 size.prtotal=unlimited"

Attributes = Mapping[str, str | bytes | Sequence[str | bytes]]
Entry = tuple[str, Attributes]
"""An entry: its distinguished name and its attributes, with `objectClass`."""

TREE: tuple[Entry, ...] = (
    (SUFFIX, {"objectClass": ("dcObject", "organization"), "dc": "example", "o": "Example"}),
    (PEOPLE, {"objectClass": "organizationalUnit", "ou": "people"}),
    (GROUPS, {"objectClass": "organizationalUnit", "ou": "groups"}),
)
"""What holds people and groups."""


def person(uid: str, /, **attributes: str | bytes | Sequence[str | bytes]) -> Entry:
    """Somebody made up; `attributes` are added, or stand instead of the usual ones."""
    usual: Attributes = {
        "objectClass": "inetOrgPerson",
        "uid": uid,
        "cn": f"Åse {uid}",
        "sn": "Eksempel",
    }
    return f"uid={uid},{PEOPLE}", {**usual, **attributes}


def people(count: int, start: int = 0) -> Iterator[Entry]:
    """So many people."""
    return (person(str(number)) for number in range(start, start + count))


def group(name: str, members: Iterable[str]) -> Entry:
    """A group of these distinguished names."""
    return f"cn={name},{GROUPS}", {
        "objectClass": "groupOfNames",
        "cn": name,
        "member": tuple(members),
    }


def ldif(entries: Iterable[Entry]) -> Iterator[str]:
    """Entries as LDIF."""
    for dn, attributes in entries:
        yield _line("dn", dn)
        for name, values in attributes.items():
            for value in (values,) if isinstance(values, str | bytes) else values:
                yield _line(name, value)
        yield "\n"


def _line(name: str, value: str | bytes) -> str:
    raw = value.encode() if isinstance(value, str) else value
    return f"{name}:: {base64.b64encode(raw).decode()}\n"


@dataclass(frozen=True, slots=True)
class Certificate:
    """PEM files for TLS; with `clients` the server also asks for one by this authority, and can do without it."""

    chain: Path
    key: Path
    clients: Path | None = None


@dataclass
class Slapd:
    """One server and its data. It can be started, stopped, changed and started again, always at the same ports.

    Attributes:
        entries: what it holds from the beginning, below the tree of people and groups.
        limits: of sizes and times, as slapd.conf writes them.
        lines: more of slapd.conf, for the database.
        options: more of slapd.conf, for the server.
    """

    folder: Path
    entries: Iterable[Entry] = ()
    limits: str = PAGED_AS_ACTIVE_DIRECTORY
    lines: str = ""
    options: str = ""
    certificate: Certificate | None = None
    data: Path | None = None
    port: int = field(default_factory=free_port)
    tls_port: int = field(default_factory=free_port)
    _process: "subprocess.Popen[bytes] | None" = None

    @property
    def url(self) -> str:
        """Where it is without TLS."""
        return f"ldap://127.0.0.1:{self.port}"

    @property
    def ldaps_url(self) -> str:
        """Where it is with TLS."""
        return f"ldaps://127.0.0.1:{self.tls_port}"

    @property
    def ldapi_url(self) -> str:
        """Where it is by a socket of this machine."""
        return f"ldapi://{str(self.folder / 'ldapi').replace('/', '%2F')}"

    @property
    def pid(self) -> int:
        """Its process, while it runs."""
        assert self._process is not None, "slapd does not run"
        return self._process.pid

    def load(self) -> None:
        """Writes its data, which takes no server."""
        need("slapd", "slapd", beside="usr/sbin")
        self._data.mkdir(parents=True)
        self._configure()
        text = "".join(ldif((*TREE, *self.entries)))
        self._run("slapadd", "-q", "-f", str(self._configuration), given=text)

    def start(self) -> None:
        """Starts it, with its data if it has none yet; when this returns, it answers."""
        program = need("slapd", "slapd", beside="usr/sbin")
        if not self._data.exists():
            self.load()
        self._configure()
        urls = [self.url, self.ldapi_url] + ([self.ldaps_url] if self.certificate else [])
        self._process = subprocess.Popen(
            [program, "-f", str(self._configuration), "-h", " ".join(urls), "-d", "0"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self._wait()

    def stop(self) -> None:
        """Stops it, if it runs."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """Ends it as a crash does."""
        self._end(signal.SIGKILL)

    def restart(self, limits: str = PAGED_AS_ACTIVE_DIRECTORY) -> None:
        """Stops it and starts it with other limits."""
        self.stop()
        self.limits = limits
        self.start()

    @contextmanager
    def running(self) -> Iterator["Slapd"]:
        """Runs it for a while."""
        self.start()
        try:
            yield self
        finally:
            self.stop()

    def add(self, *entries: Entry) -> None:
        """Adds entries while it runs."""
        self._tool("ldapadd", "".join(ldif(entries)))

    def delete(self, *names: str) -> None:
        """Deletes entries while it runs."""
        self._tool("ldapdelete", "".join(f"{name}\n" for name in names))

    def modify(self, dn: str, **attributes: str | bytes | Sequence[str | bytes]) -> None:
        """Gives an entry's attributes other values while it runs."""
        lines = [_line("dn", dn), "changetype: modify\n"]
        for name, values in attributes.items():
            lines.append(f"replace: {name}\n")
            lines += [
                _line(name, value)
                for value in ((values,) if isinstance(values, str | bytes) else values)
            ]
            lines.append("-\n")
        self._tool("ldapmodify", "".join(lines))

    @property
    def _data(self) -> Path:
        return self.data or self.folder / "data"

    @property
    def _configuration(self) -> Path:
        return self.folder / "slapd.conf"

    def _configure(self) -> None:
        lines = [
            f"include /etc/ldap/schema/{name}.schema"
            for name in ("core", "cosine", "inetorgperson")
        ]
        lines += [
            f"pidfile {self.folder / 'slapd.pid'}",
            "modulepath /usr/lib/ldap",
            "moduleload back_mdb",
        ]
        lines += [f"sizelimit {self.limits}", self.options]
        if self.certificate:
            lines += [
                f"TLSCertificateFile {self.certificate.chain}",
                f"TLSCertificateKeyFile {self.certificate.key}",
            ]
            if self.certificate.clients:
                lines += [f"TLSCACertificateFile {self.certificate.clients}", "TLSVerifyClient try"]
        lines += ["database mdb", f'suffix "{SUFFIX}"', f'rootdn "{ADMIN}"', f"rootpw {PASSWORD}"]
        lines += [f"directory {self._data}", "maxsize 1073741824", "dbnosync", self.lines]
        self.folder.mkdir(parents=True, exist_ok=True)
        self._configuration.write_text("\n".join(lines) + "\n", encoding="utf-8")

    def _wait(self) -> None:
        for _ in range(500):
            with socket.socket() as one:
                if one.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            assert self._process is not None
            assert self._process.poll() is None, (
                "slapd ended: run it by hand with the slapd.conf in its folder"
            )
            time.sleep(0.01)
        self.stop()
        raise AssertionError("slapd does not answer")

    def _end(self, by: signal.Signals) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.send_signal(by)
        process.wait(timeout=30)

    def _tool(self, name: str, text: str) -> None:
        self._run(name, "-x", "-H", self.url, "-D", ADMIN, "-w", PASSWORD, given=text)

    def _run(self, name: str, *arguments: str, given: str) -> None:
        package = "slapd" if name == "slapadd" else "ldap-utils"
        done = subprocess.run(
            [need(name, package, beside="usr/sbin"), *arguments],
            input=given.encode(),
            capture_output=True,
            check=False,
            timeout=170,
        )
        assert done.returncode == 0, done.stderr.decode()[-2000:]
