"""The commands of `vistio-record` that say what happened: incidents, suspects.

Parameters are named as in `cli`: instants are milliseconds.
"""

from __future__ import annotations

from json import dumps
from pathlib import Path

import click
import pyarrow as pa

from vistio_core.commandline import INSTANT, Command
from vistio_core.names import visible
from vistio_core.recording.recording import Recording
from vistio_core.times import format_instant
from vistio_record.options import json_option, reading_option
from vistio_record.tables import number

_NO_NORMAL = "nothing can be said: what is normal is told by the hour before, of which nothing was recorded"
_start = click.option("--start", type=INSTANT, default="-1h", help="When trouble was noticed, about.")
_end = click.option("--end", type=INSTANT, default="now", help="Where the window ends, exclusive.")


@click.command(cls=Command)
@reading_option
@_start
@_end
@json_option
def incidents(recording: Path, start: int, end: int, json: bool) -> None:
    """Say when something left its normal, first what, then whom; nothing where nothing did.

    \b
    Example:
      vistio-record incidents --recording recording/ --start -6h
    """  # noqa: D301  # the mark is for click: keep these lines
    found = Recording.open(recording).incidents(format_instant(start), format_instant(end))
    rows = [each.document() for each in found]
    if json:
        click.echo(dumps({"incidents": rows, "unseen": _unseen(found.unseen)}, indent=2, ensure_ascii=False))
        return
    for each in found:
        until = "still" if each.end_ms is None else f"to {format_instant(each.end_ms)}"
        click.echo(f"{format_instant(each.start_ms)} {until}: {each.summary}")
    _tell_rest(_seen("nothing left its normal", found.unseen), len(found), found.unseen)


@click.command(cls=Command)
@reading_option
@_start
@_end
@click.option("--about", metavar="NODE", help="Only this node, and those that it calls.")
@json_option
def suspects(recording: Path, start: int, end: int, about: str | None, json: bool) -> None:
    """Say who is likely the cause of what happened, with evidence; nothing where nothing stands out.

    Normal is the hour before --start. How the ranking is made: docs/diagnosis.md.

    \b
    Example:
      vistio-record suspects --recording recording/ --start -20m
    """  # noqa: D301  # the mark is for click: keep these lines
    opened = Recording.open(recording)
    found = opened.suspects(format_instant(start), format_instant(end), about=about)
    rows = found.table.to_pylist()
    for row in rows:
        row["onset"] = format_instant(round(row["onset"].timestamp() * 1000))
    if json:
        click.echo(dumps({"suspects": rows, "unseen": _unseen(found.unseen)}, indent=2, ensure_ascii=False))
        return
    for row in rows:
        who = " > ".join(visible(row[end]) for end in ("node", "target") if row[end] is not None)
        where = f" ({visible(row['cluster'])})" if row["cluster"] else ""
        click.echo(f"{row['rank']:>3}  {who}{where}, {number(row['score'])} requests a second harmed")
        click.echo(f"     {row['evidence']}")
    span = opened.span()
    unknown = span is not None and span[0] >= found.baseline_ms[1]
    nothing = _NO_NORMAL if unknown else _seen("nothing stands out", found.unseen)
    _tell_rest(nothing, len(rows), found.unseen)


def _seen(nothing: str, unseen: pa.Table) -> str:
    return f"{nothing}, as far as it was seen" if unseen.num_rows else nothing


def _tell_rest(nothing: str, found: int, unseen: pa.Table) -> None:
    if not found:
        click.echo(nothing)
    for gap in _unseen(unseen):
        click.echo(f"not seen: {gap['start']} to {gap['end']}: {gap['reason']}")


def _unseen(gaps: pa.Table) -> list[dict[str, str]]:
    return [
        {
            "start": format_instant(round(row["start"].timestamp() * 1000)),
            "end": format_instant(round(row["end"].timestamp() * 1000)),
            "reason": row["reason"],
        }
        for row in gaps.to_pylist()
    ]
