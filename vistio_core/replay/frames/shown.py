"""What one writer has for a row of frames: which of its instants each one shows, and what is known of those."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence

import attrs
import numpy as np
import pyarrow as pa

from vistio_core.errors import DamagedFileError
from vistio_core.events import Outcome
from vistio_core.graph.model import FailedRule
from vistio_core.storage.catalog import Catalog
from vistio_core.storage.event_file import EventFile, EventFiles
from vistio_core.storage.layout import EventsName
from vistio_core.storage.parts import counting_outcomes, parts_at, presences_in, rows_at


@attrs.frozen
class Facts:
    """Of one writer's instant, what its outcomes say."""

    interval_ms: int
    configuration: str
    backfilled: bool
    failed: tuple[FailedRule, ...]


class WriterFrames:
    """What one writer has for the frames."""

    def __init__(
        self,
        catalog: Catalog,
        files: EventFiles,
        names: list[EventsName],
        asked_ms: Sequence[int],
        staleness_ms: int,
    ) -> None:
        self.name = names[0].writer
        self._files = files
        self._names = names
        seen: dict[int, bool] = {}
        for name in names:
            try:
                for presence in presences_in(name, names, catalog):
                    seen[presence.instant_ms] = presence.seen or seen.get(presence.instant_ms, False)
            except DamagedFileError:
                continue  # parts_at tells of it
        tried = sorted(seen)
        good = [instant_ms for instant_ms in tried if seen[instant_ms]]
        self.frames: dict[int, list[int]] = {}
        """Instant to the frames that show it, ascending."""
        self.shown_ms: list[int | None] = []
        """By frame."""
        self.tried_ms: list[int | None] = []
        """By frame: the newest instant of all, which may have failed; None where nothing is shown."""
        for frame, at_ms in enumerate(asked_ms):
            best_ms = _newest(good, at_ms, staleness_ms)
            self.shown_ms.append(best_ms)
            self.tried_ms.append(None if best_ms is None else _newest(tried, at_ms, staleness_ms))
            if best_ms is not None:
                self.frames.setdefault(best_ms, []).append(frame)
        self._parts = {
            instant_ms: parts_at(names, files, instant_ms)
            for instant_ms in sorted({*self.frames, *(ms for ms in self.tried_ms if ms is not None)})
        }
        self.facts = dict(self._read_facts())

    def rows(self, kind: str) -> Iterator[pa.Table]:
        """The rows of ``kind`` at the instants that are shown: whole instants, in the format's order."""
        wanted = {instant_ms: self._parts[instant_ms] for instant_ms in self.frames}
        for file, instants_ms in _alone(wanted).items():
            yield from file.at_instants(kind, instants_ms)
        for instant_ms, parts in wanted.items():
            if len(parts) > 1:
                yield rows_at(parts, kind, instant_ms)

    def _read_facts(self) -> Iterator[tuple[int, Facts]]:
        for file, instants_ms in _alone(self._parts).items():
            for rows in file.at_instants("outcome", instants_ms):
                in_ms = rows["instant"].cast(pa.int64()).to_numpy()
                starts = np.flatnonzero(np.diff(in_ms, prepend=-1)).tolist()
                failed = np.asarray([each != Outcome.OK.value for each in rows["outcome"].to_pylist()])
                for start, end in zip(starts, [*starts[1:], len(in_ms)], strict=True):
                    part = rows.slice(start, end - start)
                    yield (int(in_ms[start]), _facts([part], bool(failed[start:end].any())))
        for instant_ms, parts in self._parts.items():
            if len(parts) > 1:
                yield (instant_ms, _facts([part.rows_at("outcome", instant_ms) for part in parts], True))


def _newest(instants_ms: Sequence[int], at_ms: int, staleness_ms: int) -> int | None:
    index = bisect_right(instants_ms, at_ms)
    newest_ms = instants_ms[index - 1] if index else None
    return newest_ms if newest_ms is not None and newest_ms > at_ms - staleness_ms else None


def _alone(parts: Mapping[int, Sequence[EventFile]]) -> dict[EventFile, list[int]]:
    """Each file with the instants of which it is the only part."""
    by_file: dict[EventFile, list[int]] = {}
    for instant_ms, files in parts.items():
        if len(files) == 1:
            by_file.setdefault(files[0], []).append(instant_ms)
    return by_file


def _facts(outcomes: Sequence[pa.Table], failed: bool) -> Facts:
    """What the parts' outcomes of one instant say; ``failed`` is False where all are known to be good."""
    columns = ["interval_ms", "configuration", "backfilled"]
    first = outcomes[0].slice(0, 1).select(columns).to_pylist()[0]
    counting = counting_outcomes(outcomes).values() if failed else ()
    return Facts(
        first["interval_ms"],
        first["configuration"],
        any(rows["backfilled"][0].as_py() for rows in outcomes),
        tuple(
            FailedRule(each.cluster, each.rule, each.outcome.value, each.error)
            for each in sorted(counting, key=lambda each: (each.cluster, each.rule))
            if each.outcome is not Outcome.OK
        ),
    )
