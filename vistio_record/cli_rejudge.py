"""The command `vistio-record rejudge`: what alerts other thresholds would have raised.

Parameters are named as in `cli`: instants are milliseconds.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from json import dumps
from pathlib import Path
from typing import Any

import click

from vistio_core.commandline import INSTANT, Command
from vistio_core.configuration import load
from vistio_core.diagnosis.asking import MOST_HOURS
from vistio_core.diagnosis.incidents import Incidents
from vistio_core.diagnosis.rejudged import Rejudged
from vistio_core.json_rows import rows_of
from vistio_core.names import visible
from vistio_core.recording.recording import Recording
from vistio_core.times import HOUR_MS, format_instant
from vistio_record.options import json_option, recording_option
from vistio_record.tables import lines, number

_TITLES = ("from", "to", "severity", "who", "title", "worst")
_RECORDED, _REJUDGED = "recorded", "rejudged"


@click.command(cls=Command)
@recording_option
@click.option(
    "--config",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    required=True,
    metavar="FILE",
    help="The configuration whose classes and thresholds judge.",
)
@click.option("--start", type=INSTANT, default="-1d", help="The window's first instant.")
@click.option("--end", type=INSTANT, default="now", help="Where the window ends, exclusive.")
@json_option
def rejudge(recording: Path, config: Path, start: int, end: int, json: bool) -> None:
    """Say which alerts other thresholds would have raised, what they cost, and which incidents they tell of.

    A notice that is raised is one alert until its rule was answered without it for five minutes. Rules are the same if
    their cluster and name are. Incidents are looked for in windows of up to 47 hours.

    \b
    Example:
      vistio-record rejudge --recording recording/ --config stricter.yaml --start -1d
    """  # noqa: D301  # the mark is for click: keep these lines
    opened, window = Recording.open(recording), (format_instant(start), format_instant(end))
    judged = {
        _RECORDED: opened.rejudge(None, *window),
        _REJUDGED: opened.rejudge(load(config), *window),
    }
    short = end - start <= (MOST_HOURS - 1) * HOUR_MS
    incidents = opened.incidents(*window) if short else None
    if json:
        click.echo(dumps(_document(judged, incidents), indent=2, ensure_ascii=False))
        return
    for line in _told(judged, incidents):
        click.echo(line)


def _document(judged: Mapping[str, Rejudged], incidents: Incidents | None) -> dict[str, Any]:
    told: dict[str, Any] = {name: found.document() for name, found in judged.items()}
    if incidents is not None:
        told["incidents"] = [
            {"start": each["start"], "end": each["end"], "summary": each["summary"]}
            for each in rows_of(incidents.table)
        ]
        for name, found in judged.items():
            for row, caught in zip(told["incidents"], rows_of(found.caught(incidents)), strict=True):
                row[f"{name}_alert"] = caught["first_alert"]
    return told


def _told(judged: Mapping[str, Rejudged], incidents: Incidents | None) -> Iterator[str]:
    for name, found in judged.items():
        week = "nothing was seen" if found.alerts_a_week is None else f"{number(found.alerts_a_week)} a week"
        caught = ""
        if incidents is not None:
            alerts = found.caught(incidents)["alerts"].to_pylist()
            caught = f"; they tell of {sum(count > 0 for count in alerts)} of {len(alerts)} incidents"
        count = {0: "no alerts", 1: "1 alert"}.get(len(found), f"{len(found):,} alerts")
        yield f"{name}: {count}, {week}{caught}"
    found = judged[_REJUDGED]
    if len(found):
        yield ""
        yield from lines(_TITLES, [_cells(row) for row in rows_of(found.table)], texts=len(_TITLES) - 1)
    for gap in rows_of(found.unseen):
        yield f"not seen: {gap['start']} to {gap['end']}: {gap['reason']}"


def _cells(row: Mapping[str, Any]) -> list[str]:
    who = " > ".join(visible(row[end]) for end in ("node", "target") if row[end] is not None)
    where = f" ({visible(row['cluster'])})" if row["cluster"] else ""
    return [
        row["start"],
        row["end"] or "still",
        row["severity"],
        who + where,
        visible(row["title"]),
        number(row["worst"]),
    ]
