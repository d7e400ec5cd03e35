"""Checks a vignette's facts against a dictionary: agencies, questions, answers, and who may say what."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from model.case import ValueRefused, admit
from model.condition import NOT_KNOWN, Value
from model.dictionary import Dictionary, Feature
from service.learning.vignette import Ask, Known, Vignette


def settled(vignette: Vignette, dictionary: Dictionary) -> Vignette:
    """The vignette with every answer as the model reads it (2.0 is 2); for one without faults."""
    known = tuple(replace(row, features=_admitted(row, dictionary)) for row in vignette.known)
    asks = tuple(replace(ask, found=_value(dictionary.feature(ask.feature), ask.found)) for ask in vignette.asks)
    return replace(vignette, known=known, asks=asks)


def _admitted(known: Known, dictionary: Dictionary) -> dict[str, Value]:
    return {name: _value(dictionary.feature(name), value) for name, value in known.features.items()}


def _value(feature: Feature, value: object) -> Value:
    admitted = admit(feature, value)
    return NOT_KNOWN if admitted is None else admitted


def fact_faults(vignette: Vignette, dictionary: Dictionary) -> Iterator[str]:
    """One line a fault: key, fix."""
    agencies = {agency.id for agency in dictionary.agencies}
    listed = [known.agency for known in vignette.known]
    if vignette.agency not in listed:
        yield f"reader.agency: add [[agency]] with id = {vignette.agency!r} and what it knows"
    for number, known in enumerate(vignette.known, 1):
        if known.agency not in agencies:
            yield f"agency[{number}].id: use one of {', '.join(sorted(agencies))}"
        if known.agency in listed[: number - 1]:
            yield f"agency[{number}].id: stands twice; keep one [[agency]] for each"
        for name, value in known.features.items():
            yield from _answer_faults(f"agency[{number}].features.{name}", name, value, known.agency, dictionary)
    for number, ask in enumerate(vignette.asks, 1):
        yield from _ask_faults(f"ask[{number}]", ask, dictionary)
    yield from _repeated("choice", "code", [choice.code for choice in vignette.choices])
    yield from _repeated("ask", "feature", [ask.feature for ask in vignette.asks])
    for number, point in enumerate(vignette.points, 1):
        if not point.promise and not point.guidance:
            yield f"point[{number}]: add promise or guidance, so that a reader can follow it up"


def _ask_faults(key: str, ask: Ask, dictionary: Dictionary) -> Iterator[str]:
    if ask.agency not in {agency.id for agency in dictionary.agencies}:
        yield f"{key}.agency: use one of {', '.join(sorted(agency.id for agency in dictionary.agencies))}"
    yield from _answer_faults(f"{key}.found", ask.feature, ask.found, ask.agency, dictionary)


def _answer_faults(key: str, name: str, value: object, agency: str, dictionary: Dictionary) -> Iterator[str]:
    feature = next((feature for feature in dictionary.features if feature.name == name), None)
    if feature is None:
        yield f"{key}: there is no question {name!r} in the dictionary; mend the name"
        return
    try:
        admitted = admit(feature, value)
    except ValueRefused as refusal:
        yield f"{key}: {str(refusal).replace('send', 'write')}"
        return
    if agency not in feature.held_by and says_absent(feature, admitted):
        # As in the service: "no" from an agency that holds no such record is not known.
        yield f"{key}: only {', '.join(feature.held_by)} can say that it is absent; move it there or leave it out"


def says_absent(feature: Feature, value: Value | None) -> bool:
    """Whether an answer says that something which would count is not there: the lowest level of a yes/no, for one."""
    kinds = ("yes_no", "ordinal", "count")
    return feature.kind in kinds and feature.direction != "free" and value == feature.reference


def _repeated(table: str, key: str, values: list[str]) -> Iterator[str]:
    for number, value in enumerate(values, 1):
        if value in values[: number - 1]:
            yield f"{table}[{number}].{key}: {value!r} stands twice; keep one"
