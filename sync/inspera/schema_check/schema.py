"""A reader of a tenant's own schema (OpenAPI 3 or Swagger 2): its calls, and their bodies.

Only references inside the document are followed. What the schema does not define counts as
unknown, never as missing.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import unquote

METHODS: Final = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE")

_MOST_PARTS: Final = 200
"""The most parts of one object that are read."""

_MOST_REFERENCES: Final = 16
"""The most references to references that are followed, because they may form a circle."""

_VERSIONS: Final = re.compile(r"[23](\.|$)")
_HOST: Final = re.compile(r"(?:[A-Za-z][A-Za-z0-9+.-]*:)?//[^/]*")
_APPENDED: Final = re.compile(r"(Using(GET|POST|PUT|PATCH|DELETE))?(_\d+)?$")
_PLACE: Final = re.compile(r"\{[^{}]*\}")

Segments = tuple[str, ...]
"""A path after `/api`, without its query."""


class SchemaError(ValueError):
    """A document that is not a schema, with the reason."""


@dataclass(slots=True)
class Members:
    """The members of an object that the schema names; with `open` it may have others, too."""

    schemas: dict[str, object] = field(default_factory=dict)
    required: set[str] = field(default_factory=set)
    open: bool = False

    def lacks(self, names: Iterable[str]) -> list[str]:
        """Return those of these names that the object can't have."""
        return (
            []
            if self.open or not self.schemas
            else [name for name in names if name not in self.schemas]
        )

    def add(self, other: "Members") -> None:
        """Add the members of another part of the same object."""
        self.schemas |= other.schemas
        self.required |= other.required
        self.open |= other.open


