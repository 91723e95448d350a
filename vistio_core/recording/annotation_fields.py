"""Annotations as others write them: a JSON object with `FIELDS` becomes one, or all that is wrong with it is told."""

from __future__ import annotations

import json
from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any

import msgspec

from vistio_core.errors import InvalidAnnotationError, InvalidTimeError, UsageError
from vistio_core.sentences import Sentence, say
from vistio_core.storage.annotations import Annotation
from vistio_core.times import parse_instant

FIELDS = ("at", "start", "end", "kind", "text", "cluster", "node", "link", "tags")
_MOST_TOLD = 10
_LONGEST_NAME = 64
_LONGEST_INSTANT = 64


def annotation_in(body: bytes, *, now_ms: int) -> Annotation:
    """The annotation in a request's body.

    Raises:
        UsageError: it is no JSON object.
        InvalidAnnotationError: with everything that is wrong.
    """
    fields = read_json(body)
    if not isinstance(fields, dict):
        raise UsageError(
            say(
                "found {found}; send an object such as {example}",
                found=type(fields).__name__,
                example='{"text": "v2 is out"}',
            )
        )
    return read_annotation(fields, now_ms=now_ms)


def read_annotation(fields: Mapping[str, Any], *, now_ms: int) -> Annotation:
    """The annotation that ``fields`` describe.

    Args:
        fields: named as `FIELDS`; only ``text`` must be there. ``start`` (now; ``at`` is the same, as
            on the command line) and ``end`` are instants as people write them, ``tags`` is a
            mapping, the rest is text.
        now_ms: what relative instants are relative to.

    Raises:
        InvalidAnnotationError: with everything that is wrong, not only the first.
    """
    unknown = [name for name in fields if name not in FIELDS]
    problems: list[Sentence] = [_unknown(name) for name in unknown[:_MOST_TOLD]]
    if len(unknown) > _MOST_TOLD:
        problems.append(say("and {more:,} more are not known", more=len(unknown) - _MOST_TOLD))
    known = {name: value for name, value in fields.items() if name in FIELDS and value is not None}
    if "text" not in known:
        problems.append(say("{field}: is missing; say what happened", field="text"))
    if "at" in known and "start" in known:
        problems.append(say("{field}: is the same as {other}; give one of them", field="at", other="start"))
    start_name = "at" if "at" in known else "start"
    start_ms = _instant(start_name, known.pop(start_name, "now"), now_ms, problems)
    known.pop("start", None)
    end_ms = _instant("end", known.pop("end"), now_ms, problems) if "end" in known else None
    if not isinstance(known.get("tags", {}), Mapping):
        found = type(known.pop("tags")).__name__
        problems.append(say("{field}: found {found}; use names with their values", field="tags", found=found))
    try:
        annotation = Annotation(
            # Stand-ins where something is wrong already: the rest is to be looked at too.
            start_ms=now_ms if start_ms is None else start_ms,
            end_ms=None if start_ms is None else end_ms,
            **{"text": "-", **known},
        )
    except InvalidAnnotationError as error:
        # The library's names of the two instants have their unit; here they are text.
        named = {"start_ms": start_name, "end_ms": "end"}
        for wrong in error.wrong:
            field = wrong.facts["field"]
            problems.append(wrong.having(field=named.get(str(field), field)))
    if problems:
        raise InvalidAnnotationError(problems)
    return annotation


def _instant(name: str, value: object, now_ms: int, problems: list[Sentence]) -> int | None:
    if isinstance(value, str) and len(value) > _LONGEST_INSTANT:
        problems.append(
            say(
                "{field}: has {length:,} characters; use RFC 3339, such as 2026-11-23T05:10:00Z",
                field=name,
                length=len(value),
            )
        )
    elif not isinstance(value, str | int | float):
        problems.append(
            say(
                "{field}: found {found}; use RFC 3339, such as 2026-11-23T05:10:00Z",
                field=name,
                found=type(value).__name__,
            )
        )
    else:
        try:
            return parse_instant(value, now_ms=now_ms)
        except InvalidTimeError as error:
            problems.append(say("{field}: {wrong}", field=name, wrong=error.said))
    return None


def _unknown(name: str) -> Sentence:
    shown = name if len(name) <= _LONGEST_NAME else f"{name[:_LONGEST_NAME]}…"
    near = get_close_matches(shown, FIELDS, 1)
    if near:
        return say("{field}: is not known; did you mean {near}?", field=shown, near=near[0])
    return say("{field}: is not known; use {fields}", field=shown, fields=", ".join(FIELDS))


def read_json(body: bytes) -> object:
    """The JSON value in a body of anybody's.

    Raises:
        UsageError: it is not JSON, is nested too deeply, or says something twice.
    """
    try:
        # The one parser refuses what is not JSON (NaN, half a character), the other tells what stands there twice.
        msgspec.json.decode(body)
        return json.loads(body, object_pairs_hook=_once)
    except RecursionError as error:
        raise UsageError(say("nested too deeply; an annotation is one object, with tags in it")) from error
    except ValueError as error:  # of both, and of the bytes
        raise UsageError(say("not JSON: {error}", error=str(error))) from error


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found: dict[str, object] = {}
    for name, value in pairs:
        if name in found:
            raise UsageError(say("{name!r} stands there twice; keep one of them", name=name[:_LONGEST_NAME]))
        found[name] = value
    return found
