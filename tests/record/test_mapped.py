"""What a rule makes of series: samples and measurements, or reasons why not."""

from __future__ import annotations

import json
import math
from itertools import permutations

import attrs
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vistio_core.configuration.model import (
    ConnectionRule,
    MeasurementRule,
    Merge,
    NodeMapping,
    ServiceNoticeRule,
    SeverityThreshold,
    StatusMapping,
)
from vistio_core.events import LARGEST_RATE, Measurement, Sample
from vistio_record.sources.answer import Series, decode
from vistio_record.sources.mapped import Mapped, _EdgeNamer, _to_edges, mapper

RULE = ConnectionRule(
    "http",
    "rate",
    "http://127.0.0.1:9090",
    NodeMapping("source", "^([a-z]+)", "$1"),
    NodeMapping("target"),
    StatusMapping("code"),
)
NOTICE = ServiceNoticeRule(
    "full", "full", "saturation", "http://127.0.0.1:9090", SeverityThreshold(), NodeMapping("service")
)
LATENCY = MeasurementRule(
    "p99", "latency_p99_ms", "p99", "http://127.0.0.1:9090", NodeMapping("source"), NodeMapping("target")
)
EDGE = {"source": "a", "target": "b", "code": "200"}


def series_of(labels: dict[str, str], value: tuple[float, str]) -> Series:
    return Series(msgspec.Raw(json.dumps(labels)), value)


def edges(*series: tuple[dict[str, str], str]):
    return mapper("mesh", RULE)([series_of(labels, (0.0, value)) for labels, value in series])


def body(**answer: object) -> bytes:
    return json.dumps(answer).encode()


def test_a_series_becomes_a_sample_with_its_raw_status() -> None:
    assert edges((EDGE, "1.25")).samples == [Sample("mesh", "http", "a", "b", "200", 1.25)]


def test_series_of_one_edge_and_status_are_summed_exactly_in_any_order() -> None:
    values = ["1e11", "0.1", "-1e11", "0.2"]
    sums = {edges(*((EDGE, value) for value in order)).samples[0].rate for order in permutations(values)}
    assert sums == {math.fsum(map(float, values))}


def test_statuses_of_one_edge_stay_apart() -> None:
    mapped = edges((EDGE, "1"), ({**EDGE, "code": "503"}, "2"))
    assert [(sample.status, sample.rate) for sample in mapped.samples] == [("200", 1.0), ("503", 2.0)]


def test_a_series_without_the_status_label_has_an_empty_status() -> None:
    assert edges(({"source": "a", "target": "b"}, "1")).samples[0].status == ""


@pytest.mark.parametrize("value", ["NaN", "+Inf", "-Inf"])
def test_a_number_that_is_not_finite_is_dropped_and_its_neighbours_stay(value: str) -> None:
    mapped = edges((EDGE, value), ({**EDGE, "target": "c"}, "1"))
    assert mapped.dropped == {"not finite": 1}
    assert [sample.target for sample in mapped.samples] == ["c"]


@pytest.mark.parametrize(
    ("value", "kept"), [(LARGEST_RATE * 0.999, True), (LARGEST_RATE, True), (LARGEST_RATE * 1.001, False)]
)
def test_a_rate_beyond_the_largest_is_dropped(value: float, kept: bool) -> None:
    mapped = edges((EDGE, repr(value)))
    assert (len(mapped.samples), mapped.dropped) == ((1, {}) if kept else (0, {"beyond 1e+12": 1}))


def test_a_sum_beyond_the_largest_rate_is_dropped_with_all_its_series() -> None:
    mapped = edges((EDGE, "9e11"), (EDGE, "9e11"), ({**EDGE, "code": "404"}, "1"))
    assert mapped.dropped == {"beyond 1e+12": 2}
    assert [sample.status for sample in mapped.samples] == ["404"]


def test_missing_labels_and_regexes_that_do_not_match_are_counted_with_an_example() -> None:
    mapped = edges(
        ({"target": "b"}, "1"),
        ({"source": "", "target": "b"}, "1"),
        ({"source": "7", "target": "b"}, "1"),
        (EDGE, "1"),
    )
    assert mapped.dropped == {"label source missing or empty": 2, "regex does not match source": 1}
    assert mapped.examples["regex does not match source"] == {"source": "7", "target": "b"}
    assert len(mapped.samples) == 1


def test_a_native_histogram_is_dropped_by_name() -> None:
    answer = decode(
        body(
            status="success",
            data={"resultType": "vector", "result": [{"metric": EDGE, "histogram": [1.0, {"count": "3"}]}]},
        )
    )
    assert mapper("mesh", RULE)(answer.series).dropped == {"histogram": 1}


