"""What every page works with, and how one is shown: visitor, template, headers."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from flask import Response, request
from jinja2 import Environment

from service.access.guessing import Guesses
from service.access.keys import Caller, Keys, require_role
from service.access.rate import KeyRate
from service.audit.desk import Desk
from service.drift.window import DriftWindow
from service.log.search_index import SearchIndex
from service.log.store import LogStore
from service.model_files import ReleasedModel
from service.pages.environment import environment
from service.pages.result.kept import Kept
from service.pages.security import HTTPS_ONLY, PAGE_HEADERS
from service.pages.session import Sessions, SignInNeeded, Visitor
from service.replay.answering import AnsweringModels
from service.screening.answer import AnswerWriter
from service.web import Recorded

HTML = "text/html; charset=utf-8"


@dataclass(frozen=True, slots=True)
class PageDesk:
    """The collaborators of the pages, and what every view does with them."""

    released: ReleasedModel
    writer: AnswerWriter
    log: LogStore
    keys: Keys
    origin: str
    sessions: Sessions
    guesses: Guesses
    rate: KeyRate
    models: AnsweringModels
    https: bool
    key_folder: Path
    drift: DriftWindow
    index: SearchIndex | None
    """The search index of the log; None leaves out what needs it."""
    auditors: Desk | None = None
    """Where auditors are served, by the API too; None leaves their pages out."""
    vignettes: Path | None = None
    """Folder of a facilitator's own training cases; None where there is none."""
    templates: Environment = field(default_factory=environment)
    sections: set[str] = field(default_factory=set)
    """Addresses of the sections that this service has; filled in when the pages are put together."""

    def visitor(self, *roles: str) -> Visitor:
        """Who asks for this page. Raises `SignInNeeded`, and `Problem` 403 for one of another role."""
        visitor = self.sessions.visitor(request)
        if visitor is None:
            raise SignInNeeded
        require_role(visitor.caller, *roles)
        return visitor

    def sender(self, *roles: str) -> Visitor:
        """Who sent this form, from a page of their own session. Raises as `visitor`, and `Problem` 403."""
        visitor = self.visitor(*roles)
        self.sessions.check_form(visitor, request)
        return visitor

    def show(self, template: str, visitor: Visitor | None = None, status: int = 200, **context: Any) -> Response:
        """A page. `visitor` None is one that anybody may see; who is signed in is still named in its navigation."""
        visitor = visitor or self.sessions.visitor(request)
        caller: Caller | None = visitor.caller if visitor else None
        shown = self.templates.get_template(template).render(
            released=self.released,
            dictionary=self.released.model.dictionary,
            caller=caller,
            token=visitor.token if visitor else "",
            path=request.path,
            **context,
        )
        return self.headed(Response(shown, status, mimetype="text/html"))

    def made(self, kept: Kept) -> Response:
        """A page that was rendered before, packed for browsers that take it so."""
        headers = [*PAGE_HEADERS.items(), *(HTTPS_ONLY.items() if self.https else ()), ("Vary", "Accept-Encoding")]
        if "gzip" not in request.environ.get("HTTP_ACCEPT_ENCODING", ""):
            return Recorded(kept.page, 200, headers, HTML)
        return Recorded(kept.packed, 200, [*headers, ("Content-Encoding", "gzip")], HTML)

    def headed(self, response: Response) -> Response:
        """The response with the headers that every page has."""
        response.headers.update(PAGE_HEADERS)
        if self.https:
            response.headers.update(HTTPS_ONLY)
        return response


def see_other(address: str) -> Response:
    """Sends the browser on after a form, so that reloading the next page sends nothing twice."""
    return Response(status=303, headers={"Location": address})
