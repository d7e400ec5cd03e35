"""`make train` as a story: read, split, fit, judge, refit on all, check."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model.additive import AdditiveModel
from model.artefact import read_model
from model.dictionary import Dictionary
from model.pairs.table import MOST_PAIRS
from training.artefact import model_bytes
from training.cases.file import CaseFile
from training.cases.small_cells import released_cases
from training.cases.specs import term_specs
from training.cases.split import held_out
from training.fit.calibrate import Recalibration, recalibration
from training.fit.compile import compile_table, largest_difference
from training.fit.ensemble import AdditiveEnsemble
from training.fit.refits import Refits, refit_by_family
from training.fit.terms import Table
from training.judge.evaluate import Operating, operating_point, samples_of
from training.judge.held import Held
from training.judge.newest import newest_period, span
from training.judge.opponents import opponents
from training.judge.paired import differences
from training.judge.quality import judge_quality
from training.judge.resample import Draws, Measured, summary
from training.judge.shap_check import ShapCheck, check_against_shap
from training.policy import POLICY

BANDS = 20
OURS = "grounds"

Floats = NDArray[np.float64]
Progress = Callable[[str, float], None]


@dataclass(frozen=True, slots=True)
class Trained:
    """What a training run made: the artefact's bytes, the estimators behind it, and what was measured.

    `held_out` are the rows that the judged table never saw, `held_out_margin` its log-odds for them, both (rows,).
    """

    data: bytes
    estimators: AdditiveEnsemble
    measured: dict[str, dict[str, Measured]]
    shap: ShapCheck
    compile_difference: float
    facts: dict[str, Any]
    held_out: NDArray[np.intp]
    held_out_margin: Floats


def train(
    cases: CaseFile,
    dictionary: Dictionary,
    *,
    data_sha256: str,
    synthetic: bool,
    seed: int,
    with_ebm: bool = False,
    most_pairs: int = MOST_PAIRS,
    jobs: int = 2,
    progress: Progress = lambda stage, done: None,
) -> Trained:
    """Fits, judges and compiles a model. The same arguments give byte-identical `data`, whatever `jobs`.

    The figures come from families that the judged model never saw; the released table is then fitted on all rows with
    the settings chosen without them.
    """
    cases, lineage = released_cases(cases, dictionary)
    specs = term_specs(dictionary)
    fit, test = held_out(cases.y, cases.groups, seed)
    progress("judged model: out of fold", 0.0)
    judged = AdditiveEnsemble(specs, seed=seed, n_jobs=jobs, most_pairs=most_pairs)
    judged.fit(cases.X[fit], cases.y[fit], cases.groups[fit], _part(progress, "judged model: "))
    calibration = recalibration(judged.oof_margin_, cases.y[fit].astype(float), cases.groups[fit])
    judged_table = compile_table(judged, calibration)
    margin = judged_table.margin(cases.X[test])
    draws = Draws.of(cases.groups[test], seed)
    measured, beside = _measure(cases, specs, fit, test, margin, draws, seed=seed, with_ebm=with_ebm, progress=progress)
    operating = operating_point(cases.y[test], margin, dictionary.policy.capacity)
    bands = [float(cut) for cut in np.quantile(margin, np.arange(1, BANDS) / BANDS)]
    progress("newest part held out", 0.0)
    newest = newest_period(cases, specs, seed, jobs)
    progress("prompts, robustness and fairness", 0.0)
    held = Held(
        dictionary=dictionary,
        table=judged_table,
        X=cases.X[test],
        y=cases.y[test],
        groups=cases.groups[test],
        margin=margin,
        threshold=operating.threshold,
        monitored=cases.monitored.iloc[test],
        draws=draws,
        seed=seed,
    )
    as_served = judged_model(dictionary, judged_table, operating, bands, synthetic)
    evaluation, fairness, at_threshold = judge_quality(as_served, held)

    progress("released model: boosted bags", 0.0)
    final = AdditiveEnsemble(specs, seed=seed, n_jobs=jobs, weights=judged.weights_, pairs=judged.pairs_)
    final.fit(cases.X, cases.y, cases.groups, _part(progress, "released model: "))
    table = compile_table(final, calibration)
    compile_difference = largest_difference(table, final, cases.X[test], calibration)
    progress("contributions against the shap library", 0.0)
    decision = partial(estimators_margin, final, calibration)
    shap_check = check_against_shap(final, table, decision, cases.X[test], cases.X[fit], seed, jobs)
    regression = final.learners_["table_regression"]
    progress("refits", 0.0)
    refits = refit_by_family(
        regression,
        cases.X,
        cases.y,
        cases.groups,
        seed=seed,
        n_jobs=jobs,
        progress=progress,
        pairs=final.grids_,
    )

    facts = {
        "training": {
            "data_sha256": data_sha256,
            "rows": len(cases.y),
            "grouped": dictionary.group is not None,
            "families": int(cases.groups.max()) + 1,
            "events": int(cases.y.sum()),
            "seed": seed,
            **lineage,
            "dates": span(cases.time, POLICY.disclosure_threshold),
            "learners": final.weights_,
            "calibration": {key: _finite(value) for key, value in asdict(calibration).items()},
            "compile_difference": compile_difference,
            "shap": shap_check.facts(),
        },
        "evaluation": {
            "held_out_rows": len(test),
            "held_out_families": len(np.unique(cases.groups[test])),
            **_plain(measured),
            "difference": _plain(beside),
            **evaluation,
            "newest_period": newest,
        },
        "fairness": fairness,
        "anonymity": dict(cases.anonymity),
    }
    data = model_bytes(
        dictionary=dictionary,
        table=table,
        deviations=_deviations(refits),
        threshold=_threshold(dictionary, operating) | at_threshold,
        bands=bands,
        synthetic=synthetic,
        facts=facts,
        pair_deviations=[cells.transpose(1, 2, 0) for cells in refits.pairs],
    )
    read_model(data)  # what cannot be served must not be written
    return Trained(data, final, measured, shap_check, compile_difference, facts, test, margin)


def file_digest(path: Path) -> str:
    """SHA-256 of a data file, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def estimators_margin(ensemble: AdditiveEnsemble, calibration: Recalibration, X: Floats) -> Floats:
    """Log-odds by the fitted scikit-learn estimators themselves, without any table of ours, (rows,)."""
    margin = ensemble.estimator_margin(X)
    return margin * calibration.slope + calibration.intercept if calibration.applied else margin


