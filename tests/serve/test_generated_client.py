"""A client that somebody generated of /openapi.json asks a running server: everything that it gets fits its types."""

from __future__ import annotations

import functools
import importlib
import pkgutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from types import ModuleType
from typing import Any, get_type_hints

import attrs
import pytest
import requests
from support.processes import RunningProcess, console_script
from support.web_config import ALICE, CI_TOKEN, basic, bearer, write

from serve.conftest import simulate

pydantic = pytest.importorskip("pydantic", reason="comes with openapi-python-client")
pytest.importorskip("openapi_python_client", reason="generates the client")

pytestmark = pytest.mark.slow

NAME = "vistio_client"
# The generator formats what it has written by a program; nobody reads it here.
SETTINGS = "post_hooks: []\n"
GRAPHS: tuple[tuple[str, dict[str, Any], str], ...] = (
    ("vizceral", {}, "VizceralGraph"),
    ("node-link", {}, "NodeLinkGraph"),
    ("node-link", {"edges": "links"}, "NodeLinkGraphForD3"),
    ("cytoscape", {}, "CytoscapeGraph"),
    ("grafana", {}, "GrafanaGraph"),
    ("grafana", {"part": "data"}, "GrafanaData"),
    ("grafana", {"part": "fields"}, "GrafanaFields"),
)
WINDOW = {"start": "-30m"}
ASKED: dict[str, tuple[dict[str, Any], str]] = {
    "access": ({}, "Access"),
    "annotations": (WINDOW, "Annotations"),
    "blast_radius": ({"node": "mongodb", "cluster": "eu-west"}, "BlastRadius"),
    "diff": ({"before": "-40m", "after": "-1m"}, "Diff"),
    "frames": ({"start": "-2m"}, "Frames"),
    "heat": (WINDOW, "Heat"),
    "incidents": ({"start": "-1h"}, "Incidents"),
    "instants": ({"start": "-1h"}, "Instants"),
    "path": (WINDOW, "Path"),
    "seen": ({"start": "-1h"}, "Seen"),
    "suspects": ({"start": "-35m", "end": "-20m"}, "Suspects"),
    "timeline": ({**WINDOW, "step": "1m"}, "Timeline"),
    "top": (WINDOW, "Top"),
    "openapi": ({}, "Document"),
}
TEXTS: dict[str, tuple[dict[str, Any], str]] = {
    "config": ({}, "globalLevel:"),
    "edges": ({"start": "-1m"}, "instant,cluster,source,target,"),
    "healthy": ({}, "is healthy"),
    "live": ({}, "data: {"),
    "metrics": ({}, "# HELP"),
    "ready": ({}, "is ready"),
    "report": ({"start": "-2m"}, "<!doctype html>"),
}


class Generated:
    """The generated package, and its clients of a running server."""

    def __init__(self, package: ModuleType, url: str) -> None:
        self.models = importlib.import_module(f"{package.__name__}.models")
        self._url, self._package = url, package

    def ask(self, operation: str, who: Mapping[str, str], **given: Any) -> tuple[int, Any]:
        """The status, and what the answer was read as."""
        module = importlib.import_module(f"{self._package.__name__}.api.default.{operation}")
        with self._package.Client(base_url=self._url, headers=dict(who)) as client:
            answer = module.sync_detailed(client=client, **given)
        return answer.status_code, answer.parsed

    def misfits(self, value: Any, place: str = "") -> Iterator[str]:
        """What in an answer is not of the type that the client promises of it."""
        if isinstance(value, dict):
            for name, each in value.items():
                yield from self.misfits(each, f"{place}[{name!r}]")
        elif isinstance(value, list):
            for index, each in enumerate(value):
                yield from self.misfits(each, f"{place}[{index}]")
        elif attrs.has(type(value)):
            for name, fits in self._fields(type(value)).items():
                inner = getattr(value, name)
                try:
                    fits.validate_python(inner)
                except pydantic.ValidationError as error:
                    yield f"{place}.{name}: {error}"
                yield from self.misfits(inner, f"{place}.{name}")

    def _fields(self, model: type) -> dict[str, Any]:
        types = get_type_hints(model, localns=vars(self.models))
        config = pydantic.ConfigDict(strict=True, arbitrary_types_allowed=True)
        return {
            field.name: pydantic.TypeAdapter(types[field.name], config=config)
            for field in attrs.fields(model)
        }


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    place = tmp_path_factory.mktemp("served")
    # Of now, as its clock and the questions are; that of other tests is older each minute.
    recording = simulate(place / "recording", ("-1h", "now"))
    options = ("--port", "0", "--recording", str(recording), "--web-config", str(write(place)))
    process = RunningProcess([console_script("vistio-serve"), *options])
    try:
        yield process.wait_for_line(r"open (http://\S+)/").group(1)
    finally:
        process.kill()


