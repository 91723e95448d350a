"""A new configuration while recording goes on: on SIGHUP, on request, and when the file changes.

The new source is made, with all of its checks, beside the running one, in the thread that asks.
Only when it is good is it given to the recorder, which changes over between two scrapes. A file
that is wrong changes nothing: its problems are logged, and the recorder goes on as before.

The files are read again every few seconds and compared by content. Notifications of the kernel
would be quicker by a second, but they see no change that another machine makes on a network mount,
and each way to replace a file (in place, by rename, by Kubernetes' swap of the symlink ``..data``)
is another pattern of them. What was read must be the same twice in a row before it is tried, so
that a file that is still being written is let alone.
"""

from __future__ import annotations

import hashlib
import logging
import threading
from collections.abc import Callable, Iterable
from enum import StrEnum
from pathlib import Path

import attrs

from vistio_core.configuration.model import Configuration
from vistio_core.errors import ConfigurationError, VistioError
from vistio_core.native_paths import shown
from vistio_core.regular_files import open_regular
from vistio_record.metrics import Metrics
from vistio_record.recorder import note_warnings, rules_of
from vistio_record.sources.base import Source

log = logging.getLogger(__name__)

LOOK_EVERY_S = 2.0
_GONE_AFTER_LOOKS = 15
_MAX_BYTES = 64 * 2**20

Content = tuple[str | None, ...]
"""A hash of each file; None where there is no file to be read."""


@attrs.frozen
class Recipe:
    """How a source was made, so that it can be made again."""

    make: Callable[[], Source]
    """Raises `VistioError`, for a configuration with all of its problems."""
    files: tuple[Path, ...]
    """What it is made from; none for a source that has its own configuration."""
    content: Content
    """Of the files, when the running source was made."""

    @classmethod
    def now(cls, make: Callable[[], Source], files: Iterable[Path]) -> Recipe:
        """To be called before ``make`` is: what changes in between is then seen as a change."""
        files = tuple(files)
        return cls(make, files, read_content(files))


class ReloadOutcome(StrEnum):
    """What became of a reload."""

    RELOADED = "reloaded"
    UNCHANGED = "unchanged"
    REFUSED = "refused"


@attrs.frozen
class Reloaded:
    """The result of a reload."""

    outcome: ReloadOutcome
    message: str
    """For a person; one line for each problem when it is refused."""


class Reloader:
    """Makes a new source when asked to, or when a file changes. Usable from many threads."""

    def __init__(self, recipe: Recipe, replace: Callable[[Source], None], metrics: Metrics) -> None:
        """Knows what is running; does nothing by itself until `watch`.

        Args:
            recipe: how the running source was made.
            replace: takes a new one (`vistio_record.recorder.Recorder.replace`).
            metrics: told of each reload.
        """
        self._recipe = recipe
        self._replace = replace
        self._metrics = metrics
        self._running = self._tried = self._seen = recipe.content
        self._gone = 0
        self._lock = threading.Lock()
        self._metrics.reloaded(good=True)

    def reload(self, by: str) -> Reloaded:
        """Read everything again, now. ``by`` is who asked, for the log. Never raises."""
        with self._lock:
            content = read_content(self._recipe.files)
            self._tried = content
            if content == self._running:
                return self._unchanged(by)
            try:
                source = self._recipe.make()
                try:
                    rules = len(rules_of(source.configuration))
                except VistioError:
                    source.close()
                    raise
            except VistioError as error:
                return self._refused(by, error)
            except Exception as error:  # the recorder outlives our faults, and a third party's
                log.exception("reload.crashed")
                return self._refused(by, VistioError(f"reading it went wrong: {type(error).__name__}"))
            self._running = content
            configuration = source.configuration
            self._replace(source)
            return self._good(by, configuration, rules)

    def look(self) -> None:
        """Reload if a file has another content than at the last try, the same as at the last look."""
        content = read_content(self._recipe.files)
        before = zip(self._recipe.files, self._recipe.content, content, strict=True)
        missing = [shown(file) for file, was, found in before if was is not None and found is None]
        # Some programs remove a file and write it anew: what has gone may be back at the next look.
        self._gone = self._gone + 1 if missing else 0
        if self._gone == _GONE_AFTER_LOOKS:
            log.warning(
                "configuration.gone",
                extra={
                    "files": ", ".join(missing),
                    "next": "the recorder goes on with the configuration it has; a restart would not find it",
                },
            )
        settled, self._seen = content == self._seen, content
        if settled and not missing and content != self._tried:
            self.reload("a change of the file")

    def _unchanged(self, by: str) -> Reloaded:
        self._metrics.reloaded(good=True)
        files = ", ".join(map(shown, self._recipe.files))
        why = f"{files} is as it was" if files else "this source has no configuration file"
        log.info("configuration.unchanged", extra={"by": by, "why": why})
        return Reloaded(ReloadOutcome.UNCHANGED, f"unchanged: {why}")

    def _good(self, by: str, configuration: Configuration, rules: int) -> Reloaded:
        self._metrics.reloaded(good=True)
        note_warnings(configuration)
        facts = {"hash": configuration.hash[:12], "rules": rules, "warnings": len(configuration.warnings)}
        log.info("configuration.reloaded", extra={"by": by, **facts})
        told = ", ".join(f"{name} {value}" for name, value in facts.items())
        return Reloaded(ReloadOutcome.RELOADED, f"reloaded: {told}; in force from the next scrape on")

    def _refused(self, by: str, error: VistioError) -> Reloaded:
        self._metrics.reloaded(good=False)
        keeps = "the recorder goes on with the configuration it has"
        if isinstance(error, ConfigurationError):
            for problem in error.problems:
                # "message" is taken: it is the log record's own.
                facts = {"file": error.file, "line": problem.line, "path": problem.path}
                given = {name: value for name, value in facts.items() if value}
                log.error(
                    "configuration.refused",
                    extra={"by": by, **given, "problem": problem.message, "next": keeps},
                )
        else:
            log.error("configuration.refused", extra={"by": by, "problem": str(error), "next": keeps})
        return Reloaded(ReloadOutcome.REFUSED, f"{error}\nrefused: {keeps}")


class Watch:
    """A thread that reloads when ``hangup`` is set, and looks at the files in between."""

    def __init__(self, reloader: Reloader, hangup: threading.Event, every_s: float = LOOK_EVERY_S) -> None:
        self._reloader = reloader
        self._hangup = hangup
        self._every_s = every_s
        self._closed = False
        self._thread = threading.Thread(target=self._run, daemon=True, name="reload")
        self._thread.start()

    def _run(self) -> None:
        while True:
            asked = self._hangup.wait(self._every_s)
            if self._closed:
                return
            if asked:
                self._hangup.clear()
                self._reloader.reload("SIGHUP")
            else:
                self._reloader.look()

    def close(self, timeout_s: float = 1.0) -> None:
        """End it; a file system that hangs holds the thread, not its caller."""
        self._closed = True
        self._hangup.set()
        self._thread.join(timeout_s)


def read_content(files: Iterable[Path]) -> Content:
    """What is in the files, as far as it takes to see that it is something else."""
    return tuple(_hash(file) for file in files)


def _hash(file: Path) -> str | None:
    try:
        with open_regular(file) as stream:
            return hashlib.sha256(stream.read(_MAX_BYTES)).hexdigest()
    except OSError:
        return None
