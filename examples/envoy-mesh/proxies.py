"""The configuration of each Envoy, as Envoy reads it from a file. Pure.

Beside a service an Envoy has two listeners: *inbound* passes on to the service what others send to it, *outbound* takes
what the service sends to others. So each request is counted twice, as in any mesh of sidecars: by the caller's
Envoy in ``envoy_cluster_upstream_rq``, whose cluster is the called service, and by the called one's in
``envoy_http_downstream_rq_xx`` of the listener ``inbound``, which does not know who called.

The faults `abort` and `delay` wait in the inbound listener, and are set while Envoy runs by its runtime.
"""

from __future__ import annotations

from typing import Any

from plan import INGRESS, Plan, called_by

_FILTERS = "type.googleapis.com/envoy.extensions.filters"
_ROUTE_TIMEOUT_S = 2
_NEVER = {"numerator": 0, "denominator": "HUNDRED"}

Json = dict[str, Any]


def configuration(plan: Plan, name: str) -> Json:
    """The bootstrap of the Envoy beside this service, or of the ingress."""
    ports = plan.proxies[name]
    called = {target: plan.network[f"{name}>{target}"] for target in called_by(name)}
    if name == INGRESS:
        listeners = [_listener("ingress_http", ports.inbound, [_host("*", "productpage")])]
        local = {}
    else:
        own = _host("*", "local_app")
        listeners = [
            _listener("inbound", ports.inbound, [own], filters=[_fault()]),
            _listener("outbound", ports.outbound, [_host(target, target) for target in called]),
        ]
        local = {"local_app": plan.services[name]}
    return {
        "admin": {"address": _address(ports.admin)},
        "node": {"id": name, "cluster": name},
        # Histograms, of which latencies come, are brought up to date at each flush only.
        "stats_flush_interval": "0.5s",
        "layered_runtime": {"layers": [{"name": "faults", "admin_layer": {}}]},
        "static_resources": {
            "listeners": listeners,
            "clusters": [_cluster(target, port) for target, port in {**local, **called}.items()],
        },
    }


def runtime(*, abort_percent: int = 0, abort_status: int = 503, delay_ms: int = 0) -> dict[str, str]:
    """What an Envoy's ``/runtime_modify`` must be told for these faults, or with no argument for none."""
    return {
        "fault.http.abort.abort_percent": str(abort_percent),
        "fault.http.abort.http_status": str(abort_status),
        "fault.http.delay.fixed_delay_percent": "100" if delay_ms else "0",
        "fault.http.delay.fixed_duration_ms": str(delay_ms),
    }


def _listener(stat_prefix: str, port: int, hosts: list[Json], filters: list[Json] | None = None) -> Json:
    router = {
        "name": "envoy.filters.http.router",
        "typed_config": {"@type": f"{_FILTERS}.http.router.v3.Router"},
    }
    manager = {
        "@type": f"{_FILTERS}.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": stat_prefix,
        "route_config": {"virtual_hosts": hosts},
        "http_filters": [*(filters or []), router],
    }
    chain = {"filters": [{"name": "envoy.filters.network.http_connection_manager", "typed_config": manager}]}
    return {
        "address": _address(port),
        # With it a second mesh could listen on the same port, and would get half of the requests.
        "enable_reuse_port": False,
        "filter_chains": [chain],
    }


def _host(domain: str, cluster: str) -> Json:
    route = {"match": {"prefix": "/"}, "route": {"cluster": cluster, "timeout": f"{_ROUTE_TIMEOUT_S}s"}}
    return {"name": domain, "domains": [domain], "routes": [route]}


def _fault() -> Json:
    return {
        "name": "envoy.filters.http.fault",
        "typed_config": {
            "@type": f"{_FILTERS}.http.fault.v3.HTTPFault",
            "abort": {"http_status": 503, "percentage": _NEVER},
            "delay": {"fixed_delay": "0.001s", "percentage": _NEVER},
        },
    }


def _cluster(name: str, port: int) -> Json:
    endpoint = {"endpoint": {"address": _address(port)}}
    return {
        "name": name,
        "type": "STATIC",
        "connect_timeout": "1s",
        "load_assignment": {"cluster_name": name, "endpoints": [{"lb_endpoints": [endpoint]}]},
    }


def _address(port: int) -> Json:
    return {"socket_address": {"address": "127.0.0.1", "port_value": port}}
