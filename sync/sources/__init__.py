"""Where rows come from. A new source is one file in this folder, one line here, and one subclass of the contract suite
in `tests/sources/`; or a package of its own, with an entry point of the group `inspera_sync.sources`.
"""

from sync.sources.csv.source import CsvSettings
from sync.sources.ldap.source import LdapSettings
from sync.sources.oneroster.source import OneRosterSettings
from sync.sources.registry import Registry
from sync.sources.sql.source import SqlSettings

SOURCES = Registry(
    {
        "csv": CsvSettings,
        "ldap": LdapSettings,
        "oneroster": OneRosterSettings,
        "sql": SqlSettings,
    }
)
"""Every source, by the word that stands as its `type` in the configuration; those of other packages too."""
