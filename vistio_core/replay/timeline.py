"""Traffic and notices over a window, step by step.

Steps are sums and maxima of totals (`judging.totals`). Sums of rates are decimals, which is exact: a result does
not depend on the order in which threads or files deliver rows. What was seen is told by `coverage`:

    step    writer   whole instants   sum      known instants   sum     mean of the step   known
    05:00   main     6                30.0     6                30.0    5.0                5.0
    05:01   main     2                10.0     6                26.0    5.0                4.33
    05:02   main     0                         6                20.0    null               3.33
    05:03   main     0                         0                        null               null

Each writer has instants of its own, so the means of all of them are added; one that should have been there and was not
leaves the sum unknown. (Here mesh/grpc was not answered at four instants, then at six; then nothing was.)
"""

from __future__ import annotations

from collections.abc import Sequence

import attrs
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from vistio_core.judging.codes import Booleans, Integers
from vistio_core.judging.seen import missing_writer
from vistio_core.judging.totals import COUNTS, RATES
from vistio_core.replay.as_of import MISSED_FOR_MS
from vistio_core.replay.coverage import Coverage
from vistio_core.replay.duckdb_session import DuckDBSession
from vistio_core.replay.gaps import Gap
from vistio_core.samples import Floats
from vistio_core.storage.format import INSTANT

_INSIDE = "instant_ms >= $start_ms and instant_ms < $end_ms and ($cluster is null or cluster = $cluster)"
_RATES_QUERY = f"""
    select (instant_ms - $start_ms) // $step_ms as step, writer,
        {", ".join(f"coalesce(sum({name}) filter (whole), 0)::double as whole_{name}" for name in RATES)},
        {", ".join(f"sum({name})::double as known_{name}" for name in RATES)}
    from totals where {_INSIDE} group by all
"""
WHOLE = pa.field("whole", pa.bool_())
"""A column beside those of `totals.TOTALS`: whether the instant, or each of the minute's, tells all of it."""


