"""`/screen`: choose the agency, answer what is known, send."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any

from flask import Blueprint, Response, request
from marshmallow import Schema, ValidationError

from service.access.keys import Caller
from service.errors import FieldError, Problem, problem
from service.log.store import AlreadyRecorded
from service.pages.desk import PageDesk, see_other
from service.pages.screen.questions import question_groups
from service.pages.screen.sent import asked_by
from service.records import record_refusal, recorded
from service.screening.idempotency import idempotency_key
from service.screening.reading import field_errors, request_names
from service.screening.schemas import request_schema
from service.screening.story import screen


def screen_pages(blueprint: Blueprint, desk: PageDesk) -> None:
    """Adds the addresses of the form."""
    form = _Form(desk)
    agencies = form.agencies

    @blueprint.get("/screen")
    def choose_agency() -> Response:
        caller = desk.visitor("practitioner").caller
        if caller.agency is not None:
            return see_other(f"/screen/{caller.agency}")
        return desk.show("screen/agency.html", agencies=agencies)

    @blueprint.get("/screen/from")
    def chosen_agency() -> Response:
        desk.visitor("practitioner")
        agency = request.args.get("agency", "")
        if agency not in agencies:
            return desk.show("screen/agency.html", status=422, agencies=agencies, missing=True)
        return see_other(f"/screen/{agency}")

    @blueprint.get("/screen/<agency>")
    def empty_form(agency: str) -> Response:
        form.check_agency(desk.visitor("practitioner").caller, agency)
        return form.shown(agency, {}, [], 200)

    @blueprint.post("/screen/<agency>")
    def send(agency: str) -> Response:
        caller = desk.sender("practitioner").caller
        form.check_agency(caller, agency)
        return form.sent(agency, caller)


class _Form:
    """The form of one dictionary: shown, checked, and screened."""

    def __init__(self, desk: PageDesk) -> None:
        self._desk = desk
        self._dictionary = desk.released.model.dictionary
        self._schema: Schema = request_schema(self._dictionary)
        self.agencies = {agency.id: agency.label for agency in self._dictionary.agencies}

    def check_agency(self, caller: Caller, agency: str) -> None:
        """Raises `Problem`: there is no such agency, or the key belongs to another."""
        if agency not in self.agencies:
            raise problem("not_found")
        if caller.agency not in (None, agency):
            raise problem("wrong_agency")

    def shown(self, agency: str, filled: Mapping[str, str], errors: list[FieldError], status: int) -> Response:
        """The form, as it was filled in, with what is to be put right."""
        return self._desk.show(
            "screen/form.html",
            status=status,
            agency=agency,
            agency_label=self.agencies[agency],
            groups=question_groups(self._dictionary, agency),
            filled=filled,
            errors={error.field: error.fix for error in errors},
            once=filled.get("once") or secrets.token_hex(16),
        )

    def sent(self, agency: str, caller: Caller) -> Response:
        """On to the result, or the form again with its errors; either is recorded first."""
        asked, errors = asked_by(request.form, agency, question_groups(self._dictionary, agency))
        validated = checked(self._schema, asked, errors)
        if validated is None:
            record_refusal(problem("refused", errors), caller, self._desk.log)
            shown = [FieldError(error.field.removeprefix("features."), error.fix) for error in errors]
            return self.shown(agency, request.form, shown, 422)
        return see_other(f"/screenings/{screened(validated, caller, self._desk)}")


def checked(schema: Schema, asked: dict[str, Any], errors: list[FieldError]) -> dict[str, Any] | None:
    """The request of a form, as the API's schema takes it; None where something is wrong, which `errors` then says."""
    try:
        validated: dict[str, Any] = schema.load(asked)
    except ValidationError as error:
        messages = error.normalized_messages()  # type: ignore[no-untyped-call]
        errors += field_errors(messages, request_names(schema))
        return None
    return None if errors else validated


def screened(validated: dict[str, Any], caller: Caller, desk: PageDesk) -> str:
    """Screens what a form sent, once however often it is sent; the id of the screening. Raises `Problem`."""
    desk.rate.admit(caller.key_id)
    try:
        once = idempotency_key(request.form.get("once"), caller, "screening")
        shown = screen(validated, desk.released, desk.writer, desk.log, caller, once)
    except AlreadyRecorded as earlier:  # sent twice: the first one is shown
        index = earlier.index
        found = recorded(lambda: desk.log.get_index(index))
        if found is None:
            raise problem("record_damaged") from None
        return found.entry_id
    except Problem as refusal:
        record_refusal(refusal, caller, desk.log)
        raise
    return shown.receipt.entry_id
