"""What comparisons, answers and annotations show of themselves: tables, and what was not seen. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import attrs
import pyarrow as pa

from vistio_core.displays import html
from vistio_core.displays.shown import gap_lines, rows_html, timeline_chart
from vistio_core.displays.words import counted, number

_KINDS = ("changed", "new", "gone", "unseen")


def comparison_counts(edges: pa.Table) -> str:
    """How many edges changed in which way: ``12 changed, 3 new, 1 unseen``; or that none did."""
    kinds = edges["change"].to_pylist()
    return ", ".join(f"{kinds.count(kind):,} {kind}" for kind in _KINDS if kind in kinds) or "nothing changed"


def comparison_html(title: str, facts: str, edges: pa.Table, nodes: pa.Table) -> str:
    """A fragment of HTML.

    Args:
        title: between which moments.
        facts: what else there is to say of them.
        edges: as `vistio_core.recording.recording.Recording.compare` has them.
        nodes: likewise.
    """
    return html.box(
        title,
        html.line(f"edges: {comparison_counts(edges)}; nodes: {comparison_counts(nodes)}"),
        html.line(facts, quiet=True),
        html.table(
            [
                "cluster",
                "source",
                "target",
                "change",
                " before/s",
                " after/s",
                " danger before/s",
                " danger after/s",
            ],
            _changes(edges, ("source", "target")),
            of=edges.num_rows,
            one="edge",
        ),
        html.table(
            ["cluster", "node", "change", " before/s", " after/s", " danger before/s", " danger after/s"],
            _changes(nodes, ("node",)),
            of=nodes.num_rows,
            one="node",
        ),
        html.unseen(_not_seen(edges)),
    )


def _changes(table: pa.Table, names: Sequence[str]) -> list[list[str]]:
    return [
        [
            row["cluster"] or "global level",
            *(row[name] for name in names),
            row["change"],
            *(number(_total(row, side)) for side in ("before", "after")),
            *(number(row[f"{side}_danger"]) for side in ("before", "after")),
        ]
        for row in table.slice(0, html.MOST_ROWS).to_pylist()
    ]


def _total(row: Mapping[str, Any], side: str) -> float | None:
    rates = [row[f"{side}_{name}"] for name in ("normal", "warning", "danger")]
    return None if None in rates else sum(rates)


def _not_seen(edges: pa.Table) -> list[str]:
    """Each rule that was not answered, with the side and how many edges of the table that is about."""
    about: dict[tuple[str, str], int] = {}
    for side in ("before", "after"):
        for rules in edges[f"{side}_unseen"].to_pylist():
            for rule in rules:
                about[side, rule] = about.get((side, rule), 0) + 1
    return [
        f"{side}: {rule}, which could have told of {counted(edges, 'edge')}"
        for (side, rule), edges in about.items()
    ]


@attrs.frozen
class Columns:
    """What is shown of a table."""

    names: tuple[str, ...]
    one: str
    """What a row is called."""
    nothing: str = ""
    """What is said where there is none."""


SUSPECTS = Columns(
    ("rank", "cluster", "node", "target", "score", "onset", "evidence"), "suspect", "Nothing stands out."
)
INCIDENTS = Columns(("start", "end", "cluster", "node", "worst_share", "summary"), "incident")
PATH = Columns(
    ("order", "cluster", "node", "follows", "later_ms", "onset", "measure", "before", "now", "harmed_rps"),
    "node",
    "No errors and no latency left their normal.",
)
REACHED = Columns(
    ("direction", "distance", "cluster", "node", "via", "rps", "error_share"),
    "node",
    "Nobody calls it, and it calls nobody.",
)
ALERTS = Columns(
    ("start", "end", "cluster", "node", "target", "title", "severity", "worst"), "alert", "No alert."
)
LIFETIMES = Columns(
    ("cluster", "node", "target", "first_seen", "last_seen", "absent_before", "absent_after"),
    "row",
    "Nothing was there.",
)


def answer_html(
    title: str, facts: str, table: pa.Table, columns: Columns, unseen: pa.Table | Sequence[str]
) -> str:
    """A fragment of HTML for an answer that is one table.

    Args:
        title: what was asked.
        facts: what else there is to say.
        table: the answer.
        columns: what is shown of it.
        unseen: gaps, shaped as `vistio_core.recording.recording.Recording.gaps`; or lines.
    """
    return html.box(
        title,
        html.line(facts, quiet=True),
        rows_html(table, columns.names, columns.one) or html.line(columns.nothing),
        html.unseen(gap_lines(unseen) if isinstance(unseen, pa.Table) else unseen),
    )


def annotation_html(title: str, about: str, lines: Sequence[str], link: str, tags: Mapping[str, str]) -> str:
    """A fragment of HTML.

    Args:
        title: its kind and when.
        about: a cluster and a node; or empty.
        lines: of its text.
        link: an http or https address, or empty.
        tags: by name.
    """
    anchor = (
        f'<a href="{html.text(link)}" rel="noreferrer noopener" target="_blank">{html.text(link)}</a>'
        if link
        else ""
    )
    return html.box(
        title,
        *map(html.line, lines),
        html.line(about, quiet=True),
        html.line(", ".join(f"{name}: {value}" for name, value in tags.items()), quiet=True),
        anchor,
    )


def recording_html(title: str, facts: str, timeline: pa.Table, gaps: pa.Table, annotations: pa.Table) -> str:
    """A fragment of HTML.

    Args:
        title: where it is, from when to when, whose.
        facts: its size.
        timeline: of its last hour.
        gaps: likewise.
        annotations: likewise.
    """
    return html.box(
        title,
        html.line(facts, quiet=True),
        html.line("Requests of the global level in its last hour:", quiet=True),
        timeline_chart(timeline),
        rows_html(annotations, ["start", "end", "kind", "text", "cluster", "node"], "annotation"),
        html.unseen(gap_lines(gaps)),
    )
