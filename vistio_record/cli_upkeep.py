"""The commands of `vistio-record` that look after a recording: info, verify, seal, prune.

Parameters are named as in `cli`: durations and instants are milliseconds.
"""

from __future__ import annotations

import sys
from json import dumps
from pathlib import Path

import attrs
import click
from msgspec import to_builtins

from vistio_core.commandline import DURATION, INSTANT, SIZE, Command, progress
from vistio_core.names import visible
from vistio_core.recording.recording import Recording, RecordingInfo
from vistio_core.storage.marker import Part
from vistio_core.times import format_instant, system_now_ms
from vistio_record.options import json_option, reading_option, recording_option, writer_option


@click.command(cls=Command)
@reading_option
@json_option
def info(recording: Path, json: bool) -> None:
    """Say what a recording holds: its range, writers, files and sizes.

    \b
    Example:
      vistio-record info --recording recording/
    """  # noqa: D301  # the mark is for click: keep these lines
    known = Recording.open(recording).info()
    if json:
        click.echo(dumps(_info_json(known), indent=2))
        return
    range_text = (
        f"{_instant(known.first_ms)} to {_instant(known.last_ms)}" if known.first_ms is not None else "empty"
    )
    rows = (
        ("recording", known.place),
        ("format version", str(known.format_version)),
        ("created", known.created),
        ("instants", range_text),
        ("writers", ", ".join(known.writers) or "none"),
        ("head", f"{known.head_files:,} files, {known.head_bytes:,} bytes"),
        ("log", f"{known.log_files:,} files, {known.log_bytes:,} bytes"),
        ("configurations", f"{known.configurations:,}"),
        ("annotations", f"{known.annotations:,}"),
        ("temporary files", f"{known.temporary_files:,}"),
        *([("part", _part(known.part))] if known.part is not None else []),
    )
    for name, value in rows:
        click.echo(f"{name:<16} {value}")


@click.command(cls=Command)
@reading_option
@json_option
def verify(recording: Path, json: bool) -> None:
    """Read every file of a recording and say which are damaged; exit code 1 when some are.

    \b
    Example:
      vistio-record verify --recording recording/
    """  # noqa: D301  # the mark is for click: keep these lines
    place = Recording.open(recording)
    known = place.info()
    # Besides what is counted: the marker, and two files for each writer's lock.
    length = known.head_files + known.log_files + known.configurations + known.annotations
    length += 1 + 2 * len(known.writers)
    checked = []
    with progress("Verify", length) as advance:
        for file in place.verify():
            checked.append(file)
            advance(1 if len(checked) <= length else 0)
    damaged = [file for file in checked if file.problems]
    if json:
        files = [{"name": file.name, "problems": list(file.problems)} for file in damaged]
        click.echo(dumps({"checked": len(checked), "damaged": files}, indent=2))
    else:
        for file in damaged:
            for problem in file.problems:
                click.echo(f"{file.name}: {problem}")
        click.echo(f"{len(checked):,} files checked, {len(damaged):,} damaged")
    if damaged:
        sys.exit(1)


@click.command(cls=Command)
@recording_option
@writer_option
@click.option("--before", type=INSTANT, default="now", help="Seal the hours that ended until then.")
def seal(recording: Path, writer: str, before: int) -> None:
    """Turn the head's finished hours into sealed partitions. A running recorder does so by itself.

    \b
    Example:
      vistio-record seal --recording recording/
    """  # noqa: D301  # the mark is for click: keep these lines
    # An hour that is not over would be sealed without its rest.
    with Recording.open(recording).writer(writer) as log_writer:
        names = log_writer.seal(min(before, system_now_ms()))
    for name in names:
        click.echo(name)
    click.echo(f"{len(names):,} hours sealed")


@click.command(cls=Command)
@recording_option
@writer_option
@click.option("--retention", type=DURATION, help="Delete what is older than this, such as 7d.")
@click.option("--before", type=INSTANT, help="Delete what lies before this instant.")
@click.option(
    "--retention-size", type=SIZE, help="Delete the oldest until the rest has this size, such as 50GB."
)
def prune(
    recording: Path, writer: str, retention: int | None, before: int | None, retention_size: int | None
) -> None:
    """Delete the oldest files of a recording. A running recorder does so by itself.

    By size, the newest hour stays, however large it is.

    \b
    Examples:
      vistio-record prune --recording recording/ --retention 7d
      vistio-record prune --recording recording/ --before 2026-11-01T00:00:00Z
      vistio-record prune --recording recording/ --retention-size 50GB
    """  # noqa: D301  # the mark is for click: keep these lines
    if retention is not None and before is not None:
        raise click.UsageError("--retention and --before say the same in two ways: give one of them")
    if retention is None and before is None and retention_size is None:
        raise click.UsageError("say how much to delete: --retention, --before or --retention-size")
    if retention_size == 0:
        raise click.BadParameter("must be greater than 0B", param_hint="--retention-size")
    before_ms = before if retention is None else system_now_ms() - retention
    with Recording.open(recording).writer(writer) as log_writer:
        if before_ms is not None:
            gone = log_writer.prune(before_ms)
            told = f"all before {format_instant(before_ms)}"
            click.echo(f"{gone.files:,} files deleted, {gone.bytes:,} bytes, {told}")
        if retention_size is not None:
            gone = log_writer.prune_to_size(retention_size)
            told = f"the oldest, down to {retention_size:,} bytes"
            click.echo(f"{gone.files:,} files deleted, {gone.bytes:,} bytes, {told}")


def _part(part: Part) -> str:
    levels = (
        ""
        if part.clusters is None
        else f", levels {', '.join(visible(each) or '(global)' for each in part.clusters)}"
    )
    return f"{part.start} to {part.end} of another recording, what graphs look back at since {part.since}{levels}"


def _info_json(known: RecordingInfo) -> dict[str, object]:
    values = {**attrs.asdict(known), "part": to_builtins(known.part)}
    for end in ("first", "last"):
        instant_ms = values.pop(f"{end}_ms")
        values[end] = None if instant_ms is None else format_instant(instant_ms)
    return values


def _instant(instant_ms: int | None) -> str:
    return "none" if instant_ms is None else format_instant(instant_ms)
