"""What a handler hands back, and what HTTP makes of it: validators, compression, conditions.

A handler knows its bytes and how long they stay true; everything that follows from the request's
headers is decided here, once, for every route alike.
"""

from __future__ import annotations

from collections.abc import Mapping

import attrs
from werkzeug.datastructures import Accept
from werkzeug.wrappers import Request, Response

from vistio_serve.bodies import Body, WholeBody
from vistio_serve.sending import ONE_PIECE_BYTES

LIVE = "no-cache"
"""May be kept, must be revalidated before each use: the next scrape changes it."""
SETTLED = "public, max-age=86400"
"""History. A day and not for ever: an upgrade may draw the same facts differently, and a second
writer may backfill the same instant."""
NEVER_STORE = "no-store"

# Below this, the headers outweigh what compression saves.
_SMALLEST_TO_COMPRESS_BYTES = 1024
# What we would rather send, where a client likes several equally well.
_ENCODINGS = ("zstd", "gzip")
_NOT_COMPRESSED = ("image/png", "application/vnd.apache.parquet")


@attrs.frozen
class Answer:
    """A representation, before the request's headers had their say."""

    body: Body = attrs.field(repr=False)
    content_type: str
    status: int = 200
    cache_control: str = LIVE
    headers: Mapping[str, str] = attrs.field(factory=dict)

    @classmethod
    def of(cls, content: bytes, content_type: str, **more: object) -> Answer:
        return cls(WholeBody(content), content_type, **more)  # type: ignore[arg-type]  # checked by attrs' __init__


def choose_encoding(accept: Accept) -> str:
    """``zstd``, ``gzip`` or ``identity``: what the client likes best and we have.

    Identity is used when nothing else is acceptable, even where the client excluded it: an answer
    that it can read anyway serves it better than a 406.
    """
    ranked = [(accept.quality(encoding), -order, encoding) for order, encoding in enumerate(_ENCODINGS)]
    quality, _, encoding = max(ranked)
    # An identity that is not listed is acceptable, but less than what is listed (RFC 9110, 12.5.3).
    identity = next((q for value, q in accept if value.lower() == "identity"), 0.0)
    return encoding if quality > 0 and quality >= identity else "identity"


class BodyResponse(Response):
    """A response that knows what its body takes while it is sent."""

    weight_bytes = 0

    @property
    def is_whole(self) -> bool:
        """Whether all of it is in memory as it will be sent."""
        return isinstance(self.response, list)

    @property
    def is_large(self) -> bool:
        """Whether it is sent piece by piece, and counts meanwhile; what weighs nothing is made while it is sent."""
        length = self.content_length
        sent = self.weight_bytes > 0 and self.status_code != 304
        return sent and (length is None or length > ONE_PIECE_BYTES)


def to_response(request: Request, answer: Answer) -> BodyResponse:
    """The HTTP response to this request: encoded, validated, 304 where the client has it already."""
    small = answer.body.size_bytes < _SMALLEST_TO_COMPRESS_BYTES
    plain = small or answer.content_type in _NOT_COMPRESSED
    encoding = "identity" if plain else choose_encoding(request.accept_encodings)
    response = BodyResponse(status=answer.status, content_type=answer.content_type)
    response.headers["Cache-Control"] = answer.cache_control
    response.headers.update(dict(answer.headers))
    response.vary.add("Accept-Encoding")
    if encoding != "identity":
        response.headers["Content-Encoding"] = encoding
    if answer.status == 200 and answer.cache_control != NEVER_STORE:
        response.set_etag(answer.body.etag(encoding))
        if _client_has(request, answer.body, encoding):
            response.status_code = 304
            for name in ("Content-Length", "Content-Type", "Content-Encoding"):
                response.headers.pop(name, None)
            return response
    length = answer.body.length(encoding)
    if length is not None:
        response.content_length = length
    response.response = answer.body.pieces(encoding)
    response.weight_bytes = answer.body.weight_bytes
    return response


def _client_has(request: Request, body: Body, encoding: str) -> bool:
    # contains_weak: If-None-Match compares weakly (RFC 9110, 13.1.2); a proxy that recompresses
    # marks our tag as weak, and is still right about the content.
    return bool(request.if_none_match) and request.if_none_match.contains_weak(body.etag(encoding))
