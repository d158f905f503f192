"""Whether a state may be an older copy, so that nothing is sent until it has been held against Inspera."""

from dataclasses import dataclass

from sqlalchemy import Connection, text

from sync.state.high_water import EMPTY

_REASON = "older copy"


@dataclass(frozen=True, slots=True)
class RecoveryNeed:
    """Why a state must be recovered, and whether `adopt` has been done since that was noticed."""

    reason: str
    adopted: bool = False

    @property
    def lost(self) -> bool:
        """Whether the state was empty, so that all of it comes from `adopt`, which then is enough."""
        return self.reason.startswith(EMPTY)

    def __str__(self) -> str:
        if self.lost:
            return (
                f"this looks like a lost state: {self.reason}. Nothing is sent. Put the newest copy back, or run "
                "`adopt --managed`, which takes back as managed what the sources name and Inspera has (`adopt` without "
                "--managed if somebody else put it there)"
            )
        adopt = (
            "run `adopt --managed`, which takes back as managed what the sources name and Inspera has (`adopt` without "
            "--managed if somebody else put it there), and then `reconcile`"
        )
        remedy = "run `reconcile`" if self.adopted else adopt
        return (
            f"this state may be older than what was sent: {self.reason}. Nothing is sent. "
            f"Put the newest copy back, or {remedy}"
        )


def read_recovery_need(connection: Connection) -> RecoveryNeed | None:
    """Return why the opened state must be recovered; None when it must not."""
    row = connection.execute(text("SELECT reason, adopted FROM recovery WHERE id = 1")).first()
    if row is not None:
        return RecoveryNeed(str(row.reason), bool(row.adopted))
    reason = connection.info.get(_REASON)
    return RecoveryNeed(str(reason)) if reason else None


def announce(connection: Connection, reason: str) -> None:
    """Tell whoever reads the state through this connection, in which nothing may be written."""
    connection.info[_REASON] = reason


def store(connection: Connection, reason: str) -> None:
    """Note it in the state, until `clear`; the caller commits."""
    connection.execute(
        text(
            "INSERT INTO recovery (id, reason, adopted) VALUES (1, :reason, :no)"
            " ON CONFLICT (id) DO UPDATE SET reason = excluded.reason, adopted = excluded.adopted"
        ),
        {"reason": reason, "no": False},
    )


def note_adopted(connection: Connection) -> None:
    """Note that `adopt` has been done since; the caller commits."""
    connection.execute(text("UPDATE recovery SET adopted = :yes"), {"yes": True})


def clear(connection: Connection) -> None:
    """Allow sending again; the caller commits."""
    connection.execute(text("DELETE FROM recovery"))
