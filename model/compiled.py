"""The compiled kernel (`model/kernel.pyx`), where it was built and gives what the Python gives."""

from __future__ import annotations

import hashlib
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from model.additive import AdditiveModel
from model.case import Case
from model.dictionary import NOT_KNOWN, Value
from model.explanation import REFIT_QUANTILE, Explanation, ExplanationError, check_sum, explain
from model.gaps import Gaps, find_gaps
from model.refits import UNIT

if TYPE_CHECKING:
    from model.kernel import Kernel

COMPILED, NOT_BUILT, NOT_FOR_THIS, DIFFERS = "compiled", "not built", "not for this model", "differs: build it anew"
"""What a worker says of the kernel when it starts."""
_SOURCES = ("kernel.pyx", "additive.py", "compiled.py", "explanation.py", "gaps.py", "refits.py")
"""The kernel, and what says what it is to give."""


def sources_digest() -> str:
    """SHA-256, hexadecimal, of all that a kernel was built from or is held to: `model/build_kernel` puts it inside."""
    whole = hashlib.sha256()
    for name in _SOURCES:
        whole.update(hashlib.sha256((Path(__file__).parent / name).read_bytes()).digest())
    return whole.hexdigest()


def built() -> str:
    """`COMPILED` where the kernel that was built is of these sources; else what is the matter with it."""
    try:
        kernel = import_module("model.kernel")
    except ImportError:
        return NOT_BUILT
    except Exception:  # whatever the beginning of a module for another Python meets
        return DIFFERS
    return COMPILED if getattr(kernel, "SOURCES", None) == sources_digest() else DIFFERS


def kernel_of(model: AdditiveModel) -> tuple[Kernel | None, str]:
    """The kernel of a model, and what there is to say of it; None where the Python is to be used.

    One that was built from other sources must not answer. One of these is tried on the model before it is used: with
    every value of every table, with nothing known, and with each answer known alone.
    """
    state = built()
    if state != COMPILED:
        return None, state
    from model.kernel import Kernel

    try:
        kernel = Kernel(model, UNIT, REFIT_QUANTILE)
    except ValueError:
        return None, NOT_FOR_THIS
    same = all(_by_kernel(kernel, model, case) == _by_python(model, case) for case in _tried(model))
    return (kernel, COMPILED) if same else (None, DIFFERS)


def look(kernel: Kernel, model: AdditiveModel, case: Case) -> tuple[Explanation, Gaps]:
    """What `explain` and `find_gaps` give. Raises `ExplanationError` if the contributions do not sum to the score."""
    explained, unknown = kernel.look(dict(case.values))
    slots, margin, score, interval, band, contributions, order = explained
    check_sum(model.base_value, contributions, margin, score)
    return Explanation(slots, margin, score, interval, band, model.base_value, contributions, order), Gaps(*unknown)


def _by_kernel(kernel: Kernel, model: AdditiveModel, case: Case) -> tuple[Explanation, Gaps] | None:
    """None where there is no explanation."""
    try:
        return look(kernel, model, case)
    except ExplanationError:
        return None


def _by_python(model: AdditiveModel, case: Case) -> tuple[Explanation, Gaps] | None:
    """None where there is no explanation."""
    try:
        explanation = explain(model, case)
        return explanation, find_gaps(model, explanation)
    except ExplanationError:
        return None


def _tried(model: AdditiveModel) -> list[Case]:
    """Cases that together have every slot of every term, and many and few gaps."""
    values = {term.feature.name: [*term.slots, *_numbers(term.edges, term.feature.is_numeric)] for term in model.terms}
    nothing: dict[str, Value] = dict.fromkeys(values, NOT_KNOWN)
    turns = range(max(map(len, values.values()), default=0))
    whole = [Case({name: one[turn % len(one)] for name, one in values.items()}) for turn in turns]
    return [Case(nothing), *whole, *[Case({**nothing, name: one[0]}) for name, one in values.items()]]


def _numbers(edges: tuple[float, ...], numeric: bool) -> list[Value]:
    """A number of each bin."""
    if not numeric:
        return []
    return [*edges, edges[0] - 1, int(edges[-1]) + 1] if edges else [0]
