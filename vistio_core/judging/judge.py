"""From tables of samples and measurements to columns of numbers, and what each number means. Pure; numpy inside.

Texts become numbers first, once per distinct text; what they mean to a rulebook is asked once for each of its
rules and statuses. One `Judge` serves one question: its numbers mean nothing to another one.

What must not be in here: sums (`rule_edges`), thresholds (`notices`), and how anything was read.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import attrs
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from vistio_core.configuration.model import Configuration
from vistio_core.events import RuleKey
from vistio_core.graph.numbering import check_names, edge_number
from vistio_core.judging.codes import (
    NOTHING,
    Codes,
    Integers,
    mapped,
    numbers,
    rows_of,
    run_lengths,
    run_starts,
    texts_of,
    translated,
)
from vistio_core.judging.rule_edges import RuleEdges, RulesSeen
from vistio_core.judging.rulebook import Rulebook
from vistio_core.samples import Floats, Texts

SAMPLE_COLUMNS = ("instant", "cluster", "rule", "source", "target", "status", "rate")
MEASUREMENT_COLUMNS = ("instant", "cluster", "rule", "source", "target", "value")


@attrs.frozen(eq=False)
class Measured:
    """Measurements, row by row, as numbers."""

    row: Integers
    """Which row of the table it was."""
    instant_ms: Integers
    writer: Integers
    """As a number (`Judge.writers`)."""
    rulebook: Integers
    rule: Integers
    cluster: Integers
    source: Integers
    target: Integers
    """`Judge.nobody` for what is about a node."""
    value: Floats

    @classmethod
    def joined(cls, parts: Sequence[Measured]) -> Measured:
        """The rows of all parts, one after the other; all of them were made by one `Judge`."""
        some = [_NOTHING_MEASURED, *parts]
        names = [field.name for field in attrs.fields(cls)]
        return cls(*(np.concatenate([getattr(part, name) for part in some]) for name in names))


class Judge:
    """Knows the texts behind all numbers, and by whose rules each instant is judged."""

    def __init__(self, in_force: Mapping[tuple[int, str], str], rulebook: Callable[[str], Rulebook]) -> None:
        """Of nothing yet.

        Args:
            in_force: instant and writer to the hash of the scrape's configuration. Rows of other instants, of
                a supplement without its scrape, count for nothing.
            rulebook: from a hash to the rules that judge what was recorded then.
        """
        self.names = Codes[str]()
        """Of clusters and nodes."""
        self.nobody = self.names.of("")
        """The name of no node, and of the global level."""
        self.writers = Codes[str]()
        self.rules = Codes[RuleKey]()
        self._in_force = in_force
        self._find_rulebook = rulebook
        self._rulebooks: dict[str, Rulebook] = {}
        self._hashes = Codes[str]()
        self._clusters = Codes[str]()
        self._rule_ids = Codes[str]()
        self._statuses = Codes[str]()

    def edges(self, writer: str, rows: pa.Table) -> RuleEdges:
        """Rows of samples as what rules saw of edges.

        Args:
            writer: whose they are.
            rows: `SAMPLE_COLUMNS`, by instant; those of an edge, a rule and an instant side by side.
        """
        return RuleEdges.joined([self._edges(writer, batch) for batch in rows.to_batches() if batch.num_rows])

    def measured(self, writer: str, rows: pa.Table) -> Measured:
        """Rows of measurements; `MEASUREMENT_COLUMNS`."""
        parts: list[Measured] = []
        start = 0
        for batch in rows.to_batches():
            instants = numbers(batch.column("instant").view(pa.int64()))
            instants, rulebooks = self._rulebooks_of(writer, instants)
            known = rulebooks >= 0
            rules, clusters = self._rules_of(
                texts_of(batch.column("cluster")), texts_of(batch.column("rule"))
            )
            columns = [
                np.arange(start, start + batch.num_rows),
                *(instants, self._writers(writer, batch.num_rows), rulebooks, rules, clusters),
                translated(texts_of(batch.column("source")), self.names),
                # Of what is about a node there is none.
                translated(texts_of(pc.fill_null(batch.column("target").cast(pa.string()), "")), self.names),
                numbers(batch.column("value")),
            ]
            parts.append(Measured(*(column[known] for column in columns)))
            start += batch.num_rows
        return Measured.joined(parts)

    def rulebook(self, code: int) -> Rulebook:
        """The one of a number."""
        return self._rulebook(self._hashes.values[code])

    def _rulebook(self, known: str) -> Rulebook:
        if known not in self._rulebooks:
            self._rulebooks[known] = self._find_rulebook(known)
        return self._rulebooks[known]

    def rules_of(self, rulebooks: Integers, rules: Integers) -> RulesSeen:
        """The distinct pairs of two columns in the order of the rulebooks: the rule of each, and its rows."""
        most = len(self.rules)
        found: RulesSeen = []
        rows = rows_of(rulebooks * most + rules)
        for code in dict.fromkeys(case // most for case in rows):
            rulebook = self.rulebook(code)
            own = {self.rules.values[case % most]: case for case in rows if case // most == code}
            found += [(key, rulebook.rule(key), rows[own[key]]) for key in rulebook.ordered(own)]
        return found

    def in_force(self, start_ms: int, end_ms: int) -> list[Configuration]:
        """The configurations in force at some instant of ``[start_ms, end_ms)``, the newest first."""
        newest_ms: dict[str, int] = {}
        for (instant_ms, _), known in self._in_force.items():
            if start_ms <= instant_ms < end_ms:
                newest_ms[known] = max(instant_ms, newest_ms.get(known, instant_ms))
        newest_first = sorted(newest_ms, key=lambda known: (-newest_ms[known], known))
        return [self._rulebook(known).configuration for known in newest_first]

    def edge_numbers(self, cluster: Integers, source: Integers, target: Integers) -> Integers:
        """One number for each edge (`vistio_core.graph.numbering`)."""
        check_names(len(self.names))
        return edge_number(source, target, cluster)

    def cluster_of_rules(self) -> Integers:
        """The number of each rule's cluster, as a name."""
        return self.names.of_all([cluster for cluster, _ in self.rules.values])

    def _edges(self, writer: str, batch: pa.RecordBatch) -> RuleEdges:
        texts = [texts_of(batch.column(name)) for name in ("cluster", "rule", "source", "target")]
        instants = numbers(batch.column("instant").view(pa.int64()))
        # Numbers of texts within this batch tell rows apart as well; all else is asked once for each edge.
        starts = run_starts([texts[3].place, texts[2].place, texts[1].place, texts[0].place, instants])
        cluster, rule, source, target = (Texts(each.values, each.place[starts]) for each in texts)
        statuses = translated(texts_of(batch.column("status")), self._statuses)
        rates = numbers(batch.column("rate"))
        instants, rulebooks = self._rulebooks_of(writer, instants[starts])
        rules, clusters = self._rules_of(cluster, rule)
        ends = translated(source, self.names), translated(target, self.names)
        who = self._writers(writer, len(starts))
        columns = [instants, who, rulebooks, rules, clusters, *ends, statuses, rates]
        return RuleEdges(columns, starts, self._classes_of, self.rules_of).where(rulebooks >= 0)

    def _writers(self, writer: str, rows: int) -> Integers:
        return np.full(rows, self.writers.of(writer))

    def _rulebooks_of(self, writer: str, instants_ms: Integers) -> tuple[Integers, Integers]:
        """``instants_ms``, and the rulebook of each; -1 where there is none."""
        starts = run_starts([instants_ms])
        hashes = [self._in_force.get((instant_ms, writer)) for instant_ms in instants_ms[starts].tolist()]
        codes = np.array([-1 if known is None else self._hashes.of(known) for known in hashes], np.int64)
        return instants_ms, np.repeat(codes, run_lengths(starts, len(instants_ms)))

    def _rules_of(self, cluster: Texts, rule: Texts) -> tuple[Integers, Integers]:
        """Every row's rule, and its cluster's name."""
        clusters, ids = translated(cluster, self._clusters), translated(rule, self._rule_ids)
        most = len(self._rule_ids)

        def rule_of(case: int) -> int:
            place, rule_id = divmod(case, most)
            return self.rules.of((self._clusters.values[place], self._rule_ids.values[rule_id]))

        rules = mapped(clusters * most + ids, len(self._clusters) * most, rule_of)
        return rules, self.cluster_of_rules()[rules]

    def _classes_of(self, edges: RuleEdges) -> Integers:
        """The column of each sample's class."""
        most_rules, most_statuses = len(self.rules), len(self._statuses)

        def column_of(case: int) -> int:
            rest, status = divmod(case, most_statuses)
            rulebook, rule = divmod(rest, most_rules)
            key = self.rules.values[rule]
            return self.rulebook(rulebook).status_class(key, self._statuses.values[status]).column

        judged = (edges.rulebook * most_rules + edges.rule) * most_statuses
        cases = np.repeat(judged, edges.lengths) + edges.status
        return mapped(cases, len(self._hashes) * most_rules * most_statuses, column_of)


_NOTHING_MEASURED = Measured(*[NOTHING] * len(attrs.fields(Measured)))
