"""Monotone in the direction, and not known never below the reference: exactly, on any data."""

from __future__ import annotations

import warnings

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.exceptions import ConvergenceWarning

from training.fit.boosted_bags import BoostedBags
from training.fit.calibrate import Recalibration, recalibrated
from training.fit.compile import violations
from training.fit.table_regression import TableRegression
from training.fit.terms import TermSpec, combine


@st.composite
def specs(draw, name):
    kind = draw(st.sampled_from(["yes_no", "ordinal", "count", "number", "category"]))
    direction = "free" if kind == "category" else draw(st.sampled_from(["raises", "lowers", "free"]))
    levels = {"yes_no": 2, "ordinal": draw(st.integers(1, 6)), "category": draw(st.integers(1, 12))}.get(kind, 0)
    top = levels - 1 if levels else 5
    reference = draw(st.one_of(st.none(), st.integers(0, top).map(float)))
    return TermSpec(name, kind, direction, reference, levels, draw(st.booleans()))


@st.composite
def training_data(draw):
    """Rows whose outcome goes against the promises as hard as the draw makes it."""
    chosen = [draw(specs(f"x{j}")) for j in range(draw(st.integers(1, 4)))]
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    rows = draw(st.integers(40, 400))
    X, margin = np.empty((rows, len(chosen))), np.full(rows, draw(st.floats(-3, 1)))
    against = draw(st.floats(0, 6))
    for j, spec in enumerate(chosen):
        x = rng.integers(0, spec.levels, rows).astype(float) if spec.levels else np.round(rng.gamma(2, 3, rows))
        margin -= against * (spec.sign or 1) * (x - x.mean()) / max(x.std(), 1.0)
        missing = rng.random(rows) < draw(st.sampled_from([0.0, 0.1, 0.6, 1.0]))
        x[missing], margin[missing] = np.nan, margin[missing] - against
        if spec.not_applicable:
            x[rng.random(rows) < 0.2] = -np.inf
        X[:, j] = x
    y = (rng.random(rows) < 1 / (1 + np.exp(-margin))).astype(int)
    y[:2] = [0, 1]
    return tuple(chosen), X, y, np.arange(rows) // draw(st.integers(1, 3))


@settings(max_examples=60, deadline=None)
@given(training_data())
def test_table_regression_keeps_its_promises(data):
    chosen, X, y, groups = data
    with warnings.catch_warnings():
        warnings.simplefilter("error", ConvergenceWarning)
        model = TableRegression(chosen).fit(X, y, groups)
    assert violations(model.table_) == []
    assert np.isfinite(model.table_.margin(X)).all()


@settings(max_examples=25, deadline=None)
@given(training_data())
def test_boosted_bags_keep_their_promises_and_compile_exactly(data):
    chosen, X, y, groups = data
    model = BoostedBags(chosen, bags=2).fit(X, y, groups)
    assert violations(model.table_) == []
    trees = np.mean([bag.estimator.decision_function(bag.design(X)) for bag in model.bags_], axis=0)
    assert np.abs(model.decision_function(X) - trees).max() < 1e-12


@settings(max_examples=15, deadline=None)
@given(training_data(), st.floats(0, 1), st.floats(0.01, 3))
def test_averages_and_recalibration_keep_the_promises(data, weight, slope):
    chosen, X, y, groups = data
    tables = [m.fit(X, y, groups).table_ for m in (TableRegression(chosen), BoostedBags(chosen, bags=1))]
    average = combine(tables, [weight, 1 - weight])
    assert violations(recalibrated(average, Recalibration(slope, 0.3, 0.1, 0.1, applied=True))) == []


@settings(max_examples=25, deadline=None)
@given(training_data())
def test_not_known_of_a_directed_yes_no_lies_between_its_levels(data):
    chosen, X, y, groups = data
    for model in (TableRegression(chosen), BoostedBags(chosen, bags=1)):
        for term in model.fit(X, y, groups).table_.terms:
            if term.spec.kind == "yes_no" and term.spec.sign and term.spec.reference is None:
                assert min(term.values) <= term.not_known <= max(term.values)
