"""A refusal in the shape of the address that was asked: problem details, or below FHIR's an OperationOutcome."""

from __future__ import annotations

from flask import Response, request

from service.errors import Problem
from service.fhir.outcome import PREFIX, outcome_of


def refusal_answer(refusal: Problem) -> Response:
    """The refusal as an answer to the current request."""
    return outcome_of(refusal) if request.path.startswith(f"{PREFIX}/") else refusal.response()
