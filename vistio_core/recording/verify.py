"""Reads everything in a recording and says what is wrong, file by file."""

from __future__ import annotations

import hashlib
from collections.abc import Generator, Iterator
from contextlib import suppress
from itertools import pairwise

import attrs
import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from vistio_core.configuration import loads
from vistio_core.errors import ConfigurationError, DamagedFileError, FilesChangedError, FormatVersionError
from vistio_core.events import LARGEST_RATE, Outcome
from vistio_core.replay.rollups.maker import is_whole
from vistio_core.storage.annotations import read_annotation
from vistio_core.storage.event_file import EventFile, EventFiles
from vistio_core.storage.format import KINDS
from vistio_core.storage.layout import (
    CONFIGURATIONS,
    LOCKS,
    MARKER,
    configuration_name,
    is_object_name,
    is_rollup_name,
    parse_annotation_name,
    parse_events_name,
)
from vistio_core.storage.listing import WriterListing
from vistio_core.storage.log import Log
from vistio_core.storage.marker import marker_problem
from vistio_core.storage.store import Entry, Store
from vistio_core.times import HOUR_MS, align, format_instant

_KEY_COLUMNS = ["instant", "cluster", "rule", "source", "target", "status", "measure"]

_RuleAt = tuple[int, str, str]
_NO_LABELS: frozenset[tuple[str, str]] = frozenset()
_decode_labels = msgspec.json.Decoder(dict[str, str]).decode


@attrs.frozen
class Checked:
    """One object of the recording and what is wrong with it; nothing if ``problems`` is empty."""

    name: str
    problems: tuple[str, ...]


def verify(store: Store) -> Iterator[Checked]:
    """Check every object of a recording, in the order of their names.

    Finds: foreign, truncated, damaged and empty files; columns or a format version that are not
    ours; rows out of order or twice; instants outside of the file's name or its partition;
    rates that are not finite; samples of a rule without an outcome; instants that stand in two
    files that do not supersede each other, or differ between them; supplements of instants that
    are not there or of rules that were answered; configurations and annotations that are missing,
    changed or unreadable; pipes, sockets and other things that are no files. What a process left
    half-written when it died is no damage: nobody ever sees it, and the next writer removes it.
    """
    files, others = EventFiles(store, most_bytes=0), EventFiles(store)
    everything = Log(store, others).everything()
    configurations = {entry.name for entry in store.entries(CONFIGURATIONS)}
    strangers = {**dict(store.strangers()), **_folders_instead(store)}
    entries = {entry.name: entry for entry in store.entries()}
    for text in sorted(entries.keys() | strangers):
        if text in strangers:
            yield Checked(text, (f"is not a file, but {strangers[text]}; move it elsewhere",))
            continue
        entry = entries[text]
        name = parse_events_name(entry.name)
        try:
            if name is not None:
                file = files[name]
                own = everything.writer(name.writer)
                problems = (*_check_events(file, configurations), *_check_twice(file, own, others))
                if name.supplement:
                    problems += tuple(_check_supplement(file, own, others))
            else:
                problems = tuple(_check_other(store, entry))
        except (FileNotFoundError, FilesChangedError):
            continue  # merged, sealed or pruned away while we were at work
        except (DamagedFileError, FormatVersionError) as error:
            problems = (str(error).removeprefix(f"{entry.name}: "),)
        yield Checked(entry.name, problems)


def _folders_instead(store: Store, prefix: str = "") -> dict[str, str]:
    """Folders that have the name of an object."""
    found: dict[str, str] = {}
    for folder in store.folders(prefix):
        if is_object_name(folder):
            found[folder] = "a directory"
        found |= _folders_instead(store, folder)
    return found


def _check_other(store: Store, entry: Entry) -> Iterator[str]:
    folder = entry.name.partition("/")[0]
    if folder == LOCKS:
        return
    if entry.name == MARKER:
        if problem := marker_problem(store):
            yield problem
        return
    if is_rollup_name(entry.name):
        if not is_whole(store, entry.name):
            yield "content is not what was written; nothing is lost: delete it, it is derived and made anew"
        return
    annotation = parse_annotation_name(entry.name)
    if annotation is not None:
        read_annotation(store, annotation)
        return
    if folder != CONFIGURATIONS:
        yield "not a file of this recording: its name does not fit; move it elsewhere"
        return
    with store.open(entry.name) as source:
        content = source.read()
    if configuration_name(hashlib.sha256(content).hexdigest()) != entry.name:
        yield "content does not have the hash that its name says"
        return
    try:
        loads(content.decode(), entry.name)
    except (ConfigurationError, UnicodeDecodeError) as error:
        yield f"cannot be read as a configuration: {error}"


def _check_events(file: EventFile, configurations: set[str]) -> Iterator[str]:
    previous: tuple[str, int] | None = None
    for kind, first_ms, last_ms in file.describe_row_groups():
        if kind not in KINDS:
            yield f"has rows of the unknown kind {kind!r}"
        if previous is not None and (kind, first_ms) <= previous:
            yield f"row groups are out of order at {kind} {format_instant(first_ms)}"
        previous = kind, last_ms
    name = file.name
    if name.sealed and align(name.first_ms, HOUR_MS) != align(name.last_ms, HOUR_MS):
        yield "spans more than one hour"
    if not file.presences:
        yield "holds no scrape"
        return
    if (file.presences[0].instant_ms, file.presences[-1].instant_ms) != (name.first_ms, name.last_ms):
        yield "does not begin and end at the instants that its name says"
    rules = yield from _check_outcomes(file, configurations)
    for kind in ("measurement", "sample"):
        for instant_ms, rows in file.by_instant(kind):
            yield from _check_rows(kind, instant_ms, rows, rules.get(instant_ms, frozenset()))


