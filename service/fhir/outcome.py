"""A refusal as a FHIR R4 OperationOutcome: one issue for each field, with the place in the resource and the fix."""

from __future__ import annotations

from typing import Any

import orjson
from flask import Response

from service.errors import Problem
from service.fhir import terms

PREFIX = "/v1/fhir"
"""Below it, what goes wrong is answered as an OperationOutcome."""
ANSWERS = "QuestionnaireResponse"
_TYPES = {
    400: "structure",
    401: "login",
    403: "forbidden",
    404: "not-found",
    405: "not-supported",
    406: "not-supported",
    409: "conflict",
    410: "deleted",
    413: "too-long",
    415: "not-supported",
    422: "invalid",
    429: "throttled",
    503: "transient",
}
"""FHIR R4's issue types by HTTP status; what is not here is an `exception`."""
_PROBLEM_SYSTEM = "urn:grounds:problem"


def outcome_of(refusal: Problem) -> Response:
    """The refusal as an HTTP answer."""
    return Response(
        orjson.dumps(operation_outcome(refusal)), refusal.status, dict(refusal.headers), mimetype=terms.FHIR_JSON
    )


def operation_outcome(refusal: Problem) -> dict[str, Any]:
    """The resource. `details.coding` holds the stable code that every other address gives as `code`."""
    kind = _TYPES.get(refusal.status, "exception")
    coding = [{"system": _PROBLEM_SYSTEM, "code": refusal.code, "display": refusal.title}]
    whole = {
        "severity": "error",
        "code": kind,
        "details": {"coding": coding, "text": refusal.title},
        "diagnostics": refusal.detail,
    }
    fields = [
        {
            "severity": "error",
            "code": "value",
            "details": {"coding": coding, "text": f"{error.field}: {error.fix}"},
            "expression": [expression(error.field)],
        }
        for error in refusal.errors
    ]
    return {"resourceType": "OperationOutcome", "issue": [whole, *fields]}


def expression(field: str) -> str:
    """Where in the QuestionnaireResponse a field of the request comes from, as FHIRPath."""
    if field == "case_ref":
        return f"{ANSWERS}.subject.identifier.value"
    if field == "agency":
        return f"{ANSWERS}.item.where(linkId='{terms.AGENCY_LINK}').answer"
    if field.startswith("features."):
        return f"{ANSWERS}.item.where(linkId='{field.removeprefix('features.')}').answer"
    return ANSWERS if "(" in field or "-" in field else f"{ANSWERS}.{_places(field)}"


def _places(field: str) -> str:
    return "".join(f"[{part}]" if part.isdigit() else f".{part}" for part in field.split(".")).removeprefix(".")
