"""Calibration, net benefit and workload by hand, on the held-out cases of a real run."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.training.judge.conftest import released
from training.judge.coarse import step_of
from training.judge.disclosure import Facts
from training.judge.evaluate import operating_point, ranked_parts
from training.judge.held import Held
from training.judge.usefulness import CAPACITIES, THRESHOLDS, at_threshold
from training.judge.usefulness import calibration as calibration_offered
from training.judge.usefulness import decision_curve as decision_curve_offered
from training.judge.usefulness import workload as workload_offered


def calibration(held: Held) -> Facts:
    return released(held, lambda disclosure: calibration_offered(held, disclosure))


def decision_curve(held: Held) -> list[Facts]:
    return released(held, lambda disclosure: decision_curve_offered(held, disclosure))


def workload(held: Held) -> list[Facts]:
    return released(held, lambda disclosure: workload_offered(held, disclosure))


def test_bins_hold_every_case_once_with_the_score_and_the_outcome_beside_each_other(held: Held) -> None:
    found = calibration(held)
    rows = found["bins"]
    cases = np.array([row["cases"] for row in rows])
    assert len(rows) == 10
    assert cases.sum() == len(held.y)
    scores = np.array([row["mean_score"] for row in rows])
    assert list(scores) == sorted(scores)
    place = ranked_parts(held.margin, 10)
    shares = np.array([held.y[place == number].mean() for number in range(10)])
    shown = [row["outcome_share"] and row["outcome_share"]["value"] for row in rows]
    assert sum(share is not None for share in shown) >= 7
    assert [share for share in shown if share is not None] == pytest.approx(
        [share for share, seen in zip(shares, shown, strict=True) if seen is not None], rel=1e-4
    )
    assert found["ece"]["value"] == pytest.approx(cases @ np.abs(shares - scores) / cases.sum(), abs=1e-4)


def test_a_bin_with_few_outcomes_is_withheld_with_another(held: Held) -> None:
    place = ranked_parts(held.margin, 10)
    few = held.y.copy()
    few[place == 0] = 0
    few[np.flatnonzero(place == 0)[:3]] = 1
    watched = replace(held, y=few)
    bins = released(watched, lambda disclosure: calibration_offered(watched, disclosure), few == 1)["bins"]
    hidden = [number for number, row in enumerate(bins) if row["outcome_share"] is None]
    assert hidden[0] == 0
    assert few[np.isin(place, hidden)].sum() >= 10  # all outcomes less those of the bins shown


def test_ece_finds_scores_that_are_too_high(held: Held) -> None:
    assert calibration(replace(held, margin=held.margin + 1))["ece"]["low"] > calibration(held)["ece"]["value"]


def test_scores_that_are_all_alike_fill_one_bin_and_a_small_bin_is_withheld(held: Held) -> None:
    margin = np.full(len(held.y), -1.0)
    assert len(calibration(replace(held, margin=margin))["bins"]) == 1
    few = replace(held, y=held.y[:40], margin=held.margin[:40], draws=held.draws.only(np.arange(40)))
    assert [row["cases"] for row in calibration(few)["bins"]] == [None] * 10
    assert all(row["outcome_share"] is row["mean_score"] is None for row in calibration(few)["bins"])


def test_net_benefit_is_true_prompts_less_false_ones_at_the_odds(held: Held) -> None:
    rows, step = decision_curve(held), step_of(len(held.y))
    assert [row["threshold"] for row in rows] == list(THRESHOLDS)
    for row in rows:
        chance, over = row["threshold"], held.score >= row["threshold"]
        true, false = (over & (held.y == 1)).mean(), (over & (held.y == 0)).mean()
        net = true - false * chance / (1 - chance)
        shown = row["net_benefit"]
        assert (shown is None) == (min(true, false) * len(held.y) < 10)
        if shown is not None:
            assert shown["value"] == pytest.approx(net, abs=step / 2 + 1e-9)
            assert shown["low"] <= net <= shown["high"]
        everyone = held.y.mean() - (1 - held.y.mean()) * chance / (1 - chance)
        assert row["treat_all"]["value"] == pytest.approx(everyone, rel=1e-4)
    assert sum(row["net_benefit"] is not None for row in rows) >= 8


def test_net_benefit_is_in_steps_worth_ten_cases_and_withheld_where_they_are_coarse(held: Held) -> None:
    assert step_of(1200) * 1200 >= 10
    assert [step_of(number) for number in (1200, 1000, 999, 45)] == pytest.approx([0.01, 0.01, 0.02, 0.5])
    rare = np.where(np.random.default_rng(2).random(len(held.y)) < 0.9, 0, held.y).astype(np.int8)
    assert rare.mean() < 0.1
    assert all(row["net_benefit"] is None for row in decision_curve(replace(held, y=rare)))


def test_a_score_without_knowledge_gains_nothing(held: Held) -> None:
    blind = replace(held, margin=np.random.default_rng(1).permutation(held.margin))
    assert all(row["gain_over_best_of_both"]["low"] <= 0 for row in decision_curve(blind) if row["net_benefit"])
    gains = [row["gain_over_best_of_both"] for row in decision_curve(held) if row["net_benefit"]]
    assert max(gain["low"] for gain in gains) > 0


def test_workload_is_the_operating_point_of_each_capacity(held: Held) -> None:
    rows = workload(held)
    assert [row["capacity"] for row in rows] == list(CAPACITIES)
    for row in rows:
        point = operating_point(held.y, held.margin, row["capacity"])
        assert row["share_prompted"]["value"] == pytest.approx(point.share_prompted, rel=1e-4)
        assert row["share_prompted"]["value"] <= row["capacity"]
        if row["precision"] is None:
            assert row["prompts_for_each_outcome_found"] is None
            continue
        assert row["sensitivity"]["value"] == pytest.approx(point.sensitivity, rel=1e-4)
        assert row["precision"]["value"] == pytest.approx(point.precision, rel=1e-4)
        assert row["precision"]["low"] < row["precision"]["value"] < row["precision"]["high"]
        prompts = row["prompts_for_each_outcome_found"]["value"]
        assert prompts == pytest.approx(1 / point.precision, rel=1e-4)
    assert sum(row["precision"] is not None for row in rows) >= 3


def test_what_the_threshold_does_is_that_of_its_capacity_and_rounded(held: Held) -> None:
    found = released(held, lambda disclosure: at_threshold(held, disclosure))
    point = operating_point(held.y, held.margin, 0.1)
    for name, value in found.items():
        assert value == pytest.approx(getattr(point, name), rel=1e-4)
        assert value == float(f"{value:.5g}")
    over = np.flatnonzero(held.over)
    few = held.y.copy()
    few[over] = 0
    few[over[:5]] = 1
    blind = replace(held, y=few)
    kept = released(held, lambda disclosure: at_threshold(blind, disclosure))
    assert {name for name, value in kept.items() if value is not None} == {"share_prompted"}


def test_a_capacity_that_prompts_a_handful_is_named_without_figures(held: Held) -> None:
    few = replace(held, y=held.y[:100], margin=held.margin[:100], draws=held.draws.only(np.arange(100)))
    smallest = workload(few)[0]
    assert smallest["capacity"] == 0.01
    assert {value for key, value in smallest.items() if key != "capacity"} == {None}
