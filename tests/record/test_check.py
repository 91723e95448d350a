"""The analysis behind `vistio-record check`; pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import pytest

from vistio_core.configuration import Configuration, loads
from vistio_core.events import Measurement, Outcome, RuleOutcome, Sample
from vistio_record.check import Clue, Report, analyse
from vistio_record.check_text import as_json, as_lines
from vistio_record.presets import Chosen
from vistio_record.sources.probes import Probe
from vistio_record.sources.promql_names import metric_names, windows

URL = "http://127.0.0.1:9090"
TEXT = f"""\
globalLevel:
  clusterConnections:
    - name: ingress
      query: sum(rate(ingress_total[1m])) by (code)
      prometheusURL: {URL}
      source: {{replacement: INTERNET}}
      target: {{replacement: mesh}}
clusterLevel:
  - cluster: mesh
    serviceConnections:
      - name: http
        query: sum(rate(istio_requests_total[1m])) by (source_app, destination_service, response_code)
        prometheusURL: {URL}
        source: {{label: source_app}}
        target: {{label: destination_service}}
      - name: other
        query: other
        prometheusURL: {URL}
        source: {{label: source}}
        target: {{label: target}}
"""


@pytest.fixture(scope="module")
def configuration() -> Configuration:
    return loads(TEXT)


def probes(
    configuration: Configuration,
    *,
    outcomes: Mapping[str, RuleOutcome] | None = None,
    examples: Mapping[str, Mapping[str, Mapping[str, str]]] | None = None,
    **edges: Mapping[str, float],
) -> list[Probe]:
    """A probe for each rule; ``http={"a>b": 1.5}`` gives the rule http an edge."""
    result = []
    for cluster, rule in configuration.rules():
        samples = tuple(
            Sample(cluster, rule.id, *pair.split(">"), "200", rate)
            for pair, rate in edges.get(rule.id, {}).items()
        )
        outcome = (outcomes or {}).get(rule.id) or RuleOutcome(
            cluster, rule.id, Outcome.OK, series=len(samples)
        )
        result.append(Probe(cluster, rule, outcome, samples, examples=(examples or {}).get(rule.id, {})))
    return result


MEASURED = f"""\
clusterLevel:
  - cluster: mesh
    serviceConnections:
      - name: http
        query: http
        prometheusURL: {URL}
        source: {{labels: [workload, app], default: unknown}}
        target: {{template: "{{namespace}}/{{service|host}}", default: outside}}
        status: {{labels: [grpc, code]}}
    serviceMeasurements:
      - name: p99
        measure: latency_p99_ms
        query: p99
        prometheusURL: {URL}
        source: {{labels: [workload, app]}}
        target: {{template: "{{namespace}}/{{service|host}}"}}
      - name: memory
        measure: memory_bytes
        query: memory
        prometheusURL: {URL}
        service: {{label: service}}
