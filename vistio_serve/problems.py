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
from vistio_core.access import guard as guards
from vistio_core.sentences import Joined, Language, Said, Sentence, say, told
from vistio_core.times import format_instant
from vistio_serve.admission import BusyError
from vistio_serve.answers import LIVE, NEVER_STORE, Answer
from vistio_serve.parameters import ParameterError

log = logging.getLogger(__name__)

CONTENT_TYPE = "application/problem+json"
RETRY_AFTER_S = 2


@attrs.frozen
class HttpProblem:
    """A problem document: ``type`` names the kind for programs, ``more`` holds what would work.

    Title, detail and what else is a sentence are told in the language of whoever asked.
    """

    kind: str
    title: Sentence
    status: int
    detail: Said
    more: Mapping[str, Any] = attrs.field(factory=dict)
    headers: Mapping[str, str] = attrs.field(factory=dict)

    def to_answer(self, language: Language = "en") -> Answer:
        document = {
            "type": f"urn:vistio:problem:{self.kind}",
            "title": self.title.told(language),
            "status": self.status,
            "detail": told(self.detail, language),
            **{name: told(value, language) for name, value in self.more.items()},
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
    title: Sentence
    tell: Callable[[Any], tuple[Said, Mapping[str, Any]]]
    headers: Callable[[Any], Mapping[str, str]] = lambda error: {}


def _said(error: errors.VistioError) -> tuple[Said, Mapping[str, Any]]:
    return error.said, {}


def _parameter(error: ParameterError) -> tuple[Said, Mapping[str, Any]]:
    more: dict[str, Any] = {"parameter": error.parameter} if error.parameter else {}
    if error.allowed:
        more["allowed"] = list(error.allowed)
    return error.said, more


def _nothing_recorded(error: errors.NothingRecordedError) -> tuple[Said, Mapping[str, Any]]:
    near = {"before": error.before_ms, "after": error.after_ms}
    texts = {side: None if ms is None else format_instant(ms) for side, ms in near.items()}
    works = [
        say("{instant} (before)" if side == "before" else "{instant} (after)", instant=text)
        for side, text in texts.items()
        if text
    ]
    advice = (
        say("the nearest recorded instants: {works}", works=Joined(works, " and "))
        if works
        else say("nothing at all is recorded yet")
    )
    asked = format_instant(error.asked_ms)
    detail = say("no graph at {asked}: {why}; {advice}", asked=asked, why=error.why, advice=advice)
    return detail, {"asked": asked, **texts, "reason": error.why}


def _unknown_name(error: errors.UnknownNameError) -> tuple[Said, Mapping[str, Any]]:
    return error.said, {"parameter": error.kind, "name": error.name, "nearest": list(error.nearest)}


def _scope(error: guards.NotAllowedError) -> tuple[Said, Mapping[str, Any]]:
    return error.said, {"scope": error.scope}


def _no_recording(_: errors.NotARecordingError) -> tuple[Said, Mapping[str, Any]]:
    return (
        say(
            "there is no recording: its directory or mount has gone, or no recorder has started yet;"
            " run `vistio-record run` with the --recording that this server has, or look around with"
            " `vistio-serve demo`"
        ),
        {},
    )


def _version(error: errors.FormatVersionError) -> tuple[Said, Mapping[str, Any]]:
    # Its place is a path of this machine.
    return errors.FormatVersionError(say("the recording"), error.found, error.newest).said, {}


def _damaged(_: errors.DamagedFileError) -> tuple[Said, Mapping[str, Any]]:
    return (
        say(
            "a file that is needed for this answer is damaged; other instants stay readable,"
            " `vistio-record verify` on the server lists every damaged file"
        ),
        {},
    )


def _storage(_: errors.RecordingError) -> tuple[Said, Mapping[str, Any]]:
    return say("the recording cannot be read at the moment; the server's log says why"), {}


# Children before parents: the first row whose class fits is taken.
TABLE: tuple[tuple[type[errors.VistioError], _Row], ...] = (
    (
        guards.NotKnownError,
        _Row(401, "not-known", say("Who asks?"), _said, lambda error: {"WWW-Authenticate": error.challenge}),
    ),
    (guards.NotAllowedError, _Row(403, "not-allowed", say("Who asks may not"), _scope)),
    (
        guards.TooOftenError,
        _Row(
            429, "too-often", say("Too often"), _said, lambda error: {"Retry-After": str(error.retry_after_s)}
        ),
    ),
    (guards.LockedError, _Row(503, "locked", say("Nobody may at the moment"), _said)),
    (ParameterError, _Row(400, "bad-parameter", say("A parameter cannot be used"), _parameter)),
    (errors.InvalidTimeError, _Row(400, "bad-time", say("Not an instant"), _said)),
    (errors.UsageError, _Row(400, "bad-parameter", say("A parameter cannot be used"), _said)),
    (
        errors.NothingRecordedError,
        _Row(404, "nothing-recorded", say("Nothing recorded at this instant"), _nothing_recorded),
    ),
    (errors.UnknownNameError, _Row(404, "unknown-name", say("Nothing recorded of this name"), _unknown_name)),
    (
        errors.UnknownAnnotationError,
        _Row(404, "no-such-annotation", say("No such annotation"), _said),
    ),
    (errors.NotARecordingError, _Row(503, "no-recording", say("No recording"), _no_recording)),
    (
        errors.FormatVersionError,
        _Row(503, "format-version", say("The recording is newer than this vistio"), _version),
    ),
    (errors.DamagedFileError, _Row(500, "damaged", say("Part of the recording is damaged"), _damaged)),
    (BusyError, _Row(503, "busy", say("Too much is asked at once"), _said)),
    (errors.RecordingError, _Row(503, "unreadable", say("The recording cannot be read"), _storage)),
)

KINDS = (
    *dict.fromkeys(row.kind for _, row in TABLE),
    "no-such-address",
    "method-not-allowed",
    "not-written",
    "body-too-long",
    "query-too-long",
    "no-api",
    "internal",
)
"""What the `type` of a problem may say."""


def of_error(error: BaseException) -> HttpProblem:
    """The problem that ``error`` is to a client. Errors that a person must act on are logged."""
    for kind, row in TABLE:
        if isinstance(error, kind):
            expected = errors.NotARecordingError | BusyError | guards.LockedError
            if row.status >= 500 and not isinstance(error, expected):
                log.error("request.refused", extra={"problem": row.kind, "error": str(error)})
            detail, more = row.tell(error)
            headers = {"Retry-After": str(RETRY_AFTER_S)} if row.status == 503 else row.headers(error)
            return HttpProblem(row.kind, row.title, row.status, detail, more, headers)
    return _unexpected(error)


def not_found(path: str, routes: list[str]) -> HttpProblem:
    detail = say("nothing is at {path!r}; what is here: {routes}", path=path[:100], routes=", ".join(routes))
    return HttpProblem("no-such-address", say("No such address"), 404, detail, {"allowed": routes})


def method_not_allowed(method: str, allowed: list[str]) -> HttpProblem:
    detail = say(
        "method {method!r} is not allowed here; allowed: {allowed}",
        method=method[:20],
        allowed=", ".join(allowed),
    )
    headers = {"Allow": ", ".join(allowed)}
    return HttpProblem(
        "method-not-allowed", say("Method not allowed"), 405, detail, {"allowed": allowed}, headers
    )


def not_written() -> HttpProblem:
    """A change that the storage refused; who changes is nobody who would know its paths."""
    detail = say(
        "the recording cannot be written to now, as where this server has it read-only; its log says why"
    )
    headers = {"Retry-After": str(RETRY_AFTER_S)}
    return HttpProblem("not-written", say("Not written"), 503, detail, headers=headers)


def body_too_long(most: int) -> HttpProblem:
    return HttpProblem(
        "body-too-long", say("Too long"), 413, say("at most {most:,} bytes are read; send less", most=most)
    )


def too_long(characters: int, most: int) -> HttpProblem:
    detail = say(
        "the query string has {characters} characters, at most {most} are read; ask for less at once",
        characters=characters,
        most=most,
    )
    return HttpProblem("query-too-long", say("Query too long"), 414, detail)


def no_api() -> HttpProblem:
    """For `vistio-serve web`: whom it asks is not there. Where that would be is nobody's business."""
    detail = say("the server that this page asks does not answer at the moment; ask again")
    return HttpProblem(
        "no-api", say("The server does not answer"), 502, detail, headers={"Retry-After": str(RETRY_AFTER_S)}
    )


def _unexpected(error: BaseException) -> HttpProblem:
    incident = uuid.uuid4().hex[:12]
    log.error("request.crashed", exc_info=error, extra={"incident": incident})
    detail = say(
        "the server met an error of its own; its log has the details under {incident}", incident=incident
    )
    return HttpProblem("internal", say("Internal error"), 500, detail, {"incident": incident})
