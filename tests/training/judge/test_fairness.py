"""Every group has a row, its figures are those of its own cases, and small ones are named without figures."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from model.prompt import LEVELS
from tests.training.judge.conftest import FEW, released
from training.judge.coarse import step_of
from training.judge.disclosure import Facts
from training.judge.evaluate import ranked_parts
from training.judge.fairness import NOT_IN_DICTIONARY, NOT_RECORDED, RATES, fairness
from training.judge.held import Held
from training.judge.prompt_levels import Prompted


@pytest.fixture(scope="module")
def sex(held: Held, prompted: Prompted) -> Facts:
    return released(held, lambda disclosure: fairness(held, prompted, disclosure), held.y == 1)["characteristics"][0]


def row(characteristic: Facts, level: str) -> Facts:
    return next(row for row in characteristic["levels"] if row["level"] == level)


def test_what_is_not_in_the_data_is_said(held: Held, prompted: Prompted) -> None:
    found = released(held, lambda disclosure: fairness(held, prompted, disclosure))
    assert (found["judged"], found["not_in_the_data"]) == (True, ["faith"])
    unwatched = replace(held, monitored=pd.DataFrame(index=held.monitored.index))
    nothing = released(held, lambda disclosure: fairness(unwatched, prompted, disclosure))
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
    police = unknown[:, [3, 5]]
    for share, answers in ((found["not_known"]["all"], unknown), (found["not_known"]["by_agency"]["police"], police)):
        step = step_of(answers.size)
        assert share["value"] == pytest.approx(answers.mean(), abs=step / 2)
        assert step * answers.size >= 10
    assert found["prompts"]["no_prompt"] is not None
    for number, level in enumerate(LEVELS):
        if (share := found["prompts"][level]) is not None:
            assert share["value"] == pytest.approx((prompted.level[inside] == number).mean(), rel=1e-4)
    place = ranked_parts(held.margin, 20)[inside]
    assert len(found["bands"]) == 20
    assert sum(band is not None for band in found["bands"]) > 10
    for number, band in enumerate(found["bands"]):
        assert band is None or band == pytest.approx((place == number).mean(), abs=1e-4)


def test_a_group_below_the_threshold_is_named_and_shows_nothing(held: Held, sex: Facts) -> None:
    assert (held.monitored["sex"] == "x").sum() == FEW
    found = dict(row(sex, "x"))
    assert found.pop("level") == "x"
    assert found.pop("suppressed") == "cases"
    assert set(found.pop("gap").values()) == {None}
    assert set(found.values()) == {None}


def test_the_smallest_neighbour_of_a_small_group_shows_no_rate_that_would_give_its_size_away(sex: Facts) -> None:
    found = row(sex, NOT_RECORDED)  # twenty cases: all less the others would be the six
    assert found["suppressed"] == "cases"
    assert [found[name] for name in ("cases", "events", "not_known", "bands", "prompts", *RATES)] == [None] * 10


def test_a_group_with_few_outcomes_shows_what_rests_on_its_cases(held: Held, prompted: Prompted) -> None:
    sexes = held.monitored["sex"].replace({"x": "f", "": "f", "zebra77": "f"}).to_numpy().copy()
    without = np.flatnonzero(held.y == 0)
    sexes[without[:200:2]] = "x"
    sexes[np.flatnonzero(held.y == 1)[:3]] = "x"
    watched = replace(held, monitored=pd.DataFrame({"sex": sexes}))
    found = row(released(held, lambda d: fairness(watched, prompted, d))["characteristics"][0], "x")
    assert (found["suppressed"], found["cases"], found["events"]) == ("events", 103, None)
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
    found = released(held, lambda disclosure: fairness(replace(held, X=X), prompted, disclosure))["characteristics"][0]
    assert row(found, "m")["not_known"]["by_agency"]["police"]["low"] > 0.5
    assert row(found, "f")["not_known"]["by_agency"]["police"]["high"] < 0.2


def test_a_group_that_is_scored_too_low_shows(held: Held, prompted: Prompted) -> None:
    inside = (held.monitored["sex"] == "m").to_numpy()
    unfair = replace(held, margin=np.where(inside, held.margin - 1.0, held.margin))
    found = row(released(held, lambda disclosure: fairness(unfair, prompted, disclosure))["characteristics"][0], "m")
    assert found["observed_to_expected"]["low"] > 1.2
    assert found["gap"]["observed_to_expected"]["low"] > 0.2
    assert found["gap"]["selection_rate"] is None  # so few are selected that the count would show
