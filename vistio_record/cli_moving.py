"""The commands of `vistio-record` that bring over what Vistio and promviz left.

Parameters are named as in `cli`.
"""

from __future__ import annotations

import sys
from contextlib import ExitStack
from pathlib import Path

import click

from vistio_core.commandline import Command, configure_logging, progress
from vistio_core.recording.recording import Recording
from vistio_core.times import format_instant, system_now_ms
from vistio_record.drawings.chunks import chunk_files, counted
from vistio_record.drawings.importing import Brought, Looked, fill, look, recorded
from vistio_record.gate import Stopped
from vistio_record.options import recording_option, writer_option
from vistio_record.stop import StopRequest


@click.command("import-vistio", cls=Command)
@recording_option
@writer_option
@click.argument("directory", type=click.Path(exists=True, file_okay=False, path_type=Path), metavar="DIR")
def import_vistio(recording: Path, writer: str, directory: Path) -> None:
    """Add what Vistio or promviz stored in DIR (its --storage.path) to a recording, so that history is not lost.

    DIR is only read. What was drawn is kept as it was drawn: rates by class, notices, colours. Where the
    recording has what was seen itself, that stays. The command can be interrupted, repeated, and run
    while Vistio still draws; use the recorder's --writer, and stop the recorder meanwhile.

    \b
    Example:
      vistio-record import-vistio /vistio --recording recording/
    """  # noqa: D301  # the mark is for click: keep these lines
    configure_logging("warning")
    chunks, others = chunk_files(directory)
    with ExitStack() as stack:
        stop = StopRequest()
        stack.callback(stop.close)
        stop.on_signals()

        def pause() -> None:
            if stop.requested:
                raise Stopped

        place = Recording.open(recording, create=True)
        log_writer = stack.enter_context(place.writer(writer))
        done = Brought()
        looked: Looked | None = None
        try:
            with progress("Reading", len(chunks)) as advance:
                looked = look(chunks, advance, pause)
            known = recorded(place, looked, writer)
            with progress("Importing", len(chunks)) as advance:
                for _ in fill(looked, known, log_writer, pause, done):
                    advance(1)
            log_writer.seal(system_now_ms())
        except Stopped:
            click.echo("Stopped; run the same command again to go on.", err=True)
        stopped = stop.requested
    if others:
        click.echo(f"{others:,} other files and directories in {directory} are no chunks; they stay there")
    if looked is not None:
        for line in _told(looked, done):
            click.echo(line)
    if stopped or looked is None or not looked.instants_ms:
        sys.exit(1)


def _told(looked: Looked, done: Brought) -> list[str]:
    lines = [f"Left out {line}" for line in counted(looked.refused + done.refused)]
    lines += [
        f"Left out {number:,} times, of what was written: {reason}"
        for reason, number in done.left_out.most_common()
    ]
    if looked.double:
        lines.append(f"{looked.double:,} drawings have the instant of another one; the first counts")
    if done.seen:
        lines.append(f"{done.seen:,} drawings are of a time that the recording has seen itself; that stays")
    if not looked.instants_ms:
        return [*lines, f"No drawing in {len(looked.chunks):,} chunks could be read"]
    span = " to ".join(format_instant(looked.instants_ms[place]) for place in (0, -1))
    return [
        *lines,
        f"{done.written:,} drawings imported, {done.there:,} were there; {span}",
    ]
