"""The few elements that displays are made of, as text that is escaped. Pure.

Styles are attributes of elements: a style sheet would be every cell's, and what a notebook shows of a file that it does
not trust has none.
"""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence

from vistio_core.displays.words import counted
from vistio_core.names import visible

DANGER, WARNING, NORMAL = "#d9534f", "#b87f00", "#4a90c4"
"""Of requests by class: at least 3 to 1 on white and on a notebook's dark grey."""
_LINE = "1px solid rgba(128, 128, 128, 0.35)"
_CELL = f"padding: 2px 10px 2px 0; border-bottom: {_LINE}; vertical-align: top; background: none; "
_UNBROKEN = 30
"""Characters of a cell that stay in one line, such as a time or a name."""
MOST_ROWS = 10


def text(given: str, longest: int | None = None) -> str:
    """``given`` as it may stand in HTML, in an attribute as well: nothing in it is markup, and nothing hides.

    Args:
        given: plain text from wherever.
        longest: how many characters are shown, the last one an ellipsis where there are more; None: all.
    """
    shown = visible(given)
    if longest is not None and len(shown) > longest:
        shown = shown[: longest - 1] + "…"
    return html.escape(shown)


def box(title: str, *parts: str) -> str:
    """What one value shows: a bold line, then its parts (fragments); empty ones are left out.

    Args:
        title: plain text.
        parts: fragments of HTML.
    """
    head = f'<div style="font-weight: 600; margin-bottom: 4px">{text(title)}</div>'
    return f'<div class="vistio-display" style="line-height: 1.4">{head}{"".join(parts)}</div>'


def line(told: str, *, quiet: bool = False) -> str:
    """A line of plain text; a quiet one says what is beside the point."""
    return f"<div{_opacity(quiet)}>{text(told)}</div>" if told else ""


def table(
    head: Sequence[str], rows: Sequence[Sequence[str]], *, of: int | None = None, one: str = "row"
) -> str:
    """A table of plain texts, its first `MOST_ROWS` rows; says how many it has left out.

    Args:
        head: names of the columns. One that begins with a blank holds numbers, which stand to the right.
        rows: their cells.
        of: how many rows there are; None for those that are given.
        one: what a row is called.
    """
    if not rows:
        return ""
    sides = ["right" if name.startswith(" ") else "left" for name in head]
    heads = "".join(_cell("th", name.strip(), side) for name, side in zip(head, sides, strict=True))
    body = "".join(
        f'<tr style="background: none">{"".join(map(_cell, ["td"] * len(head), row, sides))}</tr>'
        for row in rows[:MOST_ROWS]
    )
    left_out = (len(rows) if of is None else of) - min(len(rows), MOST_ROWS)
    more = line(f"and {counted(left_out, one)} more", quiet=True) if left_out > 0 else ""
    made = f'<table style="border-collapse: collapse; margin: 6px 0 2px 0"><thead><tr>{heads}</tr></thead>'
    return f'<div style="overflow-x: auto">{made}<tbody>{body}</tbody></table></div>{more}'


def unseen(lines: Iterable[str]) -> str:
    """What was not seen, line by line, marked by a word and a bar; empty where all was."""
    told = list(lines)
    if not told:
        return ""
    more = [line(f"and {len(told) - MOST_ROWS:,} more", quiet=True)] if len(told) > MOST_ROWS else []
    inside = "".join([line("Not seen:"), *map(line, told[:MOST_ROWS]), *more])
    return f'<div style="border-left: 3px solid {WARNING}; padding-left: 8px; margin-top: 6px">{inside}</div>'


def _cell(kind: str, given: str, side: str) -> str:
    wrap = "" if len(given) > _UNBROKEN else "; white-space: nowrap"
    return f'<{kind} style="{_CELL}text-align: {side}{wrap}">{text(given)}</{kind}>'


def _opacity(quiet: bool) -> str:
    return ' style="opacity: 0.7"' if quiet else ""
