"""The options of a test (vendor contract, Test API: settings); secrets only as digests."""

import json
from collections.abc import Iterator
from hashlib import sha256
from sqlite3 import Connection

from sync.sandbox.reader import BodyReader
from sync.sandbox.tests import find_test, is_activated
from sync.sandbox.wire import Answer, Json, ReceivedCall, Refusal

GROUPS = (
    "securityOptions",
    "explanationOptions",
    "examDayOptions",
    "generalOptions",
    "afterTestOptions",
)

MISPRINTED = "generalOption"
"""A name that a former schema of the vendor had by mistake; Inspera ignores it."""

_SECURITY, _EXPLANATION, _, _GENERAL, _ = GROUPS
_PIN, _QUIT_CODE = "SEB_SETTINGS_PINCODE", "LOCKDOWN_QUIT_CODE"
_NAMED = {
    _PIN: _SECURITY,
    "LOCKDOWN_BROWSER": _SECURITY,
    _QUIT_CODE: _SECURITY,
    "LOCKDOWN_CHROME_KIOSK": _SECURITY,
    "EXPLANATION_OF_GRADES_ADMINISTRATION_ENABLED": _EXPLANATION,
    "EXPLANATION_OF_GRADES_REQUESTED_FOR_ALL_GRADES": _EXPLANATION,
}
_MIN_PIN = 6
_PIN_RULE = f"must be {_MIN_PIN} or more printable ASCII characters, letters and digits among them"

Option = tuple[str, str, Json]
"""A group, a name and a value."""


def post_options(db: Connection, call: ReceivedCall) -> Answer:
    """Answer `POST /v1/test/{testId}/options`: sets the given ones, all or none.

    Security options are refused once the test is activated. In groups for which the contract names
    no option, any name is accepted. Only `generalOption`, a misprint of the vendor, is ignored.
    """
    test = find_test(db, call)
    options = _options(call.json())
    if is_activated(test, call.now) and any(group == _SECURITY for group, _, _ in options):
        raise Refusal(
            400,
            f"{_SECURITY}: test {test['run_id']} is activated, "
            "its security options cannot be changed",
        )
    save_options(db, test["run_id"], options)
    return Answer(200, {"success": True})


def read_option(read: BodyReader) -> Option:
    """Read an option by its name and value; the group follows from the name."""
    name = read.text("option", needed=True) or ""
    group = _NAMED.get(name, _GENERAL)
    return group, name, _value(read, group, name)


def all_options(db: Connection, run_id: int) -> dict[str, Json]:
    """Return a test's options by group and name; a secret as `{"sha256": …}`."""
    options: dict[str, Json] = {group: {} for group in GROUPS}
    for row in db.execute("SELECT * FROM options WHERE run_id = ? ORDER BY name", (run_id,)):
        options[row["option_group"]][row["name"]] = json.loads(row["value"])
    return options


def save_options(db: Connection, run_id: int, options: list[Option]) -> None:
    """Set a test's options; of a secret store only a digest."""
    db.executemany(
        "INSERT OR REPLACE INTO options (run_id, option_group, name, value) VALUES (?, ?, ?, ?)",
        [(run_id, group, name, json.dumps(_kept(name, value))) for group, name, value in options],
    )


def is_secret(name: Json) -> bool:
    """Tell whether the option's values are secret; the case of its name does not matter."""
    return isinstance(name, str) and name.strip().upper() in {_PIN, _QUIT_CODE}


def _kept(name: str, value: Json) -> Json:
    return {"sha256": sha256(str(value).encode()).hexdigest()} if is_secret(name) else value


def _options(body: Json) -> list[Option]:
    read = BodyReader(body)
    groups = read.inner("testOptions", needed=True)
    options = [] if groups is None else list(_grouped(groups))
    read.close()
    return options


def _grouped(groups: BodyReader) -> Iterator[Option]:
    for group in GROUPS:
        names: set[str] = set()
        for item in groups.items(group) or ():
            name = item.text("option", needed=True) or ""
            value = _value(item, group, name)
            if name and name in names:
                item.complain("option", f"{name} is in this group twice")
            item.done()
            names.add(name)
            yield group, name, value
    groups.any(MISPRINTED)
    groups.done(GROUPS)


def _value(item: BodyReader, group: str, name: str) -> Json:
    value = item.any("value")
    if name and group in (_SECURITY, _EXPLANATION) and _NAMED.get(name) != group:
        item.complain("option", f"{name} is not an option of {group}")
    elif complaint := _unsound(name, value):
        item.complain("value", complaint)
    return value


def _unsound(name: str, value: Json) -> str | None:
    """Return the error of a value, without repeating the value: it may be a secret."""
    if name == _PIN:
        return None if isinstance(value, str) and _is_pin(value) else _PIN_RULE
    if name == _QUIT_CODE:
        return None if isinstance(value, str) and value.strip() else "must be text, not empty"
    if name in _NAMED:
        return None if isinstance(value, bool) else "must be true or false"
    return None if isinstance(value, str | int | float) else "must be text, a number, true or false"


def _is_pin(text: str) -> bool:
    printable = text.isascii() and text.isprintable()
    return (
        len(text) >= _MIN_PIN
        and printable
        and any(map(str.isalpha, text))
        and any(map(str.isdigit, text))
    )
