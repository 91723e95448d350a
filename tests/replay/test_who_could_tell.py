"""Absent is 0 only where somebody could have told: each writer by its own rules, and a rule from when it was there."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from support.scrapes import INTERVAL_MS, START_MS

from vistio_core import Configuration, Recording, loads
from vistio_core.events import Outcome, RuleOutcome, Sample, Scrape
from vistio_core.times import HOUR_MS

SHARED = "query: q, prometheusURL: 'http://127.0.0.1:9090', status: {label: code, dangerRegex: ^5..$}"
T = [START_MS + index * INTERVAL_MS for index in range(4)]
WINDOW = T[0], T[3]


def ingress(cluster: str) -> str:
    return f"""\
globalLevel:
  clusterConnections:
    - {{name: ingress, {SHARED}, source: {{replacement: INTERNET}}, target: {{replacement: {cluster}}}}}
"""


INSIDE = f"""\
clusterLevel:
  - cluster: east
    serviceConnections:
      - {{name: http, {SHARED}, source: {{label: a}}, target: {{label: b}}}}
"""


def commit(
    recording: Recording, writer: str, *rounds: tuple[int, Configuration, list[str], set[str]]
) -> None:
    """Rounds: when, by which rules, what was seen (``rule>source>target``), and which rules failed."""
    with recording.writer(writer) as writing:
        for instant_ms, configuration, seen, failed in rounds:
            writing.put_configuration(configuration)
            outcomes = tuple(
                RuleOutcome(
                    cluster, rule.id, *((Outcome.FAILED, "refused") if rule.id in failed else (Outcome.OK,))
                )
                for cluster, rule in configuration.rules()
            )
            samples = tuple(
                Sample("east" if rule == "http" else "", rule, source, target, "200", 10.0)
                for rule, source, target in (each.split(">") for each in seen)
            )
            writing.commit(Scrape(instant_ms, INTERVAL_MS, configuration.hash, outcomes, samples))


def normals(recording: Recording, cluster: str, target: str) -> dict[str, list[float | None]]:
    """What each door says of the edges to a node at the instants of the window."""
    (level,) = (each for each in recording.frames(*WINDOW, "10s").levels if each.cluster == cluster)
    number = [target for _, target in level.edges].index(target)
    frames = [None if math.isnan(rate) else rate for rate in level.rates[:, number, 0].tolist()]
    rows = [row for table in recording.edges(*WINDOW) for row in table.to_pylist()]
    stable = [recording.graph(at, stable=WINDOW) for at in T[:3]]
    rates = [
        next(edge.rates for level in graph.levels if level.cluster == cluster for edge in level.edges
             if edge.target == target)
        for graph in stable
    ]  # fmt: skip
    return {
        "edges": [row["normal"] for row in rows if (row["cluster"], row["target"]) == (cluster, target)],
        "frames": frames,
        "stable": [rate.normal if rate.seen else None for rate in rates],
        "timeline": recording.timeline(*WINDOW, "10s", cluster=cluster, target=target)["normal"].to_pylist(),
    }


@pytest.fixture
def recording(tmp_path: Path) -> Recording:
    return Recording.open(tmp_path / "recording", create=True, clock=lambda: START_MS + HOUR_MS)


def test_of_two_writers_with_rules_of_one_name_each_could_tell_of_its_own_edges(recording: Recording) -> None:
    for cluster, failed in (("east", set[str]()), ("west", {"ingress"})):
        rules = loads(ingress(cluster) + INSIDE)
        seen = [f"ingress>INTERNET>{cluster}"]
        commit(
            recording,
            cluster,
            (T[0], rules, seen, set()),
            (T[1], rules, [] if failed else seen, failed),
            (T[2], rules, seen, set()),
        )
    for door, rates in normals(recording, "", "east").items():
        assert rates == [10.0, 10.0, 10.0], door
    for door, rates in normals(recording, "", "west").items():
        assert rates == [10.0, None, 10.0], door
    (change,) = recording.diff(T[0], T[1]).to_pylist()
    assert (change["target"], change["change"], change["after_unseen"]) == ("west", "unseen", ["ingress"])
    assert recording.blast_radius("INTERNET", T[1]).unseen == ("ingress",)


def test_before_a_rule_was_there_what_it_tells_of_was_not_seen(recording: Recording) -> None:
    few, more = loads(ingress("east")), loads(ingress("east") + INSIDE)
    entering = "ingress>INTERNET>east"
    commit(
        recording,
        "main",
        (T[0], few, [entering], set()),
        (T[1], more, [entering, "http>gw>web"], set()),
        (T[2], more, [entering], set()),
    )
    for door, rates in normals(recording, "east", "web").items():
        assert rates == [None, 10.0, 0.0], door
    for moments in ((T[0], T[1]), ((T[0], T[1]), (T[1], T[2]))):
        (change,) = recording.diff(*moments).to_pylist()
        assert (change["change"], change["before_unseen"]) == ("unseen", ["no rule"])
    (gone,) = recording.diff(T[1], T[2]).to_pylist()
    assert (gone["change"], gone["after_normal"]) == ("gone", 0.0)


def test_a_node_has_the_mean_of_the_instants_at_which_all_of_it_was_seen(recording: Recording) -> None:
    both = loads(
        ingress("east") + ingress("west").split("clusterConnections:\n")[1].replace("ingress", "west")
    )
    more = ["ingress>INTERNET>east", "west>INTERNET>west"]
    commit(
        recording,
        "main",
        (T[0], both, more[:1], {"west"}),
        (T[1], both, more, set()),
        (T[2], both, [more[1]], set()),
    )
    rows = {(row["node"], row["target"]): row["rps"] for row in recording.top(*WINDOW).to_pylist()}
    assert rows["INTERNET", "east"] == pytest.approx(20 / 3)
    assert rows["INTERNET", "west"] == rows["west", None] == 10.0
    assert rows["INTERNET", None] == 15.0, "20 and 10, at the two instants at which both were seen"
    (step,) = recording.timeline(T[0], T[3], "30s", cluster="", source="INTERNET").to_pylist()
    assert (step["normal"], step["instants"]) == (15.0, 2)
