"""Everything that can be asked, as data: the router, the OpenAPI document and the parameter check read it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import get_args

import attrs

from vistio_core import frontends
from vistio_core.diagnosis.top import By
from vistio_core.replay.lifetimes import ONLY
from vistio_core.sentences import LANGUAGES
from vistio_serve import pages, parameters
from vistio_serve.live import EVENT_STREAM

INSTANT = "RFC 3339, epoch seconds or milliseconds, `now`, or relative such as `-15m`"
JUDGES = ("recorded", "current")
DEFAULT_FORMAT = "vizceral"
EDGE_FORMATS = ("csv", "parquet")


@attrs.frozen
class Parameter:
    """A query parameter; ``allowed`` is asked at each request, for frontends are plugins."""

    name: str
    description: str
    example: str
    allowed: Callable[[], Sequence[str]] | None = None
    default: str | None = None
    type: str = "string"
    required: bool = False
    alone: bool = False
    """Whether it says something without a value, too."""


@attrs.frozen
class Route:
    """A path and what it takes; ``name`` is the method of `handlers.Handlers` that answers.

    ``path`` is in werkzeug's syntax.
    """

    path: str
    name: str
    summary: str
    content_type: str
    parameters: tuple[Parameter, ...] = ()
    problems: tuple[int, ...] = ()
    """Statuses beyond those that any route may be refused with."""
    other_types: tuple[str, ...] = ()
    """Content types that a parameter, a header or the file chooses."""

    @property
    def is_read(self) -> bool:
        """Whether people open it as a document: it speaks their browser's language."""
        return _OF_READER in self.parameters

    @property
    def known(self) -> tuple[str, ...]:
        return tuple(parameter.name for parameter in self.parameters)

    @property
    def alone(self) -> tuple[str, ...]:
        return tuple(parameter.name for parameter in self.parameters if parameter.alone)


LANGUAGE = Parameter(
    "lang",
    "The language of sentences: summaries, evidence, reasons, and problems. Names stay as they are.",
    "zh",
    lambda: LANGUAGES,
    LANGUAGES[0],
)
_OF_READER = attrs.evolve(
    LANGUAGE,
    description="The document's language. Default: the one that Accept-Language prefers.",
    default=None,
)
_AT = Parameter("at", f"The instant: {INSTANT}.", "-15m")
GRAPH = (
    _AT,
    Parameter(
        "offset", "Seconds before now, as Vistio's web UI asks; 0 or less is live.", "0", type="number"
    ),
    Parameter("format", "The frontend that draws.", "vizceral", frontends.names, DEFAULT_FORMAT),
    Parameter(
        "judge",
        "Classes and notices by the configuration recorded with the instant, or by the newest one.",
        "recorded",
        lambda: JUDGES,
        "recorded",
    ),
    Parameter(
        "stable",
        "A window, two instants with a slash between: everything that was there at some time in it is in the graph,"
        " and `maxVolume` is its peak.",
        "-1h/now",
    ),
    LANGUAGE,
)
_WINDOW = (
    Parameter("start", f"First instant of the window: {INSTANT}. Default: an hour before the end.", "-1h"),
    Parameter("end", f"End of the window, not part of it: {INSTANT}. Default: now.", "now"),
)

