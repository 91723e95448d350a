"""What series say before any rule has looked at them: copies, and what Istio does not know. Pure.

A graph has lost it: that two series are one counter, scraped twice, or whose service a failed request was for.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence, Set
from itertools import combinations

import attrs

from vistio_core.configuration.regexes import Regex
from vistio_core.events import GLOBAL_LEVEL
from vistio_record.check_entries import GATEWAY, Names, like_gateways, remedy
from vistio_record.check_report import Finding, listed
from vistio_record.presets import Chosen
from vistio_record.sources.windows import Sampled

_SIMILAR = 0.1
_UNKNOWN = ("", "unknown")
_WAYPOINT = "(.+-)?waypoint"

# Labels that say who scraped or where, and nothing about the traffic.
_SCRAPE = frozenset(
    {"job", "instance", "endpoint", "container", "service", "scrape_job", "monitor", "receive", "port"}
)
_REPLICA = re.compile("replica|prometheus")
_PODS = ("pod", "pod_name", "kubernetes_pod_name")

Labels = Mapping[str, str]


@attrs.frozen
class Seen:
    """Series of a metric, whatever rules make of them."""

    metric: str
    series: Sequence[tuple[Labels, float]]
    """Labels, and growth per second. Those that grow fastest, if there are very many."""
    named_by: Set[str] = frozenset()
    """Labels that rules name nodes by: these are about the traffic."""
    whole: bool = True
    """Whether the series are as they were scraped; else they are sums, by what says who they are."""


def window_findings(found: Iterable[Sampled]) -> Iterable[Finding]:
    """Windows that hold two scrapes at times only: an empty answer means nothing then, and is none."""
    for each in dict.fromkeys(found):
        if each.is_too_rare:
            yield Finding(
                "window-too-short",
                GLOBAL_LEVEL,
                f"{each}: at most instants there is none, and nothing is seen. Take a window of four samples,"
                f" [{each.enough}] (with a preset: --set window={each.enough}), or scrape more often",
            )


def series_findings(
    seen: Sequence[Seen], nodes: Set[str], chosen: Chosen | None, *, entered: bool = True
) -> Iterable[Finding]:
    """Findings about the series themselves.

    Args:
        seen: of each metric.
        nodes: names of all nodes that rules make.
        chosen: the preset in force, if one is.
        entered: whether traffic enters; if not, `check_entries` has told who looks like a gateway.
    """
    for metric in seen:
        if metric.whole:
            yield from _scraped_twice(metric)
        else:
            rows = [(_Istio(labels), rate) for labels, rate in metric.series]
            yield from _no_canonical_name([row for row, _ in rows], nodes)
            yield from _service_and_workload([row for row, _ in rows], nodes)
            yield from _both_ways([row for row, _ in rows], chosen)
            if entered:
                yield from _gateways(rows, chosen)


def gateway_names(seen: Sequence[Seen], chosen: Chosen | None) -> Names:
    """By node, what the label says of it by which the preset tells gateways: workloads of Istio's, jobs of Envoys."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    label = chosen.labels.get(GATEWAY) if chosen else None
    for labels, _ in (row for metric in seen for row in metric.series if label):
        value = labels.get(label or "", "")
        if not value:
            continue
        # A node is called as one of the labels, with or without a namespace behind it.
        names = {_Istio(labels).node("source")} if label == "source_workload" else set(labels.values())
        for name in names - {""}:
            found[name].add(value)
    return found


# -- copies


def _scraped_twice(seen: Seen) -> Iterable[Finding]:
    alike: defaultdict[frozenset[tuple[str, str]], list[tuple[Labels, float]]] = defaultdict(list)
    for labels, rate in seen.series:
        if rate > 0:
            alike[
                frozenset(item for item in labels.items() if not _of_scrape(item[0], seen.named_by))
            ].append((labels, rate))
    told: defaultdict[str, set[str]] = defaultdict(set)
    copies = 0
    example: Labels = {}
    for group in alike.values():
        for (one, rate), (other, another) in combinations(group[:50], 2):
            if abs(rate - another) <= _SIMILAR * max(rate, another) and _one_target(one, other):
                copies += 1
                example = example or one
                for name in {*one, *other}:
                    if one.get(name) != other.get(name):
                        told[name] |= {one.get(name, ""), other.get(name, "")}
    if copies:
        by = "; ".join(f"{name} ({listed(sorted(values))})" for name, values in sorted(told.items()))
        yield Finding(
            "scraped-twice",
            GLOBAL_LEVEL,
            f"{seen.metric} has the same series more than once, {copies} of them, with nearly the same rates, so these"
            f" requests count twice. What tells the copies apart is {by}. Scrape each proxy by one job, or ask a server"
            " that leaves out what replicas have twice (in a copy of the rules, select one of them)",
        )


def _of_scrape(name: str, named_by: Set[str]) -> bool:
    if name in ("job", "instance") or _REPLICA.search(name):
        return True
    return name in _SCRAPE and name not in named_by


def _one_target(one: Labels, other: Labels) -> bool:
    """Whether two series that differ in labels of scraping only are of one proxy, not of two that have equal load."""
    if any(one.get(pod, "") != other.get(pod, "") for pod in _PODS if one.get(pod) and other.get(pod)):
        return False
    here, there = one.get("instance", ""), other.get("instance", "")
    if here == there or any(
        _REPLICA.search(name) and one.get(name) != other.get(name) for name in {*one, *other}
    ):
        return True
    hosts = {here.rpartition(":")[0] or here, there.rpartition(":")[0] or there}
    local = any(host.startswith(("127.", "localhost", "[::1]")) for host in hosts)
    return (len(hosts) == 1 and not local) or one.get("job", "") != other.get("job", "")


