"""What a rule makes of the series that a server answered: samples of edges, or measurements. Pure; numpy inside.

The way of a series, for a rule that names source and target by labels and status by `code`:

    {"code":"200","source":"cart","target":"db"}   "4.5"     two pods of cart:
    {"code":"200","source":"cart","target":"db"}   "0.5"     their sum is one sample
    {"code":"200","source":"cart"}                 "1.0"     dropped: "label target missing or empty"
    {"code":"503","source":"cart","target":"db"}   "NaN"     dropped: "not finite"

    Samples: (mesh, http, cart, db, 200, 5.0)                dropped: one and one, each with an example

A series that cannot become a sample (NaN, a histogram, a label that is not there, a regex that does not match) is left
out and counted by reason; it never takes its neighbours with it. Names, statuses and a notice's labels that are too
long are cut (`shortened`), and their series counted. What comes out does not depend on the order of the series: sums
are exact, of two equals the higher counts.

What must not be in here: JSON and its errors (`answer`), and what statuses mean: they are kept as they came.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from fractions import Fraction
from functools import partial
from typing import TypeAlias

import attrs
import numpy as np

from vistio_core.configuration.mapping import Dropped, NodeNamer, StatusNamer
from vistio_core.configuration.model import (
    ConnectionRule,
    MeasurementRule,
    Merge,
    Rule,
    ServiceNoticeRule,
    mappings_of,
)
from vistio_core.events import LARGEST_RATE, Measurement, Sample
from vistio_core.names import LONGEST_NAME_BYTES, shortened
from vistio_core.samples import Floats, Integers, Samples, Texts
from vistio_record.sources.answer import Series

NOT_FINITE = "not finite"
NOT_A_NUMBER = "not a number"
HISTOGRAM = "histogram"
TOO_LARGE = f"beyond {LARGEST_RATE:g}"
TWICE = "series occurs twice"
NOTICE_VALUE = "value"
"""The name of the measurement that a notice query's result becomes."""

# When so many times as many labels are remembered as an answer has series, most of them have gone.
_FORGET_FROM = 2
_FEW_SERIES = 1_000
# Or when they take so much room, as labels of a megabyte do.
_FORGET_FROM_BYTES = 64 * 1024 * 1024


@attrs.frozen
class Mapped:
    """What became of an answer's series."""

    samples: Sequence[Sample] = ()
    measurements: list[Measurement] = attrs.field(factory=list)
    dropped: dict[str, int] = attrs.field(factory=dict)
    """Reason to number of series."""
    lost: set[str] = attrs.field(factory=set)
    """The reasons of series that said something: that have a number, and if it is a rate, not 0."""
    examples: dict[str, Mapping[str, str]] = attrs.field(factory=dict)
    """Reason to the labels of the first series that was dropped for it."""
    cut: int = 0
    """Number of series with a name, status or label that was too long to be kept as it is."""

    @property
    def warnings(self) -> tuple[str, ...]:
        """What is to be told of series that were taken."""
        if not self.cut:
            return ()
        return (f"names of more than {LONGEST_NAME_BYTES:,} bytes were cut, in {self.cut} series",)

    @property
    def unusable(self) -> str:
        """Why nothing was learned of an answer that said something; empty where something was.

        There is traffic, and of whom could not be told: that is not the same as no traffic.
        """
        if not self.lost or len(self.samples) or self.measurements:
            return ""
        # Without how many: an instant later they are others, and the reason is the same.
        return f"all that the query answers is left out: {'; '.join(sorted(self.lost))}"

    def drop(self, reason: str, labels: Mapping[str, str], *, idle: bool = False) -> None:
        """Counts a series that is left out, and shows it; ``idle``: it said only that nothing happened."""
        self.count(reason, 1, idle=idle)
        self.examples.setdefault(reason, labels)

    def count(self, reason: str, series: int, *, idle: bool = False) -> None:
        """Counts series that are left out."""
        self.dropped[reason] = self.dropped.get(reason, 0) + series
        if not idle and reason != NOT_FINITE:
            self.lost.add(reason)


def mapper(cluster: str, rule: Rule) -> Callable[[Collection[Series]], Mapped]:
    """What maps the series of ``rule``; keep it, it remembers names. Safe to share between threads."""
    if isinstance(rule, ConnectionRule):
        return partial(_to_edges, cluster, rule, _EdgeNamer(rule))
    if isinstance(rule, ServiceNoticeRule):
        return partial(_to_nodes, cluster, rule, NodeNamer(rule.service))
    return partial(_to_measurements, cluster, rule, [NodeNamer(mapping) for mapping in mappings_of(rule)])


_Edge: TypeAlias = tuple[str, str, str]
"""Source, target and status."""


