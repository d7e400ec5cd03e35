"""`/model`: the account of the live model, of any released one, and what changed between two."""

from __future__ import annotations

from flask import Blueprint, Response, request
from markupsafe import Markup

from model.account.page import Page
from model.account.svg import svg
from model.account.whole import account
from model.artefact import ArtefactError
from model.dictionary import DictionaryError
from model.drift import LITTLE, MUCH
from model.wording import WordsError
from service.drift.agency import ENOUGH_ANSWERS
from service.errors import FieldError, problem
from service.model_files import ReleasedModel, load_released, released_versions
from service.pages.desk import PageDesk
from service.pages.model.changes import changes
from service.pages.model.history import history
from service.pages.result.picture import GAP_WIDTH
from service.running.telemetry import logger

MOST_MOVED = 12
"""Tables shown in full where two versions are compared; the others are counted."""


def model_pages(blueprint: Blueprint, desk: PageDesk) -> None:
    """Adds the addresses of the model's pages."""
    models = _Models(desk)
    desk.templates.globals["plot"] = lambda figure, name: Markup(svg(figure, name))  # noqa: S704  # svg() escapes

    @blueprint.get("/model")
    def live_model() -> Response:
        return models.account(desk.released)

    @blueprint.get("/model/<version>")
    def released_model(version: str) -> Response:
        if version not in models.versions():
            raise problem("not_found")
        return models.account(models.released(version))

    @blueprint.get("/model/history")
    def model_history() -> Response:
        found = None if desk.index is None else history(desk.log, desk.index)
        return desk.show("model/history.html", history=found, versions=models.versions())

    @blueprint.get("/model/drift")
    def model_drift() -> Response:
        desk.visitor("practitioner", "auditor", "operator")
        report = desk.drift.report()
        widths = [0.0 if one.index is None else min(one.index / (2 * MUCH), 1.0) * GAP_WIDTH for one in report.features]
        rows = sorted(zip(report.features, widths, strict=True), key=lambda row: -(row[0].index or 0.0))
        return desk.show("model/drift.html", report=report, rows=rows, little=LITTLE, much=MUCH, enough=ENOUGH_ANSWERS)

    @blueprint.get("/model/changes")
    def model_changes() -> Response:
        old, new = request.args.get("old"), request.args.get("new")
        if old is None or new is None:
            return desk.show("model/choose.html", versions=models.versions())
        return models.changes(old, new)


class _Models:
    """The released models on disk, and the account of each, made once."""

    def __init__(self, desk: PageDesk) -> None:
        self._desk = desk
        self._accounts: dict[str, Page] = {}

    def versions(self) -> tuple[str, ...]:
        """The released versions, the newest first."""
        return released_versions(self._desk.released.folder.parent)

    def released(self, version: str) -> ReleasedModel:
        """A version, its signature checked. Raises `Problem` where its files are not in order."""
        live = self._desk.released
        if version == live.model.version:
            return live
        try:
            return load_released(live.folder.parent / version, self._desk.key_folder)
        except (ArtefactError, DictionaryError, WordsError) as error:
            logger().error("released_model_unreadable", error=str(error))
            raise problem("model_unreadable") from None

    def account(self, released: ReleasedModel) -> Response:
        """The account of a version as a page."""
        if released.sha256 not in self._accounts:
            self._accounts[released.sha256] = account(released.model, released.sha256, released.overrides)
        return self._desk.show(
            "model/account.html",
            account=self._accounts[released.sha256],
            shown=released,
            is_live=released.sha256 == self._desk.released.sha256,
        )

    def changes(self, old: str, new: str) -> Response:
        """What changed between two versions. Raises `Problem` 400 for one that there is not."""
        versions = self.versions()
        unknown = [name for name, version in (("old", old), ("new", new)) if version not in versions]
        if unknown:
            raise problem("bad_parameter", [FieldError(name, "choose a released version") for name in unknown])
        before, after = self.released(old), self.released(new)
        found = changes(before.model, after.model)
        return self._desk.show("model/changes.html", old=before, new=after, changes=found, most=MOST_MOVED)
