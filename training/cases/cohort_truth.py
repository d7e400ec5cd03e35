"""The truth of the synthetic cohort: what each answer does to the outcome, and what is not known.

Log-odds are those of the plan; the intercept is solved so that the mean probability is the base rate.
"""

from __future__ import annotations

import math

import numpy as np

from training.cases.cohort_conditions import holds, read_operand
from training.cases.cohort_draw import Drawn, weighted
from training.cases.cohort_plan import FeaturePlan, Floats, Plan, normal_quantiles


def effect(plan: FeaturePlan, column: Floats) -> Floats:
    """Log-odds of each value of one feature, (rows,); 0 where it is not applicable or not known."""
    finite = np.isfinite(column)
    known = np.where(finite, column, 0.0)
    if not isinstance(plan.effect, list):
        effects = known * plan.effect
    elif isinstance(plan.effect[0], list):
        points, heights = zip(*plan.effect, strict=True)
        effects = np.interp(known, points, heights)
    else:
        effects = np.array(plan.effect)[known.astype(np.intp)]
    return np.where(finite, effects, 0.0)


def pair_effects(plan: Plan, X: Floats) -> Floats:
    """Log-odds of the interactions whose two parts are both known and present, (rows,)."""
    total = np.zeros(len(X))
    for pair in plan.raw["pair"]:
        first, second = (holds(read_operand(pair[part]), X, plan.dictionary) for part in ("first", "second"))
        total += pair["effect"] * (first & second)
    return total


def recorded_effects(plan: Plan, X: Floats) -> Floats:
    """Log-odds without the intercept of all that is known in X, (rows,)."""
    total = pair_effects(plan, X)
    for j, feature in enumerate(plan.features):
        total += effect(feature, X[:, j])
    return total


def true_margin(plan: Plan, drawn: Drawn) -> tuple[Floats, float]:
    """Log-odds of each case given everything, what no agency records included, (rows,), and the intercept."""
    margin = recorded_effects(plan, drawn.values) + drawn.unrecorded
    margin += plan.raw["monitored"]["mother_born_abroad_effect"] * drawn.abroad
    intercept = solve_intercept(margin, plan.base_rate)
    return margin + intercept, intercept


def solve_intercept(margin: Floats, rate: float) -> float:
    """The intercept with which the mean probability is `rate`, by bisection."""
    low, high = -30.0, 30.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if sigmoid(margin + middle).mean() < rate else (low, middle)
    return (low + high) / 2


def sigmoid(margin: Floats) -> Floats:
    """Probability of log-odds, same shape."""
    return np.asarray(1 / (1 + np.exp(-margin)))


def risk(plan: FeaturePlan, column: Floats) -> Floats:
    """How risky an answer is as `value` in the plan's `unknown_moves` counts it, from 0 to 1, (rows,)."""
    most = np.max([abs(point[1]) for point in plan.effect]) if _is_curve(plan) else np.max(plan.effect)
    return effect(plan, column) / most if most else np.zeros(len(column))


def _is_curve(plan: FeaturePlan) -> bool:
    return isinstance(plan.effect, list) and isinstance(plan.effect[0], list)


def unknown_probit(plan: Plan, feature: FeaturePlan) -> float:
    """Constant of the probit of *not known*, so that about `unknown` of cases are not known."""
    if feature.unknown == 0:
        return -math.inf
    spread = math.sqrt(1 + float(feature.moves @ plan.covariance @ feature.moves))
    return float(normal_quantiles([feature.unknown])[0]) * spread


def hide(plan: Plan, drawn: Drawn, rng: np.random.Generator) -> Floats:
    """The answers as the practitioner has them: NaN where not known, (rows, features)."""
    observed = drawn.values.copy()
    for j, feature in enumerate(plan.features):
        column = drawn.values[:, j]
        probit = unknown_probit(plan, feature) + weighted(drawn.latent, feature.moves)
        probit += feature.value_move * risk(feature, column)
        hidden = rng.standard_normal(len(column)) < probit
        observed[hidden & ~np.isneginf(column), j] = np.nan
    _hide_what_needs_another(plan, observed)
    return observed


def _hide_what_needs_another(plan: Plan, observed: Floats) -> None:
    """Nothing is known of a person whom no service knows; where the other answer is a known no, this does not apply."""
    for j, feature in enumerate(plan.features):
        if feature.needs is None:
            continue
        condition = read_operand(feature.needs)
        needed = holds(condition, observed, plan.dictionary)
        other = observed[:, plan.column(condition.feature)]
        absent_by_answer = [reason for reason in feature.absent if " = " in reason]
        observed[~needed & ~np.isneginf(observed[:, j]), j] = np.nan
        if absent_by_answer:
            observed[np.isnan(other), j] = np.nan
            observed[np.isfinite(other) & ~needed, j] = -np.inf
