"""Makes the rows of the synthetic cohort, and apart from them the truth."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from model.dictionary import NOT_APPLICABLE, Dictionary, Feature
from training.cases.cohort_draw import Drawn, draw
from training.cases.cohort_oracle import observed_oracle
from training.cases.cohort_plan import Floats, Plan, read_plan
from training.cases.cohort_truth import hide, sigmoid, true_margin

COHORT_FILE = "cohort.csv"
TRUTH_FILE = "truth.csv"
CASE_REF = "case_ref"
DECIMALS = 6


@dataclass(frozen=True, slots=True)
class Cohort:
    """Cases as a file holds them, and apart from them the truth.

    `cases`: text and numbers by column: case_ref, family and month, features (empty where not known), monitored
    characteristics, outcome 0 or 1. `truth`: case_ref, `true_probability` given everything, unseen answers included,
    and `observed_oracle`, about the best prediction from what is observed. `X`: the same answers encoded, (cases,
    features): level index or number, NaN not known, -inf not applicable.
    """

    cases: pd.DataFrame
    truth: pd.DataFrame
    dictionary: Dictionary
    X: Floats


def make_cohort(families: int, seed: int, dictionary: Dictionary) -> Cohort:
    """A cohort of `families` families (about 1.27 cases each). The same seed gives the same bytes.

    Raises ValueError where the dictionary is not the shipped one, for which the plan is written.
    """
    plan = read_plan(dictionary)
    rng = np.random.Generator(np.random.PCG64(seed))
    drawn = draw(plan, families, rng)
    margin, intercept = true_margin(plan, drawn)
    probability = sigmoid(margin)
    happened = rng.random(len(margin)) < probability
    X = hide(plan, drawn, rng)
    refs = [f"C{number:07d}" for number in 1 + rng.permutation(len(margin))]
    columns: dict[str, object] = {CASE_REF: refs}
    if dictionary.group:
        columns[dictionary.group] = [f"F{number:06d}" for number in drawn.family + 1]
    if dictionary.time:
        columns[dictionary.time] = drawn.month
    columns |= {feature.file_column: _cells(feature, X[:, j]) for j, feature in enumerate(dictionary.features)}
    columns |= _monitored(plan, drawn, rng)
    columns[dictionary.outcome.column] = happened.astype(np.int64)
    truth = {
        CASE_REF: refs,
        "true_probability": np.round(probability, DECIMALS),
        "observed_oracle": np.round(observed_oracle(plan, X, intercept), DECIMALS),
    }
    return Cohort(pd.DataFrame(columns), pd.DataFrame(truth), dictionary, X)


def write_cohort(cohort: Cohort, folder: Path) -> None:
    """Writes cohort.csv and, for evaluation only, truth.csv into `folder`, which is made if need be."""
    folder.mkdir(parents=True, exist_ok=True)
    cohort.cases.to_csv(folder / COHORT_FILE, index=False, lineterminator="\n")
    cohort.truth.to_csv(folder / TRUTH_FILE, index=False, lineterminator="\n")


def _cells(feature: Feature, column: Floats) -> list[str]:
    """One column as a file writes it: a level, a number, `not_applicable`, or empty where not known."""
    finite = np.isfinite(column)
    values = np.unique(column[finite])
    words = [f"{value:g}" if feature.is_numeric else feature.levels[int(value)] for value in values]
    codes = np.full(len(column), len(words), dtype=np.intp)
    codes[finite] = np.searchsorted(values, column[finite])
    codes[np.isneginf(column)] = len(words) + 1
    words += ["", NOT_APPLICABLE]
    return [words[code] for code in codes.tolist()]


def _monitored(plan: Plan, drawn: Drawn, rng: np.random.Generator) -> dict[str, object]:
    """Protected characteristics; what was not recorded is `not_stated`, far more often before birth."""
    settings, cases = plan.raw["monitored"], len(drawn.family)
    families, unborn = drawn.family[-1] + 1, drawn.stage == 0
    shares = settings["ethnicity_group"]
    group = np.array(["white", "mixed", "asian", "black", "other"])[rng.choice(len(shares), families, p=shares)]
    not_stated = np.where(unborn, *(settings["ethnicity_not_stated"][when] for when in ("unborn", "born")))
    sex = np.where(rng.random(cases) < 0.5, "female", "male")
    disabled = np.where(rng.random(cases) < settings["child_disability"], "yes", "no")
    abroad = np.where(drawn.abroad, "yes", "no")
    return {
        "ethnicity_group": np.where(rng.random(cases) < not_stated, "not_stated", group[drawn.family]),
        "child_sex": np.where(unborn, "unborn_or_not_recorded", sex),
        "child_disability": np.where(
            unborn | (rng.random(cases) < settings["child_disability_not_stated"]), "not_stated", disabled
        ),
        "mother_born_abroad": np.where(
            rng.random(cases) < settings["mother_born_abroad_not_stated"], "not_stated", abroad
        ),
    }