def test_a_value_that_is_no_number_is_dropped_by_name() -> None:
    assert edges((EDGE, "many")).dropped == {"not a number": 1}


def test_a_notice_rule_keeps_every_series_with_its_labels_sorted() -> None:
    series = [
        series_of({"service": "a", "handler": "y"}, (0.0, "0.5")),
        series_of({"service": "a", "handler": "x"}, (0.0, "0.9")),
    ]
    assert mapper("mesh", NOTICE)(series).measurements == [
        Measurement("mesh", "full", "a", "", "value", 0.5, (("handler", "y"), ("service", "a"))),
        Measurement("mesh", "full", "a", "", "value", 0.9, (("handler", "x"), ("service", "a"))),
    ]


def test_a_series_that_the_server_repeats_counts_once_with_its_higher_value() -> None:
    low, high = series_of({"service": "a"}, (0.0, "1")), series_of({"service": "a"}, (0.0, "2"))
    for order in ((low, high), (high, low)):
        mapped = mapper("mesh", NOTICE)(order)
        assert [measurement.value for measurement in mapped.measurements] == [2.0]
        assert mapped.dropped == {"series occurs twice": 1}


def measured(rule: MeasurementRule, *series: tuple[dict[str, str], str]) -> Mapped:
    return mapper("mesh", rule)([series_of(labels, (0.0, value)) for labels, value in series])


def test_a_measurement_is_of_the_edge_whatever_other_labels_the_series_has() -> None:
    assert measured(LATENCY, (EDGE, "25")).measurements == [
        Measurement("mesh", "p99", "a", "b", "latency_p99_ms", 25.0)
    ]


def test_a_measurement_of_a_service_is_of_the_node() -> None:
    rule = attrs.evolve(LATENCY, source=None, target=None, service=NodeMapping("target"))
    assert measured(rule, (EDGE, "25")).measurements == [
        Measurement("mesh", "p99", "b", "", "latency_p99_ms", 25.0)
    ]


@pytest.mark.parametrize(
    ("merge", "value"), [(Merge.MAX, 1e11), (Merge.MIN, -1e11), (Merge.SUM, math.fsum([0.1, 0.2]))]
)
def test_several_series_of_one_edge_are_merged_in_any_order(merge: Merge, value: float) -> None:
    rule = attrs.evolve(LATENCY, merge=merge)
    for order in permutations(["0.1", "-1e11", "1e11", "0.2"]):
        mapped = measured(rule, *((EDGE, each) for each in order))
        assert [measurement.value for measurement in mapped.measurements] == [value]
        assert mapped.dropped == {}


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=6), st.data())
def test_no_merge_depends_on_the_order_of_series(values: list[float], data: st.DataObject) -> None:
    other = data.draw(st.permutations(values))
    for merge in Merge:
        rule = attrs.evolve(LATENCY, merge=merge)
        one, two = (measured(rule, *((EDGE, repr(value)) for value in each)) for each in (values, other))
        # As text, since 0.0 equals -0.0 and the log would tell them apart.
        assert repr(one.measurements) == repr(two.measurements)
        assert one.dropped == two.dropped


def test_a_sum_of_measurements_is_exact_even_if_it_is_huge_on_the_way() -> None:
    rule = attrs.evolve(LATENCY, merge=Merge.SUM)
    for order in permutations(["1.5e308", "1.5e308", "-1.5e308", "-1.5e308", "1"]):
        assert measured(rule, *((EDGE, value) for value in order)).measurements[0].value == 1.0


def test_a_sum_of_measurements_that_is_no_number_is_dropped_with_all_its_series() -> None:
    rule = attrs.evolve(LATENCY, merge=Merge.SUM)
    mapped = measured(rule, (EDGE, "1.5e308"), (EDGE, "1.5e308"), ({**EDGE, "target": "c"}, "1"))
    assert mapped.dropped == {"not finite": 2}
    assert [measurement.target for measurement in mapped.measurements] == ["c"]


def test_a_percentile_of_nothing_is_dropped_and_its_neighbours_stay() -> None:
    mapped = measured(LATENCY, (EDGE, "NaN"), ({"source": "a"}, "1"), ({**EDGE, "target": "c"}, "1"))
    assert mapped.dropped == {"label target missing or empty": 1, "not finite": 1}
    assert mapped.examples["label target missing or empty"] == {"source": "a"}
    assert [measurement.target for measurement in mapped.measurements] == ["c"]


def test_a_measurement_may_be_larger_than_any_rate() -> None:
    assert measured(LATENCY, (EDGE, "1e15")).measurements[0].value == 1e15


