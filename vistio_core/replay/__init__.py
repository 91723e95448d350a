"""From the log back to what was: one instant (`graphs`), a window of them (`windows`), or many graphs (`frames`)."""
