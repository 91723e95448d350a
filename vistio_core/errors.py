"""Every error that vistio raises on purpose.

One root, few children; each carries its facts as attributes, so that a frontend can
decide what to show. The message names the thing, what was found, what is allowed and
the next step. What is answered over HTTP is a sentence (`sentences`), which can be told in other languages, too.
"""

from __future__ import annotations

from collections.abc import Sequence

import attrs

from vistio_core.sentences import Joined, Said, Sentence, Telling, say


class VistioError(Exception):
    """The root of all errors raised by vistio: catch this to catch them all."""

    @property
    def said(self) -> Said:
        """The message, which can be told in a language; `str` of it is English."""
        message = self.args[0] if self.args else ""
        return message if isinstance(message, Telling) else str(self)


class InvalidTimeError(VistioError, ValueError):
    """A text or value is not an instant, a duration or a window that vistio understands."""


class UsageError(VistioError, ValueError):
    """An argument has a value that is not allowed; the message lists what is."""


class MissingLibraryError(VistioError, ImportError):
    """What was asked for needs a library that is not installed; ``library`` is its name."""

    def __init__(self, library: str, wanted_for: str) -> None:
        self.library = library
        super().__init__(
            f"{wanted_for}: needs {library}, which is not installed; pip install {library},"
            " or all that notebooks use: pip install 'vistio[notebook]'",
            name=library,
        )


class NotInGraphError(VistioError, KeyError):
    """A value has nothing of this name: a graph no such region, frames no such level.

    Attributes:
        kind: what was looked for.
        name: the one that was asked for.
        nearest: names that are there and most like it, the most like first.
    """

    def __init__(self, kind: str, name: str, nearest: Sequence[str]) -> None:
        self.kind, self.name, self.nearest = kind, name, tuple(nearest)
        super().__init__(f"{kind} {name!r}: there is none of this name here; {_offer(self.nearest)}")

    def __str__(self) -> str:
        return str(self.args[0])  # a KeyError's own is the repr of it


class InvalidAnnotationError(UsageError):
    """An annotation is not one.

    Attributes:
        problems: everything that is wrong, each with what is allowed.
        wrong: the same, to be told in a language; ``field`` is a fact of each.
    """

    def __init__(self, wrong: Sequence[Sentence]) -> None:
        self.wrong, self.problems = tuple(wrong), tuple(map(str, wrong))
        super().__init__(Joined(self.wrong, "\n"))


@attrs.frozen
class Problem:
    """One thing that is wrong in a configuration file, or only noteworthy there."""

    path: str
    """The key path, such as ``clusterLevel[0].serviceConnections[1].source.regex``."""
    message: str
    """What was found, what is allowed, and the remedy."""
    line: int | None = None
    """1-based line in the file; None where the file has no place for it."""

    def describe(self, file: str) -> str:
        place = file if self.line is None else f"{file}:{self.line}"
        return f"{place}: {self.path}: {self.message}" if self.path else f"{place}: {self.message}"


class ConfigurationError(VistioError):
    """A configuration cannot be used. ``problems`` has all of its errors, not only the first."""

    def __init__(self, file: str, problems: tuple[Problem, ...]) -> None:
        self.file = file
        self.problems = problems
        super().__init__("\n".join(problem.describe(file) for problem in problems))


class SourceError(VistioError):
    """A source of traffic could not answer; ``kind`` is a machine-readable outcome.

    Attributes:
        kind: ``"failed"`` or ``"timeout"``, as in `vistio_core.events.Outcome`.
        answered: Prometheus' ``errorType``, such as ``execution``, when the source itself said why (or
            ``too_large`` for an answer beyond our limit); empty when no usable answer came.
    """

    def __init__(self, message: str, *, kind: str = "failed", answered: str = "") -> None:
        self.kind = kind
        self.answered = answered
        super().__init__(message)


class RecordingError(VistioError):
    """Something about a recording on disk; the children say what."""


class NotARecordingError(RecordingError):
    """The directory does not hold a recording (yet)."""

    def __init__(self, place: str, found: str) -> None:
        self.place = place
        super().__init__(
            f"{place}: {found}; start one with"
            f" `vistio-record run --recording {place}`, or look around with `vistio-serve demo`"
        )


