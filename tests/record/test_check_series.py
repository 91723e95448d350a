"""What `vistio-record check` finds in series before any rule, and in what two ends say; pure."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from vistio_core.configuration import loads
from vistio_core.events import Outcome, RuleOutcome, Sample
from vistio_record.check_ends import ends_findings
from vistio_record.check_series import Seen, gateway_names, series_findings, window_findings
from vistio_record.presets import Chosen, chosen
from vistio_record.sources.probes import Probe
from vistio_record.sources.windows import Sampled

Labels = Mapping[str, str]
HERE = {"app": "web", "job": "pods", "instance": "10.0.0.7:15020"}


def twice(one: Labels, other: Labels, rates: tuple[float, float] = (10.0, 10.0)) -> str:
    """What is found about two series; empty if nothing."""
    seen = Seen("requests_total", [(one, rates[0]), (other, rates[1])], frozenset({"app", "service"}))
    return " ".join(finding.message for finding in series_findings([seen], set(), None))


@pytest.mark.parametrize(
    ("other", "by"),
    [
        (
            {"job": "envoy", "instance": "10.0.0.7:15090"},
            "instance (10.0.0.7:15020, 10.0.0.7:15090); job (envoy, pods)",
        ),
        ({"job": "envoy"}, "job (envoy, pods)"),
        ({"job": "envoy", "instance": "web-x"}, "job (envoy, pods)"),
        ({"instance": "10.0.0.7:15090"}, "instance (10.0.0.7:15020, 10.0.0.7:15090)"),
        ({"replica": "b"}, "replica (, b)"),
        ({"replica": "b", "instance": "web-x"}, "instance (10.0.0.7:15020, web-x); replica (, b)"),
        ({"prometheus": "monitoring/b"}, "prometheus (, monitoring/b)"),
        ({"prometheus_replica": "b", "endpoint": "http"}, "endpoint (, http); prometheus_replica (, b)"),
    ],
)
def test_a_proxy_that_is_scraped_twice_is_told_with_what_tells_the_copies_apart(
    other: Labels, by: str
) -> None:
    text = twice(HERE, {**HERE, **other})
    assert "requests_total has the same series more than once, 1 of them" in text
    assert by in text


@pytest.mark.parametrize(
    "other",
    [
        {"instance": "10.0.0.8:15020"},
        {"app": "cart", "job": "envoy"},
        {"code": "503", "job": "envoy"},
        {"service": "web", "job": "envoy"},
    ],
)
def test_pods_of_one_workload_and_what_is_about_the_traffic_are_no_copies(other: Labels) -> None:
    assert twice(HERE, {**HERE, **other}) == ""


def test_pods_that_are_told_apart_by_name_and_ports_of_this_machine_are_no_copies() -> None:
    assert twice({**HERE, "pod": "web-1"}, {**HERE, "pod": "web-2", "job": "envoy"}) == ""
    assert twice({**HERE, "instance": "localhost:1"}, {**HERE, "instance": "localhost:2"}) == ""


@pytest.mark.parametrize(
    ("rate", "copy"), [(8.9, False), (9.0, True), (11.1, True), (11.2, False), (0.0, False)]
)
def test_copies_have_nearly_the_same_rate(rate: float, copy: bool) -> None:
    assert bool(twice(HERE, {**HERE, "job": "envoy"}, (10.0, rate))) is copy


def test_counters_that_stand_still_are_no_copies() -> None:
    assert twice(HERE, {**HERE, "job": "envoy"}, (0.0, 0.0)) == ""


def istio(source: str, target: str, service: str = "", **labels: str) -> tuple[Labels, float]:
    """``canonical/workload.namespace`` at both ends; empty is unknown."""
    found = {"reporter": "destination"}
    for end, text in (("source", source), ("destination", target)):
        names, _, namespace = text.partition(".")
        canonical, _, workload = names.partition("/")
        found |= {
            f"{end}_canonical_service": canonical or "unknown",
            f"{end}_workload": workload or "unknown",
            f"{end}_workload_namespace": namespace or "unknown",
        }
    name, _, namespace = service.partition(" ")
    return {
        **found,
        "destination_service_name": name,
        "destination_service_namespace": namespace,
        **labels,
    }, 1.0


def findings(*series: tuple[Labels, float], nodes: set[str], chosen: Chosen | None = None) -> dict[str, str]:
    seen = Seen("istio_requests_total", series, whole=False)
    return {finding.kind: finding.message for finding in series_findings([seen], nodes, chosen)}


@pytest.mark.parametrize("canonical", ["unknown", ""])
def test_workloads_without_a_canonical_name_are_told(canonical: str) -> None:
    series = istio("/web-v1.shop", "cart/cart-v1.shop", source_canonical_service=canonical)
    found = findings(series, nodes={"web-v1.shop", "cart.shop"})
    assert found.keys() == {"no-canonical-name"}
    assert (
        "for web-v1.shop (missing, or unknown): they are called by their workloads"
        in found["no-canonical-name"]
    )
    found = findings(series, nodes={"unknown.shop", "cart.shop"})
    assert "take source_workload and destination_workload" in found["no-canonical-name"]


def test_what_is_not_known_at_all_has_no_name_to_miss() -> None:
    assert findings(istio("", "cart/cart-v1.shop"), nodes={"unknown", "cart.shop"}) == {}


@pytest.mark.parametrize(
    "lost", ["cart-svc shop", "cart-svc.shop.svc.cluster.local unknown", "cart-svc.shop.svc:80 "]
)
def test_a_service_that_is_called_otherwise_than_its_workloads_is_told_once_something_never_arrived(
    lost: str,
) -> None:
    known, failed = istio("web/w.shop", "cart/c.shop", "cart-svc shop"), istio("web/w.shop", "", lost)
    assert findings(known, nodes={"cart.shop"}) == {}
    one = findings(known, failed, nodes={"cart.shop"})["service-and-workload"]
    assert (
        "cart-svc.shop is the Kubernetes service of the workload cart.shop: what never arrived is on" in one
    )
    two = findings(known, failed, nodes={"cart.shop", "cart-svc.shop"})["service-and-workload"]
    assert "is on a node of its own, cart-svc.shop; name both by the same labels" in two


def test_a_service_of_several_workloads_says_so_and_one_of_the_same_name_says_nothing() -> None:
    series = [istio("web/w.shop", f"{name}/{name}.shop", "api shop") for name in ("cart", "stock")]
    found = findings(*series, istio("web/w.shop", "", "api shop"), nodes={"api.shop"})
    assert "of the workloads cart.shop, stock.shop" in found["service-and-workload"]
    same = istio("web/w.shop", "cart/c.shop", "cart shop"), istio("web/w.shop", "", "cart shop")
    assert findings(*same, nodes=set()) == {}


@pytest.mark.parametrize(
    ("name", "reporter", "told"),
    [
        ("waypoint", "source", True),
        ("ns-waypoint", "source", True),
        ("ns-waypoint", "waypoint", False),
        ("ns-waypoint-2", "source", False),
    ],
)
def test_waypoints_that_report_what_they_send_on_are_told(name: str, reporter: str, told: bool) -> None:
    series = istio(f"{name}/{name}.shop", "cart/c.shop", reporter=reporter)
    found = findings(series, nodes=set(), chosen=Chosen("istio-ambient", {"waypoint": "(.+-)?waypoint"}))
    assert ("waypoint-reports-both-ways" in found) is told
    if told:
        assert "before Istio 1.23: the preset counts the first" in found["waypoint-reports-both-ways"]
        assert "take the preset istio-ambient" in findings(series, nodes=set())["waypoint-reports-both-ways"]


def test_a_gateway_beside_one_that_the_preset_knows_is_told() -> None:
    chosen = Chosen("istio", {"gateway": "edge"})
    known, other = istio("edge/edge.infra", "web/w.shop"), istio("pub/pub-istio.infra", "web/w.shop")
    assert findings(known, istio("job/job.shop", "web/w.shop"), nodes=set(), chosen=chosen) == {}
    other = istio("pub-istio/pub-istio-x.infra", "web/w.shop")
    text = findings(known, other, nodes=set(), chosen=chosen)["gateway-not-named"]
    assert "pub-istio.infra looks like a gateway" in text
    assert "--set gateway='edge|pub-istio-x'" in text
    assert findings(other, nodes=set(), chosen=chosen).keys() == {"gateway-not-named"}
    seen = [Seen("istio_requests_total", [other], whole=False)]
    assert list(series_findings(seen, set(), chosen, entered=False)) == [], "that is told of the graph"
    called = istio("web/w.shop", "pub-istio/pub-istio-x.infra")
    assert findings(known, other, called, nodes=set(), chosen=chosen) == {}


RULES = """\
clusterLevel:
  - cluster: mesh
    serviceConnections:
      - &rule
        name: sent
        witness: caller
        query: a
        prometheusURL: http://127.0.0.1:9
        source: {label: source}
        target: {label: target}
        status: {label: code, dangerRegex: ^5}
      - {<<: *rule, name: received, witness: called}