@pytest.fixture(scope="module")
def generated(server: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Generated]:
    place = tmp_path_factory.mktemp("generated")
    document = place / "openapi.json"
    document.write_bytes(requests.get(f"{server}/openapi.json", headers=basic(*ALICE), timeout=20).content)
    settings = place / "settings.yaml"
    settings.write_text(SETTINGS)
    made = subprocess.run(
        [
            *(sys.executable, "-m", "openapi_python_client", "generate", "--meta", "none"),
            *("--path", document, "--output-path", place / NAME, "--config", settings, "--fail-on-warning"),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert made.returncode == 0, made.stdout + made.stderr
    sys.path.insert(0, str(place))
    try:
        yield Generated(importlib.import_module(NAME), server)
    finally:
        sys.path.remove(str(place))


@pytest.mark.parametrize("operation", ASKED)
def test_every_answer_fits_the_types_of_a_generated_client(generated: Generated, operation: str) -> None:
    given, model = ASKED[operation]
    status, answer = generated.ask(operation, basic(*ALICE), **given)
    assert (status, type(answer).__name__) == (200, model), answer
    assert list(generated.misfits(answer, model)) == []


@pytest.mark.parametrize(("format_", "options", "model"), GRAPHS)
def test_each_drawing_in_json_is_read_as_what_it_is(
    generated: Generated, format_: str, options: dict[str, Any], model: str
) -> None:
    drawn_by = generated.models.GraphFormat(format_)
    status, answer = generated.ask("graph", basic(*ALICE), format_=drawn_by, at="-20m", **options)
    assert (status, type(answer).__name__) == (200, model), answer
    assert list(generated.misfits(answer, model)) == []


@pytest.mark.parametrize("operation", TEXTS)
def test_what_is_no_json_is_read_as_text(generated: Generated, operation: str) -> None:
    given, has = TEXTS[operation]
    status, answer = generated.ask(operation, basic(*ALICE), **given)
    assert (status, type(answer)) == (200, str)
    assert has in answer


def test_all_operations_are_asked(generated: Generated) -> None:
    place = importlib.import_module(f"{NAME}.api.default").__path__
    found = {module.name for module in pkgutil.iter_modules(place)}
    changes = {"make_annotation", "replace_annotation", "remove_annotation"}
    files = {"assets", "static", "page", "plain"}
    assert found == {"graph", *ASKED, *TEXTS, *changes, *files}


def test_a_value_of_another_type_would_be_found(generated: Generated) -> None:
    _, answer = generated.ask("graph", basic(*ALICE))
    answer.nodes[0].name, answer.server_update_time = None, "now"
    assert [line.partition(": ")[0] for line in generated.misfits(answer, "graph")] == [
        "graph.server_update_time",
        "graph.nodes[0].name",
    ]


@pytest.mark.parametrize(
    ("who", "given", "status", "kind"),
    [
        (basic(*ALICE), {"node": "mongo"}, 404, "unknown-name"),
        (basic(*ALICE), {"start": "yesterday"}, 400, "bad-time"),
        (bearer("wrong"), {}, 401, "not-known"),
        (bearer(CI_TOKEN), {}, 403, "not-allowed"),
    ],
)
def test_a_refusal_is_a_problem_in_words(
    generated: Generated, who: dict[str, str], given: dict[str, str], status: int, kind: str
) -> None:
    got, problem = generated.ask("timeline", who, **given)
    assert (got, type(problem).__name__) == (status, "Problem")
    assert problem.type_.value.endswith(f":{kind}")
    assert list(generated.misfits(problem, "problem")) == []


def test_a_mark_is_made_replaced_read_and_removed(generated: Generated) -> None:
    mark = functools.partial(generated.models.Mark, kind="deployment", start="-1m")
    made = generated.ask("make_annotation", bearer(CI_TOKEN), body=mark(text="v2 is out"))[1]
    replaced = generated.ask("replace_annotation", bearer(CI_TOKEN), id=made.id, body=mark(text="v3 is out"))[
        1
    ]
    _, read = generated.ask("annotations", basic(*ALICE), start="-5m")
    assert {each.id: each.text for each in read.annotations}[replaced.id] == "v3 is out"
    removed = generated.ask("remove_annotation", bearer(CI_TOKEN), id=replaced.id)[1]
    for answer, model in (
        (made, "Written"),
        (replaced, "Written"),
        (read, "Annotations"),
        (removed, "Removed"),
    ):
        assert type(answer).__name__ == model
        assert list(generated.misfits(answer, model)) == []