class PackedRecordingError(RecordingError):
    """A recording in one file is none, is damaged or hostile, or was to be written to."""

    def __init__(self, place: str, found: str, remedy: str) -> None:
        self.place, self.found = place, found
        super().__init__(f"{place}: {found}; {remedy}")


class FormatVersionError(RecordingError):
    """The recording, or a file in it, was written in a format that this vistio does not read."""

    def __init__(self, place: Said, found: int, newest: int) -> None:
        self.place, self.found, self.newest = place, found, newest
        reads = "1" if newest == 1 else f"1-{newest}"
        super().__init__(
            say(
                "{place}: format version {found}, this vistio reads {reads}; upgrade vistio",
                place=place,
                found=found,
                reads=reads,
            )
        )


class DamagedFileError(RecordingError):
    """A file of the recording cannot be read as what its name promises."""

    def __init__(self, name: str, found: str) -> None:
        self.name, self.found = name, found
        super().__init__(
            f"{name}: {found}; the rest of the recording stays readable,"
            " `vistio-record verify` lists every damaged file"
        )


class FilesChangedError(RecordingError):
    """A listed file was merged, sealed or pruned away before it was read.

    Inside the library it only means that files are listed anew (`vistio_core.storage.log`). It reaches a caller
    when that happened many times in a row.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        super().__init__(
            f"{name}: was merged, sealed or pruned away before it was read, many times in a row;"
            " ask again, or keep such files longer (linger)"
        )


class WriterLockedError(RecordingError):
    """Another process writes to this recording under the same writer name."""

    def __init__(self, place: str, writer: str, holder: str) -> None:
        self.place, self.writer, self.holder = place, writer, holder
        super().__init__(
            f"{place}: writer {writer!r} is in use by {holder}; stop that one,"
            " or give this one another name with --writer"
        )


class AlreadyRecordedError(RecordingError):
    """An instant was committed before; the log is append-only and never overwrites."""

    def __init__(self, instant: str, writer: str) -> None:
        self.instant, self.writer = instant, writer
        super().__init__(
            f"{instant}: already recorded by writer {writer!r}; a recorded instant is never"
            " overwritten, leave it out or use another recording"
        )


class UnknownNameError(RecordingError):
    """Nothing was ever recorded of a name.

    Attributes:
        kind: ``cluster`` or ``node``.
        name: the one that was asked for.
        cluster: where it was looked for; None for everywhere.
        nearest: names that are recorded and most like it, the most like first.
    """

    def __init__(self, kind: str, name: str, nearest: Sequence[str], cluster: str | None = None) -> None:
        self.kind, self.name, self.cluster, self.nearest = kind, name, cluster, tuple(nearest)
        where: Said = ""
        if cluster is not None:
            where = (
                say(" in cluster {cluster!r}", cluster=cluster) if cluster else say(" on the global level")
            )
        super().__init__(
            say(
                "{kind} {name!r}{where}: nothing of this name was ever recorded; {offer}",
                kind=say(kind),
                name=name,
                where=where,
                offer=_offer(self.nearest),
            )
        )


class UnknownAnnotationError(RecordingError):
    """There is no annotation of this id, or no longer."""

    def __init__(self, annotation_id: str) -> None:
        self.annotation_id = annotation_id[:64]
        super().__init__(
            say(
                "annotation {id!r}: there is none of this id; `vistio-record annotations` lists all",
                id=self.annotation_id,
            )
        )


class NothingRecordedError(RecordingError):
    """There is no graph at the asked instant.

    Attributes:
        asked_ms: the instant asked for.
        before_ms, after_ms: the nearest instants with a graph on both sides, None if none.
        reason: why there is nothing: not running, not seen (failed), or an empty recording.
        why: the same, to be told in a language.
    """

    def __init__(
        self, message: str, *, asked_ms: int, before_ms: int | None, after_ms: int | None, why: Said
    ) -> None:
        self.asked_ms, self.before_ms, self.after_ms = asked_ms, before_ms, after_ms
        self.why, self.reason = why, str(why)
        super().__init__(message)


def _offer(nearest: Sequence[str]) -> Sentence:
    """The end of a message about a name that is not there."""
    if not nearest:
        return say("nothing is named like it")
    return say("did you mean {names}?", names=Joined([repr(name) for name in nearest], " or "))
