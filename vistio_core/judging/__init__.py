"""What facts mean: classes of statuses, thresholds, and exact sums, in columns. Pure."""
