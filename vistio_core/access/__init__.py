"""Who may ask our two ports, and change something through them. Both programs use it; it knows no HTTP library."""
