"""Reads a tenant's own schema, OpenAPI 3 or Swagger 2, as parsed JSON.

Which calls there are, and what each takes.

Only references within the document are followed. What the schema leaves open counts as open, never
as missing.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import unquote

METHODS: Final = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE")

_MOST_PARTS: Final = 200
"""Parts of one object that are looked at."""

_MOST_REFERENCES: Final = 16
"""References to references that are followed; a circle ends there."""

_VERSIONS: Final = re.compile(r"[23](\.|$)")
_HOST: Final = re.compile(r"(?:[A-Za-z][A-Za-z0-9+.-]*:)?//[^/]*")
_PLACE: Final = re.compile(r"\{[^{}]*\}")

Segments = tuple[str, ...]
"""A path after `/api`, without its query."""


class SchemaError(ValueError):
    """The document can't be read as a schema; `str()` says why."""


@dataclass(slots=True)
class Members:
    """The members of an object as far as the schema names them.

    `open` when it may hold others as well.
    """

    schemas: dict[str, object] = field(default_factory=dict)
    required: set[str] = field(default_factory=set)
    open: bool = False

    def lacks(self, names: Iterable[str]) -> list[str]:
        """Return which of these are not known."""
        return (
            []
            if self.open or not self.schemas
            else [name for name in names if name not in self.schemas]
        )

    def add(self, other: "Members") -> None:
        """Take in what another part of the same object says."""
        self.schemas |= other.schemas
        self.required |= other.required
        self.open |= other.open


@dataclass(frozen=True, slots=True)
class Operation:
    """One method at one path.

    `body` is the schema of what it takes, `None` when it takes nothing.
    """

    method: str
    segments: Segments
    body: object


