"""One method per route: parse, ask vistio_core, render. Errors are left to `problems`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

import attrs
import msgspec

from vistio_core import Recording, frontends
from vistio_core.access.guard import Asking, Guard
from vistio_core.errors import RecordingError
from vistio_core.recording.recording import JudgedBy
from vistio_core.replay.gaps import gap_rows
from vistio_core.sentences import Language, say
from vistio_core.times import HOUR_MS, SECOND_MS, align, format_duration, format_instant
from vistio_serve import openapi, pages, parameters, problems, routes
from vistio_serve.admission import Admission
from vistio_serve.answers import LIVE, NEVER_STORE, SETTLED, Answer
from vistio_serve.bodies import Body, body_of
from vistio_serve.costs import Costs
from vistio_serve.edge_tables import EdgeTables
from vistio_serve.explained import Explained
from vistio_serve.history import History, rows_of
from vistio_serve.live import EVENT_STREAM, Listeners
from vistio_serve.marks import Marks
from vistio_serve.memory import Kept, Memory, give_back, make_room
from vistio_serve.metrics import ServerMetrics
from vistio_serve.questions import WindowQuestions
from vistio_serve.rendering import LIVE_TTL_S, Question, Renderer
from vistio_serve.reports import WindowReports
from vistio_serve.shared import Shared

MAX_INSTANTS = 100_000
"""Most instants in one answer of /instants: eleven days at an interval of ten seconds."""

_ROWS_AT_ONCE = 2_000
_TEXT = "text/plain; charset=utf-8"


@attrs.frozen
class RouteCall:
    """One request, as a handler needs it."""

    values: Mapping[str, str]
    now_ms: int
    path_values: Mapping[str, str]
    accept: str
    path: str
    asking: Asking
    language: Language


class Handlers:
    """The answers to all routes, over one recording that may not exist yet."""

    def __init__(
        self,
        recording: Callable[[], Recording],
        now_ms: Callable[[], int],
        memory: Memory,
        query_links: str,
        frame_ancestors: str,
        guard: Guard,
    ) -> None:
        self._recording = recording
        self._now_ms = now_ms
        self._guard = guard
        self.marks = Marks(recording)
        self.admission = Admission(memory.work_bytes, make_room=self._make_room, give_back=give_back)
        self._listeners = Listeners(self.version, self._tip, self._newest_ms)
        self.metrics_of_this_app = ServerMetrics(
            self._newest_instant_age_s, self.admission, lambda: self._listeners.listening
        )
        self._costs = Costs(recording)
        self._renderer = Renderer(
            recording, now_ms, self.metrics_of_this_app, memory, self.admission, self._costs
        )
        self._windows: Shared[Body] = Shared(memory.windows_bytes)
        self._history = History(recording, memory, self.admission, self._costs)
        self._explained = Explained(self._history)
        self._questions = WindowQuestions(self._history)
        self._edge_tables = EdgeTables(self._history)
        self._reports = WindowReports(self._history)
        self._pages = pages.load(query_links, frame_ancestors)
        # Looking for plugins reads the metadata of everything that is installed: not in each request.
        self._formats = frontends.names()
        self.by_route: Mapping[str, Callable[[RouteCall], Answer]] = {
            "page": self.page,
            "plain": self.plain,
            "assets": self.assets,
            "graph": self.graph,
            "live": self.live,
            "timeline": self.timeline,
            "top": self.top,
            "blast_radius": self.blast_radius,
            "seen": self.seen,
            "path": self.path,
            "incidents": self.incidents,
            "suspects": self.suspects,
            "heat": self.heat,
            "frames": self.frames,
            "diff": self.diff,
            "instants": self.instants,
            "annotations": self.annotations,
            "access": self.access,
            "edges": self.edges,
            "report": self.report,
            "config": self.config,
            "metrics": self.metrics,
            "healthy": self.healthy,
            "ready": self.ready,
            "openapi": self.openapi,
            "static": self.static,
        }

    def known(self, route: routes.Route, drawn_by: str | None) -> Sequence[str]:
        """The parameters of a route; for a graph also the options of the format that draws it."""
        if route.name != "graph" or drawn_by not in self._formats:
            return route.known
        return list(dict.fromkeys([*route.known, *self._renderer.options(drawn_by)]))

    def version(self) -> int:
        """What changes with each commit."""
        return self._renderer.version()

    def graph_was_ready(self) -> None:
        """Counts a graph that was sent again as it was."""
        self.metrics_of_this_app.graph("hit")

    def page(self, call: RouteCall) -> Answer:
        return self._pages.start

    def plain(self, call: RouteCall) -> Answer:
        return self._pages.plain[call.language]

    def assets(self, call: RouteCall) -> Answer:
        return _file(call, self._pages.assets)

    def static(self, call: RouteCall) -> Answer:
        return _file(call, self._pages.static)

    def graph(self, call: RouteCall) -> Answer:
        asked = parameters.asked(call.values, call.now_ms)
        drawn_by = parameters.choice(call.values, "format", self._formats, routes.DEFAULT_FORMAT)
        by = parameters.choice(call.values, "judge", routes.JUDGES, "recorded")
        judge: JudgedBy = "current" if by == "current" else "recorded"
        understood = self._renderer.options(drawn_by)
        options = tuple(sorted((name, call.values[name]) for name in understood if name in call.values))
        stable = parameters.window(call.values, "stable", align(call.now_ms, SECOND_MS))
        rendered = self._renderer.render(Question(asked, judge, drawn_by, options, stable))
        return Answer(
            rendered.body, rendered.content_type, cache_control=SETTLED if rendered.settled else LIVE
        )

    def live(self, call: RouteCall) -> Answer:
        if EVENT_STREAM in call.accept:
            # Between us and who listens, nginx would hold the lines back until it has enough of them.
            headers = {"X-Accel-Buffering": "no"}
            return Answer(self._listeners.follow(), EVENT_STREAM, cache_control=NEVER_STORE, headers=headers)
        return Answer.of(self._listeners.told(), EVENT_STREAM, cache_control=NEVER_STORE)

    def instants(self, call: RouteCall) -> Answer:
        # Whole seconds, as for live graphs: everyone who asks within one shares a scan.
        now_ms = align(call.now_ms, SECOND_MS)
        end_ms = parameters.instant(call.values, "end", now_ms, default_ms=now_ms)
        start_ms = parameters.instant(call.values, "start", now_ms, default_ms=max(0, end_ms - HOUR_MS))
        parameters.check_window(start_ms, end_ms)
        body, _ = self._windows.get(
            (start_ms, end_ms, call.language),
            lambda: self._list(start_ms, end_ms, now_ms, call.language),
            self.admission.sharing,
        )
        return Answer(body, "application/json")

    def top(self, call: RouteCall) -> Answer:
        return self._questions.top(call.values, call.now_ms)

    def blast_radius(self, call: RouteCall) -> Answer:
        return self._questions.blast_radius(call.values, call.now_ms)

    def seen(self, call: RouteCall) -> Answer:
        return self._questions.seen(call.values, call.now_ms, call.language)

    def path(self, call: RouteCall) -> Answer:
        return self._questions.path(call.values, call.now_ms, call.language)

    def incidents(self, call: RouteCall) -> Answer:
        return self._explained.incidents(call.values, call.now_ms, call.language)

    def heat(self, call: RouteCall) -> Answer:
        return self._explained.heat(call.values, call.now_ms)

    def suspects(self, call: RouteCall) -> Answer:
        return self._explained.suspects(call.values, call.now_ms, call.language)

    def timeline(self, call: RouteCall) -> Answer:
        return self._history.timeline(call.values, call.now_ms, call.language)

    def frames(self, call: RouteCall) -> Answer:
        return self._history.frames(call.values, call.now_ms, call.language)

    def diff(self, call: RouteCall) -> Answer:
        return self._history.diff(call.values, call.now_ms)

    def edges(self, call: RouteCall) -> Answer:
        return self._edge_tables.edges(call.values, call.now_ms)

    def report(self, call: RouteCall) -> Answer:
        return self._reports.report(call.values, call.now_ms, call.language)

    def annotations(self, call: RouteCall) -> Answer:
        return self._history.annotations(call.values, call.now_ms)

    def access(self, call: RouteCall) -> Answer:
        told = msgspec.json.encode(self._guard.told(call.asking))
        return Answer.of(told, "application/json", cache_control=NEVER_STORE)

    def config(self, call: RouteCall) -> Answer:
        asked_ms = parameters.instant(call.values, "at", call.now_ms, default_ms=call.now_ms)
        at = format_instant(asked_ms) if "at" in call.values else None
        configuration = self._recording().configuration(at)
        # text/yaml, as Vistio: a browser shows it. The hash is what graphs carry in metadata.vistio.
        headers = {"Vistio-Configuration": configuration.hash}
        return Answer.of(configuration.text.encode(), "text/yaml; charset=utf-8", headers=headers)

    def metrics(self, call: RouteCall) -> Answer:
        content, content_type = self.metrics_of_this_app.exposition(call.accept)
        return Answer.of(content, content_type, cache_control=NEVER_STORE)

    def healthy(self, call: RouteCall) -> Answer:
        return Answer.of(b"vistio-serve is healthy.\n", _TEXT, cache_control=NEVER_STORE)

    def ready(self, call: RouteCall) -> Answer:
        self._recording().span()
        return Answer.of(b"vistio-serve is ready.\n", _TEXT, cache_control=NEVER_STORE)

    def openapi(self, call: RouteCall) -> Answer:
        return Answer.of(msgspec.json.encode(openapi.document()), "application/json")

    def _list(self, start_ms: int, end_ms: int, now_ms: int, language: Language) -> tuple[Body, float, int]:
        """The answer of /instants, for how many seconds it may be kept, and its weight in bytes."""
        with self.admission.work(self._costs.instants(start_ms, end_ms, MAX_INSTANTS)):
            body = body_of(self._told(start_ms, end_ms, now_ms, language))
        return body, LIVE_TTL_S, body.weight_bytes

    def _told(self, start_ms: int, end_ms: int, now_ms: int, language: Language) -> Iterator[bytes]:
        recording = self._recording()
        start, end = format_instant(start_ms), format_instant(end_ms)
        found = recording.instants(start, end)
        if found.num_rows > MAX_INSTANTS:
            raise parameters.ParameterError(
                say(
                    "{length} hold {found} instants, at most {most} are answered; ask for a shorter window",
                    length=format_duration(end_ms - start_ms),
                    found=found.num_rows,
                    most=MAX_INSTANTS,
                ),
                "start",
            )
        first_ms, last_ms = recording.span() or (None, None)
        document = {
            "now": format_instant(now_ms),
            "recording": {"first": _rfc3339(first_ms), "last": _rfc3339(last_ms)},
            "start": start,
            "end": end,
            "gaps": gap_rows(recording.gaps(start, end), language),
        }
        yield msgspec.json.encode(document).removesuffix(b"}") + b',"instants":['
        # As Python's objects, rows take ten times their room.
        for place in range(0, found.num_rows, _ROWS_AT_ONCE):
            rows = msgspec.json.encode(rows_of(found.slice(place, _ROWS_AT_ONCE)))[1:-1]
            yield b"," + rows if place else rows
        yield b"]}"

    def _make_room(self, left_bytes: int) -> None:
        try:
            files: list[Kept] = [self._recording().opened_files]
        except RecordingError:
            files = []  # whoever reads is told
        make_room([*self._history.kept, self._windows, *self._renderer.kept, *files], left_bytes)

    def _tip(self) -> int:
        try:
            return self._recording().tip()
        except RecordingError:
            return 0

    def _newest_ms(self) -> int | None:
        try:
            span = self._recording().span()
        except RecordingError:
            return None
        return None if span is None else span[1]

    def _newest_instant_age_s(self) -> float | None:
        newest_ms = self._newest_ms()
        return None if newest_ms is None else (self._now_ms() - newest_ms) / 1000


def _file(call: RouteCall, files: Mapping[str, Answer]) -> Answer:
    name = call.path_values["file"]
    if name in files:
        return files[name]
    folder = call.path.removesuffix(name)
    known = [f"{folder}{each}" for each in sorted(files)]
    return problems.not_found(call.path, known).to_answer(call.language)


def _rfc3339(ms: int | None) -> str | None:
    return None if ms is None else format_instant(ms)
