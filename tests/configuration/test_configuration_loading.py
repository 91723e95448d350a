"""What loads, what is refused, what is warned of; each message with its line and key path."""

from __future__ import annotations

from pathlib import Path

import attrs
import pytest

from vistio_core.configuration import (
    DEFAULT_CLASS,
    Configuration,
    MeasurementRule,
    Merge,
    NodeMapping,
    SeverityThreshold,
    StatusMapping,
    StatusType,
    load,
    loads,
    mappings_of,
)
from vistio_core.configuration import model as configuration_model
from vistio_core.configuration.keys import SHAPES
from vistio_core.configuration.places import MAX_VALUES
from vistio_core.configuration.values import go_float
from vistio_core.configuration.yaml_lines import MAX_CHARACTERS, MAX_DEPTH
from vistio_core.errors import ConfigurationError, Problem
from vistio_core.marked_from import MarkedFrom

LEGACY = Path(__file__).parent / "data" / "legacy"

RULE = "{query: up, prometheusURL: 'http://p:9090', source: {label: a}, target: {label: b}%s}"
MEASUREMENT = (
    "{measure: latency_p99_ms, query: up, prometheusURL: 'http://p:9090',"
    " source: {label: a}, target: {label: b}%s}"
)
NOTICE = (
    "{query: up, prometheusURL: 'http://p:9090', title: t,"
    " severityThreshold: {error: 1}, service: {label: a}%s}"
)


def cluster(*, rules: str = "", notices: str = "", measurements: str = "", extra: str = "") -> str:
    """A file with one cluster; ``rules``, ``notices`` and ``measurements`` are the items of its lists."""
    extra += f", serviceMeasurements: [{measurements}]"
    return (
        "globalLevel:\n"
        f"  clusterConnections: [{RULE % ''}]\n"
        "clusterLevel:\n"
        f"  - {{cluster: c, serviceConnections: [{rules}], serviceNotices: [{notices}]{extra}}}\n"
    )


def rule(extra: str) -> str:
    return cluster(rules=RULE % f", {extra}")


def target(mapping: str) -> str:
    return cluster(rules=(RULE % "").replace("{label: b}", mapping))


def measurement(ends: str) -> str:
    return cluster(measurements=(MEASUREMENT % "").replace("source: {label: a}, target: {label: b}", ends))


def problems(text: str) -> tuple[Problem, ...]:
    with pytest.raises(ConfigurationError) as caught:
        loads(text)
    return caught.value.problems


def only_problem(text: str) -> Problem:
    (problem,) = problems(text)
    return problem


def warnings(text: str) -> list[str]:
    return [f"{warning.path}: {warning.message}" for warning in loads(text).warnings]


# What loads


def test_a_file_of_vistio_loads_without_warnings() -> None:
    configuration = load(LEGACY / "vistio.yaml")
    assert configuration.warnings == ()
    assert configuration.graph_name == "Vistio"
    assert configuration.global_level.max_volume == 2_000_000
    (rule,) = configuration.clusters[0].rules
    assert rule.id == "connection-0"
    assert rule.source == NodeMapping("source_app", "^(.+)$", "$1", "app")
    assert rule.target == NodeMapping("destination_service")
    (notice,) = rule.notices
    assert notice.status_type is StatusType.DANGER
    assert notice.severity_threshold == SeverityThreshold(warning=0.01, error=0.05)
    assert [node_class.name for node_class in configuration.classes] == ["app", "default"]


def test_an_early_promviz_file_loads_and_each_ignored_key_is_named() -> None:
    configuration = load(LEGACY / "promviz.yaml")
    warned = {(warning.line, warning.path.rpartition(".")[2]) for warning in configuration.warnings}
    for expected in [
        (5, "maxVolumeRate"),
        (14, "translate"),
        (21, "maxVolumeRate"),
        (40, "threshold"),
        (42, "severity"),
        (58, "severity"),
        (62, "node"),
    ]:
        assert expected in warned
    (kept,) = configuration.clusters[0].notices
    assert kept.id == "notice-1", "a notice keeps its place when the one before is left out"
    assert kept.severity_threshold == SeverityThreshold()
    assert configuration.classes[0].color == DEFAULT_CLASS.color


def test_a_file_with_nothing_but_a_name_loads_with_a_warning() -> None:
    configuration = load(LEGACY / "only-a-name.yaml")
    assert configuration.warnings[0].message.startswith("no rules")
    assert list(configuration.rules()) == []


