"""`python -m benchmarks [explanation] [request] [http] [start] [pages] [peers] [batch] [verify]`: ratio tables.

Without a name it does the first five. `peers` makes four environments first (about 3 GB in var/benchmarks/peers).

`python -m benchmarks learners [--quick] ...` says which learner predicts best; `--help` after it lists its options. It
takes an hour or more in full, keeps each result as it comes, and goes on where it stopped.

`python -m benchmarks scale [--rows N ...] ...` says how the time and memory of training grow with rows.
"""

from __future__ import annotations

import argparse
import importlib
import os
import sys
import time
from pathlib import Path

from rich.console import Console

from benchmarks.figures import WIDTH
from benchmarks.prepared import NotPrepared, prepared

QUESTIONS = ("explanation", "request", "http", "start", "pages")
NAMED_ALONE = ("peers", "batch")
MODULES = {"peers": "benchmarks.peers.run"}
WITHOUT_MODEL = ("verify",)
ALL = QUESTIONS + NAMED_ALONE + WITHOUT_MODEL


def main() -> None:
    """Runs the benchmarks that were named, in one run on one machine."""
    if sys.argv[1:2] in (["learners"], ["scale"]):
        sys.exit(importlib.import_module(f"benchmarks.{sys.argv[1]}.command").main(sys.argv[2:], _console()))
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    # Not by argparse's own `choices`: with those, naming none of an optional several is an error to Python 3.11.
    parser.add_argument("questions", nargs="*", type=_question, metavar="|".join(ALL))
    chosen = parser.parse_args().questions or QUESTIONS
    # Before any library reads it: one thread a prediction is the fastest for one row, on theirs as on ours.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    console = _console()
    began = time.monotonic()
    for question in (name for name in chosen if name in WITHOUT_MODEL):
        importlib.import_module(f"benchmarks.{question}").run(console)
    chosen = [name for name in chosen if name not in WITHOUT_MODEL]
    try:
        if chosen:
            with prepared(Path(os.environ.get("GROUNDS_VAR", "var")), console) as ready:
                for question in chosen:
                    importlib.import_module(MODULES.get(question, f"benchmarks.{question}")).run(ready, console)
    except NotPrepared as error:
        console.print(f"error: {error}", markup=False)
        sys.exit(1)
    console.print(f"{time.monotonic() - began:.0f} s in all", markup=False)


def _console() -> Console:
    return Console(width=None if sys.stdout.isatty() else WIDTH, highlight=False)


def _question(name: str) -> str:
    if name not in ALL:
        raise argparse.ArgumentTypeError(f"{name!r} is not one of {', '.join(ALL)}")
    return name


if __name__ == "__main__":
    main()
