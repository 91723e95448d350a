"""Types of options: durations, instants and sizes."""

from __future__ import annotations

import re
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

import click

from vistio_core import times
from vistio_core.errors import InvalidTimeError
from vistio_core.native_paths import readable, shown

_SIZE_UNITS = ("", "K", "M", "G", "T", "P")
_SIZE = re.compile(r"(?P<number>[0-9]{1,15}(\.[0-9]{1,15})?) ?((?P<unit>[KMGTP])i?)?B", re.IGNORECASE)

if TYPE_CHECKING:
    from collections.abc import Callable

    _Whole = click.ParamType[int]
    _Text = click.ParamType[str]
else:
    _Whole = _Text = click.ParamType  # generic only in newer versions of click


class DurationType(_Whole):
    """``10s``, ``5m``, ``1h30m``, ``7d``: becomes milliseconds."""

    name = "duration"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> int:
        if isinstance(value, int):
            return value
        try:
            return times.parse_duration(str(value))
        except InvalidTimeError as error:
            self.fail(str(error), param, ctx)


class InstantType(_Whole):
    """RFC 3339, epoch seconds or milliseconds, or relative such as ``-15m``: becomes epoch milliseconds."""

    name = "instant"

    def __init__(self, now_ms: Callable[[], int] = times.system_now_ms) -> None:
        self._now_ms = now_ms

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> int:
        if isinstance(value, int):
            return value
        try:
            return times.parse_instant(str(value), now_ms=self._now_ms())
        except InvalidTimeError as error:
            self.fail(str(error), param, ctx)


class SizeType(_Whole):
    """``50GB``, ``1.5GiB``, ``512MB``: becomes bytes. As in Prometheus, 1KB is 1024B."""

    name = "size"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> int:
        if isinstance(value, int):
            return value
        found = _SIZE.fullmatch(str(value).strip())
        if found is None:
            self.fail(
                f"size {value!r}: use a number and a unit, such as 512MB or 50GB (B, KB, MB, GB, TB, PB;"
                " 1KB is 1024B, as in Prometheus)",
                param,
                ctx,
            )
        return int(Decimal(found["number"]) * 1024 ** _SIZE_UNITS.index((found["unit"] or "").upper()))


class TextType(_Text):
    """Any text. In the locale C Python takes letters beyond ASCII for bytes: these are letters again."""

    name = "text"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> str:
        try:
            return readable(str(value))
        except ValueError:
            self.fail(f"{shown(str(value))!r} is not UTF-8", param, ctx)


DURATION = DurationType()
INSTANT = InstantType()
SIZE = SizeType()
TEXT = TextType()

web_config_option = click.option(
    "--web-config",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE",
    help="TLS, users and tokens of this port: Prometheus' web configuration, and tokens. Read again when it changes.",
)
