"""Instants whose commit was refused: why they are missing, told to the log when it can be written again.

Without that they would pass for "not running". What was seen then is not kept: an hour of a large
mesh is gigabytes, and it can be fetched again from the source's own history.
"""

from __future__ import annotations

import logging
import os
from typing import Protocol

import attrs

from vistio_core.errors import AlreadyRecordedError, NotARecordingError, VistioError
from vistio_core.events import Outcome, RuleOutcome, Scrape
from vistio_core.storage.store import StorageError
from vistio_core.times import format_instant

log = logging.getLogger(__name__)

MAX_UNWRITTEN = 360
"""How many instants are remembered, the newest ones; older ones stay a gap without reason."""
# With each commit that succeeds, so that a long outage of the disk does not delay the scrapes after it.
_EXPLAINED_AT_ONCE = 10


class Commits(Protocol):
    """What is needed of a recording's writer."""

    def commit(self, scrape: Scrape) -> None: ...


class Unwritten:
    """Remembers what could not be written, until it can be said."""

    def __init__(self) -> None:
        self._waiting: dict[int, Scrape] = {}

    def remember(self, scrape: Scrape, error: Exception) -> None:
        self._waiting[scrape.instant_ms] = explained(scrape, error)
        if len(self._waiting) > MAX_UNWRITTEN:
            del self._waiting[next(iter(self._waiting))]

    def explain(self, writer: Commits) -> None:
        """Commit some of the explanations, oldest first; call it after a commit that succeeded."""
        for instant_ms in sorted(self._waiting)[:_EXPLAINED_AT_ONCE]:
            instant = format_instant(instant_ms)
            try:
                writer.commit(self._waiting[instant_ms])
                log.info("instant.explained", extra={"instant": instant})
            except AlreadyRecordedError:
                pass  # it was filled in meanwhile
            except (StorageError, NotARecordingError, OSError):
                return  # the next scrape's own commit tells
            except VistioError as error:  # its configuration came and went unwritten, say
                log.warning("instant.unexplained", extra={"instant": instant, "error": str(error)})
            del self._waiting[instant_ms]


def explained(scrape: Scrape, error: Exception) -> Scrape:
    """``scrape`` without its samples, and with the reason why it was not written.

    Whoever reads a recording need not know the recorder's machine: paths stay in its log.
    """
    if isinstance(error, NotARecordingError):
        why = "the recording's directory or its mount had gone"
    else:
        code = getattr(error, "code", None) or getattr(error, "errno", None)
        why = os.strerror(code) if code else "the recorder's log has the reason"
    text = f"answered, but the recording could not be written: {why}"
    outcomes = tuple(
        RuleOutcome(rule.cluster, rule.rule, Outcome.FAILED, text) if rule.outcome is Outcome.OK else rule
        for rule in scrape.outcomes
    )
    return attrs.evolve(scrape, outcomes=outcomes, samples=(), measurements=())
