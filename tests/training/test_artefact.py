"""`model.json` reads back as what was fitted, shows no small count, and holds nothing but finite numbers."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from model.artefact import BAND_CUTS, read_model
from tests.builders import built_dictionary, plain_dictionary
from tests.training.conftest import SEED, Run
from training.artefact import DISCLOSURE_THRESHOLD, model_bytes
from training.cases.small_cells import released_cases
from training.cases.specs import term_specs
from training.fit.terms import FittedTerm, Table
from training.pipeline import train

HARM = {"name": "harm", "kind": "yes_no", "direction": "raises"}


def small(version: str = "t1", **changes: Any) -> bytes:
    """The artefact of one yes/no feature; `changes` replace what `model_bytes` is given."""
    dictionary = built_dictionary(HARM, version=version)
    term = FittedTerm(term_specs(dictionary)[0], (), (-0.1, 0.9), 0.2, None, 0, (90, 9), 1, 0)
    given: dict[str, Any] = {
        "dictionary": dictionary,
        "table": Table(-3.0, (term,)),
        "deviations": [np.zeros((4, 5))],
        "threshold": {"margin": -2.0, "capacity": 0.05},
        "bands": [-4 + 0.1 * cut for cut in range(BAND_CUTS)],
        "synthetic": True,
        "facts": {},
    }
    return model_bytes(**{**given, **changes})


def numbers(content: object) -> Iterator[float]:
    """Every number anywhere in a JSON value."""
    if isinstance(content, dict):
        content = list(content.values())
    if isinstance(content, list):
        for part in content:
            yield from numbers(part)
    elif isinstance(content, (int, float)):
        yield content


def test_the_artefact_reads_back_as_the_table_that_was_fitted(run: Run) -> None:
    model = read_model(run.trained.data)
    fitted = run.trained.estimators.table_
    calibration = run.trained.facts["training"]["calibration"]
    slope, shift = (calibration["slope"], calibration["intercept"]) if calibration["applied"] else (1.0, 0.0)
    assert model.intercept == pytest.approx(fitted.intercept * slope + shift, abs=1e-12)
    for term, expected in zip(model.terms, fitted.terms, strict=True):
        assert term.feature.name == expected.name
        assert term.edges == expected.edges
        np.testing.assert_allclose(term.values, np.array(expected.values) * slope, atol=1e-9)
        assert term.not_known == pytest.approx(expected.not_known * slope, abs=1e-9)
        assert (term.not_applicable is None) == (expected.not_applicable is None)
        assert term.reference == expected.reference_bin
        assert len(term.deviations) == len(term.table)
        assert {len(row) for row in term.deviations} == {20}


def test_the_mean_is_that_of_the_training_rows(run: Run) -> None:
    model = read_model(run.trained.data)
    fitted_on, _ = released_cases(run.cases, run.dictionary)
    for j, term in enumerate(model.terms):
        slots = run.trained.estimators.table_.terms[j].codes(fitted_on.X[:, j])
        assert term.mean == pytest.approx(np.mean(np.array(term.table)[slots]), abs=1e-12)


def test_no_answer_that_few_cases_gave_was_fitted_or_is_counted(run: Run) -> None:
    """`source` is "other" in a handful of rows of the file: it is in no table, count, mean or refit."""
    content = json.loads(run.trained.data)
    raw = run.cases.X[:, 5]
    assert 0 < np.count_nonzero(raw == 3) < DISCLOSURE_THRESHOLD
    for fitted in run.trained.estimators.table_.terms:
        slots = (*fitted.counts, fitted.count_not_known, fitted.count_not_applicable)
        assert not [count for count in slots if 0 < count < DISCLOSURE_THRESHOLD]
    for term, fitted in zip(content["terms"], run.trained.estimators.table_.terms, strict=True):
        assert term["counts"] == [count or None for count in fitted.counts]
    assert content["terms"][5]["counts"][3] is None
    assert content["training"]["folded"] == [{"feature": "source", "answer": "other", "counted_with": "not known"}]


def test_a_planted_level_leaves_no_trace_in_any_figure(run: Run) -> None:
    """The same table whether the rare answers were given by these cases or not known from the start."""
    blanked = run.cases.X.copy(order="F")
    blanked[blanked[:, 5] == 3, 5] = np.nan
    with threadpool_limits(1):
        again = train(replace(run.cases, X=blanked), run.dictionary, data_sha256="0", synthetic=True, seed=SEED, jobs=1)
    first, second = json.loads(run.trained.data), json.loads(again.data)
    for key in ("terms", "intercept", "bands", "threshold", "evaluation"):
        assert first[key] == second[key], key


def test_every_number_is_finite_and_the_bytes_hold_no_other_constant(run: Run) -> None:
    found = list(numbers(json.loads(run.trained.data)))
    assert len(found) > 500
    assert all(map(math.isfinite, found))
    for word in (b"NaN", b"Infinity"):
        assert word not in run.trained.data


@pytest.mark.parametrize("number", [float("nan"), float("inf"), float("-inf")])
@pytest.mark.parametrize("place", ["threshold", "bands", "facts", "deviations", "table"])
def test_what_is_not_finite_is_never_written(place: str, number: float) -> None:
    term = FittedTerm(term_specs(built_dictionary(HARM))[0], (), (-0.1, number), 0.2, None, 0, (90, 9), 1, 0)
    wrong: dict[str, Any] = {
        "threshold": {"margin": number},
        "bands": [number] * BAND_CUTS,
        "facts": {"evaluation": {"grounds": {"auc": {"value": number}}}},
        "deviations": [np.full((4, 5), number)],
        "table": Table(-3.0, (term,)),
    }
    with pytest.raises(ValueError, match="not JSON compliant"):
        small(**{place: wrong[place]})


def test_the_version_is_the_dictionarys_and_a_digest_of_the_content() -> None:
    version = read_model(small()).version
    assert version.startswith("t1-")
    assert read_model(small()).version == version
    assert read_model(small(synthetic=False)).version != version
    assert read_model(small(facts={"training": {"rows": 1}})).version != version


@pytest.mark.parametrize(
    ("stated", "stem"),
    [("2026/1", "2026-1"), ("../../x", "x"), ("é 1", "1"), ("...", "model"), ("v1.2_b-3", "v1.2_b-3")],
)
def test_a_version_can_always_name_a_folder(stated: str, stem: str) -> None:
    model = read_model(small(stated))
    assert model.version.rpartition("-")[0] == stem
    assert model.dictionary.version == stated


def test_the_dictionary_travels_inside(run: Run) -> None:
    content = json.loads(run.trained.data)
    assert content["dictionary"] == dict(run.dictionary.raw)
    assert set(plain_dictionary(HARM)) <= set(content["dictionary"])
