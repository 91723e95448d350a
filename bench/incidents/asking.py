"""Questions and the recordings that they are asked of; and where the answers place the causes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import attrs

from incidents import nezha, petshop
from incidents.methods import Method
from incidents.scores import place_of
from incidents.stories import Harder, Question, Story
from vistio_core import Recording

DATASETS = {"nezha": ("nezha-train-ticket", nezha.stories), "petshop": ("petshop", petshop.stories)}
"""The folder of each, and who reads it."""
Record = Callable[[Story, Path, Harder], Path]
"""`road.record` or `direct.record`."""


@attrs.frozen
class Case:
    """A question, and the recording that it is asked of."""

    dataset: str
    question: Question
    place: Path

    def ranked(self, method: Method, shift_ms: int = 0) -> list[list[str]]:
        """What a method answers, if trouble is noticed so much later."""
        asked = self.question
        return method.ranked(Recording.open(self.place), asked.start_ms + shift_ms, asked.end_ms)


def recorded(
    data: Path, into: Path, harder: Harder, record: Record, progress: Callable[[str], None]
) -> Iterator[Case]:
    """All questions of the data sets that are there, those of a story as soon as it is recorded."""
    into.mkdir()
    for dataset, (folder, stories) in DATASETS.items():
        for story in stories(data / folder, harder) if (data / folder).is_dir() else ():
            progress(f"recording {story.name}")
            place = record(story, into, harder)
            yield from (Case(dataset, question, place) for question in story.questions)


def places(cases: Sequence[Case], method: Method, shift_ms: int = 0) -> list[list[float]]:
    """Of each case, the place of its cause in each of the method's rankings."""
    found = []
    for case in cases:
        cause = case.question.cause
        assert cause is not None, "nothing was wrong then"
        found.append([place_of(cause, ranking) for ranking in case.ranked(method, shift_ms)])
    return found
