"""The line of the audit log about a changed configuration."""

import hashlib
import json
from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel
from sqlalchemy import Connection, text

from sync.app import App
from sync.config_base.secrets import SecretRef
from sync.state.audit.chain import Event
from sync.state.audit.log import Entry
from sync.state.journal import Journal


def note_configuration(app: App, connection: Connection, journal: Journal) -> None:
    """Append a line if the configuration is not that of the last run, and commit it."""
    now = setting_digests(app.loaded.settings)
    rows = connection.execute(text("SELECT name, digest FROM audit_setting"))
    before = {row.name: row.digest for row in rows}
    if now == before:
        return
    changed = sorted(name for name in now | before if now.get(name) != before.get(name))
    connection.execute(text("DELETE FROM audit_setting"))
    connection.execute(
        text("INSERT INTO audit_setting (name, digest) VALUES (:name, :digest)"),
        [{"name": name, "digest": digest} for name, digest in now.items()],
    )
    # On the first run everything is new, which is not worth its names.
    details = {"fingerprint": _digest(now), "settings": changed if before else ["all"]}
    journal.audit.append([Entry(event=Event.CONFIGURATION, details=details)])
    connection.commit()


def setting_digests(settings: BaseModel) -> dict[str, str]:
    """Return the hash of the value of each setting, by its name; of secrets nothing but a name."""
    return {name: _digest(value) for name, value in _values(settings, "")}


def _digest(value: object) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:16]


def _values(value: Any, name: str) -> Iterator[tuple[str, object]]:
    """Yield the name and the value of each setting below this one."""
    if isinstance(value, BaseModel):
        for part in type(value).model_fields:
            yield from _values(getattr(value, part), f"{name}.{part}" if name else part)
    elif isinstance(value, dict) and value:
        for key in sorted(value, key=str):
            yield from _values(value[key], f"{name}.{key}")
    elif isinstance(value, list | tuple) and any(isinstance(one, BaseModel) for one in value):
        for number, part in enumerate(value, 1):
            yield from _values(part, f"{name}[{number}]")
    elif isinstance(value, SecretRef):
        yield name, "a secret"
    else:
        yield name, sorted(map(str, value)) if isinstance(value, set | frozenset) else str(value)
