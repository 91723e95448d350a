"""What a release takes; `nox -s release` runs it, docs/releasing.md tells it.

Each module is a command, run as ``python -m releasing.NAME`` from the project's root with ``PYTHONPATH=.ci``.
"""
