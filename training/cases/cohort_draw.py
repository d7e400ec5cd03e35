"""Draws families, their children's contacts and the true answers, following the plan."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from training.cases.cohort_conditions import Flags, holds, read_operand
from training.cases.cohort_plan import FeaturePlan, Floats, Plan

Rows = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Drawn:
    """True answers. `values`: (cases, features), level index or number, -inf not applicable; none is not known.

    `latent`: (cases, factors). `family`, `month`, `stage`: (cases,). `unrecorded`: log-odds from what no agency
    records, (cases,). `abroad`: mother born abroad, (cases,).
    """

    values: Floats
    latent: Floats
    family: Rows
    month: Rows
    stage: Rows
    unrecorded: Floats
    abroad: Flags


def draw(plan: Plan, families: int, rng: np.random.Generator) -> Drawn:
    """Draws `families` families with one to three cases each. The same generator state gives the same cases."""
    settings = plan.raw["family"]
    cases = 1 + rng.choice(len(settings["children"]), size=families, p=settings["children"])
    family = np.repeat(np.arange(families), cases)
    order = np.arange(len(family)) - np.repeat(np.cumsum(cases) - cases, cases)
    stages = plan.raw["stages"]
    stage = rng.choice(len(stages), size=len(family), p=list(stages.values()))
    month = rng.integers(1, settings["months"] + 1, size=len(family))
    # Within a family the oldest child comes first, at the earliest contact.
    stage = stage[np.lexsort((-stage, family))]
    month = month[np.lexsort((month, family))]
    abroad = rng.random(families)[family] < plan.raw["monitored"]["mother_born_abroad"]
    latent = _latent(plan, family, abroad, rng)
    values = _answers(plan, latent, family, rng)
    values[:, plan.column("child_stage")] = stage
    _set_mobility_and_injury(plan, values, stage, rng)
    earlier = _earlier_children(plan, values, latent, family, rng) + order
    childless = (rng.random(families) < settings["no_second_parent"])[family]
    _apply_absence(plan, values, {"unborn": stage == 0, "first_child": earlier == 0, "no_second_parent": childless})
    values[childless, plan.column("second_parent_identified")] = 1.0
    _apply_rules(plan, values)
    removed = values[:, plan.column("previous_child_removed")] == 1
    values[:, plan.column("children_in_household")] = np.maximum(1, 1 + earlier - removed)
    unrecorded = settings["unrecorded_sd"] * rng.standard_normal(families)[family]
    return Drawn(values, latent, family, month, stage, unrecorded, abroad)


def _latent(plan: Plan, family: Rows, abroad: Flags, rng: np.random.Generator) -> Floats:
    """Correlated standard normal factors; records are sparser for a mother born abroad."""
    shared = rng.standard_normal((family[-1] + 1, plan.family_factors))[family]
    own = rng.standard_normal((len(family), len(plan.factors) - plan.family_factors))
    root = np.linalg.cholesky(plan.covariance)
    independent = np.hstack([shared, own])
    # Summed factor by factor, not by BLAS, whose rounding depends on the number of threads.
    latent = np.zeros_like(independent)
    for factor in range(len(plan.factors)):
        latent += independent[:, factor : factor + 1] * root[:, factor]
    latent[:, plan.factors.index("records")] += plan.raw["monitored"]["mother_born_abroad_records"] * abroad
    return latent


def weighted(latent: Floats, weights: Floats) -> Floats:
    """latent @ weights without BLAS, (rows,)."""
    total = np.zeros(len(latent))
    for factor in np.flatnonzero(weights):
        total += latent[:, factor] * weights[factor]
    return total


def rest(plan: Plan, feature: FeaturePlan) -> float:
    """Standard deviation of a feature's z that its factors leave over."""
    return float(np.sqrt(1 - feature.loadings @ plan.covariance @ feature.loadings))


def _answers(plan: Plan, latent: Floats, family: Rows, rng: np.random.Generator) -> Floats:
    values = np.zeros((len(family), len(plan.features)))
    for j, feature in enumerate(plan.features):
        if feature.scale is None:
            continue
        shared = rng.standard_normal(family[-1] + 1)[family]
        own = rng.standard_normal(len(family))
        noise = np.sqrt(feature.sibling) * shared + np.sqrt(1 - feature.sibling) * own
        values[:, j] = feature.scale.of(weighted(latent, feature.loadings) + rest(plan, feature) * noise)
    return values


def _set_mobility_and_injury(plan: Plan, values: Floats, stage: Rows, rng: np.random.Generator) -> None:
    shares = np.cumsum([plan.raw["mobility"][name] for name in plan.raw["stages"]], axis=1)[stage]
    mobility = (rng.random(len(stage))[:, None] > shares[:, :2]).sum(axis=1)
    by_mobility = np.array(plan.raw["feature"]["injury_or_bruise"]["share_by_mobility"])
    values[:, plan.column("child_mobility")] = mobility
    values[:, plan.column("injury_or_bruise")] = rng.random(len(stage)) < by_mobility[mobility]


def _earlier_children(plan: Plan, values: Floats, latent: Floats, family: Rows, rng: np.random.Generator) -> Rows:
    """Children that the mother had before the family's first case: at most one every two years from fifteen on."""
    settings = plan.raw["family"]
    loading = settings["prior_children_on_adversity"]
    noise = rng.random(family[-1] + 1)[family]
    # Adversity bends the uniform draw upwards; the cut by shares keeps the order.
    shifted = noise ** np.exp(-loading * latent[:, plan.factors.index("adversity")])
    born = np.searchsorted(np.cumsum(settings["prior_children"])[:-1], shifted)
    most = np.maximum(0, (values[:, plan.column("mother_age_years")] - 15) // 2)
    return np.asarray(np.minimum(born, most), dtype=np.int64)


def _apply_absence(plan: Plan, values: Floats, families: dict[str, Flags]) -> None:
    for j, feature in enumerate(plan.features):
        for reason in feature.absent:
            absent = families[reason] if reason in families else holds(read_operand(reason), values, plan.dictionary)
            values[absent, j] = -np.inf


def _apply_rules(plan: Plan, values: Floats) -> None:
    for rule in plan.raw["rule"]:
        rows = holds(read_operand(rule["when"]), values, plan.dictionary)
        j = plan.column(rule["feature"])
        rows &= np.isfinite(values[:, j])
        values[rows, j] = np.maximum(values[rows, j], rule["least"])
