"""From a FHIR R4 QuestionnaireResponse to the request that `POST /v1/screenings` takes.

Only what the mapping names is read. Subject, author, narrative, text and every other element may say who somebody is:
they are dropped here, at the door. What the values mean is checked by the one schema of requests, as for every door.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from model.dictionary import NOT_APPLICABLE, NOT_KNOWN, Dictionary
from service.access.keys import Caller
from service.errors import FieldError, problem, told_once
from service.fhir import terms
from service.fhir.modifiers import modifiers
from service.screening.reading import HIDDEN_FIELD

KIND = "QuestionnaireResponse"
STATUSES = ("in-progress", "completed", "amended", "stopped")
"""FHIR R4's, without `entered-in-error`: answers that were a mistake are no ground for anything.

Answers that are not whole yet (`in-progress`, `stopped`) are taken, since what is not answered is not known and never
safe; their status is kept and shown with them (`service.fhir.authored`).
"""
DEEPEST = 8
"""Items inside items; the Questionnaire has none, but a form filler may group them."""
_NUMBERS = ("valueInteger", "valueDecimal")
_VALUE_FIX = "send one answer: valueCoding with a code of the Questionnaire, or valueInteger or valueDecimal"


class Refusal(Exception):
    """An item that cannot be read; the text is the fix."""


def request_of(resource: Mapping[str, Any], dictionary: Dictionary, caller: Caller) -> dict[str, Any]:
    """The request that the answers make, not yet checked against the dictionary. Raises `Problem` 422.

    The agency is the answer to `grounds:agency`; where that is not sent, the key's own.
    """
    errors = [*_wrong_with(resource, dictionary)]
    read = _Answers(dictionary)
    if not errors:
        read.walk(resource.get("item", []))
        errors = read.errors
    if errors:
        raise problem("refused", told_once(errors))
    asked: dict[str, Any] = {"features": read.features(dictionary)}
    agency = read.agency or caller.agency
    if agency is not None:
        asked["agency"] = agency
    reference = case_ref_of(resource)
    if reference is not None:
        asked["case_ref"] = reference
    return asked


def case_ref_of(resource: Mapping[str, Any]) -> object:
    """The sender's pseudonym in `subject.identifier`, where it is of our system; None where there is none."""
    subject = resource.get("subject")
    identifier = subject.get("identifier") if isinstance(subject, dict) else None
    if isinstance(identifier, dict) and identifier.get("system") == terms.CASE_REF_SYSTEM:
        return identifier.get("value")
    return None


def _wrong_with(resource: Mapping[str, Any], dictionary: Dictionary) -> Iterator[FieldError]:
    if resource.get("resourceType") != KIND:
        yield FieldError("resourceType", f"send a {KIND}")
        return
    if resource.get("status") not in STATUSES:
        yield FieldError("status", f"send one of: {', '.join(STATUSES)}")
    if not isinstance(resource.get("subject", {}), dict):
        yield FieldError("subject", "send an object, or leave it out")
    url = terms.questionnaire_url(dictionary)
    if "questionnaire" in resource and resource["questionnaire"] not in (url, f"{url}|{dictionary.version}"):
        yield FieldError(
            "questionnaire", "these are answers to another questionnaire or version; GET /v1/questionnaire has this one"
        )
    yield from modifiers(resource)


