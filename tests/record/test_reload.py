"""Reloading: with real files and a recorder of its own, then with real processes and real signals."""

from __future__ import annotations

import logging
import os
import signal
import threading
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest
import requests
from support.misbehaving import configuration_text, serving, vector
from support.processes import RunningProcess, RunProcess, wait_until

from vistio_core import Recording
from vistio_core.configuration import loads
from vistio_core.events import Outcome as RuleResult
from vistio_core.events import RuleOutcome, Sample
from vistio_record.metrics import Metrics
from vistio_record.options import Rules, build_source
from vistio_record.recorder import Recorder
from vistio_record.reload import Recipe, Reloader, ReloadOutcome, Watch
from vistio_record.schedule import Scheduled
from vistio_record.sources.base import Evaluation, Source
from vistio_record.stop import StopRequest

NOON = 1_763_899_200_000
URL = "http://127.0.0.1:9090"
ONE, TWO = configuration_text(URL, "one"), configuration_text(URL, "two", "three")
WRONG = TWO.replace("label: target", "lable: target").replace("query: three", "query: ''")


class Bench:
    """A configuration's file, a reloader for it, and the sources that it made."""

    def __init__(self, file: Path) -> None:
        self.file = file
        file.write_text(ONE)
        self.metrics = Metrics(lambda: NOON)
        self.replaced: list[Source] = []
        recipe = Recipe.now(partial(build_source, "prometheus", Rules(file), ()), (file,))
        self.reloader = Reloader(recipe, self.replaced.append, self.metrics)

    @property
    def rules(self) -> list[list[str]]:
        """The rules of each source that was handed over."""
        return [[rule.id for _, rule in source.configuration.rules()] for source in self.replaced]

    @property
    def told_good(self) -> float | None:
        return self.metrics.registry.get_sample_value("vistio_record_config_last_reload_successful")


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    bench = Bench(tmp_path / "vistio.yaml")
    yield bench
    for source in bench.replaced:
        source.close()


def test_a_good_file_is_made_into_a_source_and_handed_over(bench: Bench) -> None:
    assert bench.told_good == 1
    bench.file.write_text(TWO)
    result = bench.reloader.reload("test")
    assert result.outcome is ReloadOutcome.RELOADED
    assert "rules 2" in result.message
    assert bench.rules == [["two", "three"]]
    assert bench.told_good == 1


def test_a_file_as_it_was_is_told_as_such_and_changes_nothing(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    bench.file.write_text(ONE)
    result = bench.reloader.reload("test")
    assert result.outcome is ReloadOutcome.UNCHANGED
    assert str(bench.file) in result.message
    assert bench.replaced == []
    assert caplog.messages == ["configuration.unchanged"]


def test_a_wrong_file_is_refused_with_every_problem_its_line_and_its_remedy(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    bench.file.write_text(WRONG)
    result = bench.reloader.reload("test")
    assert result.outcome is ReloadOutcome.REFUSED
    assert bench.replaced == []
    assert bench.told_good == 0
    told = [(record.message, record.line, record.path) for record in caplog.records]
    assert told == [
        ("configuration.refused", line, path)
        for line, path in (
            (9, "clusterLevel[0].serviceConnections[0].target"),
            (12, "clusterLevel[0].serviceConnections[1].query"),
            (15, "clusterLevel[0].serviceConnections[1].target"),
        )
    ]
    assert all(
        f":{record.line}: {record.path}: {record.problem}" in result.message for record in caplog.records
    )
    assert "goes on with the configuration it has" in result.message


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "is empty"),
        ("graphName: nothing to ask\n", "no rules"),
        ("globalLevel: [", "vistio.yaml:1: not YAML"),
        (ONE.replace(URL, "ftp://x"), "prometheusURL"),
    ],
)
def test_whatever_is_wrong_with_a_file_is_a_refusal(bench: Bench, text: str, says: str) -> None:
    bench.file.write_text(text)
    result = bench.reloader.reload("test")
    assert (result.outcome, says in result.message) == (ReloadOutcome.REFUSED, True), result.message
    assert bench.replaced == []


