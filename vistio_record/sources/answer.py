"""What a Prometheus server answered: from a body's bytes to series, or to why there are none. No I/O.

A scrape of a large mesh is 30,000 series, and each comes again ten seconds later with the same labels. So a body is
decoded in three steps, each of which leaves what the next may not need:

    the envelope   {"status":"success","data":{"resultType":"vector","result":[...]}}    `_open`: error, warnings
    the result     [{"metric":{"code":"200",...},"value":[1764565200,"4.5"]}, ...]       `Series`, values still text
    the labels     {"code":"200","source":"cart","target":"db"}                          `Series.labels`, when asked for

What is not Prometheus' JSON is a `SourceError` with words for the operator, never another exception: a proxy's HTML,
a body that was cut short, labels that are a list. So is an answer that the server itself calls partial: what it does
not have was not seen, and which series these are nobody can tell.

What must not be in here: what a rule makes of a series (`mapped`), what an instant's part of a matrix is (`matrix`),
and HTTP (`http_api`).
"""

from __future__ import annotations

import attrs
import msgspec

from vistio_core.errors import SourceError

MAX_TEXT = 300
MAX_WARNINGS = 20
_NO_SERIES = msgspec.Raw(b"[]")
PARTIAL = "partial"
"""The `SourceError.answered` of an answer that is not whole."""
_IS_PARTIAL = "the server calls this answer partial (isPartial)"
# What PromQL remarks about a query. All other warnings are of the storage: some of what it was asked for did not come.
_REMARKS = ("PromQL warning:", "PromQL info:")


class Series(msgspec.Struct, gc=False):
    """One element of an instant vector."""

    metric: msgspec.Raw = msgspec.Raw(b"{}")
    """The labels as they came. The next answer has the same ones, so most are never decoded (`_EdgeNamer`)."""
    value: tuple[float, str] | None = None
    histogram: msgspec.Raw = msgspec.Raw(b"")
    """Not decoded: that there is one is all that counts."""

    @property
    def labels(self) -> dict[str, str]:
        """The labels by name.

        Raises:
            SourceError: they are none.
        """
        return _labels_in(self.metric)


class RangeSeries(msgspec.Struct, gc=False):
    """One element of a matrix, the answer to a range query: its points ascend."""

    metric: msgspec.Raw = msgspec.Raw(b"{}")
    values: list[tuple[float, str]] = []
    histograms: list[tuple[float, msgspec.Raw]] = []

    @property
    def labels(self) -> dict[str, str]:
        """As `Series.labels`."""
        return _labels_in(self.metric)


class _Data(msgspec.Struct, rename="camel"):
    result_type: str = ""
    result: msgspec.Raw = _NO_SERIES


class _Body(msgspec.Struct, rename="camel"):
    status: str
    data: _Data | None = None
    error_type: str = ""
    error: str = ""
    warnings: list[str] | None = None
    infos: list[str] | None = None
    is_partial: bool = False


class _NameList(msgspec.Struct):
    data: list[str]


@attrs.frozen
class QueryAnswer:
    """A successful answer: the series of an instant vector, or the type of what came instead."""

    result_type: str
    series: list[Series]
    """Empty unless ``result_type`` is ``vector``."""
    count: int
    """Number of results of whichever type."""
    warnings: tuple[str, ...] = ()
    matrix: msgspec.Raw = _NO_SERIES
    """Not decoded: who asked for a range has `decode_matrix`, who did not wants to know no more than that."""


_decode_body = msgspec.json.Decoder(_Body).decode
_decode_vector = msgspec.json.Decoder(list[Series]).decode
_decode_matrix = msgspec.json.Decoder(list[RangeSeries]).decode
_decode_labels = msgspec.json.Decoder(dict[str, str]).decode
_decode_list = msgspec.json.Decoder(list[msgspec.Raw]).decode


def one_line(text: str, limit: int = MAX_TEXT) -> str:
    """``text`` on one line, without control characters, at most ``limit`` characters long."""
    # Cut first: an error text may be as long as the whole response.
    cut = text[: 4 * limit]
    line = " ".join("".join(c if c.isprintable() else " " for c in cut).split())
    return line if len(line) <= limit and len(cut) == len(text) else line[: limit - 1] + "…"


def decode(body: bytes, *, partial: bool = False) -> QueryAnswer:
    """The answer in a response's body.

    Args:
        body: of the response.
        partial: whether one that the server calls partial is an answer, too.

    Raises:
        SourceError: the server reports an error (kind ``timeout`` when that is its reason), calls its
            answer partial, or the body is not what Prometheus' query API answers.
    """
    data, warnings = _open(body, partial)
    return _decode_data(data, warnings)


