"""Where a directory's servers are, and which of them may be talked to without TLS: those on this very machine."""

from ipaddress import ip_address
from typing import NamedTuple
from urllib.parse import quote, unquote, urlsplit

from sync.config_base.base import told_one

_PORTS = {"ldaps": 636, "ldap": 389}
_DEFAULT_SOCKET = "/var/run/slapd/ldapi"


class LdapAddress(NamedTuple):
    """One server. For `ldapi` the host is the path of its socket, and the port is 0."""

    scheme: str
    host: str
    port: int

    def __str__(self) -> str:
        """The address as people write it, with its port where that is not the usual one."""
        if self.scheme == "ldapi":
            return f"ldapi://{quote(self.host, safe='')}"
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}" + (
            "" if self.port == _PORTS[self.scheme] else f":{self.port}"
        )

    @property
    def is_here(self) -> bool:
        """Whether it is on this machine, so that nobody listens on the way to it."""
        if self.scheme == "ldapi" or self.host.lower() == "localhost":
            return True
        try:
            return ip_address(self.host).is_loopback
        except ValueError:
            return False


def address_of(text: str) -> LdapAddress:
    """The server that a text names, such as `ldaps://ldap.example.edu`.

    Raises:
        PydanticCustomError: it names none; for the settings to show.
    """
    remedy = "write it like ldaps://ldap.example.edu or ldap://ldap.example.edu:389"
    try:
        parts = urlsplit(text.strip())
        port = parts.port
    except ValueError:
        raise told_one("is no address of a server", remedy) from None
    if parts.scheme == "ldapi":
        return LdapAddress("ldapi", unquote(parts.netloc) or _DEFAULT_SOCKET, 0)
    if parts.scheme not in _PORTS or not parts.hostname:
        raise told_one("is no address of a server", remedy)
    if parts.path.strip("/") or parts.query or parts.fragment or "@" in parts.netloc:
        reason = "has more than a server and a port"
        raise told_one(reason, "give the rest by 'base', 'scope', 'filter', 'user' and 'password'")
    return LdapAddress(parts.scheme, parts.hostname, port or _PORTS[parts.scheme])
