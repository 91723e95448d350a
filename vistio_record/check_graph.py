"""What is wrong with the graph as a whole, judged by what each rule saw of it. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import combinations

from vistio_core.configuration.model import Configuration, ConnectionRule, Rule
from vistio_core.events import GLOBAL_LEVEL
from vistio_record.check_entries import Names, entries, no_traffic
from vistio_record.check_report import Edges, Finding, RuleReport, level_name, listed
from vistio_record.presets import Chosen

# Two rules count the same traffic when their rates on a shared edge differ by less than this share.
_SIMILAR = 0.1


def graph_findings(
    configuration: Configuration, rules: Sequence[RuleReport], chosen: Chosen | None, known_as: Names
) -> Iterable[Finding]:
    """Findings about what all rules together would draw.

    Args:
        configuration: whose rules these are.
        rules: what each of them saw.
        chosen: the preset that the configuration is, with its parameters; None if it is none.
        known_as: how the preset's gateways are told.
    """
    levels = _levels(configuration, rules)
    if not any(rule.edges for rule in rules):
        yield Finding("empty", GLOBAL_LEVEL, "no rule makes an edge: the page would stay blank")
    else:
        yield from no_traffic(configuration, levels, chosen, known_as)
    for cluster, edges in levels.items():
        yield from _not_reached(cluster, edges)
        yield from _two_names(cluster, {name for pair in edges for name in pair})
        yield from _names_of_istio(cluster, {name for pair in edges for name in pair})
    yield from _counted_twice(rules)
    yield from _apart(rules)


def _levels(
    configuration: Configuration, rules: Iterable[RuleReport]
) -> dict[str, dict[tuple[str, str], float]]:
    levels: dict[str, dict[tuple[str, str], float]] = {GLOBAL_LEVEL: {}}
    levels |= {cluster.cluster: {} for cluster in configuration.clusters}
    for rule in rules:
        level = levels[rule.cluster]
        for pair, rate in rule.edges.items():
            level[pair] = level.get(pair, 0.0) + rate
    return levels


def _not_reached(cluster: str, edges: Edges) -> Iterable[Finding]:
    targets: defaultdict[str, set[str]] = defaultdict(set)
    for source, target in edges:
        targets[source].add(target)
    called = {target for _, target in edges}
    first = entries(edges)
    reached, todo = set(first), list(first)
    while todo:
        for target in targets.get(todo.pop(), ()):
            if target not in reached:
                reached.add(target)
                todo.append(target)
    lost = sorted({*targets, *called} - reached)
    if lost:
        who = f"the entry nodes are {listed(first)}" if first else "there is no entry node"
        yield Finding(
            "not-reached",
            cluster,
            f"in {level_name(cluster)} no entry node (one that calls and is not called) reaches"
            f" {listed(lost)}; {who}. Is a rule for the traffic from outside missing?",
        )


def _two_names(cluster: str, names: set[str]) -> Iterable[Finding]:
    """Services that appear under a short name and a host name: two label families, two nodes."""
    families: defaultdict[str, list[str]] = defaultdict(list)
    for name in names:
        first = name.partition(".")[0]
        # Of an IP address the first part says nothing.
        if first and not first.isdigit():
            families[first].append(name)
    pairs = []
    for _, family in sorted(families.items()):
        family.sort(key=lambda name: (len(name), name))
        for short, long in combinations(family, 2):
            if long.startswith(f"{short}."):
                pairs.append(f"{short} and {long}")
                break
    if pairs:
        yield Finding(
            "two-names",
            cluster,
            f"in {level_name(cluster)} these look like one service under two names: {listed(pairs)};"
            " map both ends from the same kind of label, or cut the host name with a regex such as ^([^.]+)",
        )


def _names_of_istio(cluster: str, names: set[str]) -> Iterable[Finding]:
    """Envoy's own statistics in Istio call a service outbound|80||cart.shop.svc.cluster.local."""
    found = sorted(name for name in names if name.startswith(("outbound|", "outbound_.")))
    if found:
        yield Finding(
            "istio-statistics",
            cluster,
            f"in {level_name(cluster)} services are called as clusters of Istio's Envoys are, {listed(found)}, which no"
            " caller is called: take the preset istio, whose metrics have names, or cut the host out of"
            " them with a regex in a copy",
        )


def _counted_twice(rules: Iterable[RuleReport]) -> Iterable[Finding]:
    for one, other in combinations((rule for rule in rules if rule.edges), 2):
        if one.cluster != other.cluster or _two_witnesses(one.rule, other.rule):
            continue
        shared = [pair for pair in one.edges if pair in other.edges]
        same = [pair for pair in shared if _similar(one.edges[pair], other.edges[pair])]
        if same and 2 * len(same) >= len(shared):
            (source, target), rates = same[0], f"{one.edges[same[0]]:.2f} and {other.edges[same[0]]:.2f}"
            yield Finding(
                "counted-twice",
                one.cluster,
                f"in {level_name(one.cluster)} the rules {one.rule.id} and {other.rule.id} see"
                f" {len(same)} edges with nearly the same rates ({source} to {target}: {rates} requests/s);"
                " if it is the same traffic it counts twice: is each the report of one end?",
            )


def _two_witnesses(one: Rule, other: Rule) -> bool:
    """Whether one reports what the callers say and the other what the called side says."""
    reporters = {rule.witness for rule in (one, other) if isinstance(rule, ConnectionRule)}
    return len(reporters - {None}) == 2


def _apart(rules: Sequence[RuleReport]) -> Iterable[Finding]:
    """Rules about nodes none of which has requests: named by other labels, they land on nodes of their own."""
    for rule in rules:
        if isinstance(rule.rule, ConnectionRule) or not rule.nodes:
            continue
        busy = {
            name
            for other in rules
            if other.cluster == rule.cluster and isinstance(other.rule, ConnectionRule)
            for name in other.nodes
        }
        if busy and busy.isdisjoint(rule.nodes):
            yield Finding(
                "apart",
                rule.cluster,
                f"in {level_name(rule.cluster)} the rule {rule.rule.id} is about {listed(rule.nodes)}, none of which"
                f" has requests; those that have are {listed(sorted(busy))}. Does it name its nodes by other labels?",
            )


def _similar(one: float, other: float) -> bool:
    larger = max(abs(one), abs(other))
    return larger > 0 and abs(one - other) <= _SIMILAR * larger