@attrs.frozen
class Steps:
    """The steps of a window."""

    start_ms: int
    end_ms: int
    step_ms: int

    def __len__(self) -> int:
        return -(-(self.end_ms - self.start_ms) // self.step_ms)

    @property
    def starts_ms(self) -> Integers:
        return self.start_ms + self.step_ms * np.arange(len(self))


def steps(
    session: DuckDBSession,
    totals: pa.Table,
    coverage: Coverage,
    window: Steps,
    cluster: str | None,
    gaps: Sequence[Gap],
) -> pa.Table:
    """From totals to steps; the shape is told at `Recording.timeline`.

    Args:
        session: where the queries run.
        totals: of the window, with `WHOLE`; may hold more.
        coverage: every instant of the window, and the newest before it of each writer.
        window: the steps.
        cluster: the only one to count, or None.
        gaps: every gap of the window.
    """
    parameters = {**attrs.asdict(window), "cluster": cluster}
    rates = session.table(_RATES_QUERY, (), parameters, {"totals": totals})
    most = _most(totals, window, cluster)
    seen = _Seen.of(coverage, window)
    mean, some = seen.means(rates, "whole"), seen.means(rates, "known")
    exists: Booleans = ~np.any(seen.missing, axis=0) & np.any(seen.whole > 0, axis=0)
    known: Booleans = np.any(seen.known > 0, axis=0)
    return pa.table(
        {
            "start": pa.array(window.starts_ms, INSTANT),
            **{name: pa.array(mean[:, column], mask=~exists) for column, name in enumerate(RATES)},
            "edges": pa.array(most["edges"], mask=~known),
            "instants": pa.array(np.where(exists, seen.instants(coverage), 0)),
            "missing": pa.array(_missing(gaps, window), pa.int64()),
            **{name: pa.array(most[name], mask=~known) for name in COUNTS[1:]},
            **{f"known_{name}": pa.array(some[:, column], mask=~known) for column, name in enumerate(RATES)},
            "unseen": pa.array(seen.names(coverage, known), pa.list_(pa.string())),
        }
    )


@attrs.frozen(eq=False)
class _Seen:
    """What each writer saw, writers by steps."""

    writers: tuple[str, ...]
    step: Integers
    """Of each of the instants; negative before the window."""
    whole: Integers
    """How many instants tell all of it."""
    known: Integers
    missing: Booleans
    """The writer should have told all of it, and did not at any instant."""
    silent: Booleans
    """For it has no instant there."""

    @classmethod
    def of(cls, coverage: Coverage, window: Steps) -> _Seen:
        step = (coverage.instant_ms - window.start_ms) // window.step_ms
        shape = len(coverage.writers), len(window)

        def counted(rows: Booleans) -> Integers:
            chosen = rows & (step >= 0)
            cells = coverage.writer[chosen] * len(window) + step[chosen]
            return np.bincount(cells, minlength=shape[0] * shape[1]).reshape(shape)

        whole, could = counted(coverage.whole), counted(coverage.could)
        silent = counted(np.ones(len(step), bool)) == 0
        for place in range(shape[0]):
            silent[place] &= _still_due(coverage, place, window.starts_ms)
        return cls(
            coverage.writers,
            step,
            whole,
            counted(coverage.known),
            missing=(could > 0) & (whole == 0) | silent,
            silent=silent,
        )

    def means(self, rates: pa.Table, which: str) -> Floats:
        """The means of all writers, added in their order: steps by classes."""
        count = {"whole": self.whole, "known": self.known}[which]
        sums = np.zeros((*count.shape, len(RATES)))
        place = {name: row for row, name in enumerate(self.writers)}
        rows = np.array([place.get(name, -1) for name in rates["writer"].to_pylist()], np.int64)
        step = rates["step"].to_numpy()
        known = rows >= 0
        for column, name in enumerate(RATES):
            sums[rows[known], step[known], column] = rates[f"{which}_{name}"].to_numpy()[known]
        means = np.zeros(sums.shape[1:])
        for own, number in zip(sums, count, strict=True):
            means += np.divide(own, number[:, None], out=np.zeros_like(own), where=number[:, None] > 0)
        return means

    def instants(self, coverage: Coverage) -> Integers:
        """How many different ones tell all that their writer could."""
        rows = coverage.whole & (self.step >= 0)
        _, first = np.unique(coverage.instant_ms[rows], return_index=True)
        return np.bincount(self.step[rows][first], minlength=self.whole.shape[1])

    def names(self, coverage: Coverage, known: Booleans) -> list[list[str]]:
        """By step, who could have told more: rules; of what is known in part, writers too."""
        names: list[set[str]] = [set() for _ in range(self.whole.shape[1])]
        for row, rules in coverage.unseen.items():
            if self.step[row] >= 0:
                names[self.step[row]].update(rules)
        for place, step in zip(*(each.tolist() for each in np.nonzero(self.silent & known)), strict=True):
            names[step].add(missing_writer(self.writers[place]).name)
        return [sorted(each) for each in names]


def _still_due(coverage: Coverage, place: int, starts_ms: Integers) -> Booleans:
    """Whether a writer that has no instant in a step should have: it told of the subject in the day before."""
    own = np.flatnonzero(coverage.writer == place)
    before = np.searchsorted(coverage.instant_ms[own], starts_ms) - 1
    last = own[np.maximum(before, 0)]
    since_ms = starts_ms - coverage.instant_ms[last]
    due: Booleans = (before >= 0) & coverage.could[last] & (since_ms <= MISSED_FOR_MS)
    return due


def _most(totals: pa.Table, window: Steps, cluster: str | None) -> dict[str, Integers]:
    """By step, the most that one instant had of each of `COUNTS`, over clusters and writers."""
    instants_ms = totals["instant_ms"].to_numpy()
    counts = (instants_ms >= window.start_ms) & (instants_ms < window.end_ms)
    if cluster is not None:
        counts &= pc.equal(totals["cluster"].cast(pa.string()), cluster).to_numpy()
    instant, place = np.unique(instants_ms[counts], return_inverse=True)
    step = (instant - window.start_ms) // window.step_ms
    found = {}
    for name in COUNTS:
        # Whole numbers, which doubles hold as they are.
        sums = np.bincount(place, totals[name].to_numpy()[counts], len(instant)).astype(np.int64)
        found[name] = np.zeros(len(window), np.int64)
        np.maximum.at(found[name], step, sums)
    return found


def _missing(gaps: Sequence[Gap], window: Steps) -> list[int]:
    missing = [0] * len(window)
    for gap in gaps:
        spacing_ms = (gap.end_ms - gap.start_ms) / gap.missing
        for index in range(gap.missing):
            step = int(gap.start_ms + index * spacing_ms - window.start_ms) // window.step_ms
            if 0 <= step < len(window):
                missing[step] += 1
    return missing
