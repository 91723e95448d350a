"""What lies on the disk: events in files, and how they are committed, merged, sealed, found and deleted."""
