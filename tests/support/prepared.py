"""The first `apply` of a test, made once in each process for all tests that begin with the same files.

Many tests begin with a university that is in Inspera already. The state and the sandbox of the
first such test are copied for the others, which saves about half of their time.
"""

import hashlib
import json
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sync.sandbox import Sandbox


@dataclass(frozen=True)
class Prepared:
    """The state and the sandbox after a first `apply`, and what that printed."""

    files: dict[str, bytes]
    sandbox: sqlite3.Connection
    output: str

    @classmethod
    def of(cls, state: Path, sandbox: Sandbox, output: str) -> "Prepared":
        """Copy a state and a sandbox."""
        files = {file.name: file.read_bytes() for file in state.parent.glob(f"{state.name}*")}
        return cls(files, sandbox._backend._store.copy(), output)

    def restore(self, state: Path, sandbox: Sandbox) -> None:
        """Write the state, which then belongs to the address of this sandbox, and fill the sandbox."""
        for name, content in self.files.items():
            file = state.with_name(name)
            file.touch(0o600)
            file.write_bytes(content)
        with closing(sqlite3.connect(state)) as connection, connection:
            connection.execute("UPDATE tenant SET url = ?", (sandbox.url,))
        with sandbox._backend._store.lock:
            self.sandbox.backup(sandbox._backend._store._db)


_prepared: dict[str, Prepared] = {}


def find(name: str) -> Prepared | None:
    """Return what an earlier test has prepared under this name."""
    return _prepared.get(name)


def keep(name: str, prepared: Prepared) -> None:
    """Keep it for later tests."""
    _prepared[name] = prepared


def name_of(folder: Path, config: dict[str, Any], sandbox: Sandbox, time: str) -> str:
    """Return a name for a beginning: the same files, settings and controls at the same time."""
    files = {
        str(file.relative_to(folder)): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in folder.rglob("*")
        if file.is_file() and file.suffix != ".yaml"
    }
    inspera = {key: value for key, value in config["inspera"].items() if key != "url"}
    whole = [{**config, "inspera": inspera}, files, sandbox.control(), time]
    return json.dumps(whole, sort_keys=True)


def is_new(sandbox: Sandbox) -> bool:
    """Tell whether nobody has called or filled this sandbox yet."""
    return not sandbox.requests() and not any(sandbox.contents().values())
