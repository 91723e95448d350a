"""A report as one HTML file: everything is in it, and its policy lets it load and run nothing else.

Every text of a recording is escaped (`html.escape`, or JSON without ``<``); the one script and the one style sheet are
named by their hashes in the page's Content-Security-Policy, so that nothing else of it can run, whatever a name says.
"""

from __future__ import annotations

import base64
import hashlib
import math
from collections.abc import Iterable, Iterator, Sequence
from html import escape
from importlib import resources
from typing import Any

import msgspec

from vistio_core.displays.layers import layers
from vistio_core.names import visible
from vistio_core.replay.frames.model import FrameLevel
from vistio_core.times import format_instant
from vistio_record.report.charts import RATES, heat_map, names_of, timeline
from vistio_record.report.facts import MOST_EDGES, Facts, Row


def render(facts: Facts) -> Iterator[bytes]:
    """The page, in pieces."""
    style, script = _file("report.css"), _file("replay.js")
    policy = f"default-src 'none'; style-src {_hash(style)}; script-src {_hash(script)}; form-action 'none'"
    title = f"{visible(facts.name)}, {format_instant(facts.start_ms)} to {format_instant(facts.end_ms)}"
    yield (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{escape(policy)}">'
        f'<meta name="viewport" content="width=device-width"><title>{escape(title)}</title>'
        f"<style>{style}</style></head><body><h1>{escape(visible(facts.name))}</h1>"
        f'<p class="quiet">{format_instant(facts.start_ms)} to {format_instant(facts.end_ms)}, all times UTC</p>'
    ).encode()
    for section in (_happened, _suspects, _timeline, _heat, _replay, _changes, _marks, _unseen, _made):
        yield "".join(section(facts)).encode()
    yield f"<script>{script}</script></body></html>\n".encode()


def _happened(facts: Facts) -> Iterator[str]:
    yield "<h2>What happened</h2>"
    for incident in facts.incidents:
        until = "and still" if incident.end_ms is None else f"to {format_instant(incident.end_ms)}"
        yield f'<p class="sentence">{escape(incident.summary)}</p>'
        yield f'<p class="quiet">{format_instant(incident.start_ms)} {until}</p>'
    if not facts.incidents:
        rest = "" if not facts.unseen else ", as far as it was seen (below)"
        yield f'<p class="sentence">Nothing left its normal{rest}.</p>'


def _suspects(facts: Facts) -> Iterator[str]:
    yield "<h2>Suspects</h2>"
    window = " to ".join(map(format_instant, facts.asked_about))
    yield f'<p class="quiet">Who is likely the cause of what happened from {window}, by requests a second that its own'
    yield " doing harmed. Normal is the hour before.</p>"
    if not facts.suspects:
        yield "<p>Nothing stands out.</p>"
        return
    rows = (
        [str(row["rank"]), _who(row["cluster"], row["node"], row["target"]), f"{row['score']:.3g}", row["onset"],
         visible(row["evidence"])]
        for row in facts.suspects
    )  # fmt: skip
    yield from _table(("", "who", "harmed / s", "since", "evidence"), rows, numbers=(0, 2, 3))


def _timeline(facts: Facts) -> Iterator[str]:
    yield "<h2>Timeline</h2>"
    yield f"<p class=quiet>{_key('normal')}{_key('warning')}{_key('danger')}{_key('unseen', 'not wholly seen')}"
    yield " &nbsp; the band on top: incidents; dashed lines: marks</p>"
    yield timeline(facts)


def _heat(facts: Facts) -> Iterator[str]:
    picture, rows = heat_map(facts)
    yield "<h2>Where requests failed</h2>"
    if not rows:
        yield "<p>No request failed on any edge, as far as they were seen.</p>"
        return
    yield f"<p class=quiet>The {rows} edges with most failures: the redder, the larger the share in danger;"
    yield f"{_key('unseen', 'not seen')}</p>{picture}"


def _replay(facts: Facts) -> Iterator[str]:
    drawn = sum(len(level.edges) for level in facts.levels)
    yield "<h2>Replay</h2>"
    if not drawn:
        yield "<p>No edge was seen.</p>"
    some = "" if drawn == facts.edges else (
        f" {drawn:,} of {facts.edges:,} edges are drawn (at most {MOST_EDGES}): those that failed most, then those with"
        " most traffic."
    )  # fmt: skip
    yield f'<p class="quiet">One picture every {facts.frames.step_ms // 1000} s; rates have four digits here.{some}</p>'
    yield '<div id="replay"><noscript>Without JavaScript the pictures cannot be replayed.</noscript></div>'
    document = msgspec.json.encode(_frames(facts)).decode().replace("<", "\\u003c")
    yield f'<script type="application/json" id="frames">{document}</script>'


