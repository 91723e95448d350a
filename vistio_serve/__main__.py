"""``vistio-serve``, also as ``python -m vistio_serve``: imports the command line, and runs it."""

import gc
import os
import signal


def main() -> None:
    """Run the command line. Ctrl-C during its imports, which take a while, ends the process without a word."""
    interrupted = signal.getsignal(signal.SIGINT)
    if interrupted is signal.default_int_handler:  # else the signal is ignored, as by nohup: it stays so
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # as in vistio_record.__main__, which says why
    gc.disable()
    from vistio_core.commandline.starting import begin  # see above
    from vistio_serve.cli import main as command_line

    begin(command_line, interrupted)


if __name__ == "__main__":
    main()
