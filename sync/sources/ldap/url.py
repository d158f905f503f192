"""The URLs of LDAP servers, and which of them need no TLS: those on this machine."""

from typing import NamedTuple
from urllib.parse import quote, unquote, urlsplit

from sync.config_base.addresses import is_loopback
from sync.config_base.base import validation_error

_PORTS = {"ldaps": 636, "ldap": 389}
_DEFAULT_SOCKET = "/var/run/slapd/ldapi"


class LdapAddress(NamedTuple):
    """The address of one server.

    For `ldapi` the host is the path of its socket, and the port is 0.
    """

    scheme: str
    host: str
    port: int

    def __str__(self) -> str:
        """Return the URL, with its port only if that is not the usual one."""
        if self.scheme == "ldapi":
            return f"ldapi://{quote(self.host, safe='')}"
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}" + (
            "" if self.port == _PORTS[self.scheme] else f":{self.port}"
        )

    @property
    def is_local(self) -> bool:
        """Tell whether the server is on this machine, so that no network can be listened to."""
        return self.scheme == "ldapi" or is_loopback(self.host)


def parse_url(text: str) -> LdapAddress:
    """Return the address for a URL such as `ldaps://ldap.example.edu`.

    Raises:
        PydanticCustomError: the text is not such a URL; for the settings to report.
    """
    remedy = "write it like ldaps://ldap.example.edu or ldap://ldap.example.edu:389"
    try:
        parts = urlsplit(text.strip())
        port = parts.port
    except ValueError:
        raise validation_error("is not the address of a server", remedy) from None
    more = parts.path.strip("/") or parts.query or parts.fragment or "@" in parts.netloc
    if parts.scheme == "ldapi":
        if more:
            reason = "is not the address of a socket"
            raise validation_error(
                reason, "write its path like ldapi://%2Fvar%2Frun%2Fslapd%2Fldapi"
            )
        return LdapAddress("ldapi", unquote(parts.netloc) or _DEFAULT_SOCKET, 0)
    if parts.scheme not in _PORTS or not parts.hostname or port == 0:
        raise validation_error("is not the address of a server", remedy)
    if more:
        reason = "has more than a server and a port"
        raise validation_error(
            reason, "use 'base', 'scope', 'filter', 'user' and 'password' for the rest"
        )
    return LdapAddress(parts.scheme, parts.hostname, port or _PORTS[parts.scheme])
