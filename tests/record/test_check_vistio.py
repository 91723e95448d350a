"""`vistio-record check` on a file of Vistio's: what will look different, and why."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from vistio_core.configuration import load, loads
from vistio_core.events import Measurement, Outcome, RuleOutcome, Sample
from vistio_record import presets
from vistio_record.check import Report, analyse
from vistio_record.check_text import as_json, as_lines
from vistio_record.check_vistio import could_be_vistios
from vistio_record.presets import Chosen
from vistio_record.sources.probes import Probe

LEGACY = Path(__file__).parents[1] / "configuration" / "data" / "legacy"
TEXT = """\
globalLevel:
  maxVolume: 100
  clusterConnections:
    - {name: in, query: a, prometheusURL: "http://p:9090", source: {replacement: INTERNET}, target: {label: target}}
clusterLevel:
  - cluster: mesh
    serviceConnections:
      - name: http
        query: b
        prometheusURL: "http://p:9090"
        source: {label: source}
        target: {label: target, regex: ^demo-(.+)$}
        status: {label: code, dangerRegex: ^5}
        notices: [{title: "<b>errors</b>", statusType: danger, severityThreshold: {error: .1}}]
      - {name: grpc, query: c, prometheusURL: "http://p:9090", source: {label: source}, target: {label: target}}
    serviceNotices:
      - name: full
        title: full
        query: d
        prometheusURL: "http://p:9090"
        service: {label: service}
        severityThreshold: {error: 1}
"""


def report(
    edges: Mapping[str, Mapping[str, float]],
    *,
    text: str = TEXT,
    failed: str = "",
    dropped: Mapping[str, Mapping[str, int]] | None = None,
    full: str = "",
    chosen: Chosen | None = None,
) -> Report:
    configuration = loads(text)
    probes = []
    for cluster, rule in configuration.rules():
        samples = tuple(
            Sample(cluster, rule.id, *pair.split(">"), "200", rate)
            for pair, rate in edges.get(rule.id, {}).items()
        )
        values = (
            (Measurement(cluster, rule.id, full, "", "value", 1.0),) if rule.id == "full" and full else ()
        )
        outcome = Outcome.FAILED if rule.id == failed else Outcome.OK
        left_out = (dropped or {}).get(rule.id, {})
        probes.append(
            Probe(cluster, rule, RuleOutcome(cluster, rule.id, outcome, dropped=left_out), samples, values)
        )
    return analyse(configuration, probes, chosen=chosen)


PLAIN = TEXT.replace("<b>errors</b>", "errors")
SEEN = {"in": {"INTERNET>mesh": 50.0}, "http": {"web>cart": 1.0}, "grpc": {"cart>db": 1.0}}


def kinds(of: Report) -> list[str]:
    return [each.kind for each in of.differences]


def test_what_looks_the_same_is_not_spoken_of() -> None:
    same = report(SEEN, text=PLAIN)
    assert same.differences == ()
    assert not any("Vistio" in line for line in as_lines(same))


@pytest.mark.parametrize(
    ("found", "kind", "words"),
    [
        (report(SEEN, text=PLAIN, failed="http"), "vistio-drew-nothing", "http is not answered"),
        (
            report(SEEN, text=PLAIN, dropped={"http": {"regex does not match target": 3}}),
            "vistio-drew-what-does-not-match",
            "3 series of http are left out",
        ),
        (report(SEEN, text=PLAIN, dropped={"grpc": {"not finite": 1}}), "vistio-lost-the-drawing", "1 series of grpc"),
        (
            report({**SEEN, "grpc": {"web>cart": 1.0}}, text=PLAIN),
            "vistio-drew-the-last",
            "web > cart from http, grpc) and are added up",
        ),
        (report({**SEEN, "in": {"INTERNET>mesh": 101.0}}, text=PLAIN), "vistio-drew-too-dense", "give maxVolume: 200"),
        (report(SEEN, text=PLAIN, full="queue"), "vistio-hid-notices", "queue have notices and no traffic"),
        (report(SEEN), "vistio-drew-html", "'<b>errors</b>'"),
        (report({**SEEN, "in": {"INTERNET>shop": 5.0}}, text=PLAIN), "vistio-hid-the-cluster", "traffic enters mesh"),
    ],
)  # fmt: skip
def test_each_difference_is_told_with_its_reason(found: Report, kind: str, words: str) -> None:
    assert kinds(found) == [kind]
    assert words in found.differences[0].message
    assert f"~ not as in Vistio: {found.differences[0].message}" in as_lines(found)
    differences = as_json(found)["differences"]
    assert isinstance(differences, list)
    assert differences[0]["kind"] == kind


def test_a_scale_that_holds_the_largest_edge_is_none_and_one_below_is() -> None:
    for rate, told in ((99.0, False), (100.0, False), (100.1, True)):
        found = report({**SEEN, "in": {"INTERNET>mesh": rate}}, text=PLAIN)
        assert ("vistio-drew-too-dense" in kinds(found)) is told


def test_of_what_vistio_could_not_read_nothing_is_said() -> None:
    for key in ("witness: called", "http_config: {follow_redirects: true}"):
        text = (
            f"{TEXT}{key}\n"
            if key.startswith("http")
            else TEXT.replace("query: b", f"query: b\n        {key}")
        )
        assert report(SEEN, text=text, failed="http").differences == ()
    assert report(SEEN, failed="http", chosen=Chosen("istio", {})).differences == ()
    assert not could_be_vistios(presets.load("istio", "http://p:9090", {}))
    assert all(could_be_vistios(load(file)) for file in LEGACY.glob("*.yaml"))
