"""A search read to its very end, page by page: what a directory cuts short is an error, never a shorter list."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from sync.errors import SourceError
from sync.sources.ldap.library import BROKEN, LDAPException, LDAPInvalidFilterError, ldap3

_SCOPES: Mapping[str, Literal["SUBTREE", "LEVEL", "BASE"]] = {
    "subtree": ldap3.SUBTREE,
    "onelevel": ldap3.LEVEL,
    "base": ldap3.BASE,
}
_PAGING = "1.2.840.113556.1.4.319"
_RANGE = ";range="

_LIMITED = "ask the directory's people to let this account read all of it"
_LATER = "try again later, or add another server"
_FAILURES: Mapping[int, tuple[str, str]] = {
    3: (
        "its time limit was exceeded (timeLimitExceeded)",
        f"{_LIMITED}, or narrow 'base' or 'filter'",
    ),
    4: ("its size limit was exceeded (sizeLimitExceeded)", f"{_LIMITED} (OpenLDAP: size.prtotal)"),
    10: ("it refers to another server (referral)", "name that server, or another 'base'"),
    11: (
        "its limit was exceeded (adminLimitExceeded)",
        f"{_LIMITED}, or narrow 'base' or 'filter'",
    ),
    12: (
        "it does not let this account read by pages",
        "ask the directory's people to, or set 'paged: false'",
    ),
    32: (
        "the base is not there, or hidden from this account (noSuchObject)",
        "check 'base', and as whom to bind",
    ),
    34: ("the base is no name of an entry (invalidDNSyntax)", "correct 'base'"),
    50: (
        "this account may not read here (insufficientAccessRights)",
        "check as whom to bind, or ask for the right",
    ),
    51: ("it is busy", _LATER),
    52: ("it is unavailable", _LATER),
}


@dataclass(frozen=True, slots=True)
class Query:
    """What to search for.

    Attributes:
        page_size: how many entries to ask for at a time; 0 for all at once.
        referrals: what to do when the directory says that a part of the tree is on another server.
    """

    base: str
    scope: Literal["subtree", "onelevel", "base"]
    filter: str
    attributes: tuple[str, ...]
    page_size: int
    referrals: Literal["ignore", "refuse"] = "ignore"


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry as it came: its name, and the values of its attributes by their names in lower case."""

    dn: bytes
    values: Mapping[str, Sequence[bytes]]


