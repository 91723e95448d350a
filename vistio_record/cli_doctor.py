"""The command of `vistio-record` that looks for what would bite: doctor. Durations are milliseconds."""

from __future__ import annotations

import sys
from json import dumps
from pathlib import Path

import attrs
import click

from vistio_core.commandline import DURATION, Command, configure_logging
from vistio_core.times import SECOND_MS
from vistio_record.doctor import GOOD, WRONG, Observation, look_at_machine, look_at_place, look_at_server
from vistio_record.options import Rules, configuration_options, json_option, make_source, recording_option
from vistio_record.sources.prometheus import PrometheusSource


@click.command(cls=Command)
@configuration_options
@recording_option
@click.option("--timeout", type=DURATION, default="8s", help="How long each server is waited for.")
@json_option
def doctor(
    config: Path | None,
    preset: str | None,
    set: tuple[str, ...],
    prometheus: str | None,
    http_config: Path | None,
    recording: Path,
    timeout: int,
    json: bool,
) -> None:
    """Look for what would bite: versions, limits, the disk, and with rules their servers and clocks.

    Exit code 1 when something is wrong. Nothing is changed, and nothing is recorded.

    \b
    Examples:
      vistio-record doctor --recording recording/
      vistio-record doctor --recording recording/ --preset istio --prometheus http://prometheus:9090
    """  # noqa: D301  # the mark is for click: keep these lines
    configure_logging("warning")
    rules = Rules(config, preset, prometheus, http_config, set)
    found = [*look_at_machine(), *look_at_place(recording)]
    if rules.read() is not None:
        source = make_source("prometheus", rules, ())
        assert isinstance(source, PrometheusSource)
        try:
            for server in source.servers:
                found += look_at_server(server, timeout / SECOND_MS)
        finally:
            source.close()
    if json:
        click.echo(dumps([attrs.asdict(finding) for finding in found], indent=2))
    else:
        for finding in found:
            click.echo(_line(finding))
    if any(finding.level == WRONG for finding in found):
        sys.exit(1)


def _line(finding: Observation) -> str:
    said = f"{finding.level:<8} {finding.about:<11} {finding.told}"
    return said if finding.level == GOOD else f"{said}\n{'':<21}{finding.remedy}"
