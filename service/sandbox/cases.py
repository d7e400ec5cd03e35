"""Canned cases: one made-up case for each prompt, found in the dictionary of the model in use.

They are found and not written by hand, so that there are cases for every dictionary, and each shows what it says.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from model.additive import AdditiveModel, Term
from model.case import bounds
from model.condition import Condition, Operand
from model.dictionary import NOT_KNOWN, Ground, Value
from model.prompt import CONSIDER_REFERRAL, NO_PROMPT, SEEK_INFORMATION
from service.model_files import ReleasedModel
from service.screening.answer import AnswerWriter
from service.screening.story import compose

CALL = "consider_referral_call"
EXPECTED = (CONSIDER_REFERRAL, CALL, SEEK_INFORMATION, NO_PROMPT)
"""What a canned case may be expected to show: a prompt's level, and the referral that asks for a phone call."""
PREFIX = "sandbox-"
"""How every case reference of the sandbox begins."""
NOBODY = "00000000-0000-7000-8000-000000000000"
"""The id of a screening that is composed to be looked at here, and never shown."""


@dataclass(frozen=True, slots=True)
class CannedCase:
    """A request, what it is expected to show, and the answer that it was found by."""

    expected: str
    request: Mapping[str, Any]
    answer: bytes


def canned_cases(released: ReleasedModel, writer: AnswerWriter) -> tuple[CannedCase, ...]:
    """One case for each of `EXPECTED` that this model can show, in that order."""
    model, found = released.model, dict[str, CannedCase]()
    agencies = [agency.id for agency in model.dictionary.agencies]
    for features in _candidates(model):
        request = {"agency": agencies[0] if agencies else "", "features": features}
        answer = compose({**request, "case_ref": f"{PREFIX}0"}, released, writer, NOBODY)
        expected = expected_of(orjson.loads(answer))
        if expected in found:
            continue
        request["case_ref"] = f"{PREFIX}{EXPECTED.index(expected) + 1}"
        found[expected] = CannedCase(expected, request, compose(request, released, writer, NOBODY))
        if len(found) == len(EXPECTED):
            break
    return tuple(found[expected] for expected in EXPECTED if expected in found)


def expected_of(answer: Mapping[str, Any]) -> str:
    """Which of `EXPECTED` an answer shows."""
    level: str = answer["prompt"]["level"]
    call = level == CONSIDER_REFERRAL and any(ground["action"] == "call" for ground in answer["grounds"])
    return CALL if call else level


def _candidates(model: AdditiveModel) -> Iterator[dict[str, Value]]:
    yield {}
    quiet = {term.feature.name: _usual(term) for term in model.terms}
    yield quiet
    yield {term.feature.name: _extreme(term, min) for term in model.terms}
    for ground in model.dictionary.grounds:
        met = _meeting(model, ground)
        yield met
        yield {**quiet, **met}
    yield {term.feature.name: _extreme(term, max) for term in model.terms}


def _usual(term: Term) -> Value:
    """The answer at the reference, or the first one."""
    feature = term.feature
    if feature.reference is not None:
        return feature.reference
    return feature.levels[term.reference] if feature.levels else _within(term, 0)


def _extreme(term: Term, of: Any) -> Value:
    """The known answer with the smallest or largest table value."""
    feature = term.feature
    known: list[Value] = list(feature.levels) or [_within(term, edge) for edge in (*term.edges, -1e9, 1e9)]
    return of(known, key=lambda value: term.table[term.slot(value)])  # type: ignore[no-any-return]


def _within(term: Term, number: float) -> Value:
    low, high = bounds(term.feature)
    number = max(number, low if low is not None else min(number, 0))
    number = min(number, high if high is not None else max(number, 0))
    return int(number) if term.feature.kind == "count" or float(number).is_integer() else number


def _meeting(model: AdditiveModel, ground: Ground) -> dict[str, Value]:
    """Answers that meet a ground: all parts of an `all`, the first of an `any`."""
    return {name: value for name, value in _met(model, ground.when) if value != NOT_KNOWN}


def _met(model: AdditiveModel, condition: Condition) -> Iterator[tuple[str, Value]]:
    if isinstance(condition, Operand):
        yield condition.feature, _answering(model, condition)
        return
    for part in condition.parts if condition.join == "all" else condition.parts[:1]:
        yield from _met(model, part)


def _answering(model: AdditiveModel, operand: Operand) -> Value:
    feature = model.dictionary.feature(operand.feature)
    if not isinstance(operand.value, float):
        return int(operand.value) if feature.kind == "count" and operand.value.isdigit() else operand.value
    step = {">": 1.0, "<": -1.0}.get(operand.comparison, 0.0)
    term = next(term for term in model.terms if term.feature.name == operand.feature)
    return _within(term, operand.value + step)
