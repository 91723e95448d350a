"""The pictures of a report that do not move, as SVG. Pure; what was not seen is hatched, and never drawn as zero."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from html import escape

import numpy as np

from vistio_core.diagnosis.heat import Heat
from vistio_core.names import visible
from vistio_core.replay.frames.model import FrameLevel
from vistio_core.report.facts import Facts, Row
from vistio_core.samples import Floats
from vistio_core.sentences import Joined, Language, say
from vistio_core.shares import Share
from vistio_core.times import format_instant, parse_instant

RATES = ("normal", "warning", "danger")
MOST_HEAT_ROWS = 40
_WIDTH, _HEIGHT, _TOP = 960, 170, 16
_ROW, _NAMES = 16, 300
_DANGER = RATES.index("danger")
_LEAST_SHARE = 0.001
_HATCH = (
    '<pattern id="{id}" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">'
    '<rect width="6" height="6" class="unseen"/><rect width="2" height="6" class="hatch"/></pattern>'
)


def timeline(facts: Facts, language: Language = "en") -> str:
    """All traffic over time by class, with incidents and marks."""
    totals = [sum(row[rate] or 0.0 for rate in RATES) for row in facts.timeline]
    most = max(totals, default=0.0) or 1.0
    parts = [
        _svg_head(_WIDTH, _HEIGHT + _TOP + 20, say("Requests a second over time").told(language)),
        _HATCH.format(id="unseen-time"),
    ]
    for incident in facts.incidents:
        left, right = (_x(facts, ms) for ms in (incident.start_ms, incident.end_ms or facts.end_ms))
        parts.append(
            f'<rect class="incident" x="{left:.1f}" width="{max(1, right - left):.1f}" y="0" height="{_TOP}"/>'
        )
    for row in facts.timeline:
        start_ms = parse_instant(row["start"], now_ms=0)
        left, right = _x(facts, start_ms), _x(facts, min(facts.end_ms, start_ms + facts.step_ms))
        parts += _bar(row, (left, max(0.5, right - left - 0.5)), most, language)
    for mark in facts.marks:
        at = _x(facts, parse_instant(mark["start"], now_ms=0))
        said = escape(f"{mark['start']} {mark['kind']}: {visible(mark['text'])}")
        parts.append(
            f'<g><title>{said}</title><line class="mark" x1="{at:.1f}" x2="{at:.1f}" y1="0" y2="{_TOP + _HEIGHT}"/></g>'
        )
    base = _TOP + _HEIGHT + 14
    parts.append(f'<text x="0" y="{base}">{format_instant(facts.start_ms)}</text>')
    parts.append(f'<text x="{_WIDTH}" y="{base}" text-anchor="end">{format_instant(facts.end_ms)}</text>')
    scale = say("{most:,.0f} requests a second, at each of their hops", most=most).told(language)
    parts.append(f'<text x="4" y="{_TOP + 12}">{escape(scale)}</text></svg>')
    return "".join(parts)


def _bar(row: Row, place: tuple[float, float], most: float, language: Language) -> Iterator[str]:
    left, width = place
    start = str(row["start"])
    if row["normal"] is None:
        why = Joined([visible(str(name)) for name in row["unseen"]] or [say("nothing recorded")], ", ")
        said = say("{start}: not wholly seen: {why}", start=start, why=why).told(language)
        yield (
            f"<g><title>{escape(said)}</title><rect"
            f' fill="url(#unseen-time)" x="{left:.1f}" width="{width:.1f}" y="{_TOP}" height="{_HEIGHT}"/></g>'
        )
        return
    told = say(
        "{start}: {normal:.4g} normal, {warning:.4g} warning, {danger:.4g} danger",
        start=start,
        **{rate: row[rate] for rate in RATES},
    )
    yield f"<g><title>{escape(told.told(language))}</title>"
    base = float(_TOP + _HEIGHT)
    for rate in RATES:
        height = max(0.0, row[rate]) / most * _HEIGHT
        base -= height
        if height > 0:
            yield f'<rect class="{rate}" x="{left:.1f}" width="{width:.1f}" y="{base:.1f}" height="{height:.1f}"/>'
    yield "</g>"


def heat_map(heat: Heat, language: Language = "en") -> tuple[str, int]:
    """The edges with most failures, and which share of their requests failed when; and how many edges it has."""
    failed = np.nansum(heat.edges.rates[_DANGER], axis=1)
    most = [row for row in np.lexsort((np.arange(len(failed)), -failed)).tolist() if failed[row] > 0]
    rows = most[:MOST_HEAT_ROWS]
    starts_ms = heat.starts_ms.tolist()
    width = (_WIDTH - _NAMES) / max(1, len(starts_ms))
    parts = [
        _svg_head(_WIDTH, _ROW * len(rows) + 4, say("Failing share by edge over time").told(language)),
        _HATCH.format(id="unseen-heat"),
    ]
    for number, row in enumerate(rows):
        cluster, source, target = heat.edges.ends[row]
        name = f"{visible(source)} → {visible(target or '')}" + (f" ({visible(cluster)})" if cluster else "")
        y = number * _ROW
        short = name if len(name) < 46 else f"{name[:44]}…"
        parts.append(f'<g><title>{escape(name)}</title><text x="0" y="{y + 12}">{escape(short)}</text></g>')
        for column, start_ms in enumerate(starts_ms):
            place = _NAMES + column * width, y, width
            parts.append(_cell(heat.edges.rates[:, row, column], start_ms, place, language))
    return "".join([*parts, "</svg>"]), len(rows)


def _cell(rates: Floats, start_ms: int, place: tuple[float, float, float], language: Language) -> str:
    x, y, width = place
    start = format_instant(start_ms)
    box = f'x="{x:.1f}" y="{y}" width="{width - 0.5:.1f}" height="{_ROW - 1}"'
    total = float(rates.sum())
    if math.isnan(total):
        said = say("{start}: not seen", start=start).told(language)
        return f'<g><title>{said}</title><rect fill="url(#unseen-heat)" {box}/></g>'
    share = float(rates[_DANGER]) / total if total > 0 else 0.0
    said = say(
        "{start}: {share:.1%} of {total:.4g} a second", start=start, share=Share(share), total=total
    ).told(language)
    strength = 0.0 if share < _LEAST_SHARE else 0.15 + 0.85 * min(1.0, share**0.5)
    failed = f'<rect class="danger" opacity="{strength:.2f}" {box}/>' if strength else ""
    return f'<g><title>{said}</title><rect class="cell" {box}/>{failed}</g>'


def _x(facts: Facts, at_ms: int) -> float:
    share = (at_ms - facts.start_ms) / (facts.end_ms - facts.start_ms)
    return min(1.0, max(0.0, share)) * _WIDTH


def _svg_head(width: int, height: int, label: str) -> str:
    return f'<svg viewBox="0 0 {width} {height}" role="img" aria-label="{escape(label)}">'


def names_of(level: FrameLevel) -> Sequence[str]:
    """The ends of a level's edges, sorted."""
    return sorted({name for edge in level.edges for name in edge})
