"""`plan --out FILE` and `apply FILE`: a plan that is reviewed, and then carried out exactly so."""

import os
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

from sync import __version__
from sync.app import App
from sync.engine.plan import PlanResult
from sync.errors import UsageError
from sync.planning.selection import Selection
from sync.records.base import Kind, utc_text
from sync.records.changes import Verdict
from sync.report.plan_file import (
    DigestSecret,
    ReviewedPlan,
    again,
    change_text,
    head_text,
    is_plan_file,
    plan_file,
    reviewed_line,
)
from sync.report.wording import plural
from sync.state.compare.reviewed import ReviewDifferences
from sync.state.secret_digest import digest_secret
from sync.state.store import Store

PLANNING = ("allowed", "accepted", "changed", "selection")
"""The options that decide what is planned: `plan --out` stores them, and `apply FILE` takes them.

They have the same names in `PlanOptions` and `ApplyOptions`.
"""


def check_place(path: Path) -> None:
    """Check, before anything is read, that a plan may be written there.

    Raises:
        UsageError: the file is something else than a plan, or its folder is missing.
    """
    try:
        if not path.parent.is_dir():
            raise UsageError(f"--out {path}: the folder {path.parent} is missing; create it first")
        if path.is_symlink() or (path.exists() and not (path.is_file() and is_plan_file(path))):
            raise UsageError(f"--out {path}: exists already and is not a plan; name another file")
    except OSError as error:
        raise UsageError(f"--out {path}: cannot be used ({error.strerror})") from None


def write_plan_file(
    app: App, store: Store, planning: PlanResult, options: object, path: Path
) -> int:
    """Write the changes that pass to a file, with mode 0600. Return how many.

    A killed process leaves no half of it.

    Raises:
        UsageError: the file cannot be written.
    """
    digest = _digest_of_secrets(app)
    head = head_text(
        {
            "program": __version__,
            "tenant": _tenant(app),
            "newest_run": store.earlier_runs.newest(),
            "planned": utc_text(planning.now),
            "options": _stored_options(options),
            "secrets_compared": digest is not None,
        }
    )
    check_place(path)
    try:
        return _write(path, plan_file(head, _texts(store, digest))) - 2
    except OSError as error:
        raise UsageError(f"--out {path}: cannot be written ({error.strerror})") from None


def _stored_options(options: object) -> Mapping[str, Any]:
    """Return the options that decide what is planned, as JSON; those without a value are left out.

    A part of the plan that was asked for is stored with its members.
    """
    given = {name: getattr(options, name, None) for name in PLANNING}
    return {
        name: asdict(value) if isinstance(value, Selection) else value
        for name, value in given.items()
        if value
    }


def _write(path: Path, lines: Iterable[str]) -> int:
    """Write a file under another name first. Return the number of its lines."""
    number = 0
    # Made with mode 0600, and in the same folder, so that it can take the place of another file.
    descriptor, fresh = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="\n") as file:
            for number, line in enumerate(lines, 1):  # noqa: B007 - the number is returned
                file.write(line)
            file.flush()
            os.fsync(file.fileno())
        Path(fresh).replace(path)
    except BaseException:
        with suppress(OSError):
            Path(fresh).unlink()
        raise
    return number


def _texts(store: Store, digest: DigestSecret | None) -> Iterator[str]:
    return (change_text(line, digest) for line in store.plan.read(Verdict.PASS))


def _tenant(app: App) -> Mapping[str, str]:
    return {"url": app.tenant.url, "client_id": app.tenant.client_id}


def _digest_of_secrets(app: App) -> DigestSecret | None:
    """Return what makes keyed digests of secrets; None before the first run has stored a key."""
    key = app.state.load_digest_key(write=False)
    # Without a stored key each reading gives another one.
    return partial(digest_secret, key) if key == app.state.load_digest_key(write=False) else None


def read_plan_file(app: App, path: Path) -> ReviewedPlan:
    """Read a plan that this program has made for this tenant.

    Raises:
        UsageError: it was changed, or another program or another tenant's.
    """
    plan = ReviewedPlan.read(path)
    plan.check_origin(__version__, _tenant(app))
    return plan


def planning_options(plan: ReviewedPlan) -> Mapping[str, Any]:
    """Return the options by which the plan was made, as `ApplyOptions` has them."""
    return {name: _restored(value) for name, value in plan.options.items()}


def _restored(value: Any) -> Any:
    if isinstance(value, dict):
        members = {name: tuple(of) for name, of in value.items()}
        return Selection(**members | {"kinds": tuple(map(Kind, members["kinds"]))})
    return tuple(value) if isinstance(value, list) else value


def check_same(app: App, plan: ReviewedPlan, store: Store) -> None:
    """Check that the plan in the store is the one that was reviewed.

    Raises:
        UsageError: something is new, gone or different.
    """
    digest = _digest_of_secrets(app) if plan.head["secrets_compared"] else None
    found = store.plan.compare(plan.lines(), map(reviewed_line, _texts(store, digest)))
    if found:
        raise UsageError(f"{plan.path}: {_differences(found)}; {_moved(plan, store)}")


def _differences(found: ReviewDifferences) -> str:
    """Return what differs: `3 changes are new (test INF1000-H26, …), 1 is gone (…)`."""
    parts: list[str] = []
    for number, first, word in (
        (found.new, found.first_new, "new"),
        (found.gone, found.first_gone, "gone"),
        (found.different, found.first_different, "different"),
    ):
        if number:
            verb = "is" if number == 1 else "are"
            more = ", …" if number > len(first) else ""
            what = plural(number, "change") if not parts else f"{number:,}"
            parts.append(f"{what} {verb} {word} ({', '.join(first)}{more})")
    return ", ".join(parts)


def _moved(plan: ReviewedPlan, store: Store) -> str:
    runs = store.earlier_runs.newest() - plan.head["newest_run"]
    since = f"{plural(runs, 'run')} since the plan of {plan.head['planned']}; " if runs > 0 else ""
    return f"{since}{again(plan.path)}"
