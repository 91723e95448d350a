"""Which names a recording ever had: one that it never had is a mistake of who asks, not an hour without traffic."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

from vistio_core.cache import Cache
from vistio_core.configuration.model import Configuration
from vistio_core.errors import RecordingError, UnknownNameError
from vistio_core.judging.minutes import SubjectKey
from vistio_core.judging.rulebook import Rulebook
from vistio_core.judging.seen import tellers
from vistio_core.judging.subject import Subject
from vistio_core.names import nearest
from vistio_core.replay.pieces import WINDOW
from vistio_core.replay.rollups.hours import Rollups, hours_of
from vistio_core.replay.rollups.subjects import SubjectRollup
from vistio_core.replay.scans import Scans
from vistio_core.storage.catalog import END_MS
from vistio_core.storage.configurations import configuration_hashes
from vistio_core.storage.layout import EventsName, subjects_name
from vistio_core.storage.listing import Listing
from vistio_core.storage.log import Log
from vistio_core.storage.store import Store
from vistio_core.times import HOUR_MS

_ITS = "(source = $name or target = $name) and ($cluster is null or cluster = $cluster)"
_SEEN_QUERY = f"select 1 from samples where {_ITS} union all select 1 from measurements where {_ITS} limit 1"
_NAMES_QUERY = f"""
    with rows as (
        select instant, cluster, source, target from samples
        union all select instant, cluster, source, target from measurements
    )
    select distinct cluster, unnest([source, coalesce(target, source)]) as name from rows where {WINDOW}
"""
_FOUND_S = 60.0
"""For how long a name that was found is known: a page asks about the one that it shows each few seconds."""
_MOST_FOUND = 10_000


class KnownNames:
    """Clusters and nodes of a recording."""

    def __init__(
        self,
        store: Store,
        log: Log,
        scans: Scans,
        rollups: Rollups,
        configuration: Callable[[str], Configuration],
        monotonic_s: Callable[[], float] = time.monotonic,
    ) -> None:
        """Of none yet; ``monotonic_s`` says how long ago one was found."""
        self._rollups = rollups
        self._store = store
        self._log = log
        self._scans = scans
        self._configuration = configuration
        self._found: Cache[Subject, bool] = Cache(
            _MOST_FOUND, lambda _: 1, lasts_s=lambda _: _FOUND_S, monotonic_s=monotonic_s
        )

    def require(self, subject: Subject) -> None:
        """Refuse a subject that has a name of which nothing was ever recorded, nor could be.

        To look for names takes a listing of the whole log, so those that were found are known for a minute: only
        retention makes them unknown. Those that were not found may come with the next commit.

        Raises:
            UnknownNameError: offers those that are nearest to it.
        """
        if subject != Subject() and not self._found.get(subject):
            self._look_for(subject)
            self._found.put(subject, True)

    def _look_for(self, subject: Subject) -> None:
        rulebooks = list(self._rulebooks())
        cluster = subject.cluster
        clusters = sorted({level.cluster for each in rulebooks for level in each.configuration.clusters})
        if cluster and cluster not in clusters:
            raise UnknownNameError("cluster", cluster, nearest(cluster, clusters))
        # Names that rules give: they are known, be they answered or not.
        given = {
            name
            for each in rulebooks
            for rule in tellers(each).values()
            if cluster in (None, rule.cluster)
            for name in (rule.source, rule.target)
        }
        for name in (subject.source, subject.target, subject.node):
            if name is not None and name not in given and not self._has(name, cluster):
                known = {*self._nodes(cluster), *filter(None, given)}
                raise UnknownNameError("node", name, nearest(name, sorted(known)), cluster)

    def _rulebooks(self) -> Iterator[Rulebook]:
        for known in configuration_hashes(self._store):
            try:
                yield Rulebook(self._configuration(known))
            except RecordingError:
                continue  # `verify` names it

    def _has(self, name: str, cluster: str | None) -> bool:
        if self._log.read(0, END_MS, lambda listing: self._is_in(listing, name, cluster)):
            return True
        return name in self._nodes(cluster)  # who was only measured is in no rollup

    def _is_in(self, listing: Listing, name: str, cluster: str | None) -> bool:
        """Whether a listing has traffic or measurements of this node; the newest hours are asked first."""
        unsealed: list[EventsName] = []
        for hour in reversed(hours_of(self._store, self._rollups, listing)):
            found = (
                None if hour.rollup is None else self._in_rollup(subjects_name(hour.rollup), name, cluster)
            )
            if found:
                return True
            if found is None:
                unsealed += hour.names
        return bool(unsealed) and self._in_log(listing.only(unsealed), name, cluster)

    def _in_rollup(self, rollup: str, node: str, cluster: str | None) -> bool | None:
        """None where it cannot be read."""
        try:
            whose = SubjectRollup(self._store, rollup).find(SubjectKey("node", node, ""))
        except (OSError, ValueError):
            return None
        return any(cluster in (None, each.cluster) for each in whose)

    def _in_log(self, listing: Listing, name: str, cluster: str | None) -> bool:
        parameters = {"name": name, "cluster": cluster}
        rows: int = self._scans.scan(
            listing, lambda uris: self._scans.session.table(_SEEN_QUERY, uris, parameters).num_rows
        )
        return rows > 0

    def _nodes(self, cluster: str | None) -> list[str]:
        """Who was there in the newest hour."""
        span = self._log.span()
        if span is None:
            return []
        table = self._scans.table(_NAMES_QUERY, span[1] - HOUR_MS, span[1] + 1)
        rows = zip(*(table[column].to_pylist() for column in ("cluster", "name")), strict=True)
        return sorted({name for of, name in rows if cluster in (None, of)})