"""


def ends(sent: Mapping[str, float], received: Mapping[str, float]) -> str:
    """What is found; an edge with its status is ``source>target 200``."""
    probes = []
    for (cluster, rule), told in zip(loads(RULES).rules(), (sent, received), strict=True):
        samples = [
            Sample(cluster, rule.id, *edge.split(" ")[0].split(">"), edge.split(" ")[1], rate)
            for edge, rate in told.items()
        ]
        probes.append(
            Probe(cluster, rule, RuleOutcome(cluster, rule.id, Outcome.OK, series=len(samples)), samples)
        )
    return " ".join(finding.message for finding in ends_findings(probes))


@pytest.mark.parametrize(
    ("sent", "received", "told"),
    [
        ({"a>b 200": 10.0}, {"a>b 200": 10.0}, False),
        ({"a>b 200": 10.0}, {"a>b 200": 9.0}, False),
        ({"a>b 200": 10.0}, {"a>b 200": 8.9}, True),
        ({"a>b 200": 8.9}, {"a>b 200": 10.0}, True),
        ({"a>b 200": 5.0}, {"a>b 200": 0.0}, True),
        ({"a>b 200": 0.0}, {"a>b 200": 0.0}, False),
        # Failures may have arrived, or not.
        ({"a>b 200": 7.0, "a>b 503": 3.0}, {"a>b 200": 7.0}, False),
        ({"a>b 200": 7.0, "a>b 503": 3.0}, {"a>b 200": 10.0}, False),
        ({"a>b 200": 7.0, "a>b 503": 3.0}, {"a>b 200": 5.0}, True),
        # Others may call, whom the called side does not know; they cannot make up for what is missing.
        ({"a>b 200": 5.0}, {"unknown>b 200": 8.0}, False),
        ({"a>b 200": 8.0}, {"unknown>b 200": 5.0}, True),
        # One side says nothing of these.
        ({"a>b 200": 5.0, "a>api.example.com 200": 50.0}, {"a>b 200": 5.0, "c>d 200": 50.0}, False),
    ],
)
def test_two_ends_whose_sums_differ_by_more_than_a_tenth_are_told(
    sent: Mapping[str, float], received: Mapping[str, float], told: bool
) -> None:
    assert bool(ends(sent, received)) is told


@pytest.mark.parametrize(
    ("sent", "received", "who"),
    [
        ({"a>b 200": 5.0}, {}, "only the callers report"),
        ({}, {"a>b 200": 5.0}, "only the called sides report"),
        ({"a>b 200": 5.0}, {"c>d 200": 5.0}, ""),
        ({}, {"unknown>b 200": 5.0}, ""),
        ({}, {}, ""),
    ],
)
def test_a_level_that_one_end_tells_of_alone_is_told(
    sent: Mapping[str, float], received: Mapping[str, float], who: str
) -> None:
    assert who in ends(sent, received)
    assert bool(ends(sent, received)) is bool(who)


def test_the_targets_that_differ_most_are_named_first() -> None:
    text = ends(
        {"a>b 200": 10.0, "a>c 200": 10.0, "a>d 200": 10.0}, {"a>b 200": 8.0, "a>c 200": 1.0, "a>d 200": 10.0}
    )
    assert "callers say that they sent 30.00 requests/s, the called sides that they received 19.00" in text
    assert "most differ c (10.00 sent, 1.00 received), b (10.00 sent, 8.00 received). The" in text


@pytest.mark.parametrize(
    ("name", "series", "node", "value"),
    [
        ("istio", istio("gw/gw-v1.infra", "web/w.shop")[0], "gw.infra", "gw-v1"),
        ("envoy", {"app": "gw", "job": "entry"}, "gw", "entry"),
        ("consul", {"consul_source_service": "gw", "consul_source_namespace": "default"}, "gw", "gw"),
    ],
)
def test_a_gateway_is_known_by_the_label_that_the_preset_tells_it_by(
    name: str, series: Labels, node: str, value: str
) -> None:
    known = gateway_names([Seen("requests_total", [(series, 1.0)])], chosen(name, {}))
    assert known[node] == {value}


@pytest.mark.parametrize(
    ("apart_ms", "told"),
    [
        (60_000, "each 1m or so"),  # a window as long as samples are apart
        (59_998, "each 1m or so"),
        (40_000, "each 40s or so"),
        (120_000, "[8m]"),
        (30_002, ""),  # always two, but for a scrape that comes late
        (15_000, ""),
        (200, ""),
    ],
)
def test_a_window_with_fewer_than_two_samples_at_times_is_told(apart_ms: int, told: str) -> None:
    found = list(window_findings(2 * [Sampled("a_total", "1m", 60_000, apart_ms)]))
    assert [finding.kind for finding in found] == (["window-too-short"] if told else [])
    assert all(told in finding.message and "a_total" in finding.message for finding in found)