class Schema:
    """A tenant's own schema.

    Raises:
        SchemaError: the document is neither OpenAPI 3 nor Swagger 2.
    """

    def __init__(self, document: object) -> None:
        self._document = _mapping(document)
        version = self._document.get("openapi", self._document.get("swagger"))
        if not isinstance(self._document.get("paths"), dict) or not _VERSIONS.match(str(version)):
            raise SchemaError("is neither an OpenAPI 3 nor a Swagger 2 schema")
        self._operations: dict[Segments, dict[str, Operation]] = {}
        for operation in self._read():
            self._operations.setdefault(shape(operation.segments), {}).setdefault(
                operation.method, operation
            )

    def at(self, path: str) -> Mapping[str, Operation]:
        """Return the operations at this path by method, whatever its places are called."""
        return self._operations.get(shape(segments(path)), {})

    def with_method(self, method: str) -> list[Operation]:
        """Return every operation of this method, in the schema's order."""
        return [methods[method] for methods in self._operations.values() if method in methods]

    def members(self, schema: object) -> Members:
        """Return the members of an object, those of its parts included."""
        return self._members(schema, set())

    def _members(self, schema: object, seen: set[int]) -> Members:
        content = self._resolved(schema)
        if content is None or len(seen) > _MOST_PARTS:
            return Members(open=True)
        if id(content) in seen:
            return Members()  # a circle: it is counted already
        seen.add(id(content))
        found = Members(_properties(content), open=bool(content.get("additionalProperties")))
        found.required = {
            name for name in _texts(content.get("required")) if not self._only_read(found, name)
        }
        for part in _list(content.get("allOf")):
            found.add(self._members(part, seen))
        for word in ("anyOf", "oneOf"):
            found.add(self._one_of(_list(content.get(word)), seen))
        return found

    def entry(self, schema: object) -> object:
        """Return what a list holds; anything else is its own entry."""
        content = self._resolved(schema)
        return content["items"] if content is not None and "items" in content else schema

    def holds_others(self, schema: object) -> bool:
        """Tell whether this is a list or an object."""
        content = self._resolved(schema) or {}
        return content.get("type") in ("array", "object") or bool(
            {"items", "properties", "allOf"} & set(content)
        )

    def _one_of(self, choices: list[object], seen: set[int]) -> Members:
        """Return what at least one of the choices knows; only what all of them need is needed."""
        found = Members()
        required: list[set[str]] = []
        for choice in choices:
            if _mapping(choice).get("type") == "null":
                continue
            members = self._members(choice, seen)
            required.append(members.required)
            found.add(Members(members.schemas, open=members.open or not members.schemas))
        found.required = set.intersection(*required) if required else set()
        return found

    def _only_read(self, members: Members, name: str) -> bool:
        return bool((self._resolved(members.schemas.get(name)) or {}).get("readOnly"))

    def _read(self) -> Iterator[Operation]:
        for path, entry in _mapping(self._document["paths"]).items():
            item = self._resolved(entry) or {}
            for method in METHODS:
                content = item.get(method.lower())
                if not isinstance(content, dict):
                    continue
                body = self._body(item, content)
                for prefix in self._prefixes(content, item):
                    yield Operation(method, segments(f"{prefix}/{path}"), body)

    def _prefixes(self, *levels: Mapping[str, object]) -> list[str]:
        """Return what stands before the path.

        Swagger's `basePath`, or the path of each server, the nearest list of them.
        """
        if "basePath" in self._document:
            return [str(self._document["basePath"])]
        for level in (*levels, self._document):
            if servers := [_server_path(_mapping(one)) for one in _list(level.get("servers"))]:
                return servers
        return [""]

    def _body(self, item: Mapping[str, object], operation: Mapping[str, object]) -> object:
        if "requestBody" in operation:
            media = _mapping((self._resolved(operation["requestBody"]) or {}).get("content"))
            chosen = next((name for name in media if "json" in name), next(iter(media), ""))
            return _mapping(media.get(chosen)).get("schema", {})
        given = [
            self._resolved(one)
            for level in (item, operation)
            for one in _list(level.get("parameters"))
        ]
        known = [one for one in given if one is not None]
        for one in known:
            if one.get("in") == "body":
                return one.get("schema", {})
        form = {str(one.get("name")): one for one in known if one.get("in") == "formData"}
        if form:
            return {
                "properties": form,
                "required": [name for name, one in form.items() if one.get("required") is True],
            }
        return None if len(known) == len(given) else {}

    def _resolved(self, value: object) -> Mapping[str, object] | None:
        """Return the mapping that this is, or refers to within the document.

        `None` when it can't be found.
        """
        for _ in range(_MOST_REFERENCES):
            if not isinstance(value, dict):
                return None
            reference = value.get("$ref")
            if not isinstance(reference, str):
                return value
            value = self._referred(reference)
        return None

    def _referred(self, reference: str) -> object:
        if not reference.startswith("#/"):
            return None
        value: object = self._document
        for step in reference[2:].split("/"):
            value = _mapping(value).get(unquote(step).replace("~1", "/").replace("~0", "~"))
        return value


def segments(path: str) -> Segments:
    """Return the parts of a path after `/api`, without its query.

    A slash at its end makes no difference.
    """
    parts = tuple(part for part in re.split("[?#]", path)[0].split("/") if part)
    return parts[1:] if parts[:1] == ("api",) else parts


def shape(parts: Segments) -> Segments:
    """Return the same without the names of its places."""
    return tuple(_PLACE.sub("{}", part) for part in parts)


def _server_path(server: Mapping[str, object]) -> str:
    """Return the path of a server's address, its variables as they are by default."""
    url = str(server.get("url", ""))
    for name, variable in _mapping(server.get("variables")).items():
        url = url.replace(f"{{{name}}}", str(_mapping(variable).get("default", "")))
    return _HOST.sub("", url, count=1)


def _properties(content: Mapping[str, object]) -> dict[str, object]:
    return dict(_mapping(content.get("properties")))


def _mapping(value: object) -> Mapping[str, object]:
    return value if isinstance(value, dict) else {}


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _texts(value: object) -> set[str]:
    return {one for one in _list(value) if isinstance(one, str)}
