"""TLS with LDAP servers: always verified. A refused certificate is explained."""

import ssl
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sync.errors import SourceError

_WRONG_NAME = frozenset({62, 64})  # a host name, an IP address
_TOO_EARLY, _EXPIRED = 9, 10
_NO_CHECK_TIME = 0x200000  # X509_V_FLAG_NO_CHECK_TIME, for which Python has no name
_CA_REMEDY = "set 'ca_file' to the PEM file of the authority that issued it"


@dataclass(frozen=True, slots=True)
class TlsTrust:
    """The PEM files of trusted authorities and of our own certificate.

    Without `ca_file` the authorities of the system are trusted.
    """

    ca_file: Path | None = None
    client_cert: Path | None = None
    client_key: Path | None = None

    def context(self, place: str) -> ssl.SSLContext:
        """Return a context that verifies the server's chain and its name.

        Raises:
            SourceError: a file can't be used.
        """
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        try:
            if self.ca_file:
                context.load_verify_locations(self.ca_file)
            else:
                context.load_default_certs()
        except OSError as error:
            raise _unusable(place, "ca_file", error) from None
        try:
            if self.client_cert:
                # The password stops OpenSSL from asking for one at the terminal.
                context.load_cert_chain(self.client_cert, self.client_key, password="")
        except OSError as error:
            raise _unusable(place, "client_cert' or 'client_key", error) from None
        return context

    def lenient_context(self, place: str) -> ssl.SSLContext:
        """Return a context to read a refused certificate: its name and its time are not verified.

        Nothing is ever sent through a connection with this context.
        """
        context = self.context(place)
        context.check_hostname = False
        context.verify_flags |= ssl.VerifyFlags(_NO_CHECK_TIME)
        return context


def _unusable(place: str, setting: str, error: OSError) -> SourceError:
    if isinstance(error, ssl.SSLError):
        reason, remedy = (
            "does not contain a usable PEM",
            "use a PEM file; its key must have no passphrase",
        )
    else:
        reason, remedy = (
            f"can't be read ({error.strerror})",
            "correct the path, or let this account read it",
        )
    return SourceError(place, f"the file of '{setting}' {reason}", remedy)


def certificate_explains(error: ssl.SSLCertVerificationError) -> bool:
    """Tell whether the fields of the certificate explain why it was refused."""
    return error.verify_code in {*_WRONG_NAME, _TOO_EARLY, _EXPIRED}


def explain_refusal(
    error: ssl.SSLCertVerificationError, host: str, peer: dict[str, Any]
) -> tuple[str, str]:
    """Return why a certificate was refused, and what to do. `peer` is its fields, or empty."""
    if error.verify_code in _WRONG_NAME:
        names = ", ".join(str(name) for _, name in peer.get("subjectAltName", ())) or "no name"
        return (
            f"its certificate is made for {names}, not for {host}",
            "write the server's name as in the certificate",
        )
    if error.verify_code == _EXPIRED:
        when = f" on {_day(peer['notAfter'])}" if peer else ""
        return (
            f"its certificate, or that of its authority, has expired (it ends{when})",
            "renew it on the server",
        )
    if error.verify_code == _TOO_EARLY:
        when = f" from {_day(peer['notBefore'])} on" if peer else " later"
        return (
            f"its certificate is valid only{when}",
            "set this machine's clock, or renew it on the server",
        )
    return (
        f"its certificate is from an authority that is not trusted here ({error.verify_message})",
        _CA_REMEDY,
    )


def _day(text: str) -> str:
    return datetime.fromtimestamp(ssl.cert_time_to_seconds(text), UTC).date().isoformat()
