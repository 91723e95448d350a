"""Other programs, run quietly: what they say is told when they fail, and then only its end."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from pathlib import Path

PATIENCE_S = 900
_LINES = 10


class CommandError(Exception):
    """A command failed; the message is the command, how it ended, and the last lines that it said."""


def said(*command: str | Path, environment: Mapping[str, str] | None = None) -> str:
    """What a command printed, errors and warnings among it.

    Raises:
        CommandError: it could not be run, took too long, or its exit code is not 0.
    """
    shown = " ".join(map(str, command))
    try:
        done = subprocess.run(
            [str(part) for part in command],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            text=True,
            errors="replace",
            env=environment,
            timeout=PATIENCE_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise CommandError(f"{shown}: {error}") from error
    if done.returncode:
        end = "".join(f"\n{line}" for line in done.stdout.strip().splitlines()[-_LINES:])
        raise CommandError(f"{shown}: ended with {done.returncode}{end}")
    return done.stdout.strip()
