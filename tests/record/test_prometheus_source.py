"""A whole scrape against real servers: many rules, one deadline."""

from __future__ import annotations

import json
import threading
import time

import pytest
from support.misbehaving import Request, configuration_text, serving, vector

from vistio_core.configuration import loads
from vistio_core.errors import UsageError
from vistio_core.events import Outcome, Sample, Scrape
from vistio_record.sources.base import SourceOptions
from vistio_record.sources.prometheus import PrometheusSource

INSTANT_MS = 1_763_873_400_000
EDGE = {"source": "a", "target": "b", "code": "200"}


def source_for(text: str, **settings: str) -> PrometheusSource:
    return PrometheusSource(SourceOptions(loads(text), settings))


def by_query(**answers: object):
    """A handler that looks at the query: a text is answered, a callable called."""

    def handle(request: Request) -> None:
        answer = answers[request.form["query"]]
        if callable(answer):
            answer(request)
        else:
            request.answer(answer)

    return handle


def drip(request: Request) -> None:
    request.start(Content_Length="100000")
    request.drip(b" ")


def test_a_failing_rule_is_an_outcome_and_the_others_live() -> None:
    answers = by_query(
        good=vector((EDGE, "1.5"), ({**EDGE, "code": "503"}, "NaN")),
        bad=json.dumps({"status": "error", "errorType": "bad_data", "error": "no"}),
        html="<html>",
        matrix=json.dumps({"status": "success", "data": {"resultType": "matrix", "result": [{}, {}]}}),
        warned=vector(warnings=["PromQL warning: a mix"]),
    )
    with serving(answers) as url:
        source = source_for(configuration_text(url, "good", "bad", "html", "matrix", "warned"))
        seen = source.evaluate(INSTANT_MS, 5.0)
        source.close()
    outcome = {one.rule: one for one in seen.outcomes}
    assert list(outcome) == ["good", "bad", "html", "matrix", "warned"]
    assert seen.samples == (Sample("mesh", "good", "a", "b", "200", 1.5),)
    assert outcome["good"].outcome is Outcome.OK
    assert (outcome["good"].series, outcome["good"].dropped) == (2, {"not finite": 1})
    assert outcome["good"].duration_ms > 0
    assert outcome["bad"].outcome is Outcome.FAILED
    assert outcome["bad"].error == f"{url}: Prometheus answers bad_data: no"
    assert "not Prometheus' JSON" in outcome["html"].error
    assert outcome["matrix"].outcome is Outcome.FAILED
    assert (outcome["matrix"].series, outcome["matrix"].dropped) == (2, {"matrix result": 2})
    assert outcome["warned"].warnings == ("PromQL warning: a mix",)
    Scrape(INSTANT_MS, 10_000, source.configuration.hash, seen.outcomes, seen.samples, seen.measurements)


NAMELESS = {"source": "a", "code": "200"}
LOST = "all that the query answers is left out: "


@pytest.mark.parametrize(
    ("rows", "error"),
    [
        ([(NAMELESS, "1"), (NAMELESS, "2")], f"{LOST}label target missing or empty"),
        (
            [(EDGE, "1e13"), (NAMELESS, "1")],
            f"{LOST}beyond 1e+12; label target missing or empty",
        ),
        ([(EDGE, "9e11"), (EDGE, "9e11")], f"{LOST}beyond 1e+12"),
        ([(NAMELESS, "1"), (NAMELESS, "0")], f"{LOST}label target missing or empty"),
        ([(NAMELESS, "0")], ""),
        ([(NAMELESS, "1"), (EDGE, "0")], ""),
        ([(EDGE, "NaN")], ""),
    ],
)
def test_an_answer_of_which_all_traffic_is_left_out_does_not_say_that_there_is_none(
    rows: list[tuple[dict[str, str], str]], error: str
) -> None:
    with serving(by_query(asked=vector(*rows))) as url:
        source = source_for(configuration_text(url, "asked"))
        (outcome,) = source.evaluate(INSTANT_MS, 5.0).outcomes
        source.close()
    assert (outcome.outcome, outcome.error) == (Outcome.FAILED if error else Outcome.OK, error)
    assert sum(outcome.dropped.values()) == sum(row != (EDGE, "0") for row in rows)


