"""The names of everything in a recording, and nothing else: no I/O.

    vistio.json                                           marker: format version, creation time
    configurations/<sha256>.yaml                          every configuration that was in force
    head/<first>_<last>_<writer>.parquet                  commits, and merges of commits
    log/date=<day>/hour=<hour>/<first>_<last>_<writer>.parquet   sealed partitions
    rollups/date=<day>/hour=<hour>/<digest>.arrow         derived from sealed partitions; may be deleted
    rollups/date=<day>/hour=<hour>/<digest>.subjects      likewise: the minutes of single edges and nodes
    annotations/date=<day>/<start>_<end>_<id>.json        deployments, incidents and other marks
    locks/<writer>.lock, locks/<writer>.json              who writes

``<first>`` and ``<last>`` are the first and the last instant inside, so that a window is
pruned without opening anything. They have a fixed width: names sort as their instants do.

A *supplement* has what was learned later of rules that were not answered at an instant. Its
name ends in ``_<writer>.<n>.parquet``. Each ``n`` is a sequence of its own, in which an instant
stands once, as it does in the sequence of the scrapes themselves
(`docs/decisions/0008-supplements.md`).
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from functools import cached_property, lru_cache

import attrs

from vistio_core.errors import UsageError
from vistio_core.times import HOUR_MS, align

MARKER = "vistio.json"
HEAD = "head"
LOG = "log"
CONFIGURATIONS = "configurations"
ANNOTATIONS = "annotations"
LOCKS = "locks"
ROLLUPS = "rollups"

_WRITER = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_INSTANT = r"(\d{8}T\d{6}\.\d{3})Z"
_EVENTS = re.compile(
    rf"(?P<tier>head|log/date=\d{{4}}-\d\d-\d\d/hour=\d\d)/{_INSTANT}_{_INSTANT}_(?P<writer>[a-z0-9-]+)(?:\.(?P<supplement>[1-9]\d{{0,5}}))?\.parquet"
)

_HOUR_FOLDER = re.compile(rf"{LOG}/date=(\d{{4}}-\d\d-\d\d)/hour=(\d\d)")

_ROLLUP = re.compile(rf"{ROLLUPS}/date=\d{{4}}-\d\d-\d\d/hour=\d\d/[0-9a-f]{{32}}\.(arrow|subjects)")

_CONFIGURATION = re.compile(rf"{CONFIGURATIONS}/[0-9a-f]{{64}}\.yaml")
_ANNOTATION = re.compile(
    rf"{ANNOTATIONS}/date=\d{{4}}-\d\d-\d\d/{_INSTANT}_{_INSTANT}_([0-9a-f]{{32}})\.json"
)


@attrs.frozen(order=False)
class EventsName:
    """The name of a Parquet file of events, taken apart."""

    first_ms: int
    last_ms: int
    writer: str
    sealed: bool
    supplement: int = 0
    """0 for scrapes; else which supplement of its instants this is."""

    @cached_property
    def text(self) -> str:
        folder = hour_folder(self.first_ms) if self.sealed else HEAD
        who = f"{self.writer}.{self.supplement}" if self.supplement else self.writer
        return f"{folder}/{_instant_text(self.first_ms)}_{_instant_text(self.last_ms)}_{who}.parquet"

    @cached_property
    def by_time(self) -> tuple[int, int, tuple[str, int], int]:
        """By first instant, then by last one; the rest only makes the order the same each time."""
        return self.first_ms, self.last_ms, self.sequence, self.rank

    @property
    def sequence(self) -> tuple[str, int]:
        """Merged, sealed and superseded are only files of one sequence, in which no instant stands twice."""
        return self.writer, self.supplement

    @property
    def rank(self) -> int:
        """A commit, a merge of commits, a sealed partition: the higher one supersedes the lower."""
        return 2 if self.sealed else int(self.first_ms != self.last_ms)

    @property
    def single(self) -> bool:
        """Whether the file holds one instant only."""
        return self.first_ms == self.last_ms

    def overlaps(self, start_ms: int, end_ms: int) -> bool:
        """Whether an instant in ``[start_ms, end_ms)`` could be inside."""
        return self.first_ms < end_ms and self.last_ms >= start_ms


def commit_name(instant_ms: int, writer: str, supplement: int = 0) -> EventsName:
    return EventsName(instant_ms, instant_ms, writer, sealed=False, supplement=supplement)


# The same names are listed again and again, and taking one apart costs as much as opening its file.
@lru_cache(maxsize=65_536)
def parse_events_name(text: str) -> EventsName | None:
    """The parts of ``text``; None when it is not the name of an events file, or not a consistent one."""
    match = _EVENTS.fullmatch(text)
    if match is None:
        return None
    try:
        first_ms, last_ms = _instant_ms(match[2]), _instant_ms(match[3])
    except ValueError:
        return None
    sealed, supplement = match["tier"] != HEAD, int(match["supplement"] or 0)
    name = EventsName(first_ms, last_ms, match["writer"], sealed, supplement)
    return name if name.text == text and first_ms <= last_ms else None


def hour_folder(instant_ms: int) -> str:
    """The partition of an instant, ``log/date=2026-11-23/hour=05``."""
    return _hour_folder(align(instant_ms, HOUR_MS))


@lru_cache(maxsize=1024)
def _hour_folder(hour_ms: int) -> str:
    return f"{day_folder(hour_ms)}/hour={datetime.fromtimestamp(hour_ms // 1000, UTC):%H}"


@lru_cache(maxsize=4096)
def parse_hour_folder(text: str) -> int | None:
    """The start of the hour that a folder is the partition of; None where it is of none."""
    match = _HOUR_FOLDER.fullmatch(text)
    if match is None:
        return None
    try:
        return int(datetime.fromisoformat(f"{match[1]}T{match[2]}:00Z").timestamp()) * 1000
    except ValueError:
        return None


def day_folder(instant_ms: int) -> str:
    """The folder of all of a day's partitions, ``log/date=2026-11-23``."""
    return f"{LOG}/date={datetime.fromtimestamp(instant_ms // 1000, UTC):%Y-%m-%d}"


