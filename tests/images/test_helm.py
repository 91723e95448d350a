"""examples/deploy/helm: linted and rendered by Helm's own engine, says what kubectl's files say, and runs for real."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from support.containers import Image
from support.exporter import OwnSeries
from support.kubernetes import Manifest, named, parse
from support.prometheus import Prometheus
from support.vistio_pods import TOTAL_RPS, check_life, running

from vistio_record import presets

helm = pytest.importorskip("helm_python", reason="only `nox -s images` installs it")

ROOT = Path(__file__).parents[2]
CHART = ROOT / "examples" / "deploy" / "helm" / "vistio"
KUBECTL = ROOT / "examples" / "deploy" / "kubernetes"
VARIANTS = ("mesh-only", "with-ingress")
EVERYTHING: dict[str, Any] = {
    "api": {
        "storage": {"existingClaim": "old"},
        "extraEnv": [{"name": "VISTIO_SERVE_PREFIX", "value": "/vistio"}],
    },
    "preset": {"name": "istio", "set": {"window": "2m", "gateway": ".+-istio"}},
    "recorder": {"httpConfigSecret": "prometheus", "tokenSecret": "token"},
    "recorders": [
        {"name": "eu", "prometheusUrl": "http://eu:9090", "preset": {"name": "linkerd"}},
        {"name": "us"},
    ],
    "imagePullSecrets": [{"name": "registry"}],
    "nodeSelector": {"disk": "ssd"},
    "tolerations": [{"operator": "Exists"}],
    "affinity": {"nodeAffinity": {}},
    "webConfig": {"secret": "who", "tls": True},
    "serviceMonitor": {
        "enabled": True,
        "labels": {"release": "prometheus"},
        "endpoint": {"scheme": "https", "authorization": {"credentials": {"name": "who", "key": "scraper"}}},
    },
    "grafanaDashboard": {"enabled": True},
    "ingress": {"enabled": True, "className": "nginx", "tlsSecret": "tls"},
    "httpRoute": {"enabled": True, "parentRefs": [{"name": "gateway"}]},
}


def values(variant: str) -> dict[str, Any]:
    return dict(yaml.safe_load((CHART / f"values-{variant}.yaml").read_text()))


def rendered(given: dict[str, Any]) -> dict[str, str]:
    """The text of each template, by its name without folders."""
    with helm.Chart.load(str(CHART)) as chart:
        chart.validate_schema(given)
        texts = chart.render(given, name="vistio", namespace="default")
    return {name.rpartition("/")[2]: text for name, text in texts.items()}


def manifests(given: dict[str, Any]) -> list[Manifest]:
    return [each for name, text in rendered(given).items() if name != "NOTES.txt" for each in parse(text)]


def test_helm_lint_finds_no_error_and_no_warning() -> None:
    found = helm.lint(str(CHART))
    assert found["errors"] == []
    assert [each["error"] for each in found["messages"] if each["severity"] > 1] == []


@pytest.mark.parametrize("given", [{}, values("mesh-only"), values("with-ingress"), EVERYTHING])
def test_kubernetes_accepts_whatever_is_rendered(given: dict[str, Any]) -> None:
    validator = pytest.importorskip("kubernetes_validate")
    kinds = set()
    for each in manifests(given):
        kinds.add(each["kind"])
        if each["apiVersion"].startswith(("monitoring.coreos.com/", "gateway.networking.k8s.io/")):
            continue  # not Kubernetes' own: it has no schema of them
        validator.validate(each, validator.latest_version(), strict=True)
    if given is EVERYTHING:
        assert {"ServiceMonitor", "HTTPRoute", "Ingress", "StatefulSet"} <= kinds


@pytest.mark.parametrize("variant", VARIANTS)
def test_the_chart_says_what_kubectls_files_say(variant: str) -> None:
    ours, theirs = manifests(values(variant)), parse((KUBECTL / f"vistio-{variant}.yaml").read_text())
    ours = [each for each in ours if each["metadata"]["name"] != "vistio-test"]
    assert {(each["kind"], each["metadata"]["name"]) for each in ours} == {
        (each["kind"], each["metadata"]["name"]) for each in theirs
    }
    for each in theirs:
        same = named(ours, each["kind"], each["metadata"]["name"])
        if each["kind"] == "ConfigMap":
            rules = [yaml.safe_load(found["data"]["vistio.yaml"]) for found in (each, same)]
            assert rules[0] == rules[1]
            continue
        for found in (each, same):
            # The chart's labels name its release.
            for labelled in (found["spec"].get("template"), *found["spec"].get("volumeClaimTemplates", ())):
                if labelled is not None:
                    labelled["metadata"].pop("labels")
        assert same["spec"] == each["spec"], (each["kind"], each["metadata"]["name"])


@pytest.mark.parametrize("variant", ["with-web-config", "with-tls"])
def test_the_chart_and_kubectls_files_say_the_same_of_a_web_configuration(variant: str) -> None:
    web_config = {"secret": "vistio-web", "tls": variant == "with-tls"}
    ours = manifests({**values("mesh-only"), "webConfig": web_config})
    theirs = parse((KUBECTL / f"vistio-{variant}.yaml").read_text())
    for kind, name in (("StatefulSet", "vistio-api"), ("Deployment", "vistio-web")):
        templates = [named(found, kind, name)["spec"]["template"] for found in (ours, theirs)]
        for template in templates:
            template["metadata"].pop("labels")  # the chart's name its release
            # kustomize puts what it adds before the others.
            template["spec"]["volumes"].sort(key=lambda volume: volume["name"])
            for container in template["spec"]["containers"]:
                container["env"].sort(key=lambda variable: variable["name"])
                container["volumeMounts"].sort(key=lambda mount: mount["name"])
        assert templates[0] == templates[1], name


def test_vistios_own_values_files_are_taken_as_they_are() -> None:
    """All keys of its values.yaml; those that have nothing to say here say nothing."""
    theirs: dict[str, Any] = yaml.safe_load(
        """
        api:
          image: {repository: vistio, tag: v1, pullPolicy: Always}
          log: {level: debug}
          cache: {size: 100}
          retrieval: {scrapeInterval: 5s, scrapeTimeout: 4s}
          resources: {}
          replicaCount: 1
          service: {externalPort: 9191, internalPort: 9091}
          storage: {class: fast, size: 7Gi, retention: 24h}
        reloader: {image: {repository: x, tag: y, pullPolicy: Always}, resources: {}}
        web:
          service: {externalPort: 8081, internalPort: 8080}
          replicaCount: 2
          env: {updateURL: "http://localhost:9091/graph", interval: "1000", maxReplayOffset: "43200"}
          image: {repository: x, tag: y, pullPolicy: Always}
          resources: {}
        vistioConfig: {graphName: Mine, globalLevel: {maxVolume: 3}}
        """
    )
    found = manifests(theirs)
    stateful = named(found, "StatefulSet", "vistio-api")["spec"]
    recorder = {each["name"]: each for each in stateful["template"]["spec"]["containers"]}["vistio-record"]
    environment = {each["name"]: each["value"] for each in recorder["env"]}
    assert environment["VISTIO_RECORD_RUN_INTERVAL"] == "5s"
    assert environment["VISTIO_RECORD_RUN_TIMEOUT"] == "4s"
    assert environment["VISTIO_RECORD_RUN_RETENTION"] == "24h"
    assert environment["VISTIO_RECORD_RUN_LOG_LEVEL"] == "debug"
    assert recorder["image"] == "vistio:v1"
    (claim,) = stateful["volumeClaimTemplates"]
    assert (claim["spec"]["storageClassName"], claim["spec"]["resources"]["requests"]["storage"]) == (
        "fast",
        "7Gi",
    )
    assert named(found, "Service", "vistio-api")["spec"]["ports"][0]["port"] == 9191
    assert named(found, "Deployment", "vistio-web")["spec"]["replicas"] == 2
    rules = named(found, "ConfigMap", "vistio-api-config")["data"]["vistio.yaml"]
    assert yaml.safe_load(rules) == theirs["vistioConfig"]


def test_each_recorder_has_a_writers_name_a_port_and_a_server_of_its_own() -> None:
    pod = named(manifests(EVERYTHING), "StatefulSet", "vistio-api")["spec"]["template"]["spec"]
    recorders = [each for each in pod["containers"] if each["name"].startswith("vistio-record")]
    environments = [{each["name"]: each["value"] for each in found["env"]} for found in recorders]
    told = [
        tuple(
            each.get(f"VISTIO_RECORD_RUN_{name}")
            for name in ("WRITER", "PORT", "PROMETHEUS", "PRESET", "SET")
        )
        for each in environments
    ]
    ours = "http://prometheus.istio-system:9090"
    assert told == [
        (None, "9092", ours, "istio", "gateway=.+-istio window=2m"),
        ("eu", "9093", "http://eu:9090", "linkerd", None),
        ("us", "9094", ours, "istio", "gateway=.+-istio window=2m"),
    ]
    assert {each["VISTIO_RECORD_RUN_PRESET"] for each in environments} <= set(presets.names())
    assert "volumeClaimTemplates" not in named(manifests(EVERYTHING), "StatefulSet", "vistio-api")["spec"]
    assert {"persistentVolumeClaim": {"claimName": "old"}, "name": "vistio-db"} in pod["volumes"]


def test_who_may_ask_is_in_a_secret_that_every_port_has_and_the_pages_pods_trust_its_ca() -> None:
    found = manifests(EVERYTHING)
    pod = named(found, "StatefulSet", "vistio-api")["spec"]["template"]["spec"]
    for container in pod["containers"]:
        environment = {each["name"]: each.get("value") for each in container["env"]}
        option = (
            "VISTIO_SERVE_WEB_CONFIG" if container["name"] == "vistio-api" else "VISTIO_RECORD_RUN_WEB_CONFIG"
        )
        assert environment[option] == "/etc/vistio-web/web.yaml"
        assert {"name": "web-config", "mountPath": "/etc/vistio-web", "readOnly": True} in container[
            "volumeMounts"
        ]
        assert {"name": "vistio-db", "mountPath": "/vistio"} in container["volumeMounts"], (
            "who may annotate writes"
        )
        probes = [container[name]["httpGet"] for name in ("startupProbe", "livenessProbe")]
        assert {each.get("scheme") for each in probes} == {"HTTPS"}
    assert {"name": "web-config", "secret": {"secretName": "who"}} in pod["volumes"]
    web = named(found, "Deployment", "vistio-web")["spec"]["template"]["spec"]
    environment = {each["name"]: each["value"] for each in web["containers"][0]["env"]}
    assert environment["VISTIO_SERVE_WEB_API"] == "https://vistio-api:9091"
    assert environment["VISTIO_SERVE_WEB_API_CA"] == "/etc/vistio-web/ca.crt"
    (volume,) = [each for each in web["volumes"] if each["name"] == "web-config"]
    assert volume["secret"]["items"] == [{"key": "ca.crt", "path": "ca.crt"}], "no key and no token"
    monitor = named(found, "ServiceMonitor", "vistio-api")["spec"]["endpoints"]
    assert {each["scheme"] for each in monitor} == {"https"}


def test_a_certificate_may_have_a_secret_of_its_own_as_cert_manager_makes_it() -> None:
    found = manifests({**EVERYTHING, "webConfig": {"secret": "who", "tls": True, "tlsSecret": "issued"}})
    pod = named(found, "StatefulSet", "vistio-api")["spec"]["template"]["spec"]
    assert {"name": "tls", "secret": {"secretName": "issued"}} in pod["volumes"]
    assert {"name": "web-config", "secret": {"secretName": "who"}} in pod["volumes"]
    for container in pod["containers"]:
        mounted = {each["name"]: each["mountPath"] for each in container["volumeMounts"]}
        assert (mounted["tls"], mounted["web-config"]) == ("/etc/vistio-tls", "/etc/vistio-web")
    web = named(found, "Deployment", "vistio-web")["spec"]["template"]["spec"]
    (volume,) = [each for each in web["volumes"] if "secret" in each]
    assert volume["secret"] == {"secretName": "issued", "items": [{"key": "ca.crt", "path": "ca.crt"}]}
    validator = pytest.importorskip("kubernetes_validate")
    for each in found:
        if each["kind"] in ("StatefulSet", "Deployment"):
            validator.validate(each, validator.latest_version(), strict=True)


def test_without_a_secret_the_server_cannot_write_to_the_recording() -> None:
    pod = named(manifests({}), "StatefulSet", "vistio-api")["spec"]["template"]["spec"]
    (server,) = [each for each in pod["containers"] if each["name"] == "vistio-api"]
    assert {"name": "vistio-db", "mountPath": "/vistio", "readOnly": True} in server["volumeMounts"]


def test_the_dashboard_is_the_file_that_grafana_can_import() -> None:
    found = named(manifests(EVERYTHING), "ConfigMap", "vistio-dashboard")
    assert found["metadata"]["labels"]["grafana_dashboard"] == "1"
    file = CHART / "files" / "dashboard.json"
    assert json.loads(found["data"]["vistio.json"]) == json.loads(file.read_text())


@pytest.mark.parametrize(
    "wrong",
    [
        {"api": {"replicaCount": 2}},
        {"api": {"retrieval": {"scrapeInterval": "10 seconds"}}},
        {"prometheusUrl": "prometheus:9090"},
        {"preset": {"name": "istio", "set": {"gateway": "two words"}}},
        {"presets": {}},
        {"webConfig": {"users": {"alice": "secret"}}},
    ],
)
def test_the_schema_refuses_what_would_not_work(wrong: dict[str, Any]) -> None:
    with helm.Chart.load(str(CHART)) as chart, pytest.raises(helm.HelmError):
        chart.validate_schema(wrong)


def test_the_notes_name_the_next_three_commands() -> None:
    notes = rendered({"web": {"service": {"externalPort": 8888}}})["NOTES.txt"]
    assert [line.split(".")[0] for line in notes.splitlines() if line[:1].isdigit()] == ["1", "2", "3"]
    assert "exec vistio-api-0 -c vistio-record -- vistio-record check" in notes
    assert "port-forward service/vistio-web 8888" in notes
    assert "the preset istio" in notes


def test_the_charts_pods_show_traffic_reload_and_heal_and_its_own_test_passes(
    image: Image, prometheus: Prometheus, exporter: OwnSeries, tmp_path: Path
) -> None:
    texts = rendered(values("mesh-only"))
    text = "\n---\n".join(text for name, text in texts.items() if name != "NOTES.txt")
    with running(text, image, prometheus, exporter, tmp_path) as cluster:
        check_life(cluster, entry="Total Mesh Requests", entry_rps=TOTAL_RPS)
        (asks,) = named(cluster.manifests, "Pod", "vistio-test")["spec"]["containers"]
        python, option, script = asks["command"]
        for service in ("vistio-api", "vistio-web"):
            script = script.replace(f"http://{service}:", "http://127.0.0.1:")
        assert image.run(python, option, script).count(" 200\n") == 3
