"""What both command lines share: parameter types, errors, logging and progress. No library code may need it.

    @click.group(cls=Group, context_settings=settings("VISTIO_RECORD"))
    def main() -> None: ...

    @main.command()
    @click.option("--interval", type=DURATION, default="10s")
    @logging_options
    def run(interval: int) -> None: ...

Each option of a `Group` or `Command` is an environment variable too, named in ``--help``
(``VISTIO_RECORD_RUN_INTERVAL``). Exit codes: 0, 1 for a failure, 2 for wrong usage, 130 after Ctrl-C.
"""

from vistio_core.commandline.commands import INTERRUPTED, Command, Group, settings, version
from vistio_core.commandline.logs import FORMATS, LEVELS, configure_logging, logging_options
from vistio_core.commandline.parameters import (
    DURATION,
    INSTANT,
    SIZE,
    DurationType,
    InstantType,
    SizeType,
    web_config_option,
)
from vistio_core.commandline.progress import progress

__all__ = [
    "DURATION",
    "FORMATS",
    "INSTANT",
    "INTERRUPTED",
    "LEVELS",
    "SIZE",
    "Command",
    "DurationType",
    "Group",
    "InstantType",
    "SizeType",
    "configure_logging",
    "logging_options",
    "progress",
    "settings",
    "version",
    "web_config_option",
]
