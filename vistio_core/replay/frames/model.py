"""Many graphs in columns, as values: what `Recording.frames` answers."""

from __future__ import annotations

import attrs

from vistio_core.errors import NotInGraphError
from vistio_core.graph.model import FailedRule, Notice
from vistio_core.graph.topology import Topology
from vistio_core.marked_from import USUALLY_MARKED, MarkedFrom
from vistio_core.names import nearest
from vistio_core.samples import Floats
from vistio_core.times import format_duration, format_instant

MAX_FRAMES = 10_000
MAX_CELLS = 2_000_000
"""Most frames times edges: 48 MB of rates."""
MAX_NOTICES = 250_000
"""Most notices in all frames; where everything fails, each edge has one in each frame."""


@attrs.frozen
class Frame:
    """What `Graph` says about itself, of one frame."""

    asked_ms: int
    instant_ms: int | None = None
    """The instant that is shown; None where nothing was seen in the staleness up to ``asked_ms``."""
    interval_ms: int = 0
    configuration: str = ""
    failed_rules: tuple[FailedRule, ...] = ()
    backfilled: bool = False
    marked_from: MarkedFrom = USUALLY_MARKED


@attrs.frozen
class FrameNotice:
    """A notice of one frame, on an edge, or where ``target`` is empty on the node ``source``."""

    frame: int
    source: str
    target: str
    notice: Notice


@attrs.frozen(eq=False)
class FrameLevel:
    """One level through all frames."""

    cluster: str
    """Empty for the global level."""
    edges: tuple[tuple[str, str], ...]
    """Source and target, sorted: all that had traffic in some frame."""
    rates: Floats
    """Requests per second: frames by edges by class (normal, warning, danger); 0 where there was none, NaN where that
    was not seen: nothing is shown, or a rule was not answered that could have told."""
    notices: tuple[FrameNotice, ...]
    """By frame; within it in the graph's order."""


@attrs.frozen(eq=False, repr=False)
class Frames:
    """The graphs at ``start``, ``start + step``, ... before ``end``."""

    start_ms: int
    end_ms: int
    step_ms: int
    frames: tuple[Frame, ...]
    levels: tuple[FrameLevel, ...]
    """Those with edges or notices; the global one first, then by name."""
    topology: Topology
    """Who was there in some frame, and the peaks."""

    def __repr__(self) -> str:
        window = f"{format_instant(self.start_ms)} to {format_instant(self.end_ms)}"
        each = format_duration(self.step_ms)
        return f"<Frames of {window}: {len(self.frames):,}, one each {each}; levels: {len(self.levels):,}>"

    def level(self, cluster: str) -> FrameLevel:
        """The level of a cluster, or the global one for the empty name.

        Raises:
            NotInGraphError: it has neither edges nor notices in these frames; offers the nearest names.
        """
        for level in self.levels:
            if level.cluster == cluster:
                return level
        raise NotInGraphError("level", cluster, nearest(cluster, (level.cluster for level in self.levels)))
