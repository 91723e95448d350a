"""Configuration: which queries make the graph, how their series name nodes, what is bad.

    configuration = load("vistio.yaml")
    for cluster, rule in configuration.rules(): ...

`model` has the values and is the place to start reading; `loading` makes them from a file;
`mapping` and `templates` apply them.
"""

from vistio_core.configuration.http_config import HttpConfig, ServerSettings
from vistio_core.configuration.loading import load, load_http_config, loads
from vistio_core.configuration.mapping import Dropped, NodeNamer, StatusClass, StatusClassifier, StatusNamer
from vistio_core.configuration.model import (
    DEFAULT_CLASS,
    ClusterLevel,
    Configuration,
    ConnectionNotice,
    ConnectionRule,
    GlobalLevel,
    MeasurementRule,
    Merge,
    NodeMapping,
    Rule,
    ServiceNoticeRule,
    SeverityThreshold,
    StatusMapping,
    StatusType,
    Witness,
    mappings_of,
)
from vistio_core.configuration.templates import query_link, render_title, severity_of

__all__ = [
    "DEFAULT_CLASS",
    "ClusterLevel",
    "Configuration",
    "ConnectionNotice",
    "ConnectionRule",
    "Dropped",
    "GlobalLevel",
    "HttpConfig",
    "MeasurementRule",
    "Merge",
    "NodeMapping",
    "NodeNamer",
    "Rule",
    "ServerSettings",
    "ServiceNoticeRule",
    "SeverityThreshold",
    "StatusClass",
    "StatusClassifier",
    "StatusMapping",
    "StatusNamer",
    "StatusType",
    "Witness",
    "load",
    "load_http_config",
    "loads",
    "mappings_of",
    "query_link",
    "render_title",
    "severity_of",
]
