"""Conditions of the dictionary over many cases at once, in the same three-valued logic as `model.condition`.

Cases are encoded as the learners see them: level index or number, NaN not known, -inf not applicable.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from model.condition import NOT_KNOWN, Condition, Joined, Operand, read_condition
from model.dictionary import Dictionary

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

_COMPARE = {">=": np.greater_equal, "<=": np.less_equal, ">": np.greater, "<": np.less}


def read_operand(text: str) -> Operand:
    """Reads `feature = level` and the like. Raises `ConditionError`, and ValueError for conditions that are joined."""
    condition = read_condition(text)
    if isinstance(condition, Joined):
        raise ValueError(f"{text}: the plan uses single operands only")
    return condition


def holds(operand: Operand, X: Floats, dictionary: Dictionary) -> Flags:
    """True where the operand is decided and true, (rows,)."""
    names = [feature.name for feature in dictionary.features]
    column = X[:, names.index(operand.feature)]
    if operand.comparison == "is":
        return np.asarray(np.isnan(column) if operand.value == NOT_KNOWN else np.isneginf(column))
    if operand.comparison == "=":
        return np.asarray(column == dictionary.feature(operand.feature).levels.index(str(operand.value)))
    with np.errstate(invalid="ignore"):
        return np.asarray(np.isfinite(column) & _COMPARE[operand.comparison](column, float(operand.value)))


def answers_needed(condition: Condition, X: Floats, dictionary: Dictionary) -> Floats:
    """How many not-known answers could meet the condition: 0 where it is met, inf where none can, (rows,).

    Counts a feature once an operand, so a condition should ask each feature for one thing, as the grounds do.
    """
    if isinstance(condition, Joined):
        parts = [answers_needed(part, X, dictionary) for part in condition.parts]
        return np.asarray(np.minimum.reduce(parts) if condition.join == "any" else np.sum(parts, axis=0))
    met = holds(condition, X, dictionary)
    names = [feature.name for feature in dictionary.features]
    open_ = np.isnan(X[:, names.index(condition.feature)]) & (condition.comparison != "is")
    return np.where(met, 0.0, np.where(open_, 1.0, np.inf))
