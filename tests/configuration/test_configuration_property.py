"""Whatever the text, loading it gives a configuration or a ConfigurationError, nothing else."""

from __future__ import annotations

from pathlib import Path

import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from vistio_core.configuration import (
    NodeNamer,
    StatusClassifier,
    StatusNamer,
    loads,
    mappings_of,
    render_title,
)
from vistio_core.configuration.keys import SHAPES
from vistio_core.configuration.model import Configuration, ConnectionRule, ServiceNoticeRule
from vistio_core.errors import ConfigurationError, Problem

SEEDS = [path.read_text() for path in sorted(Path(__file__).parent.glob("data/legacy/*.yaml"))]


def load_and_use(text: str) -> Configuration | None:
    """Loads, and if that works uses every part: what loads must never fail later."""
    refused: tuple[Problem, ...] | None = None
    try:
        configuration = loads(text)
    except ConfigurationError as error:
        refused = error.problems
    if refused is not None:
        assert refused
        lines = len(text.splitlines()) + 1
        assert all(problem.message and (problem.line or 1) <= lines for problem in refused)
        return None
    for _, rule in configuration.rules():
        for mapping in mappings_of(rule):
            NodeNamer(mapping).name({label: "x" for field in mapping.fields for label in field})
        if isinstance(rule, ConnectionRule):
            StatusNamer(rule.status).status({})
            StatusClassifier(rule.status).classify("500")
            for notice in rule.notices:
                render_title(notice.title, 1.0, {})
        elif isinstance(rule, ServiceNoticeRule):
            render_title(rule.title, 1.0, {})
    again = loads(configuration.text)
    assert again.hash == configuration.hash
    return configuration


@given(st.text())
def test_any_text(text: str) -> None:
    load_and_use(text)


@given(st.text(alphabet="ab:-[]{}&*!|>'\"%@`#,?~<= \n\t\\x0U1"))
def test_any_text_of_yaml_signs(text: str) -> None:
    load_and_use(text)
    load_and_use(f"graphName: x\n{text}")


KNOWN = {key for keys in SHAPES.values() for key in keys}
KEYS = st.sampled_from(sorted(KNOWN | {"node", "querry", "<<", "x-a"}))
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.dates()
    | st.sampled_from(
        ["http://p:9090", "http://u:p@p", "danger", "(.*", "{{ .value }}", "{{ x", "$1x", "default"]
    )
    | st.sampled_from(["{a|b}/{c}", "{a", "max", "latency_p99_ms"])
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=6),
    max_leaves=25,
)


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(st.dictionaries(KEYS, VALUES, max_size=5))
def test_any_yaml_made_of_the_known_keys(values: dict[str, object]) -> None:
    load_and_use(yaml.safe_dump(values, allow_unicode=True))


@given(st.sampled_from(SEEDS), st.data())
def test_a_real_file_with_a_piece_exchanged(seed: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(seed)))
    end = data.draw(st.integers(start, min(len(seed), start + 40)))
    load_and_use(seed[:start] + data.draw(st.text(max_size=10)) + seed[end:])


@given(st.sampled_from(SEEDS), st.data())
def test_a_real_file_without_one_of_its_lines(seed: str, data: st.DataObject) -> None:
    lines = seed.splitlines(keepends=True)
    del lines[data.draw(st.integers(0, len(lines) - 1))]
    load_and_use("".join(lines))
