"""LDAP values as text: distinguished names, times, and the identifiers of Active Directory.

Every function raises `ValueError` for a value of another kind. The message contains the reason, and
never the value.
"""

import re
from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from unicodedata import normalize
from uuid import UUID

_SHORT = {
    "commonname": "cn",
    "surname": "sn",
    "countryname": "c",
    "localityname": "l",
    "stateorprovincename": "st",
    "streetaddress": "street",
    "organizationname": "o",
    "organizationalunitname": "ou",
    "domaincomponent": "dc",
    "userid": "uid",
    "2.5.4.3": "cn",
    "2.5.4.4": "sn",
    "2.5.4.6": "c",
    "2.5.4.7": "l",
    "2.5.4.8": "st",
    "2.5.4.9": "street",
    "2.5.4.10": "o",
    "2.5.4.11": "ou",
    "0.9.2342.19200300.100.1.25": "dc",
    "0.9.2342.19200300.100.1.1": "uid",
}
_INTRICATE = re.compile(r'[\\"+#;<>]')
_PIECE = re.compile(r"\\(?P<hex>[0-9A-Fa-f]{2})|\\(?P<escaped>.)|(?P<plain>[^\\])", re.DOTALL)
_TO_ESCAPE = re.compile(r'[\\,+";<>]|\A#')

_FILETIME_EPOCH = datetime(1601, 1, 1, tzinfo=UTC)
_LONG_AGO = datetime(1900, 1, 1, tzinfo=UTC)
_NEVER = frozenset({0, 0x7FFFFFFFFFFFFFFF, -0x8000000000000000})
_GENERALIZED = re.compile(
    r"(?P<day>\d{8})(?P<hour>\d\d)(?:(?P<minute>\d\d)(?:(?P<second>\d\d)(?:[.,]\d+)?)?)?(?P<zone>Z|[+-]\d\d(?:\d\d)?)"
)


class _TypeAndValue(NamedTuple):
    """One `type=value` of a distinguished name, unescaped; `encoded` if it was `#` and bytes."""

    type: str
    value: str
    encoded: bool


def normal_dn(text: str) -> str:
    """Return a distinguished name in the form for comparisons: without case, spaces and escapes.

    Two ways to write one name become the same, so that a group's member matches the member's entry.
    """
    if _INTRICATE.search(text):
        rdns = ("+".join(sorted(map(_rdn_text, rdn))) for rdn in _parse_dn(text))
        return ",".join(rdns)
    if not text.strip():
        return ""
    parts = []
    for rdn in text.split(","):
        type_, equals, value = rdn.partition("=")
        parts.append(f"{_type_name(type_, equals)}={_folded(value)}")
    return ",".join(parts)


def first_value(text: str) -> str:
    """Return the first value of a distinguished name: `500001` of `uid=500001,ou=people,…`."""
    if not _INTRICATE.search(text):
        type_, equals, value = text.partition(",")[0].partition("=")
        _type_name(type_, equals)
        return value.strip()
    first = _parse_dn(text)[0]
    if len(first) > 1:
        raise ValueError("begins with several values, so that its first value is ambiguous")
    return first[0].value.strip()


def _parse_dn(text: str) -> list[list[_TypeAndValue]]:
    rdns: list[list[_TypeAndValue]] = [[]]
    start = 0
    for piece in _pieces(text):
        if piece.group() in ",+":
            rdns[-1].append(_parse_part(text[start : piece.start()]))
            start = piece.end()
            if piece.group() == ",":
                rdns.append([])
    rdns[-1].append(_parse_part(text[start:]))
    return rdns


def _pieces(text: str) -> list[re.Match[str]]:
    pieces = list(_PIECE.finditer(text))
    if sum(len(piece.group()) for piece in pieces) != len(text):
        raise ValueError("is not a distinguished name: it ends with a backslash")
    return pieces


def _parse_part(text: str) -> _TypeAndValue:
    type_, equals, value = text.partition("=")
    encoded = value.lstrip().startswith("#")
    raw = b"".join(
        bytes.fromhex(piece["hex"])
        if piece["hex"]
        else (piece["escaped"] or piece["plain"]).encode()
        for piece in _pieces(value)
    )
    return _TypeAndValue(_type_name(type_, equals), raw.decode(), encoded)


def _type_name(type_: str, equals: str) -> str:
    name = type_.strip().lower().removeprefix("oid.")
    if not (name and equals):
        raise ValueError("is not a distinguished name: a part has no '='")
    return _SHORT.get(name, name)


def _rdn_text(part: _TypeAndValue) -> str:
    value = _folded(part.value)
    return f"{part.type}={value if part.encoded else _TO_ESCAPE.sub(_escaped, value)}"


def _escaped(match: re.Match[str]) -> str:
    return f"\\{match[0]}"


def _folded(value: str) -> str:
    value = " ".join(value.split())
    return (
        value.lower() if value.isascii() else normalize("NFC", normalize("NFD", value).casefold())
    )


def time_text(text: str) -> str:
    """Return a time as ISO 8601 in UTC, such as `2026-05-20T07:00:00Z`; empty if it means never.

    The text is a generalized time (`20260520070000.0Z`), or the 100 ns since 1601 of Active
    Directory.
    """
    moment = _moment(text)
    return "" if moment is None else moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def is_past(text: str, now: datetime) -> bool:
    """Tell whether such a time has come. A time that means never has not."""
    moment = _moment(text)
    return moment is not None and moment <= now


def generalized(moment: datetime) -> str:
    """Return a time as LDAP writes it: a generalized time in UTC, to the second."""
    return moment.astimezone(UTC).strftime("%Y%m%d%H%M%SZ")


def moment_of(text: str) -> datetime:
    """Return the time of a generalized time, which always has a zone."""
    match = _GENERALIZED.fullmatch(text)
    if match is None:
        raise ValueError("is not a time")
    written = match["day"] + match["hour"] + (match["minute"] or "00") + (match["second"] or "00")
    zone = "+0000" if match["zone"] == "Z" else match["zone"].ljust(5, "0")
    try:
        return datetime.strptime(written + zone, "%Y%m%d%H%M%S%z").astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError("is not a time") from None


def _moment(text: str) -> datetime | None:
    if not re.fullmatch(r"-?[0-9]{1,19}", text):
        return moment_of(text)
    ticks = int(text)
    if ticks in _NEVER:
        return None
    try:
        moment = _FILETIME_EPOCH + timedelta(microseconds=ticks // 10)
    except OverflowError:
        raise ValueError("is not a time") from None
    if moment < _LONG_AGO:  # such as 20260520070000: a time without its zone
        raise ValueError("is not a time: it is too small for 100 ns since 1601, and has no zone")
    return moment


def guid_text(raw: bytes) -> str:
    """Return the GUID of an object of Active Directory, as its tools show it: `xxxxxxxx-xxxx-…`."""
    if len(raw) != 16:
        raise ValueError("is not a GUID: it does not have 16 bytes")
    return str(UUID(bytes_le=raw))


def sid_text(raw: bytes) -> str:
    """Return the security identifier of an account, as the tools show it: `S-1-5-21-…`."""
    if len(raw) < 8 or len(raw) != 8 + 4 * raw[1]:
        raise ValueError("is not a SID: its length is wrong")
    parts = (int.from_bytes(raw[at : at + 4], "little") for at in range(8, len(raw), 4))
    return "-".join(["S", str(raw[0]), str(int.from_bytes(raw[2:8], "big")), *map(str, parts)])
