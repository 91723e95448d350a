"""examples/deploy/kubernetes: rendered from its base, valid, as Vistio's users know it, and run for real."""

from __future__ import annotations

import ssl
import subprocess
import sysconfig
from base64 import b64encode
from pathlib import Path
from urllib.request import urlopen

import pytest
import requests
from support.certificates import Certificates
from support.containers import Image
from support.exporter import OwnSeries
from support.kubernetes import Manifest, named, parse
from support.processes import wait_until
from support.prometheus import Prometheus
from support.vistio_pods import TOTAL_RPS, Cluster, check_life, check_traffic, running, session
from support.web_config import bearer

from vistio_core.configuration import load

ROOT = Path(__file__).parents[2]
PLACE = ROOT / "examples" / "deploy" / "kubernetes"
VARIANTS = ("mesh-only", "with-ingress")
RENDERED = (*VARIANTS, "with-web-config", "with-tls")
ONLY_HERE = "only `nox -s images` installs it"


def manifests(variant: str) -> list[Manifest]:
    return parse((PLACE / f"vistio-{variant}.yaml").read_text())


@pytest.mark.parametrize("variant", RENDERED)
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


@pytest.mark.parametrize("variant", RENDERED)
def test_kubernetes_accepts_every_manifest_strictly(variant: str) -> None:
    validator = pytest.importorskip("kubernetes_validate", reason=ONLY_HERE)
    for each in manifests(variant):
        for version in ("1.25", validator.latest_version()):
            validator.validate(each, version, strict=True)


@pytest.mark.parametrize("variant", RENDERED)
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


@pytest.mark.parametrize("variant", RENDERED)
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


def test_a_web_configuration_reaches_both_ports_and_lets_the_server_write_marks() -> None:
    spec = named(manifests("with-web-config"), "StatefulSet", "vistio-api")["spec"]["template"]["spec"]
    named_by = {"vistio-api": "VISTIO_SERVE_WEB_CONFIG", "vistio-record": "VISTIO_RECORD_RUN_WEB_CONFIG"}
    for container in spec["containers"]:
        environment = {each["name"]: each["value"] for each in container["env"]}
        assert environment[named_by[container["name"]]] == "/etc/vistio-web/web.yaml"
        mounts = {each["name"]: each for each in container["volumeMounts"]}
        assert mounts["web-config"] == {
            "name": "web-config",
            "mountPath": "/etc/vistio-web",
            "readOnly": True,
        }
        assert mounts["vistio-db"] == {"name": "vistio-db", "mountPath": "/vistio"}
    assert {"name": "web-config", "secret": {"secretName": "vistio-web"}} in spec["volumes"]


def test_the_pods_show_traffic_reload_and_heal(
    image: Image, prometheus: Prometheus, exporter: OwnSeries, tmp_path: Path
) -> None:
    """The other variant runs as the chart renders it: `test_helm`, which proves that they say the same."""
    text = (PLACE / "vistio-with-ingress.yaml").read_text()
    with running(text, image, prometheus, exporter, tmp_path) as cluster:
        check_life(cluster, entry="INTERNET", entry_rps=10)


WEB_YAML = """\
tls_server_config: {cert_file: tls.crt, key_file: tls.key}
tokens:
- {name: reader, token_file: reader.token, scopes: [read]}
- {name: ci, token_file: ci.token, scopes: [annotate]}
"""
READER, CI, NEXT_READER = "0a1b" * 16, "2c3d" * 16, "4e5f" * 16
CALLED = ("127.0.0.1", "vistio-api")