def test_a_file_that_is_gone_is_refused_and_taken_again_when_it_is_back(bench: Bench) -> None:
    bench.file.unlink()
    assert bench.reloader.reload("test").outcome is ReloadOutcome.REFUSED
    assert bench.told_good == 0
    bench.file.write_text(ONE)
    assert bench.reloader.reload("test").outcome is ReloadOutcome.UNCHANGED
    assert bench.told_good == 1


def test_a_refused_file_that_is_put_right_is_taken(bench: Bench) -> None:
    bench.file.write_text(WRONG)
    bench.reloader.reload("test")
    bench.file.write_text(TWO)
    assert bench.reloader.reload("test").outcome is ReloadOutcome.RELOADED
    assert bench.told_good == 1


def test_a_source_that_goes_wrong_while_it_is_made_is_a_refusal(bench: Bench) -> None:
    def crash() -> Source:
        raise ZeroDivisionError("secret detail")

    reloader = Reloader(Recipe(crash, (bench.file,), ("other",)), bench.replaced.append, bench.metrics)
    result = reloader.reload("test")
    assert result.outcome is ReloadOutcome.REFUSED
    assert "ZeroDivisionError" in result.message
    assert "secret" not in result.message


def test_a_source_without_a_file_has_nothing_to_reload(bench: Bench) -> None:
    recipe = Recipe.now(partial(build_source, "simulator", None, ()), ())
    result = Reloader(recipe, bench.replaced.append, bench.metrics).reload("test")
    assert (result.outcome, "no configuration file" in result.message) == (ReloadOutcome.UNCHANGED, True)


def test_a_change_is_taken_when_two_looks_see_the_same(bench: Bench) -> None:
    bench.reloader.look()
    bench.file.write_text(TWO[:50])  # an editor, half-way through its work
    bench.reloader.look()
    bench.file.write_text(TWO)
    bench.reloader.look()
    assert bench.replaced == []
    assert bench.told_good == 1
    bench.reloader.look()
    assert bench.rules == [["two", "three"]]
    bench.reloader.look()
    assert len(bench.replaced) == 1


