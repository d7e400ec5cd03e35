"""What a difference between two learners is worth: intervals over repeats that share most of their rows.

Repeats of one set are not independent. Nadeau and Bengio (2003, Machine Learning 52, 239-281) correct the variance of
the mean difference: variance * (1 / repeats + test rows / fitted rows). The mean over sets adds the sets' variances,
with Satterthwaite's degrees of freedom.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import t

SHARE = 0.95


@dataclass(frozen=True, slots=True)
class Difference:
    """A mean difference and its 95 % interval; infinite where one repeat says nothing of its own spread."""

    mean: float
    low: float
    high: float


def in_a_set(differences: Sequence[float], test_to_fit: float) -> Difference:
    """Of one set, from its repeats' paired differences; `test_to_fit` as in `splits.Cut`."""
    return over_sets([(differences, test_to_fit)])


def over_sets(sets: Sequence[tuple[Sequence[float], float]]) -> Difference:
    """Of the mean over sets, each given as its repeats' paired differences and its `test_to_fit`. Sets weigh alike."""
    mean = float(np.mean([np.mean(repeats) for repeats, _ in sets]))
    if any(len(repeats) < 2 for repeats, _ in sets):
        return Difference(mean, -np.inf, np.inf)
    variances = np.array([np.var(repeats, ddof=1) * (1 / len(repeats) + ratio) for repeats, ratio in sets])
    freedom = np.array([len(repeats) - 1 for repeats, _ in sets])
    total = float(variances.sum())
    if total == 0.0:
        return Difference(mean, mean, mean)
    degrees = 1 / float(np.sum((variances / total) ** 2 / freedom))
    half = float(t.ppf(0.5 + SHARE / 2, degrees)) * total**0.5 / len(sets)
    return Difference(mean, mean - half, mean + half)
