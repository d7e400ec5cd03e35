"""Intervals by resampling families: the draws, made once and shared by every figure of a run.

Every figure is worked out on the held-out cases themselves and on each resample of their families, so that siblings
count as one piece of evidence. With the same draws the difference of two figures has an interval too.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

RESAMPLES = 200
INTERVAL = (2.5, 97.5)
"""Percentiles of the resamples: a 95 % bootstrap interval (Efron and Tibshirani 1993, chapter 13)."""
BLOCK = 20_000  # rows of draws that are floats at one time
DIGITS = 5  # significant: more than any interval here can tell apart


@dataclass(frozen=True, slots=True)
class Measured:
    """One figure and its interval."""

    value: float
    low: float
    high: float

    def plain(self) -> dict[str, float | None]:
        """For JSON: five significant digits, None where the figure is not defined."""
        return {"value": rounded(self.value), "low": rounded(self.low), "high": rounded(self.high)}


@dataclass(frozen=True, slots=True)
class Draws:
    """How often each case counts, (1 + resamples, rows); the first row is the data itself, once each."""

    counts: NDArray[np.uint8]

    @classmethod
    def of(cls, groups: NDArray[np.int64], seed: int, resamples: int = RESAMPLES) -> Draws:
        """Whole families drawn with replacement, as many as there are. `groups` names each row's family, (rows,)."""
        _, family = np.unique(groups, return_inverse=True)
        families = int(family.max()) + 1
        rng = np.random.default_rng(seed)
        counts = np.ones((1 + resamples, len(groups)), dtype=np.uint8)
        for number in range(1, 1 + resamples):
            drawn = np.bincount(rng.integers(0, families, families), minlength=families)
            counts[number] = np.minimum(drawn, 255).astype(np.uint8)[family]
        return cls(counts)

    def only(self, rows: Mask | NDArray[np.intp]) -> Draws:
        """The same draws, of some of the rows."""
        return Draws(self.counts[:, rows])

    def sums(self, columns: Floats) -> Floats:
        """Sums of each column, (1 + resamples, columns), for columns (rows, columns)."""
        total = np.zeros((len(self.counts), columns.shape[1]))
        for start in range(0, len(columns), BLOCK):
            part = slice(start, start + BLOCK)
            total += self.counts[:, part].astype(np.float64) @ columns[part]
        return total

    def each(self, measure: Callable[[Floats], float]) -> Floats:
        """`measure` of the weights of each draw, (1 + resamples,)."""
        return np.array([measure(row.astype(np.float64)) for row in self.counts])


def ratio(part: Floats, whole: Floats) -> Floats:
    """Part over whole, draw by draw; NaN where a draw has none of the whole."""
    return np.asarray(np.divide(part, whole, out=np.full(np.shape(whole), np.nan), where=whole > 0))


def summary(samples: Floats) -> Measured:
    """The figure of the data itself (the first) with the interval of the resamples on which it is defined."""
    known = samples[1:][np.isfinite(samples[1:])]
    low, high = np.percentile(known, INTERVAL) if len(known) else (np.nan, np.nan)
    return Measured(float(samples[0]), float(low), float(high))


def figure(samples: Floats) -> dict[str, float | None]:
    """`summary`, for JSON."""
    return summary(samples).plain()


def rounded(value: float) -> float | None:
    """Five significant digits; None for what is not finite."""
    return float(f"{value:.{DIGITS}g}") + 0.0 if np.isfinite(value) else None
