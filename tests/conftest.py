"""Fixtures for every test, and in which order tests run. Those that need more than Python say so.

========================  ===========================================================================
``free_port()``           a loopback port that nobody listens on
``recording_dir``         the path of a recording that does not exist yet
``run_process(...)``      starts a console script or program as a real process, ends it after the test
``exporter``              counters and gauges that the test sets, each with a label ``test``
``prometheus``            a real Prometheus that scrapes ``exporter`` each second; tests share it, except those
                          with the mark ``own_prometheus``
``victoria_metrics``      a real VictoriaMetrics, empty; push samples into it
``node_modules``          the web UI's npm packages, where ``VISTIO_TEST_NPM=1`` lets npm fetch them
``certificates``          a CA, what it issued, and TLS for servers of a test
========================  ===========================================================================
"""

from __future__ import annotations

import os
import signal
from collections import Counter
from typing import TYPE_CHECKING

import pytest
from filelock import FileLock
from hypothesis import settings
from support import again, npm, ports
from support import prometheus as real_prometheus
from support import victoria_metrics as real_victoria_metrics
from support.certificates import Certificates
from support.exporter import Exporter, OwnSeries
from support.processes import RunningProcess, RunProcess, console_script
from support.prometheus import Prometheus
from support.victoria_metrics import VictoriaMetrics

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from xdist.remote import Producer
    from xdist.scheduler import LoadScopeScheduling

# How long an example takes says something about the machine only.
settings.register_profile("vistio", deadline=None)
settings.load_profile("vistio")
# A shell that runs us in the background has it ignored, and the programs that we test would inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)

STARTING = frozenset(
    {
        "browser",
        "built",
        "disk",
        "node_modules",
        "prometheus",
        "run_process",
        "shared_prometheus",
        "simulated_hour",
        "simulated_minutes",
        "victoria_metrics",
    }
)
"""Fixtures that start a server, a browser or a program, or mount something: who uses one has to wait."""
WAITING = frozenset({"test_kiosk.py", "test_manners.py", "test_unit_tests.py"})
"""Of `tests/web`, what mostly looks on for a while: a browser of its own beside the others costs less than waiting."""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--quick",
        action="store_true",
        help="leave out tests that start servers, browsers or programs, and those that are marked as slow",
    )


def pytest_configure(config: pytest.Config) -> None:
    again.register(config)


def is_slow(item: pytest.Item) -> bool:
    fixtures = getattr(item, "fixturenames", ())
    return item.get_closest_marker("slow") is not None or not STARTING.isdisjoint(fixtures)


def scope_of(nodeid: str) -> str:
    """What shares things that take long to start, and so stays in one process: a module; most of `tests/web`."""
    module = nodeid.partition("::")[0]
    if not module.startswith("tests/web/"):
        return module
    return "tests/web, waiting" if module.rpartition("/")[2] in WAITING else "tests/web"


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Quick modules first, so that a fault shows within a minute; then those with most slow tests.

    If what is long came last, one worker would still be at it when all others are done.
    """
    slow = [item for item in items if is_slow(item)]
    if config.getoption("quick"):
        config.hook.pytest_deselected(items=slow)
        items[:] = [item for item in items if not is_slow(item)]
        return
    slow_in = Counter(scope_of(item.nodeid) for item in slow)
    items.sort(key=lambda item: (scope_of(item.nodeid) in slow_in, -slow_in[scope_of(item.nodeid)]))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """``-n auto``: one more worker than cores, since half of the time they wait for other processes."""
    return 1 + (os.cpu_count() or 1)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadScopeScheduling | None:
    """``--dist loadscope``, with our own scopes."""
    from xdist.scheduler import LoadScopeScheduling

    class Scheduling(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return scope_of(nodeid)

    return Scheduling(config, log) if config.getoption("dist") == "loadscope" else None


@pytest.fixture
def free_port() -> Callable[[], int]:
    return ports.free_port


@pytest.fixture
def recording_dir(tmp_path: Path) -> Path:
    return tmp_path / "recording"


@pytest.fixture
def run_process() -> Iterator[RunProcess]:
    """``run_process("vistio-record", "info", "--recording", path, VISTIO_X="1")``.

    The first argument is the name of an installed console script, or the path of a program;
    keywords are environment variables. What still runs after the test is killed, by its PID.
    """
    started: list[RunningProcess] = []

    def run(script: str, *arguments: object, **environment: str) -> RunningProcess:
        program = script if "/" in script else console_script(script)
        process = RunningProcess([program, *map(str, arguments)], environment=environment)
        started.append(process)
        return process

    yield run
    for process in started:
        process.kill()


@pytest.fixture(scope="session")
def shared_exporter() -> Iterator[Exporter]:
    with Exporter() as exporter:
        yield exporter


@pytest.fixture
def exporter(shared_exporter: Exporter, request: pytest.FixtureRequest) -> Iterator[OwnSeries]:
    series = OwnSeries(shared_exporter, request.node.nodeid)
    yield series
    series.close()


def running_prometheus(directory: Path, exporter: Exporter) -> Iterator[Prometheus]:
    """A Prometheus with an empty database, which scrapes ``exporter`` each second.

    Its first scrape comes about five seconds after its start (its service discovery takes that
    long); set the exporter's numbers first and use `Prometheus.wait_for`.
    """
    if not real_prometheus.installed():
        pytest.skip(real_prometheus.WITHOUT_BINARY)
    server = Prometheus(directory, exporter.address)
    try:
        server.start()
        yield server
    finally:
        server.close()


@pytest.fixture(scope="session")
def shared_prometheus(
    shared_exporter: Exporter, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Prometheus]:
    yield from running_prometheus(tmp_path_factory.mktemp("prometheus"), shared_exporter)


@pytest.fixture
def prometheus(
    shared_exporter: Exporter, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Prometheus]:
    if request.node.get_closest_marker("own_prometheus") is None:
        shared: Prometheus = request.getfixturevalue("shared_prometheus")
        yield shared
    else:
        yield from running_prometheus(tmp_path_factory.mktemp("prometheus"), shared_exporter)


@pytest.fixture
def victoria_metrics(tmp_path: Path) -> Iterator[VictoriaMetrics]:
    """A running VictoriaMetrics with an empty database, under a path prefix as its cluster version has."""
    if not real_victoria_metrics.installed():
        pytest.skip(real_victoria_metrics.WITHOUT_BINARY)
    server = VictoriaMetrics(tmp_path / "victoria-metrics")
    try:
        server.start()
        yield server
    finally:
        server.close()


@pytest.fixture(scope="session")
def node_modules(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Installed once for all tests, whichever worker of pytest-xdist is the first to ask."""
    command = npm.command()
    if command is None:
        pytest.skip(f"needs npm, and {npm.ALLOWED}=1 to let it fetch packages")
    own = tmp_path_factory.getbasetemp()
    shared = own.parent if "PYTEST_XDIST_WORKER" in os.environ else own
    folder = shared / "npm"
    with FileLock(shared / "npm.lock"):
        if not folder.exists():
            npm.install(command, folder)
    return folder / "node_modules"


@pytest.fixture
def certificates(tmp_path: Path) -> Certificates:
    return Certificates(tmp_path / "certificates")
