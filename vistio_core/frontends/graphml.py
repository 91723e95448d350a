"""GraphML, as networkx, Gephi, yEd and Cytoscape Desktop read it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

from vistio_core.frontends.flat import (
    FlatEdge,
    FlatNode,
    describe,
    encode,
    flatten,
    measurements,
    notices,
    rates,
    witness,
)
from vistio_core.names import visible

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from vistio_core.graph.model import Graph

# What XML 1.0 cannot contain, not even escaped.
_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_ENTITIES = {'"': "&quot;", "\n": "&#10;", "\r": "&#13;", "\t": "&#9;"}

_RATES = ("normal", "warning", "danger", "total")


class GraphML:
    """Options: ``cluster``. Notices are JSON text; a measurement is ``measurement.<its name>``.

    Ids are made `visible`, for XML has no way to write a control character, and ids must differ. So are labels.
    """

    name = "graphml"
    content_type = "application/graphml+xml; charset=utf-8"
    options: tuple[str, ...] = ("cluster",)

    def render(self, graph: Graph, options: Mapping[str, str]) -> bytes:
        flat = flatten(graph, options)
        node_keys = _Keys(
            "n",
            ["name", "label", "cluster", "class", "notices"],
            (each.node.measurements for each in flat.nodes),
        )
        edge_keys = _Keys(
            "e", ["cluster", "told_by", "notices"], (each.edge.measurements for each in flat.edges), _RATES
        )
        lines = [
            '<?xml version="1.0" encoding="UTF-8"?>',
            '<graphml xmlns="http://graphml.graphdrawing.org/xmlns">',
            '<key id="g0" for="graph" attr.name="description" attr.type="string"/>',
            *node_keys.declarations("node"),
            *edge_keys.declarations("edge"),
            '<graph edgedefault="directed">',
            f'<data key="g0">{text(chr(10).join(describe(graph)))}</data>',
            *(_node(each, node_keys) for each in flat.nodes),
            *(_edge(each, edge_keys) for each in flat.edges),
            "</graph>",
            "</graphml>\n",
        ]
        return "\n".join(lines).encode("utf-8")


def text(value: str) -> str:
    """``value`` inside of an element or a quoted attribute."""
    return escape(_FORBIDDEN.sub("\N{REPLACEMENT CHARACTER}", value), _ENTITIES)


class _Keys:
    """The short ids by which a GraphML file refers to its attributes."""

    def __init__(
        self,
        prefix: str,
        texts: Iterable[str],
        measured: Iterable[Mapping[str, float]],
        numbers: Iterable[str] = (),
    ) -> None:
        names = sorted({f"measurement.{name}" for each in measured for name in each})
        kinds = {**dict.fromkeys(texts, "string"), **dict.fromkeys((*numbers, *names), "double")}
        self._kinds = kinds
        self._ids = {name: f"{prefix}{number}" for number, name in enumerate(kinds)}

    def declarations(self, of: str) -> list[str]:
        return [
            f'<key id="{self._ids[name]}" for="{of}" attr.name="{text(name)}" attr.type="{kind}"/>'
            for name, kind in self._kinds.items()
        ]

    def data(self, values: Mapping[str, str | float]) -> str:
        return "".join(
            f'<data key="{self._ids[name]}">{text(value if isinstance(value, str) else repr(value))}</data>'
            for name, value in values.items()
        )


def _node(flat: FlatNode, keys: _Keys) -> str:
    values: dict[str, str | float] = {
        "name": flat.node.name,
        "label": visible(flat.node.name),
        "cluster": flat.cluster,
        "class": flat.node.node_class,
        **_common(flat.node.notices and encode(notices(flat.node.notices)).decode(), flat.node.measurements),
    }
    return f'<node id="{text(visible(flat.id))}">{keys.data(values)}</node>'


def _edge(flat: FlatEdge, keys: _Keys) -> str:
    values: dict[str, str | float] = {
        "cluster": flat.cluster,
        **witness(flat.edge),
        **(rates(flat.edge.rates) if flat.edge.rates.seen else {}),
        **_common(flat.edge.notices and encode(notices(flat.edge.notices)).decode(), flat.edge.measurements),
    }
    source, target = text(visible(flat.source)), text(visible(flat.target))
    return f'<edge source="{source}" target="{target}">{keys.data(values)}</edge>'


def _common(noticed: object, measured: Mapping[str, float]) -> dict[str, str | float]:
    values: dict[str, str | float] = {"notices": noticed} if isinstance(noticed, str) else {}
    values.update({f"measurement.{name}": value for name, value in measurements(measured).items()})
    return values
