"""Which pairs of features the additive fit leaves something unsaid about, ranked without fitting any of them.

For each pair one penalised Newton step of its grid on the residuals of the additive fit, less what either feature says
alone (the idea of FAST: Lou, Caruana, Gehrke and Hooker 2013, KDD, section 4; here with the grid's own smoothness in
place of the best cut). Ranked by how far its gain lies above what it would be were there nothing, in standard
deviations.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import combinations
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from training.fit.objective import log_loss_and_chance
from training.fit.pair_grid import FIRST_PENALTY, coarse_groups, smoothness_of
from training.fit.pair_terms import Codes, Floats
from training.fit.terms import FittedTerm, Table
from training.policy import POLICY

GROUPS_OF_KNOWN = 5  # coarser than a fitted grid: for ranking, fewer cells see more
MOST_SEARCHED = 60  # features: those whose own contributions spread most; 60 make 1,770 pairs
MOST_CANDIDATES = 12
BEYOND_CHANCE = 2.0
"""Standard deviations above sqrt(2 ln pairs), about where the best of so many pairs without anything would come. On 24
additive sets of 1,000 to 10,000 rows and 21 pairs the best came to 4.5 at most; a true pair of 2 log-odds end to end
came to 8 and more from 3,000 rows."""


class Candidate(NamedTuple):
    """A pair of features, and how far what it would gain lies above chance, in standard deviations."""

    first: int
    second: int
    score: float


def candidates(table: Table, codes: NDArray[np.uint8], margin: Floats, y: Floats) -> list[Candidate]:
    """The pairs that stand out from chance, best first, at most `MOST_CANDIDATES`.

    `codes` (rows, features) and `margin` (rows,) are those of the table, `y` (rows,) is 0 or 1.
    """
    _, chance = log_loss_and_chance(margin, y)
    residual, weight = y - chance, chance * (1.0 - chance)
    seen = [(feature, _Coarse.of(table.terms[feature], codes[:, feature])) for feature in _searched(table)]
    pairs = list(combinations(seen, 2))
    chance_level = np.sqrt(2.0 * np.log(max(len(pairs), 1))) + BEYOND_CHANCE
    scored = [Candidate(one, other, _score((a, b), residual, weight)) for (one, a), (other, b) in pairs]
    found = [one for one in scored if one.score > chance_level]
    return sorted(found, key=lambda one: (-one.score, one.first, one.second))[:MOST_CANDIDATES]


def _searched(table: Table) -> list[int]:
    spreads = []
    for term in table.terms:
        counts, values = term.counts_by_code(), term.by_code()
        spreads.append(float(counts @ (values - term.mean()) ** 2))
    return sorted(np.argsort(-np.array(spreads), kind="stable")[:MOST_SEARCHED].tolist())


@dataclass(frozen=True, slots=True)
class _Coarse:
    """A feature by few groups of its codes: how many, and the group of each row, (rows,)."""

    term: FittedTerm
    size: int
    rows: Codes

    @classmethod
    def of(cls, term: FittedTerm, codes: NDArray[np.uint8]) -> _Coarse:
        groups = np.array(coarse_groups(term, GROUPS_OF_KNOWN), dtype=np.intp)
        return cls(term, int(groups.max()) + 1, groups[codes])


def _score(pair: tuple[_Coarse, _Coarse], residual: Floats, weight: Floats) -> float:
    rows, columns = pair[0].size, pair[1].size
    cell, cells = pair[0].rows * columns + pair[1].rows, rows * columns
    enough = np.bincount(cell, minlength=cells) >= POLICY.disclosure_threshold
    pull = np.where(enough, np.bincount(cell, residual, minlength=cells), 0.0)
    mass = np.where(enough, np.bincount(cell, weight, minlength=cells), 0.0)
    # What either feature says alone is taken out: weighted least squares on the rows and columns of the grid.
    alone = np.hstack([np.kron(np.eye(rows), np.ones((columns, 1))), np.kron(np.ones((rows, 1)), np.eye(columns))])
    taken = (mass[:, None] * alone) @ np.linalg.pinv(alone.T @ (mass[:, None] * alone), hermitian=True)
    beyond = pull - taken @ (alone.T @ pull)
    variance = np.diag(mass) - taken @ (alone * mass[:, None]).T
    smoothness = smoothness_of((pair[0].term, pair[1].term), (rows, columns))
    gains = np.linalg.solve(np.diag(mass) + FIRST_PENALTY * smoothness, np.column_stack([beyond, variance]))
    gain, by_chance = float(beyond @ gains[:, 0]), gains[:, 1:]
    spread = deviation_by_chance(by_chance)
    return (gain - float(np.trace(by_chance))) / spread if spread > 1e-12 else 0.0


def deviation_by_chance(gains: Floats) -> float:
    """Standard deviation of the gain x' A x where x is chance alone, from `gains`: A times the variance of x.

    Where a pair says nothing beyond either feature, rounding may leave squares that sum to a little below nothing.
    """
    return math.sqrt(max(2.0 * float(np.sum(gains * gains.T)), 0.0))