@dataclass(frozen=True, slots=True)
class Operation:
    """One method at one path.

    Attributes:
        method: the HTTP method.
        segments: the path after `/api`.
        body: the schema of its body, or None without one.
        name: its `operationId`; empty without one.
        query: the names of its query parameters.
        answer: the schema of a successful answer; None when the schema does not describe it.
        statuses: the statuses of its answers.
    """

    method: str
    segments: Segments
    body: object
    name: str = ""
    query: frozenset[str] = frozenset()
    answer: object = None
    statuses: frozenset[str] = frozenset()

    @property
    def path(self) -> str:
        """Return the path after `/api`, as the schema writes it."""
        return "/" + "/".join(self.segments)


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
        """Return the operations at this path by method; the names of its places don't matter."""
        return self._operations.get(shape(segments(path)), {})

    def with_method(self, method: str) -> list[Operation]:
        """Return all operations with this method, in the schema's order."""
        return [methods[method] for methods in self._operations.values() if method in methods]

    def named(self, name: str) -> Operation | None:
        """Return the operation of this name (`operationId`), whatever its case; None without it.

        What generators of schemas append to a name is ignored, such as `UsingPOST_1`.
        """
        for methods in self._operations.values():
            for operation in methods.values():
                if _APPENDED.sub("", operation.name).lower() == name.lower():
                    return operation
        return None

    def words(self, schema: object) -> list[str]:
        """Return the texts that a value may be (`enum`), or that a list of them may contain."""
        content = self._resolved(self.entry(schema)) or {}
        choices = [content, *map(self._resolved, _list(content.get("anyOf")))]
        return [
            word
            for choice in choices
            for word in _list((choice or {}).get("enum"))
            if isinstance(word, str)
        ]

    def members(self, schema: object) -> Members:
        """Return the members of an object, including those of its parts (`allOf` and others)."""
        return self._members(schema, set())

    def _members(self, schema: object, seen: set[int]) -> Members:
        content = self._resolved(schema)
        if content is None or len(seen) > _MOST_PARTS:
            return Members(open=True)
        if id(content) in seen:
            return Members()  # a circle: its members were added already
        seen.add(id(content))
        union = Members(_properties(content), open=bool(content.get("additionalProperties")))
        union.required = {
            name for name in _texts(content.get("required")) if not self._only_read(union, name)
        }
        for part in _list(content.get("allOf")):
            union.add(self._members(part, seen))
        for word in ("anyOf", "oneOf"):
            union.add(self._one_of(_list(content.get(word)), seen))
        return union

    def entry(self, schema: object) -> object:
        """Return the schema of a list's entries; for anything else, the schema itself."""
        content = self._resolved(schema)
        return content["items"] if content is not None and "items" in content else schema

    def holds_others(self, schema: object) -> bool:
        """Tell whether this is a list or an object."""
        content = self._resolved(schema) or {}
        return content.get("type") in ("array", "object") or bool(
            {"items", "properties", "allOf"} & set(content)
        )

    def _one_of(self, choices: list[object], seen: set[int]) -> Members:
        """Return the members of all choices; only those that all choices need are needed."""
        union = Members()
        required: list[set[str]] = []
        for choice in choices:
            if _mapping(choice).get("type") == "null":
                continue
            members = self._members(choice, seen)
            required.append(members.required)
            union.add(Members(members.schemas, open=members.open or not members.schemas))
        union.required = set.intersection(*required) if required else set()
        return union

    def _only_read(self, members: Members, name: str) -> bool:
        return bool((self._resolved(members.schemas.get(name)) or {}).get("readOnly"))

    def _read(self) -> Iterator[Operation]:
        for path, entry in _mapping(self._document["paths"]).items():
            item = self._resolved(entry) or {}
            for method in METHODS:
                content = item.get(method.lower())
                if not isinstance(content, dict):
                    continue
                for prefix in self._prefixes(content, item):
                    yield Operation(
                        method,
                        segments(f"{prefix}/{path}"),
                        self._body(item, content),
                        str(content.get("operationId") or ""),
                        self._query(item, content),
                        self._answer(content),
                        frozenset(map(str, _mapping(content.get("responses")))),
                    )

    def _query(self, item: Mapping[str, object], operation: Mapping[str, object]) -> frozenset[str]:
        given = (
            self._resolved(parameter) or {}
            for level in (item, operation)
            for parameter in _list(level.get("parameters"))
        )
        return frozenset(str(each.get("name")) for each in given if each.get("in") == "query")

    def _answer(self, operation: Mapping[str, object]) -> object:
        """Return the schema of the first successful answer that has one."""
        answers = _mapping(operation.get("responses"))
        for status in sorted(map(str, answers)):
            answer = self._resolved(answers.get(status)) or {}
            if status.startswith("2"):
                found = answer.get("schema") or self._in_content(answer)
                if found:
                    return found
        return None

    def _in_content(self, holder: Mapping[str, object]) -> object:
        """Return the schema of a body or an answer in OpenAPI 3, that of JSON first."""
        media = _mapping(holder.get("content"))
        chosen = next((name for name in media if "json" in name), next(iter(media), ""))
        return _mapping(media.get(chosen)).get("schema", {})

    def _prefixes(self, *levels: Mapping[str, object]) -> list[str]:
        """Return the prefixes of the path: Swagger's `basePath`, or the paths of the servers."""
        if "basePath" in self._document:
            return [str(self._document["basePath"])]
        for level in (*levels, self._document):
            if servers := [
                _server_path(_mapping(server)) for server in _list(level.get("servers"))
            ]:
                return servers
        return [""]

    def _body(self, item: Mapping[str, object], operation: Mapping[str, object]) -> object:
        if "requestBody" in operation:
            return self._in_content(self._resolved(operation["requestBody"]) or {})
        given = [
            self._resolved(parameter)
            for level in (item, operation)
            for parameter in _list(level.get("parameters"))
        ]
        known = [parameter for parameter in given if parameter is not None]
        for parameter in known:
            if parameter.get("in") == "body":
                return parameter.get("schema", {})
        form = {str(each.get("name")): each for each in known if each.get("in") == "formData"}
        if form:
            return {
                "properties": form,
                "required": [name for name, each in form.items() if each.get("required") is True],
            }
        return None if len(known) == len(given) else {}

    def _resolved(self, value: object) -> Mapping[str, object] | None:
        """Return the mapping, or the one to which it refers; None if it does not exist."""
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
    """Return the parts of a path after `/api`, without its query and a final slash."""
    parts = tuple(part for part in re.split("[?#]", path)[0].split("/") if part)
    return parts[1:] if parts[:1] == ("api",) else parts


def shape(parts: Segments) -> Segments:
    """Return the parts with all places replaced by the same mark."""
    return tuple(_PLACE.sub("{}", part) for part in parts)


def _server_path(server: Mapping[str, object]) -> str:
    """Return the path of a server's address, with the defaults of its variables."""
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
    return {text for text in _list(value) if isinstance(text, str)}
