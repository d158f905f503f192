"""What Inspera has, in our own words (see `sync.found`)."""

from sync.found import Assignment, FoundPerson, FoundTest, Seat, Seats

__all__ = ["Assignment", "FoundPerson", "FoundTest", "Seat", "Seats"]
