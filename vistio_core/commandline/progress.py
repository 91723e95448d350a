"""How far long work is: a bar on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@contextmanager
def progress(
    label: str,
    total: int,
    *,
    every_s: float = 5.0,
    monotonic_s: Callable[[], float] = time.monotonic,
) -> Iterator[Callable[[int], None]]:
    """Shows on stderr how far long work is: a bar on a terminal, plain lines elsewhere.

    Args:
        label: what is done, such as ``Sealing``.
        total: number of steps.
        every_s: least seconds between two plain lines; short work gets only its last one.
        monotonic_s: a clock that never goes back, in seconds.

    Yields:
        A function to call with the number of steps done since the last call.
    """
    if sys.stderr.isatty():
        with click.progressbar(length=total, label=label, file=sys.stderr) as bar:
            yield bar.update
        return
    started = told = monotonic_s()
    done = 0

    def advance(steps: int) -> None:
        nonlocal done, told
        done += steps
        if done < total and (now := monotonic_s()) - told >= every_s:
            told = now
            click.echo(f"{label}: {done} of {total} ({100 * done // total} %)", err=True)

    yield advance
    click.echo(f"{label}: {done} of {total}, took {monotonic_s() - started:.1f} s", err=True)
