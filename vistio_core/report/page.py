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

import attrs
import msgspec

from vistio_core.displays.layers import layers
from vistio_core.json_rows import rows_of
from vistio_core.marked_from import USUALLY_MARKED, MarkedFrom
from vistio_core.names import visible
from vistio_core.replay.frames.model import FrameLevel
from vistio_core.replay.gaps import gap_rows
from vistio_core.report.charts import RATES, heat_map, names_of, timeline
from vistio_core.report.facts import MOST_EDGES, Facts, Row
from vistio_core.sentences import TAGS, Language, Sentence, say, told, translated
from vistio_core.times import format_instant


def render(facts: Facts, language: Language = "en") -> Iterator[bytes]:
    """The page, in pieces, in a language."""
    yield from _Page(facts, language).pieces()


@attrs.frozen(eq=False)
class _Page:
    facts: Facts
    language: Language

    def pieces(self) -> Iterator[bytes]:
        facts, t = self.facts, self.t
        style, script = _file("report.css"), _file("replay.js")
        policy = (
            f"default-src 'none'; style-src {_hash(style)}; script-src {_hash(script)}; form-action 'none'"
        )
        window = self.window(facts.start_ms, facts.end_ms)
        name = visible(facts.name)
        title = t("{name}, {window}", name=name, window=window)
        yield (
            f'<!doctype html>\n<html lang="{TAGS[self.language]}"><head><meta charset="utf-8">'
            f'<meta http-equiv="Content-Security-Policy" content="{escape(policy)}">'
            f'<meta name="viewport" content="width=device-width"><title>{title}</title>'
            f"<style>{style}</style></head><body><h1>{escape(name)}</h1>"
            f'<p class="quiet">{t("{window}, all times UTC", window=window)}</p>'
        ).encode()
        for section in (
            self.happened,
            self.suspects,
            self.timeline,
            self.heat,
            self.replay,
            self.changes,
            self.marks,
            self.unseen,
            self.made,
        ):
            yield "".join(section()).encode()
        yield f"<script>{script}</script></body></html>\n".encode()

    def t(self, text: str, /, **given: object) -> str:
        """A sentence in the page's language, as it may stand in HTML."""
        return escape(say(text, **given).told(self.language))

    def window(self, start_ms: int, end_ms: int) -> Sentence:
        """From when to when."""
        return say("{start} to {end}", start=format_instant(start_ms), end=format_instant(end_ms))

    def happened(self) -> Iterator[str]:
        facts, t = self.facts, self.t
        yield f"<h2>{t('What happened')}</h2>"
        for incident in facts.incidents:
            start = format_instant(incident.start_ms)
            yield f'<p class="sentence">{escape(incident.summary_in(self.language))}</p>'
            if incident.end_ms is None:
                yield f'<p class="quiet">{t("{start} and still", start=start)}</p>'
            else:
                end = format_instant(incident.end_ms)
                yield f'<p class="quiet">{t("{start} to {end}", start=start, end=end)}</p>'
        if not facts.incidents:
            nothing = (
                t("Nothing left its normal, as far as it was seen (below).")
                if facts.unseen.num_rows
                else t("Nothing left its normal.")
            )
            yield f'<p class="sentence">{nothing}</p>'

    def suspects(self) -> Iterator[str]:
        facts, t = self.facts, self.t
        yield f"<h2>{t('Suspects')}</h2>"
        told = t(
            "Who is likely the cause of what happened from {window}, by requests a second that its own doing harmed."
            " Normal is the hour before.",
            window=self.window(*facts.asked_about),
        )
        yield f'<p class="quiet">{told}</p>'
        found = rows_of(facts.suspects.table_in(self.language))
        if not found:
            yield f"<p>{t('Nothing stands out.')}</p>"
            return
        rows = (
            [str(row["rank"]), _who(row["cluster"], row["node"], row["target"]), _rate(row["score"], 3), row["onset"],
             visible(row["evidence"])]
            for row in found
        )  # fmt: skip
        heads = ("", t("who"), t("harmed / s"), t("since"), t("evidence"))
        yield from _table(heads, rows, numbers=(0, 2, 3))

    def timeline(self) -> Iterator[str]:
        t = self.t
        yield f"<h2>{t('Timeline')}</h2>"
        classes = "".join(_key(rate, t(rate)) for rate in RATES)
        yield f"<p class=quiet>{classes}{_key('unseen', t('not wholly seen'))}"
        yield f" &nbsp; {t('the band on top: incidents; dashed lines: marks')}</p>"
        yield timeline(self.facts, self.language)

    def heat(self) -> Iterator[str]:
        t = self.t
        picture, rows = heat_map(self.facts.heat, self.language)
        yield f"<h2>{t('Where requests failed')}</h2>"
        if not rows:
            yield f"<p>{t('No request failed on any edge, as far as they were seen.')}</p>"
            return
        told = t(
            "The {rows} edges with most failures: the redder, the larger the share in danger;", rows=rows
        )
        yield f"<p class=quiet>{told}{_key('unseen', t('not seen'))}</p>{picture}"

    def replay(self) -> Iterator[str]:
        facts, t = self.facts, self.t
        drawn = sum(len(level.edges) for level in facts.levels)
        yield f"<h2>{t('Replay')}</h2>"
        if not drawn:
            yield f"<p>{t('No edge was seen.')}</p>"
        told = t(
            "One picture every {step} s; rates have four digits here.", step=facts.frames.step_ms // 1000
        )
        if drawn != facts.edges:
            told += t(
                " {drawn:,} of {edges:,} edges are drawn (at most {most}): those that failed most, then those with"
                " most traffic.",
                drawn=drawn,
                edges=facts.edges,
                most=MOST_EDGES,
            )
        yield f'<p class="quiet">{told}</p>'
        without = t("Without JavaScript the pictures cannot be replayed.")
        yield f'<div id="replay"><noscript>{without}</noscript></div>'
        document = msgspec.json.encode(_frames(facts, self.language)).decode().replace("<", "\\u003c")
        yield f'<script type="application/json" id="frames">{document}</script>'

    def changes(self) -> Iterator[str]:
        facts, t = self.facts, self.t
        yield f"<h2>{t('What changed')}</h2>"
        yield f'<p class="quiet">{t("Mean requests a second of the window, beside the hour before it.")}</p>'
        why = told(facts.no_changes, self.language)
        if why:
            yield f"<p>{escape(visible(why))}</p>"
            return
        rows = (
            [_who(row["cluster"], row["source"], row["target"]), say(row["change"]).told(self.language),
             _sum(row, "before"), _sum(row, "after"), _rate(row["before_danger"]), _rate(row["after_danger"])]
            for row in facts.changes
        )  # fmt: skip
        heads = (t("edge"), t("change"), t("before"), t("after"), t("danger before"), t("danger after"))
        yield from _table(heads, rows, numbers=(2, 3, 4, 5))

    def marks(self) -> Iterator[str]:
        facts, t = self.facts, self.t
        yield f"<h2>{t('Marks')}</h2>"
        if not facts.marks:
            yield f"<p>{t('None in this window.')}</p>"
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
        yield from _table((t("from"), t("to"), t("kind"), "", t("about")), rows, numbers=(0, 1))

    def unseen(self) -> Iterator[str]:
        t = self.t
        yield f"<h2>{t('What was not seen')}</h2>"
        found = gap_rows(self.facts.unseen, self.language)
        if not found:
            yield f"<p>{t('Everything was seen: each rule was answered at each instant.')}</p>"
            return
        rows = (
            [
                row["start"],
                row["end"],
                row["writer"] or "",
                "" if row["missing"] is None else str(row["missing"]),
                visible(row["reason"]),
            ]
            for row in found
        )
        heads = (t("from"), t("to"), t("writer"), t("instants"), t("why"))
        yield from _table(heads, rows, numbers=(0, 1, 3))

    def made(self) -> Iterator[str]:
        t = self.t
        told = t(
            "By vistio, from what was recorded then, judged by the configuration in force then ({hashes}). Its"
            " docs/diagnosis.md explains how incidents and suspects are worked out. Rates are requests a second."
            " What was not seen is told as such, never as zero.",
            hashes=", ".join(each[:12] for each in self.facts.configurations),
        )
        yield f'<h2>{t("How this was made")}</h2><p class="quiet">{told}</p>'


