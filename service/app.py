"""Wires the service: collaborators come in as arguments, nothing is read from globals."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from threading import Lock
from typing import Any

from flask_smorest import Api, Blueprint

from service.access.guessing import Guesses
from service.access.keys import Keys
from service.access.rate import KeyRate
from service.access.senders import Senders, SignedIn
from service.audit import AuditPlan, AuditRoom, log_addresses
from service.cds_hooks.api import cds_hooks
from service.cds_hooks.contract import FEEDBACK_FORMS
from service.cds_hooks.plan import CdsPlan
from service.docs_page import docs_page
from service.drift.api import drift_address
from service.drift.window import DriftWindow
from service.errors import Problem, register_errors
from service.fhir.api import fhir_addresses
from service.log.store import LogStore
from service.model_files import ReleasedModel
from service.pages.desk import PageDesk
from service.pages.session import Sessions
from service.pages.site import register_pages
from service.pages.summary.views import summary_page
from service.reference import reference
from service.refusing import refusal_answer
from service.replay.answering import AnsweringModels
from service.responses.api import RESPONSE_FORMS, responses
from service.running.metrics import Metrics, State
from service.running.readiness import Places, Readiness
from service.running.status import status
from service.sandbox.api import sandbox_cases
from service.sandbox.cases import CannedCase, canned_cases
from service.screening.answer import AnswerWriter
from service.screening.api import screenings
from service.screening.desk import Refuse, ScreeningDesk
from service.screening.examples import describe_problems, many_example, screening_examples, summary_example
from service.screening.schemas import ONE_OF_TWO, Features, ProblemSchema
from service.screening.short_way import ShortWay
from service.screening.story import sample_payload
from service.summary.api import summaries
from service.web import Web

API_VERSION = "1"
BETWEEN_FIELDS = {
    "ScreeningRequest": ONE_OF_TWO,
    "ResponseRequest": RESPONSE_FORMS,
    "CdsFeedbackEntry": FEEDBACK_FORMS,
}
"""What a shape of the contract holds of one field beside another, where marshmallow cannot say it."""
SECURITY_SCHEMES = {
    "key": {"type": "http", "scheme": "bearer"},
    "cds_client": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
}


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
    places: Places | None = None
    """Where keys and checkpoints lie, for `/readyz`; None leaves them unwatched."""
    metrics: Metrics | None = None
    """None leaves `/metrics` out."""
    screening_rate: str | None = None
    """Requests about screenings that one key may make of one worker, as in `1200/minute`; None: as many as it likes."""
    cds: CdsPlan | None = None
    """None leaves CDS Hooks out."""
    release_keys: Path | None = None
    """Folder of the release key's public half, for records of earlier models; None knows the model in use alone."""
    refuse: Refuse | None = None
    """Looks at each validated request for a screening, and may refuse it (the sandbox does)."""


class GroundsApi(Api):
    """flask-smorest for the OpenAPI document; errors are ours (RFC 9457), so that there is one shape."""

    ERROR_SCHEMA = ProblemSchema
    DEFAULT_RESPONSE_CONTENT_TYPE = "application/problem+json"
    """Of the one answer that flask-smorest documents itself, the `default`: an error."""
    _app: Web

    def __init__(self, app: Web, guesses: Guesses) -> None:
        self._guesses = guesses
        self._told: list[Blueprint] = []
        self._contract: dict[str, Any] | None = None
        self._making = Lock()
        super().__init__(app)

    def register_blueprint(self, blueprint: Blueprint) -> None:
        """Adds the addresses now, and what the contract says of them when it is first asked for.

        To write the contract takes a third of the making of an app, and most workers are never asked for it.
        """
        self._app.register_blueprint(blueprint)
        self._app.extensions["flask-smorest"]["blp_name_to_api"][blueprint.name] = self  # as flask-smorest does
        self._told.append(blueprint)

    def contract(self) -> dict[str, Any]:
        """The OpenAPI document, made once."""
        with self._making:
            if self._contract is None:
                for blueprint in self._told:
                    blueprint.register_views_in_doc(self, self._app, self.spec, name=blueprint.name, parameters=None)
                    self.spec.tag({"name": blueprint.name, "description": blueprint.description})
                for name, forms in BETWEEN_FIELDS.items():
                    self.spec.components.schemas.get(name, {})["oneOf"] = forms
                self._contract = self.spec.to_dict()
            return self._contract

    def _register_error_handlers(self) -> None:
        register_errors(self._app, self._seen, refusal_answer)

    def _seen(self, refusal: Problem, address: str | None) -> Problem:
        shown = self._guesses.counted(refusal, address)
        if self._app.metrics is not None:
            self._app.metrics.refused(shown.code)
        return shown


