"""What does a score with its exact explanation cost? Plain Python over a table, against the libraries' usual way.

The same cases go to everyone, one at a time, as they come in a service: we begin with the values of a case, the
libraries with its encoded row. Every round times everyone in turn; the median of rounds is shown.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from typing import Any

import joblib
import numpy as np
import shap
from numpy.typing import NDArray
from rich.console import Console

from benchmarks.figures import print_aim, print_note, ratio_table
from benchmarks.prepared import ESTIMATORS_FILE, Prepared
from model.additive import AdditiveModel, Term, probability
from model.case import Case
from model.dictionary import NOT_APPLICABLE, NOT_KNOWN, Feature, Value
from model.explanation import explain
from training.cases.cohort import COHORT_FILE, make_cohort, write_cohort
from training.cases.file import read_cases
from training.cases.specs import term_specs
from training.fit.boosted_bags import Bag
from training.fit.terms import Table, TermSpec
from training.judge.shap_check import tree_difference

FAMILIES = 5000
SEED = 7
CASES = 20
OURS_REPEATED = 25
"""Times that each round goes through the cases with us: ours take too little time to be read off a clock once."""
ROUNDS = 15
BACKGROUND = 100
AIM_TREES, AIM_EBM = 500, 150
"""Times faster than scikit-learn with shap's Tree explainer, and than EBM with its local explanation."""

Floats = NDArray[np.float64]
Call = Callable[[int], object]
"""Does the work for the case of that number."""


@dataclass(frozen=True, slots=True)
class Cases:
    """The cohort that is measured on: encoded rows and outcomes of all, and the cases that everyone is given."""

    X: Floats
    y: NDArray[np.int8]
    rows: Floats
    cases: list[Case]


def run(ready: Prepared, console: Console) -> None:
    """Times one bag, all bags and EBM, checks that the explanations are the same, and prints the table."""
    boosted = joblib.load(ready.trained / ESTIMATORS_FILE).learners_["boosted_bags"]
    bags: list[Bag] = boosted.bags_
    cases = measured_cases(ready.model)
    specs = term_specs(ready.model.dictionary)
    one, all_bags = _model_of(bags[0].table(), ready.model), _model_of(boosted.table_, ready.model)
    calls = {
        **_ours("one bag", one, cases),
        **_trees("one bag", bags[:1], cases),
        **_ours("all bags", all_bags, cases),
        **_trees("all bags", bags, cases),
        **_ebm(specs, cases),
    }
    took = _medians(calls)
    comparisons = [
        _Comparison(f"one bag of {_trees_in(bags[:1])} trees", "one bag", "one bag", AIM_TREES),
        _Comparison(f"{len(bags)} bags, {_trees_in(bags)} trees", "all bags", "all bags", AIM_TREES),
        _Comparison("EBM on the same rows", "all bags", "EBM", AIM_EBM),
    ]
    title = f"Microseconds for the score and the exact contributions of one case, {len(specs)} features"
    columns = ("", "Grounds", "times faster", "explain()", "times faster", "their score", "their explanation")
    console.print(ratio_table(title, columns, [c.row(took) for c in comparisons]))
    exact = f"{took['one bag: interventional']:,.0f}"
    print_note(console, f"The Tree explainer with {BACKGROUND} rows of background, exact against them: {exact} µs")
    print_note(console, "Grounds: slots, margin, score, contributions. explain(): these, checks, range and band.")
    for comparison in comparisons:
        for ours in ("score", "explain"):
            faster = comparison.faster(took, ours)
            name = "explain()" if ours == "explain" else "score and contributions"
            aim = f"{name} at least {comparison.aim} times faster: {comparison.name}"
            print_aim(console, aim, f"{faster:,.0f}", faster >= comparison.aim)
    margin, contribution = _differences(one, bags[0], cases)
    figure = f"{margin:.0e} in the margin, {contribution:.0e} in a contribution (shap computes in 32 bits here)"
    print_aim(console, "the same answers, in log-odds", figure, margin < 1e-9 and contribution < 1e-6)


@dataclass(frozen=True, slots=True)
class _Comparison:
    name: str
    ours: str
    theirs: str
    aim: int

    def faster(self, took: Mapping[str, float], ours: str) -> float:
        return self._theirs(took) / took[f"{self.ours}: {ours}"]

    def row(self, took: Mapping[str, float]) -> list[str]:
        cells = [self.name]
        for ours in ("score", "explain"):
            cells += [f"{took[f'{self.ours}: {ours}']:.1f}", f"{self.faster(took, ours):,.0f}"]
        return [*cells, *(f"{took[f'{self.theirs}: {part}']:,.0f}" for part in ("predict", "explanation"))]

    def _theirs(self, took: Mapping[str, float]) -> float:
        return took[f"{self.theirs}: predict"] + took[f"{self.theirs}: explanation"]


def measured_cases(model: AdditiveModel) -> Cases:
    """A small cohort, encoded, and the cases that everyone is given."""
    with tempfile.TemporaryDirectory() as folder:
        write_cohort(make_cohort(FAMILIES, SEED, model.dictionary), Path(folder))
        cohort = read_cases(Path(folder) / COHORT_FILE, model.dictionary)
    rows = cohort.X[np.random.default_rng(SEED).permutation(len(cohort.X))[:CASES]]
    return Cases(cohort.X, cohort.y, rows, [_case(model, row) for row in rows])


