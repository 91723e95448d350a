"""The keys of the file format, and how they relate to the classes of `model`.

This is the only list of them: the loader, its suggestions and the test of
``docs/configuration.md`` all read it.
"""

from __future__ import annotations

from difflib import get_close_matches
from types import MappingProxyType
from typing import TYPE_CHECKING

import attrs

from vistio_core.configuration import http_config, model
from vistio_core.configuration.model import NodeClass

if TYPE_CHECKING:
    from collections.abc import Mapping


@attrs.frozen
class Key:
    """What stands at a key."""

    attribute: str
    """The attribute of the model class that it becomes."""
    shape: type | None = None
    """The model class of the mapping, or of each mapping in the list; None for scalars."""
    many: bool = False
    """Whether it is a list."""
    named: bool = False
    """Whether it is a mapping from names of the user's choice to such values."""


def _same(*names: str) -> Mapping[str, Key]:
    """Scalars whose attributes are called like their keys."""
    return {name: Key(name) for name in names}


_TEXT = {
    "label": Key("label"),
    "labels": Key("labels", many=True),
    "template": Key("template"),
    "default": Key("default"),
}
_NODE = _TEXT | {
    "regex": Key("regex"),
    "replacement": Key("replacement"),
    "class": Key("node_class"),
}
_RULE = {"name": Key("name"), "query": Key("query"), "prometheusURL": Key("prometheus_url")}
_NOTICE = {
    "name": Key("name"),
    "title": Key("title"),
    "subtitle": Key("subtitle"),
    "link": Key("link"),
    "severityThreshold": Key("severity_threshold", model.SeverityThreshold),
}

SHAPES: Mapping[type, Mapping[str, Key]] = MappingProxyType(
    {
        model.Configuration: {
            "graphName": Key("graph_name"),
            "globalLevel": Key("global_level", model.GlobalLevel),
            "clusterLevel": Key("clusters", model.ClusterLevel, many=True),
            "classes": Key("classes", NodeClass, many=True),
            "prometheusURL": Key("prometheus_url"),
            "http_config": Key("http_config", http_config.HttpConfig),
            "servers": Key("servers", http_config.ServerSettings, many=True),
        },
        model.GlobalLevel: {
            "maxVolume": Key("max_volume"),
            "clusterConnections": Key("rules", model.ConnectionRule, many=True),
            "clusterMeasurements": Key("measurements", model.MeasurementRule, many=True),
        },
        model.ClusterLevel: {
            "cluster": Key("cluster"),
            "maxVolume": Key("max_volume"),
            "serviceConnections": Key("rules", model.ConnectionRule, many=True),
            "serviceNotices": Key("notices", model.ServiceNoticeRule, many=True),
            "serviceMeasurements": Key("measurements", model.MeasurementRule, many=True),
        },
        model.ConnectionRule: _RULE
        | {
            "source": Key("source", model.NodeMapping),
            "target": Key("target", model.NodeMapping),
            "status": Key("status", model.StatusMapping),
            "notices": Key("notices", model.ConnectionNotice, many=True),
            "witness": Key("witness"),
        },
        model.ServiceNoticeRule: _RULE | _NOTICE | {"service": Key("service", model.NodeMapping)},
        model.MeasurementRule: _RULE
        | {
            "measure": Key("measure"),
            "source": Key("source", model.NodeMapping),
            "target": Key("target", model.NodeMapping),
            "service": Key("service", model.NodeMapping),
            "merge": Key("merge"),
            "witness": Key("witness"),
        },
        model.ConnectionNotice: _NOTICE | {"statusType": Key("status_type")},
        model.NodeMapping: _NODE,
        model.StatusMapping: _TEXT
        | {
            "value": Key("value"),
            "warningRegex": Key("warning_regex"),
            "dangerRegex": Key("danger_regex"),
        },
        model.SeverityThreshold: {"info": Key("info"), "warning": Key("warning"), "error": Key("error")},
        NodeClass: {"name": Key("name"), "color": Key("color")},
        http_config.ServerSettings: {
            "url": Key("url"),
            "method": Key("method"),
            "http_config": Key("http_config", http_config.HttpConfig),
        },
        http_config.HttpConfig: {
            "basic_auth": Key("basic_auth", http_config.BasicAuth),
            "authorization": Key("authorization", http_config.Authorization),
            "tls_config": Key("tls_config", http_config.TlsConfig),
            "proxy_url": Key("proxy_url"),
            "no_proxy": Key("no_proxy"),
            "proxy_from_environment": Key("proxy_from_environment"),
            "proxy_connect_header": Key("proxy_connect_header", many=True, named=True),
            "http_headers": Key("http_headers", http_config.HttpHeader, named=True),
            "follow_redirects": Key("follow_redirects"),
        },
        http_config.BasicAuth: _same(
            "username", "username_file", "password", "password_file", "password_env"
        ),
        http_config.Authorization: _same("type", "credentials", "credentials_file", "credentials_env"),
        http_config.TlsConfig: _same(
            *("ca", "ca_file", "cert", "cert_file", "key", "key_file"),
            *("server_name", "insecure_skip_verify", "min_version", "max_version"),
        ),
        http_config.HttpHeader: {
            "values": Key("values", many=True),
            "secrets": Key("secrets", many=True),
            "files": Key("files", many=True),
            "env": Key("env"),
        },
    }
)
"""Model class to the keys of its mapping in the file, in the order in which they are documented."""

_USE_THRESHOLD = "Vistio ignores it, so does vistio; write severityThreshold: {warning: ..., error: ...}"
_USE_VOLUME = "Vistio ignores it, so does vistio; give the scale as maxVolume, in requests per second"

LEGACY: Mapping[tuple[type, str], str] = MappingProxyType(
    {
        (model.Configuration, "clusters"): "a key of the first promviz; clusters now stand in clusterLevel,"
        " each with its name at the key cluster",
        (model.Configuration, "clusterConnections"): "a key of the first promviz; move it into globalLevel",
        (model.GlobalLevel, "maxVolumeRate"): _USE_VOLUME,
        (model.ClusterLevel, "maxVolumeRate"): _USE_VOLUME,
        (model.ConnectionNotice, "threshold"): _USE_THRESHOLD,
        (model.ConnectionNotice, "severity"): _USE_THRESHOLD,
        (model.ServiceNoticeRule, "threshold"): _USE_THRESHOLD,
        (model.ServiceNoticeRule, "severity"): _USE_THRESHOLD,
        (http_config.HttpConfig, "enable_http2"): "vistio asks by HTTP/1.1, so there is nothing to switch",
        (model.ServiceNoticeRule, "node"): "Vistio ignores it, so does vistio; its name now is service",
    }
)
"""Keys of older files that are ignored, with what stands in their place."""


def explain_ignored(shape: type, key: str) -> str:
    """Why ``key`` is ignored in a mapping of ``shape``, and what to write instead."""
    if (shape, key) in LEGACY:
        return f"ignored: {LEGACY[shape, key]}"
    if (meant := nearest(key, SHAPES[shape])) is not None:
        return f"ignored: unknown key; did you mean {meant}?"
    return f"ignored: unknown key; known here are {', '.join(SHAPES[shape])}"


def nearest(word: str, known: Mapping[str, object]) -> str | None:
    """The known word that ``word`` most probably is a misspelling of."""
    folded = {candidate.casefold(): candidate for candidate in known}
    close = get_close_matches(word.casefold()[:100], folded, n=1, cutoff=0.7)
    return folded[close[0]] if close else None
