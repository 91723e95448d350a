"""The commands of `vistio-record` for marks on the timeline: annotate, annotations.

Parameters are named as in `cli`: instants are milliseconds.
"""

from __future__ import annotations

from json import dumps, loads
from pathlib import Path

import click

from vistio_core.commandline import INSTANT, Command
from vistio_core.errors import InvalidAnnotationError
from vistio_core.names import visible
from vistio_core.recording.recording import Recording
from vistio_core.storage.annotations import Annotation
from vistio_core.times import format_instant
from vistio_record.options import json_option, reading_option, recording_option


@click.command(cls=Command)
@recording_option
@click.option("--at", type=INSTANT, default="now", help="When it happened, or began.")
@click.option("--end", type=INSTANT, help="When it was over, exclusive.")
@click.option(
    "--kind", default="note", metavar="KIND", help="What it is: deployment, incident, ... (a-z, 0-9, -)."
)
@click.option(
    "--cluster", default="", metavar="NAME", help="The cluster that it is about.", show_default=False
)
@click.option("--node", default="", metavar="NAME", help="The node that it is about.", show_default=False)
@click.option("--link", default="", metavar="URL", help="Where more is said.", show_default=False)
@click.option("--tag", multiple=True, metavar="NAME=VALUE", help="Anything else. Repeatable.")
@click.argument("text")
def annotate(
    recording: Path,
    at: int,
    end: int | None,
    kind: str,
    cluster: str,
    node: str,
    link: str,
    tag: tuple[str, ...],
    text: str,
) -> None:
    """Put a mark on the timeline, and print its id.

    The same mark again changes nothing and has the same id, so a job that is repeated may repeat it:
    give it a time of its own with --at, since "now" is another one each time. A running recorder does
    not mind. From another machine: POST /annotations of the recorder's port (docs/operation.md).

    \b
    Examples:
      vistio-record annotate --recording recording/ --kind deployment --node checkout "checkout v2.3"
      vistio-record annotate --recording recording/ --at -20m --end now --kind incident "payment was down"
      vistio-record annotate --recording recording/ --at $CI_PIPELINE_CREATED_AT --tag commit=$CI_COMMIT_SHA deployed
    """  # noqa: D301  # the mark is for click: keep these lines
    try:
        annotation = Annotation(
            at, text, kind, end_ms=end, cluster=cluster, node=node, link=link, tags=_tags(tag)
        )
    except InvalidAnnotationError as error:
        named = [
            problem.replace("start_ms:", "--at:").replace("end_ms:", "--end:") for problem in error.problems
        ]
        raise click.UsageError("\n".join(named)) from error
    click.echo(Recording.open(recording).annotate(annotation))


@click.command("annotations", cls=Command)
@reading_option
@click.option("--start", type=INSTANT, help="Leave out what was over by then.")
@click.option("--end", type=INSTANT, help="Leave out what began then or later.")
@json_option
def list_annotations(recording: Path, start: int | None, end: int | None, json: bool) -> None:
    """List the marks on the timeline, oldest first.

    \b
    Example:
      vistio-record annotations --recording recording/ --start -1d
    """  # noqa: D301  # the mark is for click: keep these lines
    table = Recording.open(recording).annotations(
        None if start is None else format_instant(start), None if end is None else format_instant(end)
    )
    found = []
    for row in table.to_pylist():
        for name in ("start", "end"):
            row[name] = None if row[name] is None else format_instant(round(row[name].timestamp() * 1000))
        found.append({**row, "tags": loads(row["tags"] or "{}")})
    if json:
        click.echo(dumps({"annotations": found}, indent=2, ensure_ascii=False))
        return
    for each in found:
        when = each["start"] if each["end"] is None else f"{each['start']} to {each['end']}"
        about = "/".join(visible(name) for name in (each["cluster"], each["node"]) if name)
        tags = " ".join(f"{name}={value}" for name, value in each["tags"].items())
        lines = each["text"].splitlines()
        parts = (each["id"], when, each["kind"], about, " ".join(lines), tags, each["link"])
        click.echo("  ".join(part for part in parts if part))


def _tags(pairs: tuple[str, ...]) -> dict[str, str]:
    tags: dict[str, str] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not name or not equals:
            raise click.BadParameter(f"{pair!r} is not NAME=VALUE", param_hint="--tag")
        if name in tags:
            raise click.BadParameter(f"{name!r} is given twice", param_hint="--tag")
        tags[name] = value
    return tags
