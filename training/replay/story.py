"""Judges logged explanations a second time: with the `shap` library on the archived estimators.

Two judgements of each screening, by parts that share nothing:

- our own table, out of the archived `model.json`: score, base value and every contribution must be the logged number
  exactly;
- `shap` on the fitted scikit-learn estimators, which knows no table: every contribution, and the log-odds of the score,
  within `TOLERANCE`. The logged contribution is against all training rows and the judge's against `BACKGROUND` rows, so
  the judge's is moved to the logged one's centre by what the table itself gives against both.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from model.additive import AdditiveModel
from model.artefact import MODEL_FILE, ArtefactError, digest, read_model
from model.case import Case
from model.columns.vectorised import Slots, VectorisedModel, slots_of
from model.dictionary import DictionaryError
from model.explanation import ExplanationError, explain
from model.wording import WordsError
from training.cases.file import code_of
from training.cases.logged import LoggedScreening, NotReplayed
from training.fit.calibrate import Recalibration
from training.fit.terms import Floats
from training.judge.background import resampled_background
from training.judge.shap_check import BACKGROUND, permutation_values
from training.pipeline import estimators_margin
from training.release.archive import ArchiveError, load_estimators
from training.release.story import PUBLIC_KEY

TOLERANCE = 1e-6
"""Log-odds. What is logged is rounded nowhere, and the sums of the judge differ from ours by 1e-12 at most."""
AT_ONCE = 64
SEED = 0
_CALIBRATION = ("slope", "intercept", "slope_error", "intercept_error")


@dataclass(slots=True)
class Tally:
    """Counts of screenings, and the largest difference in log-odds that `shap` gave."""

    agreed: int = 0
    differed: int = 0
    erased: int = 0
    not_replayed: int = 0
    largest: float = 0.0

    @property
    def seen(self) -> int:
        """All screenings that were looked at."""
        return self.agreed + self.differed + self.erased + self.not_replayed

    def __str__(self) -> str:
        return (
            f"{self.seen} screenings: {self.agreed} agree (our table exactly, shap within {TOLERANCE:g} log-odds; "
            f"largest {self.largest:.1e}); {self.differed} differ; {self.erased} erased, so not replayed; "
            f"{self.not_replayed} could not be replayed"
        )


class ModelJudge:
    """One archived model with its estimators, which judge its explanations."""

    def __init__(self, model: AdditiveModel, ensemble: Any) -> None:
        """`ensemble` is the fitted `AdditiveEnsemble`. Raises `ArchiveError` where it has other features."""
        if [term.name for term in ensemble.table_.terms] != [term.feature.name for term in model.terms]:
            raise ArchiveError("the archived estimators have other features than the model; release it again")
        self.model = model
        self._decision = partial(estimators_margin, ensemble, _calibration(model))
        self._behind = resampled_background(ensemble.table_, BACKGROUND, SEED)
        self._fast = VectorisedModel.of(model)
        self._slots_behind = self._slots(self._behind)

    def _slots(self, X: Floats) -> Slots:
        return np.column_stack([slots_of(term, X[:, j]) for j, term in enumerate(self.model.terms)])

    def by_shap(self, cases: Sequence[Case]) -> tuple[Floats, Floats]:
        """Contributions on the logged ones' centre (cases, features), and margins (cases,); both in log-odds."""
        features = self.model.dictionary.features
        X = np.array([[code_of(feature, case.values[feature.name]) for feature in features] for case in cases])
        slots = self._slots(X)
        shift = self._fast.contributions(slots) - self._fast.contributions(slots, self._slots_behind)
        return permutation_values(self._decision, X, self._behind) + shift, self._decision(X)


class Archive:
    """Released models and their estimators, by the digest of the model."""

    def __init__(self, models: Path, estimators: Path, keys: Path) -> None:
        """Raises `ArchiveError` where there is no folder of models."""
        if not models.is_dir():
            raise ArchiveError(f"{models}: no such folder; give the archive of released models with --models")
        self._folders = {digest(path.read_bytes()): path.parent for path in sorted(models.glob(f"[!.]*/{MODEL_FILE}"))}
        self._estimators, self._public_key = estimators, keys / PUBLIC_KEY
        self._judges: dict[str, ModelJudge | str] = {}

    def judge(self, model_sha256: str) -> ModelJudge | str:
        """What judges the entries of that model, or the reason why nothing can."""
        if model_sha256 not in self._judges:
            self._judges[model_sha256] = self._found(model_sha256)
        return self._judges[model_sha256]

    def _found(self, model_sha256: str) -> ModelJudge | str:
        folder = self._folders.get(model_sha256)
        if folder is None:
            return "its model is not in the archive"
        try:
            model = read_model((folder / MODEL_FILE).read_bytes(), str(folder / MODEL_FILE))
            ensemble = load_estimators(self._estimators / folder.name, model_sha256, self._public_key)
            return ModelJudge(model, ensemble)
        except (ArchiveError, ArtefactError, DictionaryError, WordsError) as error:
            return "; ".join(str(error).splitlines())


