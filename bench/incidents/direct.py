"""The short cut: what the rules would answer of each scrape by itself, written into the log without a Prometheus."""

from __future__ import annotations

from pathlib import Path

from incidents.stories import Harder, Story
from vistio_core import Recording


def record(story: Story, into: Path, harder: Harder) -> Path:
    """The recording of a story, made in ``into``."""
    place, configuration = into / story.name, story.loaded
    recording = Recording.open(place, create=True)
    with recording.writer(significant_digits=harder.significant_digits) as writer:
        writer.put_configuration(configuration)
        for scrape in story.told(configuration):
            writer.commit(scrape)
    return place
