"""Every group has a row, its figures are those of its own cases, and small ones are named without figures."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from model.prompt import LEVELS
from tests.training.judge.conftest import FEW
from training.judge.disclosure import Facts
from training.judge.fairness import NOT_IN_DICTIONARY, NOT_RECORDED, RATES, fairness
from training.judge.held import Held
from training.judge.prompt_levels import Prompted


@pytest.fixture(scope="module")
def sex(held: Held, prompted: Prompted) -> Facts:
    return fairness(held, prompted)["characteristics"][0]


def row(characteristic: Facts, level: str) -> Facts:
    return next(row for row in characteristic["levels"] if row["level"] == level)


def test_what_is_not_in_the_data_is_said(held: Held, prompted: Prompted) -> None:
    found = fairness(held, prompted)
    assert (found["judged"], found["not_in_the_data"]) == (True, ["faith"])
    nothing = fairness(replace(held, monitored=pd.DataFrame(index=held.monitored.index)), prompted)
    assert nothing["judged"] is False
    assert "nothing is known of fairness" in nothing["why"]
    assert (nothing["not_in_the_data"], nothing["characteristics"]) == (["sex", "faith"], [])


def test_every_level_has_a_row_and_other_values_are_not_repeated(sex: Facts) -> None:
    assert [row["level"] for row in sex["levels"]] == ["f", "m", "x", NOT_RECORDED, NOT_IN_DICTIONARY]
    assert (sex["name"], sex["reference"]) == ("sex", "f")
    assert "zebra77" not in json.dumps(sex)


def test_the_rates_are_those_of_the_group(held: Held, prompted: Prompted, sex: Facts) -> None:
    inside = (held.monitored["sex"] == "m").to_numpy()
    y, over = held.y[inside] == 1, held.over[inside]
    expected = {
        "selection_rate": over.mean(),
        "sensitivity": over[y].mean(),
        "false_positive_rate": over[~y].mean(),
        "precision": y[over].mean(),
        "observed_to_expected": y.sum() / held.score[inside].sum(),
    }
    found = row(sex, "m")
    assert found["suppressed"] is None
    assert (found["cases"], found["events"]) == (inside.sum(), y.sum())
    for name in RATES:
        assert found[name]["value"] == pytest.approx(expected[name], rel=1e-4)
        assert found[name]["low"] < found[name]["value"] < found[name]["high"]
        gap = found[name]["value"] - row(sex, "f")[name]["value"]
        assert found["gap"][name]["value"] == pytest.approx(gap, abs=2e-4)
        assert found["gap"][name]["low"] < found["gap"][name]["high"]
    assert row(sex, "f")["gap"] is None
    unknown = np.isnan(held.X[inside])
    assert found["not_known"]["all"]["value"] == pytest.approx(unknown.mean(), rel=1e-4)
    assert found["not_known"]["by_agency"]["police"]["value"] == pytest.approx(unknown[:, [3, 5]].mean(), rel=1e-4)
    assert [found["prompts"][level]["value"] for level in LEVELS] == pytest.approx(
        [(prompted.level[inside] == number).mean() for number in range(3)], rel=1e-4
    )
    assert len(found["bands"]) == 20
    assert sum(found["bands"]) == pytest.approx(1, abs=0.01)


def test_a_group_below_the_threshold_is_named_and_shows_nothing(held: Held, sex: Facts) -> None:
    assert (held.monitored["sex"] == "x").sum() == FEW
    found = dict(row(sex, "x"))
    assert found.pop("level") == "x"
    assert found.pop("suppressed") == "cases"
    assert set(found.pop("gap").values()) == {None}
    assert set(found.values()) == {None}


def test_a_group_with_few_outcomes_shows_what_rests_on_its_cases(sex: Facts) -> None:
    found = row(sex, NOT_RECORDED)  # twelve cases
    assert (found["suppressed"], found["events"]) == ("events", None)
    assert found["selection_rate"]["value"] is not None
    assert found["not_known"]["all"]["value"] is not None
    assert [found[name] for name in RATES[1:]] == [None] * 4


def test_counts_withheld_cannot_be_had_by_subtraction(held: Held, sex: Facts) -> None:
    for key in ("cases", "events"):
        seen = [row[key] for row in sex["levels"] if row[key] is not None]
        total = len(held.y) if key == "cases" else int(held.y.sum())
        assert total - sum(seen) >= 10
        assert len(seen) <= len(sex["levels"]) - 2


def test_a_group_whose_answers_are_missing_shows(held: Held, prompted: Prompted) -> None:
    X = held.X.copy()
    inside = (held.monitored["sex"] == "m").to_numpy()
    X[inside, 3] = np.nan
    found = fairness(replace(held, X=X), prompted)["characteristics"][0]
    assert row(found, "m")["not_known"]["by_agency"]["police"]["low"] > 0.5
    assert row(found, "f")["not_known"]["by_agency"]["police"]["high"] < 0.2


def test_a_group_that_is_scored_too_low_shows(held: Held, prompted: Prompted) -> None:
    inside = (held.monitored["sex"] == "m").to_numpy()
    unfair = replace(held, margin=np.where(inside, held.margin - 1.0, held.margin))
    found = row(fairness(unfair, prompted)["characteristics"][0], "m")
    assert found["observed_to_expected"]["low"] > 1.2
    assert found["gap"]["selection_rate"]["high"] < 0
