"""What every learner shares: a scikit-learn binary classifier whose fitted state is one `Table`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.multiclass import check_classification_targets, type_of_target
from sklearn.utils.validation import check_is_fitted, validate_data

from training.fit.terms import Floats, Table, TermSpec

Progress = Callable[[str, float], None]  # stage, fraction done from 0 to 1


class AdditiveClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn ships no types
    """Base of the learners. A subclass implements `_fit` and leaves `table_`.

    `specs=None` treats every column as a free number without a not-applicable level.
    """

    specs: Sequence[TermSpec] | None
    classes_: NDArray[Any]
    table_: Table

    def fit(
        self, X: ArrayLike, y: ArrayLike, groups: ArrayLike | None = None, progress: Progress | None = None
    ) -> Self:
        """Fits on encoded rows X (rows, features), two-class y (rows,) and families `groups` (rows,).

        Rows of one group are never split between folds or bags; None makes each row its own group.
        Raises ValueError for values off the declared levels, fewer or more than two classes, or bad shapes.
        """
        rows: Floats
        rows, labels = validate_data(self, X, y, dtype=np.float64, ensure_all_finite=False)
        check_classification_targets(labels)
        kind = type_of_target(labels, input_name="y")
        if kind != "binary":
            raise ValueError(f"Only binary classification is supported. The type of the target is {kind}.")
        self.classes_, outcome = np.unique(labels, return_inverse=True)
        if len(self.classes_) < 2:
            raise ValueError("the outcome has one class only; two are needed")
        specs = self._specs(rows.shape[1])
        self._fit(specs, rows, outcome.astype(np.float64), family_numbers(groups, len(rows)), progress or _silent)
        return self

    def _fit(
        self, specs: Sequence[TermSpec], X: Floats, y: Floats, groups: NDArray[np.intp], progress: Progress
    ) -> None:
        raise NotImplementedError

    def decision_function(self, X: ArrayLike) -> Floats:
        """Log-odds of the second class, shape (rows,)."""
        rows = self._rows(X)
        return self.table_.margin(rows)

    def predict_proba(self, X: ArrayLike) -> Floats:
        """Probabilities of both classes, shape (rows, 2)."""
        chance = expit(self.decision_function(X))
        return np.column_stack([1.0 - chance, chance])

    def predict(self, X: ArrayLike) -> NDArray[Any]:
        """The likelier class; for scikit-learn's sake, not a decision about anybody."""
        likelier = (self.decision_function(X) > 0).astype(int)
        return np.asarray(self.classes_[likelier])

    def _rows(self, X: ArrayLike) -> Floats:
        check_is_fitted(self)
        return np.asarray(validate_data(self, X, dtype=np.float64, ensure_all_finite=False, reset=False))

    def _specs(self, features: int) -> tuple[TermSpec, ...]:
        if self.specs is None:
            return tuple(TermSpec(f"x{j}", "number") for j in range(features))
        if len(self.specs) != features:
            raise ValueError(f"X has {features} features, but {len(self.specs)} specs were given")
        return tuple(self.specs)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.classifier_tags.multi_class = False
        return tags


def family_numbers(groups: ArrayLike | None, rows: int) -> NDArray[np.intp]:
    """Groups as numbers from 0, shape (rows,). Raises ValueError when the length differs from `rows`."""
    if groups is None:
        return np.arange(rows)
    labels = np.asarray(groups)
    if labels.shape != (rows,):
        raise ValueError(f"groups has shape {labels.shape}; expected ({rows},)")
    return np.unique(labels, return_inverse=True)[1].astype(np.intp)


def _silent(stage: str, fraction: float) -> None:
    """Progress that nobody watches."""