def _changes(facts: Facts) -> Iterator[str]:
    yield '<h2>What changed</h2><p class="quiet">Mean requests a second of the window, beside the hour before it.</p>'
    if facts.no_changes:
        yield f"<p>{escape(visible(facts.no_changes))}</p>"
        return
    rows = (
        [_who(row["cluster"], row["source"], row["target"]), row["change"], _sum(row, "before"), _sum(row, "after"),
         _rate(row["before_danger"]), _rate(row["after_danger"])]
        for row in facts.changes
    )  # fmt: skip
    heads = ("edge", "change", "before", "after", "danger before", "danger after")
    yield from _table(heads, rows, numbers=(2, 3, 4, 5))


def _marks(facts: Facts) -> Iterator[str]:
    yield "<h2>Marks</h2>"
    if not facts.marks:
        yield "<p>None in this window.</p>"
        return
    rows = (
        [
            row["start"],
            row["end"] or "",
            row["kind"],
            visible(row["text"]),
            _who(row["cluster"], row["node"], None),
        ]
        for row in facts.marks
    )
    yield from _table(("from", "to", "kind", "", "about"), rows, numbers=(0, 1))


def _unseen(facts: Facts) -> Iterator[str]:
    yield "<h2>What was not seen</h2>"
    if not facts.unseen:
        yield "<p>Everything was seen: each rule was answered at each instant.</p>"
        return
    rows = (
        [row["start"], row["end"], row["writer"], str(row["missing"]), visible(row["reason"])]
        for row in facts.unseen
    )
    yield from _table(("from", "to", "writer", "instants", "why"), rows, numbers=(0, 1, 3))


def _made(facts: Facts) -> Iterator[str]:
    hashes = ", ".join(each[:12] for each in facts.configurations)
    yield (
        '<h2>How this was made</h2><p class="quiet">By vistio, from what was recorded then, judged by the'
        f" configuration in force then ({hashes}). Its docs/diagnosis.md explains how incidents and suspects are"
        " worked out. Rates are requests a second. What was not seen is told as such, never as zero.</p>"
    )


def _frames(facts: Facts) -> dict[str, Any]:
    asked = [format_instant(frame.asked_ms) for frame in facts.frames.frames]
    shown = [None if f.instant_ms is None else format_instant(f.instant_ms) for f in facts.frames.frames]
    first_ms = facts.incidents[0].start_ms if facts.incidents else facts.start_ms
    first = next((place for place, f in enumerate(facts.frames.frames) if f.asked_ms >= first_ms), 0)
    levels = [_level(level) for level in facts.levels]
    cluster = facts.incidents[0].first.cluster if facts.incidents else ""
    level = next((place for place, each in enumerate(facts.levels) if each.cluster == cluster), 0)
    return {"asked": asked, "shown": shown, "first": first, "level": level, "levels": levels}


def _level(level: FrameLevel) -> dict[str, Any]:
    names, places = names_of(level), _places(level)
    number = {name: place for place, name in enumerate(names)}
    seen = level.rates.sum(axis=2)
    return {
        "name": visible(level.cluster) or "between clusters",
        "nodes": [[visible(name), *places[name]] for name in names],
        "edges": [[number[source], number[target]] for source, target in level.edges],
        "most": max(float(seen[~(seen != seen)].max(initial=0.0)), 1e-9),
        # By class, by edge, by frame.
        "rates": [[list(map(_short, edge)) for edge in rates] for rates in level.rates.T.tolist()],
    }


def _places(level: FrameLevel) -> dict[str, tuple[int, int]]:
    """Layer and row of each node."""
    called = {target for _, target in level.edges}
    entered_first = sorted(names_of(level), key=lambda name: name in called)
    return {
        name: (number, row)
        for number, layer in enumerate(layers(entered_first, level.edges))
        for row, name in enumerate(each for each in layer if isinstance(each, str))
    }


def _short(rate: float) -> float | int | None:
    if math.isnan(rate):
        return None
    short = float(f"{rate:.4g}")
    return int(short) if short == int(short) else short


def _who(cluster: str, node: str, target: str | None) -> str:
    name = visible(node) if target is None else f"{visible(node)} → {visible(target)}"
    return f"{name} ({visible(cluster)})" if cluster else name


def _sum(row: Row, side: str) -> str:
    rates = [row[f"{side}_{rate}"] for rate in RATES]
    return "" if None in rates else _rate(sum(rates))


def _rate(rate: float | None) -> str:
    return "" if rate is None else f"{rate:,.4g}"


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]], numbers: Sequence[int] = ()) -> Iterator[str]:
    yield f"<table><thead><tr>{''.join(f'<th>{escape(head)}</th>' for head in heads)}</tr></thead><tbody>"
    for row in rows:
        cells = (
            f"<td{' class=number' if place in numbers else ''}>{escape(text)}</td>"
            for place, text in enumerate(row)
        )
        yield f"<tr>{''.join(cells)}</tr>"
    yield "</tbody></table>"


def _key(kind: str, text: str = "") -> str:
    return f'<span class="key {kind}"></span>{escape(text or kind)}'


def _file(name: str) -> str:
    return resources.files(__package__).joinpath(name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
