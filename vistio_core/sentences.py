"""What Vistio says to people, in the language of whoever reads it.

The library finds facts; a sentence is an English text and the facts that are put into it, and becomes words when
somebody reads it. The text is the key of its translation in a catalogue (``zh.toml``), and says as `str.format` does
where each fact stands and how many digits it has:

    say("{now:.1%} of its requests fail, before {before:.1%}", now=0.12, before=0.004)
        str()          12.0% of its requests fail, before 0.4%
        told("zh")     12.0% 的请求失败，之前为 0.4%

So whoever adds one needs no name for it, what somebody read is found in the sources, and ``tests/test_sentences.py``
sees which have no translation. What is a name, was recorded, or can be typed back (times, options) is the same in
every language.
"""

from __future__ import annotations

import tomllib
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from functools import cache
from importlib import resources
from typing import Any, Literal, get_args

import attrs

Language = Literal["en", "zh"]
LANGUAGES: tuple[Language, ...] = get_args(Language)
"""Those that there are, English first: it is what nobody has to ask for."""
TAGS: Mapping[Language, str] = {"en": "en", "zh": "zh-CN"}
"""As HTML and HTTP name them."""


def language_named(name: str | None) -> Language | None:
    """The language of this name; None where it is none of those that there are."""
    return next((each for each in LANGUAGES if each == name), None)


class Telling(ABC):
    """What becomes words in the language of whoever reads it; as a text it is English."""

    __slots__ = ()

    @abstractmethod
    def told(self, language: Language = "en") -> str:
        """In a language; in English what has no translation."""

    def __str__(self) -> str:
        return self.told()

    def __repr__(self) -> str:
        return repr(self.told())


@attrs.frozen(repr=False)
class Sentence(Telling):
    """A text and its facts; `say` makes one."""

    text: str
    facts: Mapping[str, object] = attrs.field(factory=dict)
    """Names, numbers, or sentences."""

    def told(self, language: Language = "en") -> str:
        """As `Telling.told`."""
        given = {name: told(fact, language) for name, fact in self.facts.items()}
        return translated(self.text, language).format(**given)

    def having(self, **facts: object) -> Sentence:
        """The same with other facts in the place of these."""
        return Sentence(self.text, {**self.facts, **facts})


@attrs.frozen(repr=False)
class Joined(Telling):
    """What is said one after the other."""

    parts: Sequence[Said]
    by: str
    """Such as ``", "``, which has a translation, too."""

    def told(self, language: Language = "en") -> str:
        """As `Telling.told`."""
        return translated(self.by, language).join(str(told(part, language)) for part in self.parts)


@attrs.frozen(repr=False)
class Cut(Telling):
    """What is said, and of it no more than so many characters."""

    words: Said
    most: int

    def told(self, language: Language = "en") -> str:
        """As `Telling.told`."""
        whole = str(told(self.words, language))
        return whole if len(whole) <= self.most else whole[: self.most] + "…"


Said = str | Telling
"""What is said; a text is the same in all languages."""


def say(text: str, /, **facts: object) -> Sentence:
    """A sentence.

    Args:
        text: in English, as it stands; the key of its translations.
        facts: what is put into it.
    """
    return Sentence(text, facts)


def told(words: Any, language: Language) -> Any:
    """What is said, in a language; anything else as it is."""
    return words.told(language) if isinstance(words, Telling) else words


def translated(text: str, language: Language) -> str:
    """A text as the catalogue of a language has it; itself where that has none."""
    return _catalogue(language).get(text, text)


@cache
def _catalogue(language: Language) -> Mapping[str, str]:
    if language == "en":
        return {}
    file = resources.files("vistio_core") / f"{language}.toml"
    return tomllib.loads(file.read_text(encoding="utf-8"))
