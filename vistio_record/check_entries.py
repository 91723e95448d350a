"""Whether traffic enters, and who looks as if it let it in. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Set
from difflib import get_close_matches

from vistio_core.configuration.model import Configuration
from vistio_core.events import GLOBAL_LEVEL
from vistio_record.check_report import Edges, Finding, level_name, listed
from vistio_record.presets import Chosen

GATEWAY = "gateway"
"""The parameter of presets that says who is at the edge of the mesh."""

# What stands at the edge of a mesh is mostly called after that, or after the program that it is.
_LOOKS_LIKE_A_GATEWAY = re.compile(
    r"gateway|ingress|(^|[-_.])(gw|edge|front(end)?[-_]?proxy|front|router|lb|proxy|nginx|envoy|traefik|kong|contour|"
    r"haproxy)([-_.]|$)|-istio([.]|$)",
    re.IGNORECASE,
)
Names = Mapping[str, Set[str]]
"""Node to what the label that a preset's gateways are told by says of it."""

_NOBODY = frozenset({"unknown", "user", "outside"})


def entries(edges: Edges) -> list[str]:
    """Who calls and is not called, sorted."""
    return sorted({source for source, _ in edges} - {target for _, target in edges})


def like_gateways(edges: Edges) -> list[str]:
    """Entries of a cluster that are called as gateways are, and send something."""
    sent: dict[str, float] = {}
    for (source, _), rate in edges.items():
        sent[source] = sent.get(source, 0.0) + rate
    return [name for name in entries(edges) if sent[name] > 0 and _LOOKS_LIKE_A_GATEWAY.search(name)]


def no_traffic(
    configuration: Configuration, levels: Mapping[str, Edges], chosen: Chosen | None, known_as: Names
) -> Iterable[Finding]:
    """Clusters with traffic that nobody was seen to enter. They can be entered on the page all the same."""
    clusters = [cluster.cluster for cluster in configuration.clusters]
    entering = {name: _entering(name, levels[GLOBAL_LEVEL]) for name in clusters}
    others = sorted({target for _, target in levels[GLOBAL_LEVEL]} - set(clusters))
    for cluster in clusters:
        edges = levels[cluster]
        if entering[cluster] > 0 or not edges:
            continue
        gateways = like_gateways(edges)
        if any(entering.values()) and not gateways and not others:
            continue  # one of several clusters that nobody calls from outside
        message = f"no traffic enters {level_name(cluster)}: no rule of the global level sees any"
        if others:
            near = get_close_matches(cluster, others, 1, 0.5)
            meant = f"; did you mean {near[0]}?" if near else ""
            message += f". It has {listed(others)}, which no cluster is called{meant}"
        if gateways:
            message += f". {_looks(gateways)}: {remedy(gateways, chosen, known_as)}"
        elif first := [name for name in entries(edges) if name not in _NOBODY]:
            message += f". Those who call and are not called are {listed(first)}"
        yield Finding("nothing-enters", cluster, message)


def remedy(gateways: Iterable[str], chosen: Chosen | None, known_as: Names) -> str:
    """What to write so that these nodes' requests count as those that enter."""
    if chosen is None:
        return "select what they send in a rule of globalLevel"
    value = chosen.values.get(GATEWAY)
    if value is None:
        return f"select what they send in a rule of globalLevel, in a copy of the preset {chosen.name}"
    names = [name for node in gateways for name in sorted(_names(node, known_as))]
    several = "|".join(dict.fromkeys(re.escape(name).replace("\\-", "-") for name in names))
    return f"the preset's parameter says which ones count, as by --set {GATEWAY}='{value}|{several}'"


def _names(node: str, known_as: Names) -> Set[str]:
    first = node.partition(".")[0]
    return known_as.get(node) or known_as.get(first) or {first}


def _looks(gateways: list[str]) -> str:
    if len(gateways) == 1:
        return f"{gateways[0]} looks like a gateway (it calls and is not called)"
    return f"{listed(gateways)} look like gateways (they call and are not called)"


def _entering(cluster: str, edges: Edges) -> float:
    return sum(rate for (source, target), rate in edges.items() if target == cluster and source != cluster)