def test_by_https_the_pods_let_in_whom_the_secret_names_and_take_what_is_rotated(
    image: Image, prometheus: Prometheus, exporter: OwnSeries, tmp_path: Path
) -> None:
    certificates = Certificates(tmp_path / "tls")
    text = (PLACE / "vistio-with-tls.yaml").read_text()
    secret = secret_of({"web.yaml": WEB_YAML, **issued(certificates), "reader.token": READER, "ci.token": CI})
    with running(text, image, prometheus, exporter, tmp_path, [secret]) as cluster:
        cluster.session.verify = str(certificates.ca_file)
        cluster.session.headers.update(bearer(READER))
        check_traffic(cluster, entry="Total Mesh Requests", entry_rps=TOTAL_RPS)
        check_probes(cluster)
        check_who_may(cluster)

        before = {name: cluster.started(name) for name in ("vistio-api", "vistio-record", "vistio-web")}
        shown = {port: certificate_at(cluster.ports[port]) for port in ("9091", "9092")}
        cluster.played.change("vistio-web", {**issued(certificates), "reader.token": NEXT_READER})
        for port in ("9091", "9092"):
            wait_until(
                lambda port=port: certificate_at(cluster.ports[port]) != shown[port],  # type: ignore[misc]
                what=f"another certificate at {port}",
            )
            cluster.wait_for(port, "/metrics", status=401)
        cluster.session.headers.update(bearer(NEXT_READER))
        newest = cluster.newest()
        wait_until(lambda: cluster.newest() > newest, what="an instant after the rotation")
        assert cluster.graph("8080")["nodes"], "the page's pods trust the new certificate's issuer"
        assert before == {name: cluster.started(name) for name in before}, "nothing was restarted"


def secret_of(files: dict[str, str]) -> Manifest:
    """As ``kubectl create secret generic vistio-web --from-file=...`` makes it."""
    data = {name: b64encode(text.encode()).decode() for name, text in files.items()}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "vistio-web"}, "data": data}


def issued(certificates: Certificates) -> dict[str, str]:
    """A new certificate, its key and its issuer, as cert-manager names them."""
    cert, key = certificates.issue("vistio-api", *CALLED)
    return {
        "tls.crt": cert.read_text(),
        "tls.key": key.read_text(),
        "ca.crt": certificates.ca_file.read_text(),
    }


def certificate_at(port: int) -> str:
    """What a server shows; whoever issued it."""
    return ssl.get_server_certificate(("127.0.0.1", port), timeout=10)


def check_probes(cluster: Cluster) -> None:
    """As kubelet asks: without credentials, whoever issued the certificate."""
    probes = cluster.probes()
    assert {(name, url.partition(":")[0]) for name, url in probes} == {
        ("vistio-api", "https"),
        ("vistio-record", "https"),
        ("vistio-web", "http"),
    }
    context = ssl._create_unverified_context()
    for name, url in probes:
        with urlopen(url, timeout=10, context=context) as answer:
            assert answer.status == 200, (name, url)


def check_who_may(cluster: Cluster) -> None:
    """Nobody without a token; each token what its scopes say, at each port."""
    nobody = session()
    nobody.verify = cluster.session.verify
    for port, path in (("9091", "/graph"), ("8080", "/graph"), ("8080", "/"), ("9092", "/metrics")):
        assert nobody.get(cluster.url(port, path), timeout=10).status_code == 401, (port, path)
        assert cluster.session.get(cluster.url(port, path), timeout=10).status_code == 200, (port, path)
    with pytest.raises(requests.ConnectionError):
        nobody.get(f"http://127.0.0.1:{cluster.ports['9091']}/graph", timeout=10)
    for port in ("9091", "8080", "9092"):
        address, mark = cluster.url(port, "/annotations"), {"text": f"by {port}", "kind": "deployment"}
        assert nobody.post(address, json=mark, timeout=10).status_code == 401
        assert cluster.session.post(address, json=mark, timeout=10).status_code == 403
        made = nobody.post(address, json=mark, headers=bearer(CI), timeout=10)
        assert made.ok, made.text
    marks = cluster.session.get(cluster.url("9091", "/annotations"), timeout=10).json()["annotations"]
    assert {each["text"] for each in marks} == {"by 9091", "by 8080", "by 9092"}
    assert "annotation.written by=ci" in cluster.played.logs("vistio-api-0", "vistio-record")
