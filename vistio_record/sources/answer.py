"""What a Prometheus answer says about a rule's edges or nodes. No I/O here.

The way of a series: body > `decode` > `Answer` > `mapper` > `Mapped`. A series that
cannot become a sample (NaN, a histogram, a label that is not there, a regex that does not match)
is left out and counted by reason; it never takes its neighbours with it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from fractions import Fraction
from functools import partial

import attrs
import msgspec

from vistio_core.configuration.mapping import Dropped, NodeNamer, StatusNamer
from vistio_core.configuration.model import (
    ConnectionRule,
    MeasurementRule,
    Merge,
    Rule,
    ServiceNoticeRule,
    mappings_of,
)
from vistio_core.errors import SourceError
from vistio_core.events import LARGEST_RATE, Measurement, Sample

NOT_FINITE = "not finite"
NOT_A_NUMBER = "not a number"
HISTOGRAM = "histogram"
TOO_LARGE = f"beyond {LARGEST_RATE:g}"
TWICE = "series occurs twice"
NOTICE_VALUE = "value"
"""The name of the measurement that a notice query's result becomes."""

MAX_TEXT = 300
MAX_WARNINGS = 20


class Series(msgspec.Struct, gc=False):
    """One element of an instant vector."""

    metric: dict[str, str] = {}
    value: tuple[float, str] | None = None
    histogram: msgspec.Raw = msgspec.Raw(b"")
    """Not decoded: that there is one is all that counts."""


class RangeSeries(msgspec.Struct, gc=False):
    """One element of a matrix, the answer to a range query: its points ascend."""

    metric: dict[str, str] = {}
    values: list[tuple[float, str]] = []
    histograms: list[tuple[float, msgspec.Raw]] = []


class _Data(msgspec.Struct, rename="camel"):
    result_type: str = ""
    result: msgspec.Raw = msgspec.Raw(b"[]")


class _Body(msgspec.Struct, rename="camel"):
    status: str
    data: _Data | None = None
    error_type: str = ""
    error: str = ""
    warnings: list[str] | None = None
    infos: list[str] | None = None
    is_partial: bool = False


class _NameList(msgspec.Struct):
    data: list[str]


@attrs.frozen
class Answer:
    """A successful answer: the series of an instant vector, or the type of what came instead."""

    result_type: str
    series: list[Series]
    """Empty unless ``result_type`` is ``vector``."""
    count: int
    """Number of results of whichever type."""
    warnings: tuple[str, ...] = ()


@attrs.frozen
class Mapped:
    """What became of an answer's series."""

    samples: list[Sample] = attrs.field(factory=list)
    measurements: list[Measurement] = attrs.field(factory=list)
    dropped: dict[str, int] = attrs.field(factory=dict)
    """Reason to number of series."""
    examples: dict[str, Mapping[str, str]] = attrs.field(factory=dict)
    """Reason to the labels of the first series that was dropped for it."""

    def drop(self, reason: str, labels: Mapping[str, str]) -> None:
        self.dropped[reason] = self.dropped.get(reason, 0) + 1
        self.examples.setdefault(reason, labels)


_decode_body = msgspec.json.Decoder(_Body).decode
_decode_vector = msgspec.json.Decoder(list[Series]).decode
_decode_matrix = msgspec.json.Decoder(list[RangeSeries]).decode
_decode_list = msgspec.json.Decoder(list[msgspec.Raw]).decode


def one_line(text: str, limit: int = MAX_TEXT) -> str:
    """``text`` on one line, without control characters, at most ``limit`` characters long."""
    # Cut first: an error text may be as long as the whole response.
    cut = text[: 4 * limit]
    line = " ".join("".join(c if c.isprintable() else " " for c in cut).split())
    return line if len(line) <= limit and len(cut) == len(text) else line[: limit - 1] + "…"


def decode(body: bytes) -> Answer:
    """The answer in a response's body.

    Raises:
        SourceError: the server reports an error (kind ``timeout`` when that is its reason), or the
            body is not what Prometheus' query API answers.
    """
    data, warnings = _open(body)
    return _decode_data(data, warnings)


