"""Puts a service together from its settings: keys, log, model, publisher. The command line and each worker use it."""

from __future__ import annotations

import hmac
from dataclasses import dataclass

from service.access.keys import FollowedKeys, Keys
from service.access.tokens import TokenPlan, Tokens
from service.cds_hooks.plan import cds_plan
from service.log.publisher import CheckpointPublisher
from service.log.store import LogStore
from service.model_files import ReleasedModel, load_active
from service.pages.assets import Assets
from service.pages.session import page_secret
from service.running.lifetime import record_start, record_stop
from service.running.opening import LOG_KEY, open_log
from service.running.telemetry import logger
from service.settings import Settings

__all__ = ["LOG_KEY", "Prepared", "conclude", "open_log", "prepare", "start_publisher", "tokens_of"]


@dataclass(frozen=True, slots=True)
class Prepared:
    """What a start of the service found and recorded."""

    released: ReleasedModel
    keys: Keys
    log_size: int
    start_id: str


def start_publisher(log: LogStore, settings: Settings) -> CheckpointPublisher:
    """Starts publishing checkpoints once a second; a failure to publish is logged."""
    publisher = CheckpointPublisher(
        log, settings.checkpoints, on_error=lambda error: logger().error("checkpoint_not_published", error=str(error))
    )
    publisher.start()
    return publisher


def tokens_of(settings: Settings) -> Tokens | None:
    """Who checks the tokens of the identity provider; None where none is set."""
    if not settings.oidc_issuer:
        return None
    secret = hmac.digest(page_secret(settings.keys), b"token holders", "sha256")
    claims = (settings.oidc_role_claim, settings.oidc_agency_claim)
    return Tokens(TokenPlan(settings.oidc_issuer, settings.oidc_audience, *claims, secret))


def prepare(settings: Settings) -> Prepared:
    """Checks the model, opens the log, and records this start and, where the model is new to the log, its activation.

    Raises `ArtefactError` where the model cannot be trusted: a service does not start with it.
    """
    released = load_active(settings.models, settings.keys)
    cds_plan(settings)  # issuers that cannot be read are said here, and not to the first who calls
    Assets()  # a service whose pages are not built says so here, and not to its first visitor
    page_secret(settings.keys)  # made once, before several workers would each make one
    log = open_log(settings)
    try:
        start_id = record_start(released, log, settings)
        return Prepared(released, FollowedKeys(settings.keys), log.size(), start_id)
    finally:
        log.close()


def conclude(settings: Settings, prepared: Prepared) -> None:
    """Records that the service stopped in good order. Raises `NotDurable` where it cannot: the next start says so."""
    log = open_log(settings)
    try:
        record_stop(prepared.start_id, log)
    finally:
        log.close()
