"""What answers look like, as JSON Schema: the schemas of the OpenAPI document.

Each kind of object has a name here, which is what a generated client calls its class; docs/http-api.md tells what the
members mean. All members that are listed are there, unless they stand in ``maybe``. A client has to bear with others,
for a later version may tell more; that no answer of this version has one that is missing here is for the tests to say.

What must not be in here: routes' paths and statuses (`openapi`), graphs (`graph_schemas`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, get_args

from vistio_core.access.web_config import SCOPES
from vistio_core.diagnosis.top import By
from vistio_core.replay.comparison import CHANGES
from vistio_core.storage.annotations import MAX_LINK_BYTES, MAX_NAME_BYTES, MAX_TAGS, MAX_TEXT_BYTES
from vistio_serve import graph_schemas, problems
from vistio_serve.graph_schemas import RATES
from vistio_serve.json_schema import (
    FLAG,
    INSTANT,
    INSTANT_OR_NULL,
    NUMBER,
    NUMBER_OR_NULL,
    NUMBERS_OR_NULLS,
    TEXT,
    TEXT_OR_NULL,
    TEXTS,
    WHOLE,
    WHOLE_OR_NULL,
    Schema,
    array_of,
    choice_of,
    list_of,
    map_of,
    object_of,
    or_null,
    ref,
)

_WINDOW: Final = {"start": INSTANT, "end": INSTANT}
_NODE: Final = {"cluster": TEXT, "node": TEXT}
_NODE_OR_EDGE: Final = {**_NODE, "target": TEXT_OR_NULL}

_OF_RECORDING: Final[dict[str, Schema]] = {
    "Window": object_of(_WINDOW),
    "Unseen": object_of({**_WINDOW, "reason": TEXT}, description="What was not seen, and why."),
    "Gap": object_of({**_WINDOW, "writer": TEXT, "missing": WHOLE, "reason": TEXT}),
    "Instant": object_of(
        {
            "instant": INSTANT,
            "writer": TEXT,
            "interval_ms": WHOLE,
            "seen": FLAG,
            **dict.fromkeys(("rules", "failed_rules", "series", "dropped"), WHOLE),
            "backfilled": FLAG,
            "configuration": TEXT,
            "failure": TEXT_OR_NULL,
        }
    ),
    "Span": object_of({"first": INSTANT_OR_NULL, "last": INSTANT_OR_NULL}),
    "Instants": object_of(
        {
            "now": INSTANT,
            "recording": ref("Span"),
            **_WINDOW,
            "gaps": list_of("Gap"),
            "instants": list_of("Instant"),
        }
    ),
    "Annotation": object_of(
        {
            "id": TEXT,
            "start": INSTANT,
            "end": INSTANT_OR_NULL,
            **dict.fromkeys(("kind", "text", "cluster", "node", "link"), TEXT),
            "tags": map_of(TEXT),
        }
    ),
    "Annotations": object_of({"annotations": list_of("Annotation")}),
    "Written": object_of({"id": TEXT, "start": INSTANT}),
    "Removed": object_of({}),
    "Access": object_of(
        {
            "name": TEXT,
            "user": TEXT,
            "scopes": array_of(choice_of(*SCOPES)),
            "annotating": FLAG,
        }
    ),
}

_CHANGE: Final = {
    "change": choice_of(*CHANGES),
    "change_rps": NUMBER_OR_NULL,
    "before": or_null("Rates"),
    "after": or_null("Rates"),
    "before_unseen": TEXTS,
    "after_unseen": TEXTS,
}
_OF_WINDOWS: Final[dict[str, Schema]] = {
    "Steps": object_of(
        {
            "start_ms": array_of(WHOLE),
            **dict.fromkeys((*RATES, *(f"known_{name}" for name in RATES)), NUMBERS_OR_NULLS),
            **dict.fromkeys(
                ("edges", "notices_info", "notices_warning", "notices_error"),
                array_of(WHOLE_OR_NULL),
            ),
            **dict.fromkeys(("instants", "missing"), array_of(WHOLE)),
            "unseen": array_of(TEXTS),
        },
        description="Columns of one length, an element for each step.",
    ),
    "Timeline": object_of(
        {"now": INSTANT, **_WINDOW, "step_ms": WHOLE, "steps": ref("Steps"), "gaps": list_of("Gap")}
    ),
    "Moment": object_of({**_WINDOW, "instants": WHOLE, "significant_digits": WHOLE_OR_NULL}),
    "ChangedEdge": object_of({**dict.fromkeys(("cluster", "source", "target"), TEXT), **_CHANGE}),
    "ChangedNode": object_of({**_NODE, **_CHANGE}),
    "Diff": object_of(
        {
            "before": ref("Moment"),
            "after": ref("Moment"),
            "changed_edges": WHOLE,
            "changed_nodes": WHOLE,
            "edges": list_of("ChangedEdge"),
            "nodes": list_of("ChangedNode"),
        }
    ),
    "TopRow": object_of(
        {
            **_NODE_OR_EDGE,
            "rps": NUMBER_OR_NULL,
            **dict.fromkeys(RATES, NUMBER_OR_NULL),
            "error_share": NUMBER_OR_NULL,
            "unseen": TEXTS,
        },
        maybe=dict.fromkeys(("latency_ms", "before_rps", "change_rps"), NUMBER_OR_NULL),
    ),
    "Top": object_of(
        {
            **_WINDOW,
            "by": choice_of(*get_args(By)),
            "nodes": list_of("TopRow"),
            "edges": list_of("TopRow"),
        }
    ),
    "Reached": object_of(
        {
            "distance": WHOLE,
            **_NODE,
            "via": TEXT,
            "rps": NUMBER_OR_NULL,
            "error_share": NUMBER_OR_NULL,
        }
    ),
    "BlastRadius": object_of(
        {
            "node": TEXT,
            "asked": INSTANT,
            "instant": INSTANT,
            "callers": list_of("Reached"),
            "dependencies": list_of("Reached"),
            "unseen": TEXTS,
        }
    ),
    "Lifetime": object_of(
        {
            **_NODE_OR_EDGE,
            "first_seen": INSTANT,
            "last_seen": INSTANT,
            **dict.fromkeys(("absent_before", "absent_after", "watched_from", "watched_to"), INSTANT_OR_NULL),
        }
    ),
    "Seen": object_of(
        {
            **_WINDOW,
            "all_nodes": WHOLE,
            "all_edges": WHOLE,
            "nodes": list_of("Lifetime"),
            "edges": list_of("Lifetime"),
            "unseen": list_of("Unseen"),
        }
    ),
    "Heat": object_of(
        {
            **_WINDOW,
            "step_ms": WHOLE,
            "cluster": TEXTS,
            "node": TEXTS,
            **dict.fromkeys((*RATES, "latency_ms"), array_of(NUMBERS_OR_NULLS)),
        },
        description="Columns of one length, an element for each node; of rates a list, step by step.",
    ),
}

_OF_INCIDENTS: Final[dict[str, Schema]] = {
    "Whom": object_of(_NODE),
    "Who": object_of(_NODE_OR_EDGE),
    "Incident": object_of(
        {
            "start": INSTANT,
            "end": INSTANT_OR_NULL,
            "summary": TEXT,
            "first": ref("Who"),
            "hit": list_of("Whom"),
            "worst_share": NUMBER_OR_NULL,
            "times_as_long": NUMBER,
        }
    ),
    "Incidents": object_of({**_WINDOW, "incidents": list_of("Incident"), "unseen": list_of("Unseen")}),
    "Suspect": object_of(
        {
            "rank": WHOLE,
            **_NODE_OR_EDGE,
            "score": NUMBER,
            "onset": INSTANT,
            "measure": TEXT,
            "evidence": TEXT,
        }
    ),
    "Suspects": object_of(
        {**_WINDOW, "suspects": list_of("Suspect"), "baseline": ref("Window"), "unseen": list_of("Unseen")}
    ),
    "PathStep": object_of(
        {
            "order": WHOLE,
            **_NODE,
            "follows": TEXT_OR_NULL,
            "later_ms": WHOLE_OR_NULL,
            "onset": INSTANT,
            "measure": choice_of("latency_ms", "error_share"),
            "before": NUMBER,
            "now": NUMBER,
            "harmed_rps": NUMBER,
        }
    ),
    "Path": object_of(
        {
            **_WINDOW,
            "summary": TEXT,
            "path": list_of("PathStep"),
            "baseline": ref("Window"),
            "unseen": list_of("Unseen"),
        }
    ),
}

_OF_OTHERS: Final[dict[str, Schema]] = {
    "Problem": object_of(
        {
            "type": choice_of(*(f"urn:vistio:problem:{kind}" for kind in problems.KINDS)),
            "title": TEXT,
            "status": WHOLE,
            "detail": TEXT,
        },
        maybe={
            "parameter": TEXT,
            "allowed": TEXTS,
            "asked": INSTANT,
            "before": INSTANT_OR_NULL,
            "after": INSTANT_OR_NULL,
            "reason": TEXT,
            "scope": TEXT,
            "name": TEXT,
            "nearest": TEXTS,
            "incident": TEXT,
        },
        description="RFC 9457: what is wrong, and what would work.",
    ),
    "Document": {"type": "object", "description": "OpenAPI 3.1."},
    "Mark": {
        **object_of(
            {"text": {"type": "string", "minLength": 1, "maxLength": MAX_TEXT_BYTES}},
            maybe={
                "kind": {"type": ["string", "null"], "pattern": "^[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?$"},
                "at": {"type": ["string", "number", "null"], "description": "The same as start."},
                "start": {"type": ["string", "number", "null"], "description": "An instant; now."},
                "end": {
                    "type": ["string", "number", "null"],
                    "description": "After start; none: it happened at one instant.",
                },
                "cluster": {**TEXT_OR_NULL, "maxLength": MAX_NAME_BYTES},
                "node": {**TEXT_OR_NULL, "maxLength": MAX_NAME_BYTES},
                "link": {**TEXT_OR_NULL, "maxLength": MAX_LINK_BYTES, "description": "http or https."},
                "tags": {
                    "type": ["object", "null"],
                    "maxProperties": MAX_TAGS,
                    "additionalProperties": TEXT,
                },
            },
            description="A mark on the timeline; lengths are those of UTF-8.",
        ),
        "additionalProperties": False,
    },
}

SCHEMAS: Final[Mapping[str, Schema]] = {
    **_OF_OTHERS,
    **_OF_RECORDING,
    **_OF_WINDOWS,
    **_OF_INCIDENTS,
    **graph_schemas.SCHEMAS,
}
"""By name."""

OF_ROUTE: Final[Mapping[str, str]] = {
    "timeline": "Timeline",
    "frames": "Frames",
    "diff": "Diff",
    "top": "Top",
    "blast_radius": "BlastRadius",
    "path": "Path",
    "seen": "Seen",
    "incidents": "Incidents",
    "heat": "Heat",
    "suspects": "Suspects",
    "annotations": "Annotations",
    "access": "Access",
    "instants": "Instants",
    "openapi": "Document",
    "make": "Written",
    "replace": "Written",
    "remove": "Removed",
}
"""What a route answers in JSON, by the route's name; `graph_schemas.graph_in` tells those of graphs."""
