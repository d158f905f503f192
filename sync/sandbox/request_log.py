"""The log of all calls: the request, the answer, and whether it was committed. Secrets are masked.

An entry is written in the transaction of its call and before the answer is sent, so it is always
correct.
"""

import json
from collections.abc import Iterable
from pathlib import Path
from sqlite3 import Connection, Row
from typing import BinaryIO

from sync.sandbox.exports import LINK_PATH
from sync.sandbox.options import is_secret
from sync.sandbox.store import LOG_FILE
from sync.sandbox.wire import Answer, Json, ReceivedCall, parse

MASK = "***"

_SECRET_MEMBERS = frozenset({"password", "code", "api_key", "apikey", "key", "access_token"})
_MAX_DEPTH = 20


class RequestLog:
    """Logs calls in the database and, with a folder, also in its file `requests.jsonl`."""

    def __init__(self, folder: Path | None, secret: str) -> None:
        self._secret = secret
        self._file: BinaryIO | None = None
        if folder is not None:
            self._file = (folder / LOG_FILE).open("ab", buffering=0)

    def note(
        self,
        db: Connection,
        call: ReceivedCall,
        answer: Answer,
        failure: str | None,
        *,
        committed: bool,
    ) -> Json:
        """Add the call's entry, inside the transaction that carries the call out.

        `committed`: it was a write and was carried out, whatever the answer. `failure`: the failure
        that struck it.
        """
        entry = {
            "time": call.now.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "method": call.method,
            "path": self._masked(_path(call)),
            "query": self._masked(dict(call.query)),
            "status": answer.status,
            "body": self._masked(_body(call.raw)),
            "committed": committed,
            **({"failure": failure} if failure else {}),
        }
        seq = db.execute("INSERT INTO requests (entry) VALUES (?)", (json.dumps(entry),)).lastrowid
        return {"seq": seq} | entry

    def append(self, entry: Json) -> None:
        """Write the entry's line to the file, after the commit and before the answer."""
        if self._file is not None:
            self._file.write(json.dumps(entry, ensure_ascii=False).encode() + b"\n")

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()

    def _masked(self, value: Json, depth: int = 0) -> Json:
        if isinstance(value, str):
            return value.replace(self._secret, MASK)
        if depth > _MAX_DEPTH:
            return MASK
        if isinstance(value, dict):
            secret = (
                _SECRET_MEMBERS | {"value"} if is_secret(value.get("option")) else _SECRET_MEMBERS
            )
            return {
                name: MASK
                if name.lower() in secret or is_secret(name)
                else self._masked(member, depth + 1)
                for name, member in value.items()
            }
        if isinstance(value, list):
            return [self._masked(member, depth + 1) for member in value]
        return value


def entries_after(db: Connection, after: int, most: int) -> list[Json]:
    """Return at most `most` entries whose `seq` is above `after`, in order."""
    return _entries(
        db.execute(
            "SELECT seq, entry FROM requests WHERE seq > ? ORDER BY seq LIMIT ?", (after, most)
        )
    )


def last_entries(db: Connection, most: int) -> list[Json]:
    """Return at most `most` entries, the newest first."""
    return _entries(
        db.execute("SELECT seq, entry FROM requests ORDER BY seq DESC LIMIT ?", (most,))
    )


def _entries(rows: Iterable[Row]) -> list[Json]:
    return [{"seq": row["seq"]} | json.loads(row["entry"]) for row in rows]


def _path(call: ReceivedCall) -> str:
    return f"{LINK_PATH}{MASK}" if call.path.startswith(LINK_PATH) else call.path


def _body(raw: bytes) -> Json:
    if not raw:
        return None
    try:
        return parse(raw)
    except ValueError:
        # It can't be searched for secrets, so it is not stored.
        return f"<{len(raw)} bytes that are not JSON>"
