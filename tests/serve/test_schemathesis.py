"""schemathesis asks a real server what /openapi.json allows, and much that it does not, and finds nothing.

It checks that every answer is as described (status, content type, headers, schema), that none is a fault of the server,
and that what is against a schema is refused.
"""

from __future__ import annotations

import re
import subprocess
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
import requests
from prometheus_client.parser import text_string_to_metric_families
from support.processes import RunProcess, console_script
from support.web_config import bearer, write

from vistio_serve.routes import CHANGES, ROUTES

EXAMPLES = 4
"""Of each operation, made at random, but always the same; beside those that it thinks up from the schemas."""
PATIENCE_S = 240
TOKEN = "5ca1ab1e" * 8
NO_SCHEMA_SAYS_THAT = "positive_data_acceptance"
"""That what fits the schemas is taken: a start after its end, ``at`` beside ``offset``, a length in bytes are not."""
WHO_TRIES_WAITS = "ignored_auth"
"""It shows wrong credentials until these are refused with 401; after ten an address waits, and is told so with 429."""


def ask(
    url: str,
    tmp_path: Path,
    *more: str,
    left_out: Sequence[str] = (),
    headers: Mapping[str, str] | None = None,
) -> None:
    """All that it can think of; fails with what it found."""
    described = tmp_path / "openapi.json"
    described.write_bytes(requests.get(f"{url}openapi.json", headers=bearer(TOKEN), timeout=30).content)
    command = [console_script("schemathesis"), "--no-color", "run", str(described), "--url", url.rstrip("/")]
    command += ["--phases", "examples,coverage,fuzzing", "--max-examples", str(EXAMPLES)]
    command += ["--exclude-checks", ",".join([NO_SCHEMA_SAYS_THAT, *left_out])]
    command += ["--generation-deterministic", "--continue-on-failure"]
    command += ["--request-timeout", "60", *more]
    for name, value in (headers or {}).items():
        command += ["--header", f"{name}:{value}"]
    done = subprocess.run(
        command, cwd=tmp_path, capture_output=True, text=True, timeout=PATIENCE_S, check=False
    )
    assert done.returncode == 0, done.stdout[-20_000:] + done.stderr[-2_000:]
    made = re.search(r"(\d+) generated, (\d+) passed", done.stdout)
    assert made is not None, done.stdout
    assert int(made[1]) > 100, "a test that asks nothing finds nothing"


def answered(url: str) -> dict[str, dict[str, float]]:
    """By route and status, how many answers the server has counted."""
    text = requests.get(f"{url}metrics", headers=bearer(TOKEN), timeout=30).text
    found: defaultdict[str, dict[str, float]] = defaultdict(lambda: defaultdict(float))
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            if sample.name == "vistio_serve_requests_total":
                found[sample.labels["route"]][sample.labels["status"]] += sample.value
    return found


def test_it_finds_nothing(run_process: RunProcess, simulated_minutes: Path, tmp_path: Path) -> None:
    server = run_process("vistio-serve", "--port", 0, "--recording", simulated_minutes)
    url = server.wait_for_line(r"open (http://\S+)").group(1)
    ask(url, tmp_path)
    told = answered(url)
    for route in ROUTES:
        if "<" not in route.path:
            assert told[route.name]["200"], f"{route.path}: a test that gets no answer finds nothing"
    assert sum(each.get("400", 0) for each in told.values()) > 50
    for change in CHANGES:
        assert set(told[change.name]) == {"403"}, "nobody may change something here"


@pytest.fixture
def guarded(run_process: RunProcess, simulated_minutes: Path, tmp_path: Path) -> str:
    """A server that lets nobody in without credentials; `TOKEN` may everything."""
    (tmp_path / "all.token").write_text(TOKEN)
    everything = "- {name: all, token_file: all.token, scopes: [read, metrics, annotate]}\n"
    place = write(tmp_path, more=everything)
    server = run_process("vistio-serve", "--port", 0, "--recording", simulated_minutes, "--web-config", place)
    return server.wait_for_line(r"open (http://\S+)").group(1)


def test_it_finds_nothing_where_it_may_nothing(guarded: str, tmp_path: Path) -> None:
    ask(guarded, tmp_path, left_out=[WHO_TRIES_WAITS])
    told = answered(guarded)
    assert {"401", "429"} <= told["none"].keys(), "refused before anybody looks at the address"
    for route in ROUTES:
        if route.name not in ("healthy", "ready", "metrics", "openapi"):  # which the test itself asks
            assert "200" not in told[route.name], route.path


def test_it_finds_nothing_where_it_may_make_marks(guarded: str, tmp_path: Path) -> None:
    only = ("--include-path-regex", "annotations|access")
    ask(guarded, tmp_path, *only, left_out=[WHO_TRIES_WAITS], headers=bearer(TOKEN))
    told = answered(guarded)
    assert {"200", "400"} <= told["make"].keys()
    assert "400" in told["replace"]
    assert told["remove"]
