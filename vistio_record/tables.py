"""Tables that people read in a terminal: columns side by side, numbers to the right, a unit in each title.

    node   cluster   requests/s   failing
    db     mesh           1,024      12 %
    cart   mesh        not seen         -

A number that was not seen says so; one that there cannot be, such as a share of no requests, is a dash.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from unicodedata import east_asian_width

from vistio_core import shares
from vistio_core.names import visible

NOT_SEEN = "not seen"
NONE = "-"
_GAP = "   "


def lines(titles: Sequence[str], rows: Iterable[Sequence[str]], *, texts: int) -> Iterator[str]:
    """The lines of a table, its titles first.

    Args:
        titles: of the columns.
        rows: their cells.
        texts: how many columns stand to the left; those after them are numbers, and stand to the right.
    """
    table = [titles, *rows]
    widths = [max(map(_width, column)) for column in zip(*table, strict=True)]
    for row in table:
        cells = []
        for place, (cell, width) in enumerate(zip(row, widths, strict=True)):
            blank = " " * (width - _width(cell))
            cells.append(cell + blank if place < texts else blank + cell)
        yield _GAP.join(cells).rstrip()


def number(value: float | None, *, absent: str = NOT_SEEN) -> str:
    """Three digits, or all before the point."""
    if value is None:
        return absent
    return shares.number(value)


def share(value: float | None, *, absent: str = NONE) -> str:
    """A share of 0 to 1 as percent; what is less than a tenth of one is not shown as none."""
    if value is None:
        return absent
    return "<0.1 %" if 0 < value < 0.001 else f"{shares.percent(value, 1)} %"


def name_of(cluster: str) -> str:
    """A cluster as people read it; the global level has no name of its own."""
    return visible(cluster) if cluster else "(global)"


def _width(cell: str) -> int:
    """In columns of a terminal, in which some letters take two."""
    return sum(2 if east_asian_width(letter) in "WF" else 1 for letter in cell)
