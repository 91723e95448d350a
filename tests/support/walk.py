"""Walks through a page of the documentation: its commands in their order, as real processes, in a test's directory.

A recorder and a server go on while what follows is typed; the next one of a kind takes the place of the one before.
What cannot run on a test's machine is in `NOT_HERE`, with the reason and with what holds it instead.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from support.processes import RunningProcess, RunProcess

NOT_HERE: Mapping[str, str] = {
    r"python3 -m venv": "installs from the package index: `nox` does, and tests/test_project.py holds the lines",
    r"\bdocker (build|push|compose)\b": "needs a registry; tests/images/test_image.py builds the image by buildah",
    r"\bkustomize (edit|mesh-only)|kubectl kustomize": "tests/images/test_kubernetes.py renders these",
    r"\bkubectl (-n \w+ )?(apply|create|describe|port-forward)\b": (
        "needs a cluster; tests/images/test_kubernetes.py runs the pods by podman"
    ),
    r"^helm ": "needs a cluster; tests/images/test_helm.py renders the chart and runs its pods",
}
"""A line that matches is not run."""

_BLOCK = re.compile(r"^( *)```sh\n(.*?)^ *```", re.DOTALL | re.MULTILINE)
_TIMEOUT_S = 240


def commands(page: Path) -> Iterator[str]:
    """Every line of a page's shell blocks, in order, without the page's indentation."""
    for indent, block in _BLOCK.findall(page.read_text(encoding="utf-8")):
        for line in block.replace("\\\n", " ").splitlines():
            if line.strip():
                yield line.removeprefix(indent)


def why_not_here(command: str) -> str | None:
    """Why a command cannot run here; None where it can."""
    return next((reason for pattern, reason in NOT_HERE.items() if re.search(pattern, command)), None)


class Walk:
    """Commands typed one after the other."""

    def __init__(
        self, directory: Path, run_process: RunProcess, adapt: Callable[[str], str], **environment: str
    ) -> None:
        """A directory to be in.

        Args:
            directory: where.
            run_process: starts what goes on.
            adapt: puts this machine's ports and paths into a command.
            environment: beside this process' own.
        """
        self._directory = directory
        self._run_process = run_process
        self._adapt = adapt
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        self._environment = {"PATH": path, **environment}
        self.running: dict[str, RunningProcess] = {}

    def type(self, command: str) -> str:
        """What a command prints; of one that goes on, nothing: it is in `running`."""
        command = self._adapt(command)
        words = shlex.split(command, comments=True)
        if words[0] == "export":
            name, _, value = words[1].partition("=")
            self._environment[name] = value
            return ""
        program = " ".join(words[:2]) if words[0] == "vistio-record" else words[0]
        if program in ("vistio-record run", "vistio-serve"):
            self.stop(program)
            # The shell becomes the program, so that it ends with its process.
            script = f"cd {shlex.quote(str(self._directory))} && exec {command}"
            self.running[program] = self._run_process("/bin/sh", "-c", script, **self._environment)
            return ""
        done = subprocess.run(
            ["/bin/sh", "-c", command],
            cwd=self._directory,
            env={**os.environ, **self._environment},
            capture_output=True,
            text=True,
            timeout=_TIMEOUT_S,
            check=False,
        )
        assert done.returncode == 0, f"{command}\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}"
        return done.stdout

    def stop(self, program: str) -> None:
        """As Ctrl-C does, where it runs."""
        process = self.running.pop(program, None)
        if process is not None:
            process.terminate()
