"""What a cluster makes of manifests, done by podman: the pods of a StatefulSet and of a Deployment, with their volumes.

A cluster's controllers turn a StatefulSet's template into a pod and a claim for each of its volumes; podman knows
pods, claims and Deployments. The network is the machine's, so ports and the names of Services are replaced.
"""

from __future__ import annotations

import copy
import os
import signal
from base64 import b64decode
from pathlib import Path
from typing import TYPE_CHECKING, Any

import requests
import yaml

from support.processes import wait_until

if TYPE_CHECKING:
    from collections.abc import Mapping

    from support.containers import Containers

Manifest = dict[str, Any]


def parse(text: str) -> list[Manifest]:
    return [document for document in yaml.safe_load_all(text) if document]


def named(manifests: list[Manifest], kind: str, name: str) -> Manifest:
    (found,) = (each for each in manifests if (each["kind"], each["metadata"]["name"]) == (kind, name))
    return found


def as_podman_plays(manifests: list[Manifest]) -> list[Manifest]:
    """ConfigMaps, claims, and pods: what the controllers of a cluster make of the rest.

    A Secret is played as a ConfigMap: podman 4.3 mounts its base64 as it is.
    """
    played = [each for each in manifests if each["kind"] == "ConfigMap"]
    for each in manifests:
        if each["kind"] == "Secret":
            data = {name: b64decode(text).decode() for name, text in each["data"].items()}
            played.append({**each, "kind": "ConfigMap", "data": data})
        elif each["kind"] == "StatefulSet":
            played += _of_stateful_set(each)
        elif each["kind"] == "Deployment":
            played.append(_pod(each, f"{each['metadata']['name']}-0"))
    return played


def _of_stateful_set(stateful: Manifest) -> list[Manifest]:
    pod = _pod(stateful, f"{stateful['metadata']['name']}-0")
    claims = []
    for template in stateful["spec"].get("volumeClaimTemplates", ()):
        name = template["metadata"]["name"]
        claim = f"{name}-{pod['metadata']['name']}"
        claims.append(
            {
                "apiVersion": "v1",
                "kind": "PersistentVolumeClaim",
                "metadata": {**template["metadata"], "name": claim},
                "spec": template["spec"],
            }
        )
        pod["spec"]["volumes"].append({"name": name, "persistentVolumeClaim": {"claimName": claim}})
    return [*claims, pod]


def _pod(controller: Manifest, name: str) -> Manifest:
    template = copy.deepcopy(controller["spec"]["template"])
    for container in template["spec"]["containers"]:
        container.pop("ports", None)  # podman would map them; the machine's own network has nothing to map
    for volume in template["spec"].get("volumes", ()):
        if secret := volume.pop("secret", None):
            volume["configMap"] = {"name": secret.pop("secretName"), **secret}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {**template["metadata"], "name": name},
        "spec": {**template["spec"], "restartPolicy": "Always", "hostNetwork": True},
    }


class Played:
    """Manifests that run; `close` takes away all that they made."""

    def __init__(self, containers: Containers, manifests: list[Manifest], directory: Path) -> None:
        self._containers = containers
        self._file = directory / "play.yaml"
        self._file.write_text(yaml.safe_dump_all(manifests))
        containers.podman("kube", "play", self._file)

    def logs(self, pod: str, container: str) -> str:
        return self._containers.podman("logs", f"{pod}-{container}", check=False)

    def kill(self, pod: str, container: str) -> None:
        """As when the kernel runs out of memory: the container's first process is gone, and with it all others."""
        pid = int(self._containers.podman("inspect", "--format", "{{.State.Pid}}", f"{pod}-{container}"))
        os.kill(pid, signal.SIGKILL)
        # What dies may still answer; whoever waits for an answer next waits for the new process.
        wait_until(lambda: not Path(f"/proc/{pid}").exists(), what=f"{container}'s process to be gone")

    def run(self, pod: str, container: str, *command: object) -> str:
        """``kubectl exec POD -c CONTAINER -- COMMAND``."""
        return self._containers.podman("exec", f"{pod}-{container}", *command)

    def change(self, source: str, files: Mapping[str, str]) -> None:
        """As kubelet updates a mounted ConfigMap or Secret: another directory, and one rename of a link."""
        mounted = Path(
            self._containers.podman("volume", "inspect", "--format", "{{.Mountpoint}}", source).strip()
        )
        fresh = mounted / "..2026_another"
        fresh.mkdir()
        for name, text in files.items():
            (fresh / name).write_text(text)
            (mounted / "..data_tmp").symlink_to(fresh.name)
            (mounted / "..data_tmp").rename(mounted / "..data")
            (mounted / f"{name}.tmp").symlink_to(f"..data/{name}")
            (mounted / f"{name}.tmp").rename(mounted / name)

    def started(self, pod: str, container: str) -> str:
        """Since when a container runs: another moment once it was restarted."""
        return self._containers.podman("inspect", "--format", "{{.State.StartedAt}}", f"{pod}-{container}")

    def wait_for(
        self, url: str, *, of: tuple[str, str], status: int = 200, session: requests.Session | None = None
    ) -> requests.Response:
        """The first answer of ``url`` with this status, from the container ``of`` (pod, container)."""
        get = requests.get if session is None else session.get
        answers: list[requests.Response] = []
        told = ""

        def answered() -> bool:
            nonlocal told
            try:
                answers.append(get(url, timeout=5))
            except requests.RequestException as error:  # not there yet, or too busy: asked again
                told = str(error)
                return False
            told = answers[-1].text[:300]
            return answers[-1].status_code == status

        try:
            wait_until(answered, what=f"{url} to answer {status}")
        except AssertionError as error:
            raise AssertionError(f"{error}; last: {told}\n{self.logs(*of)[-4000:]}") from None
        return answers[-1]

    def close(self) -> None:
        self._containers.podman("kube", "down", self._file, check=False)
        self._containers.podman("volume", "rm", "--all", "--force", check=False)
