"""Learning mode: made-up training cases, and what the live model shows about them.

Nothing of it enters the log. That keeps the promise "no score without its record": the only cases that can be shown
here are the ones in vignette files, which no visitor can send or change.
"""
