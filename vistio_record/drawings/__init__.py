"""What Vistio and promviz kept: drawings, read and told in the log's own words."""
