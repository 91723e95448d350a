"""A node of the global level that stands for a cluster: what it does, the nodes inside do."""

from __future__ import annotations

from pathlib import Path

from support.recordings import recorded

from vistio_core import Recording, loads
from vistio_core.events import Outcome, RuleOutcome, Sample, Scrape

ASKED = "query: q, prometheusURL: 'http://127.0.0.1:9090'"
ENDS = "source: {label: a}, target: {label: b}, status: {label: code, dangerRegex: ^5..$}"
LEVELS = loads(f"""\
globalLevel:
  clusterConnections:
    - {{name: ingress, {ASKED}, {ENDS}}}
clusterLevel:
  - cluster: mesh
    serviceConnections:
      - {{name: http, {ASKED}, {ENDS}}}
""")
START_MS = 1_767_322_800_000
HEALTHY, FAILING = 120, 30


def failing(tmp_path: Path, edges: dict[tuple[str, str], tuple[str, str]]) -> Recording:
    """Twenty minutes are well, in five a third fails: of each edge (level and rule to its ends) the same."""
    outcomes = tuple(RuleOutcome(cluster, rule.id, Outcome.OK) for cluster, rule in LEVELS.rules())
    scrapes = []
    for step in range(HEALTHY + FAILING):
        bad = 0.0 if step < HEALTHY else 10.0
        samples = [
            Sample(*of, *ends, status, rate)
            for of, ends in edges.items()
            for status, rate in (("200", 30.0 - bad), ("500", bad))
        ]
        scrapes.append(Scrape(START_MS + step * 10_000, 10_000, LEVELS.hash, outcomes, samples))
    return recorded(tmp_path / "r", scrapes, configurations=[LEVELS])


def suspects(recording: Recording) -> list[str]:
    noticed_ms = START_MS + HEALTHY * 10_000
    return recording.suspects(noticed_ms, noticed_ms + FAILING * 10_000).nodes()


def test_a_cluster_is_no_suspect_beside_what_is_in_it(tmp_path: Path) -> None:
    both = {("", "ingress"): ("INTERNET", "mesh"), ("mesh", "http"): ("web", "db")}
    assert suspects(failing(tmp_path, both)) == ["db"]


def test_a_cluster_of_which_nobody_sees_the_inside_is_one(tmp_path: Path) -> None:
    assert suspects(failing(tmp_path, {("", "ingress"): ("INTERNET", "mesh")})) == ["mesh"]
