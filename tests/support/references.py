"""The pages of docs/reference, made of what they are about: classes, routes, commands, docstrings.

`tests/write_references.py` writes them, `tests/documentation/test_references.py` says when it has to.
"""

from __future__ import annotations

import inspect
import re
import types
from collections.abc import Callable, Iterator, Mapping
from enum import StrEnum
from pathlib import Path
from typing import Any

import attrs
import click

import vistio_core
from support.openapi import resolved
from vistio_core.configuration import http_config, model
from vistio_core.configuration.keys import SHAPES, Key
from vistio_core.configuration.loading import DEFAULT_GRAPH_NAME
from vistio_record import cli as record_cli
from vistio_serve import cli as serve_cli
from vistio_serve import openapi

DOCS = Path(__file__).parents[2] / "docs"
EXPLAINED = DOCS / "configuration.md"
HELP_WIDTH = 100
MADE = "This page is made by `python tests/write_references.py`, from"

SECTIONS: Mapping[str, type] = {
    "The file": model.Configuration,
    "`globalLevel`": model.GlobalLevel,
    "`clusterLevel`": model.ClusterLevel,
    "Rules": model.ConnectionRule,
    "Node mappings": model.NodeMapping,
    "`status`": model.StatusMapping,
    "`notices`": model.ConnectionNotice,
    "`serviceNotices`": model.ServiceNoticeRule,
    "Measurements": model.MeasurementRule,
    "`severityThreshold`": model.SeverityThreshold,
    "`classes`": model.NodeClass,
    "`servers`": http_config.ServerSettings,
    "`http_config`": http_config.HttpConfig,
    "`basic_auth`": http_config.BasicAuth,
    "`authorization`": http_config.Authorization,
    "`tls_config`": http_config.TlsConfig,
    "`http_headers`": http_config.HttpHeader,
}
"""The sections of docs/configuration.md, and whose keys each explains."""

_TITLES = {shape: title for title, shape in SECTIONS.items()}
_SCALARS = {"str": "text", "float": "number", "bool": "`true` or `false`"}
_ROW = re.compile(r"^\| `(\w+)` \|.*\| (.*) \|$", re.MULTILINE)
_LINK = re.compile(r"\]\((#|[\w.-]+\.md)")


def cell(text: str) -> str:
    """A text in one cell of a table."""
    return " ".join(text.split()).replace("|", r"\|")


def table(*columns: str) -> list[str]:
    """The head of a table."""
    return [f"| {' | '.join(columns)} |", f"|{'---|' * len(columns)}"]


def row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def anchor(title: str) -> str:
    """By which a heading is linked to."""
    return re.sub(r"[^\w\- ]", "", title).lower().replace(" ", "-")


# Configuration


def section_of(title: str) -> str:
    """What stands below a heading of docs/configuration.md, up to the next one."""
    page = EXPLAINED.read_text(encoding="utf-8")
    return re.split(r"^#+ ", page.partition(f"# {title}\n")[2], maxsplit=1, flags=re.MULTILINE)[0]


def configuration() -> str:
    """Every key of a configuration file."""
    lines = [
        "# Configuration keys",
        "",
        "Every key of a configuration file: what it takes and its default as the classes have them that a"
        " file becomes, and what it means in the words of"
        " [configuration](../configuration.md), which explains how they work together.",
        "",
        f"{MADE} `vistio_core.configuration`.",
    ]
    for shape, keys in SHAPES.items():
        title = _TITLES[shape]
        meanings = dict(_ROW.findall(section_of(title)))
        explained = f"[explained](../configuration.md#{anchor(title)})"
        lines += ["", f"## {title}", "", f"`{shape.__module__}.{shape.__name__}`, {explained}.", ""]
        lines += table("key", "takes", "default", "attribute", "meaning")
        for name, key in keys.items():
            meaning = _LINK.sub(_from_reference, meanings[name])
            lines.append(
                row(f"`{name}`", _takes(shape, key), _default(shape, key), f"`{key.attribute}`", meaning)
            )
    return "\n".join([*lines, ""])


