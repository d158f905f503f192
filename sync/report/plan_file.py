"""A plan as a file: to be reviewed, and then carried out by `apply FILE` exactly as it is.

Each line is canonical JSON: a head, a line for each change that passes, and an end with the hash of
everything before it. Each line contains its own hash, so that a changed line can be named. No
secret is in the file, and no value that `plan` does not show.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from hashlib import blake2b
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

from sync.errors import UsageError
from sync.planning.freeze import digest_of
from sync.records.base import DIGEST_PREFIX
from sync.records.changes import Change, Fields, PlannedChange
from sync.report.wording import NAMES
from sync.text.masking import masked

FORMAT = 1
"""The version of the format. Increase it when a member changes its meaning."""

_KIND_OF_FILE = "inspera-sync plan"

DigestSecret = Callable[[str], str]
"""A function that returns the keyed digest of a secret."""


class ReviewedLine(NamedTuple):
    """A change of a plan's file: its kind, its key (masked), and the hash of the line."""

    kind: str
    k1: str
    k2: str
    hash: str


def _canonical(content: Mapping[str, Any]) -> str:
    return json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def _hash(text: str) -> str:
    return blake2b(text.encode(), digest_size=16).hexdigest()


def _line(content: Mapping[str, Any]) -> str:
    """Return a line of the file, which contains the hash of the rest of it."""
    return _canonical({**content, "line_hash": _hash(_canonical(content))}) + "\n"


def head_text(about: Mapping[str, Any]) -> str:
    """Return the first line of the file."""
    return _line({**about, "type": _KIND_OF_FILE, "format": FORMAT})


def change_text(line: PlannedChange, digest: DigestSecret | None) -> str:
    """Return the line of a change.

    Args:
        line: the change.
        digest: returns the digest of a secret; None when the state has no lasting key of digests.
            Then a pin or a first password is not compared.
    """
    change, secret = line.change, line.secret is not None or _has_digest(line.change)
    # A digest under a key that does not last would differ in the next plan.
    compared = digest is not None or not secret
    exact = change if compared else _without_values(change)
    fingerprint = f"{(line.fingerprint or b'').hex()} {digest(line.secret or '') if digest else ''}"
    return _line(
        {
            "type": "change",
            "kind": change.kind,
            "key": [masked(part) for part in change.key],
            "action": change.action,
            "changed": list(change.changed),
            "before": _shown(change, change.before),
            "after": _shown(change, change.after),
            "digest": digest_of(exact),
            "fingerprint": _hash(fingerprint) if compared else None,
        }
    )


def _has_digest(change: Change) -> bool:
    """Tell whether the change is of a pin or a quit code."""
    values = (*change.before.values(), *change.after.values())
    return any(str(value).startswith(DIGEST_PREFIX) for value in values)


def _without_values(change: Change) -> Change:
    return Change(change.action, change.kind, change.key, changed=change.changed)


def _shown(change: Change, fields: Fields) -> Mapping[str, Any]:
    """Return the values that may be shown: no names, no email, and no digest of a pin."""
    hidden = _has_digest(change)
    return {
        name: masked(value) if isinstance(value, str) else value
        for name, value in fields.items()
        if value is not None and name not in NAMES and not (hidden and name == "value")
    }


def reviewed_line(text: str) -> ReviewedLine:
    """Return what a line of `change_text` is compared by."""
    content = json.loads(text)
    k1, *more = content["key"]
    return ReviewedLine(content["kind"], k1, more[0] if more else "", content["line_hash"])


def plan_file(head: str, changes: Iterable[str]) -> Iterator[str]:
    """Yield all lines of a plan's file."""
    total, whole = 0, blake2b(head.encode(), digest_size=16)
    yield head
    for total, text in enumerate(changes, 1):  # noqa: B007 - the number is used below
        whole.update(text.encode())
        yield text
    yield _line({"type": "end", "changes": total, "hash": whole.hexdigest()})


