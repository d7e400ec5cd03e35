"""How the table is made: learners, ensemble, calibration, refits, compilation.

Every learner here is additive in log-odds, monotone in the declared directions, and ends as one
`terms.Table`. Nothing in this package knows about files, dictionaries or the web.
"""
