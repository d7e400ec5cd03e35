"""The endpoints of a screening: `POST /v1/screenings` and `GET /v1/screenings/{id}`."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from difflib import get_close_matches
from typing import Any

import orjson
from flask import Response, request
from flask.views import MethodView
from flask_smorest import Blueprint
from marshmallow import Schema, ValidationError, fields
from werkzeug.exceptions import RequestEntityTooLarge

from model.identifiers import identifier_kind
from service.access import Caller, Keys, require_role
from service.answer import AnswerWriter
from service.errors import FieldError, Problem, problem
from service.log.canonical import canonical_bytes
from service.log.erasure import erasure_of
from service.log.store import LogDamaged, LogStore, NotDurable, Receipt, StoredEntry
from service.model_files import ReleasedModel
from service.schemas import Features, ProblemSchema, ScreeningSchema, request_schema
from service.screening import screen
from service.telemetry import logger

JSON = "application/json"
HIDDEN_FIELD = "(a field whose name is not shown)"
MAX_FIELD_NAME = 64
MAX_ERRORS = 100
RETRY_AFTER = "1"


def screenings(released: ReleasedModel, writer: AnswerWriter, log: LogStore, keys: Keys, origin: str) -> Blueprint:
    """The blueprint of screenings for one model, log and set of keys."""
    blueprint = Blueprint("screenings", __name__, url_prefix="/v1/screenings", description="Screen a case.")
    schema = request_schema(released.model.dictionary)
    body = {"required": True, "content": {JSON: {"schema": schema, "example": example_request(released)}}}

    @blueprint.route("")
    class Screenings(MethodView):
        @blueprint.doc(
            summary="Screen one anonymised case",
            requestBody=body,
            responses=documented(201, "The screening, recorded", ScreeningSchema, 400, 401, 403, 413, 415, 422, 503),
        )
        def post(self) -> Response:
            caller = keys.caller(request.headers.get("Authorization"))
            try:
                require_role(caller, "practitioner")
                asked = _validated(schema, caller)
                shown = screen(asked, released, writer, log, caller)
            except Problem as refusal:
                _record_refusal(refusal, caller, log)
                raise
            except NotDurable:
                raise problem("not_recorded", Retry_After=RETRY_AFTER) from None
            response = Response(_with_record(shown.answer, shown.receipt, origin), 201, mimetype=JSON)
            response.headers["Location"] = f"/v1/screenings/{shown.receipt.entry_id}"
            return response

    @blueprint.route("/<uuid:screening_id>")
    class Screening(MethodView):
        @blueprint.doc(
            summary="A screening as it was shown, with its record",
            responses=documented(
                200, "The very bytes that were shown and logged", ScreeningSchema, 401, 403, 404, 410, 503
            ),
        )
        def get(self, screening_id: object) -> Response:
            caller = keys.caller(request.headers.get("Authorization"))
            require_role(caller, "practitioner", "auditor")
            return _shown_again(str(screening_id), log, caller, origin)

    return blueprint


def documented(status: int, description: str, schema: Any, *problems: int) -> dict[str, Any]:
    """The answers of an operation, for OpenAPI.

    Documented and not run: flask-smorest's `response` would send every answer through a schema, and each of its
    `alt_response` wrappers costs about 8 microseconds a request.
    """
    answers: dict[str, Any] = {str(status): {"description": description, "content": {JSON: {"schema": schema}}}}
    for problem_status in problems:
        content = {"application/problem+json": {"schema": ProblemSchema}}
        answers[str(problem_status)] = {"description": "Problem details", "content": content}
    return answers


def example_request(released: ReleasedModel) -> dict[str, Any]:
    """A small request that the active model accepts, for `/docs` and the newcomer's `curl` line."""
    dictionary = released.model.dictionary
    features: dict[str, Any] = {}
    for feature in dictionary.features:
        if feature.essential and not feature.is_numeric:
            features[feature.name] = feature.reference or feature.levels[0]
    if "parent_mental_health_history" in {feature.name for feature in dictionary.features}:
        features["parent_mental_health_history"] = "yes"
    agencies = [agency.id for agency in dictionary.agencies]
    agency = "health_visiting" if "health_visiting" in agencies else next(iter(agencies), "")
    return {"case_ref": "case-0001", "agency": agency, "features": features}


def _validated(schema: Schema, caller: Caller) -> dict[str, Any]:
    asked = _read_json()
    try:
        validated: dict[str, Any] = schema.load(asked)
    except ValidationError as error:
        raise problem("refused", _field_errors(error.normalized_messages(), _names(schema))) from None
    if caller.agency is not None and validated["agency"] != caller.agency:
        raise problem("wrong_agency", [FieldError("agency", "send the agency of your own key")])
    return validated


def _names(schema: Schema) -> frozenset[str]:
    """Every name that a request may hold."""
    features, monitoring = schema.fields["features"], schema.fields["monitoring"]
    assert isinstance(features, Features)
    assert isinstance(monitoring, fields.Nested)
    return frozenset((*schema.fields, *features.names(), *monitoring.schema.fields))


