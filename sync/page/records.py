"""The search for a person or a test, and everything about one record."""

from collections.abc import Mapping, Sequence

from starlette.requests import Request

from sync.page.desk import Desk
from sync.page.guard import Refused
from sync.page.rendering import View
from sync.records.base import DIGEST_PREFIX, Key, Kind
from sync.records.kinds import KEY_FIELDS
from sync.report.wording import key_text
from sync.state.record_history import read_history
from sync.state.record_search import FoundRecord, find_records, read_places

MOST = 50
"""The most records that a search shows."""

SHORTEST = 2
"""The fewest characters to search for."""


def search(desk: Desk, request: Request) -> View:
    """Show the form, and what was found: by key, name, login or title."""
    words = request.query_params.get("q", "").strip()[:100]
    found: Sequence[FoundRecord] = ()
    if len(words) >= SHORTEST:
        with desk.open_to_read() as connection:
            found = find_records(connection, words, MOST + 1)
    if len(found) == 1:
        return View("", "", {}, redirect=f"/records/{found[0].kind}/{found[0].key[0]}")
    values = {
        "words": words,
        "found": found[:MOST],
        "more": len(found) > MOST,
        "asked": len(words) >= SHORTEST,
        "shortest": SHORTEST,
    }
    return View("search.html", "Search", values)


def show(desk: Desk, request: Request) -> View:
    """Show what the state holds about a record, without reading the sources."""
    kind, key = _record(request)
    return _view(desk, kind, key, None)


def explain(desk: Desk, request: Request, _form: Mapping[str, list[str]]) -> View:
    """Read the sources, and show what would be done about a record and why."""
    kind, key = _record(request)
    return _view(desk, kind, key, desk.explain(kind, key))


def _record(request: Request) -> tuple[Kind, Key]:
    kind, key = request.path_params["kind"], tuple(request.path_params["key"].split("/"))
    if kind not in list(Kind) or len(key) != len(KEY_FIELDS[Kind(kind)]) or not all(key):
        raise Refused(404, "There is no such record.")
    return Kind(kind), key


def _view(desk: Desk, kind: Kind, key: Key, lines: Sequence[str] | None) -> View:
    with desk.open_to_read() as connection:
        history = read_history(connection, kind, key)
        places = read_places(connection, kind, key, MOST + 1)
    values = {
        "kind": kind,
        "key": key,
        "history": history,
        "places": places[:MOST],
        "more": len(places) > MOST,
        "lines": lines,
        "digest_prefix": DIGEST_PREFIX,
    }
    return View("record.html", f"{kind} {key_text(key)}", values)
