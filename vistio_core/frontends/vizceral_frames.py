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
from vistio_core.replay.frames.frames import Frame, FrameLevel, FrameNotice, Frames
from vistio_core.samples import Floats
from vistio_core.sentences import Language
from vistio_core.times import format_instant

_ENCODER = msgspec.json.Encoder()
_CLASSES = ("normal", "warning", "danger")
_RATES_AT_ONCE, _NOTICES_AT_ONCE = 32_768, 1_000


def render(frames: Frames, graph: Graph, more: Json) -> bytes:
    """The frames as JSON; ``docs/http-api.md`` tells its shape.

    Args:
        frames: what is shown.
        graph: what the page draws: one with everything of the frames' topology (`stable_graph`).
        more: members to put in front.
    """
    return b"".join(pieces(frames, graph, more))


def pieces(frames: Frames, graph: Graph, more: Json, language: Language = "en") -> Iterator[bytes]:
    """What `render` returns, piece by piece: as numbers of Python and as text, rates take ten times their room."""
    drawn = root(graph, language)
    renamed = dict(_renamed(drawn))
    head = {**more, "graph": drawn, "frames": [_frame(frame) for frame in frames.frames]}
    yield _open(head) + b',"levels":['
    for place, level in enumerate(frames.levels):
        yield b"," if place else b""
        yield from _level(level, renamed.get(level.cluster, {}))
    yield b"]}"


def _open(members: Json) -> bytes:
    """An object that has more members than these."""
    return _ENCODER.encode(members).removesuffix(b"}")


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


def _level(level: FrameLevel, renamed: dict[str, str]) -> Iterator[bytes]:
    ends = [(renamed.get(source, source), renamed.get(target, target)) for source, target in level.edges]
    yield _open(
        {
            "cluster": level.cluster,
            "source": [source for source, _ in ends],
            "target": [target for _, target in ends],
        }
    )
    for column, name in enumerate(_CLASSES):
        yield f',"{name}":['.encode()
        yield from _rows(level.rates[:, :, column])
        yield b"]"
    yield b',"notices":['
    for start in range(0, len(level.notices), _NOTICES_AT_ONCE):
        some = level.notices[start : start + _NOTICES_AT_ONCE]
        yield (b"," if start else b"") + _ENCODER.encode([_notice(each, renamed) for each in some])[1:-1]
    yield b"]}"


def _notice(each: FrameNotice, renamed: dict[str, str]) -> Json:
    return {
        "frame": each.frame,
        "source": renamed.get(each.source, each.source),
        "target": renamed.get(each.target, each.target) or None,
        **vizceral_text.notices([each.notice])[0],
    }


def _rows(rates: Floats) -> Iterator[bytes]:
    """Rows of numbers, as they stand in a list: some at a time, between which others get their turn."""
    frames, edges = rates.shape
    at_once = max(1, _RATES_AT_ONCE // max(1, edges))
    for start in range(0, frames, at_once):
        # What is negative is drawn as zero, as in a graph.
        some = rates[start : start + at_once].clip(min=0.0)
        yield (b"," if start else b"") + _ENCODER.encode(some.tolist())[1:-1]
