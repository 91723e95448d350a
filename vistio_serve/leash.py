"""``python -m vistio_serve.leash MODULE ARGS...``: run a module that ends when its parent does.

The parent holds the other end of our standard input and never writes. However the parent ends,
SIGKILL included, the kernel closes it: then this process stops as on SIGTERM, and by force if it
does not. Unlike PR_SET_PDEATHSIG this works on every Unix, and the module knows nothing of it.
"""

from __future__ import annotations

import os
import runpy
import signal
import sys
import threading
import time

# The parent is gone, nobody waits: enough for a commit in progress, then the log's crash safety does.
_GRACE_S = 5.0


def _watch(stdin: int) -> None:
    while os.read(stdin, 4096):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(_GRACE_S)
    os._exit(1)


def main() -> None:
    """Run the module named by the first argument as ``__main__``, with the others as its own."""
    module, arguments = sys.argv[1], sys.argv[2:]
    # A copy: the module may do with its standard input what it likes.
    threading.Thread(target=_watch, args=(os.dup(0),), daemon=True).start()
    sys.argv = [module, *arguments]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
