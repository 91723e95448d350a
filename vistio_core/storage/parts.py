"""What was recorded of one instant: its scrape, and the supplements that came later.

A scrape whose rules were not all answered may be supplemented: the answers are fetched from the
source's history, hours later, and become files of their own beside it. Nothing is overwritten,
so the instant is put together by whoever reads it, out of its *parts*: a file of scrapes and files of
supplements. A rule is answered in one part only, so no rate counts twice.

A supplement without its scrape counts for nothing: of the other rules nothing would be known.
Which files are parts is not decided here (`vistio_core.storage.listing`), nor what their rows mean.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import NamedTuple

import attrs
import pyarrow as pa
import pyarrow.compute as pc

from vistio_core.events import Outcome, RuleKey
from vistio_core.storage.event_file import EventFile
from vistio_core.storage.format import fewest_digits
from vistio_core.storage.presences import Presence

_TOLD = ["instant", "cluster", "rule", "outcome", "error"]


class Told(NamedTuple):
    """What is known of a rule at an instant."""

    outcome: str
    """One of `vistio_core.events.Outcome`."""
    error: str


@attrs.frozen(eq=False)
class RecordedInstant:
    """What one writer recorded of an instant. Its rows are read when they are asked for."""

    instant_ms: int
    parts: Sequence[EventFile] = attrs.field(repr=False)
    """The scrape's file, then the supplements' in their order."""
    facts: Sequence[Presence] = attrs.field(repr=False)
    """What each of the parts knows of the instant."""

    @property
    def writer(self) -> str:
        return self.parts[0].name.writer

    @property
    def interval_ms(self) -> int:
        return self.facts[0].interval_ms

    @property
    def configuration(self) -> str:
        """The hash of the one in force: the scrape's. It judges what supplements brought, too."""
        return self.facts[0].configuration

    @property
    def significant_digits(self) -> int | None:
        """The fewest to which any of its rates may have been rounded; None: they are exact."""
        return fewest_digits(part.significant_digits for part in self.parts)

    @property
    def seen(self) -> bool:
        """Whether at least one rule was answered."""
        return any(fact.seen for fact in self.facts)

    @property
    def whole(self) -> bool:
        """Whether all rules were answered at once, as they mostly are; then there is nothing more to know of them."""
        return len(self.parts) == 1 and self.facts[0].whole

    @property
    def backfilled(self) -> bool:
        """Whether any part of it was fetched later."""
        return any(fact.backfilled for fact in self.facts)

    def rows(self, kind: str) -> pa.Table:
        """All rows of ``kind``, in the format's order, without the columns that are null."""
        tables = [part.rows_at(kind, self.instant_ms) for part in self.parts]
        if len(tables) == 1:
            return tables[0]
        rows = pa.concat_tables(tables).unify_dictionaries().combine_chunks()
        # The rows of a rule stand in one part, in order; only the rules are to be put in order.
        rules = pa.table({column: rows[column].cast(pa.string()) for column in ("cluster", "rule")})
        order = pc.sort_indices(rules, sort_keys=[("cluster", "ascending"), ("rule", "ascending")])
        return rows.take(order)


def rows_of(instants: Collection[RecordedInstant], kind: str) -> Iterator[pa.Table]:
    """The rows of ``kind`` at many instants of one writer, ascending: whole instants, in the format's order.

    Where an instant stands in one file, its neighbours are read with it.
    """
    together = [instant for instant in instants if len(instant.parts) > 1]
    for file, instants_ms in _by_file(instant for instant in instants if len(instant.parts) == 1).items():
        yield from file.at_instants(kind, instants_ms)
    for instant in together:
        yield instant.rows(kind)


def failures(instants: Iterable[RecordedInstant]) -> dict[int, dict[RuleKey, Told]]:
    """The rules that were answered neither at once nor later, at many instants of one writer, ascending.

    What counts for a rule is the outcome that was answered, else the newest one. Its scrape names all rules of
    an instant. (`vistio_core.replay.windows.INSTANTS_QUERY` is the same rule in SQL, for whoever adds up days.)

    Returns:
        Instant to cluster and rule, in their order, to what counts for it; instants without failures are left out.
    """
    counting: dict[int, dict[RuleKey, Told]] = {}
    files = _by_file(instant for instant in instants if not instant.whole)
    for file in sorted(files, key=lambda file: file.name.supplement):
        for instant_ms, key, told in _told(file, files[file]):
            known = counting.setdefault(instant_ms, {})
            if not file.name.supplement or (key in known and known[key].outcome != Outcome.OK):
                known[key] = told
    failed = {
        instant_ms: {key: told for key, told in sorted(known.items()) if told.outcome != Outcome.OK}
        for instant_ms, known in counting.items()
    }
    return {instant_ms: known for instant_ms, known in failed.items() if known}


def _by_file(instants: Iterable[RecordedInstant]) -> dict[EventFile, list[int]]:
    """Each file with the instants of which it is a part."""
    by_file: dict[EventFile, list[int]] = {}
    for instant in instants:
        for part in instant.parts:
            by_file.setdefault(part, []).append(instant.instant_ms)
    return by_file


def _told(file: EventFile, instants_ms: Sequence[int]) -> Iterator[tuple[int, RuleKey, Told]]:
    for rows in file.at_instants("outcome", instants_ms, _TOLD):
        told_ms = rows["instant"].cast(pa.int64()).to_pylist()
        for instant_ms, row in zip(told_ms, rows.select(_TOLD[1:]).to_pylist(), strict=True):
            yield instant_ms, (row["cluster"], row["rule"]), Told(row["outcome"], row["error"] or "")
