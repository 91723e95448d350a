"""``vistio-record``: what a user types. Parses, calls, prints; the work is in the other modules.

The names of a command's parameters are also the names of its environment variables
(``VISTIO_RECORD_RUN_INTERVAL``), so durations and instants carry no unit here: they are milliseconds.
"""

from __future__ import annotations

import sys
import threading
from contextlib import ExitStack
from functools import partial
from json import dumps
from pathlib import Path

import click

from vistio_core.commandline import (
    DURATION,
    INSTANT,
    SIZE,
    Group,
    configure_logging,
    logging_options,
    progress,
    settings,
    web_config_option,
)
from vistio_core.recording.recording import Recording
from vistio_core.storage.writer import Writer
from vistio_core.times import SECOND_MS, format_instant, system_now_ms
from vistio_record import (
    cli_annotations,
    cli_doctor,
    cli_explained,
    cli_moving,
    cli_presets,
    cli_questions,
    cli_rejudge,
    cli_sharing,
    cli_upkeep,
)
from vistio_record.backfill import Plan, Summary, fill, plan
from vistio_record.check_text import as_json, as_lines
from vistio_record.checking import check as check_rules
from vistio_record.gate import Stopped
from vistio_record.metrics import Metrics
from vistio_record.options import (
    Rules,
    asking_options,
    build_source,
    configuration_options,
    digits_option,
    json_option,
    make_source,
    recording_option,
    timeout_within,
    writer_option,
)
from vistio_record.recorder import Recorder
from vistio_record.reload import Recipe
from vistio_record.running import RunOptions
from vistio_record.running import run as run_recorder
from vistio_record.sources.base import Source
from vistio_record.sources.prometheus import PrometheusSource
from vistio_record.stop import StopRequest


@click.group(cls=Group, context_settings=settings("VISTIO_RECORD"))
def main() -> None:
    """Record the traffic of a service mesh, instant by instant.

    \b
    Record a mesh that a preset knows (see `vistio-record presets`):
      vistio-record run --preset istio --prometheus http://prometheus:9090 --recording recording/
      vistio-record run --preset istio --set window=2m --prometheus http://prometheus:9090 --recording recording/

    \b
    Try a configuration, then record with it:
      vistio-record check --config vistio.yaml
      vistio-record run --config vistio.yaml --recording recording/

    \b
    Without a mesh:
      vistio-record run --source simulator --recording recording/

    \b
    Look at what is recorded, or serve it:
      vistio-record info --recording recording/
      vistio-serve --recording recording/
    """  # noqa: D301  # click's own mark: keep these lines


@main.command()
@asking_options
@recording_option
@writer_option
@click.option(
    "--delay",
    type=DURATION,
    default="2s",
    help="How long after an instant its scrape runs, so that Prometheus has what it scraped before it.",
)
@click.option(
    "--retention",
    type=DURATION,
    default="7d",
    help="Age from which files are deleted; 0s keeps everything.",
)
@click.option(
    "--retention-size",
    type=SIZE,
    default="0B",
    help="Size from which the oldest files are deleted, such as 50GB; 0B is without limit.",
)
@click.option(
    "--heal",
    type=DURATION,
    default="24h",
    help="How far back instants that were missed are asked for, in the background; 0s never does.",
)
@digits_option
@click.option("--host", default="127.0.0.1", help="Address for /metrics, health, reload and annotations.")
@click.option(
    "--port", type=click.IntRange(0, 65535), default=9092, help="Port for them; 0 takes a free one."
)
@click.option(
    "--token-file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Who shows the token in it may POST /annotations; without it nobody may, unless --web-config says so.",
)
@web_config_option
@logging_options
def run(
    source: str,
    config: Path | None,
    preset: str | None,
    set: tuple[str, ...],
    prometheus: str | None,
    http_config: Path | None,
    source_option: tuple[str, ...],
    interval: int,
    timeout: int | None,
    recording: Path,
    writer: str,
    delay: int,
    retention: int,
    retention_size: int,
    heal: int,
    significant_digits: int | None,
    host: str,
    port: int,
    token_file: Path | None,
    web_config: Path | None,
) -> None:
    """Record until SIGTERM or SIGINT; a second signal ends at once.

    The configuration is read again when its file changes, on SIGHUP and on POST /-/reload. A file
    that is wrong changes nothing: its problems are logged, and the recorder goes on.

    \b
    Examples:
      vistio-record run --config vistio.yaml --recording recording/
      vistio-record run --config vistio.yaml --recording recording/ --interval 5s
      vistio-record run --source simulator --recording recording/ --port 0
    """  # noqa: D301  # as above
    timeout = timeout_within(interval, timeout)
    options = RunOptions(
        recording=recording,
        writer=writer,
        interval_ms=interval,
        timeout_ms=timeout,
        delay_ms=delay,
        retention_ms=retention,
        retention_bytes=retention_size,
        heal_ms=heal,
        significant_digits=significant_digits,
        host=host,
        port=port,
        token_file=token_file,
        web_config=web_config,
    )
    with ExitStack() as stack:
        stop, hangup = StopRequest(), threading.Event()
        stack.callback(stop.close)
        stop.on_signals(hangup)
        rules = Rules(config, preset, prometheus, http_config, set)
        recipe = Recipe.now(partial(build_source, source, rules, source_option), rules.files)
        run_recorder(options, make_source(source, rules, source_option), recipe, stop, hangup)


