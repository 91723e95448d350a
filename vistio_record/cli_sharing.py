"""The commands of `vistio-record` that share a part of a recording, and take one: export, import, report.

Parameters are named as in `cli`: instants and durations are milliseconds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from pathlib import Path

import click

from vistio_core.commandline import DURATION, INSTANT, Command, configure_logging
from vistio_core.displays.words import counted
from vistio_core.events import GLOBAL_LEVEL
from vistio_core.names import visible
from vistio_core.native_paths import shown
from vistio_core.recording.edge_files import WRITERS
from vistio_core.recording.edge_rates import InstantRows
from vistio_core.recording.exporting import Exported
from vistio_core.recording.openmetrics import as_openmetrics
from vistio_core.recording.recording import Recording
from vistio_core.report.facts import gather
from vistio_core.report.page import render
from vistio_core.sentences import LANGUAGES, Language
from vistio_core.storage.new_file import new_file
from vistio_core.times import MINUTE_MS, SECOND_MS, format_duration, format_instant
from vistio_record.options import reading_option, recording_option

TABLES: Mapping[str, Callable[[Iterable[InstantRows]], Iterator[bytes]]] = {
    **{
        name: partial(lambda write, instants: write(each.rates for each in instants), write)
        for name, (write, _) in WRITERS.items()
    },
    "openmetrics": as_openmetrics,
}
"""Formats for other tools, and who writes each."""
_BEFORE_MS = 5 * MINUTE_MS
_FILE = click.Path(dir_okay=False, path_type=Path)


@click.command(cls=Command)
@reading_option
@click.option("--start", type=INSTANT, required=True, help="First instant: RFC 3339, epoch, or -1h.")
@click.option("--end", type=INSTANT, default="now", help="Where to end, exclusive.")
@click.option("--cluster", multiple=True, metavar="NAME", help="Only the level of this cluster. Repeatable.")
@click.option("--node", metavar="NAME", help="Only the levels, whole, where this node occurs.")
@click.option(
    "--before",
    type=DURATION,
    default=format_duration(_BEFORE_MS),
    help="How much of the time before --start is wanted, too: graphs look back 5m, suspects 1h.",
)
@click.option(
    "--format",
    type=click.Choice(["vistio", *TABLES]),
    default="vistio",
    help="A recording itself, or the rates of all edges for other tools.",
)
@click.argument("file", type=_FILE)
def export(
    recording: Path,
    start: int,
    end: int,
    cluster: tuple[str, ...],
    node: str | None,
    before: int,
    format: str,
    file: Path,
) -> None:
    """Write a part of a recording into FILE, such as incident.vistio, to attach to a ticket.

    The file is a recording itself: vistio-serve, the library and the other commands open it by
    its name, to read. Its graphs are those of the recording.

    Other formats have the rates of every edge at every instant, for other tools: csv and parquet as
    a table, openmetrics for `promtool tsdb create-blocks-from openmetrics`, with what was measured.
    What was not seen is empty there, null, or no sample; 0 is a fact.

    \b
    Examples:
      vistio-record export --recording recording/ --start -1h incident.vistio
      vistio-record export --recording recording/ --start 2026-11-23T05:00:00Z \\
          --end 2026-11-23T06:00:00Z --before 1h --cluster eu-west incident.vistio
      vistio-record export --recording recording/ --start -1h --format csv edges.csv
    """  # noqa: D301  # the mark is for click: keep these lines
    configure_logging("warning")
    if format != "vistio":
        _export_table(Recording.open(recording), start, end, cluster, node, before, format, file)
        return
    done = Recording.open(recording).export(
        format_instant(start),
        format_instant(end),
        file,
        clusters=cluster,
        node=node,
        before=before / SECOND_MS,
    )
    for line in _told(done, start):
        click.echo(line)


def _export_table(
    recording: Recording,
    start_ms: int,
    end_ms: int,
    clusters: tuple[str, ...],
    node: str | None,
    before_ms: int,
    format: str,
    file: Path,
) -> None:
    if node is not None or len(clusters) > 1 or before_ms != _BEFORE_MS:
        raise click.UsageError(f"--format {format} takes one --cluster at most, no --node and no --before")
    rows = recording.instant_rows(
        format_instant(start_ms), format_instant(end_ms), cluster=next(iter(clusters), None)
    )
    counted = _Counted(rows)
    with new_file(file) as sink:
        for piece in TABLES[format](counted):
            sink.write(piece)
        size_bytes = sink.tell()
    click.echo(f"{shown(file)}: {counted.instants:,} instants, {counted.rows:,} rates, {size_bytes:,} bytes")


class _Counted:
    """The rows of instants, counted while they pass."""

    def __init__(self, instants: Iterable[InstantRows]) -> None:
        self._coming = instants
        self.instants = self.rows = 0

    def __iter__(self) -> Iterator[InstantRows]:
        for each in self._coming:
            self.instants += 1
            self.rows += each.rates.num_rows
            yield each


def _told(done: Exported, start_ms: int) -> list[str]:
    lines = [
        f"{shown(done.file)}: {done.instants:,} instants, {done.annotations:,} annotations,"
        f" {done.size_bytes:,} bytes"
    ]
    if done.before:
        more = "1 more instant lies" if done.before == 1 else f"{done.before:,} more instants lie"
        lines.append(f"{more} before {format_instant(start_ms)}: graphs look back")
    if done.clusters is not None:
        levels = ", ".join(
            visible(each) if each != GLOBAL_LEVEL else "the global one" for each in done.clusters
        )
        lines.append(f"levels: {levels}; of the others the file says that they were not seen")
    return lines


@click.command("import", cls=Command)
@recording_option
@click.argument("file", type=_FILE)
def import_part(recording: Path, file: Path) -> None:
    """Add what is in FILE, which `export` made, to a recording; a new one where there is none.

    What is there already stays as it is, so the command can be repeated. A file that says something
    else of an instant than the recording does is refused, and so is one of another mesh.

    \b
    Example:
      vistio-record import incident.vistio --recording recording/
    """  # noqa: D301  # the mark is for click: keep these lines
    configure_logging("warning")
    added = Recording.open(recording, create=True).add(file)
    click.echo(
        f"{shown(added.file)}: {added.instants:,} instants and {added.annotations:,} annotations added,"
        f" {added.known:,} instants were there already"
    )
    if added.supplements:
        click.echo(f"{added.supplements:,} instants got what was learned later of unanswered rules")


@click.command(cls=Command)
@reading_option
@click.option("--start", type=INSTANT, required=True, help="First instant: RFC 3339, epoch, or -1h.")
@click.option("--end", type=INSTANT, default="now", help="Where to end, exclusive.")
@click.option("-o", "--output", type=_FILE, required=True, metavar="FILE", help="The page to write.")
@click.option(
    "--language",
    type=click.Choice(LANGUAGES),
    default=LANGUAGES[0],
    help="Of the page's sentences; names stay as they are.",
)
def report(recording: Path, start: int, end: int, output: Path, language: Language) -> None:
    """Write what happened into one HTML file, which opens without a server or a network.

    It has the incidents in sentences, suspects with evidence, a timeline, where requests failed, the
    graph to replay, what changed, marks, and what was not seen.

    \b
    Example:
      vistio-record report --recording recording/ --start -1h -o report.html
      vistio-record report --recording recording/ --start -1h -o report.html --language zh
    """  # noqa: D301  # the mark is for click: keep these lines
    configure_logging("warning")
    facts = gather(Recording.open(recording), start, end)
    with new_file(output) as sink:
        for piece in render(facts, language):
            sink.write(piece)
        size_bytes = sink.tell()
    told = counted(len(facts.incidents), "incident"), counted(facts.suspects.table.num_rows, "suspect")
    click.echo(f"{shown(output)}: {', '.join(told)}, {size_bytes:,} bytes")