def create_app(collaborators: Collaborators, body_limit: int = 65_536, batch_body_limit: int = 4 * 1024 * 1024) -> Web:
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
            "components": {"securitySchemes": SECURITY_SCHEMES},
        },
    )
    guesses = Guesses()
    api = GroundsApi(app, guesses)
    _describe_features(api)
    writer = AnswerWriter(collaborators.released.model)
    collaborators.log.learn(sample_payload(collaborators.released, writer))
    rate = KeyRate(collaborators.screening_rate)
    cases = canned_cases(collaborators.released, writer)
    desk = _add_screenings(api, collaborators, writer, rate, batch_body_limit, cases)
    app.short_way = ShortWay(app, desk, body_limit)
    api.register_blueprint(responses(collaborators.log, collaborators.keys, rate, collaborators.origin))
    api.register_blueprint(reference(collaborators.released, collaborators.keys))
    room = None
    if collaborators.audit is not None:
        room = AuditRoom.of(collaborators.log, collaborators.keys, collaborators.audit)
        for blueprint in log_addresses(collaborators.log, room):
            api.register_blueprint(blueprint)
    https = collaborators.pages is not None and collaborators.pages.https
    app.register_blueprint(docs_page(api.contract, collaborators.released.model, https))
    drift = DriftWindow(collaborators.log, collaborators.released)
    _watch(app, collaborators, drift)
    api.register_blueprint(drift_address(drift, collaborators.keys))
    page = None
    signed_in: SignedIn = _nobody
    if collaborators.pages is not None:
        pages = _page_desk(collaborators, writer, collaborators.pages, guesses, rate, drift, room)
        register_pages(app, pages)
        page = partial(summary_page, pages)
        signed_in = pages.sessions.key_id
    app.senders = Senders(collaborators.keys, signed_in)
    models = AnsweringModels(collaborators.released, collaborators.release_keys)
    example = summary_example(cases[0], collaborators.released.model.dictionary, collaborators.origin)
    api.register_blueprint(
        summaries(models, collaborators.log, collaborators.keys, rate, collaborators.origin, page, example)
    )
    return app


def _nobody(_header: str, /) -> str | None:
    return None


def _watch(app: Web, collaborators: Collaborators, drift: DriftWindow) -> None:
    """Adds the status addresses, and lets the app and the log count."""
    released, log, metrics = collaborators.released, collaborators.log, collaborators.metrics
    readiness = Readiness(log, released, collaborators.places)
    state = State(log, readiness, released, drift)
    app.register_blueprint(status(released, readiness, collaborators.keys, metrics, state))
    app.metrics = metrics
    log.on_commit = None if metrics is None else metrics.committed


def _add_screenings(
    api: Api,
    collaborators: Collaborators,
    writer: AnswerWriter,
    rate: KeyRate,
    batch_body_limit: int,
    cases: tuple[CannedCase, ...],
) -> ScreeningDesk:
    """The doors of a screening (JSON, FHIR, CDS Hooks), all over one desk, and the cases to try them with."""
    released, log, keys, origin = collaborators.released, collaborators.log, collaborators.keys, collaborators.origin
    desk = ScreeningDesk(released, writer, log, keys, origin, rate, collaborators.refuse, collaborators.metrics)
    describe_problems(api, desk.schema)
    examples, many = screening_examples(cases, origin), many_example(cases, origin)
    api.register_blueprint(screenings(desk, examples, many, batch_body_limit))
    api.register_blueprint(sandbox_cases(cases, keys))
    models = AnsweringModels(released, collaborators.release_keys)
    for blueprint in fhir_addresses(desk, models, cases):
        api.register_blueprint(blueprint)
    if collaborators.cds is not None:
        api.register_blueprint(cds_hooks(desk, collaborators.cds, cases, models))
    return desk


def _page_desk(
    collaborators: Collaborators,
    writer: AnswerWriter,
    plan: PagePlan,
    guesses: Guesses,
    rate: KeyRate,
    drift: DriftWindow,
    room: AuditRoom | None,
) -> PageDesk:
    return PageDesk(
        released=collaborators.released,
        writer=writer,
        log=collaborators.log,
        keys=collaborators.keys,
        origin=collaborators.origin,
        guesses=guesses,
        rate=rate,
        models=AnsweringModels(collaborators.released, plan.key_folder),
        sessions=Sessions(collaborators.keys, plan.secret, plan.https),
        https=plan.https,
        key_folder=plan.key_folder,
        drift=drift,
        vignettes=plan.vignettes,
        index=None if room is None else room.index,
        auditors=None if room is None else room.desk,
    )


def _describe_features(api: Api) -> None:
    plugin = api.ma_plugin
    assert plugin.converter is not None

    def features_property(_self: object, field: object, **_: object) -> dict[str, object]:
        return field.json_schema() if isinstance(field, Features) else {}

    plugin.converter.add_attribute_function(features_property)
