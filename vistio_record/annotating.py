"""Annotations from outside: what a shell or a CI job says happened, and who may say it over HTTP."""

from __future__ import annotations

import hmac
import json
import logging
import re
from collections.abc import Callable, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import msgspec
from werkzeug.wrappers import Request, Response

from vistio_core.errors import InvalidAnnotationError, InvalidTimeError, RecordingError, UsageError
from vistio_core.native_paths import shown
from vistio_core.recording.recording import Recording
from vistio_core.regular_files import open_regular
from vistio_core.storage.annotations import Annotation
from vistio_core.times import format_instant, parse_instant
from vistio_record.application import text

log = logging.getLogger(__name__)

FIELDS = ("at", "start", "end", "kind", "text", "cluster", "node", "link", "tags")
_MOST_TOLD = 10
_LONGEST_NAME = 64
_LONGEST_INSTANT = 64
# What RFC 6750 allows in a bearer token.
_TOKEN = re.compile(r"[A-Za-z0-9._~+/-]{16,}=*")
_MAX_TOKEN_BYTES = 2**20


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
    problems = [_unknown(name) for name in unknown[:_MOST_TOLD]]
    if len(unknown) > _MOST_TOLD:
        problems.append(f"and {len(unknown) - _MOST_TOLD:,} more are not known")
    known = {name: value for name, value in fields.items() if name in FIELDS and value is not None}
    if "text" not in known:
        problems.append("text: is missing; say what happened")
    if "at" in known and "start" in known:
        problems.append("at: is the same as start; give one of them")
    start_name = "at" if "at" in known else "start"
    start_ms = _instant(start_name, known.pop(start_name, "now"), now_ms, problems)
    known.pop("start", None)
    end_ms = _instant("end", known.pop("end"), now_ms, problems) if "end" in known else None
    if not isinstance(known.get("tags", {}), Mapping):
        problems.append(f"tags: found {type(known.pop('tags')).__name__}; use names with their values")
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
        problems += [
            re.sub(r"^(start|end)_ms(?=:)", lambda found: named[found[0]], problem)
            for problem in error.problems
        ]
    if problems:
        raise InvalidAnnotationError(tuple(problems))
    return annotation


def _instant(name: str, value: object, now_ms: int, problems: list[str]) -> int | None:
    if isinstance(value, str) and len(value) > _LONGEST_INSTANT:
        problems.append(f"{name}: has {len(value):,} characters; use RFC 3339, such as 2026-11-23T05:10:00Z")
    elif not isinstance(value, str | int | float):
        problems.append(f"{name}: found {type(value).__name__}; use RFC 3339, such as 2026-11-23T05:10:00Z")
    else:
        try:
            return parse_instant(value, now_ms=now_ms)
        except InvalidTimeError as error:
            problems.append(f"{name}: {error}")
    return None


def _unknown(name: str) -> str:
    shown = name if len(name) <= _LONGEST_NAME else f"{name[:_LONGEST_NAME]}…"
    near = get_close_matches(shown, FIELDS, 1)
    return f"{shown}: is not known; " + (f"did you mean {near[0]}?" if near else f"use {', '.join(FIELDS)}")


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
        raise UsageError("nested too deeply; an annotation is one object, with tags in it") from error
    except ValueError as error:  # of both, and of the bytes
        raise UsageError(f"not JSON: {error}") from error


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found: dict[str, object] = {}
    for name, value in pairs:
        if name in found:
            raise UsageError(f"{name[:_LONGEST_NAME]!r} stands there twice; keep one of them")
        found[name] = value
    return found


class TokenFile:
    """A file with the token that a client must show. Read at each request, so that it can be rotated.

    Raises:
        UsageError: in the constructor and in `matches`: there is no usable token in it.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._read()

    def matches(self, token: str) -> bool:
        """Whether ``token`` is the one in the file, in a time that does not tell how much of it is right."""
        return hmac.compare_digest(token.encode(), self._read().encode())

    def _read(self) -> str:
        try:
            with open_regular(self._file) as stream:
                token = stream.read(_MAX_TOKEN_BYTES).decode().strip()
        except (OSError, UnicodeDecodeError) as error:
            reason = getattr(error, "strerror", None) or "is not text"
            raise UsageError(f"{shown(self._file)}: {reason}; --token-file must hold a token") from error
        if not _TOKEN.fullmatch(token):
            raise UsageError(
                f"{shown(self._file)}: holds no token of 16 or more letters, digits and . _ ~ + / -;"
                " make one with `openssl rand -hex 32`"
            )
        return token


class AnnotationRoute:
    """Answers ``POST /annotations``: a JSON object with `FIELDS`, from who has the token."""

    def __init__(self, recording: Recording, token: TokenFile, clock: Callable[[], int]) -> None:
        self._recording = recording
        self._token = token
        self._clock = clock

    def __call__(self, request: Request) -> Response:
        refused = self._authorize(request)
        if refused is not None:
            return refused
        if request.mimetype != "application/json":
            return text("send JSON, with the header Content-Type: application/json\n", 415)
        try:
            fields = read_json(request.get_data())
        except UsageError as error:
            return text(f"{error}\n", 400)
        if not isinstance(fields, dict):
            return text(
                f'found {type(fields).__name__}; send an object such as {{"text": "v2 is out"}}\n', 400
            )
        try:
            annotation = read_annotation(fields, now_ms=self._clock())
        except InvalidAnnotationError as error:
            return text(f"{error}\n", 400)
        try:
            annotation_id = self._recording.annotate(annotation)
        except RecordingError as error:
            log.error(
                "annotation.failed", extra={"error": str(error), "next": "the client is told to repeat it"}
            )
            return text("the recording cannot be written to now; send the same again later\n", 503)
        start = format_instant(annotation.start_ms)
        log.info("annotation.written", extra={"id": annotation_id, "start": start, "kind": annotation.kind})
        content = msgspec.json.encode({"id": annotation_id, "start": start})
        return Response(content + b"\n", content_type="application/json")

    def _authorize(self, request: Request) -> Response | None:
        given = request.authorization
        token = given.token if given is not None and given.type == "bearer" else None
        try:
            if token is not None and self._token.matches(token):
                return None
        except UsageError as error:
            log.error(
                "token.unreadable", extra={"error": str(error), "next": "annotations are refused until then"}
            )
            return text("the recorder cannot read its token now; its log says why\n", 503)
        log.warning("annotation.refused", extra={"client": request.remote_addr})
        response = text("show the token of the recorder's --token-file: Authorization: Bearer TOKEN\n", 401)
        response.headers["WWW-Authenticate"] = 'Bearer realm="vistio-record"'
        return response
