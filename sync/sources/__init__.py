"""The registry of built-in sources.

To add a source: write one file or package in this folder, add one line here, and add one subclass
of the contract suite in `tests/unit/sources/contract.py`. Another installed package can add a
source by an entry point of the group `inspera_sync.sources`.
"""

from collections.abc import Mapping
from typing import Final

from sync.sources.base import SourceSettings
from sync.sources.csv.source import CsvSettings
from sync.sources.ldap.source import LdapSettings
from sync.sources.oneroster.source import OneRosterSettings
from sync.sources.registry import Registry
from sync.sources.sql.source import SqlSettings

BUILT_IN: Final[Mapping[str, type[SourceSettings]]] = {
    "csv": CsvSettings,
    "ldap": LdapSettings,
    "oneroster": OneRosterSettings,
    "sql": SqlSettings,
}
"""The settings of every source of this package by its `type` in the configuration."""

SOURCES = Registry(BUILT_IN)
"""The settings of every source by its `type` in the configuration, with those of other packages."""
