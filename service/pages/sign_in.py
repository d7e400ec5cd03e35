"""`/`, `/sign-in` and `/sign-out`: the start page, and how a session begins and ends."""

from __future__ import annotations

from flask import Blueprint, Response, request

from service.errors import Problem
from service.pages.desk import PageDesk, see_other
from service.pages.session import HOURS, check_origin
from service.words.topics import topic


def sign_in_pages(blueprint: Blueprint, desk: PageDesk) -> None:
    """Adds the addresses of the start page and of signing in and out."""

    @blueprint.get("/")
    def home() -> Response:
        return desk.show("home.html", opened=desk.sections)

    @blueprint.get("/sign-in")
    def sign_in_form() -> Response:
        return _form({}, 200)

    @blueprint.post("/sign-in")
    def sign_in() -> Response:
        check_origin(request)
        key = request.form.get("key", "").strip()
        if not key:
            return _form({"key": topic("sign_in").missing}, 422)
        response = see_other(_local(request.form.get("next", "/")))
        try:
            desk.sessions.sign_in(key, response)
        except Problem as refusal:
            answered = desk.guesses.counted(refusal, request.remote_addr)
            if answered.status != 401:
                raise answered from None
            return _form({"key": topic("sign_in").refused}, 401)
        return response

    @blueprint.post("/sign-out")
    def sign_out() -> Response:
        visitor = desk.sessions.visitor(request)
        response = see_other("/")
        if visitor is not None:
            desk.sessions.check_form(visitor, request)
            desk.sessions.sign_out(response)
        return response

    def _form(errors: dict[str, str], status: int) -> Response:
        back = _local(request.values.get("next", "/"))
        return desk.show("sign_in.html", status=status, errors=errors, next=back, hours=HOURS)


def _local(address: str) -> str:
    """An address of ours to go on to; any other becomes the start page, so that no link can send a visitor away."""
    plain = address.startswith("/") and not address.startswith(("//", "/\\")) and address.isprintable()
    return address if plain and "\\" not in address else "/"
