"""What was typed into the form, as a request of the API: the same schema checks it, and words every error."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from model.dictionary import NOT_KNOWN
from service.errors import FieldError
from service.pages.screen.questions import Group, Question
from service.words.topics import topic


def asked_by(form: Mapping[str, str], agency: str, groups: Iterable[Group]) -> tuple[dict[str, Any], list[FieldError]]:
    """The request that a form stands for, not yet validated, and what in the form contradicts itself.

    An unanswered question is sent as `not_known`: it was asked, and the log tells that from one that was not.
    """
    features, errors = _features(form, [question for group in groups for question in group.questions], "")
    return {"case_ref": form.get("case_ref", "").strip(), "agency": agency, "features": features}, errors


def pooled_by(form: Mapping[str, str], groups: Iterable[Group]) -> tuple[dict[str, Any], list[FieldError]]:
    """The pooled request that a form stands for: an observation for each group, which is one agency's."""
    observations, errors = [], []
    for place, group in enumerate(groups):
        features, wrong = _features(form, group.questions, f"observations.{place}.")
        observations.append({"agency": group.agency, "features": features})
        errors += wrong
    return {"case_ref": form.get("case_ref", "").strip(), "observations": observations}, errors


def _features(
    form: Mapping[str, str], questions: Iterable[Question], within: str
) -> tuple[dict[str, Any], list[FieldError]]:
    features: dict[str, Any] = {}
    errors: list[FieldError] = []
    for question in questions:
        try:
            features[question.feature.name] = _answer(question, form)
        except ValueError as error:
            errors.append(FieldError(f"{within}features.{question.feature.name}", str(error)))
    return features, errors


def _answer(question: Question, form: Mapping[str, str]) -> Any:
    sent = form.get(question.name, "").strip()
    if not question.feature.is_numeric:
        return sent or NOT_KNOWN
    words = topic("screen").errors
    apart = form.get(question.apart_name)
    if apart and sent:
        raise ValueError(words.number_and_box)
    if not sent:
        return apart or NOT_KNOWN
    try:
        number = float(sent)
    except ValueError:
        raise ValueError(words.not_a_number) from None
    return int(number) if number.is_integer() else number
