"""Which pairs are worth their place: found, fitted and judged inside grouped folds.

In each fold the additive table of that fold, which never saw the families held out, ranks the pairs on the other
families and is given each candidate's grid; the held-out families judge. A pair stays where its log loss, summed over
all held-out families, gains clearly: first alone, then on top of those kept before it. What gains is what the grid says
beyond either feature alone: it is judged against the same grid without that, so that no pair stays for mending the
table of one of its features.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from joblib import Parallel, delayed
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from model.pairs.table import MOST_CELLS, MOST_PAIRS, PairTerm, elimination_order
from training.fit.objective import log_loss_and_chance
from training.fit.pair_detection import candidates
from training.fit.pair_fit import Pair, codes_by, fit_pairs, margin_by
from training.fit.pair_grid import MOST_KNOWN
from training.fit.pair_terms import Floats
from training.fit.terms import Table

CLEAR = 1.0  # standard errors by which a pair must gain, after it stood out from chance in most folds


@dataclass(frozen=True, slots=True)
class Fold:
    """The additive table fitted without the held-out rows, which are given by their numbers."""

    table: Table
    held_out: NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Chosen:
    """The pairs kept, in the order in which they came, and what they add to each row's margin out of fold, (rows,)."""

    pairs: tuple[Pair, ...]
    margin: Floats


def choose_pairs(
    folds: Sequence[Fold],
    X: Floats,
    y: Floats,
    groups: NDArray[np.intp],
    most: int,
    jobs: int | None,
    progress: Callable[[str, float], None],
) -> Chosen:
    """At most `most` pairs whose held-out gain is above `CLEAR` standard errors; none where there are no folds.

    The result does not depend on `jobs`.
    """
    nothing = Chosen((), np.zeros(len(y)))
    if not folds or most <= 0 or X.shape[1] < 2:
        return nothing
    listed = _shortlist(folds, X, y, groups, most, jobs, progress)
    while listed:
        progress("pairs: together", 0.0)
        gains, margin = np.zeros((len(y), len(listed))), np.zeros(len(y))
        found = Parallel(n_jobs=jobs)(delayed(_one_after_the_other)(fold, X, y, listed) for fold in folds)
        for fold, path in zip(folds, found, strict=True):
            gains[fold.held_out], margin[fold.held_out] = path.gains, path.margin
        kept = [pair for place, pair in enumerate(listed) if clearly_gains(gains[:, place], groups)]
        if kept == listed:
            return Chosen(tuple(kept), margin)
        listed = kept
    return nothing


def clearly_gains(gain: Floats, groups: NDArray[np.intp]) -> bool:
    """Whether the sum of gains (rows,) is above `CLEAR` of its standard errors, over families."""
    by_family = np.bincount(groups, gain)
    error = float(by_family.std(ddof=1)) * len(by_family) ** 0.5 if len(by_family) > 1 else np.inf
    return float(by_family.sum()) > CLEAR * error


def _shortlist(
    folds: Sequence[Fold],
    X: Floats,
    y: Floats,
    groups: NDArray[np.intp],
    most: int,
    jobs: int | None,
    progress: Callable[[str, float], None],
) -> list[Pair]:
    """Pairs that most folds found and that gain clearly by themselves, those that gain most first."""
    gains: dict[Pair, Floats] = {}
    times: dict[Pair, int] = {}
    found = Parallel(n_jobs=jobs, return_as="generator")(delayed(_each_alone)(fold, X, y) for fold in folds)
    for number, (fold, alone) in enumerate(zip(folds, found, strict=True), 1):
        for pair, gain in alone.items():
            gains.setdefault(pair, np.zeros(len(y)))[fold.held_out] = gain
            times[pair] = times.get(pair, 0) + 1
        progress("pairs: search", number / len(folds))
    clear = [pair for pair, gain in gains.items() if 2 * times[pair] > len(folds) and clearly_gains(gain, groups)]
    clear.sort(key=lambda pair: (-float(gains[pair].sum()), pair))
    listed: list[Pair] = []
    for pair in clear:
        if len(listed) < min(most, MOST_PAIRS) and _servable([*listed, pair], folds[0].table):
            listed.append(pair)
    return listed


def _each_alone(fold: Fold, X: Floats, y: Floats) -> dict[Pair, Floats]:
    """For each candidate of a fold, by how much its grid lowers the log loss of each held-out row."""
    with threadpool_limits(1, user_api="blas"):
        split = _Split.of(fold, X, y)
        fitted = split.fitted
        found = candidates(fold.table, split.codes[fitted], split.margin[fitted], y[fitted])
        return {(first, second): split.path([(first, second)]).gains[:, 0] for first, second, _ in found}


def _one_after_the_other(fold: Fold, X: Floats, y: Floats, pairs: Sequence[Pair]) -> _Path:
    with threadpool_limits(1, user_api="blas"):
        return _Split.of(fold, X, y).path(pairs)


@dataclass(frozen=True, slots=True)
class _Path:
    """For the held-out rows: what each pair gains in log loss, (rows, pairs), and all add to the margin, (rows,)."""

    gains: Floats
    margin: Floats


@dataclass(frozen=True, slots=True)
class _Split:
    """A fold's rows by the codes of its table, and which of them it was fitted on."""

    table: Table
    codes: NDArray[np.uint8]
    margin: Floats
    y: Floats
    fitted: NDArray[np.bool_]

    @classmethod
    def of(cls, fold: Fold, X: Floats, y: Floats) -> _Split:
        codes = codes_by(fold.table, X)
        fitted = np.ones(len(y), dtype=bool)
        fitted[fold.held_out] = False
        return cls(fold.table, codes, margin_by(fold.table, codes), y, fitted)

    def path(self, pairs: Sequence[Pair]) -> _Path:
        """The pairs one after the other, each on top of those before it."""
        fitted, y = self.fitted, self.y[~self.fitted]
        found = fit_pairs(self.table, self.codes[fitted], self.margin[fitted], self.y[fitted], pairs).pairs
        gains, start = np.empty((len(y), len(pairs))), self.margin[~fitted]
        margin = start
        for place, pair in enumerate(found):
            codes = self.codes[~fitted, pair.first], self.codes[~fitted, pair.second]
            with_it = margin + pair.of_codes(*codes)
            without = with_it - pair.purified()[0].of_codes(*codes)
            gains[:, place] = log_loss_and_chance(without, y)[0] - log_loss_and_chance(with_it, y)[0]
            margin = with_it
        return _Path(gains, margin - start)


def _servable(pairs: Sequence[Pair], table: Table) -> bool:
    """Whether ranges over not-known features stay exact at small cost, were every grid as large as it can get."""
    most = []
    for pair in pairs:
        groups = []
        for feature in pair:
            spec = table.terms[feature].spec
            known = MOST_KNOWN if spec.numeric else min(spec.levels, MOST_KNOWN)
            groups.append(tuple(range(known + 1 + spec.not_applicable)))
        most.append(PairTerm(*pair, (groups[0], groups[1]), ((0.0,) * len(groups[1]),) * len(groups[0]), 0.0))
    return elimination_order(most)[1] <= MOST_CELLS
