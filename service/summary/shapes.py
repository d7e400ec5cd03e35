"""The summary as JSON: its shape for OpenAPI, and the data."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from marshmallow import Schema, fields

from service.summary.facts import Summary
from service.words.topics import topic


class SummaryAgencySchema(Schema):
    id = fields.String(required=True)
    label = fields.String(required=True)


class SummaryFactSchema(Schema):
    feature = fields.String(required=True)
    label = fields.String(required=True)
    value = fields.Raw(required=True)
    text = fields.String(required=True)
    given_by = fields.List(fields.String(), required=True)
    differ = fields.String(required=True, metadata={"description": "What each agency says, where they differ."})


class SummaryUnknownSchema(Schema):
    feature = fields.String(required=True)
    label = fields.String(required=True)
    held_by = fields.List(fields.String(), required=True)
    differ = fields.String(required=True)


class SummaryGroundSchema(Schema):
    code = fields.String(required=True)
    label = fields.String(required=True)
    text = fields.String(required=True)
    action = fields.String(required=True)
    source = fields.String(required=True)


class SummaryRecordSchema(Schema):
    log = fields.String(required=True)
    index = fields.Integer(required=True)
    at = fields.String(required=True)


class SummarySchema(Schema):
    """A referral summary. It holds no score, no band and no contribution, so that its reader is not anchored."""

    screening_id = fields.UUID(required=True)
    case_ref = fields.String(required=True)
    agencies = fields.List(fields.Nested(SummaryAgencySchema), required=True)
    grounds = fields.List(fields.Nested(SummaryGroundSchema), required=True)
    facts = fields.List(fields.Nested(SummaryFactSchema), required=True)
    not_known = fields.List(fields.Nested(SummaryUnknownSchema), required=True)
    clocks = fields.List(fields.String(), required=True)
    to_fill_in = fields.List(fields.String(), required=True, metadata={"description": "For the referrer, by hand."})
    statements = fields.List(fields.String(), required=True)
    synthetic = fields.Boolean(required=True)
    answers_authored = fields.String(
        required=True, allow_none=True, metadata={"description": "When the answers were given; null: nobody said."}
    )
    answers_status = fields.String(
        required=True, metadata={"description": "FHIR's status of the answers: `completed` unless their sender said."}
    )
    record = fields.Nested(SummaryRecordSchema, required=True)


def summary_data(summary: Summary) -> dict[str, Any]:
    """The summary as `SummarySchema` documents it."""
    words = topic("summary")
    statements = [*words.statements["items"], *([words.synthetic] if summary.synthetic else [])]
    return {
        "screening_id": summary.screening_id,
        "case_ref": summary.case_ref,
        "agencies": [{"id": name, "label": label} for name, label in summary.agencies],
        "grounds": [asdict(ground) for ground in summary.grounds],
        "facts": [asdict(fact) for fact in summary.facts],
        "not_known": [asdict(one) for one in summary.not_known],
        "clocks": [*words.clocks["items"], words.clocks.source],
        "to_fill_in": list(words.to_fill_in.fields),
        "statements": statements,
        "synthetic": summary.synthetic,
        "answers_authored": summary.authored,
        "answers_status": summary.status,
        "record": {"log": summary.log, "index": summary.index, "at": summary.at},
    }
