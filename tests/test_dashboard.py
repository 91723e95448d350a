"""The Grafana dashboard: each of its queries is PromQL, and asks for metrics that there are."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml
from prometheus_client.exposition import generate_latest

from vistio_record.metrics import Metrics
from vistio_serve.admission import Admission
from vistio_serve.metrics import ServerMetrics

DASHBOARD = Path(__file__).parents[1] / "examples" / "deploy" / "helm" / "vistio" / "files" / "dashboard.json"
PANELS = json.loads(DASHBOARD.read_text())["panels"]
QUERIES = [target["expr"] for panel in PANELS for target in panel["targets"]]


def test_every_query_asks_for_metrics_that_there_are() -> None:
    server = ServerMetrics(lambda: 0.0, Admission(2**20), lambda: 0)
    told = generate_latest(Metrics(lambda: 0).registry).decode() + server.exposition("")[0].decode()
    there = set(re.findall(r"^# TYPE (\w+)", told, re.MULTILINE))
    asked = {
        re.sub(r"_bucket$", "", name) for query in QUERIES for name in re.findall(r"\bvistio_\w+", query)
    }
    assert len(asked) > 15
    assert asked - there == set()


@pytest.mark.skipif(
    shutil.which("promtool") is None, reason="needs promtool, which comes with Debian's prometheus"
)
def test_every_query_is_promql(tmp_path: Path) -> None:
    rules = [{"record": f"panel:{number}", "expr": query} for number, query in enumerate(QUERIES)]
    file = tmp_path / "rules.yml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "dashboard", "rules": rules}]}))
    done = subprocess.run(
        ["promtool", "check", "rules", file], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{len(QUERIES)} rules found" in done.stdout + done.stderr


def test_panels_have_titles_and_places_of_their_own() -> None:
    assert len({panel["title"] for panel in PANELS}) == len(PANELS) == len({panel["id"] for panel in PANELS})
    assert len({(panel["gridPos"]["x"], panel["gridPos"]["y"]) for panel in PANELS}) == len(PANELS)
