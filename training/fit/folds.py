"""Splits that keep families whole and spread the events evenly. Linear in rows, unlike StratifiedGroupKFold."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from training.fit.terms import Floats

Rows = NDArray[np.intp]


def grouped_folds(y: Floats, groups: Rows, folds: int, seed: int) -> list[Rows]:
    """Held-out row numbers of each fold; families whole, families with an event dealt out evenly.

    Fewer folds where fewer families have an event (or have none); an empty list below two.
    """
    events = np.bincount(groups, y)
    folds = min(folds, int(np.sum(events > 0)), int(np.sum(_without_event(y, groups))))
    if folds < 2:
        return []
    deal = np.empty(len(events), dtype=np.intp)
    deal[_shuffled_families(y, groups, seed)] = np.arange(len(events)) % folds
    return [np.flatnonzero(deal[groups] == fold) for fold in range(folds)]


def held_out_families(y: Floats, groups: Rows, share: float, seed: int) -> NDArray[np.bool_]:
    """True for the rows of about `share` of the families, with and without events alike."""
    order = _shuffled_families(y, groups, seed)
    chosen = np.zeros(len(order), dtype=bool)
    position = np.arange(len(order))
    chosen[order] = np.floor((position + 1) * share) > np.floor(position * share)
    return chosen[groups]


def resampled_families(groups: Rows, rng: np.random.Generator) -> Floats:
    """How often each row is drawn when families are drawn with replacement, shape (rows,)."""
    families = int(groups.max()) + 1
    drawn = np.bincount(rng.integers(0, families, families), minlength=families)
    return drawn[groups].astype(np.float64)


def _shuffled_families(y: Floats, groups: Rows, seed: int) -> Rows:
    """Families ordered by events, then rows, ties in random order: dealing down this list is stratified."""
    events = np.bincount(groups, y)
    rows = np.bincount(groups)
    luck = np.random.default_rng(seed).permutation(len(events))
    return np.lexsort((luck, rows, events))


def _without_event(y: Floats, groups: Rows) -> NDArray[np.bool_]:
    """Families with a row that is no event: a fold needs both outcomes to be fitted on."""
    return np.bincount(groups, 1.0 - y) > 0