def _from_reference(link: re.Match[str]) -> str:
    return f"](../{EXPLAINED.name}#" if link[1] == "#" else f"](../{link[1]}"


def _takes(shape: type, key: Key) -> str:
    if key.shape is not None:
        one = f"[{_TITLES[key.shape].strip('`')}](#{anchor(_TITLES[key.shape])})"
        return f"names, each with {one}" if key.named else f"list of {one}" if key.many else one
    if key.named:
        return "names, each with a list of text"
    annotation = shape.__annotations__[key.attribute].removesuffix(" | None")
    if key.many:
        assert annotation == "tuple[str, ...]"
        return "list of text"
    choice = vars(model).get(annotation)
    if isinstance(choice, type) and issubclass(choice, StrEnum):
        return ", ".join(f"`{member}`" for member in choice)
    return _SCALARS[annotation]


def _default(shape: type, key: Key) -> str:
    default = attrs.fields_dict(shape)[key.attribute].default
    if key.attribute == "graph_name":
        return f"`{DEFAULT_GRAPH_NAME}`"
    if default is attrs.NOTHING:
        return "none" if shape is model.Configuration else "**required**"
    if isinstance(default, bool):
        return f"`{str(default).lower()}`"
    if isinstance(default, StrEnum | str | float) and default != "":
        return f"`{default:g}`" if isinstance(default, float) else f"`{default}`"
    return "none"


# HTTP


def http() -> str:
    """Every route of `vistio-serve`."""
    document = openapi.document()
    lines = [
        "# HTTP routes",
        "",
        "Every route of `vistio-serve`, its parameters and answers, as `/openapi.json` has them. What the"
        " answers mean: [HTTP interface](../http-api.md); the recorder's own port:"
        " [operation](../operation.md#the-recorders-own-port).",
        "",
        f"{MADE} the routes themselves.",
    ]
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            lines += ["", f"## `{method.upper()} {path}`", "", operation["summary"], *_parameters(operation)]
            if body := operation.get("requestBody"):
                lines += ["", f"Takes {_content(body['content'])}."]
            lines += ["", *_answers(document, operation)]
    lines += ["", "## Schemas"]
    for name, schema in document["components"]["schemas"].items():
        lines += ["", f"### `{name}`", "", *_schema(schema)]
    return "\n".join([*lines, ""])


def _parameters(operation: Mapping[str, Any]) -> list[str]:
    if not operation["parameters"]:
        return []
    lines = ["", *table("parameter", "takes", "default", "meaning")]
    for parameter in operation["parameters"]:
        schema = parameter["schema"]
        default = (
            "**required**"
            if parameter["required"]
            else f"`{schema['default']}`"
            if "default" in schema
            else "none"
        )
        takes = f"{_type(schema)}, in the path" if parameter["in"] == "path" else _type(schema)
        example = f" Example: `{parameter['example']}`" if "example" in parameter else ""
        meaning = cell(f"{parameter.get('description', '')}{example}")
        lines.append(row(f"`{parameter['name']}`", cell(takes), default, meaning))
    return lines


def _answers(document: Mapping[str, Any], operation: Mapping[str, Any]) -> list[str]:
    """What is answered with which status; those that are answered alike share a row."""
    alike: dict[str, list[str]] = {}
    for status, response in operation["responses"].items():
        answer = resolved(document, response)
        content = _content(answer.get("content", {}))
        said = "" if answer["description"] == operation["summary"] else answer["description"]
        told = ". ".join(part for part in (content, said) if part)
        alike.setdefault(cell(told), []).append(status)
    return [*table("status", "answer"), *(row(", ".join(statuses), told) for told, statuses in alike.items())]


def _content(content: Mapping[str, Any]) -> str:
    """Content types, with what each holds where that is said."""
    found = []
    for kind, said in content.items():
        schema = said.get("schema", {})
        found.append(f"`{kind}`: {_type(schema)}" if schema else f"`{kind}`")
    return ", ".join(found)


