"""Which learner predicts best? Grouped repeats on the same splits: ours (promises on) and the usual opponents.

    python -m benchmarks.learners FILE.csv --outcome COL [--group COL] [--exclude COL ...] [--repeats 3]
    python -m benchmarks.learners encoded.npz ...        # X, y, kinds, levels, optionally groups
    python -m benchmarks.learners --synthetic 20000      # additive truth, informative gaps, many-levelled categories

`--ebm-python PATH` names an interpreter with `interpret-core`; EBM (no interactions) then runs there on the same
splits. Prints log loss, AUC and seconds a fit, and the mean over data sets.
"""

from __future__ import annotations

import argparse
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss, roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from training.fit.boosted_bags import BoostedBags
from training.fit.ensemble import AdditiveEnsemble
from training.fit.folds import held_out_families
from training.fit.table_regression import TableRegression
from training.fit.terms import TermSpec

TEST_SHARE = 0.3
EBM = """
import sys, time, numpy as np
from interpret.glassbox import ExplainableBoostingClassifier
d = np.load(sys.argv[1])
types = ["nominal" if k == "category" else "continuous" for k in d["kinds"]]
began = time.time()
m = ExplainableBoostingClassifier(feature_types=types, interactions=0, n_jobs=int(sys.argv[3]), random_state=0)
m.fit(d["X"], d["y"])
seconds = time.time() - began
np.savez(sys.argv[2], chance=m.predict_proba(d["Xt"])[:, 1], seconds=seconds)
"""


@dataclass(frozen=True)
class DataSet:
    name: str
    X: Any
    y: Any
    groups: Any
    specs: list[TermSpec]


def main() -> None:
    options = _options()
    results: dict[str, dict[str, list[tuple[float, float, float]]]] = {}
    for data in _data_sets(options):
        results[data.name] = scores = _scores(data, options)
        print(f"{data.name} ({len(data.y)} rows, {data.y.mean():.1%}):", flush=True)
        for learner, rows in scores.items():
            loss, auc, seconds = np.mean(rows, axis=0)
            print(f"  {learner:22s} log loss {loss:.5f}  AUC {auc:.4f}  {seconds:6.1f} s", flush=True)
    print(f"mean of {len(results)} data sets:")
    for learner in next(iter(results.values())):
        each = np.array([np.mean(scores[learner], axis=0) for scores in results.values()])
        loss, auc, seconds = each.mean(axis=0)
        print(f"  {learner:22s} log loss {loss:.5f}  AUC {auc:.4f}  {seconds:6.1f} s")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="*", type=Path)
    parser.add_argument("--synthetic", type=int, nargs="*", default=[])
    parser.add_argument("--outcome")
    parser.add_argument("--group")
    parser.add_argument("--exclude", nargs="*", default=[])
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--rows", type=int, default=10**9, help="at most this many rows a data set")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--only", nargs="*", help="names of the learners to run")
    parser.add_argument("--ebm-python", type=Path)
    return parser.parse_args()


def _data_sets(options: argparse.Namespace) -> Iterator[DataSet]:
    for path in options.files:
        data = _encoded(path) if path.suffix == ".npz" else _table(path, options)
        keep = np.random.default_rng(0).permutation(len(data.y))[: options.rows]
        yield DataSet(data.name, data.X[keep], data.y[keep], data.groups[keep], data.specs)
    for rows in options.synthetic:
        yield synthetic(rows)


def _encoded(path: Path) -> DataSet:
    stored = np.load(path)
    X, y = stored["X"], stored["y"]
    specs = [
        TermSpec(f"x{j}", str(kind), levels=int(levels))
        for j, (kind, levels) in enumerate(zip(stored["kinds"], stored["levels"], strict=True))
    ]
    return DataSet(path.stem, X, y, stored["groups"] if "groups" in stored else np.arange(len(y)), specs)


def _table(path: Path, options: argparse.Namespace) -> DataSet:
    frame = pd.read_csv(path, low_memory=False)
    groups = np.arange(len(frame)) if options.group is None else pd.factorize(frame[options.group])[0]
    left_out = {options.outcome, options.group, *options.exclude}
    columns, specs = [], []
    for name in [c for c in frame if c not in left_out]:
        column, spec = _column(name, frame[name])
        columns.append(column)
        specs.append(spec)
    return DataSet(path.stem, np.column_stack(columns), frame[options.outcome].to_numpy(int), groups, specs)


def _column(name: str, values: pd.Series) -> tuple[Any, TermSpec]:
    if pd.api.types.is_numeric_dtype(values):
        numbers = values.to_numpy(float)
        binary = set(np.unique(numbers[~np.isnan(numbers)])) <= {0.0, 1.0}
        return numbers, TermSpec(name, "yes_no", levels=2) if binary else TermSpec(name, "number")
    common = values.value_counts().index[:31]
    codes, levels = pd.factorize(values.where(values.isna() | values.isin(common), "other"), sort=True)
    return np.where(codes < 0, np.nan, codes), TermSpec(name, "category", levels=max(len(levels), 1))


