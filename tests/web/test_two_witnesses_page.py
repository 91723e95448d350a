"""What the two ends of a connection tell differently, as a user finds it: in the panel, at lines, in tables."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from support.processes import served
from support.scrapes import INTERVAL_MS, START_MS

import vistio_core as vistio
from vistio_core.events import Measurement, Outcome, RuleOutcome, Sample, Scrape
from vistio_core.times import format_instant
from web.conftest import OpenUi

SHARED = "query: q, prometheusURL: 'http://127.0.0.1:9090', source: {label: a}, target: {label: b}"
STATUS = "status: {label: code, dangerRegex: ^5..$}"
MESH = vistio.loads(f"""\
globalLevel: {{}}
clusterLevel:
  - cluster: mesh
    serviceConnections:
      - {{name: sent, {SHARED}, witness: caller, {STATUS}}}
      - {{name: received, {SHARED}, witness: called, {STATUS}}}
    serviceMeasurements:
      - {{name: mean-sent, measure: latency_mean_ms, {SHARED}, witness: caller}}
      - {{name: mean-received, measure: latency_mean_ms, {SHARED}, witness: called}}
""")
SAMPLES = (
    Sample("mesh", "sent", "front", "cart", "200", 70.0),
    Sample("mesh", "sent", "front", "cart", "503", 30.0),
    Sample("mesh", "received", "front", "cart", "200", 70.0),
    Sample("mesh", "sent", "front", "outside", "200", 5.0),
)
TOOK = (
    Measurement("mesh", "mean-sent", "front", "cart", "latency_mean_ms", 25.0),
    Measurement("mesh", "mean-received", "front", "cart", "latency_mean_ms", 20.0),
)
THEN = f"#/mesh?at={format_instant(START_MS)}"


@pytest.fixture(scope="module")
def witnessed(built: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a server of an instant at which a third of what was sent to cart was not received."""
    recording_dir = tmp_path_factory.mktemp("witnessed") / "recording"
    outcomes = tuple(RuleOutcome(cluster, rule.id, Outcome.OK) for cluster, rule in MESH.rules())
    with vistio.Recording.open(recording_dir, create=True).writer() as writer:
        writer.put_configuration(MESH)
        writer.commit(Scrape(START_MS, INTERVAL_MS, MESH.hash, outcomes, SAMPLES, TOOK))
    with served(recording_dir) as url:
        yield url


def test_what_was_lost_and_what_the_network_took_is_shown_with_its_connection(
    witnessed: str, open_ui: OpenUi
) -> None:
    ui = open_ui(witnessed, f"{THEN}&text=ends")
    ui.wait("vistio.texts().length")
    assert ui.get("vistio.texts()") == ["front--cart 30.0/s lost · 5 ms"]
    ui.page.locator(".panel-details .row-button", has_text="front → cart").first.click()
    ui.page.locator(".panel-details").get_by_role("heading", name="front → cart").wait_for()
    facts = ui.page.locator(".panel-details .facts").first.inner_text().split("\n")
    told = dict(zip(facts[::2], facts[1::2], strict=True))
    assert told["Told by"] == "both ends"
    assert told["Lost: sent, not received"] == "30.0 /s"
    assert told["Network delay, mean"] == "5 ms"
    assert told["Latency, mean"] == "20 ms"
    assert told["Latency, mean, for the caller"] == "25 ms"
    ui.screenshot("two-witnesses")
    ui.page.keyboard.press("Escape")
    heads = ui.page.locator(".panel-details .connections th").all_inner_texts()
    assert [head.strip(" ↓↑") for head in heads if head] == [
        "Connection",
        "req/s",
        "errors",
        "lost/s",
        "network",
    ]
    ui.page.keyboard.press("v")
    table = ui.page.locator(".level-table table").nth(1)
    assert {"lost/s", "network", "told by"} <= set(table.locator("th:visible").all_inner_texts())
    rows = {row.split("\t")[0]: row for row in table.locator("tbody tr").all_inner_texts()}
    assert "both ends" in rows["front → cart"]
    assert "the caller only" in rows["front → outside"]
    ui.screenshot("two-witnesses-tables")
    ui.page.goto(f"{witnessed}plain#at={format_instant(START_MS)}")
    ui.page.locator("#clusters table").wait_for()
    plain = ui.page.locator("#clusters").inner_text()
    assert "30 requests/s lost: sent, not received, network delay 5 ms" in plain.replace("30.0", "30")
    assert "told by the caller only" in plain
