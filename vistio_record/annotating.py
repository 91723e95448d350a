"""Annotations from outside: what a CI job says happened, over HTTP."""

from __future__ import annotations

import logging
from collections.abc import Callable

import msgspec
from werkzeug.wrappers import Request, Response

from vistio_core.access.guard import Identity
from vistio_core.errors import RecordingError, UsageError
from vistio_core.recording.annotation_fields import annotation_in
from vistio_core.recording.recording import Recording
from vistio_core.times import format_instant
from vistio_record.application import text

log = logging.getLogger(__name__)


class AnnotationRoute:
    """Answers ``POST /annotations``, whose body is an annotation's fields as JSON, from who may."""

    def __init__(self, recording: Recording, clock: Callable[[], int]) -> None:
        self._recording = recording
        self._clock = clock

    def __call__(self, request: Request, who: Identity) -> Response:
        if request.mimetype != "application/json":
            return text("send JSON, with the header Content-Type: application/json\n", 415)
        try:
            annotation = annotation_in(request.get_data(), now_ms=self._clock())
        except UsageError as error:
            return text(f"{error}\n", 400)
        try:
            annotation_id = self._recording.annotate(annotation)
        except RecordingError as error:
            log.error(
                "annotation.failed", extra={"error": str(error), "next": "the client is told to repeat it"}
            )
            return text("the recording cannot be written to now; send the same again later\n", 503)
        start = format_instant(annotation.start_ms)
        facts = {"id": annotation_id, "start": start, "kind": annotation.kind}
        log.info("annotation.written", extra={**who.facts, "client": request.remote_addr, **facts})
        content = msgspec.json.encode({"id": annotation_id, "start": start})
        return Response(content + b"\n", content_type="application/json")
