"""Which learner predicts best? Ours with its promises on, and the usual opponents, on identical grouped splits.

    python -m benchmarks learners [--quick] [--data FOLDER] [--only NAME ...] [--repeats N] [--file CASES DICTIONARY]

`sets` reads the data, `splits` cuts it, `opponents` and `ours` are the learners, `fit` runs one of them in a process of
its own, `kept` remembers what was measured, `scores` judges, `comparison` says what a difference is worth, `tables`
prints.
"""