def test_the_graph_is_called_vistio_by_default() -> None:
    assert loads("globalLevel: {}\n").graph_name == "vistio"


def test_the_default_class_is_added_only_where_there_is_none() -> None:
    assert loads("graphName: x").classes == (DEFAULT_CLASS,)
    assert [c.color for c in loads("classes: [{name: default, color: red}]").classes] == ["red"]


def test_of_two_classes_with_one_name_the_last_color_counts() -> None:
    text = "classes: [{name: a, color: red}, {name: a, color: blue}]"
    assert loads(text).classes[0].color == "blue"
    assert any("found 'a' again" in warning for warning in warnings(text))


def test_a_scalar_is_the_text_that_was_written() -> None:
    text = cluster(rules=RULE % ", name: 0755, status: {label: yes, dangerRegex: 5}")
    (found,) = loads(text).clusters[0].rules
    assert found.name == "0755"
    assert found.status is not None
    assert (found.status.label, found.status.danger_regex) == ("yes", "5")


def test_a_key_without_value_is_a_missing_key() -> None:
    text = "graphName:\nglobalLevel:\nclusterLevel: ~\nclasses: null\n"
    assert loads(text).graph_name == "vistio"


def test_anchors_and_merge_keys_are_resolved_and_own_keys_win() -> None:
    text = f"""
x-rule: &rule {RULE % ", status: {label: merged}"}
globalLevel:
  clusterConnections:
    - <<: *rule
      query: own
    - query: own
      <<: [{{query: first}}, *rule]
"""
    first, second = loads(text).global_level.rules
    assert (first.query, second.query) == ("own", "own")
    assert first.status is not None
    assert first.status.label == "merged"
    assert loads(text).warnings[0].path != "x-rule"


def test_a_second_document_is_left_unread_with_a_warning_at_its_line() -> None:
    configuration = loads("graphName: x\n---\ngraphName: [\n")
    assert configuration.graph_name == "x"
    configuration = loads("graphName: x\n---\ngraphName: y\n")
    assert Problem("", "a second document starts here; only the first is read", 2) in configuration.warnings


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_a_file_may_begin_with_a_byte_order_mark(tmp_path: Path, encoding: str) -> None:
    file = tmp_path / "vistio.yaml"
    file.write_bytes("graphName: Überblick\n".encode(encoding))
    assert load(file).graph_name == "Überblick"


@pytest.mark.parametrize(
    ("text", "number"),
    [
        (".005", 0.005),
        ("1e3", 1000),
        ("12.", 12),
        ("+.5", 0.5),
        ("-1", -1),
        ("1_000", 1000),
        ("0x10", 16),
        ("010", 8),
        ("0b11", 3),
        ("08", 8),
        (".inf", float("inf")),
        ("-.Inf", float("-inf")),
        ("1200", 1200),
        ("1e", None),
        ("e3", None),
        (".", None),
        ("", None),
        ("true", None),
        ("5%", None),
        ("1,5", None),
        ("inf", None),
        ("1e999", float("inf")),
        ("0o17", None),
    ],
)
def test_numbers_are_read_as_go_reads_them(text: str, number: float | None) -> None:
    assert go_float(text) == number


def test_a_threshold_that_is_not_a_number_in_the_floating_point_sense_is_off() -> None:
    text = rule("notices: [{title: t, statusType: danger, severityThreshold: {error: .nan}}]")
    assert loads(text).clusters[0].rules[0].notices[0].severity_threshold.error == 0


def test_a_number_may_be_quoted_when_it_is_tagged_as_one() -> None:
    assert loads('globalLevel: {maxVolume: !!float "12"}').global_level.max_volume == 12


@pytest.mark.parametrize(
    ("written", "mapping"),
    [
        ("{labels: [a, b]}", NodeMapping(labels=("a", "b"))),
        ("{label: '', labels: [a]}", NodeMapping(labels=("a",))),
        ("{template: '{a|b}/{c}', default: x}", NodeMapping(template="{a|b}/{c}", default="x")),
        ("{label: a, default: 0755}", NodeMapping("a", default="0755")),
        (
            "{template: '{a}', regex: x, replacement: y, class: c}",
            NodeMapping("", "x", "y", "c", template="{a}"),
        ),
    ],
)
def test_a_node_may_be_named_by_several_labels(written: str, mapping: NodeMapping) -> None:
    assert loads(target(written)).clusters[0].rules[0].target == mapping


