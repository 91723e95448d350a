"""What names, notices and colours must be like to be safe inside the Vizceral component.

The component keys plain JavaScript objects by node name, joins names to edge keys, writes
notices into ``innerHTML``, and stops with an exception at a colour it cannot parse.
"""

from __future__ import annotations

import re
from html import escape
from typing import TYPE_CHECKING, Any

from vistio_core.frontends.css_colors import is_color

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from vistio_core.graph.model import Notice

_DEFAULT_COLOR = "rgb(186, 213, 237)"

# Every plain object has these already: `nodes["constructor"]` is found before it was ever added.
_OBJECT_PROTOTYPE = frozenset(
    (
        "constructor",
        "hasOwnProperty",
        "isPrototypeOf",
        "propertyIsEnumerable",
        "toLocaleString",
        "toString",
        "valueOf",
        "__proto__",
        "__defineGetter__",
        "__defineSetter__",
        "__lookupGetter__",
        "__lookupSetter__",
    )
)
_JOINER = re.compile(r"-(?=-)|-\Z")

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
# An HTML entity in front of the path could decode to a scheme, so "&" and ":" may only come later.
_SAFE_LINK = re.compile(r"https?://|[/?#]|\.\.?(?:/|\Z)|[\w.~-]+(?:[/?#]|\Z)", re.ASCII | re.IGNORECASE)
_QUOTED = {ord(character): f"%{ord(character):02X}" for character in " \"'<>`"}


def safe_key(name: str) -> str:
    """``name``, or a similar one where a plain JavaScript object could not hold it as a key."""
    return f"{name}_" if name in _OBJECT_PROTOTYPE else name


def rename(names: Collection[str], pairs: Collection[tuple[str, str]]) -> dict[str, str]:
    """New names for the few nodes that the component could not tell apart; mostly empty.

    The component calls an edge ``source--target``, so ``a--b`` to ``c`` and ``a`` to ``b--c`` are one
    to it. Only where that happens are the dashes of such names loosened.
    """
    # Two keys can only be equal where a source ends in a dash or has two of them in it.
    ambiguous = any(name.endswith("-") or "--" in name for name in names) and len(
        {f"{source}--{target}" for source, target in pairs}
    ) != len(pairs)
    renamed: dict[str, str] = {}
    taken = set(names)
    for name in sorted(names) if ambiguous else sorted(_OBJECT_PROTOTYPE.intersection(names)):
        wanted = safe_key(name)
        if ambiguous:
            wanted = _JOINER.sub("-_", wanted)
        if wanted != name:
            while wanted in taken:
                wanted += "_"
            taken.add(wanted)
            renamed[name] = wanted
    return renamed


def notices(them: Iterable[Notice]) -> list[dict[str, Any]]:
    """The notices as the component wants them: most severe first, text escaped, links checked."""
    ordered = sorted(dict.fromkeys(them), key=lambda n: (-n.severity, n.title, n.subtitle, n.link))
    return [_notice(notice) for notice in ordered]


def _notice(notice: Notice) -> dict[str, Any]:
    # Quotes stay: these texts land between tags, and Vistio's UI shows them without unescaping.
    made: dict[str, Any] = {"title": escape(notice.title, quote=False)}
    if notice.subtitle:
        made["subtitle"] = escape(notice.subtitle, quote=False)
    link = safe_link(notice.link)
    if link:
        made["link"] = link
    # The component indexes a list of three icons with it.
    made["severity"] = min(max(int(notice.severity), 0), 2)
    return made


def safe_link(link: str) -> str:
    """``link`` if it is http, https or relative (``//host`` is both), else an empty text.

    It is safe between the double quotes of an ``href``. An ``&`` stays as it is, because Vistio's UI sets
    the link without unescaping; behind a scheme or a path it cannot do harm.
    """
    link = link.strip()
    if not link or _CONTROL.search(link) or not _SAFE_LINK.match(link):
        return ""
    return link.translate(_QUOTED)


def safe_color(color: str, otherwise: str = _DEFAULT_COLOR) -> str:
    """``color`` if the component can parse it, else ``otherwise``."""
    color = color.strip()
    return color if is_color(color) else otherwise


def classes(colors: Mapping[str, str], used: Iterable[str]) -> list[dict[str, str]]:
    """Name and colour of each class, sorted; has ``default`` and every class that is used.

    Args:
        colors: class to its configured colour.
        used: the classes of all nodes; one without a colour is drawn like ``default``.
    """
    default = safe_color(colors.get("default", _DEFAULT_COLOR))
    known = {safe_key(name): safe_color(color, default) for name, color in colors.items() if name}
    for name in ("default", *used):
        known.setdefault(safe_key(name), default)
    return [{"name": name, "color": color} for name, color in sorted(known.items())]
