"""The new model beside the released one, on the new model's held-out cases, case by case.

Worked out while training, when the cases are at hand, and written beside model.json: model.json itself depends on the
data and the seed alone. The released model may have learned from these very cases, which flatters it. So where both
come from the same file, both are taken as released, fitted on all of it; else the new one is taken as judged, and the
limit leaves room. Where the dictionaries differ, the released model is given what it would have asked: what the new
cases do not say is not known to it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model.additive import AdditiveModel
from model.artefact import MODEL_FILE, digest, read_model
from model.columns.vectorised import VectorisedModel, slots_of
from training.compare.asked import as_asked_by, same_outcome, shared_features
from training.release.released import active_folder, active_version

AGAINST_FILE = "against.json"
RESAMPLES = 1000
PERCENTILES = (2.5, 97.5)
DIGITS = 8

Floats = NDArray[np.float64]


def same_tables(old: AdditiveModel, new: AdditiveModel) -> bool:
    """Whether two models give every case the same score."""
    return _tables(old) == _tables(new)


def _tables(model: AdditiveModel) -> list[object]:
    terms = [(term.feature.name, term.edges, term.table) for term in model.terms]
    pairs = sorted((pair.first, pair.second, pair.groups, pair.values) for pair in model.pairs)
    return [model.intercept, terms, pairs]


def losses(y: NDArray[np.int8], margin: Floats) -> Floats:
    """Log loss of each case in nats, (rows,), of log-odds `margin` against outcomes 0 or 1."""
    return np.logaddexp(0, np.where(y == 1, -margin, margin))


def log_loss_difference(
    new: Floats, old: Floats, y: NDArray[np.int8], groups: NDArray[np.int64], seed: int
) -> dict[str, float]:
    """Mean log loss of `new` less that of `old` (log-odds, (rows,)), with an interval by resampling families."""
    _, family = np.unique(groups, return_inverse=True)
    gained = np.bincount(family, losses(y, new) - losses(y, old))
    cases = np.bincount(family).astype(np.float64)
    rng = np.random.default_rng(seed)
    drawn = np.empty(RESAMPLES)
    for number in range(RESAMPLES):
        chosen = rng.integers(0, len(cases), len(cases))
        drawn[number] = gained[chosen].sum() / cases[chosen].sum()
    low, high = np.percentile(drawn, PERCENTILES)
    value = gained.sum() / cases.sum()
    return {"value": round(float(value), DIGITS), "low": round(float(low), DIGITS), "high": round(float(high), DIGITS)}


def margins(model: AdditiveModel, X: Floats) -> Floats:
    """Log-odds of encoded cases (rows, features), whose columns are the model's features in its order."""
    slots = np.column_stack([slots_of(term, X[:, j]) for j, term in enumerate(model.terms)])
    return VectorisedModel.of(model).margin(slots)


def against_facts(
    models: Path,
    *,
    data: bytes,
    X: Floats,
    y: NDArray[np.int8],
    groups: NDArray[np.int64],
    margin: Floats,
    seed: int,
) -> Mapping[str, Any] | None:
    """Judges the active model in `models` on held-out cases beside `margin`.

    `data` is the new model's file and `X` encoded by its dictionary. None where no model is active, or where the two
    cannot be compared: another outcome, or no feature that both ask.
    """
    version, folder = active_version(models), active_folder(models)
    if version is None or folder is None:
        return None
    path = folder / MODEL_FILE
    released = path.read_bytes()
    old, new = read_model(released, str(path)), read_model(data)
    if not comparable(old, new):
        return None
    same_data = _data(old) is not None and _data(old) == _data(new)
    before = margins(old, as_asked_by(old.dictionary, new.dictionary, X))
    after = margins(new, X) if same_data else margin
    return {
        "format": 1,
        "model_sha256": digest(data),
        "released_sha256": digest(released),
        "released_version": version,
        "cases": len(y),
        "same_data": same_data,
        "released_log_loss": round(float(losses(y, before).mean()), DIGITS),
        "log_loss_difference": log_loss_difference(after, before, y, groups, seed),
    }


def against_file(found: Mapping[str, Any]) -> bytes:
    """The bytes of `AGAINST_FILE`."""
    return (json.dumps(found, indent=1) + "\n").encode()


def comparable(old: AdditiveModel, new: AdditiveModel) -> bool:
    """Whether both can be judged on the new model's cases: the outcome is the same and they share a feature."""
    return same_outcome(old.dictionary, new.dictionary) and bool(shared_features(old.dictionary, new.dictionary))


def read_against(trained: Path, data: bytes, released: bytes) -> dict[str, float] | None:
    """The written figure, if it is of these two models and no others: value, low, high, the released model's loss."""
    path = trained / AGAINST_FILE
    if not path.exists():
        return None
    try:
        said = json.loads(path.read_bytes())
        of = said["model_sha256"], said["released_sha256"]
        figure = {key: float(said["log_loss_difference"][key]) for key in ("value", "low", "high")}
        figure["released"] = float(said["released_log_loss"])
    except (ValueError, KeyError, TypeError):
        return None
    return figure if of == (digest(data), digest(released)) else None


def _data(model: AdditiveModel) -> str | None:
    training: Mapping[str, Any] = model.facts.get("training", {})
    return training.get("data_sha256")
