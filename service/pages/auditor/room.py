"""What every page of auditors goes through: the session, and then the API's own desk, with its rate and seats."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from flask import Response, request
from werkzeug.datastructures import MultiDict

from service.access.keys import ROLES, Caller
from service.audit.desk import Desk
from service.errors import Problem
from service.log.search_index import SearchIndex
from service.log.store import LogStore
from service.pages.desk import PageDesk

Work = Callable[[Caller], Response]


@dataclass(frozen=True, slots=True)
class ReadingRoom:
    """The collaborators of the auditors' pages."""

    pages: PageDesk
    desk: Desk
    index: SearchIndex

    @property
    def log(self) -> LogStore:
        """The log that is read."""
        return self.pages.log

    def look(self, work: Work) -> Response:
        """The page that `work` makes for who is signed in. Raises `SignInNeeded`, and `Problem` as `Desk.serve`."""
        # Every role gets as far as the desk, which refuses all but auditors and records that it did.
        return self.desk.serve(work, self.pages.visitor(*ROLES).caller)

    def act(self, work: Work) -> Response:
        """As `look`, for a form. Raises `Problem` 403 too, where it was not sent from a page of their own session."""
        return self.desk.serve(work, self.pages.sender(*ROLES).caller)


def filled(sent: MultiDict[str, str]) -> MultiDict[str, str]:
    """What of a form was filled in, without its token: a browser sends empty fields as well."""
    given = [(name, text.strip()) for name, text in sent.items(multi=True) if name != "token"]
    return MultiDict([(name, text) for name, text in given if text])


def asked() -> MultiDict[str, str]:
    """What the form in the page's address asks for."""
    return filled(request.args)


def fixes(refusal: Problem) -> dict[str, str]:
    """What is to be put right, by field. Raises the refusal where it is about no field."""
    if refusal.code != "bad_parameter":
        raise refusal
    return {error.field: error.fix for error in refusal.errors}
