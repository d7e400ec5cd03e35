"""What do pairs of features cost in a file of cases? The model's part alone: no file, no digest, no log.

`python -m benchmarks batch` ends with this. The released model as it is, and the same with tables of two features
planted in it: chains of three features, each with the next, as training finds them.
"""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from rich.console import Console

from benchmarks.figures import print_note, ratio_table
from model.additive import AdditiveModel, Term
from model.columns.codes import codes_of
from model.columns.screen import ColumnModel
from model.pairs.table import MOST_GROUPS, PairTerm

ROWS = 1 << 16
REPEATS = 3
PAIRS = (2, 6, 10)
STEP = 0.01
SEED = 12


def run(model: AdditiveModel, not_known_share: float, console: Console) -> None:
    """Measures and prints the table."""
    columns = _made(model, not_known_share)
    plain = replace(model, pairs=())
    took = {0: _seconds(plain, columns)}
    took |= {count: _seconds(replace(plain, pairs=planted(plain, count)), columns) for count in PAIRS}
    rows = [
        [f"{count} pairs" if count else "no pairs", f"{seconds / ROWS * 1e6:.2f}", f"{seconds / took[0]:.1f}"]
        for count, seconds in took.items()
    ]
    console.print(ratio_table("The model's part, many cases at once", ("", "CPU µs a row", "CPU, the first = 1"), rows))
    print_note(console, f"Best of {REPEATS} of {ROWS:,} rows, {not_known_share:.0%} of all answers not known.")


def planted(model: AdditiveModel, count: int) -> tuple[PairTerm, ...]:
    """`count` made-up tables over the model's first features: 0 with 1, 1 with 2, then 3 with 4, and so on."""
    pairs = [(at, at + 1) for at in range(len(model.terms) - 1) if at % 3 < 2]
    return tuple(_table(model, first, second) for first, second in pairs[:count])


def _table(model: AdditiveModel, first: int, second: int) -> PairTerm:
    groups = (_groups(model.terms[first]), _groups(model.terms[second]))
    height, width = (max(of) + 1 for of in groups)
    values = tuple(tuple(STEP * ((row + 1) * (column + 1) % 5) for column in range(width)) for row in range(height))
    return PairTerm(first, second, groups, values, mean=0.0)


def _groups(term: Term) -> tuple[int, ...]:
    """Neighbouring slots together where there are more than a pair may have."""
    return tuple(slot * min(len(term.table), MOST_GROUPS) // len(term.table) for slot in range(len(term.table)))


def _made(model: AdditiveModel, not_known_share: float) -> NDArray[np.uint8]:
    rng = np.random.default_rng(SEED)
    return np.array(
        [
            np.where(rng.random(ROWS) < not_known_share, of.not_known, rng.integers(0, len(of.values), ROWS))
            for of in codes_of(model)
        ],
        dtype=np.uint8,
    )


def _seconds(model: AdditiveModel, columns: NDArray[np.uint8]) -> float:
    """The fewest seconds of the processor."""
    screening = ColumnModel(model)
    took = []
    for _ in range(REPEATS):
        began = time.process_time()
        screening.screen(columns)
        took.append(time.process_time() - began)
    return min(took)
