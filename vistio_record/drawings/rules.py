"""The rules that drawings could have been drawn by, and drawings as scrapes of these. Pure.

A recording keeps what rules saw, with the configuration that they stand in. Of drawings neither is known, so both are
made: a level's edges of one kind (`drawing.EdgeKind`) are what one rule saw, and its statuses are the three classes.

    cart > db     normal 9  danger 1  a notice      rule drawn-1f0c..., with the notice at any share of danger
    cart > users  normal 5                          rule drawn-77ab... no notice

Such a rule was answered wherever its level was drawn. Its name follows from its kind alone, so that a later import says
the same by the same name. Nobody is ever asked by it.
"""

from __future__ import annotations

import hashlib
import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

import attrs

from vistio_core.configuration import Configuration, loads
from vistio_core.configuration.model import Severity
from vistio_core.errors import ConfigurationError
from vistio_core.events import GLOBAL_LEVEL, Measurement, Outcome, RuleOutcome, Sample, Scrape
from vistio_record.drawings.drawing import DEFAULT, Drawing, DrawnLevel, EdgeKind, NoDrawingError, NoticeKind

MEASURE = "notice_severity"
"""What a notice on a node is recorded as: 1 info, 2 warning, 3 error."""
NOT_TOLD = "nothing is drawn of this level: no traffic, or a query failed; Vistio drew both alike"
_STATUSES = ("normal", "warning", "danger")
_MOST_KINDS = 300
_MOST_KINDS_WITH_NOTICES = 200
_MOST_TURNS = 20
_TOO_MANY = "a notice of one kind too many"

_QUERY = "drawn_by_vistio"
_SERVER = "http://drawn-by-vistio.invalid"
"""Nobody can have this name (RFC 2606), so nobody is asked."""
# From which share on a notice is raised: any, so the smallest number. What its threshold was is not known.
_ANY_SHARE = math.ulp(0.0)
_STATUS = {"label": "drawn", "warningRegex": "^warning$", "dangerRegex": "^danger$"}
_SEVERITIES = ("info", "warning", "error")

NodeKind = tuple[str, str]


@attrs.define
class _LevelKinds:
    """What was found of one level in all drawings; the values are rules' names."""

    max_volume: float = 0.0
    edges: dict[EdgeKind, str] = attrs.field(factory=dict)
    nodes: dict[NodeKind, str] = attrs.field(factory=dict)

    @property
    def rules(self) -> list[str]:
        return [*self.edges.values(), *self.nodes.values()]


@attrs.define
class Kinds:
    """Everything that rules are needed for. Drawings are added first; then each of them is made a scrape."""

    _levels: dict[str, _LevelKinds] = attrs.field(factory=lambda: {GLOBAL_LEVEL: _LevelKinds()})
    _total: int = 0
    _made: dict[str, Configuration] = attrs.field(factory=dict)

    def add(self, drawing: Drawing) -> None:
        """Take up what a drawing needs, as long as there is room for it."""
        for level in drawing.levels:
            kinds = self._levels.setdefault(level.cluster, _LevelKinds())
            kinds.max_volume = level.max_volume or kinds.max_volume
            for edge in level.edges:
                if edge.kind not in kinds.edges:
                    self._add_edge_kind(kinds, edge.kind)
            # No configuration has a rule for notices on nodes of the global level.
            for notice in level.notices if level.cluster != GLOBAL_LEVEL else ():
                if notice.kind not in kinds.nodes and self._total < _MOST_KINDS_WITH_NOTICES:
                    kinds.nodes[notice.kind] = _name("drawn-notice", notice.kind)
                    self._total += 1

    def _add_edge_kind(self, kinds: _LevelKinds, wanted: EdgeKind) -> None:
        for kind in wanted.plainer():
            if kind in kinds.edges:
                return
            if kind == EdgeKind(turn=kind.turn):
                room = kind.turn < _MOST_TURNS
            else:
                room = self._total < (_MOST_KINDS_WITH_NOTICES if kind.notices else _MOST_KINDS)
            if room:
                kinds.edges[kind] = _name("drawn", kind)
                self._total += 1
                return

    def configuration(self, drawing: Drawing) -> Configuration:
        """The one that this drawing, which was added, could have been drawn by.

        Raises:
            NoDrawingError: it has names that no configuration takes.
        """
        text = "".join(self._text(drawing))
        if text not in self._made:
            try:
                self._made[text] = loads(text, "the drawings' rules")
            except ConfigurationError as error:
                raise NoDrawingError(
                    f"no configuration could have it: {error.problems[0].message}"
                ) from error
        return self._made[text]

    def _text(self, drawing: Drawing) -> Iterator[str]:
        volumes = {level.cluster: level.max_volume for level in drawing.levels if level.max_volume}
        yield "# Made of what Vistio drew, by vistio-record import-vistio. These rules are never asked.\n"
        yield f"graphName: {_quoted(drawing.name or 'vistio')}\n"
        for cluster, kinds in sorted(self._levels.items()):
            volume = volumes.get(cluster, kinds.max_volume)
            if cluster == GLOBAL_LEVEL:
                yield f"globalLevel:\n  maxVolume: {volume!r}\n  clusterConnections:\n"
                yield from _listed(_edge_rules(kinds.edges))
                yield "clusterLevel:\n" if len(self._levels) > 1 else ""
            else:
                yield f"- cluster: {_quoted(cluster)}\n  maxVolume: {volume!r}\n  serviceConnections:\n"
                yield from _listed(_edge_rules(kinds.edges))
                yield "  serviceNotices:\n" if kinds.nodes else ""
                yield from _listed(_notice_rules(kinds.nodes))
        if drawing.classes:
            yield "classes:\n"
            yield from _listed({"name": name, "color": color} for name, color in drawing.classes)

    def scrape(self, drawing: Drawing, interval_ms: int, configuration: str) -> Scrape:
        """A drawing that was added, as what its rules saw.

        Args:
            drawing: it.
            interval_ms: when the next one was due.
            configuration: hash of `configuration`.

        Raises:
            NoDrawingError: it shows nothing at all.
        """
        drawn = {level.cluster: level for level in drawing.levels}
        outcomes: list[RuleOutcome] = []
        samples: list[Sample] = []
        measurements: list[Measurement] = []
        for cluster, kinds in sorted(self._levels.items()):
            level = drawn.get(cluster)
            if level is None or not level.told:
                outcomes += [RuleOutcome(cluster, rule, Outcome.FAILED, NOT_TOLD) for rule in kinds.rules]
                continue
            seen, dropped = Counter[str](), Counter(level.dropped)
            samples += _samples(level, kinds, seen, dropped)
            measurements += _measurements(level, kinds, seen, dropped)
            for place, rule in enumerate(kinds.rules):
                left_out = dict(dropped) if place == 0 else {}  # whose they were is not known
                outcomes.append(RuleOutcome(cluster, rule, Outcome.OK, series=seen[rule], dropped=left_out))
        if not outcomes:
            raise NoDrawingError("nothing is drawn in it, nor in any other")
        return Scrape(
            drawing.instant_ms, interval_ms, configuration, tuple(outcomes), samples, tuple(measurements)
        )