class _Known:
    """What the labels of a rule's series were found to mean: their text to a number.

    It only grows, so that one thread may read what another adds.
    """

    def __init__(self) -> None:
        self.numbers: dict[bytes, int] = {}
        """Of an edge; negative for a series that is left out: `dropped`."""
        self._edges: dict[_Edge, int] = {}
        self._values: tuple[dict[str, int], ...] = ({}, {}, {})
        self._places: tuple[list[int], ...] = ([], [], [])
        """By number of the edge: where its source, target and status are among the values."""
        self._reasons: list[Dropped] = []
        self.cut: set[int] = set()
        """The edges of which a name or the status was cut."""
        self.size_bytes = 0
        """Of all texts that are remembered."""
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self.numbers)

    def add(self, text: bytes, meaning: _Edge | Dropped) -> int:
        with self._lock:
            if isinstance(meaning, Dropped):
                self._reasons.append(meaning)
                number = -len(self._reasons)
            else:
                number = self._number(meaning)
            self.numbers[text] = number
            self.size_bytes += len(text)
            return number

    def _number(self, edge: _Edge) -> int:
        short = shortened(edge[0]), shortened(edge[1]), shortened(edge[2])
        number = self._edges.setdefault(short, len(self._edges))
        if number == len(self._places[0]):
            for value, values, places in zip(short, self._values, self._places, strict=True):
                places.append(values.setdefault(value, len(values)))
        if short != edge:
            self.cut.add(number)
        return number

    def reason(self, number: int) -> str:
        """Why the series with this number are left out."""
        return self._reasons[-number - 1].reason

    def columns(self, numbers: Integers) -> Iterator[Texts]:
        """Source, target and status of the edges with these numbers."""
        with self._lock:
            found = [
                Texts(tuple(values), np.array(places, np.int64))
                for values, places in zip(self._values, self._places, strict=True)
            ]
        return (Texts(each.values, each.place[numbers]) for each in found)


class _EdgeNamer:
    """Names the edges of a rule's series, and remembers them by the text of their labels.

    Scrape after scrape tens of thousands of series come with the same labels: looking them up takes a
    fraction of decoding and mapping them.
    """

    def __init__(self, rule: ConnectionRule) -> None:
        self._source, self._target = NodeNamer(rule.source).name, NodeNamer(rule.target).name
        self._status = StatusNamer(rule.status).status
        self._known = _Known()

    def known(self, series: int) -> _Known:
        """What is remembered, for an answer of so many series; to be added to.

        Labels come and go with their pods: when many are of the past, all are forgotten.
        """
        known = self._known
        if len(known) > _FORGET_FROM * (series + _FEW_SERIES) or known.size_bytes > _FORGET_FROM_BYTES:
            self._known = _Known()
        return self._known

    def name(self, labels: Mapping[str, str]) -> _Edge | Dropped:
        source = self._source(labels)
        if isinstance(source, Dropped):
            return source
        target = self._target(labels)
        return target if isinstance(target, Dropped) else (source, target, self._status(labels))


def _to_edges(cluster: str, rule: ConnectionRule, namer: _EdgeNamer, series: Collection[Series]) -> Mapped:
    """One sample for each (source, target, status); several series of one are summed.

    The sums are exact (`math.fsum`), so they do not depend on the order of the series.
    """
    mapped = Mapped()
    known = namer.known(len(series))
    rates = _values(series)
    # Written so that NaN, which compares false to everything, is not taken.
    good = (rates >= -LARGEST_RATE) & (rates <= LARGEST_RATE)
    # Series of a>b, a>b, a>c and one without a name, by the numbers of their edges: 0 0 1 -1; None: not seen before.
    meanings = list(map(known.numbers.get, [bytes(one.metric) for one in series]))
    if None in meanings or not good.all():
        for index, one in enumerate(series):
            if not good[index]:
                value = _number(one)
                mapped.drop(value if isinstance(value, str) else TOO_LARGE, one.labels)
                meanings[index] = 0
            elif meanings[index] is None:
                meanings[index] = known.add(bytes(one.metric), namer.name(one.labels))
    numbers = np.array(meanings, np.int64)
    if (numbers < 0).any():
        for number, one, rate in zip(meanings, series, rates.tolist(), strict=True):
            if number is not None and number < 0:
                mapped.drop(known.reason(number), one.labels, idle=rate == 0)
        good &= numbers >= 0
    numbers, rates = numbers[good], rates[good]
    cut = int(np.isin(numbers, list(known.cut)).sum()) if known.cut else 0
    if len(numbers) and np.bincount(numbers).max() > 1:
        sums = _summed(zip(numbers.tolist(), rates.tolist(), strict=True), mapped)
        numbers = np.array(list(sums), np.int64)
        rates = np.array(list(sums.values()), np.float64)
    of_all = np.zeros(len(numbers), np.int64)
    keys = Texts((cluster,), of_all), Texts((rule.id,), of_all), *known.columns(numbers)
    return attrs.evolve(mapped, samples=Samples(keys, rates), cut=cut)


