"""Who is likely the cause: nodes and edges ranked by how many requests are harmed by their own doing. Pure.

The ranking, which `docs/diagnosis.md` does by hand:

1. `signals` takes apart what passes along calls, so that a node is charged with its own part alone.
2. `normal` says by how much each of these lies beyond anything that is normal.
3. `charges` makes requests a second of it that are harmed; what an edge is charged with falls on its ends.
4. The largest charge of a node is its score. An edge stands beside its ends where the others of both are well.
5. Where the largest of all is less than one request in eighty of what enters, nobody is named.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import attrs
import numpy as np
import pyarrow as pa

from vistio_core.diagnosis.charges import Charge, charges, mean_of
from vistio_core.diagnosis.normal import Span, onset
from vistio_core.diagnosis.observed import STEP_MS, Observed
from vistio_core.diagnosis.signals import Mesh, signals
from vistio_core.diagnosis.words import Mark, Words
from vistio_core.json_rows import rows_of, span_of
from vistio_core.judging.codes import Booleans
from vistio_core.names import visible
from vistio_core.replay.gaps import unseen_rows
from vistio_core.samples import Floats
from vistio_core.sentences import Language, Said, told
from vistio_core.storage.format import INSTANT
from vistio_core.tables import OneTable

STANDS_OUT = 0.0125
"""From which share of what enters on harm is told of at all."""
LEAST_OF_FIRST = 0.01
"""Of the first one's score: what is below is no suspect beside it."""
MOST_SUSPECTS = 50
_MOST_NAMES = 3
"""How many are named in a line."""
_EDGES_PART = 0.9
"""How much of the harm on both ends' edges one of these must have to be named itself."""
BEFORE_STEPS = 60
"""How long before trouble was noticed it may have begun."""
SUSPECTS = pa.schema(
    [
        pa.field("rank", pa.int64()),
        pa.field("cluster", pa.string()),
        pa.field("node", pa.string()),
        pa.field("target", pa.string()),
        pa.field("score", pa.float64()),
        pa.field("onset", INSTANT),
        pa.field("measure", pa.string()),
        pa.field("evidence", pa.string()),
    ]
)


@attrs.frozen(eq=False, repr=False)
class Suspects(OneTable):
    """Who is likely the cause, with evidence; `Recording.suspects` tells the shapes."""

    table: pa.Table = attrs.field(repr=False)
    start_ms: int
    end_ms: int
    baseline_ms: tuple[int, int]
    """What was taken as normal: start and end."""
    unseen: pa.Table = attrs.field(repr=False)
    """The gaps of baseline and window: what was not seen there may hide the cause."""
    evidence: Sequence[Said] = attrs.field(repr=False)
    """Of each row, to be told in other languages than the table's English."""

    def table_in(self, language: Language) -> pa.Table:
        """The table with its evidence in a language."""
        evidence = pa.array([told(each, language) for each in self.evidence], pa.string())
        return self.table.set_column(
            self.table.column_names.index("evidence"), SUSPECTS.field("evidence"), evidence
        )

    def document(self, language: Language = "en") -> dict[str, Any]:
        """As JSON tells it over HTTP."""
        return {
            "suspects": rows_of(self.table_in(language)),
            "baseline": span_of(*self.baseline_ms),
            "unseen": unseen_rows(self.unseen, language),
        }

    def nodes(self) -> list[str]:
        """The names of the suspects, the first one first, each once; of an edge, the called end before the caller."""
        ends = zip(self.table["target"].to_pylist(), self.table["node"].to_pylist(), strict=True)
        return list(dict.fromkeys(name for pair in ends for name in pair if name is not None))

    def __repr__(self) -> str:
        from vistio_core.displays.words import and_gaps, listed

        ranked = listed([visible(name) for name in self.nodes()], _MOST_NAMES) or "nothing stands out"
        return f"<{self._title()}: {ranked}{and_gaps(self.unseen)}>"

    def _repr_html_(self) -> str:
        from vistio_core.displays.found import SUSPECTS, answer_html
        from vistio_core.displays.words import stretch

        normal = f"normal: what {stretch(*self.baseline_ms)} was like; score: harmed requests a second"
        return answer_html(self._title(), normal, self.table, SUSPECTS, self.unseen)

    def _title(self) -> str:
        from vistio_core.displays.words import stretch

        return f"Suspects of {stretch(self.start_ms, self.end_ms)}"


@attrs.frozen(eq=False)
class _Found:
    """A suspect: a node, or an edge."""

    score: float
    place: int
    is_edge: bool
    charge: Charge
    subject: int
    """The edge or node of the charge's signal that tells most."""