def _samples(
    level: DrawnLevel, kinds: _LevelKinds, seen: Counter[str], dropped: Counter[str]
) -> Iterator[Sample]:
    for edge in level.edges:
        kind = next((kind for kind in edge.kind.plainer() if kind in kinds.edges), None)
        if kind is None:
            dropped["a connection drawn too many times"] += 1
            continue
        if len(kind.notices) < len(edge.kind.notices):
            dropped[_TOO_MANY] += len(edge.kind.notices)
        rule = kinds.edges[kind]
        seen[rule] += 1
        for status, rate in zip(_STATUSES, edge.rates, strict=True):
            if rate or (status == "normal" and not any(edge.rates)):
                yield Sample(level.cluster, rule, edge.source, edge.target, status, rate)


def _measurements(
    level: DrawnLevel, kinds: _LevelKinds, seen: Counter[str], dropped: Counter[str]
) -> Iterator[Measurement]:
    rules = kinds.nodes
    worst: dict[tuple[str, NodeKind, str], int] = {}
    for notice in level.notices:
        if notice.kind not in rules:
            dropped[_TOO_MANY if level.cluster != GLOBAL_LEVEL else "a notice on a cluster"] += 1
            continue
        key = notice.node, notice.kind, notice.title
        worst[key] = max(worst.get(key, 0), notice.severity + 1)
    for (node, kind, title), value in worst.items():
        seen[rules[kind]] += 1
        yield Measurement(level.cluster, rules[kind], node, "", MEASURE, float(value), (("title", title),))


# -- the configuration's text


def _edge_rules(kinds: Mapping[EdgeKind, str]) -> Iterator[dict[str, object]]:
    for kind, name in sorted(kinds.items(), key=lambda item: item[1]):
        yield {
            "name": name,
            "query": _QUERY,
            "prometheusURL": _SERVER,
            "source": _end("source", kind.source_class),
            "target": _end("target", kind.target_class),
            "status": _STATUS,
            **({"notices": [_notice(each) for each in kind.notices]} if kind.notices else {}),
        }


def _end(label: str, node_class: str) -> dict[str, object]:
    return {"label": label} if node_class == DEFAULT else {"label": label, "class": node_class}


def _notice(kind: NoticeKind) -> dict[str, object]:
    return {
        "title": kind.title,
        **_second(kind.subtitle, kind.link),
        "statusType": kind.status_type.value,
        "severityThreshold": {_SEVERITIES[kind.severity]: _ANY_SHARE},
    }


def _notice_rules(kinds: Mapping[NodeKind, str]) -> Iterator[dict[str, object]]:
    for (subtitle, link), name in sorted(kinds.items(), key=lambda item: item[1]):
        yield {
            "name": name,
            "title": "{{ .title }}",
            **_second(subtitle, link),
            "query": _QUERY,
            "prometheusURL": _SERVER,
            "service": {"label": "service"},
            "severityThreshold": {_SEVERITIES[each]: each + 1 for each in Severity},
        }


def _second(subtitle: str, link: str) -> dict[str, object]:
    # Without a link a notice would lead to its query, and there is none to be asked.
    return {**({"subtitle": subtitle} if subtitle else {}), "link": link or "#"}


def _name(kind: str, of: object) -> str:
    return f"{kind}-{hashlib.sha256(repr(of).encode(errors='surrogatepass')).hexdigest()[:12]}"


def _listed(items: Iterable[Mapping[str, object]]) -> Iterator[str]:
    for item in items:
        yield f"  - {_flow(item)}\n"


def _flow(value: object) -> str:
    """A value as YAML in one line; texts in quotes, with nothing in them that is not printable ASCII."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key}: {_flow(each)}" for key, each in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_flow, value)) + "]"
    return _quoted(value) if isinstance(value, str) else repr(value)


def _quoted(text: str) -> str:
    return '"' + "".join(map(_escaped, text)) + '"'


def _escaped(character: str) -> str:
    if " " <= character <= "~":
        return f"\\{character}" if character in '"\\' else character
    return f"\\U{ord(character):08X}"
