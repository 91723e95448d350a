"""The pictures of a report that do not move, as SVG. Pure; what was not seen is hatched, and never drawn as zero."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from html import escape

import numpy as np

from vistio_core.names import visible
from vistio_core.replay.frames.model import Frame, FrameLevel
from vistio_core.samples import Floats
from vistio_core.times import format_instant, parse_instant
from vistio_record.report.facts import Facts, Row

RATES = ("normal", "warning", "danger")
MOST_HEAT_ROWS = 40
_WIDTH, _HEIGHT, _TOP = 960, 170, 16
_HEAT_COLUMNS, _ROW, _NAMES = 60, 16, 300
_DANGER = RATES.index("danger")
_LEAST_SHARE = 0.001
_HATCH = (
    '<pattern id="{id}" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">'
    '<rect width="6" height="6" class="unseen"/><rect width="2" height="6" class="hatch"/></pattern>'
)


def timeline(facts: Facts) -> str:
    """All traffic over time by class, with incidents and marks."""
    totals = [sum(row[rate] or 0.0 for rate in RATES) for row in facts.timeline]
    most = max(totals, default=0.0) or 1.0
    parts = [
        _svg_head(_WIDTH, _HEIGHT + _TOP + 20, "Requests a second over time"),
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
        parts += _bar(row, left, max(0.5, right - left - 0.5), most)
    for mark in facts.marks:
        at = _x(facts, parse_instant(mark["start"], now_ms=0))
        said = escape(f"{mark['start']} {mark['kind']}: {visible(mark['text'])}")
        parts.append(
            f'<g><title>{said}</title><line class="mark" x1="{at:.1f}" x2="{at:.1f}" y1="0" y2="{_TOP + _HEIGHT}"/></g>'
        )
    base = _TOP + _HEIGHT + 14
    parts.append(f'<text x="0" y="{base}">{format_instant(facts.start_ms)}</text>')
    parts.append(f'<text x="{_WIDTH}" y="{base}" text-anchor="end">{format_instant(facts.end_ms)}</text>')
    parts.append(f'<text x="4" y="{_TOP + 12}">{most:,.0f} requests a second</text></svg>')
    return "".join(parts)


def _bar(row: Row, left: float, width: float, most: float) -> Iterator[str]:
    if row["normal"] is None:
        why = ", ".join(map(str, row["unseen"])) or "nothing recorded"
        yield (
            f"<g><title>{escape(str(row['start']))}: not wholly seen: {escape(visible(why))}</title><rect"
            f' fill="url(#unseen-time)" x="{left:.1f}" width="{width:.1f}" y="{_TOP}" height="{_HEIGHT}"/></g>'
        )
        return
    said = ", ".join(f"{row[rate]:.4g} {rate}" for rate in RATES)
    yield f"<g><title>{escape(str(row['start']))}: {said}</title>"
    base = float(_TOP + _HEIGHT)
    for rate in RATES:
        height = max(0.0, row[rate]) / most * _HEIGHT
        base -= height
        if height > 0:
            yield f'<rect class="{rate}" x="{left:.1f}" width="{width:.1f}" y="{base:.1f}" height="{height:.1f}"/>'
    yield "</g>"


def heat_map(facts: Facts) -> tuple[str, int]:
    """The edges with most failures, and which share of their requests failed when; and how many edges it has."""
    older = np.array([_is_older(frame, facts.frames.step_ms) for frame in facts.frames.frames])
    rows = [
        (level.cluster, *edge, np.where(older[:, None], np.nan, level.rates[:, place]))
        for level in facts.levels
        for place, edge in enumerate(level.edges)
    ]
    rows = [row for row in rows if np.nansum(row[3][:, _DANGER]) > 0]
    rows.sort(key=lambda row: (-float(np.nansum(row[3][:, _DANGER])), row[:3]))
    rows = rows[:MOST_HEAT_ROWS]
    columns = min(_HEAT_COLUMNS, len(facts.frames.frames))
    ends = np.linspace(0, len(facts.frames.frames), columns + 1).astype(int).tolist()
    width = (_WIDTH - _NAMES) / max(1, columns)
    parts = [
        _svg_head(_WIDTH, _ROW * len(rows) + 4, "Failing share by edge over time"),
        _HATCH.format(id="unseen-heat"),
    ]
    for number, (cluster, source, target, rates) in enumerate(rows):
        name = f"{visible(source)} → {visible(target)}" + (f" ({visible(cluster)})" if cluster else "")
        y = number * _ROW
        short = name if len(name) < 46 else f"{name[:44]}…"
        parts.append(f'<g><title>{escape(name)}</title><text x="0" y="{y + 12}">{escape(short)}</text></g>')
        for column in range(columns):
            asked_ms = facts.frames.frames[ends[column]].asked_ms
            parts.append(
                _cell(rates[ends[column] : ends[column + 1]], asked_ms, _NAMES + column * width, y, width)
            )
    return "".join([*parts, "</svg>"]), len(rows)


def _is_older(frame: Frame, step_ms: int) -> bool:
    """Whether a frame shows what was seen before its time, as a graph does for some minutes."""
    return frame.instant_ms is None or frame.asked_ms - frame.instant_ms >= max(frame.interval_ms, step_ms)


def _cell(rates: Floats, asked_ms: int, x: float, y: float, width: float) -> str:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # where nothing of it was seen
        mean = np.nanmean(rates, axis=0)
    seen = int((~np.isnan(rates[:, 0])).sum())
    box = f'x="{x:.1f}" y="{y}" width="{width - 0.5:.1f}" height="{_ROW - 1}"'
    if not seen:
        return f'<g><title>{format_instant(asked_ms)}: not seen</title><rect fill="url(#unseen-heat)" {box}/></g>'
    total = float(mean.sum())
    share = float(mean[_DANGER]) / total if total > 0 else 0.0
    said = f"{format_instant(asked_ms)}: {share:.1%} of {total:.4g} a second"
    if seen < len(rates):
        said += f", seen at {seen} of {len(rates)}"
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