def test_a_wrong_file_is_told_once_and_not_at_every_look(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    bench.file.write_text(WRONG)
    for _ in range(5):
        bench.reloader.look()
    assert caplog.messages.count("configuration.refused") == 3  # its three problems


def test_a_file_that_vanishes_for_a_moment_is_no_event(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    bench.file.unlink()
    for _ in range(14):
        bench.reloader.look()
    bench.file.write_text(ONE)
    for _ in range(14):
        bench.reloader.look()
    assert caplog.messages == []
    assert bench.told_good == 1


def test_a_file_that_stays_away_is_warned_of_once(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    bench.file.unlink()
    for _ in range(40):
        bench.reloader.look()
    assert caplog.messages == ["configuration.gone"]
    assert bench.told_good == 1


def test_a_change_between_the_start_and_the_first_look_is_seen(tmp_path: Path) -> None:
    bench = Bench(tmp_path / "vistio.yaml")
    bench.file.write_text(TWO)
    bench.reloader.look()
    bench.reloader.look()
    assert bench.rules == [["two", "three"]]
    bench.replaced[0].close()


def test_a_pipe_is_read_once_and_never_waited_for(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    bench = Bench(tmp_path / "vistio.yaml")
    recipe = Recipe.now(partial(build_source, "prometheus", Rules(pipe), ()), (pipe, bench.file))
    reloader = Reloader(recipe, bench.replaced.append, bench.metrics)
    for _ in range(20):
        reloader.look()
    assert bench.told_good == 1


def test_a_hangup_reloads_at_once_and_closing_ends_the_thread(bench: Bench) -> None:
    hangup = threading.Event()
    watch = Watch(bench.reloader, hangup, every_s=60)
    bench.file.write_text(TWO)
    hangup.set()
    wait_until(lambda: bool(bench.replaced), what="the reload")
    watch.close(timeout_s=20)
    assert "reload" not in [thread.name for thread in threading.enumerate()]


class Scripted:
    """A source with one rule, which notes what happens to it."""

    answers_past = True

    def __init__(self, rule: str, events: list[str]) -> None:
        self.configuration = loads(configuration_text(URL, rule))
        self._rule = rule
        self._events = events
        self.during: Callable[[], None] = lambda: None

    def evaluate(self, instant_ms: int, timeout_s: float) -> Evaluation:
        self._events.append(f"{self._rule} begins")
        self.during()
        self._events.append(f"{self._rule} ends")
        outcome = RuleOutcome("mesh", self._rule, RuleResult.OK)
        return Evaluation((outcome,), (Sample("mesh", self._rule, "a", "b", "200", 1.0),))

    def close(self) -> None:
        self._events.append(f"{self._rule} closed")


def test_the_recorder_changes_over_between_two_scrapes(recording_dir: Path) -> None:
    events: list[str] = []
    one, two, three = (Scripted(name, events) for name in ("one", "two", "three"))
    recording, stop = Recording.open(recording_dir, create=True), StopRequest()
    with recording.writer() as writer:
        recorder = Recorder(one, writer, 10_000, 8.0, Metrics(lambda: NOON))
        recorder.start()

        def replace_twice() -> None:
            recorder.replace(two)
            recorder.replace(three)

        one.during = replace_twice
        skipped = (NOON + 10_000,)  # due while the first was running: it was the first one's
        recorder.run([Scheduled(NOON), Scheduled(NOON + 20_000, skipped)], stop)
        recorder.close()
    stop.close()
    assert events == [
        *("one begins", "two closed", "one ends"),
        *("one closed", "three begins", "three ends", "three closed"),
    ]
    rows = recording.sql("select rule, configuration from scrapes order by instant").fetchall()
    assert rows == [(source._rule, source.configuration.hash) for source in (one, one, three)]
    assert recording.configuration(NOON + 20_000) == three.configuration
    assert all(not checked.problems for checked in recording.verify())


def test_who_waits_to_take_over_is_closed_with_the_recorder(recording_dir: Path) -> None:
    events: list[str] = []
    with Recording.open(recording_dir, create=True).writer() as writer:
        recorder = Recorder(Scripted("one", events), writer, 10_000, 8.0, Metrics(lambda: NOON))
        recorder.start()
        recorder.replace(Scripted("two", events))
        recorder.close()
    assert events == ["one closed", "two closed"]


# From here on: the real program.


@pytest.fixture
def server() -> Iterator[str]:
    """The URL of what looks like a Prometheus with one edge for every query."""
    body = vector(({"source": "a", "target": "b", "code": "200"}, "1.5"))
    with serving(lambda request: request.answer(body)) as url:
        yield url


@pytest.fixture
def start(run_process: RunProcess, recording_dir: Path) -> Callable[..., tuple[RunningProcess, str]]:
    """Starts a recorder on a file; gives it and the URL of its port."""

    def start(file: Path, *more: str) -> tuple[RunningProcess, str]:
        process = run_process(
            *("vistio-record", "run", "--config", file, "--recording", recording_dir),
            *("--interval", "200ms", "--timeout", "200ms", "--delay", "0s", "--port", "0", *more),
        )
        process.wait_for_line(r"scrape\.committed")
        return process, process.wait_for_line(r"metrics=(http\S+)/metrics")[1]

    return start


def recorded_rules(recording_dir: Path) -> list[str]:
    query = "select rule from scrapes group by rule order by min(instant)"
    return [rule for (rule,) in Recording.open(recording_dir).sql(query).fetchall()]


def replace_in_place(file: Path, text: str) -> None:
    file.write_text(text)


def replace_by_rename(file: Path, text: str) -> None:
    new = file.with_suffix(".new")
    new.write_text(text)
    new.replace(file)


def replace_by_way_of_nothing(file: Path, text: str) -> None:
    file.rename(file.with_suffix(".old"))
    file.write_text(text)


def replace_as_kubernetes_does(file: Path, text: str) -> None:
    """vistio.yaml -> ..data/vistio.yaml, and ..data -> a directory; only ..data is swapped."""
    volume = file.parent
    directory = volume / f"..2026_11_23_{len(list(volume.iterdir()))}"
    directory.mkdir()
    (directory / file.name).write_text(text)
    (volume / "..data_tmp").symlink_to(directory.name)
    (volume / "..data_tmp").replace(volume / "..data")
    if not file.is_symlink():
        file.symlink_to(f"..data/{file.name}")


@pytest.mark.parametrize(
    "replace",
    [replace_in_place, replace_by_rename, replace_by_way_of_nothing, replace_as_kubernetes_does],
)
def test_a_file_is_reloaded_however_it_is_replaced(
    tmp_path: Path,
    server: str,
    recording_dir: Path,
    start: Callable[..., tuple[RunningProcess, str]],
    replace: Callable[[Path, str], None],
) -> None:
    file = tmp_path / "volume" / "vistio.yaml"
    file.parent.mkdir()
    if replace is replace_as_kubernetes_does:
        replace(file, configuration_text(server, "one"))
    else:
        file.write_text(configuration_text(server, "one"))
    process, _ = start(file)
    replace(file, configuration_text(server, "two"))
    process.wait_for_line(r"configuration\.reloaded.*by='a change of the file'")
    wait_until(lambda: recorded_rules(recording_dir) == ["one", "two"], what="a scrape with the new rule")
    process.terminate()
    assert all(not checked.problems for checked in Recording.open(recording_dir).verify())


def test_a_hangup_reloads_and_a_wrong_file_leaves_the_old_one_running(
    tmp_path: Path, server: str, recording_dir: Path, start: Callable[..., tuple[RunningProcess, str]]
) -> None:
    file = tmp_path / "vistio.yaml"
    file.write_text(configuration_text(server, "one"))
    process, url = start(file, "--log-format", "text")
    assert requests.post(f"{url}/-/reload", timeout=10).text.startswith("unchanged: ")

    file.write_text(WRONG)
    os.kill(process.pid, signal.SIGHUP)
    process.wait_for_line(r"configuration\.refused.*by=SIGHUP.*line=9")
    response = requests.post(f"{url}/-/reload", timeout=10)
    assert response.status_code == 500
    assert response.text.count(f"{file}:") == 3
    metrics = requests.get(f"{url}/metrics", timeout=10).text
    assert "vistio_record_config_last_reload_successful 0.0" in metrics
    committed = process.log.count("scrape.committed")
    wait_until(lambda: process.log.count("scrape.committed") > committed + 1, what="recording to go on")
    assert recorded_rules(recording_dir) == ["one"]

    file.write_text(configuration_text(server, "two", "three"))
    response = requests.post(f"{url}/-/reload", timeout=10)
    assert (response.status_code, "rules 2" in response.text) == (200, True)
    wait_until(lambda: "three" in recorded_rules(recording_dir), what="a scrape with the new rules")
    metrics = requests.get(f"{url}/metrics", timeout=10).text
    assert "vistio_record_config_last_reload_successful 1.0" in metrics
    newest = Recording.open(recording_dir).configuration().hash
    assert f'vistio_record_config_info{{hash="{newest}"}} 1.0' in metrics
    assert "Traceback" not in process.terminate()


def test_a_hangup_while_a_scrape_hangs_neither_waits_for_it_nor_ends_the_process(
    tmp_path: Path, run_process: RunProcess, recording_dir: Path
) -> None:
    arrived = threading.Event()

    def hang(request: object) -> None:
        arrived.set()
        request.hang()  # type: ignore[attr-defined]

    with serving(hang) as url:
        file = tmp_path / "vistio.yaml"
        file.write_text(configuration_text(url, "one"))
        process = run_process(
            *("vistio-record", "run", "--config", file, "--recording", recording_dir),
            *("--interval", "60s", "--timeout", "60s", "--delay", "0s", "--port", "0"),
        )
        assert arrived.wait(30)
        file.write_text(configuration_text(url, "two"))
        os.kill(process.pid, signal.SIGHUP)
        process.wait_for_line(r"configuration\.reloaded.*by=SIGHUP", timeout_s=10)
        process.terminate(timeout_s=10)
