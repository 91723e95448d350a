"""The recorder: asks a source what the traffic was at each instant, and commits the answer.

Reading order: `sources.base` (what is asked), `schedule` (when), `recorder` (the loop),
`sources.prometheus` (who answers), `check` (why a graph is empty), `running` (the daemon put
together, with `reload` and `application`, its port), `cli` (what a user types).
"""