def test_after_an_outage_a_rate_is_none_until_its_window_begins_after_it() -> None:
    """Promise: live, too, what was not scraped often enough since then is not told as little traffic."""
    back_ms, rate = INSTANT_MS + 300_000, "rate(q_total[1m])"
    was_away = threading.Event()

    def newest_at(at_s: float) -> float:
        away = INSTANT_MS / 1000 < at_s < back_ms / 1000
        return INSTANT_MS / 1000 if away else at_s - at_s % 10

    def handle(request: Request) -> None:
        query, form = request.form["query"], request.form
        if "start" in form:
            times = range(int(float(form["start"])), int(float(form["end"])) + 1, int(float(form["step"])))
            values = [[at_s, f"{newest_at(at_s)}"] for at_s in times]
            data = {"resultType": "matrix", "result": [{"metric": {}, "values": values}]}
            request.answer(json.dumps({"status": "success", "data": data}))
        elif was_away.is_set():
            request.answer("", 503)
        else:
            request.answer(vector((EDGE, "1.5" if query == rate else "9")))

    def answered(instant_ms: int) -> bool:
        return source.evaluate(instant_ms, 5.0).outcomes[0].outcome is Outcome.OK

    with serving(handle) as url:
        source = source_for(configuration_text(url, rate))
        assert answered(INSTANT_MS)
        was_away.set()
        assert not any(answered(ms) for ms in range(INSTANT_MS + 10_000, back_ms, 60_000))
        assert not answered(back_ms - 10_000)
        was_away.clear()
        told = [ms for ms in range(back_ms, back_ms + 120_000, 10_000) if answered(ms)]
        why = source.evaluate(back_ms, 5.0).outcomes[0].error
        source.close()
    assert told == list(range(back_ms + 60_000, back_ms + 120_000, 10_000))
    assert "a rate over [1m] looks back to when" in why


def test_all_rules_are_asked_at_the_same_time() -> None:
    together = threading.Barrier(8, timeout=20)

    def handle(request: Request) -> None:
        if not request.form["query"].startswith("q"):
            return request.answer("", 404)  # what is no rule: how recent all that is
        together.wait()  # nobody is answered before everybody has asked
        return request.answer(vector((EDGE, "1")))

    with serving(handle) as url:
        source = source_for(configuration_text(url, *(f"q{n}" for n in range(8))))
        seen = source.evaluate(INSTANT_MS, 20.0)
        source.close()
    assert [one.outcome for one in seen.outcomes] == [Outcome.OK] * 8


@pytest.mark.parametrize("slow", [Request.hang, drip])
def test_one_deadline_holds_for_the_whole_scrape_whatever_a_server_does(slow: object) -> None:
    with serving(by_query(good=vector((EDGE, "1")), slow=slow, slower=slow)) as url:
        source = source_for(configuration_text(url, "good", "slow", "slower"))
        started_s = time.monotonic()
        seen = source.evaluate(INSTANT_MS, 0.6)
        took_s = time.monotonic() - started_s
        source.close()
    assert [one.outcome for one in seen.outcomes] == [Outcome.OK, Outcome.TIMEOUT, Outcome.TIMEOUT]
    assert "no complete answer within 600ms" in seen.outcomes[1].error
    assert 0.6 <= took_s < 5.0, "each of them alone would hold on for ever"


def test_after_a_timeout_the_same_source_answers_again() -> None:
    slow = threading.Event()
    slow.set()

    def handle(request: Request) -> None:
        if slow.is_set():
            request.hang()
        else:
            request.answer(vector((EDGE, "1")))

    with serving(handle) as url:
        source = source_for(configuration_text(url, "q"))
        assert source.evaluate(INSTANT_MS, 0.2).outcomes[0].outcome is Outcome.TIMEOUT
        slow.clear()
        assert source.evaluate(INSTANT_MS, 5.0).outcomes[0].outcome is Outcome.OK
        source.close()


def test_closing_the_source_ends_a_running_evaluation_at_once() -> None:
    arrived = threading.Event()

    def handle(request: Request) -> None:
        arrived.set()
        request.hang()

    with serving(handle) as url:
        source = source_for(configuration_text(url, "q"))
        seen: list[Outcome] = []
        thread = threading.Thread(
            target=lambda: seen.extend(one.outcome for one in source.evaluate(INSTANT_MS, 60.0).outcomes)
        )
        thread.start()
        assert arrived.wait(10)
        source.close()
        thread.join(5)
        assert not thread.is_alive()
    assert seen in ([Outcome.FAILED], [Outcome.TIMEOUT])


def test_the_size_limit_is_an_option_of_the_source() -> None:
    with serving(by_query(q=vector((EDGE, "1")))) as url:
        source = source_for(configuration_text(url, "q"), max_response_bytes="20")
        outcome = source.evaluate(INSTANT_MS, 5.0).outcomes[0]
        source.close()
    assert outcome.outcome is Outcome.FAILED
    assert "larger than 20 bytes" in outcome.error


@pytest.mark.parametrize(
    ("settings", "message"),
    [({"max_bytes": "1"}, "has no option 'max_bytes'")]
    + [({"max_response_bytes": text}, "greater than 0") for text in ("0", "-1", "64MiB", "")],
)
def test_settings_that_are_not_right_are_refused(settings: dict[str, str], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        source_for(configuration_text("http://127.0.0.1:1", "q"), **settings)


def test_without_a_configuration_the_error_names_the_option() -> None:
    with pytest.raises(UsageError, match="--config FILE"):
        PrometheusSource(SourceOptions())