def decode_range(body: bytes) -> tuple[list[RangeSeries], tuple[str, ...]]:
    """The series and the warnings in the answer to a range query.

    Raises:
        SourceError: as for `decode`.
    """
    data, warnings = _open(body)
    if data.result_type != "matrix":
        raise SourceError(
            f"the answer to a range query is a {one_line(data.result_type, 40) or 'nothing'}, not a matrix"
        )
    try:
        return _decode_matrix(data.result), warnings
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
        raise SourceError(
            f"the answer is not Prometheus' JSON (a matrix: {one_line(str(error), 120)})"
        ) from error


def _open(body: bytes) -> tuple[_Data, tuple[str, ...]]:
    try:
        envelope = _decode_body(body)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
        raise SourceError(f"the answer is not Prometheus' JSON ({one_line(str(error), 120)})") from error
    if envelope.status != "success":
        kind = "timeout" if envelope.error_type == "timeout" else "failed"
        said = one_line(": ".join(filter(None, (envelope.error_type, envelope.error))) or "no reason given")
        raise SourceError(
            f"Prometheus answers {said}", kind=kind, answered=one_line(envelope.error_type, 40) or "untyped"
        )
    if envelope.data is None:
        raise SourceError("the answer is not Prometheus' JSON (success without data)")
    return envelope.data, _warnings(envelope)


def _decode_data(data: _Data, warnings: tuple[str, ...]) -> Answer:
    try:
        if data.result_type == "vector":
            series = _decode_vector(data.result)
            return Answer("vector", series, len(series), warnings)
        # A scalar and a string are one [time, value]; a matrix is a list of series.
        count = len(_decode_list(data.result)) if data.result_type == "matrix" else 1
        return Answer(one_line(data.result_type, 40) or "untyped", [], count, warnings)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
        what = f"a {one_line(data.result_type, 40)}: {one_line(str(error), 120)}"
        raise SourceError(f"the answer is not Prometheus' JSON ({what})") from error


def decode_names(body: bytes) -> list[str]:
    """The names in an answer of ``/api/v1/label/.../values``.

    Raises:
        SourceError: the body is not such an answer.
    """
    try:
        return msgspec.json.decode(body, type=_NameList).data
    except msgspec.MsgspecError as error:
        raise SourceError(f"the answer is not Prometheus' JSON ({one_line(str(error), 120)})") from error


def _warnings(envelope: _Body) -> tuple[str, ...]:
    said = [*(envelope.warnings or ()), *(envelope.infos or ())]
    if envelope.is_partial:
        said.insert(0, "the server calls this answer partial (isPartial)")
    more = len(said) - MAX_WARNINGS
    kept = [one_line(text) for text in said[:MAX_WARNINGS]]
    return (*kept, f"and {more} more") if more > 0 else tuple(kept)


def not_a_vector(answer: Answer) -> str:
    """What to tell the operator of a query whose result has no series to map."""
    remedy = {
        "matrix": "wrap it in rate(...) or remove the [range]",
        "scalar": "wrap it in vector(...) or use a query that keeps labels",
    }.get(answer.result_type, "use a query that answers an instant vector")
    return f"the query answers a {answer.result_type}, a rule needs an instant vector; {remedy}"


def dropped_as(answer: Answer) -> dict[str, int]:
    """The ``dropped`` of an answer that is not a vector."""
    return {f"{answer.result_type} result": answer.count} if answer.count else {}


def mapper(cluster: str, rule: Rule) -> Callable[[Iterable[Series]], Mapped]:
    """What maps the series of ``rule``; keep it, it remembers names. Safe to share between threads."""
    if isinstance(rule, ConnectionRule):
        source, target = NodeNamer(rule.source), NodeNamer(rule.target)
        return partial(_to_edges, cluster, rule, source, target, StatusNamer(rule.status))
    if isinstance(rule, ServiceNoticeRule):
        return partial(_to_nodes, cluster, rule, NodeNamer(rule.service))
    return partial(_to_measurements, cluster, rule, [NodeNamer(mapping) for mapping in mappings_of(rule)])


