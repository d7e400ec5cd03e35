"""Finds features that give the outcome away: not learnt from the case, but recorded with or after the outcome.

What is found is refused unless the dictionary (`accepted = "reason"`) or the command line accepts it by name;
what was accepted stands in the model's facts.

What cannot be found: a leak spread over several columns, one that is weaker than the limit, and a column recorded
after the contact that holds neither a date nor a period.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2b

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from training.cases.moments import Moments
from training.policy import DataPolicy

Floats = NDArray[np.float64]
Codes = NDArray[np.intp]

BINS = 100
SAMPLE = 200_000
"""Rows without the outcome that an AUC is judged on, rows that bins are taken from, and rows whose dates are compared:
more make no difference."""
MOVES_WITH_TIME = 0.5
"""Correlation with the time of the contact, above which a number is taken for a point in time, not a duration."""


@dataclass(frozen=True, slots=True)
class Leak:
    """A column that may give the outcome away, and how that shows. `problem` repeats no value of a case.

    `repeats`: the feature's column that this one repeats, where that is all there is against it.
    """

    column: str
    problem: str
    repeats: str = ""

    def error(self) -> str:
        """As a line of errors about a file, with the fix."""
        return (
            f"column {self.column}: {self.problem}; take it out of the dictionary, or accept it there with "
            f'accepted = "reason" or by --accept-leakage {self.column}'
        )


def outcome_leak(column: str, codes: Floats, y: NDArray[np.int8], policy: DataPolicy) -> Leak | None:
    """Whether one feature alone gives the outcome away. `codes` as in `CaseFile.X`, (rows,); `y` 0 or 1, (rows,)."""
    parts = partition(codes)
    if parts is not None and least_apart(parts) >= policy.disclosure_threshold and _same(parts, y):
        return Leak(column, "is the outcome under another name or turned round")
    if min(int(y.sum()), len(y) - int(y.sum())) < policy.leakage_events:
        return None
    area = single_auc(codes, y)
    if area > policy.leakage_auc:
        return Leak(column, f"alone tells the outcome with AUC {area:.3f}, above {policy.leakage_auc:g}")
    return None


def single_auc(codes: Floats, y: NDArray[np.int8]) -> float:
    """AUC of one column, its answers ordered by their share of events on one half of the rows, judged on the other.

    Catches any shape, and gaps that are there only when the outcome is. 0.5 where nothing can be said.
    """
    without = np.flatnonzero(y == 0)
    fewer = np.sort(np.concatenate([np.flatnonzero(y == 1), without[:: max(1, len(without) // SAMPLE)]]))
    found, y = slots(codes[fewer], BINS), y[fewer]
    even = np.arange(len(y)) % 2 == 0
    areas = [_auc_across(found, y, half) for half in (even, ~even)]
    return float(np.mean(areas))


def _auc_across(found: Codes, y: NDArray[np.int8], learn: NDArray[np.bool_]) -> float:
    size = int(found.max()) + 1
    rows = np.bincount(found[learn], minlength=size)
    events = np.bincount(found[learn], weights=y[learn], minlength=size)
    share = (events + y[learn].mean()) / (rows + 1)
    order = np.argsort(np.argsort(share, kind="stable"), kind="stable")
    ranked = order[found[~learn]]
    positives = np.bincount(ranked[y[~learn] == 1], minlength=size).astype(float)
    negatives = np.bincount(ranked[y[~learn] == 0], minlength=size).astype(float)
    if not positives.sum() or not negatives.sum():
        return 0.5
    below = np.concatenate([[0.0], np.cumsum(negatives)[:-1]])
    return float((positives * (below + negatives / 2)).sum() / positives.sum() / negatives.sum())


def slots(codes: Floats, bins: int) -> Codes:
    """A small whole number for each answer: bins of equal rows for many numbers, and two more for what is no number."""
    known = np.isfinite(codes)
    values = codes[known]
    sample = values[:: max(1, len(values) // SAMPLE)]
    edges = np.unique(sample)
    if len(edges) > bins:
        edges = np.unique(np.quantile(sample, np.arange(1, bins) / bins))
    found = np.searchsorted(edges, codes, side="right")
    found[np.isnan(codes)] = len(edges) + 1
    found[np.isneginf(codes)] = len(edges) + 2
    return np.asarray(found, dtype=np.intp)


def partition(cells: Floats | pd.Series) -> Codes | None:
    """Which rows hold the same answer, as numbers in order of appearance: equal for renamed or turned round columns.

    None where all rows hold the same.
    """
    codes, found = pd.factorize(cells, use_na_sentinel=False)
    return np.asarray(codes, dtype=np.intp) if len(found) > 1 else None


def least_apart(parts: Codes) -> int:
    """Rows that do not hold the most common answer: with few of them, columns are alike by chance."""
    return len(parts) - int(np.bincount(parts).max())


def _same(parts: Codes, y: NDArray[np.int8]) -> bool:
    return parts.max() == 1 and bool(np.array_equal(parts, y if y[0] == 0 else 1 - y))


def fingerprint(cells: Floats | pd.Series, policy: DataPolicy) -> bytes | None:
    """What columns share that hold the same in every row, renamed or turned round; None where that may be chance."""
    parts = partition(cells)
    if parts is None or least_apart(parts) < policy.disclosure_threshold:
        return None
    return blake2b(parts.tobytes()).digest()


def dated_after(column: str, mine: Moments, contact: Moments, policy: DataPolicy) -> Leak | None:
    """Whether a column holds dates, periods or numbers on the scale of the contact's time and lies after it.

    Compared as finely as both are given: an assessment on the day of the contact is not after it.
    """
    if mine.dates != contact.dates:
        return None
    step = max(mine.step, contact.step)
    mine_at, then = mine.by(step), contact.by(step)
    both = np.isfinite(mine_at) & np.isfinite(then)
    mine_at, then = mine_at[both], then[both]
    if len(mine_at) < policy.disclosure_threshold or mine_at.std() == 0 or then.std() == 0:
        return None
    after = float(np.mean(mine_at > then))
    if after <= policy.dated_after or np.corrcoef(mine_at, then)[0, 1] < MOVES_WITH_TIME:
        return None
    return Leak(column, f"is dated after the contact in {after:.0%} of the cases that have it")
