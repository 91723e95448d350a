"""From the log back to what was: one instant (`as_of`) or a window of them (`windows`)."""
