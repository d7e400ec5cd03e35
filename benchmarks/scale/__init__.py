"""How does training grow with rows? The command of `make train` on synthetic cohorts, each size in its own process.

    python -m benchmarks scale [--rows N ...] [--jobs N] [--engine local|dask] [--out FILE]

`watched` runs the command and takes its time and memory by stage, `growth` says how the figures grow, `command` prints.
"""