def _read_json() -> dict[str, Any]:
    if request.mimetype != JSON:
        raise problem("not_json")
    try:
        body = request.get_data()
    except RequestEntityTooLarge:
        raise problem("body_too_large") from None
    try:
        asked = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise problem("malformed_json", detail=f"The body is not valid JSON at byte {error.pos}.") from None
    if not isinstance(asked, dict):
        raise problem("malformed_json", detail="The body must be one JSON object.")
    try:
        if body.count(b":") > _keys(asked):
            # More colons than keys: one stands inside a text, or a key is repeated, which has more than one reading.
            _refuse_repeated_keys(body)
    except RecursionError:
        raise problem("malformed_json", detail="The body is nested too deeply.") from None
    return asked


def _keys(value: Any) -> int:
    if isinstance(value, dict):
        return len(value) + sum(_keys(inner) for inner in value.values() if isinstance(inner, (dict, list)))
    return sum(_keys(inner) for inner in value) if isinstance(value, list) else 0


def _refuse_repeated_keys(body: bytes) -> None:
    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        if len({name for name, _ in pairs}) < len(pairs):
            raise problem("malformed_json", detail="A key stands twice in one object; send each key once.")
        return dict(pairs)

    json.loads(body, object_pairs_hook=once)


def _field_errors(messages: Mapping[str, Any], known: Collection[str]) -> list[FieldError]:
    """marshmallow's nested messages as a flat list of field and fix, without repeating anything that was sent."""
    return [FieldError(field, fix) for field, fix in _flatten("", messages, known)][:MAX_ERRORS]


def _flatten(prefix: str, messages: Any, known: Collection[str]) -> Iterator[tuple[str, str]]:
    if not isinstance(messages, Mapping):
        for message in messages:
            yield prefix, _FIXES.get(message, message)
        return
    for name, inner in messages.items():
        shown = _safe_name(name, known)
        yield from _flatten(f"{prefix}.{shown}" if prefix else shown, inner, known)


_FIXES = {
    "Unknown field.": "is not a field of this request; remove it",
    "Missing data for required field.": "is missing; add it",
    "Field may not be null.": "may not be null; send a value",
    "Not a valid string.": "send a text in quotes",
    "Invalid input type.": "send an object",
}


def _safe_name(name: Any, known: Collection[str]) -> str:
    # The name of an unknown field is the sender's text, and may itself name a person: only a slip of the pen in a
    # name of ours is repeated.
    alike = isinstance(name, str) and (name in known or (len(name) <= MAX_FIELD_NAME and bool(_close(name, known))))
    return str(name) if alike and (name in known or identifier_kind(name) is None) else HIDDEN_FIELD


def _close(name: str, known: Collection[str]) -> list[str]:
    return get_close_matches(name, known, n=1, cutoff=0.8)


def _record_refusal(refusal: Problem, caller: Caller, log: LogStore) -> None:
    """A refused request is an entry too: codes and field names, never values."""
    payload = {
        "caller": {"key_id": caller.key_id, "role": caller.role},
        "code": refusal.code,
        "fields": sorted({error.field for error in refusal.errors}),
        "status": refusal.status,
    }
    try:
        log.append("refusal", canonical_bytes(payload))
    except NotDurable:
        raise problem("not_recorded", Retry_After=RETRY_AFTER) from None


def _with_record(answer: bytes, receipt: Receipt | StoredEntry, origin: str) -> bytes:
    record = {
        "log": origin,
        "index": receipt.index,
        "leaf_hash": receipt.leaf_hash,
        "at": receipt.at,
        "checkpoint": receipt.checkpoint,
    }
    return answer[:-1] + b',"record":' + orjson.dumps(record) + b"}"


def _shown_again(screening_id: str, log: LogStore, caller: Caller, origin: str) -> Response:
    try:
        entry = log.get(screening_id)
    except LogDamaged as damaged:
        logger().error("log_damaged", index=damaged.index)
        raise problem("record_damaged") from None
    if entry is None or entry.kind != "screening":
        raise problem("not_found")
    if entry.payload is None:
        raise problem(_why_gone(screening_id, log))
    payload = orjson.loads(entry.payload)
    if caller.role != "auditor" and payload["caller"]["key_id"] != caller.key_id:
        raise problem("not_found")
    looked = {"caller": {"key_id": caller.key_id, "role": caller.role}, "screening_id": screening_id}
    try:
        log.append("lookup", canonical_bytes(looked))
    except NotDurable:
        raise problem("not_recorded", Retry_After=RETRY_AFTER) from None
    return Response(_with_record(canonical_bytes(payload["answer"]), entry, origin), 200, mimetype=JSON)


def _why_gone(screening_id: str, log: LogStore) -> str:
    """The problem's code: a payload that no erasure entry names was taken by other hands."""
    try:
        return "record_damaged" if erasure_of(log, screening_id) is None else "erased"
    except LogDamaged as damaged:
        logger().error("log_damaged", index=damaged.index)
        return "record_damaged"
