"""What if the thresholds had been others: which notices a configuration would have raised in a recorded window.

What was recorded are rates by status and measurements, not notices, so any thresholds can judge them afterwards: those
of rules that the recording knows, by cluster and name. A rule that is new has no samples; one that the configuration
does not have is judged as it was.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import attrs
import numpy as np
import pyarrow as pa

from vistio_core.configuration.model import Configuration, Severity
from vistio_core.diagnosis.incidents import Incidents
from vistio_core.events import RuleKey
from vistio_core.graph.numbering import edge_digits
from vistio_core.json_rows import rows_of as json_rows
from vistio_core.judging.codes import Integers
from vistio_core.judging.judge import Judge
from vistio_core.judging.raised import RESOLVED_MS, Alerts
from vistio_core.judging.rulebook import Rulebook
from vistio_core.replay.pieces import measured_pieces
from vistio_core.replay.window_presence import presence
from vistio_core.storage.format import INSTANT
from vistio_core.storage.listing import Listing
from vistio_core.tables import OneTable
from vistio_core.times import DAY_MS

_WEEK_MS = 7 * DAY_MS
ALERTS = pa.schema(
    [
        pa.field("start", INSTANT),
        pa.field("end", INSTANT),
        pa.field("cluster", pa.string()),
        pa.field("node", pa.string()),
        pa.field("target", pa.string()),
        pa.field("rule", pa.string()),
        pa.field("title", pa.string()),
        pa.field("severity", pa.string()),
        pa.field("worst", pa.float64()),
    ]
)
CAUGHT = pa.schema(
    [
        pa.field("start", INSTANT),
        pa.field("end", INSTANT),
        pa.field("summary", pa.string()),
        pa.field("alerts", pa.int64()),
        pa.field("first_alert", INSTANT),
    ]
)


@attrs.frozen(eq=False, repr=False)
class Rejudged(OneTable):
    """The alerts of a window, as some thresholds raise them; `Recording.rejudge` tells the shape of ``table``."""

    table: pa.Table = attrs.field(repr=False)
    start_ms: int
    end_ms: int
    seen_ms: int
    """How much of the window was seen."""
    unseen: pa.Table = attrs.field(repr=False)
    """The gaps of the window, shaped as `Recording.gaps`: what would have been raised there is not known."""

    @property
    def alerts_a_week(self) -> float | None:
        """What these thresholds cost whoever is called: alerts in a week like what was seen; None where nothing was."""
        return len(self) * _WEEK_MS / self.seen_ms if self.seen_ms else None

    def document(self) -> dict[str, Any]:
        """As JSON tells it: times as RFC 3339 text."""
        return {
            "alerts": json_rows(self.table),
            "alerts_a_week": self.alerts_a_week,
            "unseen": json_rows(self.unseen),
        }

    def caught(self, incidents: Incidents) -> pa.Table:
        """Which incidents some alert told of: one that began in it, or up to five minutes before.

        Args:
            incidents: `Recording.incidents` of the same window, or of a part of it.

        Shape: one row per incident, by start.
            start, end (timestamp[ms, UTC]), summary (string): of the incident,
            alerts (int64): how many alerts told of it,
            first_alert (timestamp[ms, UTC]): when the first one began; null where none did: it was missed.
        """
        starts = self.table["start"].cast(pa.int64()).to_numpy()
        rows = []
        for each in incidents:
            end_ms = self.end_ms if each.end_ms is None else each.end_ms
            own = starts[(starts >= each.start_ms - RESOLVED_MS) & (starts < end_ms)]
            first = int(own.min()) if len(own) else None
            rows.append((each.start_ms, each.end_ms, each.summary, len(own), first))
        columns = list(zip(*rows, strict=True)) or [()] * len(CAUGHT)
        return pa.table(list(map(pa.array, columns, CAUGHT.types)), schema=CAUGHT)

    def __repr__(self) -> str:
        from vistio_core.displays.words import and_gaps

        return f"<{self._title()}: {self._cost()}{and_gaps(self.unseen)}>"

    def _repr_html_(self) -> str:
        from vistio_core.displays.found import ALERTS, answer_html

        return answer_html(self._title(), self._cost(), self.table, ALERTS, self.unseen)

    def _title(self) -> str:
        from vistio_core.displays.words import stretch

        return f"Alerts of {stretch(self.start_ms, self.end_ms)}"

    def _cost(self) -> str:
        from vistio_core.displays.words import counted, number

        weekly = self.alerts_a_week
        return counted(len(self), "alert") + ("" if weekly is None else f", {number(weekly)} a week")


def rejudged(
    listing: Listing, configuration: Callable[[str], Configuration], judging: Configuration | None
) -> tuple[pa.Table, int]:
    """The alerts in a listing's span, by start, as `ALERTS` has them; and for how long it was seen, in ms.

    Args:
        listing: of the window.
        configuration: from a hash to the configuration of then.
        judging: whose thresholds and classes count; None for those of then.
    """

    def rulebook(known: str) -> Rulebook:
        recorded = configuration(known)
        return Rulebook(recorded if judging is None else judging, recorded)

    judge = Judge(listing.configurations(), rulebook)
    alerts = Alerts(judge)
    for edges, measured in measured_pieces(judge, listing):
        alerts.see(edges, measured)
    there = presence(listing)
    return _table(judge, alerts, _answered_at(there)), _seen_ms(there)


def _seen_ms(there: pa.Table) -> int:
    """Of the writer that saw most: others may have been at work beside it."""
    seen = there.filter(there["seen"]).group_by("writer").aggregate([("interval_ms", "sum")])
    return max(seen["interval_ms_sum"].to_pylist(), default=0)


def _answered_at(there: pa.Table) -> Callable[[RuleKey], Integers]:
    seen = there.filter(there["seen"])
    instants = seen["instant_ms"].to_numpy()
    failed: dict[RuleKey, list[int]] = {}
    for row, rules in enumerate(seen["failed"].to_pylist()):
        for each in rules or ():
            failed.setdefault((each["cluster"], each["rule"]), []).append(row)

    def answered_at(rule: RuleKey) -> Integers:
        return np.unique(np.delete(instants, failed.get(rule, [])))

    return answered_at


def _table(judge: Judge, alerts: Alerts, answered_at: Callable[[RuleKey], Integers]) -> pa.Table:
    raised = alerts.raised(answered_at)
    rows = []
    columns = (raised.notice, raised.number, raised.first_ms, raised.last_ms, raised.severity, raised.worst)
    for notice, number, first_ms, last_ms, severity, worst in zip(
        *(column.tolist() for column in columns), strict=True
    ):
        of = alerts.notices.values[notice]
        cluster, node, target = (judge.names.values[digit] for digit in edge_digits(number))
        answered = answered_at(of.rule)
        after = int(np.searchsorted(answered, last_ms, side="right"))
        end_ms = int(answered[after]) if after < len(answered) else None
        told = (of.rule[1], of.title, Severity(severity).name.lower(), worst)
        rows.append((first_ms, end_ms, cluster, node, target or None, *told))
    rows.sort(key=lambda row: (row[0], row[2], row[3], row[4] or "", row[5:7]))
    found = list(zip(*rows, strict=True)) or [()] * len(ALERTS)
    return pa.table(list(map(pa.array, found, ALERTS.types)), schema=ALERTS)