@pytest.mark.parametrize(
    ("status", "recorded"),
    [
        (StatusMapping(labels=("grpc", "code")), "200"),
        (StatusMapping(template="{code} {grpc}"), "200"),
        (StatusMapping("grpc", default="none"), "none"),
        (StatusMapping(value="failed"), "failed"),
        (None, ""),
    ],
)
def test_the_status_is_what_its_mapping_finds(status: StatusMapping | None, recorded: str) -> None:
    rule = attrs.evolve(RULE, status=status)
    (sample,) = mapper("mesh", rule)([series_of(EDGE, (0.0, "1"))]).samples
    assert sample.status == recorded


def test_series_that_get_the_default_name_are_one_node() -> None:
    rule = attrs.evolve(RULE, source=NodeMapping(labels=("x", "source"), default="unknown"))
    series = [series_of({"target": "b", "x": ""}, (0.0, "1")), series_of({"target": "b"}, (0.0, "2"))]
    mapped = mapper("mesh", rule)(series)
    assert mapped.samples == [Sample("mesh", "http", "unknown", "b", "", 3.0)]
    assert mapped.dropped == {}


def test_a_line_end_makes_another_node() -> None:
    rule = attrs.evolve(RULE, source=NodeMapping("source"))
    series = [series_of({**EDGE, "source": name}, (0.0, "1")) for name in ("new", "new\nline", "new\rline")]
    assert [sample.source for sample in mapper("mesh", rule)(series).samples] == [
        "new",
        "new\nline",
        "new\rline",
    ]


LONG = "x" * 1_000_000


def test_a_name_or_status_that_is_too_long_is_cut_and_counted_each_time() -> None:
    keep = mapper("mesh", attrs.evolve(RULE, source=NodeMapping("source")))
    series = [
        series_of(EDGE, (0.0, "1")),
        *(series_of({**EDGE, "source": LONG + end}, (0.0, "1")) for end in "ab"),
        series_of({**EDGE, "code": LONG}, (0.0, "1")),
    ]
    for _ in range(2):
        mapped = keep(series)
        assert (len(mapped.samples), mapped.cut, mapped.dropped) == (4, 3, {})
        assert mapped.warnings == ("names of more than 1,024 bytes were cut, in 3 series",)
        assert all(len(text.encode()) <= 1024 for sample in mapped.samples for text in sample[2:5])
    assert keep(series[:1]).warnings == ()


def test_what_is_measured_of_a_name_that_is_too_long_belongs_to_its_cut_name() -> None:
    (edge,) = mapper("mesh", attrs.evolve(RULE, source=NodeMapping("source")))(
        [series_of({**EDGE, "source": LONG}, (0.0, "1"))]
    ).samples
    latency = measured(LATENCY, ({**EDGE, "source": LONG}, "1"))
    notice = mapper("mesh", NOTICE)([series_of({"service": LONG, "handler": LONG}, (0.0, "1"))])
    assert (latency.measurements[0].source, latency.cut) == (edge.source, 1)
    assert (notice.measurements[0].source, notice.cut) == (edge.source, 1)
    assert max(len(text) for _, text in notice.measurements[0].labels) <= 1024


def test_labels_of_megabytes_are_not_remembered_for_ever() -> None:
    namer = _EdgeNamer(attrs.evolve(RULE, source=NodeMapping("source")))
    for number in range(100):
        _to_edges("mesh", RULE, namer, [series_of({**EDGE, "source": f"{number}{LONG}"}, (0.0, "1"))])
    assert namer.known(1).size_bytes < 70_000_000


def test_labels_that_were_seen_before_mean_the_same_again() -> None:
    keep = mapper("mesh", RULE)
    twice = [keep([series_of(EDGE, (0.0, value)), series_of({"source": "1"}, (0.0, "1"))]) for value in "12"]
    assert [mapped.samples for mapped in twice] == [
        [Sample("mesh", "http", "a", "b", "200", 1.0)],
        [Sample("mesh", "http", "a", "b", "200", 2.0)],
    ]
    reason = "regex does not match source"
    assert [(mapped.dropped, mapped.examples) for mapped in twice] == 2 * [
        ({reason: 1}, {reason: {"source": "1"}})
    ]


def test_labels_of_the_past_are_forgotten_when_there_are_many() -> None:
    namer = _EdgeNamer(RULE)
    for generation in range(10):
        series = [series_of({**EDGE, "pod": f"{generation}-{index}"}, (0.0, "1")) for index in range(1_000)]
        assert len(_to_edges("mesh", RULE, namer, series).samples) == 1
        assert len(namer.known(len(series))) <= 4_000


def test_the_order_in_which_labels_are_written_makes_no_difference() -> None:
    series = [series_of(dict(pairs), (0.0, "1")) for pairs in permutations(EDGE.items())]
    assert mapper("mesh", RULE)(series).samples == [Sample("mesh", "http", "a", "b", "200", 6.0)]
