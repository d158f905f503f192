"""The descriptions of settings: the texts below them in the source code.

Pydantic's own way to read them (`use_attribute_docstrings`) takes longer than the rest of a
start, and few commands need one.
"""

import ast
import inspect
import sys
from functools import cache

from pydantic import BaseModel


def description(model: type[BaseModel], name: str) -> str:
    """Return what this setting of a model is for; empty if the model does not say."""
    given = model.model_fields[name].description
    if given is not None:
        return given
    return next((texts[name] for base in model.__mro__ if name in (texts := _below(base))), "")


@cache
def _below(model: type) -> dict[str, str]:
    """Return the texts below the settings that this class itself declares."""
    if not issubclass(model, BaseModel) or model is BaseModel:
        return {}
    found = _classes(model.__module__).get(model.__qualname__)
    return _texts(found) if found else {}


@cache
def _classes(module: str) -> dict[str, ast.ClassDef]:
    """Return the classes of a module by their names."""
    try:
        tree = ast.parse(inspect.getsource(sys.modules[module]))
    except (OSError, TypeError, KeyError):  # its source code is not at hand
        return {}
    return {node.name: node for node in tree.body if isinstance(node, ast.ClassDef)}


def _texts(found: ast.ClassDef) -> dict[str, str]:
    texts = {}
    for setting, text in zip(found.body, found.body[1:], strict=False):
        match setting, text:
            case (
                ast.AnnAssign(target=ast.Name(id=name)),
                ast.Expr(value=ast.Constant(value=str(words))),
            ):
                texts[name] = inspect.cleandoc(words)
    return texts
