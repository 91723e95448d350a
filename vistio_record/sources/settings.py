"""What ``--source-option`` says to the source ``prometheus``. Pure."""

from __future__ import annotations

from collections.abc import Mapping

import attrs

from vistio_core.errors import UsageError
from vistio_record.sources.http_api import MAX_RESPONSE_BYTES


@attrs.frozen
class Settings:
    """How answers are taken."""

    max_bytes: int
    """An answer has no more, unpacked."""
    partial: bool
    """Whether one that the server calls partial is taken for a whole one."""

    @classmethod
    def read(cls, settings: Mapping[str, str]) -> Settings:
        """Of names and values as written.

        Raises:
            UsageError: there is no such name, or the value is none of its.
        """
        unknown = sorted(set(settings) - {"max_response_bytes", "partial"})
        if unknown:
            raise UsageError(
                f"the source prometheus has no option {unknown[0]!r}; it has max_response_bytes and partial"
            )
        text = settings.get("max_response_bytes", str(MAX_RESPONSE_BYTES))
        if not text.isdecimal() or int(text) <= 0:
            raise UsageError(
                f"--source-option max_response_bytes={text}: use a number of bytes greater than 0"
            )
        partial = settings.get("partial", "refuse")
        if partial not in ("refuse", "accept"):
            raise UsageError(f"--source-option partial={partial}: use refuse or accept")
        return cls(int(text), partial == "accept")
