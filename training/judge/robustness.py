"""What becomes of the figures when less is recorded: by agency, at random, and in another local authority."""

from __future__ import annotations

import numpy as np

from training.fit.folds import held_out_families
from training.fit.terms import Floats
from training.judge.disclosure import Disclosure, Facts, Mask
from training.judge.evaluate import samples_of
from training.judge.held import Held
from training.judge.resample import figure, ratio

MISSING_SHARES = (0.1, 0.3, 0.5)
SHIFTED_FEATURES = 0.5
SHIFTED_CELLS = 0.5
SHIFTED_FAMILIES = 0.5
RANKED = ("auc", "log_loss")
CALIBRATED = ("auc", "log_loss", "calibration_slope", "calibration_intercept")
OVER = "share_over_threshold"
LEAST_OF_ALL = 8
"""How much these figures matter where not all can be shown (`Disclosure`)."""


def robustness(held: Held, disclosure: Disclosure) -> Facts:
    """AUC, log loss and the share over the threshold, threshold unchanged, with some answers taken away."""
    everyone = np.ones(len(held.y), dtype=bool)
    before = _samples(held, held.margin, RANKED, everyone)
    as_recorded = {name: figure(samples) for name, samples in before.items()}
    disclosure.offer_rate((as_recorded, OVER), held.over, everyone, rank=LEAST_OF_ALL)
    agencies = []
    for agency in held.dictionary.agencies:
        holders = [feature.held_by for feature in held.dictionary.features]
        columns = [j for j, held_by in enumerate(holders) if agency.id in held_by]
        if columns:
            X = held.X.copy()
            X[:, columns] = np.nan
            row: Facts = {
                "agency": agency.id,
                "label": agency.label,
                "features": len(columns),
                "held_by_no_other": sum(holders[j] == (agency.id,) for j in columns),
            }
            agencies.append(_compared(row, held, X, before, disclosure))
    at_random = [
        _compared({"share": share}, held, thinned(held.X, share, held.seed), before, disclosure)
        for share in MISSING_SHARES
    ]
    return {"as_recorded": as_recorded, "without_agency": agencies, "at_random": at_random}


def thinned(X: Floats, share: float, seed: int) -> Floats:
    """A copy in which each answer is not known with that chance, *not applicable* as well; (rows, features)."""
    lost = np.random.default_rng(seed).random(X.shape) < share
    return np.where(lost, np.nan, X)


def shift(held: Held, disclosure: Disclosure) -> Facts:
    """A local authority that records half of the features half as often: a random half of families, before and after.

    The same families stand on both sides, so that the difference is the recording and nothing else.
    """
    rng = np.random.default_rng(held.seed)
    features = np.sort(rng.permutation(held.X.shape[1])[: max(1, int(held.X.shape[1] * SHIFTED_FEATURES))])
    _, family = np.unique(held.groups, return_inverse=True)
    moved = held_out_families(held.y.astype(np.float64), family, SHIFTED_FAMILIES, held.seed)
    X = held.X[moved]
    X[:, features] = thinned(X[:, features], SHIFTED_CELLS, held.seed)
    before = _samples(held, held.margin, CALIBRATED, moved)
    after_margin = held.margin.copy()
    after_margin[moved] = held.table.margin(X)
    after = _samples(held, after_margin, CALIBRATED, moved)
    parts: Facts = {
        "as_recorded": {name: figure(samples) for name, samples in before.items()},
        "recorded_less": {name: figure(samples) for name, samples in after.items()},
        "change": {name: figure(after[name] - before[name]) for name in after},
    }
    over, over_after = held.over & moved, (after_margin >= held.threshold) & moved
    disclosure.offer_rate((parts["as_recorded"], OVER), over, moved, rank=LEAST_OF_ALL)
    disclosure.offer_rate((parts["recorded_less"], OVER), over_after, moved, rank=LEAST_OF_ALL)
    disclosure.offer_rate((parts["change"], OVER), over_after, moved, over, moved & ~over, rank=LEAST_OF_ALL)
    found: Facts = {
        "features": [held.dictionary.features[j].name for j in features],
        "share_of_answers_lost": SHIFTED_CELLS,
        "cases": int(moved.sum()),
        **parts,
    }
    disclosure.offer((found, "cases"), moved, ~moved, rank=LEAST_OF_ALL)
    return found


def _compared(row: Facts, held: Held, X: Floats, before: dict[str, Floats], disclosure: Disclosure) -> Facts:
    """The row with what becomes of the figures: itself, as what is withheld is taken out of it later."""
    margin = held.table.margin(X)
    everyone = np.ones(len(margin), dtype=bool)
    after = _samples(held, margin, RANKED, everyone)
    row |= {name: figure(samples) for name, samples in after.items()}
    row["auc_change"] = figure(after["auc"] - before["auc"])
    row["log_loss_change"] = figure(after["log_loss"] - before["log_loss"])
    disclosure.offer_rate((row, OVER), margin >= held.threshold, everyone, rank=LEAST_OF_ALL)
    return row


def _samples(held: Held, margin: Floats, measures: tuple[str, ...], kept: Mask) -> dict[str, Floats]:
    draws = held.draws.only(kept)
    over = np.column_stack([margin[kept] >= held.threshold, np.ones(kept.sum())]).astype(float)
    prompted, cases = draws.sums(over).T
    found = samples_of(held.y[kept], margin[kept], draws, measures)
    return {**found, OVER: ratio(prompted, cases)}