def replay(screenings: Iterable[LoggedScreening | NotReplayed], archive: Archive, tally: Tally) -> Iterator[str]:
    """Judges each screening; yields a line for each difference and counts in `tally`. Holds `AT_ONCE` cases a model."""
    waiting: dict[str, list[LoggedScreening]] = {}
    for screening in screenings:
        if isinstance(screening, NotReplayed):
            tally.erased += not screening.reason
            if screening.reason:
                yield _not_replayed(screening, screening.reason, tally)
            continue
        judge = archive.judge(screening.model_sha256)
        if isinstance(judge, str):
            yield _not_replayed(screening, judge, tally)
            continue
        batch = waiting.setdefault(screening.model_sha256, [])
        batch.append(screening)
        if len(batch) == AT_ONCE:
            yield from _judged(judge, waiting.pop(screening.model_sha256), tally)
    for model_sha256, batch in waiting.items():
        judge = archive.judge(model_sha256)
        assert isinstance(judge, ModelJudge)
        yield from _judged(judge, batch, tally)


def _judged(judge: ModelJudge, batch: Sequence[LoggedScreening], tally: Tally) -> Iterator[str]:
    readable: list[LoggedScreening] = []
    cases: list[Case] = []
    by_table: list[list[str]] = []
    for screening in batch:
        try:
            case = screening.case(judge.model)
            by_table.append(_against_table(judge.model, case, screening))
        except (KeyError, TypeError, ValueError, ExplanationError):
            yield _not_replayed(screening, "its logged input is not one that its model can read", tally)
            continue
        readable.append(screening)
        cases.append(case)
    if not readable:
        return
    contributions, margins = judge.by_shap(cases)
    for row, screening in enumerate(readable):
        found = by_table[row] + _against_shap(judge.model, contributions[row], float(margins[row]), screening, tally)
        tally.differed += bool(found)
        tally.agreed += not found
        yield from (f"{_where(screening)}: {line}" for line in found)


def _against_table(model: AdditiveModel, case: Case, screening: LoggedScreening) -> list[str]:
    explanation = explain(model, case)
    names = [term.feature.name for term in model.terms]
    ours = {"score": explanation.score, "base_value": explanation.base_value}
    ours |= {_named(name): value for name, value in zip(names, explanation.contributions, strict=True)}
    logged = {"score": screening.score, "base_value": screening.base_value}
    logged |= {_named(name): value for name, value in screening.contributions.items()}
    return [
        f"{what}: logged {logged.get(what, '(absent)')!s}, by the table {ours.get(what, '(absent)')!s}"
        for what in dict.fromkeys((*ours, *logged))
        if logged.get(what) != ours.get(what)
    ]


def _against_shap(
    model: AdditiveModel, contributions: Floats, margin: float, screening: LoggedScreening, tally: Tally
) -> list[str]:
    names = (term.feature.name for term in model.terms)
    pairs = [
        (_named(name), screening.contributions[name], float(judged))
        for name, judged in zip(names, contributions, strict=True)
        if name in screening.contributions
    ]
    if 0.0 < screening.score < 1.0:
        pairs.append(("log-odds of score", math.log(screening.score / (1.0 - screening.score)), margin))
    found = []
    for what, logged, judged in pairs:
        difference = abs(logged - judged)
        tally.largest = max(tally.largest, difference)
        if not difference <= TOLERANCE:
            found.append(f"{what}: logged {logged!r}, by shap {judged!r} (differs by {difference:.1e})")
    return found


def _calibration(model: AdditiveModel) -> Recalibration:
    try:
        stated = model.facts["training"]["calibration"]
        numbers = {key: math.nan if stated[key] is None else float(stated[key]) for key in _CALIBRATION}
        return Recalibration(**numbers, applied=stated["applied"] is True)
    except (KeyError, TypeError, ValueError):
        raise ArchiveError("the model does not say how it was recalibrated; train and release it again") from None


def _not_replayed(screening: LoggedScreening | NotReplayed, why: str, tally: Tally) -> str:
    tally.not_replayed += 1
    return f"{_where(screening)}: {why}"


def _where(screening: LoggedScreening | NotReplayed) -> str:
    return f"entry {screening.index} ({screening.entry_id})"


def _named(feature: str) -> str:
    return f"contributions[{feature}]"
