"""A state that may be an older copy: nothing is sent until it was compared with Inspera."""

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
        """Tell whether the state was empty. Then all of it comes from `adopt`, which is enough."""
        return self.reason.startswith(EMPTY)

    def __str__(self) -> str:
        if self.lost:
            return (
                f"this looks like a lost state: {self.reason}. Nothing is sent. Put the newest "
                "copy back, or run `adopt --managed`, which takes back as managed what the sources "
                "name and Inspera has (`adopt` without --managed if somebody else put it there)"
            )
        adopt = (
            "run `adopt --managed`, which takes back as managed what the sources name and Inspera "
            "has (`adopt` without --managed if somebody else put it there), and then `reconcile`"
        )
        remedy = "run `reconcile`" if self.adopted else adopt
        return (
            f"this state may be older than what was sent: {self.reason}. Nothing is sent. "
            f"Put the newest copy back, or {remedy}"
        )


def read_recovery_need(connection: Connection) -> RecoveryNeed | None:
    """Return why the opened state must be recovered, or None."""
    row = connection.execute(text("SELECT reason, adopted FROM recovery WHERE id = 1")).first()
    if row is not None:
        return RecoveryNeed(str(row.reason), bool(row.adopted))
    reason = connection.info.get(_REASON)
    return RecoveryNeed(str(reason)) if reason else None


def announce(connection: Connection, reason: str) -> None:
    """Keep the reason with this connection, through which nothing may be written."""
    connection.info[_REASON] = reason


def store(connection: Connection, reason: str) -> None:
    """Store the reason in the state until `clear`; the caller commits."""
    connection.execute(
        text(
            "INSERT INTO recovery (id, reason, adopted) VALUES (1, :reason, :no)"
            " ON CONFLICT (id) DO UPDATE SET reason = excluded.reason, adopted = excluded.adopted"
        ),
        {"reason": reason, "no": False},
    )


def note_adopted(connection: Connection) -> None:
    """Store that `adopt` has been done since; the caller commits."""
    connection.execute(text("UPDATE recovery SET adopted = :yes"), {"yes": True})


def clear(connection: Connection) -> None:
    """Allow sending again; the caller commits."""
    connection.execute(text("DELETE FROM recovery"))