def _values(series: Collection[Series]) -> Floats:
    """The value of each series; NaN for what has none."""
    try:
        # Not by Arrow, in half the time: it would import pandas, where there is one, in the first scrape.
        return np.array([float(one.value[1]) for one in series], np.float64)  # type: ignore[index]  # None is a TypeError
    except (TypeError, ValueError):
        found = [_number(one) for one in series]
        return np.array([math.nan if isinstance(each, str) else each for each in found], np.float64)


def _summed(rates_of_edges: Iterable[tuple[int, float]], mapped: Mapped) -> dict[int, float]:
    """The exact sum of each edge's values; one that becomes too large is dropped."""
    values: dict[int, list[float]] = {}
    for edge, value in rates_of_edges:
        values.setdefault(edge, []).append(value)
    rates = {edge: own[0] if len(own) == 1 else math.fsum(own) for edge, own in values.items()}
    for edge in [edge for edge, rate in rates.items() if abs(rate) > LARGEST_RATE]:
        del rates[edge]
        mapped.count(TOO_LARGE, len(values[edge]))
    return rates


def _to_nodes(cluster: str, rule: ServiceNoticeRule, namer: NodeNamer, series: Collection[Series]) -> Mapped:
    """One measurement for each series: a query may say several things about a node.

    Two series with the same labels are an error of the server; the higher value is kept, so
    that the answer's order does not matter.
    """
    mapped, cut = Mapped(), 0
    highest: dict[tuple[tuple[str, str], ...], Measurement] = {}
    for one in series:
        value, labels = _number(one), one.labels
        if isinstance(value, str):
            mapped.drop(value, labels)
            continue
        node = namer.name(labels)
        if isinstance(node, Dropped):
            mapped.drop(node.reason, labels)
            continue
        key = tuple((label, shortened(text)) for label, text in sorted(labels.items()))
        new = Measurement(cluster, rule.id, shortened(node), "", NOTICE_VALUE, value, key)
        cut += new.source != node or any(labels[label] != text for label, text in key)
        old = highest.setdefault(key, new)
        if old is not new:
            highest[key] = max(old, new)
            mapped.drop(TWICE, labels)
    mapped.measurements.extend(highest.values())
    return attrs.evolve(mapped, cut=cut)


def _to_measurements(
    cluster: str, rule: MeasurementRule, namers: Sequence[NodeNamer], series: Collection[Series]
) -> Mapped:
    """One measurement for each edge or node, several series of one merged as the rule says."""
    mapped, cut = Mapped(), 0
    values: dict[tuple[str, ...], list[float]] = {}
    for one in series:
        value, labels = _number(one), one.labels
        if isinstance(value, str):
            mapped.drop(value, labels)
            continue
        names: list[str] = []
        for namer in namers:
            name = namer.name(labels)
            if isinstance(name, Dropped):
                mapped.drop(name.reason, labels)
                break
            names.append(name)
        else:
            # Adding 0 makes 0.0 of -0.0, so that which of them came first does not matter.
            short = tuple(map(shortened, names))
            cut += short != tuple(names)
            values.setdefault(short, []).append(value + 0.0)
    for names_of, found in values.items():
        merged = _merged(rule.merge, found)
        if math.isfinite(merged):
            source, target = (*names_of, "")[:2]
            mapped.measurements.append(Measurement(cluster, rule.id, source, target, rule.measure, merged))
        else:
            mapped.count(NOT_FINITE, len(found))
    return attrs.evolve(mapped, cut=cut)


def _merged(merge: Merge, values: list[float]) -> float:
    """One of several finite values, whatever their order; infinite when their sum is too large."""
    if merge is not Merge.SUM:
        return max(values) if merge is Merge.MAX else min(values)
    try:
        return math.fsum(values)
    except OverflowError:  # on the way, even if the sum itself is small: it depends on the order
        total = sum(map(Fraction, values))
    try:
        return float(total)
    except OverflowError:
        return math.inf


def _number(series: Series) -> float | str:
    """The series' value, or why it has none that can be kept."""
    if series.value is None:
        return HISTOGRAM if bytes(series.histogram) else NOT_A_NUMBER
    try:
        value = float(series.value[1])
    except ValueError:
        return NOT_A_NUMBER
    return value if math.isfinite(value) else NOT_FINITE
