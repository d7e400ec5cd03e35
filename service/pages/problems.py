"""Errors as pages: the same problems as the API's, in words and with a way back."""

from __future__ import annotations

from urllib.parse import urlencode

from flask import Blueprint, Flask, Response, request
from werkzeug.exceptions import HTTPException

from service.errors import problem_of
from service.log.store import NotDurable
from service.pages.desk import PageDesk, see_other
from service.pages.session import SignInNeeded
from service.records import not_recorded
from service.refusing import refusal_answer


def register_problem_pages(app: Flask, blueprint: Blueprint, desk: PageDesk) -> None:
    """Makes each error of a page a page, and so too what a browser asks for at an address that there is not."""

    @blueprint.errorhandler(SignInNeeded)
    def _sign_in(_: SignInNeeded) -> Response:
        back = request.full_path.rstrip("?") if request.method == "GET" else "/"
        return see_other(f"/sign-in?{urlencode({'next': back})}")

    @blueprint.errorhandler(NotDurable)
    def _not_durable(_: NotDurable) -> Response:
        return _page(not_recorded())

    @blueprint.errorhandler(Exception)
    def _any(error: Exception) -> Response:
        return _page(error)

    @app.errorhandler(HTTPException)
    def _elsewhere(error: HTTPException) -> Response:
        best = request.accept_mimetypes.best_match(["application/json", "text/html"], default="application/json")
        return _page(error) if best == "text/html" else refusal_answer(problem_of(error))

    def _page(error: Exception) -> Response:
        problem = problem_of(error)
        response = desk.show("problem.html", status=problem.status, problem=problem)
        response.headers.update(problem.headers)
        return response
