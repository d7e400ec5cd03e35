"""The observed oracle: P(outcome | what the practitioner has), the best that any model of the cohort can do.

Given the latent factors, answers and gaps are independent, so the posterior mean is a weighted mean over draws of the
factors: the weight of a draw is the likelihood of the known answers and of which ones are not known; unseen answers are
averaged out in closed form. It is approximate: a low-discrepancy set of draws instead of an integral; numbers in at
most 24 cells; the plan's rules between answers, brothers and sisters, and pairs with an unseen part are left out.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from training.cases.cohort_conditions import read_operand
from training.cases.cohort_draw import rest
from training.cases.cohort_plan import FeaturePlan, Floats, Plan, normal_quantiles
from training.cases.cohort_truth import effect, recorded_effects, risk, sigmoid, unknown_probit

Single = NDArray[np.float32]

DRAWS = 1024
"""Draws of the factors. 16,384 draws differ from these by 0.04 in log-odds (root mean square, of a spread of 1.0)."""
BLOCK = 2048
WIDENING = 1.25
"""Draws are spread wider than the factors, so that rare families are covered; weights put that right."""
_GAUSS_HERMITE = ((-(3.0**0.5), 1 / 6), (0.0, 2 / 3), (3.0**0.5, 1 / 6))
_NOTHING = 1e-30


@dataclass(frozen=True, slots=True)
class _Tables:
    """Of one feature, over draws: log-likelihood of each cell, then of not known, then 0 (settled elsewhere).

    `log_likelihood`: (cells + 2, draws). `gain`: log of the mean exp(effect) of an unseen answer, (draws,).
    """

    log_likelihood: Single
    gain: Single
    starts: Floats


def observed_oracle(plan: Plan, observed: Floats, intercept: float, draws: int = DRAWS) -> Floats:
    """P(outcome | known answers and gaps) of each case, (rows,); see the module for what is approximate."""
    factors, prior = _draws(plan, draws)
    tables = [_tables(plan, feature, factors) for feature in plan.features]
    codes = [_codes(plan, observed, j, table) for j, table in enumerate(tables)]
    base = recorded_effects(plan, observed) + intercept
    base += plan.raw["monitored"]["mother_born_abroad"] * plan.raw["monitored"]["mother_born_abroad_effect"]
    spread = plan.raw["family"]["unrecorded_sd"]
    result = np.empty(len(observed))
    for start in range(0, len(observed), BLOCK):
        rows = slice(start, start + BLOCK)
        weights, gains = _posterior(tables, [code[rows] for code in codes], np.isnan(observed[rows]), prior)
        margin = base[rows, None] + gains
        chance = sum(share * sigmoid(margin + node * spread) for node, share in _GAUSS_HERMITE)
        result[rows] = (weights * chance).sum(axis=1)
    return result


def _posterior(
    tables: list[_Tables], codes: list[NDArray[np.intp]], missing: NDArray[np.bool_], prior: Single
) -> tuple[Floats, Floats]:
    """Weight of each draw and log-odds of the unseen answers under it, both (rows, draws)."""
    log_weights = np.repeat(prior[None, :], len(missing), axis=0)
    gains = np.zeros_like(log_weights)
    for j, table in enumerate(tables):
        log_weights += table.log_likelihood[codes[j]]
        unseen = np.flatnonzero(missing[:, j])
        gains[unseen] += table.gain
    log_weights -= log_weights.max(axis=1, keepdims=True)
    weights = np.exp(log_weights.astype(np.float64))
    return weights / weights.sum(axis=1, keepdims=True), gains.astype(np.float64)


def _draws(plan: Plan, draws: int) -> tuple[Floats, Single]:
    """Draws of the factors by an additive recurrence (Roberts' R sequence), (draws, factors), and their log weights."""
    dimensions = len(plan.factors)
    ratio = 2.0
    for _ in range(60):
        ratio = (1 + ratio) ** (1 / (dimensions + 1))
    steps = ratio ** -np.arange(1.0, dimensions + 1)
    uniform = (0.5 + np.arange(1, draws + 1)[:, None] * steps) % 1
    wide = WIDENING * normal_quantiles(uniform.ravel()).reshape(uniform.shape)
    log_weight = -0.5 * (wide**2).sum(axis=1) * (1 - 1 / WIDENING**2)
    root = np.linalg.cholesky(plan.covariance)
    return np.asarray((wide[:, None, :] * root[None, :, :]).sum(axis=2)), log_weight.astype(np.float32)


def _tables(plan: Plan, feature: FeaturePlan, factors: Floats) -> _Tables:
    edges, starts = feature.scale.cells() if feature.scale else (np.empty(0), np.zeros(1))
    centre = (factors * feature.loadings).sum(axis=1)
    below = normal_cdf((edges[:, None] - centre) / rest(plan, feature))
    ends = np.vstack([np.zeros_like(centre), below, np.ones_like(centre)])
    cells = np.maximum(np.diff(ends, axis=0), _NOTHING)
    probit = unknown_probit(plan, feature) + (factors * feature.moves).sum(axis=1)
    unknown = normal_cdf(probit + feature.value_move * risk(feature, starts)[:, None])
    unseen = cells * unknown
    total = np.maximum(unseen.sum(axis=0), _NOTHING)
    raised = np.maximum((unseen * np.exp(effect(feature, starts))[:, None]).sum(axis=0), _NOTHING)
    gain = np.log(raised / total)
    seen = np.log(np.maximum(cells * (1 - unknown), _NOTHING))
    rows = [seen, np.log(total)[None, :], np.zeros((1, len(centre)))]
    return _Tables(np.vstack(rows).astype(np.float32), gain.astype(np.float32), starts)


def _codes(plan: Plan, observed: Floats, j: int, table: _Tables) -> NDArray[np.intp]:
    """Row of the feature's table for each case, (rows,)."""
    column, cells, feature = observed[:, j], len(table.starts), plan.features[j]
    known = np.searchsorted(table.starts, np.where(np.isfinite(column), column, 0.0), side="right") - 1
    codes = np.where(np.isfinite(column), np.maximum(known, 0), cells)
    settled = np.isneginf(column)
    if feature.needs is not None:
        other = plan.column(read_operand(feature.needs).feature)
        settled |= np.isnan(column) & (observed[:, other] != 1)
    if feature.scale is None:
        settled |= np.isfinite(column)
    return np.where(settled, cells + 1, codes)


def normal_cdf(z: Floats) -> Floats:
    """Standard normal distribution function, same shape; error below 1e-7 (Abramowitz and Stegun 26.2.17)."""
    t = 1 / (1 + 0.2316419 * np.abs(z))
    series = t * (0.319381530 + t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429))))
    upper = np.exp(-0.5 * z * z) / np.sqrt(2 * np.pi) * series
    return np.asarray(np.where(z >= 0, 1 - upper, upper))
