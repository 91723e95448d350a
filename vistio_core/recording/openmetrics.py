r"""A window as OpenMetrics text, which ``promtool tsdb create-blocks-from openmetrics`` makes blocks of.

    # TYPE vistio_edge_requests_per_second gauge
    vistio_edge_requests_per_second{cluster="mesh",source="a",target="b",class="danger"} 0.25 1795410000
    # TYPE vistio_node_measurement gauge
    vistio_node_measurement{cluster="mesh",node="b",measure="saturation"} 0.97 1795410000
    # EOF

Of an instant that was not seen there is no sample: 0 is only written where it was answered. All samples of a series
come together, as OpenMetrics wants it, so the rates of the whole window are in memory, in columns.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import pyarrow as pa
import pyarrow.compute as pc

from vistio_core.recording.edge_rates import EDGE_RATES, MEASURED, RATES, InstantRows
from vistio_core.times import SECOND_MS

_EDGES = "vistio_edge_requests_per_second"
_NODE_MEASURED, _EDGE_MEASURED = "vistio_node_measurement", "vistio_edge_measurement"
_SAMPLES_AT_ONCE = 10_000


def as_openmetrics(instants: Iterable[InstantRows]) -> Iterator[bytes]:
    """The text, in pieces, with its end mark."""
    rates, measured = [EDGE_RATES.empty_table()], [MEASURED.empty_table()]
    for each in instants:
        rates.append(each.rates)
        measured.append(each.measured)
    yield from _family(_EDGES, _rates(pa.concat_tables(rates)))
    numbers = pa.concat_tables(measured)
    of_node = numbers["target"].is_null()
    nodes = numbers.filter(of_node).drop_columns(["target"]).rename_columns({"source": "node"})
    yield from _family(_NODE_MEASURED, [_Series(nodes, ("cluster", "node", "measure"), "value", {})])
    edges = numbers.filter(pc.invert(of_node))
    yield from _family(
        _EDGE_MEASURED, [_Series(edges, ("cluster", "source", "target", "measure"), "value", {})]
    )
    yield b"# EOF\n"


class _Series:
    """Samples of many series, in columns."""

    def __init__(self, rows: pa.Table, labels: Sequence[str], value: str, constant: dict[str, str]) -> None:
        seen = rows.select(["instant", *labels, value]).filter(rows[value].is_valid())
        # As texts: dictionaries do not sort.
        for place, name in enumerate(labels, 1):
            seen = seen.set_column(place, name, seen[name].cast(pa.string()))
        self._rows = seen.sort_by([(name, "ascending") for name in (*labels, "instant")])
        self._labels, self._value, self._constant = labels, value, constant

    def lines(self, family: str) -> Iterator[str]:
        for start in range(0, self._rows.num_rows, _SAMPLES_AT_ONCE):
            some = self._rows.slice(start, _SAMPLES_AT_ONCE)
            instants_ms = some["instant"].cast(pa.int64()).to_pylist()
            texts = zip(*(some[name].to_pylist() for name in self._labels), strict=True)
            values = some[self._value].to_pylist()
            for at_ms, labels, value in zip(instants_ms, texts, values, strict=True):
                told = {**dict(zip(self._labels, labels, strict=True)), **self._constant}
                inside = ",".join(f'{name}="{_escaped(text)}"' for name, text in told.items())
                yield f"{family}{{{inside}}} {value!r} {_seconds(at_ms)}\n"


def _rates(rows: pa.Table) -> list[_Series]:
    return [_Series(rows, ("cluster", "source", "target"), rate, {"class": rate}) for rate in RATES]


def _family(name: str, series: Iterable[_Series]) -> Iterator[bytes]:
    yield f"# TYPE {name} gauge\n".encode()
    piece: list[str] = []
    for each in series:
        for line in each.lines(name):
            piece.append(line)
            if len(piece) >= _SAMPLES_AT_ONCE:
                yield "".join(piece).encode()
                piece = []
    yield "".join(piece).encode()


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')


def _seconds(at_ms: int) -> str:
    whole, thousandths = divmod(at_ms, SECOND_MS)
    return f"{whole}.{thousandths:03d}" if thousandths else str(whole)
