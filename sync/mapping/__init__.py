"""Turns a source's row into a record or into row errors.

Tells an unchanged record by its fingerprint. Pure.
"""

from sync.mapping.compile import compile_feed
from sync.mapping.digest import fields_of, fingerprint
from sync.mapping.feed import CompiledFeed, Origin
from sync.mapping.rules import FeedRule, FieldRule, Meant, Words
from sync.mapping.texts import seen
from sync.mapping.trace import ConditionTrace, FieldTrace, RowTrace, Step
from sync.mapping.values import SEPARATOR, BadValueError, clean

__all__ = [
    "SEPARATOR",
    "BadValueError",
    "CompiledFeed",
    "ConditionTrace",
    "FeedRule",
    "FieldRule",
    "FieldTrace",
    "Meant",
    "Origin",
    "RowTrace",
    "Step",
    "Words",
    "clean",
    "compile_feed",
    "fields_of",
    "fingerprint",
    "seen",
]
