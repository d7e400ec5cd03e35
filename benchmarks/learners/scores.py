"""How good log-odds are on test rows."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

from training.judge.evaluate import samples_of
from training.judge.resample import Draws

Floats = NDArray[np.float64]

MEASURES = ("log_loss", "auc", "average_precision", "calibration_slope")
ECE_BINS = 10


@dataclass(frozen=True, slots=True)
class Scores:
    """`ece` is the mean distance of score and outcome over ten bins of equal size; it is never negative."""

    log_loss: float
    auc: float
    average_precision: float
    calibration_slope: float
    ece: float

    def plain(self) -> dict[str, float]:
        """For JSON."""
        return asdict(self)


def scores(outcome: NDArray[np.int8], margin: Floats) -> Scores:
    """All measures of log-odds `margin` against outcomes 0 or 1, both (rows,)."""
    as_they_are = Draws(np.ones((1, len(outcome)), dtype=np.uint8))
    found = samples_of(outcome, margin, as_they_are, MEASURES)
    return Scores(**{name: float(samples[0]) for name, samples in found.items()}, ece=_ece(outcome, margin))


def _ece(outcome: NDArray[np.int8], margin: Floats) -> float:
    """As `training.judge.usefulness.calibration` has it: quantile bins, fewer where scores are tied."""
    cuts = np.unique(np.quantile(margin, np.arange(1, ECE_BINS) / ECE_BINS))
    bins = np.searchsorted(cuts, margin, side="right")
    surplus = np.bincount(bins, outcome - 1 / (1 + np.exp(-margin)))
    return float(np.abs(surplus).sum() / len(margin))