@main.command()
@configuration_options
@click.option("--at", type=INSTANT, default="now", help="The instant to evaluate at.")
@click.option("--timeout", type=DURATION, default="8s", help="How long all rules together may take.")
@json_option
def check(
    config: Path | None,
    preset: str | None,
    set: tuple[str, ...],
    prometheus: str | None,
    http_config: Path | None,
    at: int,
    timeout: int,
    json: bool,
) -> None:
    """Evaluate every rule once and explain what a graph would show, or why it would be empty.

    Exit code 0: a graph would show and every rule was answered. 1: it would be empty, or a rule
    is in error.

    \b
    Examples:
      vistio-record check --config vistio.yaml
      vistio-record check --preset istio --prometheus http://prometheus.istio-system:9090
      vistio-record check --config vistio.yaml --at 2026-11-23T05:10:00Z
      vistio-record check --config vistio.yaml --prometheus https://prometheus.example --http-config http.yaml
    """  # noqa: D301  # as above
    if timeout <= 0:
        raise click.BadParameter("must be greater than 0s", param_hint="--timeout")
    configure_logging("warning")
    rules = Rules(config, preset, prometheus, http_config, set)
    source = make_source("prometheus", rules, ())
    assert isinstance(source, PrometheusSource)
    try:
        for problem in source.configuration.warnings:
            click.echo(f"Warning: {problem.describe(str(config or preset))}", err=True)
        report = check_rules(source, at, timeout / SECOND_MS, rules.chosen)
    finally:
        source.close()
    if json:
        servers = [{"url": server.shown, "asked_with": server.manner} for server in source.servers]
        click.echo(dumps({"at": format_instant(at), "servers": servers, **as_json(report)}, indent=2))
    else:
        click.echo(f"At {format_instant(at)}")
        for server in source.servers:
            click.echo(f"Asked {server.shown}: {', '.join(server.manner)}")
        for line in as_lines(report):
            click.echo(line)
    if not report.good:
        sys.exit(1)


@main.command()
@asking_options
@recording_option
@writer_option
@click.option("--start", type=INSTANT, required=True, help="First instant: RFC 3339, epoch, or -1h.")
@click.option("--end", type=INSTANT, default="now", help="Where to end, exclusive.")
@digits_option
def backfill(
    source: str,
    config: Path | None,
    preset: str | None,
    set: tuple[str, ...],
    prometheus: str | None,
    http_config: Path | None,
    source_option: tuple[str, ...],
    interval: int,
    timeout: int | None,
    recording: Path,
    writer: str,
    start: int,
    end: int,
    significant_digits: int | None,
) -> None:
    """Record the past: instants that are not in the recording, and rules that were not answered then.

    What is there stays as it is, so the command can be interrupted and repeated. It says at the
    end what cannot be had, because Prometheus has no data of that time, and what could not be asked.
    When no server can be asked at all it ends, and nothing is recorded of that.

    \b
    Examples:
      vistio-record backfill --config vistio.yaml --recording recording/ --start -1h
      vistio-record backfill --source simulator --recording demo/ --start -2h --end -1h
    """  # noqa: D301  # as above
    timeout = timeout_within(interval, timeout)
    configure_logging("warning")
    with ExitStack() as stack:
        asked = make_source(source, Rules(config, preset, prometheus, http_config, set), source_option)
        stack.callback(asked.close)
        place = Recording.open(recording, create=True)
        log_writer = stack.enter_context(place.writer(writer, significant_digits=significant_digits))
        todo = plan(
            place,
            asked,
            writer=writer,
            start_ms=start,
            end_ms=end,
            interval_ms=interval,
            now_ms=system_now_ms(),
        )
        recorder = Recorder(asked, log_writer, interval, timeout / SECOND_MS, Metrics(system_now_ms))
        recorder.start()
        stop = StopRequest()
        stack.callback(stop.close)
        stop.on_signals()
        summary = Summary()
        stopped = not _fill(asked, log_writer, todo, timeout / SECOND_MS, stop, summary)
    for line in (*summary.lines(), *summary.done(todo)):
        click.echo(line)
    if stopped:
        click.echo("Stopped; run the same command again to go on.", err=True)
    nothing = todo.instants and not summary.written and not summary.supplemented
    if stopped or summary.unreached or nothing:
        sys.exit(1)


def _fill(
    source: Source, writer: Writer, todo: Plan, timeout_s: float, stop: StopRequest, summary: Summary
) -> bool:
    """Do what is to be done, and add it up in ``summary``; whether all of it was done."""

    def pause() -> None:
        if stop.requested:
            raise Stopped

    with progress("Backfill", todo.instants) as advance:
        try:
            for piece, learnt in fill(source, writer, todo.pieces, timeout_s, pause=pause):
                summary.add(piece, learnt)
                advance(1)
        except Stopped:
            return False
    return True


main.add_command(cli_doctor.doctor)
main.add_command(cli_upkeep.info)
main.add_command(cli_upkeep.verify)
main.add_command(cli_upkeep.seal)
main.add_command(cli_upkeep.prune)
main.add_command(cli_annotations.annotate)
main.add_command(cli_annotations.list_annotations)
main.add_command(cli_explained.incidents)
main.add_command(cli_explained.suspects)
main.add_command(cli_rejudge.rejudge)
for command in cli_questions.COMMANDS:
    main.add_command(command)
main.add_command(cli_sharing.export)
main.add_command(cli_sharing.import_part)
main.add_command(cli_moving.import_vistio)
main.add_command(cli_sharing.report)
main.add_command(cli_presets.presets)
