"""What looks different than it did with Vistio or promviz, of a configuration that they could read, and why. Pure.

Told of what rules saw just now; what differs always (a stable order, gaps, moments) is told by docs/migration.md.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

from vistio_core.configuration.model import (
    Configuration,
    ConnectionRule,
    NodeMapping,
    ServiceNoticeRule,
    mappings_of,
)
from vistio_core.events import GLOBAL_LEVEL, Outcome
from vistio_core.names import visible
from vistio_record.check_report import Finding, RuleReport, level_name, listed


def could_be_vistios(configuration: Configuration) -> bool:
    """Whether it has nothing that Vistio did not have."""
    own = configuration.http_config or configuration.servers
    return not own and all(_vistio_has(rule) for _, rule in configuration.rules())


def _vistio_has(rule: object) -> bool:
    if isinstance(rule, ConnectionRule):
        status = rule.status
        own = rule.witness or (
            status and (status.labels or status.template or status.value or status.default)
        )
    elif isinstance(rule, ServiceNoticeRule):
        own = None
    else:
        return False
    return not own and not any(_own_keys(mapping) for mapping in mappings_of(rule))


def _own_keys(mapping: NodeMapping) -> bool:
    return bool(mapping.labels or mapping.template or mapping.default)


def vistio_differences(configuration: Configuration, rules: Sequence[RuleReport]) -> Iterator[Finding]:
    """What this configuration shows otherwise here.

    Args:
        configuration: whose rules these are.
        rules: what each of them saw.
    """
    if not could_be_vistios(configuration):
        return
    for cluster in (GLOBAL_LEVEL, *(level.cluster for level in configuration.clusters)):
        own = [rule for rule in rules if rule.cluster == cluster]
        yield from _unanswered(cluster, own)
        yield from _dropped(cluster, own)
        yield from _added_up(cluster, own)
        yield from _scale(configuration, cluster, own)
        yield from _nodes_of_notices(cluster, own)
        yield from _html(cluster, own)
    yield from _not_entered(configuration, rules)


def _unanswered(cluster: str, rules: Iterable[RuleReport]) -> Iterator[Finding]:
    failed = [rule.rule.id for rule in rules if rule.outcome.outcome is not Outcome.OK]
    if failed:
        yield Finding(
            "vistio-drew-nothing",
            cluster,
            f"in {level_name(cluster)} {listed(failed)} is not answered, or with nothing that could be taken: Vistio"
            " drew this as no traffic, or at a node without a name; here it is said to be not seen",
        )


def _dropped(cluster: str, rules: Iterable[RuleReport]) -> Iterator[Finding]:
    for rule in rules:
        for reason, number in rule.outcome.dropped.items():
            if reason.startswith("regex does not match"):
                yield Finding(
                    "vistio-drew-what-does-not-match",
                    cluster,
                    f"in {level_name(cluster)} {number} series of {rule.rule.id} are left out, {reason}: Vistio drew"
                    " them at a node whose name was what is left of replacement, mostly nothing",
                )
            elif reason == "not finite":
                yield Finding(
                    "vistio-lost-the-drawing",
                    cluster,
                    f"in {level_name(cluster)} {number} series of {rule.rule.id} are no numbers (NaN, Inf) and are left"
                    " out: Vistio lost the whole drawing of such an instant",
                )


def _added_up(cluster: str, rules: Iterable[RuleReport]) -> Iterator[Finding]:
    told: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    for rule in rules:
        for pair in rule.edges if isinstance(rule.rule, ConnectionRule) else ():
            told[pair].append(rule.rule.id)
    several = {pair: ids for pair, ids in told.items() if len(ids) > 1}
    if several:
        (source, target), ids = next(iter(several.items()))
        yield Finding(
            "vistio-drew-the-last",
            cluster,
            f"in {level_name(cluster)} {len(several)} edges come from several rules ({_edge(source, target)} from"
            f" {listed(ids)}) and are added up: Vistio's page showed the last rule's",
        )


def _scale(configuration: Configuration, cluster: str, rules: Iterable[RuleReport]) -> Iterator[Finding]:
    levels = {level.cluster: level.max_volume for level in configuration.clusters}
    volume = levels.get(cluster, configuration.global_level.max_volume)
    total: defaultdict[tuple[str, str], float] = defaultdict(float)
    for rule in rules:
        for pair, rate in rule.edges.items():
            total[pair] += rate
    if not total:
        return
    (source, target), most = max(total.items(), key=lambda item: item[1])
    if 0 < volume < most:
        yield Finding(
            "vistio-drew-too-dense",
            cluster,
            f"in {level_name(cluster)} maxVolume is {volume:g} and {_edge(source, target)} has {most:.2f} requests/s:"
            f" the scale is doubled until it holds that; give maxVolume: {_rounded(most):g}",
        )


def _nodes_of_notices(cluster: str, rules: Sequence[RuleReport]) -> Iterator[Finding]:
    busy = {name for rule in rules if isinstance(rule.rule, ConnectionRule) for name in rule.nodes}
    alone = {name for rule in rules if isinstance(rule.rule, ServiceNoticeRule) for name in rule.nodes} - busy
    if alone:
        yield Finding(
            "vistio-hid-notices",
            cluster,
            f"in {level_name(cluster)} {listed(map(visible, sorted(alone)))} have notices and no traffic: Vistio left"
            " these out, here they are nodes",
        )


def _html(cluster: str, rules: Iterable[RuleReport]) -> Iterator[Finding]:
    for rule in rules:
        if isinstance(rule.rule, ServiceNoticeRule):
            texts = [rule.rule.title, rule.rule.subtitle]
        elif isinstance(rule.rule, ConnectionRule):
            texts = [text for notice in rule.rule.notices for text in (notice.title, notice.subtitle)]
        else:
            continue
        marked = [text for text in texts if "<" in text or "&" in text]
        if marked:
            yield Finding(
                "vistio-drew-html",
                cluster,
                f"in {level_name(cluster)} {rule.rule.id} has a notice {marked[0]!r}: Vistio's page took it for HTML,"
                " here it is text, shown as it stands there",
            )


def _not_entered(configuration: Configuration, rules: Sequence[RuleReport]) -> Iterator[Finding]:
    there = {name for rule in rules if rule.cluster == GLOBAL_LEVEL for name in rule.nodes}
    hidden = [
        level.cluster
        for level in configuration.clusters
        if level.cluster not in there and any(rule.edges for rule in rules if rule.cluster == level.cluster)
    ]
    if hidden:
        yield Finding(
            "vistio-hid-the-cluster",
            GLOBAL_LEVEL,
            f"no traffic enters {listed(map(visible, hidden))}: Vistio hid such a cluster, here it can be entered, by"
            " an edge of no requests",
        )


def _edge(source: str, target: str) -> str:
    return f"{visible(source)} > {visible(target)}"


def _rounded(rate: float) -> float:
    """Up, to one digit that counts."""
    step = 10.0 ** (len(f"{int(rate)}") - 1)
    return -(-rate // step) * step
