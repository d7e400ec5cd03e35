"""`/learn`: training cases for anybody, without signing in, a cookie or a record."""

from __future__ import annotations

import math
from collections.abc import Collection
from typing import Any

from flask import Blueprint, Response, request

from model.additive import probability
from service.errors import problem
from service.learning.feedback import remarks
from service.learning.lesson import Lesson, Lessons
from service.learning.reader import read_shelf
from service.learning.vignette import Choice, Vignette
from service.pages.desk import PageDesk
from service.pages.learn.sentences import answer_rows, asked_rows, conflict_lines, thoughts
from service.pages.result.picture import FIRST_BARS, FIRST_REASONS, bar_rows, gap_rows, range_picture
from service.running.telemetry import logger
from service.words.topics import topic


def learn_pages(blueprint: Blueprint, desk: PageDesk) -> None:
    """Adds the addresses of learning mode; training cases are read and checked now, once."""
    shelf = _Shelf(desk)

    @blueprint.get("/learn")
    def training_cases() -> Response:
        return desk.show("learn/list.html", vignettes=shelf.all(), left_out=shelf.left_out)

    @blueprint.get("/learn/<code>")
    def story(code: str) -> Response:
        return shelf.story(shelf.named(code), {}, 200)

    @blueprint.post("/learn/<code>")
    def lesson(code: str) -> Response:
        vignette = shelf.named(code)
        choice = vignette.choice(request.form.get("do", ""))
        asks = request.form.getlist("ask")
        if choice is None:
            return shelf.story(vignette, {"do": topic("learning").story.missing}, 422, asks)
        return shelf.lesson(vignette, choice, asks)


class _Shelf:
    """The training cases that fit the live model's dictionary."""

    def __init__(self, desk: PageDesk) -> None:
        self._desk = desk
        self._dictionary = desk.released.model.dictionary
        found = read_shelf(desk.vignettes, self._dictionary)
        in_order = sorted((read.vignette for read in found if read.vignette), key=lambda one: one.order)
        self._vignettes = {vignette.code: vignette for vignette in in_order}
        self._lessons = Lessons(desk.released, desk.writer)
        self._shown: dict[str, dict[str, Any]] = {}
        self.left_out = sum(read.vignette is None for read in found)
        for read in found:
            if read.vignette is None:  # a training case is no reason for a service not to start
                logger().warning("vignette_left_out", file=read.path.name, faults=len(read.faults))

    def all(self) -> list[Vignette]:
        """Every training case, in its place."""
        return list(self._vignettes.values())

    def named(self, code: str) -> Vignette:
        """Raises `Problem` 404."""
        if code not in self._vignettes:
            raise problem("not_found")
        return self._vignettes[code]

    def story(self, vignette: Vignette, errors: dict[str, str], status: int, asks: Collection[str] = ()) -> Response:
        """The story and its form."""
        return self._desk.show(
            "learn/story.html",
            status=status,
            vignette=vignette,
            answers=answer_rows(vignette, self._desk.released.model),
            errors=errors,
            asks=asks,
        )

    def lesson(self, vignette: Vignette, choice: Choice, asks: Collection[str]) -> Response:
        """What the reader chose, what the service shows, and what was found out later."""
        lesson = self._lessons.lesson(vignette, choice, asks)
        if vignette.code not in self._shown:
            self._shown[vignette.code] = self._same_for_all(lesson)
        return self._desk.show(
            "learn/lesson.html",
            lesson=lesson,
            vignette=vignette,
            asked=asked_rows(lesson, self._dictionary),
            thoughts=thoughts(remarks(lesson, self._dictionary)),
            shown=self._shown[vignette.code],
        )

    def _same_for_all(self, lesson: Lesson) -> dict[str, Any]:
        """What a lesson shows whatever its reader chose."""
        answer = lesson.own.answer
        threshold = probability(self._desk.released.model.threshold)
        labels = {agency.id: agency.label for agency in self._dictionary.agencies}
        return {
            "lesson": lesson,
            "agency": labels[lesson.vignette.agency],
            "conflicts": conflict_lines(lesson, self._desk.released.model),
            "answer": answer,
            "margin": answer["explanation"]["base_value"]
            + math.fsum(row["contribution"] for row in answer["explanation"]["contributions"]),
            "threshold": threshold,
            "range_picture": range_picture(answer, threshold),
            "gaps": gap_rows(answer, threshold, labels),
            "bars": bar_rows(answer),
            "first_bars": FIRST_BARS,
            "first_reasons": FIRST_REASONS,
        }
