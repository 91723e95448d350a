"""Errors as RFC 9457 problem documents. The one table from vistio's errors to HTTP statuses is here.

A detail is written for whoever asked, who may not know this machine: it never holds a path of
the server, and what vistio did not raise on purpose is logged here and told there only as a number.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any

import attrs
import msgspec

from vistio_core import errors
from vistio_core.times import format_instant
from vistio_serve.admission import BusyError
from vistio_serve.answers import LIVE, NEVER_STORE, Answer
from vistio_serve.parameters import ParameterError

log = logging.getLogger(__name__)

CONTENT_TYPE = "application/problem+json"
RETRY_AFTER_S = 2


@attrs.frozen
class HttpProblem:
    """A problem document: ``type`` names the kind for programs, ``more`` holds what would work."""

    kind: str
    title: str
    status: int
    detail: str
    more: Mapping[str, Any] = attrs.field(factory=dict)
    headers: Mapping[str, str] = attrs.field(factory=dict)

    def to_answer(self) -> Answer:
        document = {
            "type": f"urn:vistio:problem:{self.kind}",
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
            **self.more,
        }
        return Answer.of(
            msgspec.json.encode(document),
            CONTENT_TYPE,
            status=self.status,
            cache_control=LIVE if self.status == HTTPStatus.NOT_FOUND else NEVER_STORE,
            headers=self.headers,
        )


@attrs.frozen
class _Row:
    status: int
    kind: str
    title: str
    tell: Callable[[Any], tuple[str, Mapping[str, Any]]]


def _said(error: errors.VistioError) -> tuple[str, Mapping[str, Any]]:
    return str(error), {}


def _parameter(error: ParameterError) -> tuple[str, Mapping[str, Any]]:
    more: dict[str, Any] = {"parameter": error.parameter} if error.parameter else {}
    if error.allowed:
        more["allowed"] = list(error.allowed)
    return str(error), more


def _nothing_recorded(error: errors.NothingRecordedError) -> tuple[str, Mapping[str, Any]]:
    near = {"before": error.before_ms, "after": error.after_ms}
    texts = {side: None if ms is None else format_instant(ms) for side, ms in near.items()}
    works = " and ".join(f"{text} ({side})" for side, text in texts.items() if text)
    advice = f"the nearest recorded instants: {works}" if works else "nothing at all is recorded yet"
    detail = f"no graph at {format_instant(error.asked_ms)}: {error.reason}; {advice}"
    return detail, {"asked": format_instant(error.asked_ms), **texts, "reason": error.reason}


def _unknown_name(error: errors.UnknownNameError) -> tuple[str, Mapping[str, Any]]:
    return str(error), {"parameter": error.kind, "name": error.name, "nearest": list(error.nearest)}


def _no_recording(_: errors.NotARecordingError) -> tuple[str, Mapping[str, Any]]:
    return (
        "there is no recording: its directory or mount has gone, or no recorder has started yet;"
        " run `vistio-record run` with the --recording that this server has, or look around with `vistio-serve demo`",
        {},
    )


def _version(error: errors.FormatVersionError) -> tuple[str, Mapping[str, Any]]:
    # The message begins with the place, a path of this machine.
    return str(error).replace(f"{error.place}: ", "the recording: ", 1), {}


def _damaged(_: errors.DamagedFileError) -> tuple[str, Mapping[str, Any]]:
    return (
        "a file that is needed for this answer is damaged; other instants stay readable,"
        " `vistio-record verify` on the server lists every damaged file",
        {},
    )


def _storage(_: errors.RecordingError) -> tuple[str, Mapping[str, Any]]:
    return "the recording cannot be read at the moment; the server's log says why", {}


# Children before parents: the first row whose class fits is taken.
TABLE: tuple[tuple[type[errors.VistioError], _Row], ...] = (
    (ParameterError, _Row(400, "bad-parameter", "A parameter cannot be used", _parameter)),
    (errors.InvalidTimeError, _Row(400, "bad-time", "Not an instant", _said)),
    (errors.UsageError, _Row(400, "bad-parameter", "A parameter cannot be used", _said)),
    (
        errors.NothingRecordedError,
        _Row(404, "nothing-recorded", "Nothing recorded at this instant", _nothing_recorded),
    ),
    (errors.UnknownNameError, _Row(404, "unknown-name", "Nothing recorded of this name", _unknown_name)),
    (errors.NotARecordingError, _Row(503, "no-recording", "No recording", _no_recording)),
    (
        errors.FormatVersionError,
        _Row(503, "format-version", "The recording is newer than this vistio", _version),
    ),
    (errors.DamagedFileError, _Row(500, "damaged", "Part of the recording is damaged", _damaged)),
    (BusyError, _Row(503, "busy", "Too much is asked at once", _said)),
    (errors.RecordingError, _Row(503, "unreadable", "The recording cannot be read", _storage)),
)


def of_error(error: BaseException) -> HttpProblem:
    """The problem that ``error`` is to a client. Errors that a person must act on are logged."""
    for kind, row in TABLE:
        if isinstance(error, kind):
            if row.status >= 500 and not isinstance(error, errors.NotARecordingError | BusyError):
                log.error("request.refused", extra={"problem": row.kind, "error": str(error)})
            detail, more = row.tell(error)
            headers = {"Retry-After": str(RETRY_AFTER_S)} if row.status == 503 else {}
            return HttpProblem(row.kind, row.title, row.status, detail, more, headers)
    return _unexpected(error)


def not_found(path: str, routes: list[str]) -> HttpProblem:
    listed = ", ".join(routes)
    detail = f"nothing is at {path[:100]!r}; what is here: {listed}"
    return HttpProblem("no-such-address", "No such address", 404, detail, {"allowed": routes})


def method_not_allowed(method: str, allowed: list[str]) -> HttpProblem:
    detail = f"method {method[:20]!r} is not allowed here; allowed: {', '.join(allowed)}"
    headers = {"Allow": ", ".join(allowed)}
    return HttpProblem("method-not-allowed", "Method not allowed", 405, detail, {"allowed": allowed}, headers)


def too_long(characters: int, most: int) -> HttpProblem:
    detail = f"the query string has {characters} characters, at most {most} are read; ask for less at once"
    return HttpProblem("query-too-long", "Query too long", 414, detail)


def no_api() -> HttpProblem:
    """For `vistio-serve web`: whom it asks is not there. Where that would be is nobody's business."""
    detail = "the server that this page asks does not answer at the moment; ask again"
    return HttpProblem(
        "no-api", "The server does not answer", 502, detail, headers={"Retry-After": str(RETRY_AFTER_S)}
    )


def _unexpected(error: BaseException) -> HttpProblem:
    incident = uuid.uuid4().hex[:12]
    log.error("request.crashed", exc_info=error, extra={"incident": incident})
    detail = f"the server met an error of its own; its log has the details under {incident}"
    return HttpProblem("internal", "Internal error", 500, detail, {"incident": incident})
