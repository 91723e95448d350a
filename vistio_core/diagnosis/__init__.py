"""What happened: from what was measured to who left normal, and who is likely the cause."""