@dataclass(frozen=True, slots=True)
class Searches:
    """What can be asked through a connection; every answer is looked at before it is believed.

    Attributes:
        place: how the directory is named to people.
    """

    place: str
    connection: ldap3.Connection

    def entries(self, query: Query) -> Iterator[Entry]:
        """Every entry, streamed; a page is held at a time.

        Raises:
            SourceError: the directory did not give all, or can't be understood.
        """
        cookie: bytes | None = None
        while True:
            found, cookie = self._page(query, cookie)
            for one in found:
                if one["type"] == "searchResEntry":
                    yield self._whole(one)
                elif query.referrals == "refuse":
                    reason = "a part of it is on another server, and is not read"
                    raise SourceError(
                        self.place,
                        reason,
                        "name that server as a source of its own, or narrow 'base'",
                    )
            if not cookie:
                return

    def sample(self, query: Query) -> list[Entry]:
        """The first page, whatever follows it."""
        return [
            self._whole(one)
            for one in self._page(query, None)[0]
            if one["type"] == "searchResEntry"
        ]

    def root(self, *attributes: str) -> dict[str, str]:
        """What the server tells about itself, by the names in lower case; what it does not tell is left out."""
        found = self.sample(Query("", "base", "(objectClass=*)", attributes, 0))
        told = {
            name: values[0].decode(errors="replace")
            for one in found
            for name, values in one.values.items()
            if values
        }
        return {name.lower(): told[name.lower()] for name in attributes if name.lower() in told}

    def _page(
        self, query: Query, cookie: bytes | None
    ) -> tuple[list[dict[str, Any]], bytes | None]:
        result = self._ask(query, cookie)
        found = list(self.connection.response or ())
        self.connection.response = None
        if not query.page_size:
            return found, None
        try:
            return found, result["controls"][_PAGING]["value"]["cookie"]
        except (KeyError, TypeError):
            reason = "it answers without saying whether this was the last page"
            raise SourceError(self.place, reason, "set 'paged: false'") from None

    def _ask(self, query: Query, cookie: bytes | None) -> dict[str, Any]:
        """Sends one search and waits for all of its answer, which is left in the connection."""
        paged = bool(query.page_size)
        self.guarded(
            lambda: self.connection.search(
                query.base,
                query.filter,
                _SCOPES[query.scope],
                dereference_aliases=ldap3.DEREF_NEVER,
                attributes=list(query.attributes),
                paged_size=query.page_size or None,
                paged_criticality=paged,
                paged_cookie=cookie,
            )
        )
        result: dict[str, Any] = self.connection.result
        if result["result"] != 0:
            raise self._failed(result, paged)
        return result

    def guarded(self, call: Callable[[], object]) -> None:
        """Does one thing with the connection, and tells in our words what breaks it."""
        try:
            call()
        except BROKEN as error:
            raise self._broken(error) from None

    def _broken(self, error: Exception) -> SourceError:
        text = str(error)
        if isinstance(error, TimeoutError) or "timed out" in text:
            return SourceError(
                self.place, "it has stopped to answer", "try again later, or raise 'timeout'"
            )
        if isinstance(error, LDAPInvalidFilterError):
            return SourceError(self.place, "the filter can't be understood", "correct 'filter'")
        if isinstance(error, OSError | LDAPException):
            return SourceError(self.place, "the connection was closed before all was read", _LATER)
        return SourceError(
            self.place, "it answers with something that is not LDAP", "check 'servers'"
        )

    def _failed(self, result: Mapping[str, Any], paged: bool) -> SourceError:
        code = int(result["result"])
        words = " ".join(str(result["message"]).replace("\0", "").split())[:200]
        unknown = f"it says {result['description']}" + (f": {words}" if words else "")
        reason, remedy = _FAILURES.get(
            code, (unknown, "ask the directory's people, with these words")
        )
        if code == 4 and not paged:
            remedy = f"take out 'paged: false', or {_LIMITED}"
        if code == 11 and paged:
            remedy += "; if it forbids paging, set 'paged: false'"
        return SourceError(self.place, f"could not be read to its end: {reason}", remedy)

    def _whole(self, found: Mapping[str, Any]) -> Entry:
        """The entry, with what Active Directory only began to list (`member;range=0-1499`) completed."""
        values: dict[str, Sequence[bytes]] = {}
        begun = []
        for name, given in found["raw_attributes"].items():
            lowered = name.lower()
            if _RANGE in lowered:
                begun.append((lowered, given))
            else:
                values[lowered] = given or ()
        for name, given in begun:
            attribute, _, range_ = name.partition(_RANGE)
            values[attribute] = self._completed(found["dn"], attribute, range_, given or ())
        return Entry(found["raw_dn"], values)

    def _completed(
        self, dn: str, attribute: str, range_: str, given: Sequence[bytes]
    ) -> list[bytes]:
        every = list(given)
        while not range_.endswith("-*"):
            following = f"{attribute}{_RANGE}{self._end_of(range_, attribute) + 1}-*"
            self._ask(Query(dn, "base", "(objectClass=*)", (following,), 0), None)
            found = self.connection.response or ()
            ranges = {
                name.lower(): values
                for one in found
                for name, values in one.get("raw_attributes", {}).items()
                if name.lower().startswith(f"{attribute}{_RANGE}")
            }
            if len(ranges) != 1:
                raise self._torn(attribute)
            ((name, values),) = ranges.items()
            before, range_ = range_, name.partition(_RANGE)[2]
            if self._end_of(before, attribute) + 1 != self._begin_of(range_, attribute):
                raise self._torn(attribute)
            every.extend(values or ())
        return every

    def _begin_of(self, range_: str, attribute: str) -> int:
        return self._bound(range_.partition("-")[0], attribute)

    def _end_of(self, range_: str, attribute: str) -> int:
        return self._bound(range_.partition("-")[2], attribute)

    def _bound(self, text: str, attribute: str) -> int:
        if not text.isdecimal():
            raise self._torn(attribute)
        return int(text)

    def _torn(self, attribute: str) -> SourceError:
        reason = f"it lists attribute '{attribute}' in parts, and not all of them came"
        return SourceError(self.place, reason, _LATER)
