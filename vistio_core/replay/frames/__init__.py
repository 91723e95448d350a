"""Many graphs at once, for moving through time."""