_TIMELINE = (
    Parameter("start", f"First instant of the window: {INSTANT}. Default: the recording's first.", "-6h"),
    Parameter("end", f"End of the window, not part of it: {INSTANT}. Default: after the newest.", "now"),
    Parameter("step", "Length of a step. Default: one that makes a few hundred of the window.", "1m"),
    Parameter("cluster", "Only this cluster. Default: all, and the global level.", "mesh"),
    Parameter("level", "`global`: only the global level.", "global", lambda: parameters.LEVELS),
    Parameter("node", "Only edges from or to this node, and its notices.", "cart"),
    Parameter("source", "Only edges from this node.", "front"),
    Parameter("target", "Only edges to this node.", "cart"),
)
_FRAMES = (
    Parameter("start", f"The first frame: {INSTANT}. Default: ten minutes before the end.", "-10m"),
    Parameter(
        "end", f"End of the window, not part of it: {INSTANT}. Default: a step after the newest.", "now"
    ),
    Parameter("step", "From one frame to the next. Default: the recording's interval.", "10s"),
)
_PAGE = (
    Parameter(
        "kiosk",
        "For a screen on a wall: no controls, another level each 20 seconds, or as many as said.",
        "30",
        alone=True,
    ),
    Parameter("lang", "The page's language, `en` or `zh`. Default: chosen there, else the browser's.", "zh"),
)
_LIMIT = Parameter("limit", "Most edges and most nodes to list.", "100", default="100", type="integer")
_HAPPENED = (
    Parameter("start", f"First instant of the window: {INSTANT}. Default: an hour before its end.", "-1h"),
    Parameter("end", f"End of the window, not part of it: {INSTANT}. Default: after the newest.", "now"),
)
_HEAT = (
    *_HAPPENED,
    Parameter("step", "Length of a step, a multiple of 10s. Default: one that makes a few hundred.", "1m"),
)
_MOMENT = f"An instant ({INSTANT}), or a window: two of them with a slash between, for its mean rates."
_DIFF = (
    Parameter("before", f"{_MOMENT} Default: an hour ago.", "-2h/-1h"),
    Parameter("after", f"{_MOMENT} Default: now.", "-1h/now"),
    _LIMIT,
)
_TOP = (
    *_HAPPENED,
    Parameter("by", "Who has most of what.", "errors", lambda: get_args(By), "traffic"),
    Parameter(
        "before",
        "By change: a window to compare with, two instants with a slash between. Default: the one right before.",
        "-2h/-1h",
    ),
    _LIMIT,
)
_SUSPECTS = (
    *_HAPPENED,
    Parameter("about", "Only this node, and those that it calls, directly or by way of others.", "cart"),
)
_BLAST_RADIUS = (
    Parameter("node", "Who is asked about.", "cart", required=True),
    _AT,
    Parameter("cluster", "Only in this cluster. Default: in each one, and on the global level.", "mesh"),
    Parameter("level", "`global`: only the global level.", "global", lambda: parameters.LEVELS),
)
_SEEN = (
    Parameter("start", f"First instant of the window: {INSTANT}. Default: 30 days before its end.", "-30d"),
    Parameter("end", f"End of the window, not part of it: {INSTANT}. Default: after the newest.", "now"),
    Parameter("only", "Only what came, or what went. Default: all.", "new", lambda: ONLY),
    Parameter("quiet", "Of these, only what was watched and not there for so long before, or after.", "1d"),
    _LIMIT,
)
_EDGES = (
    *_HAPPENED,
    Parameter("cluster", "Only this cluster. Default: all, and the global level.", "mesh"),
    Parameter("format", "The file's.", "csv", lambda: EDGE_FORMATS, EDGE_FORMATS[0]),
)
_PATH = (
    *_HAPPENED,
    Parameter(
        "baseline",
        "A window that is normal, two instants with a slash between. Default: the hour before the start.",
        "-3h/-2h",
    ),
)
_MARKS = (
    Parameter("start", f"First instant of the window: {INSTANT}. Default: all.", "-6h"),
    Parameter("end", f"End of the window, not part of it: {INSTANT}. Default: all.", "now"),
)


@attrs.frozen
class ChangeRoute:
    """What changes the recording; ``name`` is the method of `marks.Marks` that does it."""

    method: str
    path: str
    name: str
    summary: str
    problems: tuple[int, ...] = ()
    """Statuses beyond those that any change may be refused with."""


CHANGES = (
    ChangeRoute("POST", "/annotations", "make", "Put a mark on the timeline.", (413,)),
    ChangeRoute("PUT", "/annotations/<id>", "replace", "Put a mark in the place of another one.", (404, 413)),
    ChangeRoute("DELETE", "/annotations/<id>", "remove", "Take a mark away.", (404,)),
)
"""They take the scope ``annotate``, and no parameter but the language of what is said."""

_TEXT, _JSON = "text/plain; charset=utf-8", "application/json"
_OPEN_METRICS = "application/openmetrics-text"
_FILES = tuple(pages.TYPES.values())