def synthetic(rows: int, seed: int = 0) -> DataSet:
    """Additive truth: 20 yes/no, 10 counts and numbers, 10 categories; what is missing is itself informative."""
    draw = np.random.default_rng(seed)
    margin, columns, specs = np.zeros(rows), [], []
    for j in range(40):
        if j < 20:
            column = (draw.random(rows) < draw.uniform(0.03, 0.4)).astype(float)
            effect, spec = draw.choice([0.0, 0.3, 0.6, 1.0]) * column, TermSpec(f"yes_no_{j}", "yes_no", levels=2)
        elif j < 30:
            column = np.round(draw.gamma(2.0, 4.0, rows))
            effect, spec = draw.choice([0.0, 0.4]) * np.sqrt(column), TermSpec(f"count_{j}", "count")
        else:
            levels = int(draw.integers(4, 32))
            column = np.floor(levels * draw.random(rows) ** 2)
            effect, spec = (
                draw.normal(0, 0.3, levels)[column.astype(int)],
                TermSpec(f"c_{j}", "category", levels=levels),
            )
        missing = draw.random(rows) < draw.choice([0.02, 0.2, 0.5])
        margin += np.where(missing, effect.mean() + draw.choice([0.0, 0.2]), effect)
        columns.append(np.where(missing, np.nan, column))
        specs.append(spec)
    margin += -2.5 - margin.mean()
    y = (draw.random(rows) < 1 / (1 + np.exp(-margin))).astype(int)
    return DataSet(f"synthetic-{rows}", np.column_stack(columns), y, np.arange(rows) // 2, specs)


def _scores(data: DataSet, options: argparse.Namespace) -> dict[str, list[tuple[float, float, float]]]:
    scores: dict[str, list[tuple[float, float, float]]] = {}
    for repeat in range(options.repeats):
        test = held_out_families(data.y.astype(float), data.groups, TEST_SHARE, seed=1000 + repeat)
        for name, fit in _learners(data, options).items():
            if options.only and name not in options.only:
                continue
            began = time.perf_counter()
            chance, seconds = fit(data, test)
            seconds = seconds or time.perf_counter() - began
            row = (log_loss(data.y[test], chance), roc_auc_score(data.y[test], chance), seconds)
            scores.setdefault(name, []).append(row)
    return scores


Fit = Callable[[DataSet, Any], tuple[Any, float]]


def _learners(data: DataSet, options: argparse.Namespace) -> dict[str, Fit]:
    def ours(model: Any) -> Fit:
        def fit(data: DataSet, test: Any) -> tuple[Any, float]:
            model.fit(data.X[~test], data.y[~test], data.groups[~test])
            return model.predict_proba(data.X[test])[:, 1], 0.0

        return fit

    def theirs(model: Any) -> Fit:
        return lambda data, test: (
            model.fit(data.X[~test], data.y[~test]).predict_proba(data.X[test])[:, 1],
            0.0,
        )

    learners = {
        "ensemble": ours(AdditiveEnsemble(data.specs, n_jobs=options.jobs)),
        "table regression": ours(TableRegression(data.specs)),
        "boosted bags": ours(BoostedBags(data.specs, n_jobs=options.jobs)),
        "logistic regression": theirs(_logistic(data.specs)),
        "HistGB, unconstrained": theirs(HistGradientBoostingClassifier(random_state=0)),
    }
    if options.ebm_python:
        learners["EBM, no interactions"] = lambda data, test: _ebm(data, test, options)
    return learners


def _logistic(specs: list[TermSpec]) -> Any:
    categories = [j for j, spec in enumerate(specs) if spec.kind == "category"]
    numbers = [j for j, spec in enumerate(specs) if spec.kind != "category"]
    scaled = make_pipeline(SimpleImputer(strategy="median", add_indicator=True), StandardScaler())
    prepared = ColumnTransformer(
        [("numbers", scaled, numbers), ("levels", OneHotEncoder(handle_unknown="ignore"), categories)]
    )
    return make_pipeline(prepared, LogisticRegression(max_iter=2000))


def _ebm(data: DataSet, test: Any, options: argparse.Namespace) -> tuple[Any, float]:
    with tempfile.TemporaryDirectory() as folder:
        given, found = Path(folder, "given.npz"), Path(folder, "found.npz")
        kinds = np.array([spec.kind for spec in data.specs])
        np.savez(given, X=data.X[~test], y=data.y[~test], Xt=data.X[test], kinds=kinds)
        subprocess.run([options.ebm_python, "-c", EBM, given, found, str(options.jobs)], check=True)
        answer = np.load(found)
        return answer["chance"], float(answer["seconds"])


if __name__ == "__main__":
    main()
