"""Is the cause of incidents that others published among the first suspects, and is nobody suspected where nothing was?

    python bench/suspects.py DIRECTORY

DIRECTORY has ``nezha-train-ticket`` and ``petshop``, or one of them, as its README says. What they measured becomes an
exposition, blocks of a real Prometheus, and by ``vistio-record backfill`` with an ordinary configuration a recording
(`incidents.road`); asked is `Recording.suspects` as it is, from the moment on that the data set says, with the hour
before as normal. Other methods are asked beside it, of the same recordings. Then all of it is made harder.

Printed are the shares of incidents whose cause is among the first 1, 3 and 5 (AS@k), the mean over k = 1 to 5, and the
mean reciprocal rank: by data set and kind of fault, and for either half of the incidents, which tells how much chance
there is. Needs ``prometheus`` and ``promtool``; all is in a temporary directory, and all that was started ends.
"""

from __future__ import annotations

import signal
import sys
import tempfile
from functools import partial
from pathlib import Path

import click
from incidents import direct, road, tables
from incidents.asking import Record, places, recorded
from incidents.methods import OURS, PLAIN
from incidents.published import PUBLISHED
from incidents.stories import Harder

from vistio_core.times import MINUTE_MS

HARDER = {
    "a gap of two minutes": Harder(gap_ms=2 * MINUTE_MS),
    "three digits": Harder(significant_digits=3),
    "a tenth of edges unseen": Harder(unseen_share=0.1),
}


@click.command(help=__doc__.partition("\n")[0])
@click.argument("directory", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--quick", is_flag=True, help="Leave out other methods, and what makes it harder.")
@click.option(
    "--directly", is_flag=True, help="Write the log without a Prometheus: quicker, and not a user's road."
)
@click.option("--one-by-one", is_flag=True, help="A line for each incident, too.")
def main(directory: Path, quick: bool, directly: bool, one_by_one: bool) -> None:
    """See above."""
    if road.MISSING and not directly:
        raise click.UsageError(
            f"{' and '.join(road.MISSING)} not on PATH; Debian's package prometheus has both"
        )
    record = direct.record if directly else road.record
    # So that Prometheus and the directory go, too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    with tempfile.TemporaryDirectory(prefix="vistio-suspects-") as name:
        measure(directory, Path(name), record, quick=quick, one_by_one=one_by_one)


def measure(data: Path, into: Path, record: Record, *, quick: bool, one_by_one: bool) -> None:
    """Record, ask, and print."""
    every = list(recorded(data, into / "plain", Harder(), record, partial(progress, "plain")))
    cases = [case for case in every if case.question.cause is not None]
    found = places(cases, OURS)
    tables.head()
    tables.rows(OURS.name, cases, found)
    tables.rows_of_kinds(cases, found)
    tables.rows_of_halves(cases, found)
    for method in () if quick else (*PLAIN, *PUBLISHED):
        if method.missing:
            print(f"| | {method.name} | not installed: {', '.join(method.missing)} |")
        else:
            tables.rows(method.name, cases, places(cases, method))
    if not quick:
        tables.rows("a minute late", cases, places(cases, OURS, MINUTE_MS))
        tables.rows("a minute early", cases, places(cases, OURS, -MINUTE_MS))
        for number, (what, harder) in enumerate(HARDER.items()):
            again = recorded(data, into / f"harder-{number}", harder, record, partial(progress, what))
            other = [case for case in again if case.question.cause is not None]
            tables.rows(what, other, places(other, OURS))
    tables.normal_windows([case for case in every if case.question.cause is None], OURS)
    if one_by_one:
        tables.one_by_one(cases, found, OURS)


def progress(what: str, now: str) -> None:
    """Where it is, apart from what is printed."""
    click.echo(f"{what}: {now}", err=True)


if __name__ == "__main__":
    main()