def _check_outcomes(
    file: EventFile, configurations: set[str]
) -> Generator[str, None, dict[int, frozenset[tuple[str, str]]]]:
    """Yields problems; returns the rules of each instant."""
    rules: dict[int, frozenset[tuple[str, str]]] = {}
    for instant_ms, rows in file.by_instant("outcome"):
        when = format_instant(instant_ms)
        yield from _check_order(f"outcomes of {when}", rows)
        for configuration in rows["configuration"].unique().to_pylist():
            if configuration_name(configuration or "") not in configurations:
                yield f"{when}: its configuration {configuration} is missing"
        unknown = set(rows["outcome"].unique().to_pylist()) - {outcome.value for outcome in Outcome}
        if unknown:
            yield f"{when}: unknown outcome {', '.join(sorted(map(str, unknown)))}"
        rules[instant_ms] = frozenset(zip(_texts(rows, "cluster"), _texts(rows, "rule"), strict=True))
    return rules


def _check_rows(
    kind: str, instant_ms: int, rows: pa.Table, rules: frozenset[tuple[str, str]]
) -> Iterator[str]:
    when = format_instant(instant_ms)
    yield from _check_order(f"{kind}s of {when}", rows)
    pairs = rows.select(["cluster", "rule"]).group_by(["cluster", "rule"]).aggregate([]).to_pylist()
    orphans = {(pair["cluster"], pair["rule"]) for pair in pairs} - rules
    if orphans:
        yield f"{when}: {kind}s of {len(orphans)} rules without an outcome"
    numbers = rows["rate" if kind == "sample" else "value"]
    if numbers.null_count or not pc.all(pc.is_finite(numbers)).as_py():
        yield f"{when}: {kind}s that are not finite"
    elif kind == "sample" and pc.max(pc.abs(numbers)).as_py() > LARGEST_RATE:
        yield f"{when}: rates beyond {LARGEST_RATE:g}"


def _check_order(what: str, rows: pa.Table) -> Iterator[str]:
    keys = list(zip(*(_texts(rows, column) for column in _KEY_COLUMNS[1:]), strict=True))
    if any(first > second for first, second in pairwise(keys)):
        yield f"{what} are out of order"
    # Series of a notice about one node are told apart by their labels, however these are written down.
    try:
        labels = [
            frozenset(_decode_labels(text).items()) if text else _NO_LABELS for text in _texts(rows, "labels")
        ]
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        yield f"{what}: labels that are no JSON object of texts ({error})"
        return
    if len(set(zip(keys, labels, strict=True))) != len(keys):
        yield f"{what}: rows stand there twice"


def _check_twice(file: EventFile, own: WriterListing, files: EventFiles) -> Iterator[str]:
    name = file.name
    if own.superseded(name):
        return  # a crash came between writing the new file and deleting this one: allowed, and tidied up later
    for other in reversed(list(own.overlapping(name.first_ms, name.last_ms + 1))):
        if other == name or other.sequence != name.sequence:
            continue
        if other.rank < name.rank and own.superseded(other):
            continue
        with suppress(DamagedFileError):  # which is told where that file is checked
            shared = file.instants_ms & files[other].instants_ms
            if shared:
                yield f"holds {len(shared)} instants that stand in {other.text} too, from {format_instant(min(shared))}"


def _check_supplement(file: EventFile, own: WriterListing, files: EventFiles) -> Iterator[str]:
    """A supplement tells of rules that its scrape, and the supplements before it, left open."""
    name = file.name
    scraped: set[int] = set()
    answered: set[_RuleAt] = set()
    for other in own.overlapping(name.first_ms, name.last_ms + 1):
        if other.supplement < name.supplement:
            with suppress(DamagedFileError):  # which is told where that file is checked
                answered.update(key for key, ok in _answers(files[other]) if ok)
                scraped |= files[other].instants_ms if not other.supplement else frozenset()
    told = [key for key, _ in _answers(file)]
    orphans = {instant_ms for instant_ms, *_ in told} - scraped
    if orphans:
        yield f"supplements {len(orphans)} instants without a readable scrape, from {format_instant(min(orphans))}"
    again = answered.intersection(told)
    if again:
        yield f"supplements {len(again)} rules that were answered before, from {format_instant(min(again)[0])}"


def _answers(file: EventFile) -> Iterator[tuple[_RuleAt, bool]]:
    """Instant, cluster and rule of each outcome, and whether it was answered."""
    rows = file.rows("outcome", ["instant", "cluster", "rule", "outcome"])
    keys = zip(
        rows["instant"].cast(pa.int64()).to_pylist(),
        _texts(rows, "cluster"),
        _texts(rows, "rule"),
        strict=True,
    )
    return zip(keys, (outcome == Outcome.OK.value for outcome in _texts(rows, "outcome")), strict=True)


def _texts(rows: pa.Table, column: str) -> list[str]:
    texts: list[str | None] = rows[column].cast(pa.string()).to_pylist()
    return [text or "" for text in texts]
