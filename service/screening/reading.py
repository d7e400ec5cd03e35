"""From the bytes of a request to a validated request, or a refusal that names field and fix and repeats no value."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from difflib import get_close_matches
from typing import Any

import orjson
from flask import request
from marshmallow import Schema, ValidationError, fields
from werkzeug.exceptions import RequestEntityTooLarge

from model.identifiers import identifier_kind
from service.access.keys import Caller
from service.errors import FieldError, problem, told_once
from service.screening.accepting import Acceptor
from service.screening.schemas import Features

JSON = "application/json"
HIDDEN_FIELD = "(a field whose name is not shown)"
MAX_FIELD_NAME = 64
MAX_ERRORS = 100


def validated(asked: Mapping[str, Any], acceptor: Acceptor, schema: Schema, caller: Caller) -> dict[str, Any]:
    """A request for a screening, checked, whichever way it came. Raises `Problem`."""
    validated = acceptor.accept(asked)
    if validated is None:
        try:
            validated = schema.load(asked)
        except ValidationError as error:
            raise problem("refused", field_errors(error.normalized_messages(), request_names(schema))) from None
    check_agency(validated, caller)
    return validated


def check_agency(asked: Mapping[str, Any], caller: Caller) -> None:
    """Raises `Problem` 403 where a key of one agency sends what is of others alone."""
    if caller.agency is not None and caller.agency not in agencies_of(asked):
        field = "observations" if "observations" in asked else "agency"
        raise problem("wrong_agency", [FieldError(field, "send the agency of your own key")])


def agencies_of(asked: Mapping[str, Any]) -> tuple[str, ...]:
    """The agencies whose knowledge a validated or logged request holds, in its order."""
    if "observations" in asked:
        return tuple(one["agency"] for one in asked["observations"])
    return (asked["agency"],)


def request_names(schema: Schema) -> frozenset[str]:
    """Every name that a request may hold."""
    features, monitoring = schema.fields["features"], schema.fields["monitoring"]
    assert isinstance(features, Features)
    assert isinstance(monitoring, fields.Nested)
    return frozenset((*schema.fields, *features.names(), *monitoring.schema.fields))


def read_json(*kinds: str) -> dict[str, Any]:
    """The JSON object in the body of the current request, of one of the content types. Raises `Problem`."""
    if is_encoded(request.environ):
        raise problem("body_encoded", Accept_Encoding="identity")  # RFC 9110, 15.5.16
    if request.environ.get("CONTENT_TYPE") != JSON and request.mimetype not in (JSON, *kinds):
        named = " or ".join((*kinds, JSON))
        raise problem("not_json", detail=f"Send the header Content-Type: {named}.")
    try:
        body = request.get_data()
    except RequestEntityTooLarge:
        raise problem("body_too_large") from None
    return parsed(body)


def is_encoded(environ: Mapping[str, Any]) -> bool:
    """Whether the body is said to be packed: nothing here unpacks one, and what is no JSON to us may be to others."""
    return environ.get("HTTP_CONTENT_ENCODING", "").strip().lower() not in ("", "identity")


def parsed(body: bytes) -> dict[str, Any]:
    """The JSON object that a body holds. Raises `Problem`."""
    try:
        asked = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise problem("malformed_json", detail=f"The body is not valid JSON at byte {error.pos}.") from None
    if not isinstance(asked, dict):
        raise problem("malformed_json", detail="The body must be one JSON object.")
    try:
        if body.count(b":") > _keys_above(asked) and body.count(b":") > _keys(asked):
            # More colons than keys: one stands inside a text, or a key is repeated, which has more than one reading.
            _refuse_repeated_keys(body)
    except RecursionError:
        raise problem("malformed_json", detail="The body is nested too deeply.") from None
    return asked


def _keys_above(asked: dict[str, Any]) -> int:
    return len(asked) + sum([len(part) for part in asked.values() if isinstance(part, dict)])


def _keys(value: Any) -> int:
    inner = value.values() if isinstance(value, dict) else value
    below = sum([_keys(part) for part in inner if isinstance(part, (dict, list))])
    return below + len(value) if isinstance(value, dict) else below


def _refuse_repeated_keys(body: bytes) -> None:
    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        if len({name for name, _ in pairs}) < len(pairs):
            raise problem("malformed_json", detail="A key stands twice in one object; send each key once.")
        return dict(pairs)

    json.loads(body, object_pairs_hook=once)


def field_errors(messages: Mapping[str, Any], known: Collection[str]) -> list[FieldError]:
    """marshmallow's nested messages as a flat list of field and fix, without repeating anything that was sent."""
    return told_once(FieldError(field, fix) for field, fix in _flatten("", messages, known))[:MAX_ERRORS]


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
    if isinstance(name, int):
        return str(name)  # a place in a list
    # The name of an unknown field is the sender's text, and may itself name a person: only a slip of the pen in a
    # name of ours is repeated.
    alike = isinstance(name, str) and (name in known or (len(name) <= MAX_FIELD_NAME and bool(_close(name, known))))
    return str(name) if alike and (name in known or identifier_kind(name) is None) else HIDDEN_FIELD


def _close(name: str, known: Collection[str]) -> list[str]:
    return get_close_matches(name, known, n=1, cutoff=0.8)
