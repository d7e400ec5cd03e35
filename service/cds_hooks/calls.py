"""What is read of a call: the hook, its instance, and the answers in its prefetch. All else is dropped."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from hashlib import sha256
from typing import Any

from marshmallow import EXCLUDE, Schema, ValidationError, fields, validate

from model.dictionary import Dictionary
from service.access.keys import Caller
from service.cds_hooks.services import PREFETCH, HookService
from service.errors import FieldError, problem
from service.fhir.answers import KIND, request_of
from service.fhir.authored import authored_of, kept_of
from service.screening.reading import field_errors

_REF_ALPHABET = "abcdefghijkmnpqr"
"""Sixteen letters, so that no run of digits in a made reference can look like a phone or an NHS number."""
_ANSWERS = f"prefetch.{PREFETCH}"
_PATIENT = re.compile(r"(?:^|/)Patient/([^/]+)(?:/_history/[^/]+)?$")


def call_schema(service: HookService) -> Schema:
    """The shape of a call of that service. Elements that it does not name are dropped (CDS Hooks allows extensions)."""
    needed: dict[str, fields.Field[Any]] = {
        name: fields.Dict(required=True) if name == "draftOrders" else fields.String(required=True)
        for name in service.context
    }
    context = Schema.from_dict(needed, name=f"CdsContext{len(needed)}")(unknown=EXCLUDE)
    shape: dict[str, Any] = {
        "hook": fields.String(required=True, validate=validate.Equal(service.hook, error="send {other}")),
        "hookInstance": fields.UUID(required=True, error_messages={"invalid_uuid": "send a UUID, new for each call"}),
        "context": fields.Nested(context, required=True),
        "prefetch": fields.Dict(keys=fields.String(), metadata={"description": f"{PREFETCH}: the answers."}),
    }
    return Schema.from_dict(shape, name=f"CdsCall{len(needed)}")(unknown=EXCLUDE)


def request_in(
    sent: Mapping[str, Any], schema: Schema, dictionary: Dictionary, caller: Caller
) -> tuple[dict[str, Any], dict[str, str]]:
    """The request for a screening that a call makes, not yet checked against the dictionary; what is kept beside it.

    Raises `Problem`: 412 without answers, 422 where they cannot be read or are of another patient than the call.
    """
    try:
        call = schema.load(sent)
    except ValidationError as error:
        known = frozenset((*schema.fields, "userId", "patientId", "draftOrders"))
        raise problem("refused", field_errors(error.normalized_messages(), known)) from None
    resource = _answers_in((call.get("prefetch") or {}).get(PREFETCH), call["context"]["patientId"])
    asked = {"case_ref": made_reference(str(call["hookInstance"])), **request_of(resource, dictionary, caller)}
    return asked, kept_of(resource, f"{_ANSWERS}.authored")


def made_reference(hook_instance: str) -> str:
    """The case reference of answers that bring none: it follows from the call and means nothing elsewhere."""
    digest = sha256(hook_instance.encode()).hexdigest()[:32]
    return "hook-1-" + "".join(_REF_ALPHABET[int(digit, 16)] for digit in digest)


def _answers_in(prefetched: object, patient: str) -> dict[str, Any]:
    """The QuestionnaireResponse that was prefetched, or the newest in a Bundle. Raises `Problem`: 412 without one.

    Neither the patient's id nor the reference to them is kept: they are compared, here, and dropped.
    """
    if isinstance(prefetched, dict) and prefetched.get("resourceType") == "Bundle":
        found = [one for one in _resources(prefetched.get("entry", [])) if one.get("resourceType") == KIND]
    else:
        found = [prefetched] if isinstance(prefetched, dict) and prefetched.get("resourceType") == KIND else []
    if not found:
        raise problem("no_answers")
    if not all(_is_of(resource, patient) for resource in found):
        fix = "the answers are of another patient than context.patientId; send this patient's"
        raise problem("refused", [FieldError(f"{_ANSWERS}.subject.reference", fix)])
    return found[0] if len(found) == 1 else max(found, key=_authored)


def _is_of(resource: Mapping[str, Any], patient: str) -> bool:
    """Whether answers are the patient's, as far as they say whose they are (FHIR R4, "Literal References")."""
    subject = resource.get("subject")
    reference = subject.get("reference") if isinstance(subject, dict) else None
    if reference is None:
        return True
    named = _PATIENT.search(reference) if isinstance(reference, str) else None
    return named is not None and named[1] == patient.removeprefix("Patient/")


def _resources(entries: object) -> list[dict[str, Any]]:
    held = [entry.get("resource") if isinstance(entry, dict) else None for entry in _listed(entries)]
    if any(not isinstance(resource, dict) for resource in held):
        raise problem("refused", [FieldError(f"{_ANSWERS}.entry", "each entry needs its resource")])
    return held  # type: ignore[return-value]  # every one was looked at


def _listed(entries: object) -> list[Any]:
    if not isinstance(entries, list):
        raise problem("refused", [FieldError(f"{_ANSWERS}.entry", "send a list of entries")])
    return entries


def _authored(resource: Mapping[str, Any]) -> datetime:
    found = authored_of(resource, f"{_ANSWERS}.authored")
    if found is None:
        fix = "of several sets of answers each needs the time at which it was authored, or send the newest alone"
        raise problem("refused", [FieldError(_ANSWERS, fix)])
    return found
