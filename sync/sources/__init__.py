"""Where rows come from. A new source is one file in this folder, one line here, and one subclass of the contract suite
in `tests/sources/`; or a package of its own, with an entry point of the group `inspera_sync.sources`.
"""

from sync.sources.csv_file import CsvSettings
from sync.sources.database import SqlSettings
from sync.sources.directory import LdapSettings
from sync.sources.installed import Registry
from sync.sources.oneroster import OneRosterSettings

SOURCES = Registry(
    {
        "csv": CsvSettings,
        "ldap": LdapSettings,
        "oneroster": OneRosterSettings,
        "sql": SqlSettings,
    }
)
"""Every source, by the word that stands as its `type` in the configuration; those of other packages too."""
