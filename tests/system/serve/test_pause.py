"""What the service tells of itself, without a process of its own."""

from sync.commands.serve import ServiceMonitor

from .served_university import ServedUniversity


def test_a_pause_that_cannot_be_read_stops_sending_and_is_shown_all_the_same(
    university: ServedUniversity,
) -> None:
    desk = ServiceMonitor(university.configuration())
    (university.rows.folder / "state.db.paused").write_text("{")
    desk.look(leads=False)
    desk.round(True, "", {})
    health = desk.health()
    assert health.ready is False  # there is no state yet
    assert health.document()["paused_since"] is not None
    assert b"inspera_sync_paused 1.0" in desk.metrics.expose()
