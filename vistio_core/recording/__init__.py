"""The front door: everything that can be asked of a recording. Start at `recording.py`."""
