"""Frames for a page that draws Vizceral graphs: one graph that never changes its shape, and columns.

``graph`` is a Vizceral graph (`vizceral`) of everything that any frame shows. ``levels`` has the rates
of its connections, frame by frame, so that showing a frame is writing numbers into a picture that
stays in place. Names are those of the graph: where the component could not hold a name, it is the
changed one.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from vistio_core.events import GLOBAL_LEVEL
from vistio_core.frontends import vizceral_text
from vistio_core.frontends.vizceral import about, root
from vistio_core.frontends.vizceral_level import DrawnNode, Json
from vistio_core.graph.model import Graph
from vistio_core.replay.frames.frames import Frame, FrameLevel, Frames
from vistio_core.times import format_instant

_ENCODER = msgspec.json.Encoder()
_CLASSES = ("normal", "warning", "danger")


def render(frames: Frames, graph: Graph, more: Json) -> bytes:
    """The frames as JSON; ``docs/http-api.md`` tells its shape.

    Args:
        frames: what is shown.
        graph: what the page draws: one with everything of the frames' topology (`stable_graph`).
        more: members to put in front.
    """
    drawn = root(graph)
    renamed = dict(_renamed(drawn))
    return _ENCODER.encode(
        {
            **more,
            "graph": drawn,
            "frames": [_frame(frame) for frame in frames.frames],
            "levels": [_level(level, renamed.get(level.cluster, {})) for level in frames.levels],
        }
    )


def _renamed(drawn: Json) -> Iterator[tuple[str, dict[str, str]]]:
    """Each level's names that the component could not hold, and what they are in the graph."""
    levels: list[tuple[str, list[DrawnNode]]] = [(GLOBAL_LEVEL, drawn["nodes"])]
    for node in drawn["nodes"]:
        if isinstance(node.nodes, list):
            levels.append((_name(node), node.nodes))
    for cluster, nodes in levels:
        yield cluster, {_name(node): node.name for node in nodes if _name(node) != node.name}


def _name(node: DrawnNode) -> str:
    """As it was recorded."""
    name: str = node.metadata.get("vistio", {}).get("name", node.name)
    return name


def _frame(frame: Frame) -> Json:
    if frame.instant_ms is None:
        return {"asked": format_instant(frame.asked_ms), "instant": None}
    return about(frame, frame.instant_ms)


def _level(level: FrameLevel, renamed: dict[str, str]) -> Json:
    ends = [(renamed.get(source, source), renamed.get(target, target)) for source, target in level.edges]
    # What is negative is drawn as zero, as in a graph.
    rates = level.rates.clip(min=0.0)
    return {
        "cluster": level.cluster,
        "source": [source for source, _ in ends],
        "target": [target for _, target in ends],
        **{name: rates[:, :, column].tolist() for column, name in enumerate(_CLASSES)},
        "notices": [
            {
                "frame": each.frame,
                "source": renamed.get(each.source, each.source),
                "target": renamed.get(each.target, each.target) or None,
                **vizceral_text.notices([each.notice])[0],
            }
            for each in level.notices
        ],
    }
