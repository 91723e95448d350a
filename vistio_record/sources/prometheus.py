"""The traffic as one or more Prometheus-compatible servers see it.

All rules of a scrape are asked at the same time, under one deadline for the whole scrape. Each
rule has a thread of its own: with a pool, a thread that is stuck (in a host name's look-up, which
nothing can cut off) would keep the next scrape's rules waiting, and the process from ending.
"""

from __future__ import annotations

import logging
import math
import threading
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from functools import partial
from itertools import chain

import attrs
import msgspec

from vistio_core.configuration.model import Configuration, Rule
from vistio_core.errors import SourceError, UsageError
from vistio_core.events import Outcome, RuleKey, RuleOutcome
from vistio_core.samples import Samples
from vistio_record.sources import answer, http_api, http_errors, ranges
from vistio_record.sources.abortable import Call
from vistio_record.sources.base import Evaluation, SourceOptions
from vistio_record.sources.live_evidence import LiveEvidence
from vistio_record.sources.mapped import Mapped, mapper
from vistio_record.sources.probes import Batch, Probe
from vistio_record.sources.servers import Server, make_servers
from vistio_record.sources.settings import Settings
from vistio_record.sources.windows import Sampled, sampled

log = logging.getLogger(__name__)


class PrometheusSource:
    """Evaluates every rule's query by ``/api/v1/query`` at the server that the rule names."""

    answers_past = True

    def __init__(self, options: SourceOptions) -> None:
        """Reads the rules; contacts no server yet.

        Raises:
            UsageError: no configuration, a setting that is not known or not right, a
                ``prometheusURL`` that is not an address, or a secret or certificate that cannot be read.
        """
        if options.configuration is None:
            raise UsageError(
                "the source prometheus needs a configuration; name its file with --config FILE, or --preset NAME"
            )
        self.configuration: Configuration = options.configuration
        self._settings = Settings.read(options.settings)
        self._servers = make_servers(self.configuration)
        self._rules = [
            _Asked(cluster, rule, self._servers[rule.prometheus_url], mapper(cluster, rule))
            for cluster, rule in self.configuration.rules()
        ]
        self._lock = threading.Lock()
        self._running: Batch | None = None
        self._calls: set[Call] = set()
        self._closed = False
        self._evidence = LiveEvidence(self._servers, self)

    def evaluate(self, instant_ms: int, timeout_s: float) -> Evaluation:
        """As `vistio_record.sources.base.Source.evaluate`."""
        started_s = time.monotonic()
        probes = self.probe(instant_ms, timeout_s)
        left_s = timeout_s - (time.monotonic() - started_s)
        probes = self._evidence.of(probes, instant_ms, left_s)
        return Evaluation(
            tuple(probe.outcome for probe in probes),
            Samples.joined([probe.samples for probe in probes]),
            tuple(chain.from_iterable(probe.measurements for probe in probes)),
        )

    def probe(self, instant_ms: int, timeout_s: float) -> tuple[Probe, ...]:
        """Every rule's evaluation, in the configuration's order; none raises."""
        batch = Batch([Call(timeout_s) for _ in self._rules])
        with self._lock:
            if self._closed:
                batch.stop()
            self._running = batch
        try:
            for index in range(len(self._rules)):
                threading.Thread(
                    target=self._run,
                    args=(batch, index, instant_ms, timeout_s),
                    daemon=True,
                    name=f"rule-{index}",
                ).start()
            found = batch.collect(timeout_s)
        finally:
            batch.stop()
            with self._lock:
                self._running = None
        return tuple(found.get(index) or self._overdue(index, timeout_s) for index in range(len(self._rules)))

    @property
    def servers(self) -> tuple[Server, ...]:
        """Who is asked, in the order in which the rules name them."""
        return tuple(self._servers.values())

    def evaluate_range(
        self,
        instants: range,
        timeout_s: float,
        *,
        rules: Collection[RuleKey] | None = None,
        pause: Callable[[], None] = lambda: None,
    ) -> Iterator[tuple[int, Evaluation]]:
        """As `vistio_record.sources.base.AnswersRanges.evaluate_range`."""
        asked = [
            ranges.RangeRule(
                (one.cluster, one.rule.id), one.rule.query, one.server, partial(self._evaluation, one)
            )
            for one in self._rules
            if rules is None or (one.cluster, one.rule.id) in rules
        ]
        return ranges.evaluate(asked, instants, _Questions(self, timeout_s, pause))

    def example(self, metric: str, rule: Rule, instant_ms: int, timeout_s: float) -> dict[str, str] | None:
        """The labels of one series of ``metric`` at the rule's server; None when it has none.

        Raises:
            SourceError: the server does not say.
        """
        selector = msgspec.json.encode(metric).decode()
        asked = self._ask(
            self._servers[rule.prometheus_url],
            f"topk(1, {{__name__={selector}}})",
            instant_ms,
            Call(timeout_s),
        )
        return asked.series[0].labels if asked.series else None

    def series(
        self, promql: str, rule: Rule, instant_ms: int, timeout_s: float
    ) -> list[tuple[dict[str, str], float]]:
        """The answer of the rule's server to any question: labels and value, those that have a number.

        Raises:
            SourceError: the server does not say.
        """
        asked = self._ask(self._servers[rule.prometheus_url], promql, instant_ms, Call(timeout_s))
        found = [(one.labels, float(one.value[1])) for one in asked.series if one.value is not None]
        return [(labels, value) for labels, value in found if math.isfinite(value)]

    def sampled(self, rule: Rule, instant_ms: int, timeout_s: float) -> list[Sampled]:
        """How often that is scraped of which a rule's query takes rates.

        Raises:
            SourceError: the server does not say.
        """
        server, call = self._servers[rule.prometheus_url], Call(timeout_s)
        found = sampled(rule.query, lambda promql: self._ask(server, promql, instant_ms, call))
        return [each for each in found if each is not None]

    def metric_names(self, rule: Rule, timeout_s: float) -> list[str]:
        """Every metric name that the rule's server knows.

        Raises:
            SourceError: the server does not say.
        """
        body = http_api.request(
            self._servers[rule.prometheus_url],
            "/api/v1/label/__name__/values",
            None,
            Call(timeout_s),
            self._settings.max_bytes,
        )
        return answer.decode_names(body)

    def close(self) -> None:
        """As `vistio_record.sources.base.Source.close`."""
        with self._lock:
            self._closed = True
            if self._running is not None:
                self._running.stop()
            for call in self._calls:
                call.abort()
        for server in self._servers.values():
            server.close()

    @contextmanager
    def calling(self, timeout_s: float) -> Iterator[Call]:
        """A call that is cut off at its deadline, or when the source is closed."""
        call = Call(timeout_s)
        # A socket's own time-out limits a silence, not the exchange; see `abortable`.
        deadline = threading.Timer(timeout_s, call.abort)
        deadline.daemon = True
        with self._lock:
            if self._closed:
                call.abort()
            self._calls.add(call)
        deadline.start()
        try:
            yield call
        finally:
            deadline.cancel()
            with self._lock:
                self._calls.discard(call)

    def ask(self, server: Server, promql: str, instant_ms: int, timeout_s: float) -> answer.QueryAnswer:
        """A server's answer to any question, within its deadline.

        Raises:
            SourceError: there is none.
        """
        with self.calling(timeout_s) as call:
            return self._ask(server, promql, instant_ms, call)

    def ask_over(
        self, server: Server, promql: str, instants: range, timeout_s: float
    ) -> tuple[list[answer.RangeSeries], tuple[str, ...]]:
        """Likewise, about many instants."""
        with self.calling(timeout_s) as call:
            return self._ask_over(server, promql, instants, call)

    def _run(self, batch: Batch, index: int, instant_ms: int, timeout_s: float) -> None:
        asked = self._rules[index]
        cluster, rule = asked.cluster, asked.rule
        started_s = time.monotonic()
        try:
            probe = self._evaluate(asked, instant_ms, batch.calls[index])
        except SourceError as error:
            probe = Probe(cluster, rule, RuleOutcome(cluster, rule.id, Outcome(error.kind), str(error)))
        except Exception as error:  # a fault of ours in one rule must not take the others' scrape with it
            log.exception("rule.crashed", extra={"cluster": cluster, "rule": rule.id})
            text = f"vistio itself went wrong: {type(error).__name__}; the recorder's log has the details"
            probe = Probe(cluster, rule, RuleOutcome(cluster, rule.id, Outcome.FAILED, text))
        duration_ms = (time.monotonic() - started_s) * 1000
        batch.put(index, attrs.evolve(probe, outcome=attrs.evolve(probe.outcome, duration_ms=duration_ms)))

    def _evaluate(self, asked: _Asked, instant_ms: int, call: Call) -> Probe:
        return self._probe_of(asked, self._ask(asked.server, asked.rule.query, instant_ms, call))

    def _evaluation(self, asked: _Asked, got: answer.QueryAnswer) -> Evaluation:
        probe = self._probe_of(asked, got)
        return Evaluation((probe.outcome,), probe.samples, probe.measurements)

    def _probe_of(self, asked: _Asked, got: answer.QueryAnswer) -> Probe:
        ended = partial(RuleOutcome, asked.cluster, asked.rule.id, series=got.count, warnings=got.warnings)
        if got.result_type != "vector":
            failed = ended(Outcome.FAILED, answer.not_a_vector(got), dropped=answer.dropped_as(got))
            return Probe(asked.cluster, asked.rule, failed)
        try:
            mapped = asked.mapper(got.series)
        except SourceError as error:
            raise _named(asked.server, error) from error
        dropped = dict(sorted(mapped.dropped.items()))
        warnings = (*got.warnings, *mapped.warnings)
        why = mapped.unusable
        return Probe(
            asked.cluster,
            asked.rule,
            ended(Outcome.FAILED if why else Outcome.OK, why, dropped=dropped, warnings=warnings),
            mapped.samples,
            tuple(mapped.measurements),
            mapped.examples,
        )

    def _ask(self, server: Server, promql: str, instant_ms: int, call: Call) -> answer.QueryAnswer:
        body = http_api.query(server, promql, instant_ms, call, self._settings.max_bytes)
        try:
            return answer.decode(body, partial=self._settings.partial)
        except SourceError as error:
            raise _named(server, error) from error

    def _ask_over(
        self, server: Server, promql: str, instants: range, call: Call
    ) -> tuple[list[answer.RangeSeries], tuple[str, ...]]:
        body = http_api.query_range(server, promql, instants, call, self._settings.max_bytes)
        try:
            return answer.decode_range(body, partial=self._settings.partial)
        except SourceError as error:
            raise _named(server, error) from error

    def _overdue(self, index: int, timeout_s: float) -> Probe:
        asked = self._rules[index]
        ended = partial(RuleOutcome, asked.cluster, asked.rule.id)
        if self._closed:
            outcome = ended(Outcome.FAILED, "the recorder was stopped before the answer came")
        else:
            outcome = ended(
                Outcome.TIMEOUT, http_errors.late(asked.server, timeout_s), duration_ms=timeout_s * 1000
            )
        return Probe(asked.cluster, asked.rule, outcome)


@attrs.frozen
class _Asked:
    """A rule with what is needed to ask it at each instant."""

    cluster: str
    rule: Rule
    server: Server
    mapper: Callable[[Collection[answer.Series]], Mapped]


@attrs.frozen
class _Questions:
    """A source's questions about the past, one after the other: `ranges.Questions`."""

    source: PrometheusSource
    timeout_s: float
    pause: Callable[[], None]

    def at(self, server: Server, promql: str, instant_ms: int) -> answer.QueryAnswer:
        self.pause()
        return self.source.ask(server, promql, instant_ms, self.timeout_s)

    def over(
        self, server: Server, promql: str, instants: range
    ) -> tuple[list[answer.RangeSeries], tuple[str, ...]]:
        self.pause()
        return self.source.ask_over(server, promql, instants, self.timeout_s)


def _named(server: Server, error: SourceError) -> SourceError:
    text = f"{server.shown}: {server.redact(str(error))}"
    return SourceError(text, kind=error.kind, answered=error.answered)
