r"""Names of nodes: how long one may be, how it is shown to people, and which are like a mistyped one. Pure.

Facts keep names as they are, and data (JSON, links, columns) say them exactly. A picture or a table shows them as
`visible` makes them, for it would lie where a name has characters that cannot be seen, turn the text around, or
draw one letter in two ways:

    new⏎line                   new\u000aline             a line end that a label would swallow
    a, U+202E, b               a\u202eb                  what follows would stand in front of it
    e, U+0301                  e\u0301                   or it looked like the one letter é
    " a"                       \u0020a                   or it looked like a
    \u202e, typed out          \u005cu202e              so that each \u is an escape: no two names look the same

The page does the same in `vistio_serve/web/src/values/names.ts`; `vistio_serve/web/test/visible_names.json` holds both
to it.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterable
from difflib import get_close_matches
from functools import lru_cache

LONGEST_NAME_BYTES = 1_024
"""In UTF-8. Longer names, statuses and labels of notices are cut by whoever records them."""
_DIGEST_DIGITS = 16
_LONGEST_CHARACTER_BYTES = 4
_REMEMBERED = 16_384
_OFFERED = 3
_ALIKE = 0.5
"""How near a name has to be to be offered, as `difflib` measures it."""

# Whatever neighbours it has. Categories would differ between versions of Unicode, and so between Python and browsers.
_ALWAYS = re.compile(
    "["
    "\x00-\x1f\x7f-\xa0\xad"  # controls, no-break space, soft hyphen
    "\u0300-\u036f\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f\u3099\u309a"  # marks upon letters
    "\u061c\u115f\u1160\u1680\u17b4\u17b5\u180b-\u180f\u2000-\u200f\u2028-\u202f\u205f-\u206f"  # blank, or they turn
    "\u2800\u3000\u3164\uffa0\ufeff\ufff0-\ufffb\ufe00-\ufe0f"  # blank; selectors of variants
    "\ud800-\udfff\ue000-\uf8ff\ufdd0-\ufdef\ufffe\uffff"  # no characters, or of a font's own
    "\U0001bca0-\U0001bca3\U0001d159\U0001d173-\U0001d17a\U000e0000-\U000e0fff"  # invisible; tags
    "\U000f0000-\U0010ffff"  # of a font's own
    + "".join(f"{chr(plane + 0xFFFE)}{chr(plane + 0xFFFF)}" for plane in range(0x10000, 0xF0000, 0x10000))
    + "]"
)
# A text of these, with single blanks inside, is shown as it is; nearly all are.
_PLAIN = re.compile(r"[!-\[\]-~]+(?: [!-\[\]-~]+)*")


def shortened(name: str) -> str:
    """``name`` where it is not too long; else its beginning, an ellipsis, and digits by which it differs from others.

    At most `LONGEST_NAME_BYTES` in UTF-8. The same name always becomes the same.
    """
    if len(name) * _LONGEST_CHARACTER_BYTES <= LONGEST_NAME_BYTES:
        return name
    encoded = name.encode(errors="surrogatepass")
    if len(encoded) <= LONGEST_NAME_BYTES:
        return name
    end = f"…{hashlib.sha256(encoded).hexdigest()[:_DIGEST_DIGITS]}"
    return encoded[: LONGEST_NAME_BYTES - len(end.encode())].decode(errors="ignore") + end


def nearest(name: str, known: Iterable[str]) -> list[str]:
    """Known names like this one, the most like first; capital letters are alike to small ones."""
    by_text: dict[str, str] = {}
    for each in known:
        by_text.setdefault(each.casefold(), each)
    alike = get_close_matches(name.casefold(), by_text, _OFFERED, _ALIKE)
    inside = [text for text in by_text if name.casefold() in text and text not in alike] if name else []
    return [by_text[text] for text in [*alike, *inside][:_OFFERED]]


def visible(name: str) -> str:
    r"""``name`` as people shall see it: what they could not see, or not tell apart, as ``\u202e`` or ``\u{e0001}``.

    Two different names are never shown alike (but for letters of different scripts that look alike).
    """
    return name if _PLAIN.fullmatch(name) else _visible(name)


@lru_cache(_REMEMBERED)
def _visible(name: str) -> str:
    shown: list[str] = []
    before = " "
    for index, character in enumerate(name):
        after = name[index + 1 : index + 2]
        shown.append(_escaped(character) if _hides(character, before, after) else character)
        before = character
    return "".join(shown)


def _hides(character: str, before: str, after: str) -> bool:
    """Whether a character is not seen for what it is, beside its neighbours; a blank stands before a name."""
    if character == " ":
        return before == " " or not after
    if character == "\\":
        return after == "u"
    if character.isascii() and character.isprintable():
        return False
    if _ALWAYS.match(character):
        return True
    if unicodedata.category(character).startswith("M") and unicodedata.category(before)[0] not in "LM":
        return True  # a mark with nothing to stand upon
    # Alone or with its neighbour another spelling of the same letter: Å is U+00C5 or U+212B, 각 is one letter or three.
    return _composed(character) != character or _composed(before + character) != _composed(before) + character


def _composed(text: str) -> str:
    return unicodedata.normalize("NFC", text)


def _escaped(character: str) -> str:
    code = ord(character)
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\u{{{code:x}}}"