@pytest.mark.parametrize(
    ("written", "status"),
    [
        ("{label: a, default: x}", StatusMapping("a", default="x")),
        ("{labels: [a, b], dangerRegex: x}", StatusMapping(danger_regex="x", labels=("a", "b"))),
        ("{template: '{a} {b}', warningRegex: x}", StatusMapping(warning_regex="x", template="{a} {b}")),
        ("{value: 500}", StatusMapping(value="500")),
        ("{label: '', value: ok}", StatusMapping(value="ok")),
    ],
)
def test_a_status_may_be_several_labels_or_a_constant(written: str, status: StatusMapping) -> None:
    assert loads(rule(f"status: {written}")).clusters[0].rules[0].status == status


def test_a_measurement_is_about_an_edge_or_a_node_on_both_levels() -> None:
    node = (MEASUREMENT % ", merge: sum").replace(
        "source: {label: a}, target: {label: b}", "service: {label: c}"
    )
    text = cluster(measurements=f"{MEASUREMENT % ''}, {node}")
    text = text.replace("globalLevel:\n", f"globalLevel:\n  clusterMeasurements: [{node}]\n")
    loaded = loads(text)
    about_edge = MeasurementRule(
        "measurement-0", "latency_p99_ms", "up", "http://p:9090", NodeMapping("a"), NodeMapping("b")
    )
    about_node = attrs.evolve(
        about_edge, id="measurement-1", source=None, target=None, service=NodeMapping("c"), merge=Merge.SUM
    )
    assert loaded.clusters[0].measurements == (about_edge, about_node)
    assert loaded.global_level.measurements == (attrs.evolve(about_node, id="measurement-0"),)
    assert [(place, rule.id) for place, rule in loaded.rules()] == [
        ("", "connection-0"),
        ("", "measurement-0"),
        ("c", "measurement-0"),
        ("c", "measurement-1"),
    ]
    assert mappings_of(about_edge) == (NodeMapping("a"), NodeMapping("b"))
    assert mappings_of(about_node) == (NodeMapping("c"),)


# Ids of rules


def test_a_rule_is_known_by_its_name_or_else_by_its_place() -> None:
    text = cluster(
        rules=f"{RULE % ', name: http'}, {RULE % ''}", notices=f"{NOTICE % ''}, {NOTICE % ', name: slow'}"
    )
    assert [rule.id for _, rule in loads(text).rules()][1:] == ["http", "connection-1", "notice-0", "slow"]


def test_ids_are_unique_in_a_cluster_whatever_the_names() -> None:
    names = ["a", "a", "connection-3", "connection-0", "notice-0", ""]
    rules = ", ".join(RULE % f", name: '{name}'" for name in names)
    text = cluster(
        rules=rules,
        notices=f"{NOTICE % ', name: a'}, {NOTICE % ', name: notice-1'}",
        measurements=f"{MEASUREMENT % ', name: a'}, {MEASUREMENT % ', name: measurement-0'}",
    )
    ids = [rule.id for cluster, rule in loads(text).rules() if cluster]
    assert len(set(ids)) == len(ids) == 10
    assert ids[:3] == ["a", "connection-1", "connection-2"]
    assert any("'a' is taken" in warning for warning in warnings(text))


# What is refused


def test_all_errors_of_a_file_are_reported_at_once_by_line() -> None:
    found = problems("""\
globalLevel:
  maxVolume: many
clusterLevel:
  - cluster: a
    serviceConnections:
      - querry: up
        prometheusURL: prometheus:9090
        source: {label: a, regex: "(.*"}
  - cluster: a
classes: red
""")
    assert [(problem.line, problem.path) for problem in found] == [
        (2, "globalLevel.maxVolume"),
        (6, "clusterLevel[0].serviceConnections[0].query"),
        (6, "clusterLevel[0].serviceConnections[0].target"),
        (7, "clusterLevel[0].serviceConnections[0].prometheusURL"),
        (8, "clusterLevel[0].serviceConnections[0].source.regex"),
        (9, "clusterLevel[1].cluster"),
        (10, "classes"),
    ]
    assert "did you mean query where line 6 has querry?" in found[1].message


def test_the_error_names_file_line_and_key_path() -> None:
    with pytest.raises(ConfigurationError) as caught:
        loads("globalLevel:\n  maxVolume: '5'\n", file="my.yaml")
    assert str(caught.value) == (
        "my.yaml:2: globalLevel.maxVolume: found the text '5'; a number is needed, write it without quotes"
    )


