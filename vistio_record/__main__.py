"""``python -m vistio_record``: the same as ``vistio-record``."""

from vistio_record.cli import main

if __name__ == "__main__":
    main()
