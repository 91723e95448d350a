"""The commands of `vistio-record` for what one asks around an incident: top, diff, timeline, blast-radius, path, seen.

Parameters are named as in `cli`: instants and durations are milliseconds.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from json import dumps
from pathlib import Path
from typing import Any, get_args

import click

from vistio_core.commandline import DURATION, INSTANT, Command
from vistio_core.diagnosis.top import By, top_document
from vistio_core.json_rows import rows_of
from vistio_core.names import visible
from vistio_core.recording.recording import Recording
from vistio_core.replay.lifetimes import ONLY, Only
from vistio_core.times import format_duration, format_instant
from vistio_record.options import json_option, reading_option
from vistio_record.tables import NONE, NOT_SEEN, lines, name_of, number, share

_start = click.option("--start", type=INSTANT, default="-1h", help="The window's first instant.")
_end = click.option("--end", type=INSTANT, default="now", help="Where the window ends, exclusive.")
_limit = click.option(
    "--limit", type=click.IntRange(min=1), default=20, metavar="N", help="How many nodes, and how many edges."
)


@click.command(cls=Command)
@reading_option
@_start
@_end
@click.option("--by", type=click.Choice(get_args(By)), default="traffic", help="Who has most of what.")
@click.option(
    "--before", metavar="WINDOW", help="By change: since which window; default: the one right before."
)
@_limit
@json_option
def top(recording: Path, start: int, end: int, by: By, before: str | None, limit: int, json: bool) -> None:
    """Say which nodes and edges have most traffic, errors, latency or change; means of a window.

    \b
    Examples:
      vistio-record top --recording recording/ --by errors
      vistio-record top --recording recording/ --start -30m --by change --before -2h/-1h
      vistio-record top --recording recording/ --by latency --json | jq '.edges[0]'
    """  # noqa: D301  # the mark is for click: keep these lines
    window = format_instant(start), format_instant(end)
    found = Recording.open(recording).top(*window, by, before=before)
    told = top_document(found, limit)
    if json:
        _print_json({"start": window[0], "end": window[1], "by": by, **told})
        return
    click.echo(f"{window[0]} to {window[1]} (UTC), most {by} first")
    if by == "latency" and not found["latency_ms"].drop_null().length():
        click.echo("no latency was measured in this window: see measurements in docs/configuration.md")
    extra = {"latency": ["latency"], "change": ["before, requests/s", "change, requests/s"]}.get(by, [])
    for kind, titles in (("nodes", ["node", "cluster"]), ("edges", ["edge", "cluster"])):
        click.echo()
        titles += ["requests/s", "failing/s", "failing", *extra]
        _print_rows(titles, [_top_cells(row, by) for row in told[kind]], told[kind], f"no {kind}", texts=2)


def _top_cells(row: Mapping[str, Any], by: By) -> list[str]:
    cells = [_who(row), name_of(row["cluster"]), number(row["rps"]), number(row["danger"])]
    cells.append(share(row["error_share"]))
    if by == "latency":
        took = row["latency_ms"]
        cells.append(NONE if took is None else f"{number(took)} ms")
    if by == "change":
        cells += [number(row["before_rps"]), number(row["change_rps"])]
    return cells


@click.command(cls=Command)
@reading_option
@click.option("--before", default="-2h/-1h", metavar="MOMENT", help="An instant, or a window: START/END.")
@click.option("--after", default="-1h/now", metavar="MOMENT", help="An instant, or a window: START/END.")
@_limit
@json_option
def diff(recording: Path, before: str, after: str, limit: int, json: bool) -> None:
    """Say what changed on every edge and node between two moments, the largest change first.

    An instant is compared by its graph, a window by its means. New and gone is only what both moments had the
    answers for; what one of them had not is unseen, and comes last.

    \b
    Examples:
      vistio-record diff --recording recording/ --before -2h/-1h --after -1h/now
      vistio-record diff --recording recording/ --before 2026-11-23T05:00:00Z --after 2026-11-23T05:10:00Z
    """  # noqa: D301  # the mark is for click: keep these lines
    found = Recording.open(recording).compare(before, after)
    told = found.document(limit)
    if json:
        _print_json(told)
        return
    for side in ("before", "after"):
        moment = told[side]
        span = moment["start"] + (f" to {moment['end']}" if moment["end"] != moment["start"] else "")
        click.echo(f"{side:<6} {span} (UTC), instants seen: {moment['instants']:,}")
    for kind, titles in (("edges", ["edge", "cluster", "what"]), ("nodes", ["node", "cluster", "what"])):
        click.echo()
        titles += ["change, requests/s", "before", "after", "failing before", "failing after"]
        rows = [dict(row, unseen=sorted({*row["before_unseen"], *row["after_unseen"]})) for row in told[kind]]
        _print_rows(titles, [_diff_cells(row) for row in rows], rows, f"no {kind} changed", texts=3)


def _diff_cells(row: Mapping[str, Any]) -> list[str]:
    absent = {"new": "before", "gone": "after"}.get(row["change"])
    totals, shares = [], []
    for side in ("before", "after"):
        rates = row[side] or {}
        total = sum(rates.values()) if rates else None
        totals.append(number(total, absent=NONE) if side == absent else number(total))
        shares.append(share(rates["danger"] / total if total else None))
    who = [_who(row), name_of(row["cluster"]), row["change"]]
    return [*who, number(row["change_rps"]), *totals, *shares]


@click.command(cls=Command)
@reading_option
@_start
@_end
@click.option("--step", type=DURATION, default="1m", help="The length of a step.")
@click.option("--cluster", metavar="NAME", help="Only this cluster; empty for the global level.")
@click.option("--node", metavar="NAME", help="Only edges from or to this node, and its notices.")
@click.option("--source", metavar="NAME", help="Only edges from this node.")
@click.option("--target", metavar="NAME", help="Only edges to this node.")
@json_option
def timeline(
    recording: Path,
    start: int,
    end: int,
    step: int,
    cluster: str | None,
    node: str | None,
    source: str | None,
    target: str | None,
    json: bool,
) -> None:
    """Say how traffic went over a window, step by step; a step of which not all was seen says what was not.

    \b
    Examples:
      vistio-record timeline --recording recording/ --node cart
      vistio-record timeline --recording recording/ --start -6h --step 10m --source cart --target db
    """  # noqa: D301  # the mark is for click: keep these lines
    subject = {"cluster": cluster, "source": source, "target": target, "node": node}
    window = format_instant(start), format_instant(end)
    opened = Recording.open(recording)
    steps = rows_of(opened.timeline(window[0], window[1], f"{step}ms", **subject))
    gaps = rows_of(opened.gaps(window[0], window[1], **subject, partly=True))
    if json:
        _print_json({"start": window[0], "end": window[1], "step_ms": step, "steps": steps, "gaps": gaps})
        return
    of_all = all(each is None for each in subject.values())
    counted = "; of all levels: a request counts at each of its hops" if of_all else ""
    click.echo(f"{window[0]} to {window[1]}, steps of {format_duration(step)}{counted}")
    titles = ["start (UTC)", "requests/s", "failing/s", "failing", "edges", "notices"]
    _print_rows(titles, [_step_cells(row) for row in steps], steps, "no steps", texts=1)
    _print_gaps(gaps)


def _step_cells(row: Mapping[str, Any]) -> list[str]:
    rates = [row[name] for name in ("normal", "warning", "danger")]
    total = None if None in rates else sum(rates)
    notices = [row[f"notices_{severity}"] for severity in ("info", "warning", "error")]
    raised = None if None in notices else sum(notices)
    failing = share(rates[2] / total if total else None)
    return [row["start"], number(total), number(rates[2]), failing, number(row["edges"]), number(raised)]


@click.command("blast-radius", cls=Command)
@click.argument("node")
@reading_option
@click.option("--at", type=INSTANT, show_default="the newest", help="The instant.")
@click.option("--cluster", metavar="NAME", help="Only in this cluster; empty for the global level.")
@json_option
def blast_radius(recording: Path, node: str, at: int | None, cluster: str | None, json: bool) -> None:
    """Say who calls NODE and whom it calls, directly or by way of others, with traffic and what fails of it.

    \b
    Examples:
      vistio-record blast-radius cart --recording recording/
      vistio-record blast-radius db --recording recording/ --at 2026-11-23T05:10:00Z
    """  # noqa: D301  # the mark is for click: keep these lines
    instant = None if at is None else format_instant(at)
    found = Recording.open(recording).blast_radius(node, instant, cluster=cluster)
    told = found.document()
    if json:
        _print_json(told)
        return
    click.echo(f"{visible(node)} at {told['instant']} (UTC)")
    for kind, title in (("callers", "caller"), ("dependencies", "dependency")):
        click.echo()
        rows = [dict(row, unseen=()) for row in told[kind]]
        cells = [_reached_cells(row) for row in rows]
        titles = [title, "cluster", "via", "calls away", "requests/s", "failing"]
        _print_rows(titles, cells, rows, f"no {kind}", texts=3)
    if found.unseen:
        click.echo(f"not answered, there may be more: {', '.join(map(visible, found.unseen))}")


@click.command(cls=Command)
@reading_option
@click.option("--start", type=INSTANT, default="-1h", help="When trouble was noticed, about.")
@_end
@click.option(
    "--baseline", metavar="WINDOW", help="What is normal: START/END; default: the hour before --start."
)
@json_option
def path(recording: Path, start: int, end: int, baseline: str | None, json: bool) -> None:
    """Say how errors and latency moved through the graph: who left normal first, and who followed whom.

    \b
    Examples:
      vistio-record path --recording recording/ --start -20m
      vistio-record path --recording recording/ --start -20m --baseline -3h/-2h
    """  # noqa: D301  # the mark is for click: keep these lines
    window = format_instant(start), format_instant(end)
    told = Recording.open(recording).path(*window, baseline=baseline).document()
    if json:
        _print_json(told)
        return
    click.echo(told["summary"])
    if told["path"]:
        click.echo()
        rows = [dict(row, unseen=()) for row in told["path"]]
        titles = ["node", "cluster", "follows", "since (UTC)", "measure", "later", "before", "now"]
        _print_rows(titles, map(_path_cells, rows), rows, "", texts=5)
    _print_gaps(told["unseen"])


def _path_cells(row: Mapping[str, Any]) -> list[str]:
    follows = NONE if row["follows"] is None else visible(row["follows"])
    later = NONE if row["later_ms"] is None else format_duration(row["later_ms"])
    text = share if row["measure"] == "error_share" else lambda ms: f"{number(ms)} ms"
    who = [visible(row["node"]), name_of(row["cluster"]), follows]
    return [*who, row["onset"], row["measure"], later, text(row["before"]), text(row["now"])]


@click.command(cls=Command)
@reading_option
@click.option("--start", type=INSTANT, default="-30d", help="The window's first instant.")
@_end
@click.option("--only", type=click.Choice(ONLY), help="Only what came, or what went.")
@click.option(
    "--quiet", type=DURATION, metavar="DURATION", help="Only what was not there for so long, and watched."
)
@_limit
@json_option
def seen(
    recording: Path, start: int, end: int, only: Only | None, quiet: int | None, limit: int, json: bool
) -> None:
    """Say when each node and edge was first and last there, and which are new or have vanished.

    New and vanished is only what would have been seen before, or after: all rules that could tell were answered.

    \b
    Examples:
      vistio-record seen --recording recording/ --start -30d --only new --quiet 1d
      vistio-record seen --recording recording/ --only vanished --json
    """  # noqa: D301  # the mark is for click: keep these lines
    if quiet is not None and only is None:
        raise click.UsageError("--quiet is for what is new or vanished: add --only new or --only vanished")
    found = Recording.open(recording).seen(format_instant(start), format_instant(end))
    told = found.document(found.only(only, f"{quiet or 0}ms") if only else found.table, limit)
    if json:
        _print_json(told)
        return
    counts = f"{told['all_nodes']:,} nodes, {told['all_edges']:,} edges"
    click.echo(f"{told['start']} to {told['end']} (UTC), {only or 'all'}: {counts}")
    times = ("first_seen", "last_seen", "absent_before", "absent_after")
    for kind, title in (("nodes", "node"), ("edges", "edge")):
        click.echo()
        rows = [dict(row, unseen=()) for row in told[kind]]
        cells = [
            [_who(row), name_of(row["cluster"]), *(row[name] or NOT_SEEN for name in times)] for row in rows
        ]
        titles = [title, "cluster", "first seen", "last seen", "not there before", "not there after"]
        _print_rows(titles, cells, rows, f"nothing: no {kind}", texts=6)
    _print_gaps(told["unseen"])


def _reached_cells(row: Mapping[str, Any]) -> list[str]:
    who = [visible(row["node"]), name_of(row["cluster"]), visible(row["via"])]
    return [*who, str(row["distance"]), number(row["rps"]), share(row["error_share"])]


def _who(row: Mapping[str, Any]) -> str:
    ends = [row[name] for name in ("node", "source", "target") if row.get(name) is not None]
    return " > ".join(map(visible, ends))


def _print_rows(
    titles: Sequence[str],
    cells: Iterable[Sequence[str]],
    rows: Sequence[Mapping[str, Any]],
    nothing: str,
    *,
    texts: int,
) -> None:
    """A table; beside each row what was not answered, where there is anything."""
    if not rows:
        click.echo(nothing)
        return
    head, *body = lines(titles, cells, texts=texts)
    click.echo(head)
    for line, row in zip(body, rows, strict=True):
        told = ", ".join(map(visible, row["unseen"]))
        click.echo(f"{line}   not answered: {told}" if told else line)


def _print_gaps(gaps: Iterable[Mapping[str, Any]]) -> None:
    for gap in gaps:
        click.echo(f"not seen: {gap['start']} to {gap['end']}: {gap['reason']}")


def _print_json(document: Mapping[str, Any]) -> None:
    click.echo(dumps(document, indent=2, ensure_ascii=False))


COMMANDS = (top, diff, timeline, blast_radius, path, seen)