# -- Istio


class _Istio:
    """A series of Istio's, by what it says of both ends."""

    def __init__(self, labels: Labels) -> None:
        self.labels = labels
        self.reporter = labels.get("reporter", "")

    def _known(self, label: str) -> str:
        value = self.labels.get(label, "")
        return "" if value in _UNKNOWN else value

    def workload(self, end: str) -> str:
        """The workload at ``source`` or ``destination``; empty where nobody knows it."""
        return self._known(f"{end}_workload")

    def canonical(self, end: str) -> str:
        return self._known(f"{end}_canonical_service")

    def node(self, end: str) -> str:
        """As the presets call it; empty where nobody knows it."""
        name = self.canonical(end) or self.workload(end)
        return self._with_namespace(name, self._known(f"{end}_workload_namespace"))

    @property
    def service(self) -> str:
        """The Kubernetes service that was called, with its namespace if that is known."""
        name = self._known("destination_service_name").partition(":")[0]
        host = re.match(r"(?:[^.]+[.])?([^.]+[.][^.]+)[.]svc([.]|$)", name)
        if host is not None:
            return host[1]
        return (
            name if "." in name else self._with_namespace(name, self._known("destination_service_namespace"))
        )

    @staticmethod
    def _with_namespace(name: str, namespace: str) -> str:
        return f"{name}.{namespace}" if name and namespace else name


def _no_canonical_name(rows: Sequence[_Istio], nodes: Set[str]) -> Iterable[Finding]:
    found = sorted(
        {
            row.node(end)
            for row in rows
            for end in ("source", "destination")
            if row.workload(end) and not row.canonical(end)
        }
    )
    if found:
        drawn = (
            "they are called by their workloads"
            if any(name in nodes for name in found)
            else "the rules do not name them: take source_workload and destination_workload"
        )
        yield Finding(
            "no-canonical-name",
            GLOBAL_LEVEL,
            f"Istio has no canonical service for {listed(found)} (missing, or unknown): {drawn}. The label"
            " service.istio.io/canonical-name, or app, of their pods would give them one",
        )


def _service_and_workload(rows: Sequence[_Istio], nodes: Set[str]) -> Iterable[Finding]:
    """Services that are called otherwise than their workloads, of which requests did not arrive."""
    owners: defaultdict[str, set[str]] = defaultdict(set)
    for row in rows:
        if row.workload("destination") and row.service:
            owners[row.service].add(row.node("destination"))
    lost = {row.service for row in rows if not row.workload("destination")}
    for service in sorted(lost & owners.keys()):
        names = sorted(owners[service])
        if names == [service]:
            continue
        several = len(names) > 1
        if service in nodes:
            drawn = f"what never arrived is on a node of its own, {service}"
            drawn += ", since it could be for any of them" if several else "; name both by the same labels"
        else:
            drawn = f"what never arrived is on the node {names[0]}, too"
        of = "workloads" if several else "workload"
        yield Finding(
            "service-and-workload",
            GLOBAL_LEVEL,
            f"{service} is the Kubernetes service of the {of} {listed(names)}: {drawn}",
        )


def _both_ways(rows: Sequence[_Istio], chosen: Chosen | None) -> Iterable[Finding]:
    waypoint = Regex(f"^(?:{chosen.values.get('waypoint', _WAYPOINT) if chosen else _WAYPOINT})$")
    found = sorted(
        {
            row.node("source")
            for row in rows
            if row.reporter == "source"
            and waypoint.matches(row.workload("source"))
            and row.workload("destination")
        }
    )
    if found:
        handled = chosen is not None and "waypoint" in chosen.values
        drawn = (
            "the preset counts the first"
            if handled
            else "each request counts twice; take the preset istio-ambient, or leave them out by their source_workload"
        )
        yield Finding(
            "waypoint-reports-both-ways",
            GLOBAL_LEVEL,
            f"{listed(found)} reports what it received and again what it sends on, as waypoints do before"
            f" Istio 1.23: {drawn}",
        )


def _gateways(rows: Sequence[tuple[_Istio, float]], chosen: Chosen | None) -> Iterable[Finding]:
    """Those that look like gateways, and are none to the preset."""
    if chosen is None or GATEWAY not in chosen.values:
        return
    regex = Regex(f"^(?:{chosen.values[GATEWAY]})$")
    edges: defaultdict[tuple[str, str], float] = defaultdict(float)
    workloads: defaultdict[str, set[str]] = defaultdict(set)
    for row, rate in rows:
        source, target = row.node("source"), row.node("destination") or row.service
        if source and target:
            edges[source, target] += rate
            workloads[source].add(row.workload("source"))
    known = {node for node, names in workloads.items() if any(regex.matches(name) for name in names)}
    found = [node for node in like_gateways(edges) if node not in known]
    if found:
        yield Finding(
            "gateway-not-named",
            GLOBAL_LEVEL,
            f"{listed(found)} looks like a gateway (it calls and is not called), but what it sends does not count as"
            f" what enters: {remedy(found, chosen, workloads)}",
        )
