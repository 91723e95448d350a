"""Each value at its key path: the YAML values, cut to the keys that are known.

Here it is decided what happens to everything that Vistio loads although it can do nothing with
it: ignored keys, notices that can never be raised, a status without a label. Such things are
left out, each with a warning. What is left goes to `structure`.
"""

from __future__ import annotations

import re
from typing import TypeAlias

import attrs

from vistio_core.configuration import model
from vistio_core.configuration.keys import SHAPES, explain_ignored
from vistio_core.configuration.model import NodeClass
from vistio_core.configuration.yaml_lines import Items, Located, Scalar, Table, join
from vistio_core.errors import Problem

MAX_VALUES = 200_000
"""Anchors that refer to anchors can write down astronomically many values in a few lines."""

_PLACE_IDS: dict[type | None, str] = {
    model.ConnectionRule: "connection",
    model.ServiceNoticeRule: "notice",
    model.MeasurementRule: "measurement",
}
_PLACE_ID = re.compile(rf"({'|'.join(_PLACE_IDS.values())})-\d+")
_RULE_LISTS = (
    "clusterConnections",
    "clusterMeasurements",
    "serviceConnections",
    "serviceNotices",
    "serviceMeasurements",
)


@attrs.define(eq=False)
class Placed:
    """A value and where it stands."""

    path: str
    line: int
    content: Content
    ignored: tuple[tuple[str, int], ...] = ()
    """Ignored keys of a mapping, with their lines."""

    @property
    def table(self) -> dict[str, Placed]:
        """The entries of a mapping; empty for anything else."""
        return self.content if isinstance(self.content, dict) else {}

    @property
    def items(self) -> list[Placed]:
        """The items of a list; empty for anything else."""
        return self.content if isinstance(self.content, list) else []

    @property
    def text(self) -> str:
        """The text of a scalar; empty for anything else."""
        return self.content.text if isinstance(self.content, Scalar) else ""


Content: TypeAlias = Scalar | Items | Table | dict[str, Placed] | list[Placed]
"""A mapping or list that the format expects at its place is opened; anything else stays as it was found."""


class TooManyValuesError(Exception):
    """More than `MAX_VALUES` values, anchors written out."""


class Placer:
    """Opens the YAML values along the format's shapes; collects ``warnings`` on the way."""

    def __init__(self) -> None:
        self.warnings: list[Problem] = []
        self._count = 0

    def place(
        self, value: Located, shape: type | None, path: str, *, many: bool = False, named: bool = False
    ) -> Placed:
        """``value`` with its path, opened if it is what ``shape`` says.

        Raises:
            TooManyValuesError: see there.
        """
        self._count += 1
        if self._count > MAX_VALUES:
            raise TooManyValuesError
        if named and isinstance(value, Table):
            entries = value.entries.items()
            opened = {name: self.place(each, shape, join(path, name), many=many) for name, each in entries}
            return Placed(path, value.line, opened)
        if many and isinstance(value, Items):
            items = [self.place(item, shape, f"{path}[{index}]") for index, item in enumerate(value.values)]
            if (prefix := _PLACE_IDS.get(shape)) is not None:
                # Before any is left out: a rule's place in the file is its id.
                _add_place_ids(items, prefix)
            return Placed(path, value.line, [item for item in items if self._can_matter(item, shape)])
        if not many and shape is not None and isinstance(value, Table):
            return self._open(value, shape, path)
        return Placed(path, value.line, value)

    def _open(self, table: Table, shape: type, path: str) -> Placed:
        entries: dict[str, Placed] = {}
        ignored: list[tuple[str, int]] = []
        for key, value in table.entries.items():
            known = SHAPES[shape].get(key)
            if known is None:
                if shape is model.Configuration and key.startswith("x-"):
                    continue  # as in Compose files: a place to define anchors
                ignored.append((key, table.key_lines[key]))
                self._warn(join(path, key), table.key_lines[key], explain_ignored(shape, key))
            elif not (isinstance(value, Scalar) and value.is_null):
                entries[key] = self.place(
                    value, known.shape, join(path, key), many=known.many, named=known.named
                )
        placed = Placed(path, table.line, entries, tuple(ignored))
        if shape in (model.GlobalLevel, model.ClusterLevel):
            _make_ids_unique(placed)
        if shape in (model.ConnectionNotice, model.ServiceNoticeRule):
            self._complete_notice(placed)
        if shape is NodeClass and "color" not in entries and "name" in entries:
            why = f"has no color; drawn as {model.DEFAULT_CLASS.color}, add color: ..."
            self._warn(path, table.line, why)
            entries["color"] = Placed(path, table.line, Scalar(model.DEFAULT_CLASS.color, table.line))
        if shape is model.ConnectionRule and "status" in entries:
            self._leave_out_no_status(placed)
        return placed

    def _can_matter(self, item: Placed, shape: type | None) -> bool:
        """Whether the model has a place for it; a warning says why not."""
        if not isinstance(item.content, dict):
            return True  # refused later
        if shape is model.ServiceNoticeRule and "service" not in item.table:
            why = "left out: without service no node gets it; add service: {label: ...}"
        elif shape is model.ConnectionNotice and "statusType" not in item.table:
            why = "left out: without statusType it is never raised; add statusType: danger, or warning"
        elif shape is NodeClass and not item.table.get("name", item).text:
            why = "left out: a class needs a name"
        else:
            return True
        self._warn(item.path, item.line, why)
        return False

    def _complete_notice(self, notice: Placed) -> None:
        if "title" not in notice.table:
            self._warn(
                notice.path,
                notice.line,
                'has no title; add one, such as title: "[{{ .value }}] High error rate"',
            )
            notice.table["title"] = Placed(join(notice.path, "title"), notice.line, Scalar("", notice.line))
        if "severityThreshold" not in notice.table:
            why = "is never raised: no severityThreshold; add severityThreshold: {warning: ..., error: ...}"
            self._warn(notice.path, notice.line, why)
            path = join(notice.path, "severityThreshold")
            notice.table["severityThreshold"] = Placed(path, notice.line, {})

    def _leave_out_no_status(self, rule: Placed) -> None:
        """Vistio loads a status without label; with a key that only we know it is refused later."""
        status = rule.table["status"]
        new = status.table.keys() & {"labels", "template", "value", "default"}
        if isinstance(status.content, dict) and not new and not status.table.get("label", status).text:
            self._warn(
                status.path, status.line, "left out: without label all traffic is normal; add label: ..."
            )
            del rule.table["status"]

    def _warn(self, path: str, line: int, message: str) -> None:
        self.warnings.append(Problem(path, message, line))


def _add_place_ids(rules: list[Placed], prefix: str) -> None:
    for index, rule in enumerate(rules):
        if isinstance(rule.content, dict):
            rule.content["id"] = Placed(rule.path, rule.line, Scalar(f"{prefix}-{index}", rule.line))


def _make_ids_unique(level: Placed) -> None:
    """Gives each rule its name as id, unless another one of the level has it already."""
    taken: set[str] = set()
    for key in _RULE_LISTS:
        for rule in level.table[key].items if key in level.table else ():
            name = rule.table["name"].text if "name" in rule.table else ""
            # A name that looks like a place might be another rule's place.
            if name and name not in taken and not _PLACE_ID.fullmatch(name):
                taken.add(name)
                rule.table["id"] = Placed(rule.path, rule.line, Scalar(name, rule.line))
