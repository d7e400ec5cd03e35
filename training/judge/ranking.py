"""Discrimination for many weightings of the same scores: sorted once, then linear in rows for each."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Ranking:
    """Rows by rising margin, those with an equal margin together. `starts` is where each such group begins."""

    order: NDArray[np.intp]
    starts: NDArray[np.intp]
    positive: Floats

    @classmethod
    def of(cls, y: NDArray[np.int8], margin: Floats) -> Ranking:
        """The ranking of log-odds (rows,) with outcomes 0 or 1, (rows,)."""
        order = np.argsort(margin, kind="stable")
        ranked = margin[order]
        starts = np.flatnonzero(np.r_[True, ranked[1:] != ranked[:-1]])
        return cls(order, starts, y[order].astype(np.float64))

    def auc(self, weight: Floats) -> float:
        """Share of pairs of an event and a case without one in which the event scores higher, ties half."""
        events, others = self._grouped(weight)
        pairs = events.sum() * others.sum()
        below = np.cumsum(others) - others / 2
        return float(np.sum(events * below) / pairs) if pairs > 0 else float("nan")

    def average_precision(self, weight: Floats) -> float:
        """Mean of the precision over the events, highest score first (as scikit-learn defines it)."""
        events, others = (counts[::-1] for counts in self._grouped(weight))
        found, seen = np.cumsum(events), np.cumsum(events + others)
        if found[-1] == 0:
            return float("nan")
        precision = np.divide(found, seen, out=np.zeros(len(seen)), where=seen > 0)
        return float(np.sum(events * precision) / found[-1])

    def _grouped(self, weight: Floats) -> tuple[Floats, Floats]:
        ranked = weight[self.order]
        events = ranked * self.positive
        both = np.add.reduceat(ranked, self.starts)
        found = np.add.reduceat(events, self.starts)
        return found, both - found