def decode_range(body: bytes, *, partial: bool = False) -> tuple[list[RangeSeries], tuple[str, ...]]:
    """The series and the warnings in the answer to a range query.

    Args:
        body: as for `decode`.
        partial: as for `decode`.

    Raises:
        SourceError: as for `decode`.
    """
    data, warnings = _open(body, partial)
    if data.result_type != "matrix":
        raise SourceError(
            f"the answer to a range query is a {one_line(data.result_type, 40) or 'nothing'}, not a matrix"
        )
    series = decode_matrix(data.result)
    for one in series:
        _labels_in(one.metric)  # told here, before anything is compared by them
    return series, warnings


def decode_matrix(matrix: msgspec.Raw) -> list[RangeSeries]:
    """The series in a `QueryAnswer.matrix`.

    Raises:
        SourceError: they are none.
    """
    try:
        return _decode_matrix(matrix)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
        raise SourceError(
            f"the answer is not Prometheus' JSON (a matrix: {one_line(str(error), 120)})"
        ) from error


def _open(body: bytes, partial: bool) -> tuple[_Data, tuple[str, ...]]:
    try:
        envelope = _decode_body(body)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
        raise SourceError(f"the answer is not Prometheus' JSON ({one_line(str(error), 120)})") from error
    if envelope.status != "success":
        kind = "timeout" if envelope.error_type == "timeout" else "failed"
        said = one_line(": ".join(filter(None, (envelope.error_type, envelope.error))) or "no reason given")
        raise SourceError(
            f"Prometheus answers {said}", kind=kind, answered=one_line(envelope.error_type, 40) or "untyped"
        )
    if envelope.data is None:
        raise SourceError("the answer is not Prometheus' JSON (success without data)")
    if not partial and (missing := _missing(envelope)):
        raise SourceError(
            f"the answer is partial, so what it does not have was not seen: {missing}", answered=PARTIAL
        )
    return envelope.data, _warnings(envelope)


def _missing(envelope: _Body) -> str:
    """What the server says of an answer that is not whole; empty where it is."""
    said = [text for text in envelope.warnings or () if not text.startswith(_REMARKS)]
    if said:
        return one_line(said[0]) + (f" (and {len(said) - 1} more)" if len(said) > 1 else "")
    return _IS_PARTIAL if envelope.is_partial else ""


def _decode_data(data: _Data, warnings: tuple[str, ...]) -> QueryAnswer:
    try:
        if data.result_type == "vector":
            series = _decode_vector(data.result)
            return QueryAnswer("vector", series, len(series), warnings)
        # A scalar and a string are one [time, value]; a matrix is a list of series.
        matrix = data.result if data.result_type == "matrix" else _NO_SERIES
        count = len(_decode_list(matrix)) if data.result_type == "matrix" else 1
        return QueryAnswer(one_line(data.result_type, 40) or "untyped", [], count, warnings, matrix)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
        what = f"a {one_line(data.result_type, 40)}: {one_line(str(error), 120)}"
        raise SourceError(f"the answer is not Prometheus' JSON ({what})") from error


def _labels_in(metric: msgspec.Raw) -> dict[str, str]:
    try:
        return _decode_labels(metric)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
        what = f"the labels of a series: {one_line(str(error), 120)}"
        raise SourceError(f"the answer is not Prometheus' JSON ({what})") from error


def decode_names(body: bytes) -> list[str]:
    """The names in an answer of ``/api/v1/label/.../values``.

    Raises:
        SourceError: the body is not such an answer.
    """
    try:
        return msgspec.json.decode(body, type=_NameList).data
    except msgspec.MsgspecError as error:
        raise SourceError(f"the answer is not Prometheus' JSON ({one_line(str(error), 120)})") from error


def _warnings(envelope: _Body) -> tuple[str, ...]:
    said = [*(envelope.warnings or ()), *(envelope.infos or ())]
    if envelope.is_partial:
        said.insert(0, _IS_PARTIAL)
    more = len(said) - MAX_WARNINGS
    kept = [one_line(text) for text in said[:MAX_WARNINGS]]
    return (*kept, f"and {more} more") if more > 0 else tuple(kept)


def not_a_vector(answer: QueryAnswer) -> str:
    """What to tell the operator of a query whose result has no series to map."""
    remedy = {
        "matrix": "wrap it in rate(...) or remove the [range]",
        "scalar": "wrap it in vector(...) or use a query that keeps labels",
    }.get(answer.result_type, "use a query that answers an instant vector")
    return f"the query answers a {answer.result_type}, a rule needs an instant vector; {remedy}"


def dropped_as(answer: QueryAnswer) -> dict[str, int]:
    """The ``dropped`` of an answer that is not a vector."""
    return {f"{answer.result_type} result": answer.count} if answer.count else {}
