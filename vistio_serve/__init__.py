"""The HTTP side of vistio: graphs of any recorded instant, as a plain WSGI callable.

Reading order: `routes` (what can be asked), `parameters` (how a query string is read), `handlers` (ask
vistio_core, render), `rendering` (graphs) and `history` (windows), `shared` (made once for many clients), `answers`
(ETag, compression), `ready` (sent again as they were), `problems` (what an error looks like), `app` (all of it as
WSGI). `server` and `cli` run it; `demo` adds a recorder with a simulated mesh.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from vistio_serve.app import create_app

__all__ = ["create_app"]


def __getattr__(name: str) -> Any:
    # Imported when asked for: the command line must have begun before anything slow is imported.
    if name == "create_app":
        from vistio_serve.app import create_app  # as above

        return create_app
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
