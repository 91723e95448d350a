"""The incidents that the demo offers are those that the simulator knows, each marked as it says."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from vistio_core.times import MINUTE_MS, SECOND_MS
from vistio_record.sources import simulated_incidents
from vistio_record.sources.simulated_faults import FAULTS
from vistio_serve import demo
from vistio_serve.cli import main


def test_the_demo_offers_what_the_simulator_knows_the_usual_one_first() -> None:
    assert tuple(demo.INCIDENTS) == simulated_incidents.INCIDENTS


def test_the_help_tells_each() -> None:
    text = " ".join(CliRunner().invoke(main, ["demo", "--help"], terminal_width=200).output.split())
    for name, incident in demo.INCIDENTS.items():
        assert f"{name}: {incident.summary}" in text
    refused = CliRunner().invoke(main, ["demo", "--incident", "fire"])
    assert refused.exit_code == 2
    assert "'database', 'version', 'zone', 'retries', 'slow'" in refused.output


@pytest.mark.parametrize("name", demo.INCIDENTS)
def test_only_the_bad_version_is_marked_as_what_it_is(name: str) -> None:
    begins_ms = simulated_incidents.Story(1, 0, name).incident.start_ms
    marks = demo.INCIDENTS[name].marks
    assert all(abs(-before_s * SECOND_MS - begins_ms) < 10 * MINUTE_MS for before_s, _, _ in marks)
    about = {node for _, _, node in marks}
    assert {FAULTS[name].service.name} <= about if name == "version" else True
    if name != "version":
        assert not {getattr(FAULTS.get(name), "service", ("", "mongodb"))[1]} & about