@pytest.mark.parametrize(
    ("text", "line", "path", "part"),
    [
        ("", None, "", "is empty"),
        ("# only a comment\n", None, "", "is empty"),
        ("~", None, "", "is empty"),
        ("- a\n", 1, "", "found a list; a configuration is a mapping"),
        ("some text", 1, "", "found 'some text'; a configuration is a mapping"),
        ("{}", 1, "", "found no keys"),
        ("version: 3\nservices: {}\n", 1, "", "found version, services; known here are graphName"),
        ("apiVersion: v1\nkind: ConfigMap\n", 1, "", "Kubernetes manifest"),
        ("vistioConfig: {}\n", 1, "", "below vistioConfig:"),
        ("graphName: x\n  bad: y\n", 2, "", "not YAML: "),
        ("graphName: *nowhere\n", 1, "", "not YAML: found undefined alias"),
        ("graphName: x\ngraphName: y\n", 2, "graphName", "found twice, first in line 1"),
        ("graphName: x\n? [a]\n: b\n", 2, "", "a key is text"),
        ("graphName: x\n<<: y\n", 2, "<<", "takes a mapping"),
        ("graphName: x\nclasses: &a [*a]\n", 2, "classes[0]", "contains itself"),
        ("graphName: a\x07b\n", 1, "", "U+0007"),
        ('graphName: "\\UFFFFFFFF"\n', None, "", "not YAML"),
        ("graphName: [x]\n", 1, "graphName", "found a list; write one text"),
        ("globalLevel: 5\n", 1, "globalLevel", "found '5'; write a mapping with maxVolume"),
        ("globalLevel: {maxVolume: .inf}\n", 1, "globalLevel.maxVolume", "0 or more"),
        ("globalLevel: {maxVolume: -1}\n", 1, "globalLevel.maxVolume", "0 or more"),
        ("globalLevel: {clusterConnections: {}}\n", 1, "globalLevel.clusterConnections", "write a list"),
        ("globalLevel: {clusterConnections: [~]}\n", 1, "globalLevel.clusterConnections[0]", "found nothing"),
        ("clusterLevel: [{}]\n", 1, "clusterLevel[0].cluster", "is missing"),
        ("clusterLevel: [{cluster: ''}]\n", 1, "clusterLevel[0].cluster", "empty"),
    ],
)
def test_a_text_that_cannot_be_used_is_refused(text: str, line: int | None, path: str, part: str) -> None:
    problem = problems(text)[0]
    assert (problem.line, problem.path) == (line, path)
    assert part in problem.message


RULE_PATH = "clusterLevel[0].serviceConnections[0]"


@pytest.mark.parametrize(
    ("before", "after", "path", "part"),
    [
        ("query: up, ", "", ".query", "is missing; add query:"),
        ("query: up", "query: ' '", ".query", "empty"),
        ("prometheusURL: 'http://p:9090', ", "", ".prometheusURL", "is missing"),
        ("http://p:9090", "ftp://p", ".prometheusURL", "found the text 'ftp://p'; write the address"),
        ("http://p:9090", "p:9090", ".prometheusURL", "such as http://"),
        ("http://p:9090", "http://", ".prometheusURL", "such as http://"),
        ("http://p:9090", "http://p:99999", ".prometheusURL", "such as http://"),
        ("http://p:9090", "http://[::1", ".prometheusURL", "such as http://"),
        ("http://p:9090", "http://p /x", ".prometheusURL", "percent-encode"),
        ("source: {label: a}, ", "", ".source", "is missing"),
        (", target: {label: b}", "", ".target", "is missing"),
        ("target: {label: b}", "target: {class: x}", ".target", "neither label nor replacement"),
        ("target: {label: b}", "target: {label: '', replacement: ''}", ".target", "both empty"),
        ("target: {label: b}", "target: {label: ''}", ".target", "label is empty"),
        ("{label: b}", "{label: b, regex: '(?!x)'}", ".target.regex", "RE2"),
        ("{label: b}", "{label: b, regex: '\\C'}", ".target.regex", "RE2"),
        (
            "{label: b}",
            "{default: x}",
            ".target",
            "neither label nor replacement; add one of them, or labels",
        ),
        ("{label: b}", "{label: b, labels: [c]}", ".target", "found label and labels; keep one of them"),
        ("{label: b}", "{labels: [c], template: '{d}'}", ".target", "found labels and template; keep one"),
        ("{label: b}", "{label: [b, c]}", ".target.label", "found a list; write one label, several stand at"),
        ("{label: b}", "{labels: b}", ".target.labels", "found 'b'; write a list of labels"),
        ("{label: b}", "{labels: []}", ".target.labels", "found an empty list"),
        ("{label: b}", "{labels: [c, '']}", ".target.labels[1]", "empty"),
        ("{label: b}", "{labels: [[c]]}", ".target.labels[0]", "found a list"),
        ("{label: b}", "{template: ''}", ".target.template", "found no label"),
        ("{label: b}", "{template: '{a}/{b'}", ".target.template", "found '{' without its partner"),
        ("{label: b}", "{template: {a: b}}", ".target.template", "found a mapping; write one text"),
    ],
)
def test_a_rule_that_can_never_work_is_refused(before: str, after: str, path: str, part: str) -> None:
    good = RULE % ""
    assert before in good
    problem = only_problem(cluster(rules=good.replace(before, after)))
    assert problem.path == RULE_PATH + path
    assert problem.line == 4
    assert part in problem.message


