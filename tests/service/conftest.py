"""A real service over a real log, with the shipped dictionary and a small hand-made model: no fake anywhere."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from model.artefact import MODEL_FILE, SIGNATURE_FILE, write_model
from model.dictionary import Dictionary, shipped_dictionary
from service.access.keys import Keys, create_key, read_keys
from service.app import Collaborators, PagePlan, create_app
from service.audit import AuditPlan
from service.log.store import LogStore
from service.model_files import ReleasedModel, load_active
from service.pages.session import page_secret
from service.running.assembly import open_log
from service.settings import Settings
from tests.builders import model_content
from training.release.story import ACTIVE, sign, signing_key

VERSION = "test-1"


@dataclass
class Service:
    """A running application and what it works with."""

    app: Flask
    log: LogStore
    released: ReleasedModel
    settings: Settings
    practitioner: dict[str, str]
    auditor: dict[str, str]

    @property
    def client(self) -> FlaskClient:
        return self.app.test_client()

    def screen(self, features=None, **changes):
        """POSTs a screening; `changes` replace top-level fields."""
        body = {"case_ref": "case-0001", "agency": "health_visiting", "features": features or {}, **changes}
        return self.client.post("/v1/screenings", json=body, headers=self.practitioner)


def settings_in(folder: Path, **changes) -> Settings:
    """Settings of a service that keeps everything in one folder."""
    values = {
        "var": folder,
        "checkpoints": folder / "checkpoints",
        "database_url": "",
        "origin": "test.invalid/log",
        "host": "127.0.0.1",
        "port": 8000,
        "workers": 2,
        "threads": 8,
        "body_limit": 65_536,
    }
    return Settings(**{**values, **changes})


def hand_made_model(dictionary: Dictionary, pairs: bool = False) -> bytes:
    """A model over the shipped dictionary with round numbers: each answer of more risk adds a little.

    With `pairs`, some features have a table together, one of them with two others.
    """
    terms = [_term(feature) for feature in dictionary.features]
    return write_model(
        model_content(
            dictionary.raw,
            terms,
            version=VERSION,
            threshold={"margin": 4.0},
            **(
                {"format": 2, "pairs": [_pair(terms[j], terms[k]) for j, k in ((0, 1), (1, 2), (3, 9))]}
                if pairs
                else {}
            ),
        )
    )


def _pair(*both):
    groups = []
    for term in both:
        bins = len(term["values"])
        states = [min(bins, 3), *([min(bins, 3) + 1] if term["not_applicable"] is not None else [])]
        groups.append([*(min(slot, 2) for slot in range(bins)), *states])
    rows, columns = (max(of_slots) + 1 for of_slots in groups)
    return {
        "features": [term["feature"] for term in both],
        "groups": groups,
        "values": [[0.02 * ((row * column) % 3) for column in range(columns)] for row in range(rows)],
        "mean": 0.01,
        "counts": [[100] * columns] * rows,
        "deviations": [],
    }


def _term(feature):
    step = {"raises": 0.3, "lowers": -0.3, "free": 0.05}[feature.direction]
    edges = [10.0 if feature.reference is None else feature.reference] if feature.is_numeric else None
    bins = len(feature.levels) or 2
    values = [step * index for index in range(bins)]
    if edges is not None:
        reference = 1 if feature.reference is not None else 0
    else:
        reference = feature.levels.index(feature.reference) if feature.reference is not None else 0
    return {
        "feature": feature.name,
        **({"edges": edges} if edges else {}),
        "values": values,
        "not_known": values[reference] + 0.1,
        "not_applicable": 0.0 if feature.not_applicable else None,
        "mean": 0.02,
        "reference": reference,
        "counts": [100] * bins,
        "deviations": [],
    }


def release_into(settings: Settings, data: bytes, version: str = VERSION) -> None:
    """Signs a model and makes it active, as `make release` does after its gates."""
    folder = settings.models / version
    folder.mkdir(parents=True)
    (folder / MODEL_FILE).write_bytes(data)
    (folder / SIGNATURE_FILE).write_bytes(sign(data, signing_key(settings.keys)))
    (settings.models / ACTIVE).write_text(version)


@pytest.fixture
def settings(tmp_path) -> Settings:
    made = settings_in(tmp_path / "var")
    release_into(made, hand_made_model(shipped_dictionary()))
    return made


@pytest.fixture
def service(settings):
    practitioner, auditor = (create_key(settings.keys, role)[0] for role in ("practitioner", "auditor"))
    released = load_active(settings.models, settings.keys)
    log = open_log(settings)
    audit = AuditPlan(settings.audit_index, settings.audit_rate)
    keys = Keys(read_keys(settings.keys))
    pages = PagePlan(page_secret(settings.keys), settings.keys, settings.https)
    collaborators = Collaborators(released, log, keys, settings.origin, audit, pages, release_keys=settings.keys)
    app = create_app(collaborators, settings.body_limit)
    yield Service(
        app,
        log,
        released,
        settings,
        {"Authorization": f"Bearer {practitioner}"},
        {"Authorization": f"Bearer {auditor}"},
    )
    log.close()
