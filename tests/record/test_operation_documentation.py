"""docs/operation.md and examples/deploy say what the recorder does: no more and no less."""

from __future__ import annotations

import re
from pathlib import Path

from prometheus_client import generate_latest

from vistio_record.application import Application
from vistio_record.metrics import Metrics

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "operation.md").read_text()


def exposed() -> set[str]:
    """The names of all of the recorder's own metrics, with the suffix that Prometheus sees."""
    text = generate_latest(Metrics(lambda: 0).registry).decode()
    kinds = dict(re.findall(r"^# TYPE (vistio_record_\w+) (\w+)$", text, re.MULTILINE))
    return {name for name in kinds if not name.endswith("_created")}


def test_every_metric_is_documented_and_every_documented_one_is_there() -> None:
    documented = set(re.findall(r"`(vistio_record_\w+)", PAGE))
    assert documented == exposed()


def test_every_route_of_the_port_is_documented() -> None:
    routes = Application(Metrics(lambda: 0), lambda by: None, 60)._routes  # type: ignore[arg-type, return-value]
    documented = set(re.findall(r"^\| `((?:GET|POST) /\S+)`", PAGE, re.MULTILINE))
    assert documented == {f"{methods[0]} {path}" for path, (methods, _) in routes.items()}
