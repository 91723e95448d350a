"""Placed values into the attrs classes of `model`, with every error at once.

cattrs goes through the attributes; the hooks here give each attribute its key of the file,
tell missing keys and collect what is refused, so that one wrong value does not hide another.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar, cast

import attrs
from cattrs import BaseValidationError, Converter
from cattrs.gen import make_dict_structure_fn, override

from vistio_core.configuration import http_values, model, values
from vistio_core.configuration.keys import SHAPES, Key, nearest
from vistio_core.configuration.places import Placed
from vistio_core.configuration.values import RefusedError, describe, refused
from vistio_core.configuration.yaml_lines import Scalar, join
from vistio_core.errors import Problem

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")

_READERS: dict[tuple[type, str], Callable[[Placed], object]] = {
    (model.ConnectionNotice, "statusType"): values.read_status_type,
    (model.ClusterLevel, "cluster"): values.read_name,
    (model.StatusMapping, "value"): values.read_name,
    (model.MeasurementRule, "measure"): values.read_measure,
    (model.MeasurementRule, "merge"): values.read_merge,
    (model.ConnectionRule, "witness"): values.read_witness,
    (model.MeasurementRule, "witness"): values.read_witness,
    **http_values.READERS,
}
_READERS_ANYWHERE: dict[str, Callable[[Placed], object]] = {
    "query": values.read_query,
    "prometheusURL": values.read_url,
    "maxVolume": values.read_volume,
    "label": values.read_label,
    "labels": values.read_labels,
    "template": values.read_template,
    "regex": values.read_regex,
    "warningRegex": values.read_regex,
    "dangerRegex": values.read_regex,
    "title": values.read_title,
    "info": values.read_number,
    "warning": values.read_number,
    "error": values.read_number,
}

_REMEDIES = {
    "query": "add query: with the PromQL expression whose series make the graph",
    "prometheusURL": "add prometheusURL: http://... here, or once at the top of the file for all rules,"
    " or give --prometheus URL",
    "source": "add source: {label: ...}, or {replacement: ...} for a node of that name",
    "target": "add target: {label: ...}, or {replacement: ...} for a node of that name",
    "measure": "add measure: with a name and unit, such as latency_p99_ms",
    "cluster": "add cluster: with the name that its node has on the global level",
}


def structure(placed: Placed, shape: type[T]) -> T:
    """The model object of a mapping.

    Raises:
        RefusedError: with every problem in it and below.
    """
    return _CONVERTER.structure(placed, shape)


def structure_list(placed: Placed, shape: type[T]) -> tuple[T, ...]:
    """The model objects of a list of mappings.

    Raises:
        RefusedError: with every problem in it and below.
    """
    if not isinstance(placed.content, list):
        raise refused(placed, f"{describe(placed)}; write a list (lines that begin with -)")
    found: list[T] = []
    problems: list[Problem] = []
    for item in placed.content:
        try:
            found.append(structure(item, shape))
        except RefusedError as error:
            problems.extend(error.problems)
    if problems:
        raise RefusedError(*problems)
    return tuple(found)


def structure_named(placed: Placed, shape: type[T]) -> tuple[T, ...]:
    """The model objects of a mapping from names, which become their attribute ``header``.

    Raises:
        RefusedError: with every problem in it and below.
    """
    if not isinstance(placed.content, dict):
        found = http_values.describe_hidden(placed)
        raise refused(placed, f"{found}; write a mapping, such as {{X-Scope-OrgID: {{values: [...]}}}}")
    for name, item in placed.content.items():
        if isinstance(item.content, dict):
            item.content["header"] = Placed(item.path, item.line, Scalar(name, item.line))
    return structure_list(Placed(placed.path, placed.line, list(placed.content.values())), shape)


def _structure_table(
    by_cattrs: Callable[[dict[str, Placed], type[T]], T], placed: Placed, shape: type[T]
) -> T:
    """The hook of one model class."""
    if not isinstance(placed.content, dict):
        found = http_values.describe_hidden(placed) if shape in http_values.STRICT else describe(placed)
        raise refused(placed, f"{found}; write a mapping with {', '.join(SHAPES[shape])}")
    problems = _missing(placed, shape) + _contradictions(placed, shape)
    if shape in http_values.STRICT:
        problems += [*http_values.unknown_keys(placed, shape), *http_values.contradictions(placed, shape)]
    try:
        result = by_cattrs(placed.content, shape)
    except BaseValidationError as group:
        for error in group.exceptions:
            if isinstance(error, RefusedError):
                problems.extend(error.problems)
            elif not isinstance(error, KeyError):  # KeyError: a missing key, told already
                raise
    if problems:
        raise RefusedError(*problems)
    if shape is model.NodeMapping:
        _refuse_nameless(cast("model.NodeMapping", result), placed)
    return result


def _missing(placed: Placed, shape: type) -> list[Problem]:
    required = {field.name for field in attrs.fields(shape) if field.default is attrs.NOTHING}
    problems = []
    for key, known in SHAPES[shape].items():
        if known.attribute not in required or key in placed.table:
            continue
        remedy = _REMEDIES.get(key, f"add {key}: ...")
        for ignored, line in placed.ignored:
            if nearest(ignored, SHAPES[shape]) == key:
                remedy = f"did you mean {key} where line {line} has {ignored}?"
        problems.append(Problem(join(placed.path, key), f"is missing; {remedy}", placed.line))
    return problems


def _contradictions(placed: Placed, shape: type) -> list[Problem]:
    """Keys that exclude each other, and those of which one is needed."""
    look = _CONTRADICTIONS.get(shape)
    message = None if look is None else look(placed)
    return [] if message is None else [Problem(placed.path, message, placed.line)]


def _wrong_in_node(placed: Placed) -> str | None:
    given = _given(placed, "label", "labels", "template")
    if len(given) > 1:
        return f"found {' and '.join(given)}; keep one of them"
    # That both of these are empty is told by `_refuse_nameless`.
    if given or placed.table.keys() & {"label", "replacement"}:
        return None
    return "neither label nor replacement; add one of them, or labels or template"


def _wrong_in_status(placed: Placed) -> str | None:
    given = _given(placed, "label", "labels", "template", "value")
    if len(given) > 1:
        return f"found {' and '.join(given)}; keep one of them"
    if given:
        return None
    return "none of label, labels, template, value; add one of them, for a constant status value: ..."


def _given(placed: Placed, *keys: str) -> list[str]:
    """Those of ``keys`` that are there; an empty label is as good as none, files of Vistio have them."""
    there = [key for key in keys if key in placed.table]
    label = placed.table.get("label")
    if label is not None and isinstance(label.content, Scalar) and not label.text:
        there.remove("label")
    return there


def _wrong_in_measurement(placed: Placed) -> str | None:
    ends = [key for key in ("source", "target") if key in placed.table]
    if "service" in placed.table:
        if not ends:
            return None
        return f"found service and {ends[0]}; keep service for nodes, or source and target for edges"
    if len(ends) == 1:
        missing = "target" if ends == ["source"] else "source"
        return f"found {ends[0]} without {missing}; add {missing}: {{label: ...}}"
    return None if ends else "names no edge and no node; add source: and target:, or service:"


_CONTRADICTIONS: dict[type, Callable[[Placed], str | None]] = {
    model.NodeMapping: _wrong_in_node,
    model.StatusMapping: _wrong_in_status,
    model.MeasurementRule: _wrong_in_measurement,
}


def _refuse_nameless(mapping: model.NodeMapping, placed: Placed) -> None:
    if mapping.fields:
        return
    if not mapping.label and not mapping.replacement:
        raise refused(placed, "label and replacement are both empty; give one of them a text")
    if not mapping.label and "replacement" not in placed.table:
        raise refused(
            placed, "label is empty; write the name of a label, or add replacement: with the node's name"
        )


def _reader(shape: type, key: str, known: Key) -> Callable[[Any, Any], object]:
    """The hook of cattrs for what stands at ``key``."""
    if known.shape is not None:
        how = structure_named if known.named else structure_list if known.many else structure
        read_nested = partial(how, shape=known.shape)
        return lambda placed, _: read_nested(placed)
    read_any = http_values.read_hidden_text if shape in http_values.STRICT else values.read_text
    read = _READERS.get((shape, key)) or _READERS_ANYWHERE.get(key, read_any)
    return lambda placed, _: read(placed)


def _make_converter() -> Converter:
    converter = Converter(detailed_validation=True)
    for shape, keys in SHAPES.items():
        if shape is model.Configuration:
            continue  # `loading` puts it together: its text and warnings are not in the file
        overrides: dict[str, Any] = {
            known.attribute: override(rename=key, struct_hook=_reader(shape, key, known))
            for key, known in keys.items()
        }
        for given in ("id", "header"):  # not keys of the mapping: its place and its name
            if given in attrs.fields_dict(shape):
                overrides[given] = override(struct_hook=lambda placed, _: values.read_text(placed))
        by_cattrs: Any = make_dict_structure_fn(shape, converter, **overrides)
        converter.register_structure_hook(shape, partial(_structure_table, by_cattrs))
    return converter


_CONVERTER = _make_converter()