class _Answers:
    """What the items say, by feature, and what is wrong with them."""

    def __init__(self, dictionary: Dictionary) -> None:
        self._known = {terms.AGENCY_LINK, *(feature.name for feature in dictionary.features)}
        self.agency: object = None
        self.errors: list[FieldError] = []
        self._given: dict[str, Any] = {}
        self._states: dict[str, Any] = {}
        self._seen: set[str] = set()

    def walk(self, items: object, depth: int = 0) -> None:
        """Reads items, and the items in them."""
        if not isinstance(items, list) or depth > DEEPEST:
            self.errors.append(FieldError("item", "send a list of items, not nested deeply"))
            return
        for place, item in enumerate(items):
            link = item.get("linkId") if isinstance(item, dict) else None
            if not isinstance(link, str) or not link:
                self.errors.append(FieldError(f"item.{place}.linkId", "is missing; add it"))
                continue
            inner = [part["item"] for part in (item, *_answers(item)) if "item" in part]
            for below in inner:
                self.walk(below, depth + 1)  # a group of the form filler's own, or questions below an answer
            if not inner or "answer" in item or _absent(item):
                self._take(link, item)

    def _take(self, link: str, item: Mapping[str, Any]) -> None:
        try:
            self._read(link, item)
        except Refusal as refusal:
            # A link id that is not ours is the sender's text, and may itself name a person.
            name = link.removesuffix(terms.STATE)
            shown = "agency" if link == terms.AGENCY_LINK else f"features.{name}"
            self.errors.append(FieldError(shown if name in self._known else HIDDEN_FIELD, str(refusal)))

    def _read(self, link: str, item: Mapping[str, Any]) -> None:
        if link in self._seen:
            raise Refusal("the question is answered twice; send each linkId once")
        self._seen.add(link)
        if link.endswith(terms.HELP):
            return
        value = _value(item)
        if link == terms.AGENCY_LINK:
            self.agency = None if value == NOT_KNOWN else value
        elif link.endswith(terms.STATE):
            self._states[link.removesuffix(terms.STATE)] = value
        else:
            self._given[link] = value

    def features(self, dictionary: Dictionary) -> dict[str, Any]:
        """The features, numbers by their states. Raises `Problem` where a number and its state differ."""
        features = dict(self._given)
        errors = []
        numeric = {feature.name for feature in dictionary.features if feature.is_numeric}
        for name, state in self._states.items():
            given = self._given.get(name, NOT_KNOWN)
            if name not in numeric:
                features[name + terms.STATE] = state  # no such question: the schema says so
            elif state == terms.KNOWN:
                features[name] = given  # a form that says known and gives no number leaves it not known
            elif given not in (NOT_KNOWN, state):
                errors.append(FieldError(f"features.{name}", f"has a number but its {terms.STATE[1:]} is not known"))
            else:
                features[name] = state
        if errors:
            raise problem("refused", errors)
        return features


def _answers(item: Mapping[str, Any]) -> list[dict[str, Any]]:
    answers = item.get("answer")
    return [answer for answer in answers if isinstance(answer, dict)] if isinstance(answers, list) else []


def _value(item: Mapping[str, Any]) -> Any:
    """The one answer of an item; an item without one is not known."""
    answers = item.get("answer", [])
    if not isinstance(answers, list) or len(answers) > 1 or not all(isinstance(answer, dict) for answer in answers):
        raise Refusal(_VALUE_FIX)
    given = {name: value for answer in answers for name, value in answer.items() if name.startswith("value")}
    reasons = {reason for reason in map(_absent, _elements(item, *answers)) if reason}
    if not answers or (reasons and not any(map(_says_something, given.values()))):
        return NOT_APPLICABLE if reasons == {terms.ABSENT_NOT_APPLICABLE} else NOT_KNOWN
    if reasons:
        raise Refusal("has an answer and a reason for having none; send one of them")
    if len(given) != 1:
        raise Refusal(_VALUE_FIX)
    ((kind, value),) = given.items()
    if kind == "valueCoding":
        return _code(value)
    if kind not in _NUMBERS or isinstance(value, bool) or not isinstance(value, (int, float)):
        raise Refusal(_VALUE_FIX)
    return value


def _elements(*parts: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Where a reason for having no answer may stand: an item, its answer, its value, a part of its value.

    FHIR R4 writes what belongs to a number or a text beside it, under its name with `_` in front.
    """
    for part in parts:
        yield part
        for name, value in part.items():
            if name.startswith(("value", "_value")) and isinstance(value, dict):
                yield value
                yield from (inner for key, inner in value.items() if key.startswith("_") and isinstance(inner, dict))


def _says_something(value: object) -> bool:
    """Whether a value is one: a Coding without a code may hold no more than the reason for having none."""
    return not isinstance(value, dict) or "code" in value


def _code(coding: object) -> str:
    code = coding.get("code") if isinstance(coding, dict) else None
    ours = isinstance(coding, dict) and coding.get("system", terms.ANSWER_SYSTEM) in terms.ANSWER_SYSTEMS
    if not isinstance(code, str) or not ours:
        raise Refusal(f"send a code of the system {terms.ANSWER_SYSTEM}")
    return code


def _absent(element: Mapping[str, Any]) -> str:
    """The code of HL7's data-absent-reason on an element; empty where there is none."""
    extensions = element.get("extension")
    for extension in extensions if isinstance(extensions, list) else []:
        if isinstance(extension, dict) and extension.get("url") == terms.ABSENT:
            return str(extension.get("valueCode", "unknown"))
    return ""
