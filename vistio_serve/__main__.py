"""``python -m vistio_serve`` is ``vistio-serve``."""

from vistio_serve.cli import main

if __name__ == "__main__":
    main()
