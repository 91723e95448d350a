"""Whether a page of somebody else's makes a browser change something here. Pure.

A browser sends what it knows of a user (a password, an address inside of a network) with whatever any page asks for. So
what changes something is taken from our own pages only. The order of questions is that of Go's
``net/http.CrossOriginProtection``; the one about names is ours, against DNS that turns to another address.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Collection
from urllib.parse import urlsplit

from vistio_core.sentences import Sentence, say


def foreign(
    *, host: str, origin: str, fetch_site: str, trusted: Collection[str], known_by_name: bool
) -> Sentence | None:
    """Why a request that changes something is not taken; None when it is.

    Args:
        host: the header ``Host``.
        origin: the header ``Origin``; empty: none.
        fetch_site: the header ``Sec-Fetch-Site``; empty: none.
        trusted: further origins, in lower case.
        known_by_name: whether the client has shown who it is, which no page of another name can make a browser do.
    """
    if not origin and not fetch_site:
        return None  # no browser, or one so old that it sends neither with a POST
    if origin.lower() in trusted:
        return None
    if fetch_site and fetch_site not in ("same-origin", "none"):
        return say(
            "asked by a page of another origin ({fetch_site}); add it to trusted_origins, if it is yours",
            fetch_site=fetch_site,
        )
    if not fetch_site and urlsplit(origin).netloc.lower() != host.lower():
        return say("asked by a page of another origin; add it to trusted_origins, if it is yours")
    if not known_by_name and not _is_certain(host, trusted):
        return say(
            "asked by a page of a name that may be anybody's; add its origin to trusted_origins, or show credentials"
        )
    return None


def _is_certain(host: str, trusted: Collection[str]) -> bool:
    """Whether nobody else can make a browser believe that this host is us."""
    if host.lower() in {urlsplit(origin).netloc for origin in trusted}:
        return True
    try:
        name = urlsplit(f"//{host}").hostname or ""
        if name == "localhost" or name.endswith(".localhost"):
            return True
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
