"""Finds one's way in the settings model.

What stands at a place of the file, and what could stand there.
"""

from difflib import get_close_matches
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from sync.config.errors import Steps, name_text
from sync.config.model import Settings
from sync.config.tree import Plain, value_at
from sync.config_base.secrets import SecretRef

MOST_NAMED = 12
"""How many choices a message lists at most."""


def setting_at(steps: Steps, data: Plain) -> Any:
    """Return the type that the model gives to this place, or None when it is unknown.

    A kind or type is chosen as the file does. The answer is a pydantic model, a plain type, or what
    is left of an annotation.
    """
    here = _chosen(Settings, data)
    for index, step in enumerate(steps):
        here = _chosen(_below(here, step), value_at(data, steps[: index + 1]))
    return here


def is_secret(steps: Steps, data: Plain) -> bool:
    """Tell whether the model has a secret at this place, to be read only when it is used."""
    return setting_at(steps, data) is SecretRef


def names_at(steps: Steps, data: Plain) -> tuple[str, ...]:
    """Return the settings that can stand below this place."""
    here = setting_at(steps, data)
    return tuple(here.model_fields) if _is_model(here) else ()


def described(steps: Steps, data: Plain) -> str:
    """Return the first sentence of what the model says about this setting.

    Empty when it says nothing.
    """
    owner = setting_at(steps[:-1], data)
    info: FieldInfo | None = (
        owner.model_fields.get(steps[-1]) if _is_model(owner) and steps else None
    )
    text = " ".join((info.description or "").split()) if info else ""
    return text.split(". ", 1)[0].rstrip(".")


def suggestion(name: str, known: tuple[str, ...]) -> str:
    """Return what to do about a name that is not known.

    The nearest one, or those that there are.
    """
    near = get_close_matches(name, known, n=1)
    if near:
        return f"did you mean '{name_text(near[0])}'?"
    if not known:
        return "take it out"
    shown = ", ".join(name_text(one) for one in known[:MOST_NAMED])
    return f"known here: {shown}" + (", …" if len(known) > MOST_NAMED else "")


def _is_model(here: Any) -> bool:
    return isinstance(here, type) and issubclass(here, BaseModel)


def _below(here: Any, step: str | int) -> Any:
    if _is_model(here):
        info = here.model_fields.get(step)
        return info.annotation if info else None
    origin, inner = get_origin(here), get_args(here)
    if origin is dict and isinstance(step, str):
        return inner[1]
    if origin in (list, tuple) and isinstance(step, int):
        return inner[0]
    return None


def _chosen(here: Any, value: Plain) -> Any:
    """Return the one of several types that this value asks for.

    By `kind` or `type`, or the one that is not None.
    """
    if get_origin(here) is Annotated:
        return _chosen(get_args(here)[0], value)
    if get_origin(here) not in (Union, UnionType):
        return here
    members = [member for member in get_args(here) if member is not type(None)]
    if len(members) == 1:
        return _chosen(members[0], value)
    return next((member for member in members if _answers(member, value)), None)


def _answers(member: Any, value: Plain) -> bool:
    if not _is_model(member) or not isinstance(value, dict):
        return False
    for name in ("kind", "type"):
        info = member.model_fields.get(name)
        if info is not None and get_origin(info.annotation) is Literal:
            return value.get(name) in get_args(info.annotation)
    return False
