"""The application of a worker, put together from its parts; whether it can be is rehearsed before a reload."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import SQLAlchemyError

from model.artefact import ArtefactError
from model.dictionary import DictionaryError
from model.explanation import ExplanationError
from model.wording import WordsError
from service.access.keys import FollowedKeys, KeyFileError
from service.app import Collaborators, PagePlan, create_app
from service.audit import AuditPlan
from service.bodies import Bodies
from service.body_times import body_times
from service.cds_hooks.plan import cds_plan
from service.log.checkpoint import SigningKeyError
from service.log.store import LogError, LogStore, NotDurable
from service.log.writer import reason
from service.model_files import ReleasedModel
from service.pages.assets import AssetsMissing
from service.pages.session import page_secret
from service.running.assembly import LOG_KEY, tokens_of
from service.running.metrics import Metrics
from service.running.readiness import Places
from service.sandbox.door import SandboxDoor, SandboxKeys, made_up_alone
from service.screening.many_api import BATCH_ADDRESS
from service.screening.seats import Seats
from service.settings import Settings, SettingsError
from service.web import Web

_EXPECTED = (
    ArtefactError,
    AssetsMissing,
    DictionaryError,
    ExplanationError,
    KeyFileError,
    LogError,
    NotDurable,
    OSError,
    SettingsError,
    SigningKeyError,
    WordsError,
)
"""What a start may meet, and an operator can put right."""


class CannotStart(RuntimeError):
    """A worker cannot start; one line, and none of it of any case: none was read yet."""


@contextmanager
def said_plainly() -> Iterator[None]:
    """Turns what an operator can put right into `CannotStart`."""
    try:
        yield
    except SQLAlchemyError as error:
        raise CannotStart(f"the log's database cannot be used ({reason(error)})") from None
    except _EXPECTED as error:
        raise CannotStart(str(error)) from None


def application(settings: Settings, released: ReleasedModel, log: LogStore, metrics: Metrics | None) -> Web:
    """The application over an opened log; without `metrics` nothing is counted or limited, as in a rehearsal.

    Raises what `said_plainly` knows.
    """
    keys = FollowedKeys(settings.keys, tokens_of(settings))
    collaborators = Collaborators(
        released,
        log,
        keys,
        settings.origin,
        AuditPlan(settings.audit_index, settings.audit_rate),
        PagePlan(page_secret(settings.keys), settings.keys, settings.https, settings.vignettes),
        Places(settings.keys, settings.keys / LOG_KEY, settings.checkpoints),
        metrics,
        settings.screening_rate,
        cds_plan(settings),
        settings.keys,
    )
    app = create_app(collaborators, settings.body_limit, settings.batch_body_limit)
    app.sandbox = SandboxDoor(
        settings,
        lambda sandbox_log, origin: create_app(
            Collaborators(
                released,
                sandbox_log,
                SandboxKeys(keys),
                origin,
                screening_rate=settings.screening_rate,
                release_keys=settings.keys,
                refuse=made_up_alone,
            ),
            settings.body_limit,
            settings.batch_body_limit,
        ),
    )
    if metrics is not None:
        times = body_times(settings.body_seconds, settings.port)
        app.bodies = Bodies(settings.threads, settings.body_limit, {BATCH_ADDRESS: settings.batch_body_limit}, times)
        app.seats = Seats(settings.threads, settings.threads // 2, metrics.queued)
    return app
