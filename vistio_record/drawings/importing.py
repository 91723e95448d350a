"""Drawings into a recording: all are looked at, then each is committed as a scrape, once.

An imported instant is the moment of the drawing, to the millisecond; nothing is moved onto a grid. Its interval is
from there to the next drawing, or the usual one where none follows soon, so a gap between drawings is a gap:

    drawings     02:05:07.120   02:05:17.121   02:05:27.120                    02:09:07.303
    intervals    10,001 ms      9,999 ms       10,001 ms, then a gap: three and a half minutes

Where the writer has an instant of its own, that is what was seen, and a drawing of the same time is left out. So an
import can be repeated, be interrupted, and be done while Vistio still draws. Killed at any moment, some of the
drawings are in the log, each of them whole.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import pairwise
from statistics import median_low
from typing import TYPE_CHECKING, Protocol

import attrs

from vistio_core.times import HOUR_MS, SECOND_MS, align, format_instant
from vistio_record.drawings.chunks import ChunkFile, Refused, read_chunk
from vistio_record.drawings.drawing import NoDrawingError
from vistio_record.drawings.rules import Kinds

if TYPE_CHECKING:
    from vistio_core.configuration.model import Configuration
    from vistio_core.events import Scrape
    from vistio_core.recording.recording import Recording

_USUAL_MS = 10 * SECOND_MS
"""Vistio's default interval, where one drawing alone tells nothing of it."""
_SOON = 1.5
"""Of the usual interval: what comes later was not the next that was due."""


class DrawingsLog(Protocol):
    """What is needed of a recording's writer (`vistio_core.Writer`)."""

    def put_configuration(self, configuration: Configuration) -> str: ...

    def commit(self, scrape: Scrape) -> None: ...

    def seal(self, before_ms: int) -> list[str]: ...


@attrs.frozen
class Looked:
    """What there is to import."""

    chunks: Sequence[ChunkFile]
    kinds: Kinds = attrs.field(repr=False)
    instants_ms: Sequence[int] = attrs.field(repr=False)
    """Of all drawings, ascending, each once."""
    refused: Counter[Refused]
    double: int
    """Drawings of an instant that another one has."""

    @property
    def interval_ms(self) -> int:
        """The usual one: no drawing that was due came later after another."""
        distances = [later - earlier for earlier, later in pairwise(self.instants_ms)]
        if not distances:
            return _USUAL_MS
        usual = median_low(distances)
        return max(distance for distance in distances if distance <= usual * _SOON)


@attrs.define
class Brought:
    """What became of the drawings."""

    written: int = 0
    there: int = 0
    """Brought before, as they are."""
    seen: int = 0
    """Of a time of which the recording has what was seen itself."""
    left_out: Counter[str] = attrs.field(factory=Counter)
    """Reason to the number of connections, nodes and notices in what was written."""
    refused: Counter[Refused] = attrs.field(factory=Counter)


def look(chunks: Sequence[ChunkFile], advance: Callable[[int], object], pause: Callable[[], None]) -> Looked:
    """Read everything once: which rules it needs, and what is broken.

    Args:
        chunks: oldest first.
        advance: called with the number of chunks done since the last call.
        pause: called before each chunk; what it raises ends the work.
    """
    kinds, refused = Kinds(), Counter[Refused]()
    instants_ms: Counter[int] = Counter()
    for chunk in chunks:
        pause()
        for drawing in read_chunk(chunk):
            if isinstance(drawing, Refused):
                refused[drawing] += 1
            else:
                kinds.add(drawing)
                instants_ms[drawing.instant_ms] += 1
        advance(1)
    return Looked(chunks, kinds, sorted(instants_ms), refused, instants_ms.total() - len(instants_ms))


def recorded(recording: Recording, looked: Looked, writer: str) -> dict[int, int]:
    """What a writer has recorded around the drawings: instants, ascending, with their intervals."""
    if not looked.instants_ms:
        return {}
    start_ms = max(0, looked.instants_ms[0] - HOUR_MS)
    end_ms = looked.instants_ms[-1] + HOUR_MS
    table = recording.presence(format_instant(start_ms), format_instant(end_ms))
    columns = (table[name].to_pylist() for name in ("writer", "interval_ms"))
    instants = table["instant"].cast("int64").to_pylist()
    return {
        instant_ms: interval_ms
        for instant_ms, name, interval_ms in zip(instants, *columns, strict=True)
        if name == writer
    }


def fill(
    looked: Looked, known: dict[int, int], writer: DrawingsLog, pause: Callable[[], None], done: Brought
) -> Iterator[ChunkFile]:
    """Commit what is not there yet; finished hours are sealed on the way.

    Args:
        looked: what there is.
        known: what is recorded already (`recorded`).
        writer: who writes it.
        pause: called before each commit; what it raises ends the work.
        done: where it is added up.

    Yields:
        Each chunk when it is done.

    Raises:
        RecordingError: the recording refused.
    """
    seen_ms = sorted(known)
    due = _intervals(looked, seen_ms)
    hour_ms: int | None = None
    for chunk in looked.chunks:
        for drawing in read_chunk(chunk):
            pause()
            if isinstance(drawing, Refused):
                continue  # counted when it was looked at
            instant_ms = drawing.instant_ms
            before = bisect_right(seen_ms, instant_ms) - 1
            if instant_ms in known:
                done.there += 1
            elif instant_ms not in due:
                continue  # of a chunk that has grown meanwhile, or a second one of its instant
            elif before >= 0 and instant_ms < seen_ms[before] + known[seen_ms[before]]:
                done.seen += 1
            else:
                try:
                    configuration = writer.put_configuration(looked.kinds.configuration(drawing))
                    scrape = looked.kinds.scrape(drawing, due[instant_ms], configuration)
                except NoDrawingError as error:
                    done.refused[Refused(str(chunk.path), f"a drawing is left out: {error}")] += 1
                    continue
                if hour_ms is not None and align(instant_ms, HOUR_MS) > hour_ms:
                    writer.seal(align(instant_ms, HOUR_MS))
                hour_ms = align(instant_ms, HOUR_MS)
                writer.commit(scrape)
                del due[instant_ms]
                done.written += 1
                for outcome in scrape.outcomes:
                    done.left_out.update(outcome.dropped)
        yield chunk


def _intervals(looked: Looked, seen_ms: Iterable[int]) -> dict[int, int]:
    """From each drawing to the next, or to what was recorded next; the usual interval where that is not soon."""
    usual_ms = looked.interval_ms
    times = sorted({*looked.instants_ms, *seen_ms})
    following = dict(pairwise(times))
    return {
        instant_ms: following[instant_ms] - instant_ms
        if following.get(instant_ms, instant_ms + HOUR_MS * 24) - instant_ms <= usual_ms * _SOON
        else usual_ms
        for instant_ms in looked.instants_ms
    }
