"""The errors of LDAP sources: servers, logins, searches and values, each with what to do."""

from collections.abc import Mapping
from typing import Any

from sync.errors import SourceError, Unusable

TRY_LATER = "try again later, or add another server"

_NEEDS_RIGHT = "ask the administrators of the LDAP server to let this account read all of it"
_BUSY = {51: "busy", 52: "unavailable", 80: "in trouble"}
_AD_REASONS = {
    "525": "the user does not exist",
    "530": "the account may not log in at this time",
    "532": "its password has expired",
    "533": "the account is disabled",
    "701": "the account has expired",
    "773": "its password must be changed first",
    "775": "the account is locked",
}
"""The numbers in Active Directory's messages about a refused login."""

_SEARCH_FAILURES: Mapping[int, tuple[str, str]] = {
    3: (
        "its time limit was exceeded (timeLimitExceeded)",
        f"{_NEEDS_RIGHT}, or narrow 'base' or 'filter'",
    ),
    4: (
        "its size limit was exceeded (sizeLimitExceeded)",
        f"{_NEEDS_RIGHT} (OpenLDAP: size.prtotal)",
    ),
    10: ("it refers to another server (referral)", "set 'servers' to that one, or change 'base'"),
    11: (
        "its limit was exceeded (adminLimitExceeded)",
        f"{_NEEDS_RIGHT}, or narrow 'base' or 'filter'",
    ),
    12: (
        "it does not let this account read by pages",
        "ask the administrators of the LDAP server for it, or set 'paged: false'",
    ),
    32: (
        "the base does not exist, or this account may not read it (noSuchObject)",
        "check 'base', and that 'user' has the right to read it",
    ),
    34: ("the base is not a distinguished name (invalidDNSyntax)", "correct 'base'"),
    50: (
        "this account may not read here (insufficientAccessRights)",
        "check 'user', or ask for the right",
    ),
    51: ("it is busy", TRY_LATER),
    52: ("it is unavailable", TRY_LATER),
}


def refuse_failed_login(place: str, result: Mapping[str, Any]) -> None:
    """Raise the error for a login that did not succeed.

    Raises:
        Unusable: this server can't answer; another one may.
        SourceError: the login is refused. No other server is tried, because each wrong password
            counts towards the account being locked.
    """
    code, description = int(result["result"]), str(result["description"])
    if code in _BUSY:
        raise Unusable(f"is {_BUSY[code]} ({description})", TRY_LATER)
    if code == 49:
        message = str(result["message"])
        reasons = [f": {why}" for data, why in _AD_REASONS.items() if f"data {data}" in message]
        detail = f"{description}{reasons[0] if reasons else ''}"
        raise SourceError(
            place,
            f"refuses this login ({detail})",
            "check 'user' and 'password', or ask the administrators of the LDAP server",
        )
    if code:
        raise SourceError(
            place,
            f"does not allow this kind of login ({description})",
            "check 'bind': some servers require TLS, or a client certificate",
        )


def failed_search(place: str, result: Mapping[str, Any], *, paged: bool) -> SourceError:
    """Return the error for a search that the server did not complete."""
    code = int(result["result"])
    message = " ".join(str(result["message"]).replace("\0", "").split())[:200]
    unknown = (
        f"it reports {result['description']}" + (f": {message}" if message else ""),
        "ask the administrators of the LDAP server, with this message",
    )
    reason, remedy = _SEARCH_FAILURES.get(code, unknown)
    if code == 4 and not paged:
        remedy = f"remove 'paged: false', or {_NEEDS_RIGHT}"
    if code == 11 and paged:
        remedy += "; if it forbids paging, set 'paged: false'"
    return SourceError(place, f"could not be read to its end: {reason}", remedy)