def hours(start_ms: int, end_ms: int) -> range:
    """The starts of all hours that ``[start_ms, end_ms)`` touches."""
    return range(align(start_ms, HOUR_MS), end_ms, HOUR_MS)


@attrs.frozen
class AnnotationName:
    """The name of an annotation's object, taken apart."""

    start_ms: int
    end_ms: int
    """The start itself for what happened at one instant."""
    id: str

    @property
    def text(self) -> str:
        day = datetime.fromtimestamp(self.start_ms // 1000, UTC)
        span = f"{_instant_text(self.start_ms)}_{_instant_text(self.end_ms)}"
        return f"{ANNOTATIONS}/date={day:%Y-%m-%d}/{span}_{self.id}.json"

    @property
    def over_ms(self) -> int:
        """The first instant at which it is over."""
        return max(self.end_ms, self.start_ms + 1)

    def overlaps(self, start_ms: int, end_ms: int) -> bool:
        """Whether any of it lies in ``[start_ms, end_ms)``."""
        return self.start_ms < end_ms and self.over_ms > start_ms


def annotation_name(start_ms: int, end_ms: int | None, id: str) -> AnnotationName:
    return AnnotationName(start_ms, start_ms if end_ms is None else end_ms, id)


def parse_annotation_name(text: str) -> AnnotationName | None:
    """The parts of ``text``; None when it is not the name of an annotation, or not a consistent one."""
    match = _ANNOTATION.fullmatch(text)
    if match is None:
        return None
    try:
        name = AnnotationName(_instant_ms(match[1]), _instant_ms(match[2]), match[3])
    except ValueError:
        return None
    return name if name.text == text and name.start_ms <= name.end_ms else None


def rollup_name(hour_ms: int, digest: str) -> str:
    """The name of an hour's rollup; ``digest`` is 32 hexadecimal digits."""
    return f"{ROLLUPS}{hour_folder(hour_ms).removeprefix(LOG)}/{digest}.arrow"


def subjects_name(rollup: str) -> str:
    """The name of the minutes of single edges and nodes beside an hour's rollup."""
    return f"{rollup.removesuffix('.arrow')}.subjects"


def is_rollup_name(text: str) -> bool:
    return _ROLLUP.fullmatch(text) is not None


def configuration_name(configuration_hash: str) -> str:
    return f"{CONFIGURATIONS}/{configuration_hash}.yaml"


def parse_configuration_name(text: str) -> str | None:
    """The hash of the configuration of this name; None where it is of none."""
    return (
        text.removeprefix(f"{CONFIGURATIONS}/").removesuffix(".yaml")
        if _CONFIGURATION.fullmatch(text)
        else None
    )


def is_object_name(text: str) -> bool:
    """Whether ``text`` is the name of anything that a recording may have, locks apart."""
    return (
        text == MARKER
        or parse_events_name(text) is not None
        or parse_annotation_name(text) is not None
        or is_rollup_name(text)
        or _CONFIGURATION.fullmatch(text) is not None
    )


def check_writer(writer: str) -> str:
    """``writer`` itself, when it can be a writer's name.

    Raises:
        UsageError: it cannot: it would not be safe in a file name.
    """
    if not _WRITER.fullmatch(writer):
        raise UsageError(f"writer {writer!r}: use 1 to 63 of a-z, 0-9 and -, such as main or eu-west-1")
    return writer


def _instant_text(ms: int) -> str:
    return f"{datetime.fromtimestamp(ms // 1000, UTC):%Y%m%dT%H%M%S}.{ms % 1000:03d}Z"


def _instant_ms(text: str) -> int:
    whole, _, thousandths = text.partition(".")
    seconds = datetime.strptime(whole, "%Y%m%dT%H%M%S").replace(tzinfo=UTC).timestamp()
    return int(seconds) * 1000 + int(thousandths)