def _deviations(refits: Refits) -> list[Floats]:
    """Deviations by feature, (slots, refits); the intercept's ride on the first feature, so that sums are whole."""
    by_feature = [term.T.copy() for term in refits.terms]
    by_feature[0] += refits.intercept
    return by_feature


def _finite(value: float | bool) -> float | bool | None:
    return value if np.isfinite(value) else None


def _threshold(dictionary: Dictionary, operating: Operating) -> dict[str, float]:
    return {"margin": operating.threshold, "capacity": dictionary.policy.capacity}


def judged_model(
    dictionary: Dictionary, table: Table, operating: Operating, bands: list[float], synthetic: bool
) -> AdditiveModel:
    """The judged table as the service would read it, so that its prompts are those of the real rules."""
    data = model_bytes(
        dictionary=dictionary,
        table=table,
        deviations=[np.zeros((len(term.by_code()), 0)) for term in table.terms],
        threshold=_threshold(dictionary, operating),
        bands=bands,
        synthetic=synthetic,
        facts={},
    )
    return read_model(data, "judged model")


def _measure(
    cases: CaseFile,
    specs: Any,
    fit: NDArray[np.intp],
    test: NDArray[np.intp],
    margin: Floats,
    draws: Draws,
    *,
    seed: int,
    with_ebm: bool,
    progress: Progress,
) -> tuple[dict[str, dict[str, Measured]], dict[str, dict[str, Measured]]]:
    margins = {OURS: margin}
    for name, opponent in opponents(specs, seed, with_ebm).items():
        progress(f"for comparison: {name}", 0.0)
        margins[name] = opponent(cases.X[fit], cases.y[fit], cases.X[test])
    progress("intervals by resampling families", 0.0)
    samples = {name: samples_of(cases.y[test], margins[name], draws) for name in margins}
    measured = {name: {key: summary(found) for key, found in of.items()} for name, of in samples.items()}
    return measured, differences(samples, OURS)


def _plain(figures: dict[str, dict[str, Measured]]) -> dict[str, dict[str, dict[str, float | None]]]:
    return {name: {key: value.plain() for key, value in of.items()} for name, of in figures.items()}


def _part(progress: Progress, prefix: str) -> Progress:
    return lambda stage, done: progress(prefix + stage, done)