"""
REQUESTS = (("a", "s/b", "200"), ("a", "s/c", ""))


def measured_report(
    samples: Iterable[tuple[str, str, str]] = REQUESTS,
    clue: Clue | None = None,
    example: Mapping[str, Mapping[str, str]] | None = None,
    **measured: Mapping[str, float],
) -> Report:
    """The report of `MEASURED`; ``p99={"a>b": 25}`` is a measurement, ``example`` a dropped series of p99."""
    configuration = loads(MEASURED)
    found = []
    for cluster, rule in configuration.rules():
        values = measured.get(rule.id, {})
        dropped = dict.fromkeys(example or {}, 1) if rule.id == "p99" else {}
        requests = samples if rule.id == "http" else ()
        made = tuple(Sample(cluster, rule.id, *each, 1.0) for each in requests)
        outcome = RuleOutcome(
            cluster, rule.id, Outcome.OK, series=len(made) + len(values) + len(dropped), dropped=dropped
        )
        measurements = tuple(
            Measurement(cluster, rule.id, *f"{pair}>".split(">")[:2], getattr(rule, "measure", ""), value)
            for pair, value in values.items()
        )
        found.append(Probe(cluster, rule, outcome, made, measurements, (example or {}) if dropped else {}))
    return analyse(configuration, found, {("mesh", "p99"): [clue]} if clue else {})


def kinds(report: Report) -> list[str]:
    return [finding.kind for finding in report.findings]


def message(report: Report, kind: str) -> str:
    found = [finding.message for finding in report.findings if finding.kind == kind]
    assert len(found) == 1, report.findings
    return found[0]


GOOD = {"ingress": {"INTERNET>mesh": 10.0}, "http": {"gateway>reviews": 5.0, "reviews>ratings": 2.0}}


def test_a_good_graph_has_no_findings(configuration: Configuration) -> None:
    report = analyse(configuration, probes(configuration, **GOOD))
    assert report.good
    assert report.findings == ()
    assert list(as_lines(report))[-1] == "The graph would show 3 edges and 1 cluster."


def test_no_edge_at_all_is_an_empty_graph(configuration: Configuration) -> None:
    report = analyse(configuration, probes(configuration))
    assert (report.empty, report.good, kinds(report)) == (True, False, ["empty"])
    assert list(as_lines(report))[-1] == "The graph would be empty."


def test_a_rule_in_error_is_not_good_even_when_a_graph_shows(configuration: Configuration) -> None:
    failed = RuleOutcome("mesh", "other", Outcome.TIMEOUT, "no complete answer within 8s")
    report = analyse(configuration, probes(configuration, outcomes={"other": failed}, **GOOD))
    assert (report.empty, report.good) == (False, False)
    text = "\n".join(as_lines(report))
    assert "other: TIMEOUT" in text
    assert "no complete answer within 8s" in text
    assert text.endswith("and 1 rule is in error.")


def test_nobody_enters_a_cluster_that_the_global_level_calls_otherwise_and_the_nearest_name_is_told(
    configuration: Configuration,
) -> None:
    edges = {**GOOD, "ingress": {"INTERNET>istio-mesh": 1.0}}
    text = message(analyse(configuration, probes(configuration, **edges)), "nothing-enters")
    assert "no traffic enters cluster mesh" in text
    assert "It has istio-mesh, which no cluster is called; did you mean istio-mesh?" in text
    assert "gateway looks like a gateway" in text
    assert "entered" not in text, "it can be entered all the same"


@pytest.mark.parametrize(("rate", "said"), [(0.0, True), (0.1, False)])
def test_a_global_level_without_requests_is_told(
    configuration: Configuration, rate: float, said: bool
) -> None:
    for ingress in ({}, {"INTERNET>mesh": 0.0}) if said else ({"INTERNET>mesh": rate},):
        edges = {**GOOD, "ingress": ingress}
        report = analyse(configuration, probes(configuration, **edges))
        assert kinds(report) == (["nothing-enters"] if said else [])


TWO = (
    TEXT
    + f"""\
  - cluster: west
    serviceConnections:
      - name: west
        query: west
        prometheusURL: {URL}
        source: {{label: source}}
        target: {{label: target}}
