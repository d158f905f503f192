"""Where rows come from. A new source is one file in this folder, one line here, and one subclass of the contract suite
in `tests/sources/`.
"""

from collections.abc import Mapping
from types import MappingProxyType

from sync.sources.base import SourceSettings
from sync.sources.csv_file import CsvSettings

SOURCES: Mapping[str, type[SourceSettings]] = MappingProxyType({"csv": CsvSettings})
"""Every source, by the word that stands as its `type` in the configuration."""
