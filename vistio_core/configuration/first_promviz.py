"""A file of the first promviz, rewritten to the keys that came after it. Pure, and text to text: comments stay.

    clusterConnections:                globalLevel:
      - query: ...                       clusterConnections:
    clusters:                              - query: ...
      - name: demo                     clusterLevel:
        serviceConnections: ...          - cluster: demo
                                           serviceConnections: ...

Where a file has the later keys as well, those count, as they did then.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from vistio_core.configuration.yaml_lines import Items, Table

if TYPE_CHECKING:
    from collections.abc import Mapping

# What YAML takes for one: the lines of the values are counted so.
_LINE_END = re.compile("\r\n|[\n\r\x85\u2028\u2029]")
_CLUSTERS, _CONNECTIONS = "clusters", "clusterConnections"


def converted(text: str, root: Table) -> str | None:
    """The same file with the keys of today; None where it is none of the first promviz, or not written line by line.

    Args:
        text: the file's.
        root: what it says.
    """
    keys = {
        key
        for key, instead in ((_CLUSTERS, "clusterLevel"), (_CONNECTIONS, "globalLevel"))
        if instead not in root.entries and _has_items(root, key)
    }
    lines = _LINE_END.split(text)
    if not keys or any(not lines[root.key_lines[key] - 1].startswith(f"{key}:") for key in keys):
        return None
    clusters = root.entries.get(_CLUSTERS)
    if _CLUSTERS in keys and isinstance(clusters, Items):
        _rename(lines, root.key_lines[_CLUSTERS], _CLUSTERS, "clusterLevel")
        for cluster in clusters.values:
            if isinstance(cluster, Table) and "cluster" not in cluster.entries and "name" in cluster.entries:
                _rename(lines, cluster.key_lines["name"], "name", "cluster")
    if _CONNECTIONS in keys:
        first = root.key_lines[_CONNECTIONS] - 1
        after = _end(root.key_lines, first, len(lines))
        lines[first:after] = ["globalLevel:", *(f"  {line}" if line else "" for line in lines[first:after])]
    return "\n".join(lines).rstrip("\n") + "\n"


def _has_items(root: Table, key: str) -> bool:
    found = root.entries.get(key)
    return isinstance(found, Items) and bool(found.values)


def _rename(lines: list[str], line: int, key: str, other: str) -> None:
    lines[line - 1] = re.sub(rf"(?<![\w-]){key}(?=\s*:)", other, lines[line - 1], count=1)


def _end(key_lines: Mapping[str, int], first: int, number: int) -> int:
    """Index of the line where the next key of the root begins, or of the one after the last."""
    return min((line - 1 for line in key_lines.values() if line - 1 > first), default=number)
