"""What the tests share: real processes, a real Prometheus, an exporter with settable numbers."""
