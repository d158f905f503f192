"""Look-ups in the settings model: the type, the choices and the description of a setting."""

from difflib import get_close_matches
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel

from sync.config.errors import Steps, name_text
from sync.config.model import Settings
from sync.config.tree import Plain, value_at
from sync.config_base.descriptions import description
from sync.config_base.secrets import SecretRef

MOST_NAMED = 12
"""How many choices a message lists at most."""


def setting_at(steps: Steps, data: Plain) -> Any:
    """Return the type of a setting in the model, or None if the model has no such setting.

    If several types are possible, the `kind` or `type` in the file selects one. The result is a
    pydantic model, a plain type, or another annotation.
    """
    current = _choose(Settings, data)
    for index, step in enumerate(steps):
        current = _choose(_type_below(current, step), value_at(data, steps[: index + 1]))
    return current


def is_secret(steps: Steps, data: Plain) -> bool:
    """Tell whether this setting is a secret, which is read only when it is used."""
    return setting_at(steps, data) is SecretRef


def names_at(steps: Steps, data: Plain) -> tuple[str, ...]:
    """Return the names of the settings that are allowed below this one."""
    current = setting_at(steps, data)
    return tuple(current.model_fields) if _is_model(current) else ()


def describe(steps: Steps, data: Plain) -> str:
    """Return the first sentence of the setting's description; empty if it has none."""
    owner = setting_at(steps[:-1], data)
    known = bool(steps) and _is_model(owner) and steps[-1] in owner.model_fields
    text = " ".join(description(owner, str(steps[-1])).split()) if known else ""
    return text.split(". ", 1)[0].rstrip(".")


def suggest(name: str, known: tuple[str, ...]) -> str:
    """Return the remedy for an unknown name: the most similar known name, or a list of them."""
    near = get_close_matches(name, known, n=1)
    if near:
        return f"did you mean '{name_text(near[0])}'?"
    if not known:
        return "remove it"
    shown = ", ".join(name_text(choice) for choice in known[:MOST_NAMED])
    return f"known here: {shown}" + (", …" if len(known) > MOST_NAMED else "")


def _is_model(current: Any) -> bool:
    return isinstance(current, type) and issubclass(current, BaseModel)


def _type_below(current: Any, step: str | int) -> Any:
    if _is_model(current):
        info = current.model_fields.get(step)
        return info.annotation if info else None
    origin, inner = get_origin(current), get_args(current)
    if origin is dict and isinstance(step, str):
        return inner[1]
    if origin in (list, tuple) and isinstance(step, int):
        return inner[0]
    return None


def _choose(current: Any, value: Plain) -> Any:
    """Return the member of a union that fits the value's `kind` or `type`; None is left out."""
    if get_origin(current) is Annotated:
        return _choose(get_args(current)[0], value)
    if get_origin(current) not in (Union, UnionType):
        return current
    members = [member for member in get_args(current) if member is not type(None)]
    if len(members) == 1:
        return _choose(members[0], value)
    return next((member for member in members if _matches(member, value)), None)


def _matches(member: Any, value: Plain) -> bool:
    if not _is_model(member) or not isinstance(value, dict):
        return False
    for name in ("kind", "type"):
        info = member.model_fields.get(name)
        if info is not None and get_origin(info.annotation) is Literal:
            return value.get(name) in get_args(info.annotation)
    return False
