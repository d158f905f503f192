"""Searches, read to their very end, page by page. A result that is cut off is an error."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from sync.errors import SourceError
from sync.sources.ldap.errors import TRY_LATER, failed_search
from sync.sources.ldap.library import BROKEN, LDAPException, LDAPInvalidFilterError, ldap3

_SCOPES: Mapping[str, Literal["SUBTREE", "LEVEL", "BASE"]] = {
    "subtree": ldap3.SUBTREE,
    "onelevel": ldap3.LEVEL,
    "base": ldap3.BASE,
}
_PAGING = "1.2.840.113556.1.4.319"
_RANGE = ";range="


@dataclass(frozen=True, slots=True)
class LdapQuery:
    """What to search for.

    Attributes:
        base: the entry below which to search.
        scope: how far below it.
        filter: which entries.
        attributes: the attributes to return.
        page_size: how many entries to ask for at a time; 0 for all at once.
        referrals: what to do with a part of the tree that is on another server.
    """

    base: str
    scope: Literal["subtree", "onelevel", "base"]
    filter: str
    attributes: tuple[str, ...]
    page_size: int
    referrals: Literal["ignore", "refuse"] = "ignore"


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry as the server sent it: its name, and its values by attribute in lower case."""

    dn: bytes
    values: Mapping[str, Sequence[bytes]]


@dataclass(frozen=True, slots=True)
class Searches:
    """The searches through one connection; every result is checked for completeness.

    Attributes:
        place: the source, for people.
        connection: the bound connection.
    """

    place: str
    connection: ldap3.Connection

    def entries(self, query: LdapQuery) -> Iterator[Entry]:
        """Yield every entry; one page is in memory at a time.

        Raises:
            SourceError: the result is incomplete, or is not valid.
        """
        cookie: bytes | None = None
        while True:
            responses, cookie = self._page(query, cookie)
            for response in responses:
                if response["type"] == "searchResEntry":
                    yield self._complete_entry(response)
                elif query.referrals == "refuse":
                    reason = "a part of it is on another server, and is not read"
                    raise SourceError(
                        self.place,
                        reason,
                        "read that server by a source of its own, or narrow 'base'",
                    )
            if not cookie:
                return

    def sample(self, query: LdapQuery) -> list[Entry]:
        """Return the first page only."""
        return [
            self._complete_entry(response)
            for response in self._page(query, None)[0]
            if response["type"] == "searchResEntry"
        ]

    def root(self, *attributes: str) -> dict[str, str]:
        """Return the attributes of the root DSE that the server has, by lower-case name."""
        entries = self.sample(LdapQuery("", "base", "(objectClass=*)", attributes, 0))
        texts = {
            name: values[0].decode(errors="replace")
            for entry in entries
            for name, values in entry.values.items()
            if values
        }
        return {name.lower(): texts[name.lower()] for name in attributes if name.lower() in texts}

    def _page(
        self, query: LdapQuery, cookie: bytes | None
    ) -> tuple[list[dict[str, Any]], bytes | None]:
        result = self._search(query, cookie)
        responses = list(self.connection.response or ())
        self.connection.response = None
        if not query.page_size:
            return responses, None
        try:
            return responses, result["controls"][_PAGING]["value"]["cookie"]
        except (KeyError, TypeError):
            reason = "its answer does not tell whether this was the last page"
            raise SourceError(self.place, reason, "set 'paged: false'") from None

    def _search(self, query: LdapQuery, cookie: bytes | None) -> dict[str, Any]:
        """Send one search and wait for its whole result, which stays in the connection."""
        paged = bool(query.page_size)
        self.run(
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
            raise failed_search(self.place, result, paged=paged)
        return result

    def run(self, call: Callable[[], object]) -> None:
        """Run one operation of the connection, and turn what breaks it into a `SourceError`."""
        try:
            call()
        except BROKEN as error:
            raise self._broken(error) from None

    def _broken(self, error: Exception) -> SourceError:
        text = str(error)
        if isinstance(error, TimeoutError) or "timed out" in text:
            return SourceError(
                self.place, "it has stopped answering", "try again later, or raise 'timeout'"
            )
        if isinstance(error, LDAPInvalidFilterError):
            return SourceError(self.place, "the filter is not valid", "correct 'filter'")
        if isinstance(error, OSError | LDAPException):
            return SourceError(
                self.place, "the connection was closed before all was read", TRY_LATER
            )
        return SourceError(
            self.place, "it answers with something that is not LDAP", "check 'servers'"
        )

    def _complete_entry(self, response: Mapping[str, Any]) -> Entry:
        """Return the entry, with all values of long lists.

        Active Directory sends such a list in parts, the first one as `member;range=0-1499`.
        """
        values: dict[str, Sequence[bytes]] = {}
        partial = []
        for name, raw in response["raw_attributes"].items():
            lowered = name.lower()
            if _RANGE in lowered:
                partial.append((lowered, raw))
            else:
                values[lowered] = raw or ()
        for name, raw in partial:
            attribute, _, range_ = name.partition(_RANGE)
            values[attribute] = self._complete_values(response["dn"], attribute, range_, raw or ())
        return Entry(response["raw_dn"], values)

    def _complete_values(
        self, dn: str, attribute: str, range_: str, given: Sequence[bytes]
    ) -> list[bytes]:
        every = list(given)
        while not range_.endswith("-*"):
            following = f"{attribute}{_RANGE}{self._end_of(range_, attribute) + 1}-*"
            self._search(LdapQuery(dn, "base", "(objectClass=*)", (following,), 0), None)
            responses = self.connection.response or ()
            ranges = {
                name.lower(): values
                for entry in responses
                for name, values in entry.get("raw_attributes", {}).items()
                if name.lower().startswith(f"{attribute}{_RANGE}")
            }
            if len(ranges) != 1:
                raise self._incomplete(attribute)
            ((name, values),) = ranges.items()
            before, range_ = range_, name.partition(_RANGE)[2]
            if self._end_of(before, attribute) + 1 != self._begin_of(range_, attribute):
                raise self._incomplete(attribute)
            every.extend(values or ())
        return every

    def _begin_of(self, range_: str, attribute: str) -> int:
        return self._bound(range_.partition("-")[0], attribute)

    def _end_of(self, range_: str, attribute: str) -> int:
        return self._bound(range_.partition("-")[2], attribute)

    def _bound(self, text: str, attribute: str) -> int:
        if not text.isdecimal():
            raise self._incomplete(attribute)
        return int(text)

    def _incomplete(self, attribute: str) -> SourceError:
        reason = f"it sends attribute '{attribute}' in parts, and a part is missing"
        return SourceError(self.place, reason, TRY_LATER)
