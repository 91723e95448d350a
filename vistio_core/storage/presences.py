"""What a file of events knows of its instants without their samples. Pure.

Every look-up wants it, and it is kept for every open file: so in columns, and what most instants
have in common once:

    instants   05:00   05:10   05:20
    kinds      0       1       0
    facts      0: seen, whole, 10 s, configuration 2d28..., live     1: seen, not whole, the rest alike

What must not be in here: which rules they were (an `EventFile` has their outcomes), and other files.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from typing import NamedTuple, overload

import numpy as np
import pyarrow as pa

from vistio_core.events import Outcome
from vistio_core.samples import Texts

PRESENCE_COLUMNS = ["instant", "outcome", "interval_ms", "configuration", "backfilled"]
"""Of rows of kind ``outcome``."""

_Facts = tuple[bool, bool, int, str, bool]


class Presence(NamedTuple):
    """What a file knows of one instant without its samples."""

    instant_ms: int
    seen: bool
    """Whether at least one rule was answered."""
    whole: bool
    """Whether all rules were."""
    interval_ms: int
    configuration: str
    backfilled: bool


class Presences(Sequence[Presence]):
    """The instants of a file, ascending."""

    def __init__(self, outcomes: pa.Table) -> None:
        """Of the `PRESENCE_COLUMNS` of a file's rows of kind ``outcome``, in the format's order."""
        instants_ms = outcomes["instant"].cast(pa.int64()).to_numpy()
        # Of 05:00 05:00 05:00 05:10 05:10, the outcomes of three rules and of two, the rows 0 and 3 begin an instant.
        starts = np.flatnonzero(np.diff(instants_ms, prepend=-1))
        self._instants_ms = array("q", instants_ms[starts].tolist())
        known: dict[_Facts, int] = {}
        self._kinds = array("i")
        if len(starts):
            outcome = Texts.of_column(outcomes["outcome"])
            answered = np.array([text == Outcome.OK.value for text in outcome.values])[outcome.place]
            # Interval, configuration and backfilled are the scrape's: equal in all of its rows.
            configuration = Texts.of_column(outcomes["configuration"])
            facts = zip(
                np.logical_or.reduceat(answered, starts).tolist(),
                np.logical_and.reduceat(answered, starts).tolist(),
                outcomes["interval_ms"].to_numpy()[starts].tolist(),
                map(configuration.values.__getitem__, configuration.place[starts].tolist()),
                outcomes["backfilled"].to_numpy()[starts].tolist(),
                strict=True,
            )
            self._kinds.extend([known.setdefault(each, len(known)) for each in facts])
        self._facts = list(known)

    def __len__(self) -> int:
        return len(self._instants_ms)

    @overload
    def __getitem__(self, index: int) -> Presence: ...
    @overload
    def __getitem__(self, index: slice) -> list[Presence]: ...
    def __getitem__(self, index: int | slice) -> Presence | list[Presence]:
        if isinstance(index, slice):
            return [self[each] for each in range(*index.indices(len(self)))]
        return Presence(self._instants_ms[index], *self._facts[self._kinds[index]])

    def places(self, start_ms: int, end_ms: int) -> range:
        """Where the instants in ``[start_ms, end_ms)`` stand."""
        return range(bisect_left(self._instants_ms, start_ms), bisect_left(self._instants_ms, end_ms))

    def at(self, instant_ms: int) -> Presence | None:
        """What is known of this instant; None where it is not inside."""
        place = bisect_right(self._instants_ms, instant_ms) - 1
        return self[place] if place >= 0 and self._instants_ms[place] == instant_ms else None

    @property
    def instants_ms(self) -> frozenset[int]:
        return frozenset(self._instants_ms)
