"""The shares at each prompt level are what the real rules say of each case, and are split by what gave them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from model.additive import AdditiveModel
from model.prompt import LEVELS
from tests.training.judge.conftest import released
from training.cases.file import code_of
from training.judge import prompt_levels
from training.judge.held import Held
from training.judge.prompt_levels import Prompted, cases_of, prompt_facts, put_to_the_rules, sampled_families


def test_cases_are_put_to_the_rules_as_the_service_would_have_read_them(held: Held) -> None:
    features = held.dictionary.features
    for row, case in zip(held.X[:200], cases_of(features, held.X[:200]), strict=True):
        assert list(case.values) == [feature.name for feature in features]
        again = [code_of(feature, case.values[feature.name]) for feature in features]
        np.testing.assert_array_equal(again, row)


def test_levels_follow_from_the_rules_that_hold(held: Held, prompted: Prompted) -> None:
    ground, score, *seek = prompted.rules.T
    expected = np.where(ground | score, 0, np.where(np.any(seek, axis=0), 1, 2))
    np.testing.assert_array_equal(prompted.level, expected)
    assert set(prompted.level) == {0, 1, 2}
    np.testing.assert_array_equal(score, held.over)
    X = held.X
    met = (X[:, 2] == 2) & (X[:, 0] == 1) & (X[:, 5] == 1)
    np.testing.assert_array_equal(ground, met)
    np.testing.assert_array_equal(prompted.grounds[:, 0], met)
    np.testing.assert_array_equal(seek[2], np.isnan(X[:, 2]))
    np.testing.assert_array_equal(seek[3], (~np.isnan(X)).sum(axis=1) < 4)


def test_the_facts_are_the_counts(held: Held, prompted: Prompted) -> None:
    facts = released(held, lambda disclosure: prompt_facts(held, prompted, disclosure))
    assert (facts["cases"], facts["of_all_held_out"]) == (1200, True)
    assert [row["level"] for row in facts["levels"]] == list(LEVELS)
    assert sum(row["share"]["value"] for row in facts["levels"]) == pytest.approx(1, abs=1e-4)
    assert sum(row["share_of_outcomes"]["value"] for row in facts["levels"]) == pytest.approx(1, abs=1e-4)
    for number, row in enumerate(facts["levels"]):
        at = prompted.level == number
        assert row["share"]["value"] == pytest.approx(at.mean(), rel=1e-4)
        assert row["outcome_share"]["value"] == pytest.approx(held.y[at].mean(), rel=1e-4)
    ground, score = prompted.rules[:, 0], prompted.rules[:, 1]
    split = {row["rule"]: row["share"] for row in facts["consider_referral"]}
    assert list(split) == ["ground_only", "score_only", "ground_and_score"]
    for name, at in zip(split, (ground & ~score, score & ~ground, ground & score), strict=True):
        figure = split[name]
        assert figure is None or at.sum() >= 10
        if figure:
            assert figure["value"] == pytest.approx(at.mean(), rel=1e-4)
    for row in facts["seek_information"]:
        if row["share"] and row["share_alone"]:
            assert row["share_alone"]["value"] <= row["share"]["value"] <= facts["levels"][1]["share"]["value"]
    assert facts["grounds"][0]["ground"] == "much_concern"
    assert facts["grounds"][0]["share"]["value"] == pytest.approx(ground.mean(), rel=1e-4)


def test_a_ground_that_a_handful_meet_is_named_without_figures(held: Held, prompted: Prompted) -> None:
    few = np.zeros_like(prompted.grounds)
    few[:9] = True
    rare = replace(prompted, grounds=few)
    row = released(held, lambda disclosure: prompt_facts(held, rare, disclosure))["grounds"][0]
    assert row == {"ground": "much_concern", "share": None, "outcome_share": None, "share_of_outcomes": None}


def test_of_many_cases_whole_families_are_drawn_and_it_is_said(
    judged: AdditiveModel, held: Held, prompted: Prompted, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prompt_levels, "MOST_CASES", 301)
    sample = put_to_the_rules(judged, held)
    assert len(sample.rows) == 300
    assert list(sample.rows) == sorted(sample.rows)
    assert (np.bincount(held.groups[sample.rows])[np.unique(held.groups[sample.rows])] == 2).all()
    np.testing.assert_array_equal(sample.level, prompted.level[sample.rows])
    assert released(held, lambda disclosure: prompt_facts(held, sample, disclosure))["of_all_held_out"] is False
    assert (sampled_families(held.groups, 300, 1) != sampled_families(held.groups, 300, 2)).any()
