"""A training run that finds a pair: in the artefact, judged by shap, refitted, and no small cell told."""

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console
from threadpoolctl import threadpool_limits

from model.artefact import promises_broken, read_model
from model.explanation import explain
from tests.builders import built_dictionary
from tests.training.conftest import FEATURES, drawn_cases
from training.cases.file import read_cases
from training.cases.small_cells import released_cases
from training.compare.models import cases_of
from training.pair_counts import shown_grid
from training.pipeline import train
from training.policy import POLICY
from training.release.gates import gates
from training.replay.story import ModelJudge
from training.report import print_report


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """Cases in which history and concern together say far more than each alone."""
    frame = drawn_cases(2400, seed=3)
    rng = np.random.default_rng(4)
    both = (frame["history"] == "yes") & (frame["concern"] == "much")
    either = (frame["history"] == "yes") ^ (frame["concern"] == "much")
    chance = np.where(both, 0.85, np.where(either, 0.1, 0.12)) + 0.1 * (frame["source"] == "police")
    frame["outcome"] = (rng.random(len(frame)) < chance).astype(int).astype(str)
    path = tmp_path_factory.mktemp("pairs") / "cases.csv"
    frame.to_csv(path, index=False)
    dictionary = built_dictionary(*FEATURES, group={"column": "family"})
    cases = read_cases(path, dictionary)
    found = fitted(cases, dictionary)
    return cases, found, read_model(found.data)


def fitted(cases, dictionary, **settings):
    with threadpool_limits(1):
        return train(cases, dictionary, data_sha256="0" * 64, synthetic=True, seed=1, jobs=1, **settings)


def said_of_pairs(found):
    """The line of the printed report that names the pairs."""
    console = Console(record=True, width=200, file=StringIO())
    print_report(console, found, Path())
    (line,) = [line for line in console.export_text().splitlines() if line.startswith("pairs of features")]
    return line.removeprefix("pairs of features with a table together: ")


def test_the_report_names_the_pairs_and_they_can_be_switched_off(trained):
    cases, found, model = trained
    assert "history with concern" in said_of_pairs(found)
    without = fitted(cases, model.dictionary, most_pairs=0)
    assert read_model(without.data).pairs == ()
    assert said_of_pairs(without) == "none"


def test_the_pair_is_in_the_model_with_its_refits_and_is_the_estimators(trained):
    _, found, model = trained
    names = [(model.terms[pair.first].feature.name, model.terms[pair.second].feature.name) for pair in model.pairs]
    assert ("history", "concern") in names
    assert found.compile_difference < 1e-9
    assert found.shap.by_part["whole by Permutation"] < 1e-9
    assert promises_broken(model) == []
    assert {len(cell) for pair in model.pairs for row in pair.deviations for cell in row} == {20}
    failed = [gate.name for gate in gates(model) if not gate.passed]
    assert not {"promises hold on the table", "contributions equal shap's", "table equals the fitted estimators"} & {
        *failed
    }


def test_base_value_and_means_are_those_of_the_training_rows(trained):
    cases, _, model = trained
    learned_from, _ = released_cases(cases, model.dictionary)
    explained = [explain(model, case) for case in cases_of(model.dictionary, learned_from.X)]
    assert np.mean([one.contributions for one in explained], axis=0) == pytest.approx(0, abs=1e-9)
    assert np.mean([one.margin for one in explained]) == pytest.approx(model.base_value, abs=1e-9)


def test_replay_by_shap_agrees_with_what_was_logged(trained):
    cases, found, model = trained
    some = cases_of(model.dictionary, cases.X[:20])
    judged, margins = ModelJudge(model, found.estimators).by_shap(some)
    explained = [explain(model, case) for case in some]
    assert np.abs(judged - [one.contributions for one in explained]).max() < 1e-9
    assert np.abs(margins - [one.margin for one in explained]).max() < 1e-9


def test_no_count_of_a_small_cell_is_told(trained):
    _, found, _ = trained
    for pair in json.loads(found.data)["pairs"]:
        counts = [count for row in pair["counts"] for count in row if count is not None]
        assert min(counts) >= POLICY.disclosure_threshold


@pytest.mark.parametrize(
    ("counts", "shown"),
    [
        ([[50, 60], [70, 80]], [[50, 60], [70, 80]]),
        ([[3, 60, 90], [70, 80, 95], [99, 99, 99]], [[None, None, 90], [None, None, 95], [99, 99, 99]]),
        ([[0, 12], [13, 14]], [[None, None], [None, None]]),
        ([[2, 3, 40], [50, 60, 70]], [[None, None, None], [None, None, None]]),
    ],
)
def test_small_cells_are_hidden_with_as_many_others_as_keep_them_hidden(counts, shown):
    assert shown_grid(counts) == shown
