"""Derived data that makes long windows quick: how it is made, kept and read. May be deleted at any time."""
