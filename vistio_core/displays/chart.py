"""Traffic over time as a small chart of bars, as SVG. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from vistio_core.displays.html import DANGER, NORMAL, WARNING, text
from vistio_core.displays.words import number, share
from vistio_core.times import format_instant

_HEIGHT = 70
_WIDEST, _WIDTH = 14, 600

Step = tuple[int, float | None, float | None, float | None]
"""Its start in epoch milliseconds; normal, warning and danger in requests a second, None where not all was seen."""


def chart(steps: Sequence[Step]) -> str:
    """An SVG element: a bar for each step, what fails at its foot; a hatched one where not all was seen.

    Empty for no steps. The height is that of the largest step.
    """
    if not steps:
        return ""
    most = (
        max((normal + warning + danger for _, normal, warning, danger in map(_known, steps)), default=0.0)
        or 1.0
    )
    wide = max(min(_WIDEST, _WIDTH // len(steps)), 1)
    bars = "".join(_bar(step, place * wide, wide, most) for place, step in enumerate(steps))
    first, last = (text(format_instant(steps[end][0])) for end in (0, -1))
    width = max(wide * len(steps), 300)
    return (
        f'<div style="overflow-x: auto"><svg xmlns="http://www.w3.org/2000/svg" role="img" width="{width}"'
        f' height="{_HEIGHT + 16}" aria-label="requests a second, step by step" style="display: block; max-width: none"'
        f' font-family="sans-serif" font-size="10" fill="currentColor">{bars}'
        f'<text x="0" y="{_HEIGHT + 12}">{first}</text>'
        f'<text x="{width}" y="{_HEIGHT + 12}" text-anchor="end">{last}; at most {text(number(most))}/s</text>'
        "</svg></div>"
    )


def _known(step: Step) -> tuple[int, float, float, float]:
    start_ms, normal, warning, danger = step
    return start_ms, normal or 0.0, warning or 0.0, danger or 0.0


def _bar(step: Step, left: int, wide: int, most: float) -> str:
    start_ms, normal, warning, danger = _known(step)
    if step[1] is None:
        told = f"{format_instant(start_ms)}: not seen"
        return (
            f"<g><title>{text(told)}</title>"
            f'<rect x="{left}" y="0" width="{wide}" height="{_HEIGHT}" fill="currentColor"'
            f' fill-opacity="0.12"></rect><path d="M{left},{_HEIGHT} l{wide},{-_HEIGHT}" stroke="currentColor"'
            ' stroke-opacity="0.4"></path></g>'
        )
    total = normal + warning + danger
    fails = share(danger, total)
    told = f"{format_instant(start_ms)}: {number(total)} requests/s{f', {fails} fail' if fails else ''}"
    drawn, foot = [], float(_HEIGHT)
    for value, color in ((danger, DANGER), (warning, WARNING), (normal, NORMAL)):
        tall = _HEIGHT * max(value, 0.0) / most
        foot -= tall
        drawn.append(
            f'<rect x="{left}" y="{foot:.2f}" width="{wide}" height="{tall:.2f}" fill="{color}"></rect>'
        )
    return f"<g><title>{text(told)}</title>{''.join(drawn)}</g>"
