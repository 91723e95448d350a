"""`examples/envoy-mesh`: what a mesh of real Envoys went through, against what the graphs of its recording say.

The mesh is started once, as its user does, and lives through a story: healthy, broken in four places at a time, an
Envoy killed, healed. Users and services count their requests themselves (``mesh.py truth``), and know of no metric.
"""

from __future__ import annotations

import signal
import sys
from typing import TYPE_CHECKING

import pytest
from support import envoy as real_envoy
from support import prometheus as real_prometheus
from support.envoy_mesh import EnvoyMesh, Part, Shown, wait_until_recorded
from support.processes import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SERVICES = frozenset(
    ("productpage", "details", "reviews-v1", "reviews-v2", "reviews-v3", "ratings", "login", "store", "books")
)
NETWORK_MS, CPU_MS = 400, 150
# Scrapes a second apart, 4 to 12 requests a second, means over some 12 seconds; on a busy machine the users' pace
# changes meanwhile. What counts twice, or not at all, is further off.
NEAR, NEAR_RPS = 0.15, 1.0
TO_RATINGS = ("reviews-v2>ratings", "reviews-v3>ratings")

pytestmark = [
    pytest.mark.skipif(not real_prometheus.installed(), reason=real_prometheus.WITHOUT_BINARY),
    pytest.mark.skipif(real_envoy.binary() is None, reason=real_envoy.WITHOUT_BINARY),
    pytest.mark.skipif(sys.platform != "linux", reason="the mesh ends its processes as only Linux can"),
    pytest.mark.slow,
]


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Part]]:
    """The parts of the story: ``healthy``, ``broken``, ``killed`` and ``healed``."""
    mesh = EnvoyMesh(tmp_path_factory.mktemp("mesh"), "--window", "6s", "--interval", "2s", "--for", "5m")
    try:
        mesh.process.wait_for_line("ready", timeout_s=120)
        lived = {"healthy": mesh.live()}
        mesh.ask("break", "abort", "ratings", "--percent", 50)
        mesh.ask("break", "network", "productpage", "details", "--ms", NETWORK_MS)
        mesh.ask("break", "cpu", "reviews-v1", "--ms", CPU_MS)
        mesh.ask("break", "cut", "login", "store")
        lived["broken"] = mesh.live()
        mesh.ask("heal")
        mesh.ask("break", "kill", "ratings")
        lived["killed"] = mesh.live()
        mesh.ask("heal")
        lived["healed"] = mesh.live()
        wait_until_recorded()
        yield {name: mesh.part(*when) for name, when in lived.items()}
        mesh.ask("down")
        assert "ended, as it was told" in mesh.process.wait()
        assert mesh.processes() == set(), "nothing is left of it"
    finally:
        mesh.process.kill()


def told_of(part: Part) -> dict[str, Shown]:
    """What graphs say of edges, but for a few requests of who knows whom.

    Envoys are scraped at different moments. When the users' pace changes between two of them, the called end has
    received for an instant what no caller has sent yet: no further off than what is `NEAR_RPS`.
    """
    return {
        name: edge
        for name, edge in part.shown.items()
        if not name.startswith("unknown>") or sum(edge.rates) >= NEAR_RPS
    }


def lost_rps(edge: Shown) -> float:
    return edge.measurements.get("lost_rps", 0.0)


@pytest.mark.parametrize("part", ["healthy", "broken", "killed", "healed"])
def test_each_request_counts_once_on_its_edge_and_failures_where_they_were(
    story: dict[str, Part], part: str
) -> None:
    truth, shown = story[part].truth, told_of(story[part])
    entering = shown.pop("INTERNET>mesh")
    assert shown.keys() == truth.keys()
    for name, edge in truth.items():
        assert shown[name].rates == pytest.approx(edge.sent, rel=NEAR, abs=NEAR_RPS), name
    assert entering.rates == pytest.approx(truth["ingress>productpage"].sent, rel=NEAR, abs=NEAR_RPS)
    named = {end for name in shown for end in name.split(">")}
    assert named == SERVICES | {"ingress"}, "every caller is known, though no receiver knows one"
    assert story[part].nodes - {"unknown"} == named


