"""The story of a screening over many cases at once, by columns of codes (`model.columns.codes`).

The same numbers as `model.view` gives for one case, to the last bit: sums are rounded once, the range and the fewest
answers are added up in the same order, and the logistic function is the same one. Never on the request path.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from model.additive import AdditiveModel
from model.columns.codes import FeatureCodes, codes_of
from model.columns.exact_sum import exact_sum
from model.columns.gaps import GapColumns, GapsByRow
from model.columns.gaps_in_pairs import GapsInPairColumns
from model.columns.grounds import MET, UNDECIDED, GroundColumns
from model.columns.pairs import PairColumns
from model.explanation import TOLERANCE, ExplanationError
from model.prompt import CONSIDER_REFERRAL, LEVELS, NO_PROMPT, SEEK_INFORMATION

Floats = NDArray[np.float64]
Bytes = NDArray[np.uint8]
_CODES = 256


@dataclass(frozen=True, slots=True)
class Screened:
    """What was found about the cases of some columns, by rows.

    `score`, `score_low` and `score_high` are probabilities (the range is over what is not known); `band` is the
    ventile (1 to 20); `prompt` indexes `model.prompt.LEVELS`; `not_known` counts features; `met` is (grounds, rows);
    `contributions` is (features, rows), log-odds, in the order of the terms.
    """

    score: Floats
    score_low: Floats
    score_high: Floats
    band: Bytes
    prompt: Bytes
    not_known: NDArray[np.uint16]
    met: NDArray[np.bool_]
    contributions: Floats


class ColumnModel:
    """A model ready to screen columns."""

    def __init__(self, model: AdditiveModel) -> None:
        """Raises `ValueError` where a feature has too many codes."""
        self._model = model
        self.codes = codes_of(model)
        self._tables = [_by_code(of, term.table) for of, term in zip(self.codes, model.terms, strict=True)]
        self._contributions = [
            _by_code(of, term.contributions) for of, term in zip(self.codes, model.terms, strict=True)
        ]
        self._pairs = tuple(PairColumns.of(pair, self.codes) for pair in model.pairs)
        in_pairs = GapsInPairColumns(model, self.codes, self._pairs) if self._pairs else None
        self._gaps = in_pairs or GapColumns(model, self.codes)
        self._essential = [j for j, term in enumerate(model.terms) if term.feature.essential]
        self._grounds = GroundColumns(model.dictionary, self.codes)
        self._bands = np.array(model.bands)

    def screen(self, columns: Bytes) -> Screened:
        """Screens the cases of `columns`, (features, rows) of codes.

        Raises `ExplanationError` where any case's contributions do not sum to its score.
        """
        own = [np.take(table, codes) for table, codes in zip(self._tables, columns, strict=True)]
        margin = exact_sum(self._model.intercept, [*own, *(pair.value(columns) for pair in self._pairs)])
        contributions = np.empty(columns.shape)
        for row, of_code, codes in zip(contributions, self._contributions, columns, strict=True):
            np.take(of_code, codes, out=row, mode="clip")
        for pair in self._pairs:
            pair.add_halves(columns, contributions)
        score = logistic(margin)
        self._check_sums(contributions, margin, score)
        gaps = self._gaps.find(columns, margin)
        grounds = self._grounds.find(columns)
        return Screened(
            score=score,
            score_low=logistic(gaps.lowest),
            score_high=logistic(gaps.highest),
            band=(np.searchsorted(self._bands, margin, side="right") + 1).astype(np.uint8),
            prompt=self._prompts(columns, margin, gaps, grounds),
            not_known=gaps.not_known,
            met=grounds == MET,
            contributions=contributions,
        )

    def _check_sums(self, contributions: Floats, margin: Floats, score: Floats) -> None:
        sums = self._model.base_value + contributions.sum(axis=0)
        if not (np.all(np.abs(sums - margin) <= TOLERANCE) and np.all((score > 0.0) & (score < 1.0))):
            raise ExplanationError("the contributions do not sum to the score; the model must not be used")

    def _prompts(self, columns: Bytes, margin: Floats, gaps: GapsByRow, grounds: Bytes) -> Bytes:
        """As `model.prompt.decide_prompt`, without its words."""
        threshold, policy = self._model.threshold, self._model.dictionary.policy
        seek = gaps.reachable | (grounds == UNDECIDED).any(axis=0)
        seek |= len(columns) - gaps.not_known.astype(np.int32) < policy.minimum_known
        for place in self._essential:
            seek |= columns[place] == self.codes[place].not_known
        consider = (margin >= threshold) | (grounds == MET).any(axis=0)
        prompt = np.full(len(margin), LEVELS.index(NO_PROMPT), dtype=np.uint8)
        prompt[seek] = LEVELS.index(SEEK_INFORMATION)
        prompt[consider] = LEVELS.index(CONSIDER_REFERRAL)
        return prompt


def logistic(margin: Floats) -> Floats:
    """`model.additive.probability` of each, to the last bit: numpy's own exponential may differ from the library's."""
    exp = math.exp
    odds = np.fromiter(map(exp, (-np.abs(margin)).tolist()), np.float64, len(margin))
    return np.where(margin >= 0, 1.0, odds) / (1.0 + odds)


def _by_code(of: FeatureCodes, table: tuple[float, ...]) -> Floats:
    values = np.zeros(_CODES)
    values[: len(of.slots)] = [table[slot] for slot in of.slots]
    return values