def _to_edges(
    cluster: str,
    rule: ConnectionRule,
    source_namer: NodeNamer,
    target_namer: NodeNamer,
    status_namer: StatusNamer,
    series: Iterable[Series],
) -> Mapped:
    """One sample for each (source, target, status); several series of one are summed.

    The sums are exact (`math.fsum`), so they do not depend on the order of the series.
    """
    mapped = Mapped()
    name_source, name_target, find_status = source_namer.name, target_namer.name, status_namer.status
    rates: dict[tuple[str, str, str], float] = {}
    # Few edges have more than one series: a list for each would cost a quarter of the time.
    several: dict[tuple[str, str, str], list[float]] = {}
    for one in series:
        labels = one.metric
        value = _number(one)
        if isinstance(value, str):
            mapped.drop(value, labels)
            continue
        if abs(value) > LARGEST_RATE:
            mapped.drop(TOO_LARGE, labels)
            continue
        source = name_source(labels)
        if isinstance(source, Dropped):
            mapped.drop(source.reason, labels)
            continue
        target = name_target(labels)
        if isinstance(target, Dropped):
            mapped.drop(target.reason, labels)
            continue
        key = (source, target, find_status(labels))
        if key in rates:
            several.setdefault(key, [rates[key]]).append(value)
        else:
            rates[key] = value
    for key, values in several.items():
        rates[key] = math.fsum(values)
        if abs(rates[key]) > LARGEST_RATE:
            del rates[key]
            mapped.dropped[TOO_LARGE] = mapped.dropped.get(TOO_LARGE, 0) + len(values)
    rule_id = rule.id
    mapped.samples.extend([Sample(cluster, rule_id, *key, rate) for key, rate in rates.items()])
    return mapped


def _to_nodes(cluster: str, rule: ServiceNoticeRule, namer: NodeNamer, series: Iterable[Series]) -> Mapped:
    """One measurement for each series: a query may say several things about a node.

    Two series with the same labels are an error of the server; the higher value is kept, so
    that the answer's order does not matter.
    """
    mapped = Mapped()
    highest: dict[tuple[tuple[str, str], ...], Measurement] = {}
    for one in series:
        value = _number(one)
        if isinstance(value, str):
            mapped.drop(value, one.metric)
            continue
        node = namer.name(one.metric)
        if isinstance(node, Dropped):
            mapped.drop(node.reason, one.metric)
            continue
        labels = tuple(sorted(one.metric.items()))
        new = Measurement(cluster, rule.id, node, "", NOTICE_VALUE, value, labels)
        old = highest.setdefault(labels, new)
        if old is not new:
            highest[labels] = max(old, new)
            mapped.drop(TWICE, one.metric)
    mapped.measurements.extend(highest.values())
    return mapped


def _to_measurements(
    cluster: str, rule: MeasurementRule, namers: Sequence[NodeNamer], series: Iterable[Series]
) -> Mapped:
    """One measurement for each edge or node, several series of one merged as the rule says."""
    mapped = Mapped()
    values: dict[tuple[str, ...], list[float]] = {}
    for one in series:
        value = _number(one)
        if isinstance(value, str):
            mapped.drop(value, one.metric)
            continue
        names: list[str] = []
        for namer in namers:
            name = namer.name(one.metric)
            if isinstance(name, Dropped):
                mapped.drop(name.reason, one.metric)
                break
            names.append(name)
        else:
            # Adding 0 makes 0.0 of -0.0, so that which of them came first does not matter.
            values.setdefault(tuple(names), []).append(value + 0.0)
    for names_of, found in values.items():
        merged = _merged(rule.merge, found)
        if math.isfinite(merged):
            source, target = (*names_of, "")[:2]
            mapped.measurements.append(Measurement(cluster, rule.id, source, target, rule.measure, merged))
        else:
            mapped.dropped[NOT_FINITE] = mapped.dropped.get(NOT_FINITE, 0) + len(found)
    return mapped


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
