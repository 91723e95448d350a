"""Incidents that others published, recorded as a user's mesh would be, and asked for their causes: `bench/suspects.py`.

Read in this order: `stories` (what there is to record and to ask), `nezha` and `petshop` (the files of the two data
sets), `road` (from there to a recording, by way of a real Prometheus) and `direct` (the same without one); `methods`
(who names causes), `observations` and `published` (what others see, and how they go about it); `asking`, `scores` and
`tables` (who is asked what, and how good the answers are).
"""
