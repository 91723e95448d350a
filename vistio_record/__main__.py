"""``vistio-record``, also as ``python -m vistio_record``: imports the command line, and runs it."""

import gc
import os
import signal
import sys

_M_ARENA_MAX = -8  # malloc.h


def main() -> None:
    """Run the command line. Ctrl-C during its imports, which take a while, ends the process without a word."""
    interrupted = signal.getsignal(signal.SIGINT)
    if interrupted is signal.default_int_handler:  # else the signal is ignored, as by nohup: it stays so
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    share_one_heap()
    # numpy starts a thread for each core otherwise, to multiply matrices: nothing here does.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    gc.disable()  # nothing that is imported is garbage, and to look for some takes a sixth of the time
    from vistio_core.commandline.starting import begin  # see above
    from vistio_record.cli import main as command_line

    begin(command_line, interrupted)


def share_one_heap() -> None:
    """Let all threads allocate from one heap, where the C library is glibc; before numpy starts the first of them.

    Else each has one of its own, and what a scrape's thread has freed is no use to the one that seals: 35 MB
    at 10,000 edges. Python's threads take turns anyway (decision 0022).
    """
    if sys.platform == "linux":
        import ctypes  # after Ctrl-C is seen to

        mallopt = getattr(ctypes.CDLL(None), "mallopt", None)  # musl has none, and one heap
        if mallopt is not None:
            mallopt(_M_ARENA_MAX, 1)


if __name__ == "__main__":
    main()
