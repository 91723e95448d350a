"""Marks on the timeline: deployments, incidents, notes. One JSON object for each, in the recording.

An annotation is never changed; its name has the hash of its content, so writing it again, from
another process or after a crash, changes nothing, and no lock is needed.
"""

from __future__ import annotations

import hashlib
import logging
import re
from collections.abc import Iterator, Mapping
from itertools import islice
from types import MappingProxyType

import attrs
import msgspec
import pyarrow as pa

from vistio_core.errors import (
    DamagedFileError,
    InvalidAnnotationError,
    InvalidTimeError,
    UnknownAnnotationError,
)
from vistio_core.names import visible
from vistio_core.sentences import Said, Sentence, say
from vistio_core.storage.format import INSTANT
from vistio_core.storage.layout import (
    ANNOTATIONS,
    AnnotationName,
    annotation_name,
    parse_annotation_name,
)
from vistio_core.storage.store import Store
from vistio_core.times import check_instant, format_instant, parse_instant

log = logging.getLogger(__name__)

MAX_TEXT_BYTES = 4096
MAX_NAME_BYTES = 256
MAX_LINK_BYTES = 2048
MAX_TAGS = 32
MAX_TAG_KEY_BYTES = 64
MAX_TAG_VALUE_BYTES = 256
_SHOWN = 60
"""How many characters of its text a line has."""

_KIND = re.compile(r"[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?")
_LINK = re.compile(r"https?://[^\s/].*", re.IGNORECASE)
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_CONTROL_IN_TEXT = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def _read_only(tags: Mapping[str, str]) -> Mapping[str, str]:
    return MappingProxyType(dict(tags))


@attrs.frozen(hash=False, repr=False)
class Annotation:
    """What happened at an instant, or from one to another.

    Raises:
        InvalidAnnotationError: with everything that is wrong, not only the first.
    """

    start_ms: int
    text: str
    """Plain text, up to 4096 bytes of UTF-8; may have several lines."""
    kind: str = "note"
    """``deployment``, ``incident``, ...: what a user interface tells apart."""
    end_ms: int | None = None
    """The first instant after it; None for something that happened at one instant."""
    cluster: str = ""
    node: str = ""
    """What it is about; empty for the whole mesh, or the whole cluster."""
    link: str = ""
    """Where more is said, an http or https address."""
    tags: Mapping[str, str] = attrs.field(factory=dict, converter=_read_only)

    def __attrs_post_init__(self) -> None:
        problems = tuple(_problems(self))
        if problems:
            raise InvalidAnnotationError(problems)

    @property
    def id(self) -> str:
        """32 hexadecimal digits that depend on all of its content, and on nothing else."""
        return hashlib.sha256(encode_annotation(self)).hexdigest()[:32]

    def __repr__(self) -> str:
        return f"<Annotation {self._title()}: {visible(self.text[:_SHOWN])}{'…' * (len(self.text) > _SHOWN)}>"

    def _repr_html_(self) -> str:
        from vistio_core.displays.found import annotation_html

        about = "/".join(filter(None, (self.cluster, self.node)))
        return annotation_html(self._title(), about, self.text.splitlines(), self.link, self.tags)

    def _title(self) -> str:
        from vistio_core.displays.words import stretch

        when = format_instant(self.start_ms) if self.end_ms is None else stretch(self.start_ms, self.end_ms)
        return f"{self.kind} {when}"


class _Stored(msgspec.Struct):
    """The content of an annotation's object."""

    start: str
    end: str | None
    kind: str
    text: str
    cluster: str
    node: str
    link: str
    tags: dict[str, str]


def encode_annotation(annotation: Annotation) -> bytes:
    """JSON for an object of the recording; equal annotations give equal bytes."""
    end = None if annotation.end_ms is None else format_instant(annotation.end_ms)
    stored = _Stored(
        format_instant(annotation.start_ms),
        end,
        annotation.kind,
        annotation.text,
        annotation.cluster,
        annotation.node,
        annotation.link,
        dict(sorted(annotation.tags.items())),
    )
    return msgspec.json.encode(stored) + b"\n"


def put_annotation(store: Store, annotation: Annotation) -> str:
    """Write ``annotation`` down and return its id. That it is there already is no error.

    Raises:
        StorageError: the storage refused.
    """
    name = _name(annotation).text
    if not store.exists(name):
        try:
            with store.create(name) as sink:
                sink.write(encode_annotation(annotation))
        except FileExistsError:
            pass  # someone else wrote the same meanwhile
    return annotation.id


def read_annotation(store: Store, name: AnnotationName) -> Annotation:
    """The annotation in an object.

    Raises:
        DamagedFileError: its content is not what its name says.
        FileNotFoundError: pruned away meanwhile.
    """
    try:
        with store.open(name.text) as source:
            content: bytes = source.read()
        stored = msgspec.json.decode(content, type=_Stored)
        annotation = Annotation(
            parse_instant(stored.start, now_ms=0),
            stored.text,
            stored.kind,
            None if stored.end is None else parse_instant(stored.end, now_ms=0),
            stored.cluster,
            stored.node,
            stored.link,
            stored.tags,
        )
    except FileNotFoundError:
        raise
    except (OSError, msgspec.MsgspecError, InvalidTimeError, InvalidAnnotationError) as error:
        raise DamagedFileError(name.text, f"cannot be read as an annotation: {error}") from error
    if hashlib.sha256(content).hexdigest()[:32] != name.id or _name(annotation) != name:
        raise DamagedFileError(name.text, "content does not have the hash and instants that its name says")
    return annotation


