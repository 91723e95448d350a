"""The built page as one document that needs nothing else: its scripts and its styles stand inside.

The page loads some of its scripts only when they are needed, and they import each other by their files' names. A
frame's document has no files, so each script stands in it as text, with the others' names made bare, and an import map
leads from these to what the browser makes of the texts.
"""

from __future__ import annotations

import json
import re
from functools import cache
from importlib import resources

from vistio_core.errors import UsageError

# Neither a network nor the notebook around it can be reached: only what stands in the document runs.
POLICY = (
    "default-src 'none'; script-src 'unsafe-inline' blob:; style-src 'unsafe-inline'; img-src data: blob:;"
    " worker-src blob:; base-uri 'none'; form-action 'none'"
)
_SCRIPT = re.compile(r'<script type="module"[^>]* src="\./(assets/[^"]+\.js)"></script>')
_STYLE = re.compile(r'<link rel="stylesheet"[^>]* href="\./(assets/[^"]+\.css)">')
_IMPORTED = re.compile(r'(?<=["\'`])\./(?=[\w.-]+\.js["\'`])')
_BARE = "vistio/"
_BEGIN = """\
<script type="application/json" id="scripts">{scripts}</script><script>{{
const scripts = JSON.parse(document.getElementById("scripts").textContent);
const map = document.createElement("script");
map.type = "importmap";
const address = (text) => URL.createObjectURL(new Blob([text], {{type: "text/javascript"}}));
const imports = Object.entries(scripts).map(([name, text]) => [name, address(text)]);
map.textContent = JSON.stringify({{imports: Object.fromEntries(imports)}});
document.head.append(map);
}}</script><script type="module">import {first};</script>"""
_LINKS = re.compile(r'<link rel="(?:icon|modulepreload)"[^>]*>')
_UI = resources.files("vistio_serve") / "static" / "ui"


@cache
def document() -> str:
    """HTML for the ``srcdoc`` of a frame.

    Raises:
        UsageError: this vistio was built without the web UI.
    """
    text = _read("index.html")
    text = _SCRIPT.sub(lambda found: _scripts(found[1].removeprefix("assets/")), text)
    text = _STYLE.sub(lambda found: f"<style>{_inside(_read(found[1]), 'style')}</style>", text)
    policy = f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
    return _LINKS.sub("", text).replace("<head>", f"<head>{policy}", 1)


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


def _scripts(first: str) -> str:
    """Elements with all scripts of the page, which begins with ``first``."""
    names = sorted(each.name for each in _UI.joinpath("assets").iterdir() if each.name.endswith(".js"))
    scripts = {_BARE + name: _IMPORTED.sub(_BARE, _read(f"assets/{name}")) for name in names}
    # In a text of JSON this is the same character, and ends no element.
    texts = json.dumps(scripts, ensure_ascii=False).replace("<", "\\u003c")
    return _BEGIN.format(scripts=texts, first=json.dumps(_BARE + first))


def _inside(content: str, tag: str) -> str:
    """``content`` so that it does not end its own element. In both languages a backslash there changes nothing."""
    return re.sub(rf"</(?={tag})", r"<\\/", content, flags=re.IGNORECASE)