def _type(schema: Mapping[str, Any]) -> str:
    """What a value is, in a few words."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return f"[{name}](#{anchor(name)})"
    if "enum" in schema:
        return ", ".join(f"`{value}`" for value in schema["enum"])
    if "const" in schema:
        return f"`{schema['const']}`"
    for several in ("anyOf", "oneOf", "allOf"):
        if several in schema:
            return (" and " if several == "allOf" else " or ").join(_type(one) for one in schema[several])
    kind = schema.get("type", "anything")
    kinds = kind if isinstance(kind, list) else [kind]
    return " or ".join(_kind(one, schema) for one in kinds)


def _kind(kind: str, schema: Mapping[str, Any]) -> str:
    if kind == "array" and "items" in schema:
        return f"list of {_type(schema['items'])}"
    more = schema.get("additionalProperties")
    if kind == "object" and isinstance(more, dict):
        return f"object of {_type(more)}"
    return f"{kind} ({schema['format']})" if "format" in schema and kind == "string" else kind


def _schema(schema: Mapping[str, Any]) -> list[str]:
    lines = [cell(schema["description"]), ""] if "description" in schema else []
    if "properties" not in schema:
        return [*lines, cell(_type(schema))]
    required = schema.get("required", ())
    lines += table("field", "is", "meaning")
    for name, field in schema["properties"].items():
        is_ = cell(_type(field)) + ("" if name in required else "; may be missing")
        lines.append(row(f"`{name}`", is_, cell(field.get("description", ""))))
    return lines


# Commands


def command_line(program: str, group: click.Group, more: str) -> str:
    """What `--help` says of a program and each of its commands."""
    lines = [
        f"# {program}",
        "",
        f"What `{program} --help` says, and `--help` of each command. How they work together: {more}.",
        "",
        f"{MADE} the commands themselves.",
    ]
    for name, said in _helps(group, program, None):
        lines += ["", f"## `{name}`", "", "```text", said.rstrip(), "```"]
    return "\n".join([*lines, ""])


def _helps(command: click.Command, name: str, parent: click.Context | None) -> Iterator[tuple[str, str]]:
    settings = {**command.context_settings, "terminal_width": HELP_WIDTH}
    context = click.Context(command, info_name=name, parent=parent, **settings)
    yield context.command_path, "\n".join(line.rstrip() for line in command.get_help(context).splitlines())
    if isinstance(command, click.Group):
        for inner in command.list_commands(context):
            found = command.get_command(context, inner)
            assert found is not None
            if not found.hidden:
                yield from _helps(found, inner, context)


# Python


def python() -> str:
    """The public names of the library; the site takes their docstrings from the sources."""
    lines = [
        "# Python reference",
        "",
        "The public names of `vistio_core`: `import vistio_core as vistio`. In the checkout their docstrings"
        " stand in the sources, named here; on the site, below. Where to begin: [the tutorial](../tutorial.md),"
        " `Recording`.",
        "",
        f"{MADE} `vistio_core.__all__`.",
    ]
    first = ["Recording", "load", "loads", "show"]
    for name in [*first, *(name for name in vistio_core.__all__ if name not in first)]:
        value = getattr(vistio_core, name)
        module = isinstance(value, types.ModuleType)
        directive = "automodule" if module else "autofunction" if inspect.isfunction(value) else "autoclass"
        source = Path(inspect.getfile(value))
        place = "/".join(source.parts[source.parts.index("vistio_core") :])
        summary = (inspect.getdoc(value) or "").partition("\n\n")[0]
        lines += ["", f"## `{name}`", "", f"{' '.join(summary.split())} [{source.name}](../../{place})", ""]
        lines += ["```{eval-rst}", f".. {directive}:: vistio_core.{name}", "```"]
    return "\n".join([*lines, ""])


PAGES: Mapping[str, Callable[[], str]] = {
    "configuration-keys.md": configuration,
    "http-routes.md": http,
    "vistio-record.md": lambda: command_line(
        "vistio-record", record_cli.main, "[recording](../recording.md), [operation](../operation.md)"
    ),
    "vistio-serve.md": lambda: command_line(
        "vistio-serve", serve_cli.main, "[HTTP interface](../http-api.md), [web UI](../web-ui.md)"
    ),
    "python.md": python,
}
"""The files of docs/reference, and who makes each."""
