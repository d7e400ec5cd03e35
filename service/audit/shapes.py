"""The shapes of answers about the log, for OpenAPI; a test holds the answers to them."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

from marshmallow import Schema, fields

EXAMPLES = Path(__file__).with_name("examples.json")
"""What each address answered, asked of a small log: `python -m tests.service.audit.examples` records it anew."""


def _note(required: bool = True) -> fields.String:
    return fields.String(required=required, metadata={"description": "C2SP tlog-checkpoint of that size."})


class FoundSchema(Schema):
    """What a search shows of an entry. Of an erased one only index, kind and time are there."""

    index = fields.Integer(required=True)
    kind = fields.String(required=True)
    at = fields.String(required=True)
    entry_id = fields.UUID(required=True, allow_none=True)
    level = fields.String(required=True, allow_none=True)
    band = fields.Integer(required=True, allow_none=True)
    model = fields.String(required=True, allow_none=True)
    agency = fields.String(required=True, allow_none=True)
    key_id = fields.String(required=True, allow_none=True)
    response = fields.String(required=True, allow_none=True)
    grounds = fields.List(fields.String(), required=True)
    features = fields.List(fields.String(), required=True, metadata={"description": "Names of those known."})
    damaged = fields.Boolean(required=True, metadata={"description": "Its payload does not fit its leaf."})


class PageSchema(Schema):
    """A page of a search. Every page of one search is of the log of `size` entries."""

    entries = fields.List(fields.Nested(FoundSchema), required=True)
    size = fields.Integer(required=True)
    checkpoint = _note()
    next = fields.String(required=True, allow_none=True, metadata={"description": "The cursor of the next page."})


class InclusionSchema(Schema):
    """That an entry is in the log; `python -m service log prove` prints the same."""

    index = fields.Integer(required=True)
    leaf = fields.String(required=True)
    leaf_hash = fields.String(required=True)
    proof = fields.List(fields.String(), required=True, metadata={"description": "RFC 9162 path, hexadecimal."})
    size = fields.Integer(required=True)
    checkpoint = fields.String(
        required=True,
        allow_none=True,
        metadata={"description": "C2SP tlog-checkpoint of that size; null where none was signed at that size."},
    )
    key = fields.String(required=True)


class EntrySchema(InclusionSchema):
    """A whole entry. The leaf's `payload` is the SHA-256 over salt and payload; both are null once erased."""

    payload = fields.String(required=True, allow_none=True)
    salt = fields.String(required=True, allow_none=True)


class ConsistencySchema(Schema):
    """That the log of `from` entries is how the log of `to` entries begins."""

    from_ = fields.Integer(required=True, data_key="from")
    to = fields.Integer(required=True)
    proof = fields.List(fields.String(), required=True, metadata={"description": "RFC 9162 path, hexadecimal."})
    from_checkpoint = fields.String(required=True, allow_none=True)
    to_checkpoint = fields.String(required=True, allow_none=True)


def example(address: str) -> Any:
    """What an address below `/v1/log/` answers, for OpenAPI: an address of `examples.json`."""
    return _examples()[address]


@cache
def _examples() -> dict[str, Any]:
    return dict(json.loads(EXAMPLES.read_text(encoding="utf-8")))


def parameter(name: str, description: str, kind: str = "string") -> dict[str, object]:
    """A parameter in the address, for OpenAPI."""
    return {"in": "query", "name": name, "description": description, "schema": {"type": kind}}
