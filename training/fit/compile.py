"""From fitted learners to the table that is served, with the promises and the exactness checked."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from training.fit.calibrate import Recalibration, recalibrated
from training.fit.ensemble import AdditiveEnsemble
from training.fit.objective import row_parts
from training.fit.pair_promises import smallest, steps
from training.fit.terms import FittedTerm, Floats, Table, with_values

ROUNDING = 1e-9  # log-odds: a violation below it is arithmetic and is clipped, one above it is a fault and raises


SMALLEST_REPAIR = 1e-15
ROWS = 50_000  # at one time: table regression's own design has a column for every code, so 50,000 rows are some 200 MB


class BrokenPromise(ValueError):
    """A term is not monotone in its direction, or scores not known below its reference."""


@dataclass(frozen=True, slots=True)
class Violation:
    """How far, in log-odds, a promise is broken by a feature."""

    feature: str
    promise: str  # "monotone" | "not_known"
    size: float


def compile_table(ensemble: AdditiveEnsemble, calibration: Recalibration | None = None) -> Table:
    """The final table: the ensemble's, recalibrated where that applies, keeping its promises exactly.

    Raises BrokenPromise for a violation that rounding cannot explain.
    """
    table = ensemble.table_ if calibration is None else recalibrated(ensemble.table_, calibration)
    return keep_promises(table)


def largest_difference(
    table: Table, ensemble: AdditiveEnsemble, X: ArrayLike, calibration: Recalibration | None = None
) -> float:
    """Largest |table - estimators| over rows X, in log-odds: the estimators' own predictions, not their tables."""
    X = np.asarray(X, dtype=np.float64)
    return max((_largest_difference(table, ensemble, X[p], calibration) for p in row_parts(len(X), ROWS)), default=0.0)


def _largest_difference(
    table: Table, ensemble: AdditiveEnsemble, X: Floats, calibration: Recalibration | None
) -> float:
    margin = ensemble.estimator_margin(X)
    if calibration is not None and calibration.applied:
        margin = margin * calibration.slope + calibration.intercept
    return float(np.max(np.abs(table.margin(X) - margin), initial=0.0))


def violations(table: Table) -> list[Violation]:
    """Every broken promise, of each feature's own table (exactly) and of its total with its pairs, whatever the answers
    of its partners are. Empty for a table that may be served."""
    return [
        *(violation for term in table.terms for violation in _violations(term)),
        *(violation for feature in _in_pairs(table) for violation in _violations_in_pairs(table, feature)),
    ]


def keep_promises(table: Table) -> Table:
    """The table with violations of rounding size clipped. Raises BrokenPromise for larger ones."""
    found = violations(table)
    for violation in found:
        if violation.size >= ROUNDING:
            raise BrokenPromise(f"{violation.feature}: {violation.promise} is broken by {violation.size:.3g} log-odds")
    if not found:
        return table
    clipped = Table(table.intercept, tuple(_clipped(term) for term in table.terms), table.pairs)
    for feature in _in_pairs(clipped):
        clipped = _steepened(clipped, feature)
    return clipped


def _in_pairs(table: Table) -> list[int]:
    return sorted({feature for pair in table.pairs for feature in (pair.first, pair.second)})


def _violations_in_pairs(table: Table, feature: int) -> Iterator[Violation]:
    term = table.terms[feature]
    least: dict[str, float] = {}
    for step in steps(term):
        least[step.promise] = min(least.get(step.promise, 0.0), smallest(table, feature, step))
    for promise, size in least.items():
        if size < 0:
            yield Violation(f"{term.name} with its pairs", promise, -size)


def _steepened(table: Table, feature: int) -> Table:
    """The table with a feature's own steps steeper by what rounding took from its total, if it took any."""
    taken = max((violation.size for violation in _violations_in_pairs(table, feature)), default=0.0)
    if taken == 0:
        return table
    repair = 2 * taken + SMALLEST_REPAIR
    term = table.terms[feature]
    by_code, bins = term.by_code(), len(term.values)
    if term.spec.sign:
        by_code[:bins] += term.spec.sign * repair * np.arange(bins)
    by_code[bins] = max(by_code[bins] + bins * repair, by_code[term.reference_bin])
    terms = tuple(with_values(old, by_code) if j == feature else old for j, old in enumerate(table.terms))
    return Table(table.intercept, terms, table.pairs)


def _violations(term: FittedTerm) -> Iterator[Violation]:
    if term.spec.sign:
        steps = np.diff(np.array(term.values)) * term.spec.sign
        if np.any(steps < 0):
            yield Violation(term.name, "monotone", float(-steps.min()))
    below = term.values[term.reference_bin] - term.not_known
    if below > 0:
        yield Violation(term.name, "not_known", below)


def _clipped(term: FittedTerm) -> FittedTerm:
    by_code: Floats = term.by_code()
    bins = len(term.values)
    if term.spec.sign:
        by_code[:bins] = term.spec.sign * np.maximum.accumulate(term.spec.sign * by_code[:bins])
    by_code[bins] = max(by_code[bins], by_code[term.reference_bin])
    return with_values(term, by_code)
