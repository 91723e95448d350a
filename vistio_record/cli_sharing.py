"""The commands of `vistio-record` that give a part of a recording to somebody else, and take it: export, import.

Parameters are named as in `cli`: instants and durations are milliseconds.
"""

from __future__ import annotations

from pathlib import Path

import click

from vistio_core.commandline import DURATION, INSTANT, Command, configure_logging
from vistio_core.events import GLOBAL_LEVEL
from vistio_core.names import visible
from vistio_core.native_paths import shown
from vistio_core.recording.exporting import Exported
from vistio_core.recording.recording import Recording
from vistio_core.times import SECOND_MS, format_instant
from vistio_record.options import reading_option, recording_option

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
    default="5m",
    help="How much of the time before --start is wanted, too: graphs look back 5m, suspects 1h.",
)
@click.argument("file", type=_FILE)
def export(
    recording: Path,
    start: int,
    end: int,
    cluster: tuple[str, ...],
    node: str | None,
    before: int,
    file: Path,
) -> None:
    """Write a part of a recording into FILE, such as incident.vistio, to attach to a ticket.

    The file is a recording itself: vistio-serve, the library and the other commands open it by
    its name, to read. Its graphs are those of the recording.

    \b
    Examples:
      vistio-record export --recording recording/ --start -1h incident.vistio
      vistio-record export --recording recording/ --start 2026-11-23T05:00:00Z \\
          --end 2026-11-23T06:00:00Z --before 1h --cluster eu-west incident.vistio
    """  # noqa: D301  # the mark is for click: keep these lines
    configure_logging("warning")
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


def _told(done: Exported, start_ms: int) -> list[str]:
    lines = [
        f"{shown(done.file)}: {done.instants:,} instants, {done.annotations:,} annotations,"
        f" {done.size_bytes:,} bytes"
    ]
    if done.before:
        lines.append(f"{done.before:,} more instants lie before {format_instant(start_ms)}: graphs look back")
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
