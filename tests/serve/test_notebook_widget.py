"""The widget without a browser: what it may be told, what it answers, and that its document needs nothing else."""

from __future__ import annotations

import json
import re
import sys
from importlib import resources
from typing import Any

import pandas as pd
import pytest
from support.scrapes import INTERVAL_MS, START_MS, mesh, scrape

import vistio_core as vistio
from vistio_core.errors import InvalidTimeError, MissingLibraryError, UsageError
from vistio_core.times import format_instant
from vistio_serve import create_app
from vistio_serve.notebook import document as documents
from vistio_serve.notebook import widget

AT = format_instant(START_MS)
needs_ui = pytest.mark.skipif(
    not (resources.files("vistio_serve") / "static" / "ui" / "widget.js").is_file(),
    reason="the web UI is not built: `npm ci && npm run build` in vistio_serve/web, or `pip install .`",
)


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> vistio.Recording:
    recording = vistio.Recording.open(tmp_path_factory.mktemp("widget") / "r", create=True)
    with recording.writer() as writer:
        writer.put_configuration(mesh())
        for index in range(3):
            writer.commit(scrape(START_MS + index * INTERVAL_MS, {"a>b 200": 1.0 + index}))
    return recording


@needs_ui
def test_traits_take_times_in_all_usual_forms(recording: vistio.Recording) -> None:
    shown = widget(recording, pd.Timestamp(AT), window=(START_MS, START_MS + 60_000))
    assert (shown.at, shown.window, shown.selected) == (AT, [AT, "2026-11-23T05:01:00Z"], None)
    shown.at = START_MS / 1000 + 10
    assert shown.at == "2026-11-23T05:00:10Z"
    shown.at = shown.window = None
    shown.selected = {"cluster": "mesh", "node": "a"}
    assert (shown.at, shown.window, shown.selected) == (None, None, {"cluster": "mesh", "node": "a"})


@needs_ui
@pytest.mark.parametrize(
    ("trait", "value", "error"),
    [
        ("at", "yesterday", InvalidTimeError),
        ("at", pd.Timestamp("2026-11-23T05:00"), InvalidTimeError),
        ("window", AT, InvalidTimeError),
        ("window", (AT, AT), UsageError),
        ("selected", "a", UsageError),
        ("selected", {"node": "a"}, UsageError),
        ("selected", {"cluster": "mesh", "node": 1}, UsageError),
        ("selected", {"cluster": "mesh", "source": "a"}, UsageError),
    ],
)
def test_what_a_trait_cannot_be_is_refused_and_it_stays(
    recording: vistio.Recording, trait: str, value: Any, error: type[Exception]
) -> None:
    shown = widget(recording, AT)
    before = getattr(shown, trait)
    with pytest.raises(error):
        setattr(shown, trait, value)
    assert getattr(shown, trait) == before


@needs_ui
def test_a_question_of_the_page_is_answered_as_the_server_would(
    recording: vistio.Recording, monkeypatch: pytest.MonkeyPatch
) -> None:
    from vistio_serve.notebook.traffic_widget import answer_to

    shown = widget(recording)
    sent: list[tuple[Any, bytes]] = []
    monkeypatch.setattr(shown, "send", lambda content, buffers: sent.append((content, buffers[0])))
    for number, path in enumerate((f"graph?at={AT}", "graph?at=never", "nowhere", "../../etc/passwd", "")):
        shown._handle_custom_msg({"id": f"view/{number}", "path": path}, [])
    assert [(content["id"], content["status"]) for content, _ in sent] == [
        ("view/0", 200),
        ("view/1", 400),
        ("view/2", 404),
        ("view/3", 404),
        ("view/4", 200),
    ]
    assert json.loads(sent[0][1])["metadata"]["vistio"]["instant"] == AT
    assert json.loads(sent[1][1])["type"] == "urn:vistio:problem:bad-time"
    assert sent[4][1] == documents.document().encode()
    assert answer_to(create_app(recording), f"graph?at={AT}") == (200, sent[0][1])


@needs_ui
def test_the_document_needs_nothing_else() -> None:
    text = documents.document()
    assert 'src="' not in text[: text.index("<script")]
    assert "./assets/" not in text
    assert not re.search(r"""["'`]\./[\w.-]+\.js""", text), "a script that is imported from a file"
    assert "vistio/dialogs-" in text, "what is loaded later is inside"
    assert text.count("</script>") == text.count("<script") == 3
    assert text.count("</style>") == 1
    assert f'content="{documents.POLICY}"' in text
    assert "http" not in documents.POLICY
    assert text.index("Content-Security-Policy") < text.index("<script")


def test_a_script_cannot_end_its_own_element() -> None:
    assert documents._inside('a = "</script>" + "</SCRIPT " + "</b>"', "script") == (
        'a = "<\\/script>" + "<\\/SCRIPT " + "</b>"'
    )


def test_a_vistio_without_web_ui_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    monkeypatch.setattr(documents, "_UI", tmp_path)
    with pytest.raises(UsageError, match="built without the web UI"):
        documents.frame_script()


def test_without_anywidget_the_error_says_how_to_get_it(
    recording: vistio.Recording, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(sys.modules, "vistio_serve.notebook.traffic_widget", raising=False)
    monkeypatch.setitem(sys.modules, "anywidget", None)
    with pytest.raises(MissingLibraryError, match=r"pip install anywidget, or .*vistio\[notebook\]"):
        widget(recording)
