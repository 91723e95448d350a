"""Who was there at some time in a window, and the most that one edge had: by DuckDB over the log.

A peak is rounded up to a millionth of a request per second: rates are added as whole millionths, each
rounded up, so the sum is exact in any order, and no edge of the window exceeds its level's peak.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from vistio_core.configuration.model import Configuration
from vistio_core.graph.topology import Sighting, Topology, topology_of
from vistio_core.replay.duckdb_session import DuckDBSession

_WINDOW = "instant >= make_timestamptz($start_ms * 1000) and instant < make_timestamptz($end_ms * 1000)"
# A supplement without its scrape counts for nothing.
_SCRAPED = f"(select distinct instant, writer from scrapes where {_WINDOW} and supplement = 0)"

_PEAKS_QUERY = f"""
    select cluster, max(millionths) / 1e6 as peak_rps from (
        select instant, cluster, source, target, sum(ceil(greatest(rate, 0) * 1e6)::bigint) as millionths
        from samples semi join {_SCRAPED} using (instant, writer)
        where {_WINDOW}
        group by all
    ) group by cluster
"""
_SIGHTINGS_QUERY = f"""
    select distinct cluster, rule, source, coalesce(target, '') as target
    from samples semi join {_SCRAPED} using (instant, writer) where {_WINDOW}
    union
    select distinct cluster, rule, source, coalesce(target, '') as target
    from measurements semi join {_SCRAPED} using (instant, writer) where {_WINDOW}
"""
_CONFIGURATIONS_QUERY = f"""
    select configuration from scrapes where {_WINDOW} and supplement = 0
    group by configuration order by max(instant) desc, configuration
"""


def union(
    session: DuckDBSession,
    uris: Sequence[str],
    window_ms: tuple[int, int],
    configuration: Callable[[str], Configuration],
) -> Topology:
    """The union of all graphs of a window.

    Args:
        session: where the queries run.
        uris: the files that hold the window, none superseded.
        window_ms: start and end.
        configuration: from a hash to the configuration.
    """
    window = {"start_ms": window_ms[0], "end_ms": window_ms[1]}
    peaks = session.table(_PEAKS_QUERY, uris, window).to_pylist()
    columns = session.table(_SIGHTINGS_QUERY, uris, window).to_pydict().values()
    hashes = session.table(_CONFIGURATIONS_QUERY, uris, window)["configuration"].to_pylist()
    return topology_of(
        (Sighting(*row) for row in zip(*columns, strict=True)),
        {row["cluster"]: row["peak_rps"] for row in peaks},
        [configuration(each) for each in hashes],
    )
