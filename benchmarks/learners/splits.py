"""What is fitted on and what is judged on, the same for every learner. A family is never on both sides."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.learners.sets import DataSet, at_most
from model.dictionary import shipped_dictionary
from training.cases.cohort import make_cohort
from training.cases.specs import term_specs
from training.fit.folds import held_out_families
from training.fit.terms import TermSpec

Floats = NDArray[np.float64]

TEST_SHARE = 0.3
FIRST_SEED = 1_000
FAMILIES, TEST_FAMILIES = 50_000, 100_000
CASES_A_FAMILY = 1.27  # of the cohort
APART = 500  # between the seed of a cohort that is fitted on and that of the one that is judged on


@dataclass(frozen=True, slots=True)
class Split:
    """One repeat of one set: rows to fit on, rows to judge on (`T`, `outcome`), and what the oracle says of the latter.

    `oracle` is log-odds, (test rows,), or None where nobody knows the truth.
    """

    specs: tuple[TermSpec, ...]
    X: Floats
    y: NDArray[np.int8]
    groups: NDArray[np.int64]
    T: Floats
    outcome: NDArray[np.int8]
    oracle: Floats | None = None

    def digest(self) -> str:
        """Of all that a learner is given and judged by: the same digest means the same task."""
        found = hashlib.sha256(repr(self.specs).encode())
        for part in (self.X, self.y, self.groups, self.T, self.outcome):
            found.update(np.ascontiguousarray(part).tobytes())
        return found.hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Cut:
    """A set that can be split: `split(repeat)` for repeats from 0.

    `test_to_fit` is the ratio of test rows to fitted rows where repeats share their rows, 0 where each draws its own.
    """

    name: str
    split: Callable[[int], Split]
    test_to_fit: float


def of_set(data: DataSet, rows: int | None = None) -> Cut:
    """Repeats that each hold out about 30 % of the families, with and without the outcome alike."""
    data = data if rows is None else at_most(data, rows)
    families = np.unique(data.groups, return_inverse=True)[1]

    def split(repeat: int) -> Split:
        test = held_out_families(data.y.astype(np.float64), families, TEST_SHARE, FIRST_SEED + repeat)
        fit = ~test
        return Split(data.specs, data.X[fit], data.y[fit], families[fit], data.X[test], data.y[test])

    return Cut(data.name, split, TEST_SHARE / (1 - TEST_SHARE))


def of_cohort(families: int = FAMILIES, rows: int | None = None) -> Cut:
    """Each repeat draws two cohorts: `families` to fit on (or about `rows` cases), and others to judge on."""
    dictionary = shipped_dictionary()
    fitted = families if rows is None else int(rows / CASES_A_FAMILY)
    judged = TEST_FAMILIES if rows is None else 2 * fitted
    specs = term_specs(dictionary)

    def split(repeat: int) -> Split:
        fit = make_cohort(fitted, FIRST_SEED + repeat, dictionary)
        test = make_cohort(judged, FIRST_SEED + APART + repeat, dictionary)
        groups = np.unique(fit.cases[dictionary.group], return_inverse=True)[1]
        outcomes = [cohort.cases[dictionary.outcome.column].to_numpy(np.int8) for cohort in (fit, test)]
        chance = test.truth["observed_oracle"].to_numpy(np.float64)
        oracle = np.log(chance / (1 - chance))
        return Split(specs, fit.X, outcomes[0], groups, test.X, outcomes[1], oracle)

    return Cut("synthetic cohort", split, 0.0)
