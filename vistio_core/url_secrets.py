"""Which parts of a URL are secret, and the text without them.

A secret can stand in each part of a URL, and a URL in each text: a configuration, an error, a comment.
Ordinary parameters (``tenant=a``, ``dedup=true``) are no secrets and stay:

    https://user:hunter2@host/token/hunter2/?tenant=a&api_key=hunter2#access_token=hunter2
    https://user:***@host/token/***/?tenant=a&api_key=***#access_token=***

What is secret is told by its name (`is_secret_name`), by its place (a password) or by its form (a JSON
Web Token). Redacting what was redacted changes nothing.
"""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import quote, unquote, unquote_plus

HIDDEN: Final = "***"

# A name is taken apart at its signs and capitals: X-Amz-Signature, accessToken, api_key.
_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|[0-9]+")
_WORDS = frozenset(
    "auth authz cookie hmac jwt key keys pass pat pw pwd sas session sid sig sign".split()  # noqa: SIM905
)
_PARTS = re.compile(
    "accesskey|apikey|appkey|authkey|authorization|bearer|credential|passphrase|passwd|password|privatekey"
    "|secret|sessionid|signature|subscriptionkey|token"
)
_NESTED = 3
"""How often a value may be percent-encoded and is still looked into."""

_SHORTEST = 4
"""What is shorter is no secret to anybody, and stands in many a text by chance."""

# scheme://user:password@host. Up to the last @ before the path: unescaped ones occur in passwords. What is
# no port before the first slash is a password with a slash in it.
_PASSWORD = re.compile(r"(?P<user>://[^\s/?#\"@:]*):[^\s/?#\"]*@")
_SLASHED_PASSWORD = re.compile(
    r"(?P<user>://(?!\[)[^\s/?#\"@:]*):(?=[0-9]*[^\s/?#\"@0-9][^\s/?#\"@]*[/?#])[^\s\"]*@"
)
# A user without a password that no person would be called: ghp_0a1B...@host
_NO_PERSON = r"(?=[^\s/?#\"@:]*[0-9])(?=[^\s/?#\"@:]*[A-Za-z])[^\s/?#\"@:]{20,}"
_TOKEN_USER = re.compile(rf"://{_NO_PERSON}:?@")
_TOKEN = re.compile(r"\beyJ[\w-]{5,}\.[\w-]{5,}\.[\w-]*")
# A value ends at what cannot stand in a URL. A quote or a bracket can: rather too much is hidden than too little.
_NAME = re.compile(r"(?<=[?&#;])(?P<name>[^\s?&#;=\"<>`/]{1,200})=")
_VALUE = re.compile(r"[^\s&#\"<>`]+")
_PLAIN_VALUE = re.compile(r"[^\s&#;\"<>`]*")
_PATH = re.compile(r"(?P<place>://[^\s/?#\"<>`]*)(?P<path>/[^\s?#\"<>`]*)")
_IN_PATH = re.compile(
    r"(?<=/)(?P<name>api[_-]?key|(?:access|auth|api)?[_-]?token|key|passw(?:or)?d|secret)/[^/]+",
    re.IGNORECASE,
)
_NEVER_IN_URL = re.compile(r"[\s\"<>`]")
_SOLID = re.compile(r"[^\s\"]+")
_BEFORE_HOST = re.compile(r"\A[^\s/?#]*@")


def is_secret_name(name: str) -> bool:
    """Whether what is called so (a parameter, a header) is a secret."""
    name = unquote_plus(name)
    words = {word.casefold() for word in _WORD.findall(name)}
    together = "".join(character for character in name.casefold() if character.isalnum())
    # ``code`` is a key of Azure's functions; status_code is not.
    return together == "code" or not words.isdisjoint(_WORDS) or _PARTS.search(together) is not None


def is_token_user(user: str, password: str) -> bool:
    """Whether the user of a URL is the secret itself: there is no password, and nobody is called so."""
    return not password and re.fullmatch(_NO_PERSON, user) is not None


def redact(text: str) -> str:
    """``text`` with ``***`` in place of each secret of the URLs in it."""
    if "@" in text:
        text = _SOLID.sub(_hide_before_host, text)
    text = _TOKEN.sub(HIDDEN, text)
    text = _PATH.sub(_hide_in_path, text)
    return _hide_parameters(text)


def redact_server(url: str) -> str:
    """The address of a server without its secrets, be it a wrong address.

    As `redact`; besides, nothing is sent of what stands behind ``#``, and a parameter without a name has
    none to tell what it is.
    """
    # In a text a blank ends a URL; here it is a part of a wrong one.
    solid = _NEVER_IN_URL.sub(lambda found: quote(found[0]), url)
    known = redact(solid if "://" in solid else _BEFORE_HOST.sub(f"{HIDDEN}@", solid))
    address, mark, fragment = known.partition("#")
    place, question, query = address.partition("?")
    parameters = [
        parameter if "=" in parameter or not parameter else HIDDEN for parameter in query.split("&")
    ]
    shown = place + question + "&".join(parameters) + mark + (HIDDEN if fragment else "")
    return url if shown == solid else shown


def secrets_of(url: str) -> list[str]:
    """The secrets of a server's address themselves, as they are written and as they are meant, the longest first.

    For the words of others, who may say one without its name.
    """
    parameters = [each.partition("=") for part in url.split("?")[1:] for each in re.split("[&#;]", part)]
    found = {
        value if equals else name for name, equals, value in parameters if not equals or is_secret_name(name)
    }
    found |= {part[0].partition("/")[2] for part in _IN_PATH.finditer(url)} | set(_TOKEN.findall(url))
    found |= {unquote_plus(secret) for secret in found} | {unquote(secret) for secret in found}
    return sorted(
        (secret for secret in found if len(secret) >= _SHORTEST and secret != HIDDEN),
        key=lambda secret: (-len(secret), secret),
    )


def _hide_before_host(solid: re.Match[str]) -> str:
    # Up to the last @ only: without one to be found, each :// would be read to the end in vain.
    before, at, after = solid[0].rpartition("@")
    text = _TOKEN_USER.sub(f"://{HIDDEN}@", before + at)
    text = _PASSWORD.sub(rf"\g<user>:{HIDDEN}@", text)
    return _SLASHED_PASSWORD.sub(rf"\g<user>:{HIDDEN}@", text) + after


def _hide_in_path(url: re.Match[str]) -> str:
    return url["place"] + _IN_PATH.sub(rf"\g<name>/{HIDDEN}", url["path"])


def _hide_parameters(text: str) -> str:
    pieces, done = [], 0
    for named in _NAME.finditer(text):
        if named.start() < done:
            continue  # within a value that is hidden
        start = named.end()
        if is_secret_name(named["name"]):
            value = _VALUE.match(text, start)
        else:
            value = _PLAIN_VALUE.match(text, start)
            if value is None or not _is_secret_within(value[0]):
                continue
        if value is not None:
            pieces += [text[done:start], HIDDEN]
            done = value.end()
    return "".join(pieces) + text[done:]


def _is_secret_within(value: str) -> bool:
    """Whether a value is, percent-encoded, a URL with a secret."""
    for _ in range(_NESTED):
        decoded = unquote_plus(value)
        if decoded == value:
            return False
        if redact(decoded) != decoded:
            return True
        value = decoded
    return False
