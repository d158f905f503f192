"""What programs, people and networks do to a column of a table on its way to us."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from hypothesis import strategies as st

Rows = list[dict[str, str]]
Cell = Callable[[str], str]


def unzeroed(value: str) -> str:
    return value.lstrip("0") or value


def scientific(value: str) -> str:
    return f"{int(value):.5E}" if value.isdecimal() else value


def shortened(value: str) -> str:
    return f"{int(value):.1E}" if value.isdecimal() else value


def misread(value: str) -> str:
    """UTF-8 that was read as one byte a character."""
    return value.encode().decode("latin-1")


def halved(mark: str) -> Cell:
    return lambda value: f"{value[: len(value) // 2]}{mark}{value[len(value) // 2 :]}"


CELLS: dict[str, Cell] = {
    "leading zeros lost": unzeroed,
    "filled up with zeros": lambda value: value.zfill(9),
    "upper case": str.upper,
    "lower case": str.lower,
    "other case": str.swapcase,
    "a number with a decimal": lambda value: f"{value}.0",
    "a decimal without zeros": lambda value: f"{unzeroed(value)}.0",
    "a decimal comma": lambda value: f"{value},0",
    "scientific": scientific,
    "shortened": shortened,
    "grouped": lambda value: f"{value[:3]} {value[3:]}",
    "quoted as text": lambda value: f"'{value}",
    "as a formula": lambda value: f'="{value}"',
    "misread": misread,
    "questions": lambda value: value.encode("ascii", "replace").decode(),
    "decomposed": lambda value: value.replace("Ø", "O\u0338"),
    "zero width inside": halved("\u200b"),
    "soft hyphen inside": halved("\u00ad"),
    "no-break space inside": halved("\u00a0"),
    "space inside": halved(" "),
    "spaces around": lambda value: f"  {value} ",
    "odd spaces around": lambda value: f"\u00a0{value}\u2003",
    "mark of order in front": lambda value: f"\ufeff{value}",
    "wide digits": lambda value: value.translate({48 + n: 0xFF10 + n for n in range(10)}),
    "Arabic digits": lambda value: value.translate({48 + n: 0x660 + n for n in range(10)}),
    "cut at the end": lambda value: value[:-1],
    "cut at the front": lambda value: value[1:],
    "cut to three": lambda value: value[:3],
    "nothing": lambda _value: "",
    "null": lambda _value: "NULL",
    "not available": lambda _value: "#N/A",
}
"""What may happen to each cell of a column, or to some of its cells."""


@dataclass(frozen=True)
class Mangling:
    """Something that happens to a column: to every `step`-th cell from `first` on, or to the column as a whole."""

    name: str
    column: str
    first: int = 0
    step: int = 1
    other: str = ""

    def on(self, rows: Rows) -> Rows:
        """Returns the rows as they arrive."""
        made = [dict(row) for row in rows]
        if self.name in CELLS:
            for row in made[self.first :: self.step]:
                row[self.column] = CELLS[self.name](row[self.column])
        elif self.name == "swapped":
            for row in made:
                row[self.column], row[self.other] = row[self.other], row[self.column]
        elif self.name == "copied":
            for row in made:
                row[self.column] = row[self.other]
        else:
            for row, value in zip(
                made, self._moved([row[self.column] for row in rows]), strict=True
            ):
                row[self.column] = value
        return made

    def _moved(self, values: list[str]) -> Sequence[str]:
        by = 1 + self.first
        return {
            "moved down": [*[""] * by, *values[:-by]],
            "moved up": [*values[by:], *[""] * by],
            "turned": [*values[by:], *values[:by]],
            "turned upside down": values[::-1],
            "sorted alone": sorted(values),
            "filled down": [values[0]] * len(values),
        }[self.name]


WHOLE = ("moved down", "moved up", "turned", "turned upside down", "sorted alone", "filled down")


def manglings(
    columns: Sequence[str], moves: Mapping[str, Sequence[str]], otherwise: Sequence[str]
) -> st.SearchStrategy[Mangling]:
    """Draws what happens to one of these columns; `moves` are the ways in which the cells of each may move."""
    column = st.sampled_from(columns)
    of, step = st.sampled_from(sorted(CELLS)), st.sampled_from([1, 1, 2, 7])
    cells = st.builds(Mangling, of, column, st.integers(0, 4), step)
    moved = column.flatmap(
        lambda name: st.builds(
            Mangling, st.sampled_from(moves.get(name, otherwise)), st.just(name), st.integers(0, 2)
        )
    )
    two = st.permutations(columns).map(lambda drawn: drawn[:2])
    mixed = st.builds(
        lambda name, drawn: Mangling(name, drawn[0], other=drawn[1]),
        st.sampled_from(["swapped", "copied"]),
        two,
    )
    return st.one_of(cells, cells, moved, mixed)
