"""Whether an empty answer means no traffic: how often a real Prometheus says that a metric is scraped."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import pytest
import requests
from support.ports import free_port
from support.prometheus import Prometheus

from vistio_core.times import MINUTE_MS, align, system_now_ms
from vistio_record.sources.answer import QueryAnswer, decode
from vistio_record.sources.windows import Sampled, Windows, sampled

HARD = '{of="a\\"b\\\\c é\\n{}[1m]"}'
# Of each metric: seconds before the end at which it was scraped.
SCRAPED: Mapping[str, tuple[int, ...]] = {
    "begun_total": (4, 3, 2, 1),  # a mesh's first seconds, wherever a minute ends
    "begun_slowly_total": (100, 70, 40, 10),  # a window of a minute holds two, and never three
    "vanished_total": (330, 315, 300),  # of a job that is over
    "each_minute_total": tuple(range(30, 1200, 60)),
    "after_an_outage_total": (580, 40, 25, 10),
    "hardly_total": (130, 70),
}
# Pods of one metric, each 45 s: seconds before the end, and the same for one that is scraped often enough.
PODS: Mapping[str, Mapping[str, range]] = {
    "pods_total": {"a": range(5, 1200, 45), "b": range(25, 1200, 45)},
    "often_total": {"a": range(5, 1200, 15), "b": range(100, 1200, 15)},
}


@pytest.fixture(scope="module")
def end_ms() -> int:
    return align(system_now_ms() - 10 * MINUTE_MS, MINUTE_MS)


@pytest.fixture(scope="module")
def ask(tmp_path_factory: pytest.TempPathFactory, end_ms: int) -> Iterator[Callable[[str, int], QueryAnswer]]:
    """``ask(promql, instant_ms)``."""
    text = "".join(
        f"# TYPE {name.removesuffix('_total')} counter\n"
        + "".join(f"{name}{HARD} {1200 - ago} {end_ms // 1000 - ago}\n" for ago in sorted(agos, reverse=True))
        for name, agos in SCRAPED.items()
    )
    text += "".join(
        f"# TYPE {name.removesuffix('_total')} counter\n"
        + "".join(
            f'{name}{{pod="{pod}"}} {1200 - ago} {end_ms // 1000 - ago}\n'
            for pod, agos in pods.items()
            for ago in reversed(agos)
        )
        for name, pods in PODS.items()
    )
    server = Prometheus(tmp_path_factory.mktemp("scraped"), f"127.0.0.1:{free_port()}")
    server.load(text + "# EOF\n")
    try:
        server.start()

        def ask(promql: str, instant_ms: int) -> QueryAnswer:
            asked = {"query": promql, "time": f"{instant_ms / 1000:.3f}"}
            return decode(requests.get(f"{server.url}/api/v1/query", params=asked, timeout=10).content)

        yield ask
    finally:
        server.close()


@pytest.mark.parametrize(
    ("metric", "apart_s", "too_rare"),
    [
        ("begun_total", 1, False),
        ("begun_slowly_total", 30, False),
        ("vanished_total", 15, False),
        ("each_minute_total", 60, True),
        ("after_an_outage_total", 15, False),
    ],
)
def test_how_often_a_metric_is_scraped_is_known_by_three_of_its_samples(
    ask: Callable[[str, int], QueryAnswer], end_ms: int, metric: str, apart_s: int, too_rare: bool
) -> None:
    """Promise: a metric that has just begun is not called one that is scraped too rarely, nor one that is over."""
    query = f'sum(rate({metric}{{code=~"5.."}}[1m]))'
    (found,) = sampled(query, lambda promql: ask(promql, end_ms))
    assert found == Sampled(metric, "1m", MINUTE_MS, apart_s * 1000)
    assert found.is_too_rare == too_rare


@pytest.mark.parametrize("metric", ["hardly_total", "never_total"])
def test_what_has_hardly_a_sample_is_not_known_and_asked_of_again_soon(
    ask: Callable[[str, int], QueryAnswer], end_ms: int, metric: str
) -> None:
    query = f"rate({metric}[1m])"
    assert list(sampled(query, lambda promql: ask(promql, end_ms))) == [None]
    windows = Windows()
    asked: list[int] = []

    def at(instant_ms: int) -> str | None:
        def asking(promql: str) -> QueryAnswer:
            asked.append(instant_ms)
            return ask(promql, instant_ms)

        return windows.refusal(query, instant_ms, asking)

    instants = range(end_ms, end_ms + 2 * MINUTE_MS, 10_000)
    assert {at(instant_ms) for instant_ms in instants} == {None}
    assert set(asked) == {end_ms, end_ms + MINUTE_MS}


def test_what_is_known_is_not_asked_again_for_ten_minutes(
    ask: Callable[[str, int], QueryAnswer], end_ms: int
) -> None:
    windows = Windows()
    query = "rate(each_minute_total[1m]) + rate(begun_total[1m])"
    why = windows.refusal(query, end_ms, lambda promql: ask(promql, end_ms))
    assert why is not None
    assert why.endswith(
        "each_minute_total has a sample each 1m or so, and a rate over [1m] takes two; take [4m]"
    )

    def nobody(promql: str) -> QueryAnswer:
        raise AssertionError(promql)

    assert windows.refusal(query, end_ms + 9 * MINUTE_MS, nobody) == why
    assert windows.refusal(query, end_ms - 9 * MINUTE_MS, nobody) == why


@pytest.mark.parametrize("metric", PODS)
def test_an_answer_that_lacks_a_pod_which_was_scraped_is_none_where_scrapes_are_rare(
    ask: Callable[[str, int], QueryAnswer], end_ms: int, metric: str
) -> None:
    """Promise: where each pod has a rate at times only, the sum of those that have one is no rate."""
    windows, query = Windows(), f"sum(rate({metric}[1m]))"
    for ago_s in range(0, 200, 5):
        instant_ms = end_ms - ago_s * 1000
        held = [sum(ago_s <= ago <= ago_s + 60 for ago in agos) for agos in PODS[metric].values()]
        if max(held) < 2:
            continue
        why = windows.refusal(query, instant_ms, lambda promql: ask(promql, instant_ms), has_series=True)  # noqa: B023
        assert (why is not None) == (metric == "pods_total" and 1 in held), (ago_s, held)


def test_what_is_scraped_often_is_asked_of_once_for_all_queries(
    ask: Callable[[str, int], QueryAnswer], end_ms: int
) -> None:
    windows, asked = Windows(), []

    def asking(promql: str) -> QueryAnswer:
        asked.append(promql)
        return ask(promql, end_ms)

    for query in ("sum(rate(often_total[1m]))", "sum by (pod) (rate(often_total[1m]))", "often_total"):
        for _ in range(3):
            assert windows.refusal(query, end_ms, asking, has_series=True) is None
            assert windows.knows(query, end_ms)
    assert asked == ["max(count_over_time(often_total[1m]))"]
