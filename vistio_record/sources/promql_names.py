"""The metric names in a PromQL query, and its windows, found without a parser.

Good for hints: a name that is missed costs a hint, and every name that is found is asked for at
the server before anything is said about it.
"""

from __future__ import annotations

import re

_STRING = re.compile(r"""(?s)"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|`[^`]*`""")
_RATE = re.compile(
    r"\b(?:rate|irate|increase|delta|idelta|deriv)\s*\(\s*([a-zA-Z_:][a-zA-Z0-9_:]*)\s*(?:\{[^}]*\})?\s*\[\s*(\w+)\s*\]"
)
_COMMENT = re.compile(r"#[^\n]*")
_BY_NAME = re.compile(r"""\{\s*__name__\s*=\s*(?:"([^"\\]*)"|'([^'\\]*)')""")
_SELECTOR = re.compile(r"\{[^}]*\}|\[[^\]]*\]")
# Label lists; the words before them can be followed by a space or a line break.
_LABELS = re.compile(r"\b(?:by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)", re.IGNORECASE)
_NAME = re.compile(r"(?<![0-9A-Za-z_:.])([a-zA-Z_:][a-zA-Z0-9_:]*)(?!\s*\()(?![a-zA-Z0-9_:])")
_WORDS = frozenset(
    {"and", "or", "unless", "atan2", "bool", "offset", "by", "without", "on", "ignoring", "inf", "nan"}
    | {"group_left", "group_right", "start", "end"}
    # An aggregation may stand before its labels, "sum by (x) (...)".
    | {"sum", "min", "max", "avg", "group", "stddev", "stdvar", "count", "count_values", "bottomk", "topk"}
    | {"quantile", "limitk", "limit_ratio"}
)


def metric_names(query: str) -> tuple[str, ...]:
    """The names that ``query`` seems to select by, in their order, each once."""
    names = [next(filter(None, match.groups()), "") for match in _BY_NAME.finditer(query)]
    bare = _COMMENT.sub(" ", _STRING.sub('""', query))
    bare = _LABELS.sub(" ", _SELECTOR.sub(" ", bare))
    for match in _NAME.finditer(bare):
        if match[1].lower() not in _WORDS:
            names.append(match[1])
    return tuple(dict.fromkeys(filter(None, names)))


def windows(query: str) -> tuple[tuple[str, str], ...]:
    """The names in ``query`` of which it takes a rate, each with its window, as in ``("requests_total", "1m")``."""
    return tuple(dict.fromkeys(_RATE.findall(_COMMENT.sub(" ", _STRING.sub('""', query)))))
