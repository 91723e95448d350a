"""From a response's body to series, or to an error that says what came instead; pure."""

from __future__ import annotations

import json

import pytest

from vistio_core.errors import SourceError
from vistio_record.sources.answer import decode, dropped_as, not_a_vector, one_line


def body(**answer: object) -> bytes:
    return json.dumps(answer).encode()


@pytest.mark.parametrize(
    ("kind", "result", "count"),
    [("scalar", [1.0, "2"], 1), ("string", [1.0, "x"], 1), ("matrix", [{"metric": {}, "values": []}] * 3, 3)],
)
def test_a_result_that_is_no_vector_is_counted_and_explained(kind: str, result: object, count: int) -> None:
    answer = decode(body(status="success", data={"resultType": kind, "result": result}))
    assert answer.series == []
    assert dropped_as(answer) == {f"{kind} result": count}
    assert f"answers a {kind}" in not_a_vector(answer)


def test_warnings_infos_and_that_an_answer_is_partial_are_kept_where_it_is_one() -> None:
    answer = decode(
        body(
            status="success",
            data={"resultType": "vector", "result": []},
            warnings=["w"],
            infos=["i"],
            isPartial=True,
        ),
        partial=True,
    )
    assert answer.warnings == ("the server calls this answer partial (isPartial)", "w", "i")


def test_warnings_are_bounded_in_length_and_number() -> None:
    data = {"resultType": "vector", "result": []}
    warnings = decode(body(status="success", data=data, warnings=["x" * 10_000] * 50), partial=True).warnings
    assert len(warnings) == 21
    assert warnings[-1] == "and 30 more"
    assert max(map(len, warnings)) == 300


@pytest.mark.parametrize(
    "garbage",
    [
        b"",
        b"<html>",
        b"[]",
        b"null",
        b'{"status":"success"}',
        b'{"data":{}}',
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"status":"success","data":{"resultType":"vector","result":{}}}',
        b'{"status":"success","data":{"resultType":"vector","result":[{"metric":{"a":1}}]}}',
    ],
)
def test_garbage_is_an_error_of_one_bounded_line(garbage: bytes) -> None:
    with pytest.raises(SourceError, match="not Prometheus' JSON") as caught:
        _ = [series.labels for series in decode(garbage).series]
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize(("error_type", "kind"), [("timeout", "timeout"), ("bad_data", "failed")])
def test_an_error_of_prometheus_keeps_its_type_and_text(error_type: str, kind: str) -> None:
    with pytest.raises(SourceError, match=f"{error_type}: line one line two") as caught:
        decode(body(status="error", errorType=error_type, error="line one\nline two"))
    assert caught.value.kind == kind


@pytest.mark.parametrize(("length", "shown"), [(299, 299), (300, 300), (301, 300)])
def test_one_line_cuts_at_its_limit(length: int, shown: int) -> None:
    assert len(one_line("x" * length)) == shown


@pytest.mark.parametrize("metric", ["null", "[]", '{"source": 1}', '{"source": "\xff"}', '"source"'])
def test_labels_that_are_none_are_told(metric: str) -> None:
    series = f'{{"metric": {metric}, "value": [0, "1"]}}'
    content = f'{{"status": "success", "data": {{"resultType": "vector", "result": [{series}]}}}}'
    answer = decode(content.encode("latin-1"))
    with pytest.raises(SourceError, match="not Prometheus' JSON"):
        _ = answer.series[0].labels
