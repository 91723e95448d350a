"""A source without a mesh: the simulated one, for the demo, for tests and for looking around.

What it says of an instant is a pure function of seed, anchor and instant. Any instant can be
asked for in any order, by any process, and is answered alike: a backfill of the past hour and a
live recording of it are equal. The parts: `simulated_noise` (hashes of time),
`simulated_mesh` (who calls whom, what flows), `simulated_latency` (how long that takes), `simulated_incidents` (what
goes wrong, and when), `simulated_faults` (how).

Its configuration is an ordinary file, ``simulated_mesh.yaml``, so that a graph of simulated
traffic is judged by the same code as a graph of real traffic.
"""

from __future__ import annotations

from collections import Counter
from importlib.resources import files
from typing import TYPE_CHECKING

from vistio_core import configuration as configurations
from vistio_core.errors import UsageError
from vistio_core.events import Measurement, Outcome, RuleKey, RuleOutcome
from vistio_core.times import MINUTE_MS, align, parse_instant, system_now_ms
from vistio_record.sources.base import Evaluation, SourceOptions
from vistio_record.sources.simulated_incidents import INCIDENTS, Story
from vistio_record.sources.simulated_latency import latencies
from vistio_record.sources.simulated_mesh import Trouble, flows, saturation
from vistio_record.sources.simulated_noise import between

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping

    from vistio_core.configuration.model import Configuration

_CONFIGURATION_FILE = "simulated_mesh.yaml"
_SATURATION = "saturation"
_LATENCY, _LATENCY_CALLER, _LATENCY_MEASURE = "latency", "latency-caller", "latency_mean_ms"
_UNANSWERED = ("us-east", "grpc")
_UNANSWERED_ERROR = "Prometheus answers execution: query processing would load too many samples into memory"
_SETTINGS = ("seed", "anchor", "incident")


class SimulatorSource:
    """The simulated mesh as a `vistio_record.sources.base.Source`.

    Args:
        options: settings may be ``seed`` (a whole number, default 1); ``anchor``, the instant
            in whose past hour the incident lies (RFC 3339, epoch, or relative; default: now, to
            the minute); and ``incident``, one of `INCIDENTS`. No configuration: the simulated mesh has its own.
        now_ms: the clock, read once.

    Raises:
        UsageError: another setting, a seed that is no whole number, an unknown incident, or a configuration.
        InvalidTimeError: ``anchor`` is not an instant.
    """

    answers_past = True

    def __init__(self, options: SourceOptions, *, now_ms: Callable[[], int] = system_now_ms) -> None:
        if options.configuration is not None:
            raise UsageError(
                "source 'simulator': it has a configuration of its own; leave out --config and --preset,"
                " or use --source prometheus"
            )
        if unknown := sorted(set(options.settings) - set(_SETTINGS)):
            raise UsageError(
                f"source 'simulator': no option {', '.join(unknown)}; there are {', '.join(_SETTINGS)}"
            )
        self._seed = _seed(options.settings.get("seed", "1"))
        anchor_ms = parse_instant(options.settings.get("anchor", "now"), now_ms=now_ms())
        self.story = Story(self._seed, align(anchor_ms, MINUTE_MS), _incident(options.settings))
        text = files(__package__).joinpath(_CONFIGURATION_FILE).read_text(encoding="utf-8")
        self._configuration = configurations.loads(text, file=_CONFIGURATION_FILE)

    @property
    def configuration(self) -> Configuration:
        return self._configuration

    def was_running(self, instant_ms: int) -> bool:
        """Whether there was a recorder at this instant; a backfill leaves the others out."""
        return instant_ms not in self.story.gap

    def evaluate(self, instant_ms: int, timeout_s: float) -> Evaluation:
        """What flowed at ``instant_ms``; it takes a few milliseconds, whatever the timeout."""
        del timeout_s
        unanswered = _UNANSWERED if instant_ms in self.story.unanswered else None
        trouble = self.story.trouble(instant_ms)
        samples = [flow for flow in flows(self._seed, instant_ms, trouble) if flow[:2] != unanswered]
        measurements = tuple(self._measurements(instant_ms, trouble))
        series = Counter(sample[:2] for sample in samples)
        series.update(measurement[:2] for measurement in measurements)
        outcomes = []
        for cluster, rule in self._configuration.rules():
            took_ms = between(self._seed, f"took/{cluster}/{rule.id}", instant_ms, 4.0, 30.0)
            if (cluster, rule.id) == unanswered:
                outcome = RuleOutcome(
                    cluster, rule.id, Outcome.FAILED, error=_UNANSWERED_ERROR, duration_ms=40.0 * took_ms
                )
            else:
                outcome = RuleOutcome(
                    cluster, rule.id, Outcome.OK, series=series[cluster, rule.id], duration_ms=took_ms
                )
            outcomes.append(outcome)
        return Evaluation(tuple(outcomes), tuple(samples), measurements)

    def evaluate_range(
        self,
        instants: range,
        timeout_s: float,
        *,
        rules: Collection[RuleKey] | None = None,
        pause: Callable[[], None] = lambda: None,
    ) -> Iterator[tuple[int, Evaluation]]:
        """As `vistio_record.sources.base.AnswersRanges.evaluate_range`: a pure function may be asked by anyone."""
        for instant_ms in instants:
            pause()
            seen = self.evaluate(instant_ms, timeout_s)
            yield instant_ms, seen if rules is None else seen.only(rules)

    def close(self) -> None:
        """Nothing is open."""

    def _measurements(self, instant_ms: int, trouble: Trouble) -> Iterator[Measurement]:
        for service, full in saturation(self._seed, instant_ms, trouble):
            about = (("database", service.name),)
            yield Measurement(service.cluster, _SATURATION, service.name, "", "value", full, about)
        for timed in latencies(self._seed, instant_ms, trouble):
            for rule, call_ms in ((_LATENCY, timed.called_ms), (_LATENCY_CALLER, timed.caller_ms)):
                if call_ms is not None:
                    edge = timed.cluster, rule, timed.source, timed.target
                    yield Measurement(*edge, _LATENCY_MEASURE, call_ms)


def _incident(settings: Mapping[str, str]) -> str:
    asked = settings.get("incident", INCIDENTS[0])
    if asked not in INCIDENTS:
        raise UsageError(f"source 'simulator': no incident {asked!r}; there are {', '.join(INCIDENTS)}")
    return asked


def _seed(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise UsageError(f"source 'simulator': seed {text!r} must be a whole number, such as 1") from None