@pytest.mark.parametrize(
    ("extra", "path", "part"),
    [
        ("status: {label: c, dangerRegex: '['}", ".status.dangerRegex", "missing ]"),
        ("status: {label: c, warningRegex: '*'}", ".status.warningRegex", "no argument"),
        ("status: {default: x}", ".status", "none of label, labels, template, value; add one of them"),
        ("status: {label: '', default: x}", ".status", "none of label, labels"),
        ("status: {label: c, value: x}", ".status", "found label and value; keep one of them"),
        ("status: {value: ''}", ".status.value", "empty"),
        ("status: {template: c}", ".status.template", "found no label"),
        ("status: 5..", ".status", "write a mapping with label"),
        (
            "notices: [{title: t, statusType: bad}]",
            ".notices[0].statusType",
            "allowed are danger and warning",
        ),
        ("notices: [{title: t, statusType: Danger}]", ".notices[0].statusType", "did you mean danger?"),
        (
            "notices: [{title: '{{ .a.b }}', statusType: danger}]",
            ".notices[0].title",
            "allowed are {{ .value }}",
        ),
        (
            "notices: [{title: t, statusType: danger, severityThreshold: {warning: 5%}}]",
            ".notices[0].severityThreshold.warning",
            "found '5%'; a number is needed",
        ),
    ],
)
def test_a_status_or_notice_that_can_never_work_is_refused(extra: str, path: str, part: str) -> None:
    problem = only_problem(rule(extra))
    assert problem.path == RULE_PATH + path
    assert part in problem.message


@pytest.mark.parametrize(
    ("before", "after", "path", "part"),
    [
        ("measure: latency_p99_ms, ", "", ".measure", "is missing; add measure: with a name and unit"),
        ("latency_p99_ms", "latency p99", ".measure", "such as latency_p99_ms"),
        ("latency_p99_ms", "99_ms", ".measure", "such as latency_p99_ms"),
        ("latency_p99_ms", "__proto__", ".measure", "such as latency_p99_ms"),
        ("query: up, ", "", ".query", "is missing"),
        (", source: {label: a}", "", "", "found target without source; add source:"),
        (", target: {label: b}", "", "", "found source without target; add target:"),
        (", source: {label: a}, target: {label: b}", "", "", "names no edge and no node; add source:"),
        ("target:", "service:", "", "found service and source; keep service for nodes"),
        ("{label: b}", "{label: b}, service: {label: c}", "", "found service and source"),
        ("{label: b}", "{}", ".target", "neither label nor replacement"),
        ("{label: b}", "{label: b}, merge: avg", ".merge", "found 'avg'; allowed are max, min and sum"),
        ("{label: b}", "{label: b}, merge: Sum", ".merge", "did you mean sum?"),
    ],
)
def test_a_measurement_that_can_never_work_is_refused(before: str, after: str, path: str, part: str) -> None:
    good = MEASUREMENT % ""
    assert before in good
    problem = only_problem(cluster(measurements=good.replace(before, after)))
    assert problem.path == "clusterLevel[0].serviceMeasurements[0]" + path
    assert problem.line == 4
    assert part in problem.message