ROUTES: tuple[Route, ...] = (
    Route("/", "page", "The web UI.", "text/html; charset=utf-8", _PAGE),
    Route(
        "/plain", "plain", "The graphs as tables, without WebGL.", "text/html; charset=utf-8", (_OF_READER,)
    ),
    Route("/graph", "graph", "The traffic graph at an instant.", _JSON, GRAPH, (404,)),
    Route(
        "/live",
        "live",
        "The newest instant, and with `Accept: text/event-stream` each commit as it comes (server-sent events).",
        EVENT_STREAM,
        (LANGUAGE,),
    ),
    Route(
        "/timeline",
        "timeline",
        "Rates, edges and notices, step by step.",
        _JSON,
        (*_TIMELINE, LANGUAGE),
        (404,),
    ),
    Route(
        "/frames", "frames", "Many graphs at once, to move through time.", _JSON, (*_FRAMES, LANGUAGE), (404,)
    ),
    Route(
        "/diff", "diff", "What changed between two moments, largest first.", _JSON, (*_DIFF, LANGUAGE), (404,)
    ),
    Route("/top", "top", "Nodes and edges with most of something.", _JSON, (*_TOP, LANGUAGE), (404,)),
    Route(
        "/blast-radius",
        "blast_radius",
        "Who calls a node and whom it calls, directly or by way of others.",
        _JSON,
        (*_BLAST_RADIUS, LANGUAGE),
        (404,),
    ),
    Route(
        "/path", "path", "How errors and latency moved through the graph.", _JSON, (*_PATH, LANGUAGE), (404,)
    ),
    Route("/seen", "seen", "When each node and edge was first and last there.", _JSON, (*_SEEN, LANGUAGE)),
    Route(
        "/incidents",
        "incidents",
        "When something left its normal, and who was hit.",
        _JSON,
        (*_HAPPENED, LANGUAGE),
        (404,),
    ),
    Route("/heat", "heat", "Every node over time, in columns.", _JSON, (*_HEAT, LANGUAGE)),
    Route(
        "/suspects",
        "suspects",
        "Who is likely the cause, with evidence.",
        _JSON,
        (*_SUSPECTS, LANGUAGE),
        (404,),
    ),
    Route(
        "/edges",
        "edges",
        "The rates of every edge at every instant, as a file.",
        "text/csv; charset=utf-8",
        (*_EDGES, LANGUAGE),
        (404,),
        ("application/vnd.apache.parquet",),
    ),
    Route(
        "/report",
        "report",
        "What happened in a window, as one page that opens without a server.",
        "text/html; charset=utf-8",
        (*_HAPPENED, _OF_READER),
        (404,),
    ),
    Route(
        "/annotations", "annotations", "Deployments, incidents and other marks.", _JSON, (*_MARKS, LANGUAGE)
    ),
    Route("/access", "access", "Who asks, and what he may do here.", _JSON, (LANGUAGE,)),
    Route(
        "/instants", "instants", "What is recorded in a window, and its gaps.", _JSON, (*_WINDOW, LANGUAGE)
    ),
    Route(
        "/config",
        "config",
        "The configuration in force at an instant, credentials redacted.",
        "text/yaml; charset=utf-8",
        (_AT, LANGUAGE),
        (404,),
    ),
    Route("/metrics", "metrics", "Metrics of this server, for Prometheus.", _TEXT, (), (), (_OPEN_METRICS,)),
    Route("/-/healthy", "healthy", "200 while the process answers.", _TEXT),
    Route("/-/ready", "ready", "200 once the recording can be read.", _TEXT, (), (503,)),
    Route("/openapi.json", "openapi", "This interface, as OpenAPI 3.1.", _JSON, (LANGUAGE,)),
    Route("/assets/<file>", "assets", "The web UI's own files.", _FILES[0], (), (404,), _FILES[1:]),
    Route(
        "/static/<file>",
        "static",
        "The plain page's own files, and licences.txt: the licences of what the web UI is built of.",
        _FILES[0],
        (),
        (404,),
        (*_FILES[1:], _TEXT),
    ),
)
"""Every route, in the order in which they are documented."""
