"""What the cohort looks like: crude odds ratios beside published ones, and how often each ground would prompt."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from model.dictionary import Dictionary, Ground
from training.cases.cohort_conditions import Flags, answers_needed, holds, read_operand
from training.cases.cohort_plan import PLAN_FILE, Floats, read_plan
from training.cases.cohort_rows import Cohort

WITHIN = 1.5
"""A comparable cohort odds ratio is meant to be within this factor of the published figure."""


def crude_odds_ratios(cohort: Cohort, dictionary: Dictionary) -> pd.DataFrame:
    """Crude odds ratios of the cohort, among cases where the answer is known, beside the published figure.

    One row a published figure, in the plan's order: factor, cohort_or, low and high (95 % interval in which families
    count as independent cases), published, measure, compare ("yes" where outcome and population are near enough), ratio
    (cohort / published), share (of known cases), outcome, source, note.
    """
    y = cohort.cases[dictionary.outcome.column].to_numpy() == 1
    rows = []
    for published in read_plan(dictionary).raw["published"]:
        condition = read_operand(published["condition"])
        exposed = holds(condition, cohort.X, dictionary)
        column = [feature.name for feature in dictionary.features].index(condition.feature)
        known = np.isfinite(cohort.X[:, column])
        rows.append(_row(published, exposed[known], y[known]))
    return pd.DataFrame(rows)


def _row(published: Mapping[str, Any], exposed: Flags, y: Flags) -> dict[str, object]:
    cells = np.array([(exposed & y).sum(), (exposed & ~y).sum(), (~exposed & y).sum(), (~exposed & ~y).sum()]) + 0.5
    ratio = cells[0] * cells[3] / (cells[1] * cells[2])
    error = 1.96 * np.sqrt((1 / cells).sum())
    return {
        "factor": published["factor"],
        "cohort_or": ratio,
        "low": ratio * np.exp(-error),
        "high": ratio * np.exp(error),
        "published": published["value"],
        "measure": published["measure"],
        "compare": published["compare"],
        "ratio": ratio / published["value"],
        "share": exposed.mean(),
        "outcome": published["outcome"],
        "source": published["source"],
        "note": published.get("note", ""),
    }


def ground_shares(X: Floats, dictionary: Dictionary) -> pd.DataFrame:
    """Share of cases that meet each ground or hang on as many answers as the policy allows, and of any of them.

    Columns: ground, met, undecided; a last row "any" (undecided there: no ground met, at least one undecided).
    """
    met, undecided = zip(*(_states(ground, X, dictionary) for ground in dictionary.grounds), strict=True)
    any_met = np.logical_or.reduce(met)
    any_open = np.logical_or.reduce(undecided) & ~any_met
    rows = [
        {"ground": ground.code, "met": is_met.mean(), "undecided": is_open.mean()}
        for ground, is_met, is_open in zip(dictionary.grounds, met, undecided, strict=True)
    ]
    return pd.DataFrame([*rows, {"ground": "any", "met": any_met.mean(), "undecided": any_open.mean()}])


def _states(ground: Ground, X: Floats, dictionary: Dictionary) -> tuple[Flags, Flags]:
    needed = answers_needed(ground.when, X, dictionary)
    return needed == 0, (needed > 0) & (needed <= dictionary.policy.ground_answers)


def unknown_shares(cohort: Cohort, dictionary: Dictionary) -> pd.DataFrame:
    """Share of cases with the outcome where each feature is known and where it is not, and the share not known."""
    y = cohort.cases[dictionary.outcome.column].to_numpy() == 1
    rows = []
    for j, feature in enumerate(dictionary.features):
        missing = np.isnan(cohort.X[:, j])
        rates = [float(y[part].mean()) if part.any() else float("nan") for part in (missing, ~missing)]
        rows.append(
            {
                "feature": feature.name,
                "not_known": missing.mean(),
                "rate_not_known": rates[0],
                "rate_known": rates[1],
            }
        )
    return pd.DataFrame(rows)


def odds_ratio_report(cohort: Cohort) -> str:
    """The report of `python -m training cohort --report`, as text."""
    dictionary = cohort.dictionary
    plan = read_plan(dictionary)
    y = cohort.cases[dictionary.outcome.column]
    families = cohort.cases[dictionary.group].nunique() if dictionary.group else len(y)
    lines = [
        f"Synthetic cohort: {len(y)} cases of {families} families; outcome {y.mean():.2%} (plan {plan.base_rate:.2%}).",
        "No row stands for a real person. Figures and assumptions: " + PLAN_FILE.name,
        "",
        "Crude odds ratios, cohort beside published (compare = yes: tuned to within "
        f"{WITHIN} times; no: other outcome or population, printed only)",
        f"{'factor':44}{'cohort':>8}  {'95 % interval':14}{'published':>10}  {'measure':12}{'compare':9}"
        "source; outcome",
    ]
    lines += [
        f"{row.factor:44}{row.cohort_or:8.2f}  {f'{row.low:.2f} to {row.high:.2f}':14}{row.published:10.2f}  "
        f"{row.measure:12}{row.compare:9}{row.source}; {row.outcome}{'. ' + row.note if row.note else ''}"
        for row in crude_odds_ratios(cohort, dictionary).itertuples()
    ]
    lines += [
        "",
        "Share of cases that meet each ground, and that hang on one answer",
        f"{'ground':44}{'met':>8}{'undecided':>12}",
    ]
    lines += [
        f"{row.ground:44}{row.met:8.2%}{row.undecided:12.2%}"
        for row in ground_shares(cohort.X, dictionary).itertuples()
    ]
    lines += ["", "Not known: share of cases, and share with the outcome where not known and where known"]
    lines += [
        f"{row.feature:44}{row.not_known:8.2%}{row.rate_not_known:12.2%}{row.rate_known:12.2%}"
        for row in unknown_shares(cohort, dictionary).itertuples()
    ]
    return "\n".join(lines)
