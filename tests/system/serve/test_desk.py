"""What the service tells of itself, without a process of its own."""

from sync.commands.serve import ServiceMonitor

from .site import Served


def test_a_pause_that_cannot_be_read_stops_sending_and_is_shown_all_the_same(site: Served) -> None:
    desk = ServiceMonitor(site.configuration())
    (site.university.folder / "state.db.paused").write_text("{")
    desk.look()
    desk.round(True, "", {})
    health = desk.health()
    assert health.ready is False  # there is no state yet
    assert health.document()["paused_since"] is not None
    assert b"inspera_sync_paused 1.0" in desk.metrics.expose()
