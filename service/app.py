"""Wires the service: collaborators come in as arguments, nothing is read from globals."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from flask import Flask
from flask_smorest import Api

from service.access import Keys
from service.answer import AnswerWriter
from service.api import screenings
from service.audit import AuditPlan, log_addresses
from service.docs_page import docs_page
from service.drift.api import drift_address
from service.drift.window import DriftWindow
from service.errors import register_errors
from service.guessing import Guesses
from service.log.search_index import SearchIndex
from service.log.store import LogStore
from service.model_files import ReleasedModel
from service.pages.desk import PageDesk
from service.pages.session import Sessions
from service.pages.site import register_pages
from service.pages.summary.views import summary_page
from service.reference import reference
from service.responses import responses
from service.schemas import Features, ProblemSchema
from service.screening import sample_payload
from service.status import status
from service.summary.api import summaries
from service.web import Web

API_VERSION = "1"


@dataclass(frozen=True, slots=True)
class PagePlan:
    """What signs the pages' cookies (32 bytes), the folder of the keys, and whether users come by HTTPS.

    `vignettes` is the folder of a facilitator's own training cases, None where there is none.
    """

    secret: bytes = field(repr=False)
    key_folder: Path
    https: bool
    vignettes: Path | None = None


@dataclass(frozen=True, slots=True)
class Collaborators:
    """What the endpoints work with."""

    released: ReleasedModel
    log: LogStore
    keys: Keys
    origin: str
    audit: AuditPlan | None = None
    """None leaves the addresses of the log out."""
    pages: PagePlan | None = None
    """None leaves the pages out."""


class GroundsApi(Api):
    """flask-smorest for the OpenAPI document; errors are ours (RFC 9457), so that there is one shape."""

    ERROR_SCHEMA = ProblemSchema

    def __init__(self, app: Flask, guesses: Guesses) -> None:
        self._guesses = guesses
        super().__init__(app)

    def _register_error_handlers(self) -> None:
        register_errors(self._app, self._guesses.counted)


def create_app(
    collaborators: Collaborators, body_limit: int = 65_536, batch_body_limit: int = 4 * 1024 * 1024
) -> Flask:
    """The WSGI application for one released model and one log."""
    app = Web("grounds", root_path=str(Path(__file__).parent), static_folder=None)
    app.config.update(
        API_TITLE="Grounds",
        API_VERSION=API_VERSION,
        OPENAPI_VERSION="3.1.0",
        MAX_CONTENT_LENGTH=body_limit,
        API_SPEC_OPTIONS={
            "info": {
                "description": "Screening for referral risk in child safeguarding. A prompt to think; never a decision."
            },
            "security": [{"key": []}],
            "components": {"securitySchemes": {"key": {"type": "http", "scheme": "bearer"}}},
        },
    )
    guesses = Guesses()
    api = GroundsApi(app, guesses)
    _describe_features(api)
    writer = AnswerWriter(collaborators.released.model)
    collaborators.log.learn(sample_payload(collaborators.released, writer))
    api.register_blueprint(
        screenings(
            collaborators.released,
            writer,
            collaborators.log,
            collaborators.keys,
            collaborators.origin,
            batch_body_limit,
        )
    )
    api.register_blueprint(responses(collaborators.log, collaborators.keys, collaborators.origin))
    api.register_blueprint(reference(collaborators.released, collaborators.keys))
    if collaborators.audit is not None:
        for blueprint in log_addresses(collaborators.log, collaborators.keys, collaborators.audit):
            api.register_blueprint(blueprint)
    app.register_blueprint(status(collaborators.released, collaborators.log))
    app.register_blueprint(docs_page(api, collaborators.released.model))
    drift = DriftWindow(collaborators.log, collaborators.released)
    api.register_blueprint(drift_address(drift, collaborators.keys))
    page = None
    if collaborators.pages is not None:
        desk = _page_desk(collaborators, writer, collaborators.pages, guesses, drift)
        register_pages(app, desk)
        page = partial(summary_page, desk)
    dictionary = collaborators.released.model.dictionary
    api.register_blueprint(summaries(dictionary, collaborators.log, collaborators.keys, collaborators.origin, page))
    return app


def _page_desk(
    collaborators: Collaborators, writer: AnswerWriter, plan: PagePlan, guesses: Guesses, drift: DriftWindow
) -> PageDesk:
    return PageDesk(
        released=collaborators.released,
        writer=writer,
        log=collaborators.log,
        keys=collaborators.keys,
        origin=collaborators.origin,
        guesses=guesses,
        sessions=Sessions(collaborators.keys, plan.secret, plan.https),
        https=plan.https,
        key_folder=plan.key_folder,
        drift=drift,
        vignettes=plan.vignettes,
        index=None if collaborators.audit is None else SearchIndex(collaborators.log, collaborators.audit.index),
    )


def _describe_features(api: Api) -> None:
    plugin = api.ma_plugin
    assert plugin.converter is not None

    def features_property(_self: object, field: object, **_: object) -> dict[str, object]:
        return field.json_schema() if isinstance(field, Features) else {}

    plugin.converter.add_attribute_function(features_property)
