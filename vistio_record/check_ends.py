"""Two witnesses whose sums do not fit: one of them sees only a part. Pure.

    the callers say           the called side received
    12 x 200                  7            differs by more than a tenth
    7 x 200, 3 x 503          7 to 10      fits: failures may have arrived, or not
    5 x 200                   8            fits, if it does not know some of its callers

Targets of which one side says nothing, as hosts outside of the mesh, are left out.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

import attrs

from vistio_core.configuration.mapping import StatusClass, StatusClassifier
from vistio_core.configuration.model import ConnectionRule, Witness
from vistio_record.check_report import Finding, level_name, listed
from vistio_record.sources.probes import Probe

_TENTH = 0.1
_UNKNOWN = "unknown"


@attrs.define
class _Account:
    """What both ends say of the requests to one target, per second."""

    witnesses: set[Witness] = attrs.field(factory=set)
    good: float = 0.0
    """Sent, and answered well."""
    failed: float = 0.0
    received: float = 0.0
    has_strangers: bool = False
    has_named: bool = False

    @property
    def sent(self) -> float:
        """As much of what was sent as fits best to what was received."""
        most = max(self.good + self.failed, self.received if self.has_strangers else 0.0)
        return min(max(self.received, self.good), most)

    @property
    def differs(self) -> bool:
        return _differ(self.sent, self.received)


def ends_findings(probes: Sequence[Probe]) -> Iterable[Finding]:
    """Levels on which callers sent over a tenth more, or less, than was received of them."""
    levels: defaultdict[str, defaultdict[str, _Account]] = defaultdict(lambda: defaultdict(_Account))
    for probe in probes:
        rule = probe.rule
        if not isinstance(rule, ConnectionRule) or rule.witness is None:
            continue
        judge = StatusClassifier(rule.status)
        for sample in probe.samples:
            told = levels[probe.cluster][sample.target]
            told.witnesses.add(rule.witness)
            told.has_named |= sample.source != _UNKNOWN
            if rule.witness is Witness.CALLED:
                told.received += sample.rate
                told.has_strangers |= sample.source == _UNKNOWN
            elif judge.classify(sample.status) is StatusClass.DANGER:
                told.failed += sample.rate
            else:
                told.good += sample.rate
    for cluster, targets in levels.items():
        yield from _one_end(cluster, targets.values())
        both = {target: told for target, told in targets.items() if len(told.witnesses) == len(Witness)}
        sent, received = (
            sum(told.sent for told in both.values()),
            sum(told.received for told in both.values()),
        )
        if not _differ(sent, received):
            continue
        most = sorted(both, key=lambda name: -abs(both[name].sent - both[name].received))
        worst = [
            f"{name} ({both[name].sent:.2f} sent, {both[name].received:.2f} received)"
            for name in most
            if both[name].differs
        ]
        yield Finding(
            "ends-differ",
            cluster,
            f"in {level_name(cluster)} callers say that they sent {sent:.2f} requests/s, the called sides that they"
            f" received {received:.2f}; most differ {listed(worst)}. The graph has what either says; proxies that are"
            " not scraped, counters that stand still and workloads in another cluster explain it",
        )


def _one_end(cluster: str, targets: Iterable[_Account]) -> Iterable[Finding]:
    """A level of which all requests are told by the same end, although there are rules for both.

    Not of callers whom nobody knows: they may have nothing that could report.
    """
    telling = {witness for told in targets for witness in told.witnesses if told.has_named}
    if len(telling) == 1:
        here, there = "callers report", "called sides"
        if Witness.CALLED in telling:
            here, there = "called sides report", "callers"
        yield Finding(
            "one-end",
            cluster,
            f"in {level_name(cluster)} only the {here}: rules for what the {there} say find nothing. So nobody knows"
            " what was sent and not received, nor the time between both ends; are their proxies scraped?",
        )


def _differ(sent: float, received: float) -> bool:
    return abs(sent - received) > _TENTH * max(sent, received)
