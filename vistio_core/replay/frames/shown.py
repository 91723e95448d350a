"""What one writer has for a row of frames: which of its instants each one shows, and what is known of those."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import pyarrow as pa

from vistio_core.events import RuleKey
from vistio_core.replay.as_of import AsOf
from vistio_core.storage.parts import RecordedInstant, Told, failures, rows_of


class WriterFrames:
    """What one writer has for the frames."""

    def __init__(self, answers: Sequence[AsOf]) -> None:
        """Reads what failed, and no samples yet.

        Args:
            answers: the writer's, by frame; at least one.
        """
        writer = answers[0].writer
        self.name = writer.name
        self.frames: dict[int, list[int]] = {}
        """Instant to the frames that show it, ascending."""
        tried_ms: set[int] = set()
        judged_ms: set[int] = set()
        for frame, answer in enumerate(answers):
            if answer.tried_ms is not None:
                tried_ms.add(answer.tried_ms)
                if answer.shown_ms is not None:
                    self.frames.setdefault(answer.shown_ms, []).append(frame)
                    judged_ms |= {answer.shown_ms, answer.tried_ms}
        instants = writer.instants(sorted(tried_ms | judged_ms))
        self.facts: Mapping[int, RecordedInstant] = {
            instant.instant_ms: instant for instant in instants if instant.instant_ms in judged_ms
        }
        """Of the instants that are shown, and of those that were tried after them."""
        self.configurations = {instant.instant_ms: instant.configuration for instant in instants}
        """Hashes, of the instants that are shown or were tried."""
        self._failures = failures(instants)

    def failures(self, answer: AsOf) -> Mapping[RuleKey, Told]:
        """The rules that failed at the instant that was tried."""
        return {} if answer.tried_ms is None else self._failures.get(answer.tried_ms, {})

    def rows(self, kind: str) -> Iterator[pa.Table]:
        """The rows of ``kind`` at the instants that are shown: whole instants, in the format's order."""
        return rows_of([self.facts[instant_ms] for instant_ms in self.frames], kind)
