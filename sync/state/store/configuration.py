"""The applied configuration, and what a change of it would do."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from sqlalchemy import Connection

from sync.planning.configuration import ConfigurationChange, ConfigurationImpact
from sync.planning.limits import ChangeGroup, HeldScope, Limit
from sync.records.changes import Cause, Change
from sync.state import applied_configuration
from sync.state.applied_configuration import StoredConfiguration
from sync.state.compare import configuration

NAME = "change of the configuration"
"""The scope of all changes that only the new configuration makes."""


class ConfigurationHistory:
    """The configuration of the last complete run, compared with the present one."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def applied(self) -> StoredConfiguration | None:
        """Return the applied configuration; None when the state has none yet."""
        return applied_configuration.read_configuration(self._connection)

    def keep(self, digest: str, content: str, now: datetime) -> None:
        """Store the configuration by which the state was brought in step."""
        applied_configuration.store_configuration(self._connection, digest, content, now)

    def stage_earlier(self, changes: Iterable[Change]) -> None:
        """Store what the earlier configuration would change."""
        configuration.stage_earlier(self._connection, changes)

    def weigh(
        self, change: ConfigurationChange, limit: Limit, allowed: Iterable[str]
    ) -> tuple[ConfigurationImpact, list[HeldScope]]:
        """Find what only the new configuration changes, and hold it above the limit.

        Needs everything drafted. Returns the impact, and the scope if there is too much.
        """
        connection = self._connection
        counts = configuration.find_own(connection)
        impact = ConfigurationImpact(
            change.settings,
            change.trouble,
            counts,
            configuration.known_of(connection, {kind for kind, _ in counts}),
            limit,
            configuration.examples_of(connection, counts),
        )
        excess = impact.excess()
        if not excess:
            return impact, []
        configuration.exempt(connection, impact.first_loads)
        digest = configuration.digest_own(connection)
        total = sum(n for (kind, _), n in counts.items() if kind not in impact.first_loads)
        why = "; ".join(
            (f"it {impact.effect()}", excess, f"changed: {change.settings}", *change.trouble)
        )
        held = HeldScope(
            ChangeGroup(NAME, total),
            why,
            digest,
            digest in allowed,
            Cause.CONFIGURATION,
        )
        configuration.store_lines(connection, digest)
        if held.allowed:
            configuration.allow_own(connection)
            return impact, [held]
        configuration.hold_own(connection, NAME, f"configuration: {why}; {held.remedy}")
        return replace(impact, held=True), [held]