def _case(model: AdditiveModel, row: Floats) -> Case:
    values = {f.name: _value(f, float(code)) for f, code in zip(model.dictionary.features, row, strict=True)}
    return Case.of(model.dictionary, values)


def _value(feature: Feature, code: float) -> Value:
    if np.isnan(code):
        return NOT_KNOWN
    if np.isinf(code):
        return NOT_APPLICABLE
    if feature.levels:
        return feature.levels[int(code)]
    return int(code) if feature.kind == "count" else code


def _model_of(table: Table, like: AdditiveModel) -> AdditiveModel:
    """A table as a model that is served; it carries as many refits as the released model, for `explain` to read."""
    refits = max(len(row) for term in like.terms for row in term.deviations or ((),))
    terms = []
    for feature, fitted in zip(like.dictionary.features, table.terms, strict=True):
        slots = len(fitted.values) + 1 + feature.not_applicable
        terms.append(
            Term(
                feature=feature,
                edges=tuple(fitted.edges),
                values=fitted.values,
                not_known=fitted.not_known,
                not_applicable=fitted.not_applicable,
                mean=fitted.mean(),
                reference=fitted.reference_bin,
                deviations=((0.01,) * refits,) * slots,
            )
        )
    return replace(like, intercept=table.intercept, terms=tuple(terms))


def score_and_contributions(model: AdditiveModel, case: Case) -> tuple[float, list[float]]:
    """The score and each feature's contribution, and nothing that a service does besides."""
    slots = model.slots(case)
    contributions = [term.table[slot] - term.mean for term, slot in zip(model.terms, slots, strict=True)]
    return probability(model.margin(slots)), contributions


def _ours(name: str, model: AdditiveModel, cases: Cases) -> dict[str, Call]:
    return {
        f"{name}: score": lambda i: score_and_contributions(model, cases.cases[i]),
        f"{name}: explain": lambda i: explain(model, cases.cases[i]),
    }


def _trees(name: str, bags: Sequence[Bag], cases: Cases) -> dict[str, Call]:
    """scikit-learn and shap on rows that are encoded already; over several bags the mean, as fitted."""
    designs = [[bag.design(row[None, :]) for row in cases.rows] for bag in bags]
    explainers = [shap.TreeExplainer(bag.estimator) for bag in bags]

    def predict(i: int) -> object:
        if len(bags) == 1:
            return bags[0].estimator.predict_proba(designs[0][i])
        return np.mean([bag.estimator.predict_proba(d[i]) for bag, d in zip(bags, designs, strict=True)], axis=0)

    def explanation(i: int) -> object:
        return [e.shap_values(d[i], check_additivity=False) for e, d in zip(explainers, designs, strict=True)]

    calls: dict[str, Call] = {f"{name}: predict": predict, f"{name}: explanation": explanation}
    if len(bags) == 1:
        background = bags[0].design(cases.X[:BACKGROUND])
        exact = shap.TreeExplainer(bags[0].estimator, background, feature_perturbation="interventional")
        calls[f"{name}: interventional"] = lambda i: exact.shap_values(designs[0][i], check_additivity=False)
    return calls


def _ebm(specs: Sequence[TermSpec], cases: Cases) -> dict[str, Call]:
    from interpret.glassbox import ExplainableBoostingClassifier

    def coded(rows: Floats) -> Floats:
        return np.where(np.isneginf(rows), -1.0, rows)

    kinds = ["continuous" if spec.numeric else "nominal" for spec in specs]
    ebm: Any = ExplainableBoostingClassifier(interactions=0, feature_types=kinds, random_state=SEED, n_jobs=1)
    ebm.fit(coded(cases.X), cases.y)
    rows = [coded(row[None, :]) for row in cases.rows]
    return {
        "EBM: predict": lambda i: ebm.predict_proba(rows[i]),
        "EBM: explanation": lambda i: ebm.explain_local(rows[i]),
    }


def _medians(calls: Mapping[str, Call]) -> dict[str, float]:
    """Median over rounds of the microseconds that each call takes a case."""
    rounds: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(ROUNDS):
        for name, call in calls.items():
            repeated = OURS_REPEATED if name.endswith((": score", ": explain")) else 1
            began = time.perf_counter()
            for _ in range(repeated):
                for case in range(CASES):
                    call(case)
            rounds[name].append((time.perf_counter() - began) * 1e6 / (CASES * repeated))
    return {name: median(took) for name, took in rounds.items()}


def _trees_in(bags: Sequence[Bag]) -> int:
    return sum(len(bag.estimator._predictors) for bag in bags)


def _differences(model: AdditiveModel, bag: Bag, cases: Cases) -> tuple[float, float]:
    """Largest difference in log-odds between us and the estimator's margin, and shap on the same background."""
    theirs = bag.estimator.decision_function(bag.design(cases.rows))
    ours = [model.margin(model.slots(case)) for case in cases.cases]
    return float(np.abs(theirs - np.array(ours)).max()), tree_difference(bag, cases.rows, cases.X[:BACKGROUND])
