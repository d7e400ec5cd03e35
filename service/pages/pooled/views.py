"""`/pooled`: what several agencies know of one case, in one form. Nothing is linked between two requests."""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping, Sequence

from flask import Blueprint, Response, request

from service.access.keys import Caller
from service.errors import FieldError, problem
from service.pages.desk import PageDesk, see_other
from service.pages.screen.questions import Group, questions_of
from service.pages.screen.sent import pooled_by
from service.pages.screen.views import checked, screened
from service.records import record_refusal
from service.screening.reading import check_agency
from service.screening.schemas import request_schema

FEWEST = 2
"""Agencies: with one there is nothing to pool."""
_PLACE = re.compile(r"observations\.(\d+)\.(?:features\.)?")


def pooled_pages(blueprint: Blueprint, desk: PageDesk) -> None:
    """Adds the addresses of the pooled view."""
    form = _PooledForm(desk)

    @blueprint.get("/pooled")
    def choose_agencies() -> Response:
        caller = desk.visitor("practitioner").caller
        chosen = request.args.getlist("agency")
        if not chosen:
            return form.choice(caller, [], 200)
        groups = form.groups(chosen, caller)
        if len(groups) < FEWEST:
            return form.choice(caller, chosen, 422)
        return form.shown(groups, {}, [], 200)

    @blueprint.post("/pooled")
    def send_pooled() -> Response:
        caller = desk.sender("practitioner").caller
        groups = form.groups(request.form.getlist("agency"), caller)
        if len(groups) < FEWEST:
            return form.choice(caller, [group.agency for group in groups], 422)
        return form.sent(groups, caller)


class _PooledForm:
    """The form of several agencies: shown, checked, and screened."""

    def __init__(self, desk: PageDesk) -> None:
        self._desk = desk
        self._dictionary = desk.released.model.dictionary
        self._schema = request_schema(self._dictionary)
        self._agencies = {agency.id: agency.label for agency in self._dictionary.agencies}

    def groups(self, chosen: Sequence[str], caller: Caller) -> list[Group]:
        """The questions of each agency chosen, once each, in the dictionary's order. Raises `Problem` for others'."""
        groups = [questions_of(self._dictionary, agency) for agency in self._agencies if agency in chosen]
        if groups:
            check_agency({"observations": [{"agency": group.agency} for group in groups]}, caller)
        return groups

    def choice(self, caller: Caller, chosen: Sequence[str], status: int) -> Response:
        """The page on which to choose agencies."""
        own = [caller.agency] if caller.agency is not None else []
        return self._desk.show(
            "pooled/agencies.html",
            status=status,
            agencies=self._agencies,
            chosen=[*chosen, *own],
            too_few=status != 200,
        )

    def shown(self, groups: list[Group], filled: Mapping[str, str], errors: list[FieldError], status: int) -> Response:
        """The form, as it was filled in, with what is to be put right."""
        return self._desk.show(
            "pooled/form.html",
            status=status,
            groups=groups,
            filled=filled,
            errors={_field_name(error.field, groups): error.fix for error in errors},
            once=filled.get("once") or secrets.token_hex(16),
        )

    def sent(self, groups: list[Group], caller: Caller) -> Response:
        """On to the result, or the form again with its errors; either is recorded first."""
        asked, errors = pooled_by(request.form, groups)
        validated = checked(self._schema, asked, errors)
        if validated is None:
            refusal = problem("refused", errors)
            record_refusal(refusal, caller, self._desk.log)
            return self.shown(groups, request.form, errors, refusal.status)
        return see_other(f"/screenings/{screened(validated, caller, self._desk)}")


def _field_name(field: str, groups: list[Group]) -> str:
    """The name in the form of a field of the request: `observations.1.features.x` is `police.x`."""
    return _PLACE.sub(lambda found: f"{groups[int(found[1])].agency}.", field)
