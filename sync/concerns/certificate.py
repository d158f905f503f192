"""When a certificate or a key ends, as far as that can be known."""

import ssl
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

AHEAD = timedelta(days=14)
"""How long before its end a person is to know of it."""

_SEQUENCE, _VERSION, _UTC_TIME = 0x30, 0xA0, 0x17
_BEGIN, _END = "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"


@dataclass(frozen=True, slots=True)
class Ending:
    """Something that ends: its short name, what it is, when it ends, and what to do."""

    name: str
    what: str
    at: datetime
    remedy: str

    def is_near(self, now: datetime) -> bool:
        """Tell whether a person should know of it."""
        return self.at - now <= AHEAD


def certificate_end(pem: str) -> datetime:
    """Return when the first certificate in this text is no longer valid.

    Raises:
        ValueError: it contains no certificate that can be read.
    """
    # The standard library parses certificates only of connections, not of files.
    first = pem[pem.index(_BEGIN) : pem.index(_END) + len(_END)]
    certificate = _parts(ssl.PEM_cert_to_DER_cert(first))
    fields = _parts(_value(_parts(_value(certificate, 0)), 0))
    if fields and fields[0][0] == _VERSION:
        fields = fields[1:]
    # serial number, algorithm, issuer, validity (not before, not after)
    tag, value = _parts(_value(fields, 3))[1]
    pattern = "%y%m%d%H%M%SZ" if tag == _UTC_TIME else "%Y%m%d%H%M%SZ"
    return datetime.strptime(value.decode("ascii"), pattern).replace(tzinfo=UTC)


def _value(parts: list[tuple[int, bytes]], number: int) -> bytes:
    if len(parts) <= number or parts[number][0] != _SEQUENCE:
        raise ValueError("not a certificate")
    return parts[number][1]


def _parts(content: bytes) -> list[tuple[int, bytes]]:
    """Return the tags and values of one level of DER."""
    found, at = [], 0
    while at + 2 <= len(content):
        tag, length = content[at], content[at + 1]
        at += 2
        if length & 0x80:
            size = length & 0x7F
            length = int.from_bytes(content[at : at + size], "big")
            at += size
        found.append((tag, content[at : at + length]))
        at += length
    return found
