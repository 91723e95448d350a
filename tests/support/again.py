"""What fails beside others runs once more, alone, when all others are done.

Tests start thousands of programs on a few cores, and a machine that stands still for a second is nobody's fault. To run
at once again, beside the same others and with what the module had set up, would hardly be another trial. So the
controller of pytest-xdist keeps failures back, starts pytest anew for them, and takes its reports for theirs: who fails
again fails; others are counted as ``rerun`` and told with what they said, for each is looked at.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

MOST = 30
"""What so many fail of is no chance, and they are told at once."""
_REPORTS = "VISTIO_TEST_REPORTS"


def register(config: pytest.Config) -> None:
    """In the controller the first of these; in the pytest that it starts, the other."""
    if path := os.environ.get(_REPORTS):
        config.pluginmanager.register(_Reporting(config, Path(path)))
    elif config.getoption("dist", "no") != "no" and not config.getoption("maxfail"):
        config.pluginmanager.register(_Again(config))


class _Reporting:
    """Writes each report to a file, a line each."""

    def __init__(self, config: pytest.Config, path: Path) -> None:
        self._config = config
        self._path = path

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        told = self._config.hook.pytest_report_to_serializable(config=self._config, report=report)
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(told, default=str) + "\n")


class _Again:
    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._failed: dict[str, list[pytest.TestReport]] = {}
        self._is_again = False

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed and not self._is_again and len(self._failed) < MOST:
            report.outcome = "rerun"  # type: ignore[assignment]  # as pytest-rerunfailures calls and counts it
            self._failed.setdefault(report.nodeid, []).append(report)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtestloop(self) -> Iterator[None]:
        done = yield
        if self._failed:
            self._is_again = True
            for report in self._run(list(self._failed)):
                self._config.hook.pytest_runtest_logreport(report=report)
        return done  # type: ignore[return-value]  # a wrapper's own protocol

    def _run(self, nodeids: list[str]) -> Iterator[pytest.TestReport]:
        print(f"\n{len(nodeids)} run once more, alone", flush=True)
        with TemporaryDirectory() as scratch:
            path = Path(scratch, "reports")
            command = (sys.executable, sys.argv[0], "-p", "no:xdist", "--durations=0", *nodeids)
            subprocess.run(command, env={**os.environ, _REPORTS: str(path)}, check=False)
            lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
        reports = [
            self._config.hook.pytest_report_from_serializable(config=self._config, data=json.loads(line))
            for line in lines
        ]
        yield from reports
        # It may have been killed, or ended by what one of them did.
        finished = {report.nodeid for report in reports if report.when == "teardown"}
        for nodeid in (each for each in nodeids if each not in finished):
            for report in self._failed[nodeid]:
                report.outcome = "failed"
                yield report

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        for nodeid, reports in self._failed.items():
            terminalreporter.section(f"{nodeid} failed beside others")
            for report in reports:
                terminalreporter.write_line(report.longreprtext)
