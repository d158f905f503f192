"""The two sides of a person, as lines for the one who decides about them."""

from sync.records.changes import Fields


def both_sides(other: str, wanted: Fields, there: Fields) -> tuple[str, str]:
    """Return the two sides of a person, each as a line.

    They hold names: they are shown and never kept.
    """
    return f"  source: {_person_text(wanted)}", f"  {other}: {_person_text(there)}"


_SHOWN = ("first_name", "last_name", "email", "username", "external_id")


def _person_text(fields: Fields) -> str:
    values = (f"{name.replace('_', ' ')} {_printable(fields.get(name))}" for name in _SHOWN)
    return ", ".join(values)


def _printable(value: object) -> str:
    """Return a value as a terminal may have it: nothing in it moves the cursor."""
    if value in (None, ""):
        return "(blank)"
    return repr(
        "".join(
            one if one.isprintable() else one.encode("unicode_escape").decode()
            for one in str(value)
        )
    )
