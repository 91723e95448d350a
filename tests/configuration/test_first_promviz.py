"""Files of the first promviz, with ``clusters:`` at the top: refused, with the same file in today's keys."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from vistio_core.configuration import loads
from vistio_core.errors import ConfigurationError
from vistio_record.cli import main

RULE = """query: requests{a}
{b}prometheusURL: http://user:secret@localhost:9090  # name: of the server
{b}source: {{label: source}}
{b}target: {{label: target}}
"""
CONNECTION = "  - name: in\n    " + RULE.format(a=":rate2m", b="    ")
OLD = f"""\
# ours
graphName: Demo
clusterConnections:
{CONNECTION}
# inside
clusters:
  - name: demo   # the name of a node
    serviceConnections:
      - name: http
        {RULE.format(a="_http", b="        ")}  - maxVolume: 5
    name: other
    serviceConnections: []
"""


def instead(text: str) -> str:
    with pytest.raises(ConfigurationError) as refused:
        loads(text, "promviz.yaml")
    [problem] = refused.value.problems
    head, _, body = problem.message.partition(":\n\n")
    assert head.startswith("is a file of the first promviz; save this instead")
    return body


def test_the_converted_text_loads_and_says_the_same() -> None:
    body = instead(OLD)
    assert "secret" not in body, "it goes into logs"
    loaded = loads(body.replace("***", "secret"))
    assert loaded.warnings == () or all("no traffic enters" not in each.message for each in loaded.warnings)
    assert [rule.id for rule in loaded.global_level.rules] == ["in"]
    assert [(level.cluster, level.max_volume) for level in loaded.clusters] == [("demo", 0), ("other", 5)]
    assert [rule.query for _, rule in loaded.rules()] == ["requests:rate2m", "requests_http"]
    for comment in ("# ours", "# inside", "# the name of a node"):
        assert comment in body


@pytest.mark.parametrize(
    "text",
    [
        f"graphName: x\nclusterConnections:\n{CONNECTION}",
        f"clusters:\n- name: a\n  serviceConnections:\n{CONNECTION}",
        f"globalLevel:\n  clusterConnections: []\nclusters:\n- name: a\n  serviceConnections:\n{CONNECTION}",
        f"clusters:\r\n- name: a\r\n  serviceConnections:\r\n{CONNECTION}".replace("\n", "\r\n"),
    ],
)
def test_half_of_the_old_keys_is_converted_too(text: str) -> None:
    assert [rule.id for _, rule in loads(instead(text)).rules()] == ["in"]


@pytest.mark.parametrize(
    "text",
    [
        "graphName: x\nclusters: []",
        "graphName: x\nclusters: demo",
        f"clusterLevel: []\nclusters:\n- name: a\n  serviceConnections:\n{CONNECTION}",
        "{graphName: x, clusters: [{name: a}]}",
    ],
)
def test_what_has_the_later_keys_or_nothing_in_the_old_ones_loads_with_a_warning(text: str) -> None:
    assert any(
        each.message.startswith("ignored: a key of the first promviz") for each in loads(text).warnings
    )


def test_the_check_prints_the_converted_file(tmp_path: Path) -> None:
    file = tmp_path / "promviz.yaml"
    file.write_text(OLD)
    told = CliRunner().invoke(main, ["check", "--config", str(file)])
    assert told.exit_code == 1
    assert "clusterLevel:\n  - cluster: demo   # the name of a node\n" in told.stderr
    assert "globalLevel:\n  clusterConnections:\n    - name: in\n" in told.stderr
