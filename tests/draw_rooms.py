"""Draws docs/rooms.svg, the picture of the rooms and who imports whom.

    python tests/draw_rooms.py

Needs Graphviz' `dot`. `test_rooms.py` holds the picture against the imports, and says when it is to be drawn again.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator

from support.rooms import PACKAGES, PICTURE, Arrows, names_in, room_arrows, rows_of_table

_GROUND = "vistio_core/"
_PROGRAMS = ("vistio_record/", "vistio_serve/")
_COLORS = {"vistio_core": "#e8f0f8", "vistio_record": "#e9f5e9", "vistio_serve": "#f8efe4"}


def drawing(arrows: Arrows) -> str:
    """The rooms in Graphviz' language, those that are imported below those that import them."""
    lines = [
        "digraph rooms {",
        'graph [rankdir=TB, nodesep=0.25, ranksep=0.45, fontname="Helvetica", splines=true]',
        'node [shape=box, style="filled,rounded", penwidth=0.8, fontname="Helvetica", fontsize=11]',
        'edge [arrowsize=0.6, penwidth=0.9, color="#445566"]',
        *_rooms(),
    ]
    for room, imported in sorted(arrows.items()):
        for other in sorted(imported):
            # What is imported on a longer way, too, says little: it is there, but stays in the background.
            faint = ' [color="#c4ccd4", penwidth=0.5, arrowsize=0.4]' if _longer(room, other, arrows) else ""
            lines.append(f"{_quoted(room)} -> {_quoted(other)}{faint}")
    return "\n".join([*lines, "}"])


def drawn_arrows(svg: str) -> set[tuple[str, str]]:
    """The arrows in a picture that `dot` made."""
    return {
        (start.replace("&#45;", "-"), end.replace("&#45;", "-"))
        for start, end in re.findall(r"<title>([^<]+?)&#45;&gt;([^<]+)</title>", svg)
    }


def _rooms() -> Iterator[str]:
    for cell, _, what in rows_of_table("room"):
        [room] = names_in(cell)
        short = re.split(r"[:;.(]", what, maxsplit=1)[0].replace("`", "").strip()
        color = _COLORS[next(package for package in PACKAGES if room.startswith(package))]
        yield f'{_quoted(room)} [label=<<b>{room}</b><br/>{short}>, fillcolor="{color}"]'
    yield f"{{rank=min; {' '.join(map(_quoted, _PROGRAMS))}}}"
    yield f"{{rank=max; {_quoted(_GROUND)}}}"


def _quoted(room: str) -> str:
    return f'"{room}"'


def _longer(room: str, other: str, arrows: Arrows) -> bool:
    """Whether ``other`` is also reached by way of a third room."""
    ahead = list(arrows[room] - {other})
    passed: set[str] = set()
    while ahead:
        here = ahead.pop()
        if here == other:
            return True
        if here not in passed:
            passed.add(here)
            ahead += arrows.get(here, ())
    return False


if __name__ == "__main__":
    done = subprocess.run(
        ["dot", "-Tsvg"], input=drawing(room_arrows()), capture_output=True, text=True, check=True
    )
    # Graphviz says its version and build, which would change the file without changing the picture.
    PICTURE.write_text(re.sub(r"<!--.*?-->\n", "", done.stdout, flags=re.DOTALL), encoding="utf-8")