def suspects_table(
    seen: Observed, baseline: Span, window: Span, about: str | None, marks: Iterable[Mark]
) -> tuple[pa.Table, Sequence[Said]]:
    """The suspects of a window, columns as in `SUSPECTS`; and the evidence of each row.

    Args:
        seen: what was measured; baseline and window lie in it.
        baseline: what is normal.
        window: what is asked about.
        about: only this node, and those that it calls, directly or by way of others.
        marks: what may be named beside an onset.
    """
    mesh = Mesh.of(seen)
    made = charges(seen, mesh, signals(seen, mesh), baseline, window)
    found = _found(mesh, made)
    first = max((each.score for each in found), default=0.0)
    if first < STANDS_OUT * entering_rps(mesh, window) or first <= 0:
        return SUSPECTS.empty_table(), ()
    if about is not None:
        away = mesh.calls_away(np.array([seen.names[name] == about for _, name in seen.nodes], bool))
        found = [each for each in found if away[mesh.target[each.place] if each.is_edge else each.place] >= 0]
    found = [each for each in found if each.score >= LEAST_OF_FIRST * first]
    # By score; then the narrower, then by name.
    found.sort(key=lambda each: (-each.score, not each.is_edge, each.place))
    return _table(seen, mesh, made, found[:MOST_SUSPECTS], (baseline, window), list(marks))


def entering_rps(mesh: Mesh, window: Span) -> float:
    """How many requests a second enter, from the entries."""
    return float(mean_of(window.of(mesh.entering)[:, mesh.entry]).sum())


def _found(mesh: Mesh, made: Sequence[Charge]) -> list[_Found]:
    if not made:
        return []
    on_nodes = np.array([charge.on_nodes(mesh) for charge in made])
    most = on_nodes.argmax(axis=0)
    found = []
    for place in np.flatnonzero(on_nodes.max(axis=0) > 0).tolist():
        charge = made[most[place]]
        subject = place
        if charge.signal.of_edges:
            own = np.flatnonzero((mesh.source == place) | (mesh.target == place))
            subject = int(own[charge.harmed_rps[own].argmax()])
        found.append(_Found(float(on_nodes[most[place], place]), place, False, charge, subject))
    for charge in made:
        if charge.signal.of_edges:
            for edge in np.flatnonzero(_alone(mesh, charge.harmed_rps)).tolist():
                found.append(_Found(float(charge.harmed_rps[edge]), edge, True, charge, edge))
    return found


def _alone(mesh: Mesh, harmed: Floats) -> Booleans:
    """Which edges are harmed while the other ones of both ends are well: at least as many requests, and no harm."""
    rps = mean_of(mesh.rps)
    alone: Booleans = harmed > 0
    for ends, by_node in ((mesh.source, mesh.by_source), (mesh.target, mesh.by_target)):
        all_harmed, all_rps = by_node.added(np.array([harmed, rps]))
        alone = alone & (harmed >= _EDGES_PART * all_harmed[ends]) & (all_rps[ends] >= 2 * rps)
    return alone


def _table(
    seen: Observed,
    mesh: Mesh,
    made: Sequence[Charge],
    found: Sequence[_Found],
    spans: tuple[Span, Span],
    marks: Sequence[Mark],
) -> tuple[pa.Table, Sequence[Said]]:
    baseline, window = spans
    words = Words(seen, mesh, made)
    rows, evidence = [], []
    for rank, each in enumerate(found, 1):
        left, values = each.charge.departure, each.charge.signal.values[:, each.subject]
        first = max(window.first - BEFORE_STEPS, baseline.first)
        within = Span(first, int(left.until[each.subject]))
        step = onset(values, float(left.normal.value[each.subject]), float(left.now[each.subject]), within)
        onset_ms = seen.start_ms + step * STEP_MS
        if each.is_edge:
            cluster, source, target = (seen.names[place] for place in seen.edges[each.place])
        else:
            cluster, source = (seen.names[place] for place in seen.nodes[each.place])
            target = None
        ends = [source] if target is None else [source, target]
        near = [mark for mark in marks if _about(mark, cluster, ends)]
        node = None if each.is_edge else each.place
        said = words.evidence(each.charge, each.subject, node, onset_ms, near)
        evidence.append(said)
        rows.append(
            (rank, cluster, source, target, each.score, onset_ms, each.charge.signal.measure, str(said))
        )
    columns = list(zip(*rows, strict=True)) or [()] * len(SUSPECTS)
    return pa.table(list(map(pa.array, columns, SUSPECTS.types)), schema=SUSPECTS), evidence


def _about(mark: Mark, cluster: str, ends: Sequence[str]) -> bool:
    """Whether a mark is about one of these nodes, or about all of their cluster."""
    return mark.cluster in ("", cluster) and mark.node in ("", *ends)
