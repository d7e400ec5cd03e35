"""Fills in the Questionnaire, as a form filler would."""

from __future__ import annotations

import math

from hypothesis import strategies as st

from model.case import bounds
from model.dictionary import NOT_APPLICABLE, NOT_KNOWN

FHIR = "application/fhir+json"
STATES = (NOT_KNOWN, NOT_APPLICABLE)


def coded(code, system="urn:grounds:answer"):
    return {"valueCoding": {"system": system, "code": code}}


def item_of(feature, value):
    """The items that answer one question."""
    if not feature.is_numeric:
        return [{"linkId": feature.name, "answer": [coded(value)]}]
    state = {"linkId": f"{feature.name}:state", "answer": [coded(value if value in STATES else "known")]}
    if value in STATES:
        return [state]
    kind = "valueInteger" if isinstance(value, int) else "valueDecimal"
    return [state, {"linkId": feature.name, "answer": [{kind: value}]}]


def response_of(dictionary, features, agency="health_visiting", case_ref="case-0001", **changes):
    """A QuestionnaireResponse that gives those answers."""
    items = [] if agency is None else [{"linkId": "grounds:agency", "answer": [coded(agency, "urn:grounds:agency")]}]
    for name, value in features.items():
        items += item_of(dictionary.feature(name), value)
    return {
        "resourceType": "QuestionnaireResponse",
        "status": "completed",
        "subject": {"identifier": {"system": "urn:grounds:case-ref", "value": case_ref}},
        "item": items,
        **changes,
    }


def admitted(feature):
    """Any value that the feature may take, its bounds kept."""
    if not feature.is_numeric:
        drawn = st.sampled_from(feature.levels)
    else:
        low, high = bounds(feature)
        low, high = (0 if low is None else low), (1000 if high is None else high)
        whole = st.integers(math.ceil(low), math.floor(high))
        drawn = whole if feature.kind == "count" else whole | st.floats(low, high).filter(lambda x: not x.is_integer())
    states = [NOT_KNOWN, *([NOT_APPLICABLE] if feature.not_applicable else [])]
    return drawn | st.sampled_from(states)
