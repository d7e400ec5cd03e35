"""The endpoint `POST /v1/screenings/batch`: up to a thousand cases in one request, each with its own record."""

from __future__ import annotations

from typing import Any

from flask import Response, request
from flask_smorest import Blueprint
from marshmallow import Schema, ValidationError, fields, validate

from service.access.keys import Caller
from service.errors import FieldError, Problem, problem
from service.screening.answer_schemas import ModelReferenceSchema, PromptSchema
from service.screening.desk import ScreeningDesk
from service.screening.idempotency import IDEMPOTENCY_PARAMETER, Once, idempotency_key
from service.screening.many import MOST_CASES
from service.screening.reading import JSON, MAX_ERRORS, check_agency, field_errors, read_json, request_names
from service.web import Recorded

CASES = "cases"
_CASES_FIX = f"send a list of 1 to {MOST_CASES} cases, each as POST /v1/screenings takes it"


class GapNameSchema(Schema):
    feature = fields.String(required=True)
    held_by = fields.List(fields.String(), required=True)


class PlaceSchema(Schema):
    index = fields.Integer(required=True)
    leaf_hash = fields.String(required=True)


class OneOfManySchema(Schema):
    """One case's screening; `GET /v1/screenings/{screening_id}` has it whole, with every text."""

    screening_id = fields.UUID(required=True)
    case_ref = fields.String(required=True)
    score = fields.Float(required=True, validate=validate.Range(0, 1))
    score_interval = fields.List(fields.Float(), required=True)
    score_range = fields.List(fields.Float(), required=True)
    band = fields.Integer(required=True, validate=validate.Range(1, 20))
    prompt = fields.Nested(PromptSchema, required=True)
    grounds = fields.List(fields.String(), required=True, metadata={"description": "Codes of the grounds met."})
    contributions = fields.Dict(
        keys=fields.String(), values=fields.Float(), required=True, metadata={"description": "By feature."}
    )
    not_known = fields.List(fields.Nested(GapNameSchema), required=True)
    not_recognised = fields.List(fields.String(), required=True)
    record = fields.Nested(PlaceSchema, required=True)


class CommitSchema(Schema):
    log = fields.String(required=True)
    at = fields.String(required=True)
    checkpoint = fields.String(required=True, metadata={"description": "Covers the records of all the cases."})


class ScreeningsSchema(Schema):
    """The screenings in the order of the cases. `base_value` plus a case's contributions: the log-odds of its score."""

    screenings = fields.List(fields.Nested(OneOfManySchema), required=True)
    base_value = fields.Float(required=True)
    units = fields.String(required=True)
    score_meaning = fields.String(required=True)
    not_considered = fields.List(fields.String(), required=True)
    model = fields.Nested(ModelReferenceSchema, required=True)
    record = fields.Nested(CommitSchema, required=True)


BATCH_ADDRESS = "/v1/screenings/batch"


def add_many(
    blueprint: Blueprint, desk: ScreeningDesk, body_limit: int, example: dict[str, Any], responses: dict[str, Any]
) -> None:
    """Adds the endpoint to the blueprint of screenings. `example` is a request of one case, `body_limit` in bytes."""
    shape: dict[str, fields.Field[Any]] = {
        CASES: fields.List(fields.Nested(desk.schema), required=True, validate=validate.Length(1, MOST_CASES))
    }
    body = Schema.from_dict(shape, name="ScreeningsRequest")()
    second = {**example, "case_ref": "case-0002"}
    content = {JSON: {"schema": body, "example": {CASES: [example, second]}}}

    @blueprint.route("/batch", methods=["POST"])
    @blueprint.doc(
        summary="Screen up to 1,000 anonymised cases: all are recorded and answered, or none",
        parameters=[IDEMPOTENCY_PARAMETER],
        requestBody={"required": True, "content": content},
        responses=responses,
    )
    def post_screenings() -> Response:
        caller = desk.keys.caller(request.headers.get("Authorization"))

        def read() -> tuple[list[dict[str, Any]], Once | None]:
            request.max_content_length = body_limit
            cases = validated_cases(desk, caller)
            once = idempotency_key(request.headers.get("Idempotency-Key"), caller, "screenings", *cases)
            return [asked for _, asked in cases], once

        answer, repeated = desk.take_many(caller, read)
        return Recorded(answer, 201, [("Idempotent-Replayed", "true")] if repeated else [])


def validated_cases(desk: ScreeningDesk, caller: Caller) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """The cases of the current request, as they were sent and validated.

    Raises `Problem`, whose errors name the place of a case from 0: `cases.3`.
    """
    sent = read_json()
    cases = sent.get(CASES)
    if set(sent) - {CASES}:
        raise problem("refused", field_errors({"": ["Unknown field."]}, ()))
    if not isinstance(cases, list) or not 1 <= len(cases) <= MOST_CASES:
        raise problem("refused", [FieldError(CASES, _CASES_FIX)])
    asked: list[dict[str, Any]] = []
    errors: list[FieldError] = []
    for place, case in enumerate(cases):
        one, faults = _validated(desk, case)
        errors += [
            FieldError(f"{CASES}.{place}.{fault.field}" if fault.field else f"{CASES}.{place}", fault.fix)
            for fault in faults
        ]
        asked.append(one)
    if errors:
        raise problem("refused", errors[:MAX_ERRORS])
    for place, one in enumerate(asked):
        try:
            check_agency(one, caller)
        except Problem as refusal:
            named = [FieldError(f"{CASES}.{place}.{error.field}", error.fix) for error in refusal.errors]
            raise problem(refusal.code, named) from None
    return list(zip(cases, asked, strict=True))


def _validated(desk: ScreeningDesk, case: object) -> tuple[dict[str, Any], list[FieldError]]:
    if not isinstance(case, dict):
        return {}, [FieldError("", "send an object")]
    validated = desk.acceptor.accept(case)
    if validated is not None:
        return validated, []
    try:
        return desk.schema.load(case), []
    except ValidationError as error:
        return {}, field_errors(error.normalized_messages(), request_names(desk.schema))
