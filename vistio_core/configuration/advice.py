"""What a configuration says that will not do what its author probably wants.

Nothing here stops anyone: Vistio loads all of it without a word. Each finding is a warning at
the line to look at.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from vistio_core.configuration.http_config import address
from vistio_core.configuration.model import (
    ClusterLevel,
    Configuration,
    ConnectionNotice,
    ConnectionRule,
    GlobalLevel,
    NodeMapping,
    Rule,
    ServiceNoticeRule,
    StatusMapping,
    StatusType,
    mappings_of,
)
from vistio_core.configuration.regexes import Regex, Replacement
from vistio_core.configuration.templates import fields
from vistio_core.errors import Problem

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vistio_core.configuration.places import Placed


def advise(root: Placed, configuration: Configuration) -> Iterator[Problem]:
    """Warnings about ``configuration``; ``root`` is the mapping that it was made from."""
    if not any(configuration.rules()):
        yield _at(root, "no rules, so the graph stays empty; add clusterConnections and serviceConnections")
    yield from _advise_on_levels(root, configuration)
    yield from _advise_on_servers(root, configuration)
    yield from _advise_on_classes(root, configuration)
    level = root.table.get("globalLevel")
    if level is not None:
        yield from _advise_on_rules(level, "clusterConnections", configuration.global_level)
        yield from _advise_on_measurements(level, "clusterMeasurements", configuration.global_level)
    for placed, cluster in zip(_items(root, "clusterLevel"), configuration.clusters, strict=True):
        yield from _advise_on_rules(placed, "serviceConnections", cluster)
        for place, notice in zip(_items(placed, "serviceNotices"), cluster.notices, strict=True):
            yield from _advise_on_service_notice(place, notice)
        yield from _advise_on_measurements(placed, "serviceMeasurements", cluster)


def _advise_on_levels(root: Placed, configuration: Configuration) -> Iterator[Problem]:
    """Clusters that no traffic enters, as far as that can be told without asking Prometheus."""
    rules: tuple[Rule, ...] = configuration.global_level.rules + configuration.global_level.measurements
    mappings = [mapping for rule in rules for mapping in mappings_of(rule)]
    if any(mapping.fields for mapping in mappings):
        return
    names = sorted({mapping.replacement for mapping in mappings})
    for placed, cluster in zip(_items(root, "clusterLevel"), configuration.clusters, strict=True):
        if cluster.cluster not in names:
            have = f"it has {', '.join(names)}" if names else "it has no rules"
            yield _at(
                placed.table["cluster"],
                f"no traffic enters {cluster.cluster!r}: no node of the global level has this name, {have};"
                " name a source or target there the same",
            )


def _advise_on_servers(root: Placed, configuration: Configuration) -> Iterator[Problem]:
    asked = {address(rule.prometheus_url) for _, rule in configuration.rules()}
    for place, server in zip(_items(root, "servers"), configuration.servers, strict=True):
        if address(server.url) not in asked:
            yield _at(place.table["url"], "no rule asks this server; its url must be that of a prometheusURL")


def _advise_on_classes(root: Placed, configuration: Configuration) -> Iterator[Problem]:
    known = {node_class.name for node_class in configuration.classes}
    seen: dict[str, int] = {}
    for place in _items(root, "classes"):
        name = place.table["name"]
        if name.text in seen:
            yield _at(
                name, f"found {name.text!r} again, first in line {seen[name.text]}; the last color counts"
            )
        seen.setdefault(name.text, name.line)
    for rule in _placed_rules(root):
        for end in ("source", "target", "service"):
            node_class = rule.table[end].table.get("class") if end in rule.table else None
            if node_class is not None and node_class.text and node_class.text not in known:
                yield _at(node_class, f"class {node_class.text!r} has no color; add it to classes")
                known.add(node_class.text)  # once is enough


def _placed_rules(root: Placed) -> Iterator[Placed]:
    if "globalLevel" in root.table:
        for key in ("clusterConnections", "clusterMeasurements"):
            yield from _items(root.table["globalLevel"], key)
    for cluster in _items(root, "clusterLevel"):
        for key in ("serviceConnections", "serviceNotices", "serviceMeasurements"):
            yield from _items(cluster, key)


def _advise_on_rules(level: Placed, key: str, model: GlobalLevel | ClusterLevel) -> Iterator[Problem]:
    for place, rule in zip(_items(level, key), model.rules, strict=True):
        yield from _advise_on_name(place, rule)
        for end, mapping in (("source", rule.source), ("target", rule.target)):
            yield from _advise_on_mapping(place.table[end], mapping)
        if rule.status is not None:
            yield from _advise_on_status(place.table["status"], rule.status)
        for notice_place, notice in zip(_items(place, "notices"), rule.notices, strict=True):
            yield from _advise_on_connection_notice(notice_place, notice, rule)


def _advise_on_measurements(level: Placed, key: str, model: GlobalLevel | ClusterLevel) -> Iterator[Problem]:
    for place, rule in zip(_items(level, key), model.measurements, strict=True):
        yield from _advise_on_name(place, rule)
        for end in ("source", "target", "service"):
            mapping: NodeMapping | None = getattr(rule, end)
            if mapping is not None:
                yield from _advise_on_mapping(place.table[end], mapping)


def _advise_on_status(place: Placed, status: StatusMapping) -> Iterator[Problem]:
    yield from _advise_on_labels(place)
    if not status.value:
        if status.warning_regex is None and status.danger_regex is None:
            yield _at(place, "all traffic is normal: add dangerRegex and warningRegex")
        return
    if status.default:
        yield _at(place.table["default"], f"is never used: every status is {status.value!r}")
    for key, pattern in (("dangerRegex", status.danger_regex), ("warningRegex", status.warning_regex)):
        if pattern is not None and not Regex(pattern).matches(status.value):
            yield _at(place.table[key], f"is never matched: every status is {status.value!r}")


def _advise_on_labels(place: Placed) -> Iterator[Problem]:
    seen: set[str] = set()
    for label in _items(place, "labels"):
        if label.text in seen:
            yield _at(label, f"found {label.text!r} again; its first place counts")
        seen.add(label.text)


def _advise_on_connection_notice(
    place: Placed, notice: ConnectionNotice, rule: ConnectionRule
) -> Iterator[Problem]:
    regex = None
    if rule.status is not None:
        danger = notice.status_type is StatusType.DANGER
        regex = rule.status.danger_regex if danger else rule.status.warning_regex
    if regex is None:
        yield _at(place, f"is never raised: the rule has no status with a {notice.status_type}Regex; add it")
    thresholds = notice.severity_threshold
    for severity in ("info", "warning", "error"):
        if getattr(thresholds, severity) > 1:
            where = place.table["severityThreshold"].table[severity]
            yield _at(
                where, "is never reached: the value is a share of all traffic, at most 1; write 5 % as 0.05"
            )
    for field in sorted(fields(notice.title) - {"value"}):
        message = f"{{{{ .{field} }}}} prints <no value>: a connection has no labels; use {{{{ .value }}}}"
        yield _at(place.table["title"], message)


def _advise_on_service_notice(place: Placed, notice: ServiceNoticeRule) -> Iterator[Problem]:
    yield from _advise_on_name(place, notice)
    yield from _advise_on_mapping(place.table["service"], notice.service)


def _advise_on_name(place: Placed, rule: Rule) -> Iterator[Problem]:
    if rule.name and rule.id != rule.name:
        message = f"{rule.name!r} is taken or looks like a place; recorded as {rule.id}, rename the rule"
        yield _at(place.table["name"], message)


def _advise_on_mapping(place: Placed, mapping: NodeMapping) -> Iterator[Problem]:
    yield from _advise_on_labels(place)
    if not mapping.fields:
        if mapping.default:
            yield _at(place.table["default"], f"is never used: every node is {mapping.replacement!r}")
        if "$" in mapping.replacement:
            yield _at(place, f"without label the node is called {mapping.replacement!r}; add label: ...")
        return
    if not mapping.replacement:
        yield _at(place, "every series is dropped: its node would have an empty name; remove replacement: ''")
        return
    regex = Regex(mapping.regex)
    for group in Replacement(mapping.replacement, regex).unknown:
        message = f"replacement puts nothing in place of ${{{group}}}: the regex has no such group"
        yield _at(place, f"{message}; where text follows a group, use braces, as in ${{1}}text")


def _items(placed: Placed, key: str) -> list[Placed]:
    return placed.table[key].items if key in placed.table else []


def _at(place: Placed, message: str) -> Problem:
    return Problem(place.path, message, place.line)