def test_two_clusters_of_one_name_are_refused_at_the_second() -> None:
    problem = only_problem("clusterLevel:\n- cluster: a\n- cluster: b\n- cluster: a\n")
    assert (problem.line, problem.path) == (4, "clusterLevel[2].cluster")
    assert "first in line 2" in problem.message


def test_no_message_shows_a_password() -> None:
    text = cluster(rules=RULE.replace("http://p", "ftp://user:hunter2@p") % "")
    assert "hunter2" not in str(problems(text))
    assert "hunter2" not in str(problems("http://user:hunter2@p"))
    assert "hunter2" not in str(problems("http://user:hunter2@p: 1"))


# Files


def test_a_file_that_cannot_be_read_is_named_with_the_reason(tmp_path: Path) -> None:
    for path, part in [
        (tmp_path / "missing.yaml", "no such file"),
        (tmp_path, "cannot be read: Is a directory"),
        (Path("with\0null"), "cannot be read"),
    ]:
        with pytest.raises(ConfigurationError, match=part) as caught:
            load(path)
        assert caught.value.file == str(path)


def test_a_file_that_is_not_utf_8_is_refused_at_its_line(tmp_path: Path) -> None:
    file = tmp_path / "latin1.yaml"
    file.write_bytes(b"a: b\ngraphName: \xdcberblick\n")
    with pytest.raises(ConfigurationError, match=r"latin1.yaml:2: found byte 0xdc, which is not UTF-8"):
        load(file)


# Hostile files


def test_a_text_of_the_greatest_length_loads_and_one_more_character_is_refused() -> None:
    start = "graphName: x\n#"
    assert loads(start + "." * (MAX_CHARACTERS - len(start))).graph_name == "x"
    assert "characters" in only_problem(start + "." * (MAX_CHARACTERS - len(start) + 1)).message


@pytest.mark.timeout(30)
def test_deep_nesting_is_refused_without_recursing() -> None:
    assert loads("graphName: x\nx-deep: " + "[" * (MAX_DEPTH - 2) + "]" * (MAX_DEPTH - 2)).graph_name == "x"
    for text in ("[" * 100_000, "{a: " * 100_000, "\n- " + "- " * 100_000, "\n? " + "? " * 100_000):
        assert f"deeper than {MAX_DEPTH}" in only_problem("graphName: x\nx-deep: " + text).message


@pytest.mark.timeout(30)
def test_anchors_that_multiply_are_refused_in_time() -> None:
    laughs = "x-0: &l0 [a, b]\n" + "".join(f"x-{i}: &l{i} [{f'*l{i - 1}, ' * 10}]\n" for i in range(1, 30))
    assert loads(f"{laughs}graphName: x\n").graph_name == "x"
    rules = f"x-r: &r {RULE % ''}\nx-c: &c [{'*r, ' * 2000}]\n"
    clusters = "".join(f"  - {{cluster: c{i}, serviceConnections: *c}}\n" for i in range(2000))
    assert f"more than {MAX_VALUES} values" in only_problem(f"{rules}clusterLevel:\n{clusters}").message


@pytest.mark.timeout(30)
def test_merge_keys_that_multiply_are_refused_in_time() -> None:
    wide = "{" + ", ".join(f"k{i}: 1" for i in range(2000)) + "}"
    merges = "".join(f"x-{i}: {{<<: [{'*wide, ' * 100}]}}\n" for i in range(100))
    assert "merge keys" in problems(f"graphName: x\nx-wide: &wide {wide}\n{merges}")[0].message


