"""vistio, the flight recorder of a service mesh, as a library.

    import vistio_core as vistio

    recording = vistio.Recording.open("recording/")
    graph = recording.graph(at="2026-11-23T05:10:00Z")

The way of a sample: a source sees it (`vistio_record`), `events` holds it, `recording` writes
it down, `replay` finds it again, `graph` judges it, `frontends` draws it.
"""

from vistio_core import errors, events, frontends, times
from vistio_core.configuration import Configuration, load, loads
from vistio_core.configuration.model import Severity
from vistio_core.diagnosis.blast_radius import BlastRadius
from vistio_core.diagnosis.incidents import Incident, Incidents
from vistio_core.diagnosis.path import IncidentPath
from vistio_core.diagnosis.rejudged import Rejudged
from vistio_core.diagnosis.suspects import Suspects
from vistio_core.displays.shown import show
from vistio_core.errors import VistioError
from vistio_core.events import Measurement, Outcome, RuleOutcome, Sample, Scrape
from vistio_core.graph.model import Edge, Graph, Node, Notice, Rates, Region
from vistio_core.recording.exporting import Exported
from vistio_core.recording.importing import Imported
from vistio_core.recording.info import RecordingInfo
from vistio_core.recording.recording import Recording
from vistio_core.replay.frames.frames import Frames
from vistio_core.replay.lifetimes import Lifetimes
from vistio_core.replay.rows import Rows
from vistio_core.replay.unanswered import Unanswered, UnansweredRule
from vistio_core.storage.annotations import Annotation
from vistio_core.storage.upkeep import Pruned
from vistio_core.storage.writer import Writer

__all__ = [
    "Annotation",
    "BlastRadius",
    "Configuration",
    "Edge",
    "Exported",
    "Frames",
    "Graph",
    "Imported",
    "Incident",
    "IncidentPath",
    "Incidents",
    "Lifetimes",
    "Measurement",
    "Node",
    "Notice",
    "Outcome",
    "Pruned",
    "Rates",
    "Recording",
    "RecordingInfo",
    "Region",
    "Rejudged",
    "Rows",
    "RuleOutcome",
    "Sample",
    "Scrape",
    "Severity",
    "Suspects",
    "Unanswered",
    "UnansweredRule",
    "VistioError",
    "Writer",
    "errors",
    "events",
    "frontends",
    "load",
    "loads",
    "show",
    "times",
]
