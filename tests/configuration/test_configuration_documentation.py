"""The page, the examples and the loader say the same."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import attrs
import pytest
from support.references import SECTIONS

from vistio_core.configuration import load, loads
from vistio_core.configuration.keys import LEGACY, SHAPES
from vistio_core.configuration.model import (
    ConnectionRule,
    MeasurementRule,
    Merge,
    NodeMapping,
    StatusMapping,
    mappings_of,
)

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "configuration.md").read_text()
EXAMPLES = sorted((ROOT / "examples" / "configurations").glob("*.yaml"))

ISTIO = [path for path in EXAMPLES if "istio_requests_total" in path.read_text()]


def documented_keys(section: str) -> list[str]:
    body = re.split(r"^#+ ", PAGE.partition(f"# {section}\n")[2], maxsplit=1, flags=re.MULTILINE)[0]
    return re.findall(r"^\| `(\w+)` \|", body, re.MULTILINE)


def test_every_mapping_of_the_format_has_a_section() -> None:
    assert set(SECTIONS.values()) == set(SHAPES)


@pytest.mark.parametrize("section", SECTIONS)
def test_exactly_the_keys_of_the_loader_are_documented(section: str) -> None:
    assert sorted(documented_keys(section)) == sorted(SHAPES[SECTIONS[section]])


def test_every_ignored_key_is_documented() -> None:
    table = PAGE.partition("| key | where | instead |")[2]
    assert {key for _, key in LEGACY} <= set(re.findall(r"`(\w+)`", table))


def test_the_page_links_to_every_example() -> None:
    assert len(EXAMPLES) >= 3
    for example in EXAMPLES:
        assert f"../examples/configurations/{example.name}" in PAGE


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.name)
def test_an_example_loads_without_warnings(example: Path) -> None:
    configuration = load(example)
    assert configuration.warnings == ()
    assert configuration.clusters


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.name)
def test_what_is_recorded_of_an_example_loads_to_the_same_configuration(example: Path) -> None:
    configuration = load(example)
    assert loads(configuration.text) == configuration


@pytest.mark.parametrize("example", ISTIO, ids=lambda path: path.name)
def test_an_example_counts_each_request_once(example: Path) -> None:
    for _, rule in load(example).rules():
        assert rule.query.count("rate(") == rule.query.count('reporter="')


@pytest.mark.parametrize("example", ISTIO, ids=lambda path: path.name)
def test_an_example_names_both_ends_by_one_family_of_labels(example: Path) -> None:
    labels = set()
    for _, rule in load(example).rules():
        fields = [field for mapping in mappings_of(rule) for field in mapping.fields]
        labels |= {label.partition("_")[2] for field in fields for label in field}
    assert labels == {"canonical_service"}


@pytest.mark.parametrize("attribute", [field.name for field in attrs.fields(NodeMapping)])
def test_the_examples_use_everything_that_names_a_node(attribute: str) -> None:
    mappings = [
        mapping for path in EXAMPLES for _, rule in load(path).rules() for mapping in mappings_of(rule)
    ]
    assert {getattr(mapping, attribute) for mapping in mappings} - {getattr(NodeMapping(), attribute)}


@pytest.mark.parametrize("attribute", [field.name for field in attrs.fields(StatusMapping)])
def test_the_examples_use_everything_that_a_status_can_be(attribute: str) -> None:
    rules = [rule for path in EXAMPLES for _, rule in load(path).rules() if isinstance(rule, ConnectionRule)]
    statuses = [rule.status for rule in rules if rule.status is not None]
    assert {getattr(status, attribute) for status in statuses} - {getattr(StatusMapping(), attribute)}


def test_the_examples_measure_edges_and_nodes_in_every_way() -> None:
    rules = [rule for path in EXAMPLES for _, rule in load(path).rules() if isinstance(rule, MeasurementRule)]
    assert {rule.merge for rule in rules} == set(Merge)
    assert {len(mappings_of(rule)) for rule in rules} == {1, 2}


def test_the_full_example_has_every_kind_of_thing() -> None:
    configuration = load(ROOT / "examples" / "configurations" / "istio.yaml")
    (cluster,) = configuration.clusters
    assert configuration.global_level.rules
    assert cluster.notices
    assert all(rule.status for rule in cluster.rules)
    assert any(rule.notices for rule in cluster.rules)
    assert len(configuration.classes) > 1


@pytest.mark.skipif(
    shutil.which("promtool") is None, reason="promtool (Debian package prometheus) is not installed"
)
@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.name)
def test_prometheus_accepts_the_queries_of_an_example(example: Path, tmp_path: Path) -> None:
    # A rule file is the one place where promtool parses an expression; indented, it is a block of text.
    lines = ["groups:", "- name: example", "  rules:"]
    for number, (_, rule) in enumerate(load(example).rules()):
        lines += [f"  - record: rule_{number}", "    expr: |"]
        lines += [f"      {line}" for line in rule.query.splitlines()]
    rules = tmp_path / "rules.yaml"
    rules.write_text("\n".join(lines) + "\n")
    checked = subprocess.run(
        ["promtool", "check", "rules", str(rules)], capture_output=True, text=True, timeout=60, check=False
    )
    assert checked.returncode == 0, checked.stderr


def test_the_page_shows_errors_as_they_are() -> None:
    text = "\n" * 9 + (
        "clusterLevel: [{cluster: c, serviceConnections: [\n"
        "  \n"
        "  {\n"
        "  querry: up, prometheusURL: 'http://p', source: {label: a},\n"
        "  target: {label: b, regex: '(.*'}}]}]\n"
    )
    with pytest.raises(
        Exception, match=re.escape("is missing; did you mean query where line 13 has querry?")
    ) as caught:
        loads(text, "vistio.yaml")
    shown = re.findall(r"^vistio\.yaml:\d+: (.*)$", PAGE, re.MULTILINE)
    messages = str(caught.value)
    for line in shown:
        assert line.removesuffix(" ...").replace("'(.*', ", "") in messages.replace("the text '(.*', ", "")