IN_REPLAY = (
    "Play",
    "Pause",
    "Moment",
    "Level",
    "Traffic at this moment",
    "not seen",
    "{total} requests a second, {danger} danger, {warning} warning",
    "Nothing was seen at this moment.",
    "As last seen at {shown}. ",
    "{unseen} of {edges} connections were not seen.",
    "All connections were seen.",
)
"""What ``replay.js`` says."""


def _frames(facts: Facts, language: Language) -> dict[str, Any]:
    asked = [format_instant(frame.asked_ms) for frame in facts.frames.frames]
    shown = [None if f.instant_ms is None else format_instant(f.instant_ms) for f in facts.frames.frames]
    first_ms = facts.incidents[0].start_ms if facts.incidents else facts.start_ms
    first = next((place for place, f in enumerate(facts.frames.frames) if f.asked_ms >= first_ms), 0)
    levels = [_level(level, language) for level in facts.levels]
    cluster = facts.incidents[0].first.cluster if facts.incidents else ""
    level = next((place for place, each in enumerate(facts.levels) if each.cluster == cluster), 0)
    marked = MarkedFrom.lowest(
        [frame.marked_from for frame in facts.frames.frames if frame.instant_ms is not None]
        or [USUALLY_MARKED]
    )
    return {
        "asked": asked,
        "shown": shown,
        "first": first,
        "level": level,
        "levels": levels,
        "marked_from": attrs.asdict(marked),
        "texts": {} if language == "en" else {text: translated(text, language) for text in IN_REPLAY},
    }


def _level(level: FrameLevel, language: Language) -> dict[str, Any]:
    names, places = names_of(level), _places(level)
    number = {name: place for place, name in enumerate(names)}
    seen = level.rates.sum(axis=2)
    return {
        "name": visible(level.cluster) or say("between clusters").told(language),
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


def _rate(rate: float | None, digits: int = 4) -> str:
    if rate is None:
        return ""
    return f"{rate:,.0f}" if abs(rate) >= 10 ** (digits - 1) else f"{rate:.{digits}g}"


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]], numbers: Sequence[int] = ()) -> Iterator[str]:
    """Of fragments of HTML, and rows of plain texts."""
    yield f"<table><thead><tr>{''.join(f'<th>{head}</th>' for head in heads)}</tr></thead><tbody>"
    for row in rows:
        cells = (
            f"<td{' class=number' if place in numbers else ''}>{escape(text)}</td>"
            for place, text in enumerate(row)
        )
        yield f"<tr>{''.join(cells)}</tr>"
    yield "</tbody></table>"


def _key(kind: str, text: str) -> str:
    return f'<span class="key {kind}"></span>{text}'


def _file(name: str) -> str:
    return resources.files(__package__).joinpath(name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