def find_annotation(store: Store, annotation_id: str) -> tuple[AnnotationName, Annotation]:
    """The annotation of this id, and its name.

    Raises:
        UnknownAnnotationError: there is none.
        DamagedFileError: it is damaged.
    """
    for name in annotation_names(store):
        if name.id == annotation_id:
            try:
                return name, read_annotation(store, name)
            except FileNotFoundError:
                break  # somebody else removed it meanwhile
    raise UnknownAnnotationError(annotation_id)


def remove_annotation(store: Store, annotation_id: str) -> Annotation:
    """Delete the annotation of this id and return it.

    Raises:
        UnknownAnnotationError: there is none.
        RecordingError: the storage refused.
    """
    name, found = find_annotation(store, annotation_id)
    store.delete(name.text)
    return found


def annotation_names(store: Store) -> Iterator[AnnotationName]:
    """The names of all annotations, in no particular order."""
    for text in store.names(ANNOTATIONS):
        name = parse_annotation_name(text)
        if name is not None:  # foreign files are for `verify` to report
            yield name


def annotations_table(store: Store, start_ms: int, end_ms: int) -> pa.Table:
    """Annotations that overlap ``[start_ms, end_ms)``; the shape is told at `Recording.annotations`."""
    overlapping: list[tuple[str, Annotation]] = []
    for name in annotation_names(store):
        if name.overlaps(start_ms, end_ms):
            try:
                overlapping.append((name.id, read_annotation(store, name)))
            except DamagedFileError as error:
                log.warning("file.skipped", extra={"file": name.text, "error": str(error)})
            except FileNotFoundError:
                continue  # pruned away since it was listed
    overlapping.sort(key=lambda item: (item[1].start_ms, item[0]))
    annotations = [annotation for _, annotation in overlapping]
    tags = [msgspec.json.encode(dict(a.tags)).decode() if a.tags else None for a in annotations]
    return pa.table(
        {
            "id": pa.array([id for id, _ in overlapping], pa.string()),
            "start": pa.array([annotation.start_ms for annotation in annotations], INSTANT),
            "end": pa.array([annotation.end_ms for annotation in annotations], INSTANT),
            **{
                column: pa.array([getattr(annotation, column) for annotation in annotations], pa.string())
                for column in ("kind", "text", "cluster", "node", "link")
            },
            "tags": pa.array(tags, pa.string()),
        }
    )


def _name(annotation: Annotation) -> AnnotationName:
    return annotation_name(annotation.start_ms, annotation.end_ms, annotation.id)


def _problems(annotation: Annotation) -> Iterator[Sentence]:
    wrong = [*_instant_problems("start_ms", annotation.start_ms)]
    if annotation.end_ms is not None:
        wrong += _instant_problems("end_ms", annotation.end_ms)
        if not wrong and annotation.end_ms <= annotation.start_ms:
            wrong.append(
                say(
                    "{field}: {end} is not after the start, {start}; leave it out for what happened at one instant",
                    field="end_ms",
                    end=format_instant(annotation.end_ms),
                    start=format_instant(annotation.start_ms),
                )
            )
    yield from wrong
    yield from _text_problems("text", annotation.text, MAX_TEXT_BYTES, control=_CONTROL_IN_TEXT)
    if isinstance(annotation.text, str) and not annotation.text.strip():
        yield say("{field}: is empty; say what happened", field="text")
    if not isinstance(annotation.kind, str) or not _KIND.fullmatch(annotation.kind):
        kind: object = annotation.kind
        found = repr(kind[:80]) if isinstance(kind, str) else type(kind).__name__
        yield say(
            "{field}: found {found}; use 1 to 32 of a-z, 0-9 and -, such as deployment or incident",
            field="kind",
            found=found,
        )
    yield from _text_problems("cluster", annotation.cluster, MAX_NAME_BYTES)
    yield from _text_problems("node", annotation.node, MAX_NAME_BYTES)
    yield from _text_problems("link", annotation.link, MAX_LINK_BYTES)
    if annotation.link and isinstance(annotation.link, str) and not _LINK.fullmatch(annotation.link):
        yield say(
            "{field}: found {found!r}; use an address that begins with http:// or https://",
            field="link",
            found=annotation.link[:80],
        )
    if len(annotation.tags) > MAX_TAGS:
        yield say(
            "{field}: found {found:,}; at most {most} are allowed",
            field="tags",
            found=len(annotation.tags),
            most=MAX_TAGS,
        )
    for key, value in islice(annotation.tags.items(), MAX_TAGS):
        yield from _text_problems(say("tags: key {key!r}", key=str(key)[:64]), key, MAX_TAG_KEY_BYTES)
        if key == "":
            yield say("{field}: a key is empty; name each tag", field="tags")
        yield from _text_problems(
            say("tags: value of {key!r}", key=str(key)[:64]), value, MAX_TAG_VALUE_BYTES
        )


def _instant_problems(what: str, value: object) -> Iterator[Sentence]:
    try:
        check_instant(value)
    except InvalidTimeError as error:
        yield say("{field}: {wrong}", field=what, wrong=error.said)


def _text_problems(
    what: Said, value: object, most_bytes: int, *, control: re.Pattern[str] = _CONTROL
) -> Iterator[Sentence]:
    if not isinstance(value, str):
        yield say("{field}: found {found}; use text", field=what, found=type(value).__name__)
        return
    try:
        size_bytes = len(value.encode())
    except UnicodeEncodeError:
        yield say("{field}: is not valid Unicode", field=what)
        return
    if size_bytes > most_bytes:
        yield say(
            "{field}: has {size:,} bytes; at most {most:,} are allowed",
            field=what,
            size=size_bytes,
            most=most_bytes,
        )
    found = control.search(value)
    if found:
        yield say("{field}: has the control character {found!r}; leave it out", field=what, found=found[0])
