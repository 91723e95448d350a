"""examples/deploy/kubernetes: rendered from its base, valid, as Vistio's users know it, and run for real."""

from __future__ import annotations

import subprocess
import sysconfig
from pathlib import Path

import pytest
from support.containers import Image
from support.exporter import OwnSeries
from support.kubernetes import Manifest, named, parse
from support.prometheus import Prometheus
from support.vistio_pods import check_life, running

from vistio_core.configuration import load

ROOT = Path(__file__).parents[2]
PLACE = ROOT / "examples" / "deploy" / "kubernetes"
VARIANTS = ("mesh-only", "with-ingress")
ONLY_HERE = "only `nox -s images` installs it"


def manifests(variant: str) -> list[Manifest]:
    return parse((PLACE / f"vistio-{variant}.yaml").read_text())


@pytest.mark.parametrize("variant", VARIANTS)
def test_the_files_are_what_kustomize_renders(variant: str) -> None:
    kubectl = Path(sysconfig.get_path("scripts")) / "kubectl"
    if not kubectl.exists():
        pytest.skip(f"kubectl: {ONLY_HERE}")
    command = [kubectl, "kustomize", PLACE / variant]
    rendered = subprocess.run(command, capture_output=True, text=True, check=True)
    assert rendered.stderr == "", "kustomize warns of nothing"
    assert rendered.stdout == (PLACE / f"vistio-{variant}.yaml").read_text(), (
        f"render it again: kubectl kustomize examples/deploy/kubernetes/{variant}"
    )


@pytest.mark.parametrize("variant", VARIANTS)
def test_kubernetes_accepts_every_manifest_strictly(variant: str) -> None:
    validator = pytest.importorskip("kubernetes_validate", reason=ONLY_HERE)
    for each in manifests(variant):
        for version in ("1.25", validator.latest_version()):
            validator.validate(each, version, strict=True)


@pytest.mark.parametrize("variant", VARIANTS)
def test_each_line_of_vistios_article_finds_what_it_names(variant: str) -> None:
    found = manifests(variant)
    for kind, name, port in (("StatefulSet", "vistio-api", 9091), ("Deployment", "vistio-web", 8080)):
        controller = named(found, kind, name)
        template = controller["spec"]["template"]
        assert template["metadata"]["labels"]["app"] == name, "kubectl get pod -l app=..."
        assert controller["spec"]["selector"]["matchLabels"].items() <= template["metadata"]["labels"].items()
        (container,) = (each for each in template["spec"]["containers"] if each["name"] == name)
        ports = {each["name"]: each["containerPort"] for each in container["ports"]}
        assert ports["http"] == port, "kubectl port-forward"
        service = named(found, "Service", name)
        assert service["spec"]["selector"].items() <= template["metadata"]["labels"].items()
        assert [(each["port"], each["targetPort"]) for each in service["spec"]["ports"]] == [(port, "http")]
    (claim,) = named(found, "StatefulSet", "vistio-api")["spec"]["volumeClaimTemplates"]
    assert claim["spec"]["resources"]["requests"]["storage"] == "5Gi"
    assert claim["spec"]["storageClassName"] == "standard"


@pytest.mark.parametrize("variant", VARIANTS)
def test_pods_keep_to_the_restricted_standard_and_to_their_resources(variant: str) -> None:
    for each in manifests(variant):
        if each["kind"] not in ("StatefulSet", "Deployment"):
            continue
        spec = each["spec"]["template"]["spec"]
        assert spec["securityContext"]["runAsNonRoot"] is True
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert spec["automountServiceAccountToken"] is False
        for container in spec["containers"]:
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }
            assert container["resources"]["requests"].keys() == {"cpu", "memory"}
            assert "memory" in container["resources"]["limits"]
            assert {"startupProbe", "livenessProbe"} <= container.keys()
            paths = {mount["mountPath"] for mount in container["volumeMounts"]}
            assert "/tmp" in paths, "nothing else can be written to"


@pytest.mark.parametrize("variant", VARIANTS)
def test_the_rules_are_a_configuration_without_a_complaint(variant: str) -> None:
    configuration = load(
        PLACE / variant / "vistio.yaml", prometheus_url="http://prometheus.istio-system:9090"
    )
    assert configuration.warnings == ()
    assert {rule.prometheus_url for _, rule in configuration.rules()} == {
        "http://prometheus.istio-system:9090"
    }


def test_the_pods_show_traffic_reload_and_heal(
    image: Image, prometheus: Prometheus, exporter: OwnSeries, tmp_path: Path
) -> None:
    """The other variant runs as the chart renders it: `test_helm`, which proves that they say the same."""
    text = (PLACE / "vistio-with-ingress.yaml").read_text()
    with running(text, image, prometheus, exporter, tmp_path) as cluster:
        check_life(cluster, entry="INTERNET", entry_rps=10)
