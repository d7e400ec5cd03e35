"""A run gives the same bytes for the same input, and what it writes is what the estimators say."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from threadpoolctl import threadpool_limits

from model.account.measured import MEASURES
from model.artefact import read_model
from model.case import Case
from model.explanation import explain
from model.tokens import read_token
from tests.builders import built_dictionary
from tests.training.conftest import FEATURES, SEED, Run
from training.cases.file import read_cases
from training.fit.calibrate import Recalibration
from training.pipeline import estimators_margin, train

ROWS = 400


def test_the_same_input_and_seed_give_the_same_bytes_whatever_the_jobs(run: Run) -> None:
    assert run.again(jobs=2).data == run.trained.data


def test_plain_python_on_the_artefact_equals_the_fitted_estimators(run: Run) -> None:
    """Cells read as the service's batch reads them, scored case by case, against scikit-learn on the encoded rows."""
    model = read_model(run.trained.data)
    rows = pd.read_csv(run.path, dtype=str, keep_default_na=False)[:ROWS]
    features = model.dictionary.features
    margins = [
        explain(model, Case.of(model.dictionary, {f.name: read_token(f, row[f.name]) for f in features})).margin
        for row in rows.to_dict("records")
    ]
    calibration = run.trained.facts["training"]["calibration"]
    applied = Recalibration(**{key: np.nan if value is None else value for key, value in calibration.items()})
    expected = estimators_margin(run.trained.estimators, applied, run.cases.X[:ROWS])
    np.testing.assert_allclose(margins, expected, rtol=0, atol=1e-9)
    assert np.ptp(margins) > 1


def test_the_facts_say_what_was_fitted_and_judged(run: Run) -> None:
    model = read_model(run.trained.data)
    training, evaluation = model.facts["training"], model.facts["evaluation"]
    assert (training["rows"], training["families"]) == (1200, 600)
    assert training["events"] == run.cases.y.sum()
    assert sum(training["learners"].values()) == pytest.approx(1)
    assert training["compile_difference"] < 1e-9
    assert training["shap"]["largest_difference"] < 1e-6
    assert evaluation["held_out_families"] == 120
    assert set(evaluation) >= {"grounds", "logistic regression", "unconstrained gradient boosting"}
    assert training["grouped"] is True
    assert evaluation["method"]["resampled_by"] == "family"
    for measure in MEASURES:
        figure = evaluation["grounds"][measure]
        assert figure["low"] <= figure["value"] <= figure["high"]
    threshold = model.facts["threshold"]
    assert threshold["share_prompted"] <= threshold["capacity"] == 0.05
    assert model.synthetic


def test_what_the_data_know_the_model_finds(run: Run) -> None:
    auc = run.trained.facts["evaluation"]["grounds"]["auc"]
    assert auc["low"] > 0.5
    assert auc["value"] > 0.6
    terms = {term.feature.name: term for term in read_model(run.trained.data).terms}
    assert terms["history"].values[1] > terms["history"].values[0]
    assert list(terms["concern"].values) == sorted(terms["concern"].values)
    assert list(terms["visits"].values) == sorted(terms["visits"].values, reverse=True)


def test_the_difference_to_a_rival_is_taken_within_each_resample(run: Run) -> None:
    evaluation = run.trained.facts["evaluation"]
    ours, plain = (evaluation[name]["auc"] for name in ("grounds", "logistic regression"))
    found = evaluation["difference"]["logistic regression"]["auc"]
    assert found["value"] == pytest.approx(ours["value"] - plain["value"], abs=1e-4)
    assert found["low"] < found["value"] < found["high"]
    assert found["high"] - found["low"] < 0.5 * (ours["high"] - ours["low"])


def test_where_no_family_is_named_the_facts_and_figures_are_of_cases(run: Run) -> None:
    dictionary = built_dictionary(*FEATURES)
    cases = read_cases(run.path, dictionary)
    with threadpool_limits(1):
        facts = train(cases, dictionary, data_sha256="", synthetic=True, seed=SEED, jobs=1, most_pairs=0).facts
    assert facts["training"]["grouped"] is False
    assert facts["evaluation"]["method"]["resampled_by"] == "case"
