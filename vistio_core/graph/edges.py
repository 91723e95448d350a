"""The edges of one level in columns: ten thousand of them are wanted as numbers far more often than as objects.

A graph at ten thousand edges spent a third of its time on making an `Edge` and a `Rates` for each of
them, only to be taken apart again by whoever draws it. `Edges` is the same sequence, made lazily.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import overload

import numpy as np

from vistio_core.configuration.mapping import CLASSES
from vistio_core.graph.elements import NOTHING_MEASURED, Edge, Notice, Rates
from vistio_core.graph.numbering import edge_number
from vistio_core.samples import Floats, Integers

TOLD_BY = ("", "caller", "called", "both")
"""What `Edge.told_by` can be."""
NOTHING_TOLD: Integers = np.zeros(0, np.int64)


class Edges(Sequence[Edge]):
    """A sequence of `Edge`, equal to any other sequence of the same ones.

    Attributes:
        names: the names of all ends, sorted.
        source: index into ``names``, for each edge.
        target: likewise.
        rates: requests per second by class (normal, warning, danger): a row for each edge.
        notices: index of an edge to its notices; most have none.
        measurements: index of an edge to its measurements, sorted by name; most have none.
        told: for each edge, which of `TOLD_BY` it is.
    """

    def __init__(
        self,
        names: Sequence[str],
        source: Integers,
        target: Integers,
        rates: Floats,
        notices: Mapping[int, tuple[Notice, ...]],
        measurements: Mapping[int, Mapping[str, float]],
        told: Integers | None = None,
    ) -> None:
        self.names = tuple(names)
        self.source = source
        self.target = target
        self.rates = rates
        self.notices = notices
        self.measurements = measurements
        self.told = np.zeros(len(source), np.int64) if told is None else told

    @classmethod
    def of(cls, edges: Iterable[Edge]) -> Edges:
        """The same edges in columns."""
        if isinstance(edges, Edges):
            return edges
        made = tuple(edges)
        names = sorted({name for edge in made for name in (edge.source, edge.target)})
        place = {name: index for index, name in enumerate(names)}
        found = cls(
            names,
            np.array([place[edge.source] for edge in made], np.int64),
            np.array([place[edge.target] for edge in made], np.int64),
            np.array(
                [(edge.rates.normal, edge.rates.warning, edge.rates.danger) for edge in made], np.float64
            ).reshape(-1, CLASSES),
            {index: edge.notices for index, edge in enumerate(made) if edge.notices},
            {index: edge.measurements for index, edge in enumerate(made) if edge.measurements},
            np.array([TOLD_BY.index(edge.told_by) for edge in made], np.int64),
        )
        found.__dict__["_made"] = made
        return found

    @property
    def ends(self) -> list[tuple[str, str]]:
        """Source and target of each."""
        named = self.names.__getitem__
        return list(zip(map(named, self.source.tolist()), map(named, self.target.tolist()), strict=True))

    @property
    def ascend(self) -> bool:
        """Whether they are sorted by source and target, none of them twice."""
        numbers = edge_number(self.source, self.target)
        return bool((numbers[1:] > numbers[:-1]).all())

    @cached_property
    def _made(self) -> tuple[Edge, ...]:
        ends_and_rates = zip(self.ends, self.rates.tolist(), strict=True)
        return tuple([self._edge(index, *each) for index, each in enumerate(ends_and_rates)])

    def _edge(self, index: int, ends: tuple[str, str], rates: list[float]) -> Edge:
        return Edge(
            *ends,
            Rates(*rates),
            self.notices.get(index, ()),
            self.measurements.get(index, NOTHING_MEASURED),
            TOLD_BY[self.told[index]],
        )

    def __len__(self) -> int:
        return len(self.source)

    @overload
    def __getitem__(self, index: int) -> Edge: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[Edge, ...]: ...
    def __getitem__(self, index: int | slice) -> Edge | tuple[Edge, ...]:
        if isinstance(index, slice) or "_made" in self.__dict__:
            return self._made[index]
        index = range(len(self))[index]  # from the end, or an IndexError
        ends = self.names[self.source[index]], self.names[self.target[index]]
        return self._edge(index, ends, self.rates[index].tolist())

    def __iter__(self) -> Iterator[Edge]:
        return iter(self._made)

    def __eq__(self, other: object) -> bool:
        return self._made == tuple(other) if isinstance(other, Sequence) else NotImplemented

    # As for a tuple of them: what was measured of an `Edge` has no hash.
    __hash__ = None  # type: ignore[assignment]  # how Python says so

    def __repr__(self) -> str:
        return repr(self._made)
