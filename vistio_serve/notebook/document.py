"""The built page as one document that needs nothing else: its script and its styles stand inside."""

from __future__ import annotations

import re
from functools import cache
from importlib import resources

from vistio_core.errors import UsageError

# Neither a network nor the notebook around it can be reached: only what stands in the document runs.
POLICY = (
    "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data: blob:; worker-src blob:;"
    " base-uri 'none'; form-action 'none'"
)
_SCRIPT = re.compile(r'<script type="module"[^>]* src="\./(assets/[^"]+\.js)"></script>')
_STYLE = re.compile(r'<link rel="stylesheet"[^>]* href="\./(assets/[^"]+\.css)">')
_ICON = re.compile(r'<link rel="icon"[^>]*>')
_UI = resources.files("vistio_serve") / "static" / "ui"


@cache
def document() -> str:
    """HTML for the ``srcdoc`` of a frame.

    Raises:
        UsageError: this vistio was built without the web UI.
    """
    text = _read("index.html")
    text = _SCRIPT.sub(
        lambda found: f'<script type="module">{_inside(_read(found[1]), "script")}</script>', text
    )
    text = _STYLE.sub(lambda found: f"<style>{_inside(_read(found[1]), 'style')}</style>", text)
    policy = f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
    return _ICON.sub("", text).replace("<head>", f"<head>{policy}", 1)


def frame_script() -> str:
    """The module that anywidget loads.

    Raises:
        UsageError: as `document`.
    """
    return _read("widget.js")


def _read(name: str) -> str:
    file = _UI.joinpath(name)
    if not file.is_file():
        raise UsageError(
            "this vistio was built without the web UI, which the widget shows: install it from a wheel, or build it"
            " (npm run build in vistio_serve/web)"
        )
    return file.read_text(encoding="utf-8")


def _inside(content: str, tag: str) -> str:
    """``content`` so that it does not end its own element. In both languages a backslash there changes nothing."""
    return re.sub(rf"</(?={tag})", r"<\\/", content, flags=re.IGNORECASE)
