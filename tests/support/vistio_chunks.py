"""Vistio's and promviz' storage, as their Go source writes it: chunks of drawings.

`storage/chunk.go` and `storage.go` name the files, `model/snapshot.go` and `model/vizceral.go` say what is in them.
What is particular to Go's JSON is kept: fields in their order, ``omitempty``, null for slices that were never made,
``<``, ``>`` and ``&`` as escapes, times with as many digits of a second as they need, in the zone of the server.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

Json = dict[str, Any]

CHUNK_S = 300
HOUR_S = 3600
START_S = 1_540_000_800
"""2018-10-20T02:00:00Z: an hour, and a chunk, begin."""


def go_json(value: object) -> str:
    """As `encoding/json` writes it."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text


def go_time(instant_ns: int, zone_hours: int = 0) -> str:
    """As `time.Time` marshals: RFC 3339 with nanoseconds, trailing zeros left out."""
    zone = timezone(timedelta(hours=zone_hours)) if zone_hours else UTC
    whole = datetime.fromtimestamp(instant_ns // 10**9, zone).replace(tzinfo=None).isoformat()
    fraction = f".{instant_ns % 10**9:09d}".rstrip("0").rstrip(".")
    return f"{whole}{fraction}{f'{zone_hours:+03d}:00' if zone_hours else 'Z'}"


def connection(
    source: str,
    target: str,
    normal: float = 0.0,
    warning: float = 0.0,
    danger: float = 0.0,
    notices: Sequence[Json] = (),
) -> Json:
    return {
        "source": source,
        "target": target,
        "metadata": {"streaming": 1},
        "metrics": {"danger": danger, "warning": warning, "normal": normal},
        "notices": list(notices),
    }


def notice(title: str, severity: int, link: str, subtitle: str = "") -> Json:
    return {
        "title": title,
        **({"subtitle": subtitle} if subtitle else {}),
        **({"link": link} if link else {}),
        "severity": severity,
    }


def node(name: str, node_class: str = "default", notices: Sequence[Json] | None = None) -> Json:
    """A service; `newServiceNode`."""
    return {
        "name": name,
        "renderer": "focusedChild",
        **({"class": node_class} if node_class else {}),
        "metadata": {"streaming": 1},
        "connections": None,
        "notices": None if notices is None else list(notices),
    }


def nodes_of(
    connections: Iterable[Json],
    classes: Mapping[str, str] | None = None,
    notices: Mapping[str, Sequence[Json]] | None = None,
) -> list[Json]:
    """Vistio's nodes are the ends of its connections, in the order of a map of Go's: any."""
    names = {name for each in connections for name in (each["source"], each["target"])}
    return [
        node(name, (classes or {}).get(name, "default"), (notices or {}).get(name))
        for name in sorted(names, key=lambda name: (len(name), name[::-1]))
    ]


def cluster(
    name: str,
    connections: Sequence[Json] | None = None,
    max_volume: float = 0.0,
    classes: Mapping[str, str] | None = None,
    notices: Mapping[str, Sequence[Json]] | None = None,
) -> Json:
    """A node of the global level; `newClusterNode`. Without connections it has no inside, as after a failed query."""
    inside = nodes_of(connections or (), classes, notices)
    return {
        "name": name,
        "renderer": "region",
        **({"maxVolume": max_volume} if max_volume else {}),
        "class": "default",
        "metadata": {"streaming": 1},
        **({"nodes": inside} if inside else {}),
        "connections": None if connections is None else list(connections),
        "notices": None,
    }


def graph(
    clusters: Sequence[Json] = (),
    connections: Sequence[Json] = (),
    max_volume: float = 0.0,
    name: str = "Vistio",
    classes: Sequence[Json] = ({"name": "default", "color": "rgb(186, 213, 237)"},),
    instant_ns: int = 0,
) -> Json:
    return {
        "renderer": "global",
        "name": name,
        **({"maxVolume": max_volume} if max_volume else {}),
        "serverUpdateTime": instant_ns // 10**9,
        "nodes": list(clusters),
        "connections": list(connections),
        "classes": list(classes),
    }


def snapshot(instant_ns: int, drawing: Json, zone_hours: int = 0) -> Json:
    drawing = drawing | {"serverUpdateTime": instant_ns // 10**9}
    return {"timestamp": go_time(instant_ns, zone_hours), "graphJSON": go_json(drawing)}


def chunk_path(directory: Path, start_s: int) -> Path:
    """`chunkPath`."""
    return directory / str(start_s // HOUR_S * HOUR_S) / f"{start_s}.json"


def write_chunk(directory: Path, start_s: int, snapshots: Sequence[Json], completed: bool = True) -> Path:
    path = chunk_path(directory, start_s)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(go_json({"id": start_s, "snapshots": list(snapshots), "completed": completed}))
    return path


def store(directory: Path, drawings: Mapping[int, Json], zone_hours: int = 0) -> None:
    """All of a directory; the keys are nanoseconds since the epoch."""
    chunks: dict[int, list[Json]] = {}
    for instant_ns, drawing in sorted(drawings.items()):
        start_s = instant_ns // 10**9 // CHUNK_S * CHUNK_S
        chunks.setdefault(start_s, []).append(snapshot(instant_ns, drawing, zone_hours))
    for start_s, snapshots in chunks.items():
        write_chunk(directory, start_s, snapshots)
