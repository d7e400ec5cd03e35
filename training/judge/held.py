"""The held-out cases and the judged table: what every part of the judgement looks at."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from model.dictionary import Dictionary
from training.fit.terms import Floats, Table
from training.judge.resample import Draws


@dataclass(frozen=True, slots=True)
class Held:
    """Cases of families that the judged table never saw.

    `X` (rows, features) encoded as the learners see it, `y` (rows,) 0 or 1, `groups` the family, `margin` the table's
    log-odds, `threshold` the log-odds at and above which the score prompts. `monitored` has one row a case.
    """

    dictionary: Dictionary
    table: Table
    X: Floats
    y: NDArray[np.int8]
    groups: NDArray[np.int64]
    margin: Floats
    threshold: float
    monitored: pd.DataFrame
    draws: Draws
    seed: int

    @property
    def score(self) -> Floats:
        """Probabilities, (rows,)."""
        return np.asarray(1 / (1 + np.exp(-self.margin)))

    @property
    def over(self) -> NDArray[np.bool_]:
        """Cases that the score alone prompts, (rows,)."""
        return self.margin >= self.threshold
