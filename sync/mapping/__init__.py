"""Turns a source's row into a record or into row errors, and tells an unchanged record by its fingerprint. Pure."""

from sync.mapping.digest import fields_of, fingerprint
from sync.mapping.feed import CompiledFeed, Origin, compile_feed
from sync.mapping.records import conflicts, late_row_errors, nameless
from sync.mapping.rules import FeedRule, FieldRule, Meant, Words
from sync.mapping.texts import seen
from sync.mapping.values import SEPARATOR, BadValueError, clean
from sync.records.specs import FIELDS

__all__ = [
    "FIELDS",
    "SEPARATOR",
    "BadValueError",
    "CompiledFeed",
    "FeedRule",
    "FieldRule",
    "Meant",
    "Origin",
    "Words",
    "clean",
    "compile_feed",
    "conflicts",
    "fields_of",
    "fingerprint",
    "late_row_errors",
    "nameless",
    "seen",
]
