"""Sources of traffic: Prometheus, the simulator, and what other packages add.

`base` says what a source is; `registry` finds one by name.
"""
