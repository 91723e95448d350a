"""The graph as Netflix's Vizceral component reads it: Vistio's ``/graph``, without its traps.

Two levels. The root is the *global* graph; its nodes are clusters and what lies outside; a cluster
carries its *region*, the graph inside. The unmodified component loses, misdraws or throws at
much that is natural in a graph. What is done about it:

- Every node is in reach of an *entry node*, by edges with zero rates where there is no traffic
  (`reach`). On the global level the entry is ``INTERNET``, made up if need be; inside of a cluster it is
  a real ``INTERNET`` if there is one to use, else ``no-caller-seen``.
- Every global node but the entry can be entered, even if there is nothing inside: a node that
  loses its inside stops the component. A placeholder says why it is empty: ``no-traffic``,
  ``not-seen`` (its rules failed) or ``not-recorded`` (no rules).
- What is made up says so: ``metadata.vistio.synthetic`` is true on such nodes and edges.
- Names, notices and colours are made safe (`vizceral_text`). A name that had to be changed is kept in
  ``metadata.vistio.name``. ``displayName``, where it is not the name, is what people shall see (`names.visible`).
- A negative rate is drawn as 0; the recorded one is in ``metadata.vistio.rates``.
- ``maxVolume`` is the configured one, doubled until it is at least the largest edge shown. A single
  graph cannot know the peak of the window that is scrubbed through; the doubling makes the scale
  jump seldom, and by the same steps each time.

``metadata.vistio`` also carries what else is known: ``measurements``, and on the root the graph's instant.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Protocol

import attrs
import msgspec

from vistio_core.configuration.model import Severity
from vistio_core.errors import UsageError
from vistio_core.events import GLOBAL_LEVEL
from vistio_core.frontends import reach, vizceral_text
from vistio_core.frontends.tidy import tidy
from vistio_core.frontends.vizceral_level import INTERNET, SYNTHETIC, DrawnNode, Json, Level, scale
from vistio_core.graph.edges import Edges
from vistio_core.graph.model import FailedRule, Graph, Node, Notice, Region
from vistio_core.marked_from import MarkedFrom
from vistio_core.names import visible
from vistio_core.sentences import LANGUAGES, Language, language_named, say, translated
from vistio_core.times import format_instant

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

NO_TRAFFIC, NOT_SEEN, NOT_RECORDED = "no-traffic", "not-seen", "not-recorded"

_ENCODER = msgspec.json.Encoder()


class Vizceral:
    """JSON for the Vizceral component. Options: ``lang``, of what notices say that the graph does not have."""

    name = "vizceral"
    content_type = "application/json"
    options: tuple[str, ...] = ("lang",)

    def render(self, graph: Graph, options: Mapping[str, str]) -> bytes:
        """The graph as Vistio's ``/graph``; see the module's text for what is added."""
        return _ENCODER.encode(root(graph, _language(options.get("lang", LANGUAGES[0]))))


def _language(given: str) -> Language:
    if language := language_named(given):
        return language
    allowed = ", ".join(LANGUAGES)
    raise UsageError(
        say("option {option}={value!r}: use one of {allowed}", option="lang", value=given, allowed=allowed)
    )


def root(graph: Graph, language: Language = "en") -> Json:
    """The graph as what the encoder takes: its nodes are `DrawnNode`, its connections `DrawnConnection`."""
    failed: defaultdict[str, list[FailedRule]] = defaultdict(list)
    for rule in graph.failed_rules:
        failed[rule.cluster].append(rule)
    regions = {region.name: region for region in graph.regions}
    # A cluster is shown although no traffic reaches it from outside: its services may still talk.
    clusters = [
        Node(name) for name in {*regions, *failed} - {node.name for node in graph.nodes} - {GLOBAL_LEVEL}
    ]
    nodes, edges = tidy([*graph.nodes, *clusters], graph.edges)
    entry = _global_entry(nodes, edges)
    level = Level(nodes, edges, entry=entry, renderer="region")
    used: set[str] = set()
    volumes = [0.0]
    for node, drawn in zip(nodes, level.drawn, strict=True):
        used.add(drawn.node_class)
        rules = failed[node.name] if node.name != entry else failed[GLOBAL_LEVEL]
        if node.name != entry or node.name in regions:
            volumes.append(_fill(drawn, _Inside(node.name, regions.get(node.name), rules, language), used))
        if rules:
            drawn.notices = vizceral_text.notices([*node.notices, _unseen(rules, language)])
    if level.synthetic_entry is not None and failed[GLOBAL_LEVEL]:
        level.synthetic_entry.notices = vizceral_text.notices([_unseen(failed[GLOBAL_LEVEL], language)])
    return {
        "renderer": "global",
        "name": vizceral_text.safe_key(graph.name or "vistio"),
        "maxVolume": scale(graph.max_volume, level.peak) or max(volumes) or 1.0,
        "entryNode": level.wire(entry),
        "serverUpdateTime": graph.instant_ms // 1000,
        "metadata": {"vistio": about(graph, graph.instant_ms)},
        "nodes": level.nodes,
        "connections": level.connections,
        "classes": vizceral_text.classes({known.name: known.color for known in graph.classes}, used),
    }


class _Told(Protocol):
    """What a graph, or a frame, tells about itself."""

    @property
    def asked_ms(self) -> int: ...
    @property
    def interval_ms(self) -> int: ...
    @property
    def failed_rules(self) -> tuple[FailedRule, ...]: ...
    @property
    def configuration(self) -> str: ...
    @property
    def backfilled(self) -> bool: ...
    @property
    def marked_from(self) -> MarkedFrom: ...


def about(told: _Told, instant_ms: int) -> Json:
    """``metadata.vistio`` of a graph that shows ``instant_ms``."""
    return {
        "instant": format_instant(instant_ms),
        "asked": format_instant(told.asked_ms),
        "age_s": (told.asked_ms - instant_ms) / 1000,
        "interval_s": told.interval_ms / 1000,
        "failed_rules": [_failed(rule) for rule in sorted(told.failed_rules, key=_by_rule)],
        "configuration": told.configuration,
        "backfilled": told.backfilled,
        "marked_from": attrs.asdict(told.marked_from),
    }


def _by_rule(rule: FailedRule) -> tuple[str, str]:
    return rule.cluster, rule.rule


def _failed(rule: FailedRule) -> Json:
    return {"cluster": rule.cluster, "rule": rule.rule, "outcome": rule.outcome, "error": rule.error}


def _unseen(rules: Sequence[FailedRule], language: Language) -> Notice:
    first, *others = sorted(rules, key=_by_rule)
    title = say(
        "Not all was seen: rule {rule}: {outcome}: {error}",
        rule=first.rule,
        outcome=translated(first.outcome, language),
        error=first.error,
    )
    if others:
        title = say("{unseen}, and {more} more", unseen=title, more=len(others))
    return Notice(title=title.told(language), severity=Severity.WARNING)


def _global_entry(nodes: Sequence[Node], edges: Edges) -> str:
    """Who stands in the middle: ``INTERNET``, real or not, or else the first that nobody calls.

    It is always said (``entryNode``), since two entries would be drawn on top of each other.
    """
    if any(node.name == INTERNET for node in nodes):
        return INTERNET
    return min(reach.entries(edges.ends), default=INTERNET)


@attrs.frozen
class _Inside:
    """What is known of the inside of a cluster, and the language to say it in."""

    cluster: str
    region: Region | None
    failed: Sequence[FailedRule]
    language: Language


def _fill(drawn: DrawnNode, inside: _Inside, used: set[str]) -> float:
    """Makes a global node a graph of its own; notes its classes in ``used``; returns its ``maxVolume``."""
    region = inside.region
    nodes, edges = tidy(region.nodes, region.edges) if region is not None else tidy((), ())
    configured = region.max_volume if region is not None else 0.0
    if nodes:
        level = Level(nodes, edges, entry=None, renderer="focusedChild")
        used.update([service.node_class for service in level.drawn])
        drawn.nodes, drawn.connections = level.nodes, level.connections
        drawn.max_volume = scale(configured, level.peak) or 1.0
    else:
        drawn.nodes = [_placeholder(inside)]
        drawn.max_volume = scale(configured, 0.0) or 1.0
    return drawn.max_volume


def _placeholder(inside: _Inside) -> DrawnNode:
    cluster = visible(inside.cluster)
    if inside.failed:
        name, notice = NOT_SEEN, _unseen(inside.failed, inside.language)
    elif inside.region is not None:
        told = say("All rules of {cluster} were answered: no traffic", cluster=cluster)
        name, notice = NO_TRAFFIC, Notice(told.told(inside.language), Severity.INFO)
    else:
        told = say("No rule looks into {cluster}", cluster=cluster)
        name, notice = NOT_RECORDED, Notice(told.told(inside.language), Severity.INFO)
    return DrawnNode(name, "focusedChild", "default", SYNTHETIC, vizceral_text.notices([notice]))
