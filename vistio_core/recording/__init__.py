"""The log: events committed, merged, sealed, verified, and read back. Start at `recording.py`."""