@dataclass(frozen=True, slots=True)
class ReviewedPlan:
    """A plan's file that was read to its end, and is as it was written.

    Attributes:
        path: the file.
        head: its first line.
        total: how many changes it has.
    """

    path: Path
    head: Mapping[str, Any]
    total: int

    @classmethod
    def read(cls, path: Path) -> "ReviewedPlan":
        """Read a plan's file.

        Raises:
            UsageError: it cannot be read, is not such a file, or was changed since it was written.
        """
        try:
            with path.open("rb") as file:
                head, total = _check(path, file)
        except OSError as error:
            raise UsageError(f"{path}: cannot be read ({error.strerror})") from None
        return cls(path, head, total)

    @property
    def options(self) -> Mapping[str, Any]:
        """Return the options by which the plan was made."""
        options: Mapping[str, Any] = self.head["options"]
        return options

    def check_origin(self, program: str, tenant: Mapping[str, str]) -> None:
        """Check that this program made the plan, for this tenant.

        Raises:
            UsageError: another one did.
        """
        if self.head["program"] != program:
            raise UsageError(
                f"{self.path}: was made by inspera-sync {self.head['program']}, and this is "
                f"{program}; {again(self.path)}"
            )
        if self.head["tenant"] != tenant:
            other = self.head["tenant"]
            raise UsageError(
                f"{self.path}: is a plan for {other['url']} (client id {other['client_id']}), but "
                f"the configuration names {tenant['url']} (client id {tenant['client_id']}); "
                "nothing was sent"
            )

    def lines(self) -> Iterator[ReviewedLine]:
        """Yield the changes of the file."""
        with self.path.open(encoding="utf-8", newline="\n") as file:
            yield from map(reviewed_line, islice(file, 1, 1 + self.total))


def is_plan_file(path: Path) -> bool:
    """Tell whether a file begins as a plan's file does.

    Raises:
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        return f'"type":"{_KIND_OF_FILE}"'.encode() in file.readline(65_536)


def again(path: Path) -> str:
    """Return what to do about a plan that is not carried out."""
    return f"nothing was sent; make a new plan: plan --out {path}"


def _check(path: Path, lines: Iterable[bytes]) -> tuple[Mapping[str, Any], int]:
    """Return the head, and the number of changes, of a file of which no byte was changed."""
    head, content = dict[str, Any](), dict[str, Any]()
    number, whole = 0, blake2b(digest_size=16)
    for number, line in enumerate(lines, 1):
        if content.get("type") == "end":
            raise _changed(path, f"line {number}", "is after the end of the plan")
        content = _parsed(line)
        head = head or _checked_head(path, content)
        rest = {name: value for name, value in content.items() if name != "line_hash"}
        if _line(rest).encode() != line:
            raise _changed(path, f"line {number}", "was changed")
        if content["type"] != "end":
            whole.update(line)
    if content.get("type") != "end":
        raise _changed(path, "its end", "is missing" if number else "is missing: it is empty")
    if (content["changes"], content["hash"]) != (number - 2, whole.hexdigest()):
        raise _changed(path, "its lines", "are not all there, or in another order")
    return head, number - 2


def _parsed(line: bytes) -> dict[str, Any]:
    """Return the content of a line; empty when it is not an object in JSON."""
    try:
        content = json.loads(line)
    except ValueError:  # neither JSON nor UTF-8
        return {}
    return content if isinstance(content, dict) else {}


def _checked_head(path: Path, head: dict[str, Any]) -> dict[str, Any]:
    """Check that the first line begins a plan in this format, before anything else is read."""
    if head.get("type") != _KIND_OF_FILE:
        raise UsageError(f"{path}: is not a plan of inspera-sync; {again(path)}")
    if head.get("format") != FORMAT:
        raise UsageError(
            f"{path}: has format {head.get('format')}, and this version reads format {FORMAT}; "
            f"{again(path)}"
        )
    return head


def _changed(path: Path, where: str, what: str) -> UsageError:
    return UsageError(f"{path}: {where} {what} since the plan was written; {again(path)}")
