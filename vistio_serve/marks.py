"""Marks that are made, replaced and removed over HTTP, each with its line in the log: who, what, from where.

A mark is never changed: its id follows from its content. What people call editing writes the new one, and
then takes the old one away; killed in between, both are there.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

import attrs
import msgspec

from vistio_core import Recording
from vistio_core.access.guard import Identity
from vistio_core.errors import RecordingError, UnknownAnnotationError
from vistio_core.names import visible
from vistio_core.recording.annotation_fields import annotation_in
from vistio_core.sentences import Language, say
from vistio_core.storage.annotations import Annotation
from vistio_core.times import format_instant
from vistio_serve import problems
from vistio_serve.answers import NEVER_STORE, Answer
from vistio_serve.parameters import ParameterError

log = logging.getLogger(__name__)

MAX_BODY_BYTES = 64 * 2**10
_JSON = "application/json"
_MOST_LOGGED = 200


@attrs.frozen
class Change:
    """A request that changes something, by somebody who may."""

    who: Identity
    client: str
    content_type: str
    body: bytes = attrs.field(repr=False)
    now_ms: int
    language: Language


class Marks:
    """Changes the annotations of one recording."""

    def __init__(self, recording: Callable[[], Recording]) -> None:
        self._recording = recording

    def make(self, change: Change) -> Answer:
        """The new one's id and start."""
        return self._changed(change, lambda: self._made(change, self._asked(change)))

    def replace(self, change: Change, old_id: str) -> Answer:
        """As `make`; the one with ``old_id`` is gone then.

        Raises:
            UnknownAnnotationError: there is none.
        """

        def do() -> Answer:
            asked = self._asked(change)
            self._recording().annotation(old_id)
            answer = self._made(change, asked)
            if asked.id != old_id:
                self._removed(change, old_id)
            return answer

        return self._changed(change, do)

    def remove(self, change: Change, old_id: str) -> Answer:
        """An empty object; the one with ``old_id`` is gone then.

        Raises:
            UnknownAnnotationError: there is none.
        """

        def do() -> Answer:
            self._removed(change, old_id)
            return Answer.of(b"{}", _JSON, cache_control=NEVER_STORE)

        return self._changed(change, do)

    def _asked(self, change: Change) -> Annotation:
        if change.content_type != _JSON:
            raise ParameterError(say("send JSON, with the header Content-Type: application/json"))
        return annotation_in(change.body, now_ms=change.now_ms)

    def _made(self, change: Change, annotation: Annotation) -> Answer:
        annotation_id = self._recording().annotate(annotation)
        log.info("annotation.written", extra=_facts(change, annotation))
        told = {"id": annotation_id, "start": format_instant(annotation.start_ms)}
        return Answer.of(msgspec.json.encode(told), _JSON, cache_control=NEVER_STORE)

    def _removed(self, change: Change, old_id: str) -> None:
        log.info("annotation.removed", extra=_facts(change, self._recording().remove_annotation(old_id)))

    def _changed(self, change: Change, do: Callable[[], Answer]) -> Answer:
        try:
            return do()
        except UnknownAnnotationError:
            raise
        except RecordingError as error:
            facts = {**change.who.facts, "client": change.client, "error": str(error)}
            log.error("annotation.failed", extra={**facts, "next": "the client is told to repeat it"})
            return problems.not_written().to_answer(change.language)


def _facts(change: Change, annotation: Annotation) -> dict[str, str]:
    return {
        **change.who.facts,
        "client": change.client,
        "id": annotation.id,
        "start": format_instant(annotation.start_ms),
        "kind": annotation.kind,
        "text": visible(annotation.text[:_MOST_LOGGED]),
    }
