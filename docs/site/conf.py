"""How docs/ becomes a site: `nox -s docs` builds it into site/ (docs/decisions/0050-documentation-site.md).

The Markdown is written for who reads it in the checkout. What the site needs beyond is made here, when a page is
read: the table of contents, and links to files that lie outside of docs/.
"""

from __future__ import annotations

import re
import sys
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pygments.lexers.special import TextLexer

if TYPE_CHECKING:
    from sphinx.application import Sphinx

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
DOCS = ROOT / "docs"
sys.path[:0] = [str(ROOT), str(HERE)]  # what is documented, and search_terms

project = "vistio"
author = copyright = "the vistio developers"
release = version = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
exclude_patterns = ["site"]
myst_heading_anchors = 5

html_theme = "furo"
html_title = f"vistio {release}"
html_copy_source = False
html_search_language = "english-chinese"

autodoc_default_options = {"members": True, "undoc-members": True}
autodoc_member_order = "bysource"
autodoc_preserve_defaults = True
autodoc_typehints = "signature"
default_role = "py:obj"  # what docstrings have in single backquotes: a link where it is one of our names
napoleon_numpy_docstring = False

_OUT_OF_DOCS = re.compile(r"\[(?P<text>[^\]\n]*)\]\((?P<path>(?:\.\./)+[^)#\s]*)(?P<fragment>#[^)\s]*)?\)")
_SECTION = re.compile(r"^## (?P<caption>.+)\n(?P<body>(?:(?!## ).*\n?)*)", re.MULTILINE)
_LISTED = re.compile(r"^- \[[^\]]+\]\((?P<page>[\w/-]+)\.md\)", re.MULTILINE)


def link_out_of_docs(link: re.Match[str], page: Path) -> str:
    """A link to what is in the checkout and not on the site: a file is a download, a folder its name."""
    target = (page.parent / link["path"]).resolve()
    if target.is_relative_to(DOCS):
        return link[0]
    if target.is_dir():
        shown = f"`{target.relative_to(ROOT)}`"
        return shown if link["text"].strip("`") == shown.strip("`") else f"{link['text']} ({shown})"
    return f"[{link['text']}](path:{link['path']})"


def tables_of_contents(index: str) -> str:
    """One for each section of the index, of the pages that it lists."""
    found = []
    for section in _SECTION.finditer(index):
        pages = [listed["page"] for listed in _LISTED.finditer(section["body"])]
        if pages:
            found += ["```{toctree}", ":hidden:", f":caption: {section['caption']}", "", *pages, "```", ""]
    return "\n".join(found)


def read_page(app: Sphinx, docname: str, source: list[str]) -> None:
    """What the site needs of a page beyond what stands in it."""
    page = Path(app.env.doc2path(docname))
    text = _OUT_OF_DOCS.sub(lambda link: link_out_of_docs(link, page), source[0])
    if docname == "index":
        text += "\n\n" + tables_of_contents(text)
    if docname == "decisions/index":
        text += "\n\n```{toctree}\n:glob:\n:maxdepth: 1\n\n0*\n```\n"
    source[0] = text


def part_the_shape(
    app: Sphinx, what: str, name: str, value: object, options: object, lines: list[str]
) -> None:
    """Before the columns of a table a blank line: to reStructuredText they are a mistake without."""
    parted: list[str] = []
    shape: int | None = None
    for line in lines:
        indent = len(line) - len(line.lstrip())
        if line.lstrip().startswith(("Shape:", "Shape of ")):
            shape = indent
        elif shape is not None and line.strip() and indent > shape:
            parted.append("")
            shape = None
        parted.append(line)
    lines[:] = parted


def say_the_language(
    app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: Any
) -> None:
    """For voices and hyphens: `lang` of the page's root."""
    if pagename.startswith("zh/"):
        context["language"] = "zh-CN"


def setup(app: Sphinx) -> None:
    from search_terms import EnglishAndChinese

    app.add_search_language(EnglishAndChinese)
    app.add_lexer("mermaid", TextLexer)
    app.connect("source-read", read_page)
    app.connect("html-page-context", say_the_language)
    app.connect("autodoc-process-docstring", part_the_shape, priority=400)  # before napoleon reads them
