"""Promise 3: the explanation is the model."""

import math

import numpy as np
import pytest
import shap
from hypothesis import given, settings
from hypothesis import strategies as st

from model.additive import probability
from model.columns.vectorised import VectorisedModel
from model.explanation import ExplanationError, check_sum, explain
from model.wording import contribution_text
from tests.builders import built_model, cases, logit, models, plain_dictionary, yes_no_term
from training.artefact import shipped_words


@given(st.data())
def test_contributions_sum_to_the_score(data):
    model = data.draw(models(pairs=4))
    explanation = explain(model, data.draw(cases(model)))
    total = math.fsum([explanation.base_value, *explanation.contributions])
    assert explanation.score == pytest.approx(probability(total), rel=1e-9)
    if abs(total) < 15:  # beyond it, one less the score has too few digits left for its own log-odds
        assert total == pytest.approx(logit(explanation.score), abs=1e-9)


@given(st.data())
@settings(max_examples=25, deadline=None)
def test_contributions_equal_the_shap_library(data):
    model = data.draw(models(pairs=4))
    several = data.draw(st.lists(cases(model), min_size=4, max_size=6))
    fast = VectorisedModel.of(model)
    rows = np.array([model.slots(case) for case in several])
    background, explained = rows[:3], rows[3:]
    judge = shap.PermutationExplainer(
        lambda slots: fast.margin(slots.astype(np.intp)), shap.maskers.Independent(background), seed=1
    )
    judged = judge(explained, max_evals=2 * len(model.terms) + 1, silent=True)
    ours = fast.contributions(explained, background)
    assert np.abs(judged.values - ours).max() < 1e-9


@given(st.data())
def test_the_vectorised_model_is_the_same_model(data):
    model = data.draw(models(pairs=4))
    case = data.draw(cases(model))
    slots = np.array([model.slots(case)])
    fast = VectorisedModel.of(model)
    explanation = explain(model, case)
    assert fast.margin(slots)[0] == pytest.approx(explanation.margin, abs=1e-12)
    assert fast.contributions(slots)[0] == pytest.approx(explanation.contributions, abs=1e-12)


@given(st.data())
@settings(max_examples=25, deadline=None)
def test_a_purified_pair_is_split_evenly_as_the_shap_library_does(data):
    """Over rows whose answers go together: the pair's mean over them, both answers together, is not nothing."""
    values = data.draw(st.lists(st.lists(st.floats(-3, 3), min_size=3, max_size=3), min_size=3, max_size=3))
    counts = np.array(data.draw(st.lists(st.integers(0, 3), min_size=9, max_size=9)), dtype=float).reshape(3, 3)
    counts[0, 0] += 1
    share = counts / counts.sum()
    rows, columns = share.sum(axis=1), share.sum(axis=0)
    grid = np.array(values)
    grid = grid - (grid @ columns)[:, None] - (rows @ grid)[None, :] + rows @ grid @ columns
    steep = [[0.0, 40.0], [0.0, 40.0]]
    terms = [
        {**yes_no_term(name, no, 20.0, yes), "mean": float(weights @ [no, yes, 20.0])}
        for name, (no, yes), weights in zip("ab", steep, (rows, columns), strict=True)
    ]
    pair = {"features": ["a", "b"], "groups": [[0, 1, 2]] * 2, "values": grid.tolist(), "counts": []}
    raw = plain_dictionary(*({"name": name, "kind": "yes_no", "direction": "raises"} for name in "ab"))
    model = built_model(raw, terms, format=2, pairs=[{**pair, "mean": float((share * grid).sum())}])
    background = np.array([(i, j) for i in range(3) for j in range(3) for _ in range(int(counts[i, j]))])
    explained = np.array([(i, j) for i in range(3) for j in range(3)])
    fast = VectorisedModel.of(model)
    judge = shap.PermutationExplainer(
        lambda slots: fast.margin(slots.astype(np.intp)), shap.maskers.Independent(background, len(background)), seed=1
    )
    judged = judge(explained, max_evals=2 * len(model.terms) + 1, silent=True)
    ours = [model.contributions(slots) for slots in explained.tolist()]
    assert np.abs(judged.values - ours).max() < 1e-9
    assert judged.base_values == pytest.approx([model.base_value] * 9, abs=1e-9)


@pytest.mark.parametrize("contributions", [[0.5, 0.5 + 1e-8], [math.nan, 1.0], [0.5]])
def test_a_sum_that_does_not_hold_is_never_answered(contributions):
    with pytest.raises(ExplanationError):
        check_sum(-3.0, contributions, -2.0, 0.12)


def test_wording_is_about_association():
    raw = plain_dictionary({"name": "a", "kind": "yes_no", "direction": "raises"})
    model = built_model(raw, [yes_no_term("a", 0.0, 0.5, 1.0)])
    feature = model.dictionary.features[0]
    assert "associated with a higher score" in contribution_text(model, feature, "yes", 0.4).lower()
    assert "associated with a lower score" in contribution_text(model, feature, "no", -0.4).lower()
    assert "not known is not the same as no" in contribution_text(model, feature, "not_known", 0.1).lower()


def test_no_sentence_claims_a_cause_or_a_certainty():
    def sentences(words):
        if isinstance(words, str):
            yield words
        elif isinstance(words, dict):
            for inner in words.values():
                yield from sentences(inner)
        elif isinstance(words, list):
            for inner in words:
                yield from sentences(inner)

    for sentence in sentences(shipped_words()):
        for banned in ("because", "caused", "due to", "certain", "definitely", "is safe", "low risk", "no risk"):
            stripped = sentence.replace("not a finding that the child is safe", "")
            assert banned not in stripped.lower(), (banned, sentence)