"""
)


@pytest.mark.parametrize(
    ("west", "told"),
    [
        ({"web>cart": 9.0}, False),
        ({"public-gw>cart": 9.0}, True),
        ({"public-gw>cart": 0.0}, False),
        ({}, False),
    ],
)
def test_one_of_several_clusters_may_have_no_traffic_from_outside_unless_it_has_a_gateway(
    west: Mapping[str, float], told: bool
) -> None:
    configuration = loads(TWO)
    report = analyse(configuration, probes(configuration, **GOOD, west=west))
    assert kinds(report) == (["nothing-enters"] if told else [])


@pytest.mark.parametrize(
    ("chosen", "remedy"),
    [
        (None, "select what they send in a rule of globalLevel"),
        (Chosen("linkerd", {"window": "1m"}), "in a copy of the preset linkerd"),
        (Chosen("istio", {"gateway": "edge"}), "--set gateway='edge|public-gw|shop-istio'"),
    ],
)
def test_what_looks_like_a_gateway_is_named_with_what_to_change(
    configuration: Configuration, chosen: Chosen | None, remedy: str
) -> None:
    edges = {
        "http": {"public-gw.infra>web.shop": 2.0, "shop-istio.infra>web.shop": 1.0, "job.shop>web.shop": 1.0}
    }
    text = message(analyse(configuration, probes(configuration, **edges), chosen=chosen), "nothing-enters")
    assert "public-gw.infra, shop-istio.infra look like gateways" in text
    assert remedy in text


def test_clusters_of_istio_s_own_statistics_are_told(configuration: Configuration) -> None:
    edges = {**GOOD, "http": {"web>outbound|80||cart.shop.svc.cluster.local": 2.0}}
    text = message(analyse(configuration, probes(configuration, **edges)), "istio-statistics")
    assert "outbound|80||cart.shop.svc.cluster.local" in text
    assert "take the preset istio" in text


def test_a_detached_cycle_is_not_reached(configuration: Configuration) -> None:
    edges = {**GOOD, "http": {"gateway>reviews": 1.0, "x>y": 1.0, "y>x": 2.0, "y>z": 1.0}}
    text = message(analyse(configuration, probes(configuration, **edges)), "not-reached")
    assert "reaches x, y, z; the entry nodes are gateway." in text


def test_a_cycle_behind_an_entry_node_is_reached(configuration: Configuration) -> None:
    edges = {**GOOD, "http": {"gateway>x": 1.0, "x>y": 1.0, "y>x": 2.0}}
    assert kinds(analyse(configuration, probes(configuration, **edges))) == []


@pytest.mark.parametrize(
    ("rate", "twice"), [(4.4, False), (4.5, True), (5.0, True), (5.5, True), (5.6, False)]
)
def test_two_rules_with_nearly_the_same_rate_on_an_edge_may_count_twice(
    configuration: Configuration, rate: float, twice: bool
) -> None:
    edges = {**GOOD, "other": {"gateway>reviews": rate}}
    report = analyse(configuration, probes(configuration, **edges))
    assert kinds(report) == (["counted-twice"] if twice else [])


def test_a_short_name_and_a_host_name_look_like_one_service(configuration: Configuration) -> None:
    edges = {
        **GOOD,
        "http": {
            "gateway>reviews.default.svc.cluster.local": 1.0,
            "reviews>ratings.prod": 1.0,
            "gateway>10.0.0.1": 1.0,
        }
        | {"gateway>10.0.0.2": 1.0, "gateway>reviews": 1.0},
    }
    text = message(analyse(configuration, probes(configuration, **edges)), "two-names")
    assert "reviews and reviews.default.svc.cluster.local" in text
    assert "ratings" not in text
    assert "10.0" not in text


def test_a_label_that_was_renamed_is_explained_by_the_metric_s_own_labels(
    configuration: Configuration,
) -> None:
    labels = {
        "__name__": "istio_requests_total",
        "reporter": "source",
        "source_canonical_service": "reviews",
        "source_workload": "reviews-v1",
        "destination_service": "ratings",
    }
    reason = "label source_app missing or empty"
    outcome = RuleOutcome("mesh", "http", Outcome.FAILED, "left out", series=12, dropped={reason: 12})
    report = analyse(
        configuration,
        probes(
            configuration,
            outcomes={"http": outcome},
            examples={"http": {reason: {"destination_service": "ratings"}}},
        ),
        {("mesh", "http"): [Clue("istio_requests_total", labels)]},
    )
    text = "\n".join(as_lines(report))
    assert "http: FAILED, 12 series (12 dropped), no edges" in text
    assert (
        '12 dropped, label source_app missing or empty; such a series has {destination_service="ratings"}'
        in text
    )
    assert "no label source_app on istio_requests_total; source_canonical_service looks like it" in text
    assert "is reported by both ends of a request" in text


def test_a_label_that_the_query_aggregates_away_is_said_to_exist(configuration: Configuration) -> None:
    reason = "label source missing or empty"
    outcome = RuleOutcome("mesh", "other", Outcome.FAILED, "left out", series=1, dropped={reason: 1})
    report = analyse(
        configuration,
        probes(configuration, outcomes={"other": outcome}, examples={"other": {reason: {"target": "b"}}}),
        {("mesh", "other"): [Clue("other", {"source": "a", "target": "b"})]},
    )
    assert "source exists, but the query does not keep it: add it to its by (...)" in "\n".join(
        as_lines(report)
    )


def test_a_metric_that_is_not_there_is_named_with_those_like_it(configuration: Configuration) -> None:
    clues = {("mesh", "http"): [Clue("istio_requests_total", None, ("istio_request_total",))]}
    text = "\n".join(as_lines(analyse(configuration, probes(configuration), clues)))
    assert (
        "the server has no series of istio_requests_total at this instant; it has istio_request_total" in text
    )


def test_the_json_report_has_what_the_text_has(configuration: Configuration) -> None:
    report = as_json(analyse(configuration, probes(configuration, **GOOD)))
    assert report["good"] is True
    assert [rule["rule"] for rule in report["rules"]] == ["ingress", "http", "other"]  # type: ignore[attr-defined]


def test_what_was_measured_is_told_by_edge_and_by_node() -> None:
    report = measured_report(p99={"a>s/b": 25.0, "a>s/x": 3.0}, memory={"a": 1e9})
    text = "\n".join(as_lines(report))
    assert "p99: ok, 2 series: latency_p99_ms of 2 edges (a > s/b, a > s/x)" in text
    assert "memory: ok, 1 series: memory_bytes of 1 node (a)" in text
    assert text.endswith("The graph would show 3 edges and 1 cluster.")
    assert kinds(report) == ["nothing-enters"]
    (p99,) = (rule for rule in as_json(report)["rules"] if rule["rule"] == "p99")  # type: ignore[attr-defined]
    assert p99["measurements"][0] == {
        "source": "a",
        "target": "s/b",
        "measure": "latency_p99_ms",
        "value": 25.0,
    }


def test_a_rule_that_measures_nothing_shows_its_query() -> None:
    text = "\n".join(as_lines(measured_report()))
    assert "p99: ok, 0 series, nothing measured" in text
    assert "query: p99" in text


@pytest.mark.parametrize("characters", [299, 300, 301, 4_000])
def test_a_query_that_is_too_long_to_be_read_is_cut(characters: int) -> None:
    query = "x" * characters
    configuration = loads(TEXT.replace("query: other", f"query: {query}"))
    lines = [line.strip() for line in as_lines(analyse(configuration, probes(configuration), {}))]
    cut = f"query: {query[:300]}... ({characters:,} characters; --json has them all)"
    assert (f"query: {query}" if characters <= 300 else cut) in lines


def test_edges_that_are_only_measured_are_no_empty_graph() -> None:
    assert measured_report(samples=(), p99={"a>s/b": 25.0}).empty is False
    assert measured_report(samples=(), memory={"a": 1.0}).empty is True
    assert measured_report(samples=()).empty is True


@pytest.mark.parametrize(
    ("measured", "apart"), [("a>s/b", False), ("a>tcp", False), ("x>s/c", False), ("a.s>b.s", True)]
)
def test_measured_edges_among_nodes_of_their_own_are_named_by_other_labels(
    measured: str, apart: bool
) -> None:
    report = measured_report(p99={measured: 1.0})
    assert kinds(report).count("apart") == apart
    if apart:
        assert (
            "the rule p99 is about a.s, b.s, none of which has requests; those that have are a, s/b, s/c"
            in (message(report, "apart"))
        )


def test_a_label_of_a_template_that_the_query_does_not_keep_is_told_by_name() -> None:
    reason = "label namespace missing or empty"
    clue = Clue("latency_bucket", {"namespace": "s", "host": "b", "app": "a"})
    report = measured_report(clue=clue, example={reason: {"app": "a", "host": "b"}})
    text = "\n".join(as_lines(report))
    assert "namespace exists, but the query does not keep it" in text
    assert "host exists" not in text
    assert "app exists" not in text


def test_labels_none_of_which_exists_are_told_together() -> None:
    reason = "labels service and host missing or empty"
    clue = Clue("latency_bucket", {"namespace": "s", "service_name": "b", "app": "a"})
    report = measured_report(clue=clue, example={reason: {"app": "a", "namespace": "s"}})
    text = "\n".join(as_lines(report))
    assert "no label service or host on latency_bucket; service_name looks like it" in text


def test_a_default_that_every_node_gets_is_told() -> None:
    text = "\n".join(
        as_lines(measured_report(samples=[("unknown", "s/b", "200"), ("unknown", "outside", "200")]))
    )
    assert "every node is the default unknown: no series has a value for workload or app" in text
    assert "default outside" not in text
    all_default = measured_report(samples=[("unknown", "outside", "200")])
    assert "no series has a value for {namespace}/{service|host}" in "\n".join(as_lines(all_default))


@pytest.mark.parametrize(("statuses", "told"), [(["", ""], True), (["", "200"], False), (["200"], False)])
def test_a_status_that_no_series_has_is_told(statuses: list[str], told: bool) -> None:
    report = measured_report(samples=[("a", f"s/{index}", status) for index, status in enumerate(statuses)])
    assert ("no series has a value for the status, grpc or code" in "\n".join(as_lines(report))) is told


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("up", ("up",)),
        ('sum(rate(a_total{code=~"5..", x="rate(b)"}[1m])) by (source, target)', ("a_total",)),
        ("sum by (x) (rate(a:b[5m])) / on (x) group_left (y) sum(c offset 5m) > bool 1e3", ("a:b", "c")),
        ('sum({__name__="odd.name",x="y"}) or vector(0)', ("odd.name",)),
        ("histogram_quantile(0.9, sum(rate(d_bucket[1m])) by (le)) # not_this\n", ("d_bucket",)),
        ("a unless a", ("a",)),
        ("-Inf < NaN", ()),
        ("1.5e3 + 0x1F", ()),
    ],
)
def test_metric_names_are_found_in_a_query(query: str, names: tuple[str, ...]) -> None:
    assert metric_names(query) == names


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("sum(rate(a[1m])) by (b)", [("a", "1m")]),
        ('rate(a{b="}]", c=~"x{2}"} [5m])', [("a", "5m")]),
        ("rate(a[1m]) / rate(a[1m]) + increase(ns:b[2m] offset 1h)", [("a", "1m"), ("ns:b", "2m")]),
        ("rate({__name__='a'}[1m])", []),
        ("max_over_time(rate(a[1m])[5m:1m])", [("a", "1m")]),
        ('a{b="[1m]"}', []),
        ("max_over_time(a[1m])", []),  # one sample is enough
    ],
)
def test_windows_are_found_with_what_they_are_of(query: str, found: list[tuple[str, str]]) -> None:
    assert list(windows(query)) == found
