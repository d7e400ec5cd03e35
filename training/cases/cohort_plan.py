"""Reads the plan of the synthetic cohort (`cohort.toml`), where each figure stands with its source or as an assumption.

Each feature is a cut of a standard normal `z`: a level by thresholds, a number by a quantile table. What makes answers
go together are a few latent factors on which `z` loads (a Gaussian factor copula).
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model.dictionary import Dictionary, Feature

Floats = NDArray[np.float64]

PLAN_FILE = Path(__file__).with_name("cohort.toml")
_NORMAL = NormalDist()
_GRID = np.arange(-4.2, 4.2001, 0.01)
_MOST_CELLS = 24


@dataclass(frozen=True, slots=True)
class Scale:
    """Turns `z` into a value: the level index, or a number joined by straight lines and rounded to `step`."""

    breaks: Floats
    values: Floats
    step: float | None

    def of(self, z: Floats) -> Floats:
        """The value of each z, same shape; never falls as z rises."""
        if self.step is None:
            return self.values[np.searchsorted(self.breaks, z)]
        return np.asarray(np.round(np.interp(z, self.breaks, self.values) / self.step) * self.step)

    def cells(self) -> tuple[Floats, Floats]:
        """Edges in z between the cells, (cells - 1,), and the smallest value of each cell, (cells,).

        A number with many values is cut into at most 24 cells of neighbouring ones.
        """
        if self.step is None:
            return self.breaks, self.values
        values = self.of(_GRID)
        starts = np.flatnonzero(np.diff(values) > 0) + 1
        starts = starts[:: max(1, -(-len(starts) // (_MOST_CELLS - 1)))]
        return _GRID[starts] - 0.005, np.concatenate([values[:1], values[starts]])


@dataclass(frozen=True, slots=True)
class FeaturePlan:
    """How one feature is drawn, what it does to the outcome, and when it is not known.

    `loadings` and `moves` are over the latent factors, (factors,); `moves` and `value_move` shift the probit of *not
    known*. `scale` is None for what is drawn with the family (stage, mobility, injury, children).
    """

    feature: Feature
    scale: Scale | None
    loadings: Floats
    sibling: float
    effect: Any
    unknown: float
    moves: Floats
    value_move: float
    absent: tuple[str, ...]
    needs: str | None


@dataclass(frozen=True, slots=True)
class Plan:
    """The whole plan. `covariance` is that of the latent factors, (factors, factors); `raw` is the file."""

    dictionary: Dictionary
    features: tuple[FeaturePlan, ...]
    factors: tuple[str, ...]
    family_factors: int
    covariance: Floats
    raw: dict[str, Any]

    @property
    def base_rate(self) -> float:
        """Share of cases with the outcome: children with an enquiry in a year, scaled to under-fives by plans."""
        base = self.raw["base_rate"]
        scaled = base["share_of_plans_under_five"] / base["share_of_birth_years_under_five"]
        return float(base["enquiries_per_10000"] / 10_000 * base["children_per_enquiry"] * scaled)

    def column(self, name: str) -> int:
        """The column of a feature. Raises StopIteration where the dictionary has none of that name."""
        return next(j for j, plan in enumerate(self.features) if plan.feature.name == name)


def read_plan(dictionary: Dictionary, path: Path = PLAN_FILE) -> Plan:
    """Reads the plan for the shipped dictionary. Raises ValueError where the two name different features."""
    raw = tomllib.loads(path.read_text(encoding="utf-8"))
    planned, defined = set(raw["feature"]), {feature.name for feature in dictionary.features}
    if planned != defined:
        raise ValueError(f"{path.name}: and the dictionary differ in {', '.join(sorted(planned ^ defined))}")
    factors = tuple(raw["latent"]["names"])
    covariance = np.eye(len(factors))
    for first, second, value in raw["latent"]["correlations"]:
        a, b = factors.index(first), factors.index(second)
        covariance[a, b] = covariance[b, a] = value
    return Plan(
        dictionary=dictionary,
        features=tuple(_feature(feature, raw["feature"][feature.name], factors) for feature in dictionary.features),
        factors=factors,
        family_factors=raw["latent"]["scope"].count("family"),
        covariance=covariance,
        raw=raw,
    )


def _feature(feature: Feature, raw: dict[str, Any], factors: tuple[str, ...]) -> FeaturePlan:
    moves = raw.get("unknown_moves", {})
    return FeaturePlan(
        feature=feature,
        scale=_scale(raw),
        loadings=np.array([raw.get("loadings", {}).get(factor, 0.0) for factor in factors]),
        sibling=raw.get("sibling", 0.0),
        effect=raw["effect"],
        unknown=raw["unknown"],
        moves=np.array([moves.get(factor, 0.0) for factor in factors]),
        value_move=moves.get("value", 0.0),
        absent=tuple(raw.get("absent", ())),
        needs=raw.get("needs"),
    )


def _scale(raw: dict[str, Any]) -> Scale | None:
    if "quantiles" in raw:
        shares, values = zip(*raw["quantiles"], strict=True)
        return Scale(normal_quantiles(shares), np.array(values, dtype=float), float(raw["step"]))
    if "share" not in raw:
        return None
    of_levels = raw["share"] if isinstance(raw["share"], list) else [1 - raw["share"], raw["share"]]
    return Scale(normal_quantiles(np.cumsum(of_levels)[:-1]), np.arange(len(of_levels), dtype=float), None)


def normal_quantiles(shares: Any) -> Floats:
    """Standard normal quantiles of shares strictly between 0 and 1, same length."""
    return np.array([_NORMAL.inv_cdf(float(share)) for share in shares])
