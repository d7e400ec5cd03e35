"""The new model beside the released one, on the new model's held-out cases, case by case.

Worked out while training, when the cases are at hand, and written beside model.json: model.json itself depends on the
data and the seed alone. The released model may have learned from these very cases, which flatters it. So where both
come from the same file, both are taken as released, fitted on all of it; else the new one is taken as judged, and the
limit leaves room.
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
from model.dictionary import Dictionary
from model.files import write_whole
from model.overrides import OVERRIDABLE
from training.release.gate import Gate
from training.release.released import active_version

AGAINST_FILE = "against.json"
RESAMPLES = 1000
PERCENTILES = (2.5, 97.5)
DIGITS = 8
ROOM = 0.02
"""Share of the released model's log loss by which the new one may be worse: our own choice, about what a table gains on
the cases that it was fitted on."""

Floats = NDArray[np.float64]


def same_questions(old: Dictionary, new: Dictionary) -> bool:
    """Whether two dictionaries ask the same of a case, so that each model can be put to the other's cases."""
    return _asked(old) == _asked(new)


def _asked(dictionary: Dictionary) -> list[object]:
    features = [(f.name, f.kind, f.levels, f.not_applicable) for f in dictionary.features]
    return [dictionary.outcome.column, dictionary.outcome.positive, *features]


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


def write_against(
    out: Path,
    models: Path,
    *,
    data: bytes,
    X: Floats,
    y: NDArray[np.int8],
    groups: NDArray[np.int64],
    margin: Floats,
    seed: int,
) -> Mapping[str, Any] | None:
    """Judges the active model in `models` on held-out cases beside `margin`, and writes what was found into `out`.

    `data` is the new model's file. None, and nothing written, where no model is active or the dictionaries differ.
    """
    version = active_version(models)
    if version is None:
        return None
    path = models / version / MODEL_FILE
    released = path.read_bytes()
    old = read_model(released, str(path))
    new = read_model(data)
    if not same_questions(old.dictionary, new.dictionary):
        return None
    same_data = _data(old) is not None and _data(old) == _data(new)
    before, after = margins(old, X), margins(new, X) if same_data else margin
    found = {
        "format": 1,
        "model_sha256": digest(data),
        "released_sha256": digest(released),
        "released_version": version,
        "cases": len(y),
        "same_data": same_data,
        "released_log_loss": round(float(losses(y, before).mean()), DIGITS),
        "log_loss_difference": log_loss_difference(after, before, y, groups, seed),
    }
    write_whole(out / AGAINST_FILE, (json.dumps(found, indent=1) + "\n").encode())
    return found


def against_gate(trained: Path, data: bytes, models: Path) -> Gate | None:
    """The gate *no worse than the released model*; None where no model is active. Raises `ArtefactError`."""
    version = active_version(models)
    if version is None:
        return None
    name, limit = (
        OVERRIDABLE["no_worse_than_released"],
        f"lower end of log loss difference <= {ROOM:.0%} of its log loss",
    )
    path = models / version / MODEL_FILE
    released = path.read_bytes() if path.exists() else b""
    new = read_model(data)
    if new.version == version:
        return Gate(name, "it is the active version", limit, True)
    if not released:
        return Gate(name, f"not measured: {version} cannot be read", limit, False)
    try:
        old = read_model(released, str(path))
    except ValueError:
        return Gate(name, f"not measured: {version} cannot be read", limit, False)
    if not same_questions(old.dictionary, new.dictionary):
        return Gate(name, "the released model has another dictionary", limit, True)
    if same_tables(old, new):
        return Gate(name, "the same tables", limit, True)
    found = _found(trained, data, released)
    if found is None:
        return Gate(name, f"not measured against {version}: train --against", limit, False)
    said = f"{found['value']:+.5f} ({found['low']:+.5f} to {found['high']:+.5f})"
    return Gate(name, said, limit, found["low"] <= ROOM * found["released"])


def _data(model: AdditiveModel) -> str | None:
    training: Mapping[str, Any] = model.facts.get("training", {})
    return training.get("data_sha256")


def _found(trained: Path, data: bytes, released: bytes) -> dict[str, float] | None:
    """The written figure, if it is of these two models and no others."""
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
