"""What a directory's values are as text: distinguished names, times, and the identifiers of Active Directory.

Every function raises `ValueError` for a value that is none of its kind; the message says why, and holds no value.
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


class _Named(NamedTuple):
    """One `type=value` of a distinguished name, unescaped; `encoded` when the value was written as `#` and bytes."""

    kind: str
    value: str
    encoded: bool


def normal_dn(text: str) -> str:
    """A distinguished name as it is compared: types and values without regard to case, spaces and ways to escape.

    Two ways to write one name come out the same, so that what a group calls its member matches the member's own name.
    """
    if _INTRICATE.search(text):
        rdns = ("+".join(sorted(map(_written, rdn))) for rdn in _taken_apart(text))
        return ",".join(rdns)
    if not text.strip():
        return ""
    parts = []
    for rdn in text.split(","):
        kind, equals, value = rdn.partition("=")
        parts.append(f"{_kind(kind, equals)}={_folded(value)}")
    return ",".join(parts)


def first_value(text: str) -> str:
    """The value with which a distinguished name begins, as it is written: `500001` of `uid=500001,ou=people,…`."""
    if not _INTRICATE.search(text):
        kind, equals, value = text.partition(",")[0].partition("=")
        _kind(kind, equals)
        return value.strip()
    first = _taken_apart(text)[0]
    if len(first) > 1:
        raise ValueError("begins with several values, and which one is meant can't be known")
    return first[0].value.strip()


def _taken_apart(text: str) -> list[list[_Named]]:
    rdns: list[list[_Named]] = [[]]
    start = 0
    for piece in _pieces(text):
        if piece.group() in ",+":
            rdns[-1].append(_named(text[start : piece.start()]))
            start = piece.end()
            if piece.group() == ",":
                rdns.append([])
    rdns[-1].append(_named(text[start:]))
    return rdns


def _pieces(text: str) -> list[re.Match[str]]:
    pieces = list(_PIECE.finditer(text))
    if sum(len(piece.group()) for piece in pieces) != len(text):
        raise ValueError("is no distinguished name: a backslash ends it")
    return pieces


def _named(text: str) -> _Named:
    kind, equals, value = text.partition("=")
    encoded = value.lstrip().startswith("#")
    raw = b"".join(
        bytes.fromhex(piece["hex"])
        if piece["hex"]
        else (piece["escaped"] or piece["plain"]).encode()
        for piece in _pieces(value)
    )
    return _Named(_kind(kind, equals), raw.decode(), encoded)


def _kind(kind: str, equals: str) -> str:
    kind = kind.strip().lower().removeprefix("oid.")
    if not (kind and equals):
        raise ValueError("is no distinguished name: a part has no '='")
    return _SHORT.get(kind, kind)


def _written(named: _Named) -> str:
    value = _folded(named.value)
    return f"{named.kind}={value if named.encoded else _TO_ESCAPE.sub(_escaped, value)}"


def _escaped(found: re.Match[str]) -> str:
    return f"\\{found[0]}"


def _folded(value: str) -> str:
    value = " ".join(value.split())
    return (
        value.lower() if value.isascii() else normalize("NFC", normalize("NFD", value).casefold())
    )


def time_text(text: str) -> str:
    """A time as ISO 8601 in UTC, such as `2026-05-20T07:00:00Z`, to the second; empty when it means never.

    It is either generalized time (`20260520070000.0Z`) or that of Active Directory, in 100 ns since 1601.
    """
    moment = _moment(text)
    return "" if moment is None else moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def is_past(text: str, now: datetime) -> bool:
    """Whether such a time has come. Never is not past."""
    moment = _moment(text)
    return moment is not None and moment <= now


def generalized(moment: datetime) -> str:
    """A time in UTC as directories write it, to the second."""
    return moment.astimezone(UTC).strftime("%Y%m%d%H%M%SZ")


def moment_of(text: str) -> datetime:
    """The time that generalized time means. It always says its zone."""
    found = _GENERALIZED.fullmatch(text)
    if found is None:
        raise ValueError("is no time")
    written = found["day"] + found["hour"] + (found["minute"] or "00") + (found["second"] or "00")
    zone = "+0000" if found["zone"] == "Z" else found["zone"].ljust(5, "0")
    try:
        return datetime.strptime(written + zone, "%Y%m%d%H%M%S%z").astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError("is no time") from None


def _moment(text: str) -> datetime | None:
    if not re.fullmatch(r"-?[0-9]{1,19}", text):
        return moment_of(text)
    ticks = int(text)
    if ticks in _NEVER:
        return None
    try:
        moment = _FILETIME_EPOCH + timedelta(microseconds=ticks // 10)
    except OverflowError:
        raise ValueError("is no time") from None
    if moment < _LONG_AGO:  # such as 20260520070000: a time without its zone
        raise ValueError("is no time: it is neither in 100 ns since 1601, nor does it say its zone")
    return moment


def guid_text(raw: bytes) -> str:
    """The identifier of an object of Active Directory, as its tools show it: `xxxxxxxx-xxxx-…`."""
    if len(raw) != 16:
        raise ValueError("is no GUID: it has not 16 bytes")
    return str(UUID(bytes_le=raw))


def sid_text(raw: bytes) -> str:
    """The security identifier of an account of Active Directory, as its tools show it: `S-1-5-21-…`."""
    if len(raw) < 8 or len(raw) != 8 + 4 * raw[1]:
        raise ValueError("is no SID: its length is wrong")
    parts = (int.from_bytes(raw[at : at + 4], "little") for at in range(8, len(raw), 4))
    return "-".join(["S", str(raw[0]), str(int.from_bytes(raw[2:8], "big")), *map(str, parts)])
