"""The compiled kernel (`model/kernel.pyx`), where it was built and gives what the Python gives."""

from __future__ import annotations

from typing import TYPE_CHECKING

from model.additive import AdditiveModel
from model.case import Case
from model.dictionary import Value
from model.explanation import REFIT_QUANTILE, Explanation, check_sum, explain
from model.gaps import Gaps, find_gaps
from model.refits import UNIT

if TYPE_CHECKING:
    from model.kernel import Kernel

COMPILED, NOT_BUILT, NOT_FOR_THIS, DIFFERS = "compiled", "not built", "not for this model", "differs: build it anew"
"""What a worker says of the kernel when it starts."""


def kernel_of(model: AdditiveModel) -> tuple[Kernel | None, str]:
    """The kernel of a model, and what there is to say of it; None where the Python is to be used.

    A kernel that was built from another version of this code must not answer: each is tried with every value of every
    table before it is used, bit for bit.
    """
    try:
        from model.kernel import Kernel
    except ImportError:
        return None, NOT_BUILT
    try:
        kernel = Kernel(model, UNIT, REFIT_QUANTILE)
        same = all(look(kernel, model, case) == _by_python(model, case) for case in _tried(model))
    except ValueError:
        return None, NOT_FOR_THIS
    except Exception:  # whatever an older one stumbles over: it differs
        same = False
    return (kernel, COMPILED) if same else (None, DIFFERS)


def look(kernel: Kernel, model: AdditiveModel, case: Case) -> tuple[Explanation, Gaps]:
    """What `explain` and `find_gaps` give. Raises `ExplanationError` if the contributions do not sum to the score."""
    explained, unknown = kernel.look(case.values)
    slots, margin, score, interval, band, contributions, order = explained
    check_sum(model.base_value, contributions, margin, score)
    return Explanation(slots, margin, score, interval, band, model.base_value, contributions, order), Gaps(*unknown)


def _by_python(model: AdditiveModel, case: Case) -> tuple[Explanation, Gaps]:
    explanation = explain(model, case)
    return explanation, find_gaps(model, explanation)


def _tried(model: AdditiveModel) -> list[Case]:
    """Cases that together have every slot of every term, and nothing known, and everything."""
    values = {
        term.feature.name: [*(term.slots or ()), *_numbers(term.edges, term.feature.is_numeric)] for term in model.terms
    }
    longest = max(map(len, values.values()), default=0)
    return [Case({name: one[turn % len(one)] for name, one in values.items()}) for turn in range(longest)]


def _numbers(edges: tuple[float, ...], numeric: bool) -> list[Value]:
    return [*edges, edges[0] - 1, int(edges[-1]) + 1] if numeric and edges else []
