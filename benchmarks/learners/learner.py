"""What a learner is to the benchmark: a function that fits, and gives back the log-odds of any rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from training.fit.terms import TermSpec

Floats = NDArray[np.float64]
Margin = Callable[[Floats], Floats]
Learner = Callable[[Sequence[TermSpec], Floats, NDArray[np.int8], NDArray[np.int64]], Margin]
"""(specs, X (rows, features) as `benchmarks.learners.sets` says, y 0 or 1 (rows,), families (rows,)) -> margin."""