@pytest.mark.parametrize("part", ["healthy", "healed"])
def test_before_and_after_nothing_fails_and_both_ends_tell_of_everything(
    story: dict[str, Part], part: str
) -> None:
    shown = told_of(story[part])
    del shown["INTERNET>mesh"]  # told by the edge alone
    assert len(shown) == 11
    for name, edge in shown.items():
        assert edge.rates[1:] == (0, 0), name
        assert edge.told_by == {"both"}, name
        assert lost_rps(edge) == 0, name


def test_an_error_that_the_called_envoy_answers_was_received(story: dict[str, Part]) -> None:
    for name in TO_RATINGS:
        edge = story["broken"].shown[name]
        assert story["broken"].truth[name].lost_rps > 1, "the service itself never saw these"
        assert edge.rates[2] > 1
        assert edge.told_by == {"both"}
        assert lost_rps(edge) < edge.rates[2] / 2, "of none of them is it said that it was lost"


def test_what_was_sent_and_not_received_is_lost_where_it_was(story: dict[str, Part]) -> None:
    broken = story["broken"]
    cut = broken.truth["login>store"]
    assert (cut.received_rps, sum(cut.sent)) == (0, cut.sent[2])
    assert lost_rps(broken.shown["login>store"]) == pytest.approx(cut.lost_rps, rel=NEAR, abs=NEAR_RPS)
    others = {name: lost_rps(edge) for name, edge in broken.shown.items() if name != "login>store"}
    assert max(others.values()) < NEAR_RPS, others
    assert broken.shown["ratings>store"].rates[2] == 0, "the store's other caller is well"


def test_a_failure_below_is_seen_all_the_way_up(story: dict[str, Part]) -> None:
    """Without the store nobody logs in, and a page that needs a login fails: the edges say so, and lose nothing."""
    for name in ("productpage>login", "ingress>productpage"):
        edge = story["broken"].shown[name]
        assert edge.rates[2] > 1
        assert edge.told_by == {"both"}


def test_a_slow_network_and_a_slow_service_are_told_apart(story: dict[str, Part]) -> None:
    shown = {name: edge.measurements for name, edge in story["broken"].shown.items()}
    of_network = shown["productpage>details"]
    # Nothing is faster than what was put there; Envoy's histograms are right to some percent.
    assert of_network["network_ms"] > 0.9 * NETWORK_MS
    assert of_network["latency_mean_ms"] < of_network["network_ms"] / 2
    of_cpu = shown["productpage>reviews-v1"]
    assert of_cpu["latency_mean_ms"] > 0.9 * CPU_MS
    others = {name: each.get("network_ms", 0.0) for name, each in shown.items()}
    del others["productpage>details"]
    assert max(others.values()) < of_network["network_ms"] / 2, others


def test_of_a_killed_envoy_only_the_callers_tell(story: dict[str, Part]) -> None:
    killed = story["killed"]
    for name in TO_RATINGS:
        assert killed.truth[name].received_rps == 0
        assert killed.shown[name].rates[:2] == (0, 0)
        assert killed.shown[name].told_by == {"caller"}
    assert "ratings>store" not in killed.shown, "it asks nobody: it is asked by nobody"


@pytest.mark.parametrize("end", ["interrupted", "killed", "orphaned"])
def test_nothing_outlives_the_mesh(tmp_path: Path, end: str) -> None:
    mesh = EnvoyMesh(tmp_path / "mesh", "--mesh-only", "--for", "1m", orphan=end == "orphaned")
    try:
        wait_until(lambda: len(mesh.processes()) > 10, what="the mesh to be half started")
        if end == "interrupted":
            mesh.process.terminate(by=signal.SIGINT)
        else:
            mesh.process.kill()
        wait_until(lambda: not mesh.processes(), what=f"the end of {mesh.processes()}")
    finally:
        mesh.process.kill()