# Warnings


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("graphNam: x\ngraphName: x", "graphNam: ignored: unknown key; did you mean graphName?"),
        ("graphName: x\nsomething: 1", "something: ignored: unknown key; known here are graphName, "),
        ("graphName: x\nclusters: []", "clusters: ignored: a key of the first promviz"),
        (rule("threshhold: 1"), f"{RULE_PATH}.threshhold: ignored: unknown key"),
        (rule("status: {}"), f"{RULE_PATH}.status: left out: without label"),
        (rule("status: {label: c}"), f"{RULE_PATH}.status: all traffic is normal"),
        (rule("notices: [{title: t}]"), f"{RULE_PATH}.notices[0]: left out: without statusType"),
        (rule("notices: [{statusType: danger}]"), f"{RULE_PATH}.notices[0]: has no title"),
        (
            rule("notices: [{title: t, statusType: danger}]"),
            "notices[0]: is never raised: no severityThreshold",
        ),
        (
            rule("notices: [{title: t, statusType: warning, severityThreshold: {error: 1}}]"),
            f"{RULE_PATH}.notices[0]: is never raised: the rule has no status with a warningRegex",
        ),
        (
            rule("notices: [{title: '{{ .pod }}', statusType: danger, severityThreshold: {error: 5}}]"),
            f"{RULE_PATH}.notices[0].severityThreshold.error: is never reached",
        ),
        (
            rule("notices: [{title: '{{ .pod }}', statusType: danger, severityThreshold: {error: 1}}]"),
            f"{RULE_PATH}.notices[0].title: {{{{ .pod }}}} prints <no value>",
        ),
        (
            cluster(notices=NOTICE.replace(", service: {label: a}", "") % ""),
            "serviceNotices[0]: left out: without service",
        ),
        (rule("status: {labels: [c]}"), f"{RULE_PATH}.status: all traffic is normal"),
        (rule("status: {value: ok, default: x}"), ".status.default: is never used: every status is 'ok'"),
        (rule("status: {value: ok, dangerRegex: x}"), ".status.dangerRegex: is never matched: every"),
        (rule("status: {value: ok, warningRegex: ^k}"), ".status.warningRegex: is never matched: every"),
        (
            rule("status: {labels: [c, d, c], dangerRegex: x}"),
            ".status.labels[2]: found 'c' again; its first place counts",
        ),
        (target("{labels: [b, b]}"), f"{RULE_PATH}.target.labels[1]: found 'b' again"),
        (target("{replacement: x, default: y}"), ".target.default: is never used: every node is 'x'"),
        (target("{template: '{b}', replacement: $2}"), "nothing in place of ${2}"),
        (target("{labels: [b], class: db}"), "class 'db' has no color"),
        (measurement("service: {label: a, class: db}"), "class 'db' has no color"),
        (measurement("service: {label: a, replacement: ''}"), "every series is dropped"),
        (
            cluster(measurements=MEASUREMENT % ", name: measurement-7"),
            "serviceMeasurements[0].name: 'measurement-7' is taken",
        ),
        (target("{label: b, class: db}"), "class 'db' has no color"),
        (target("{replacement: $1}"), "without label the node is called '$1'"),
        (target("{label: b, replacement: ''}"), "every series is dropped"),
        (target("{label: b, replacement: $1x}"), "nothing in place of ${1x}"),
        ("graphName: x\nclasses: [{color: red}]", "classes[0]: left out: a class needs a name"),
        ("graphName: x\nclasses: [{name: a}]", "classes[0]: has no color"),
        ("clusterLevel: [{cluster: c}]", "clusterLevel[0].cluster: no traffic enters 'c'"),
    ],
)
def test_what_loads_but_will_not_do_what_it_seems_to_is_warned_of(text: str, expected: str) -> None:
    assert [warning for warning in warnings(text) if expected in warning]


@pytest.mark.parametrize("status", ["{value: ok}", "{value: failed, dangerRegex: ^failed$}"])
def test_a_constant_status_needs_no_expressions_and_may_match_one(status: str) -> None:
    assert warnings(rule(f"status: {status}")) == []


def test_a_share_of_exactly_one_can_be_reached() -> None:
    assert (
        warnings(
            rule(
                "status: {label: c, dangerRegex: x},"
                " notices: [{title: t, statusType: danger, severityThreshold: {error: 1}}]"
            )
        )
        == []
    )


def test_traffic_enters_a_cluster_that_a_literal_node_names() -> None:
    text = (
        cluster(rules=RULE % "")
        .replace("{label: a}", "{replacement: c}")
        .replace("{label: b}", "{replacement: d}")
    )
    assert warnings(text) == []
    assert "no traffic enters 'e'" in warnings(text.replace("{cluster: c,", "{cluster: e,"))[0]


# The list of keys


def test_each_attribute_of_the_model_has_a_key() -> None:
    not_in_the_file = {"id", "text", "warnings", "header", "directory"}
    for shape, keys in SHAPES.items():
        attributes = {field.name for field in attrs.fields(shape)}
        assert {key.attribute for key in keys.values()} == attributes - not_in_the_file
    classes = {
        value for value in vars(configuration_model).values() if isinstance(value, type) and attrs.has(value)
    }
    assert classes - set(SHAPES) <= {Problem, MarkedFrom}
    assert Configuration in SHAPES
