"""What a screening showed, drawn from its log entry: rendered once, kept for the visits that follow."""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

from jinja2 import Environment
from markupsafe import Markup

from model.additive import probability
from service.log.store import StoredEntry
from service.model_files import ReleasedModel
from service.pages.result.picture import FIRST_BARS, FIRST_REASONS, bar_rows, gap_rows, pooled_rows, range_picture
from service.screening.reading import agencies_of

KEPT = 64
"""Screenings whose drawing a worker keeps: a practitioner comes back to one after the response and the summary."""


class ShownScreenings:
    """The part of the result that never changes: prompt, grounds, gaps, score, contributions; and its record.

    The entry is read from the log at each visit all the same, so that an erased one is not shown from memory.
    """

    def __init__(self, templates: Environment, live: ReleasedModel, template: str = "result/shown.html") -> None:
        """`live` is the model whose level for considering a referral is drawn, where it is the one that answered."""
        self._templates = templates
        self._template = template
        self._live = live
        self._kept: OrderedDict[str, Markup] = OrderedDict()
        self._grounds = {ground.code: ground.label for ground in live.model.dictionary.grounds}
        self._labels = {agency.id: agency.label for agency in live.model.dictionary.agencies}

    def body(self, entry: StoredEntry, payload: Mapping[str, Any]) -> Markup:
        """Everything from the heading to what the model does not consider. `payload` is that of the entry."""
        found = self._kept.pop(entry.entry_id, None)
        if found is None:
            rendered = self._templates.get_template(self._template).render(self._context(entry, payload))
            found = Markup(rendered)  # noqa: S704  # rendered with autoescape
            while len(self._kept) >= KEPT:
                self._kept.popitem(last=False)
        self._kept[entry.entry_id] = found
        return found

    def _context(self, entry: StoredEntry, payload: Mapping[str, Any]) -> dict[str, Any]:
        answer = payload["answer"]
        contributions = [row["contribution"] for row in answer["explanation"]["contributions"]]
        at_hand = payload["model_sha256"] == self._live.sha256
        threshold = probability(self._live.model.threshold) if at_hand else None
        return {
            "answer": answer,
            "agency_label": ", ".join(self._labels.get(one, one) for one in agencies_of(payload["asked"])),
            "margin": math.fsum([answer["explanation"]["base_value"], *contributions]),
            "entry": entry,
            "threshold": threshold,
            "range_picture": range_picture(answer, threshold),
            "gaps": gap_rows(answer, threshold, self._labels),
            "bars": bar_rows(answer),
            "pooled_rows": pooled_rows(answer, threshold, self._labels, self._grounds),
            "first_bars": FIRST_BARS,
            "first_reasons": FIRST_REASONS,
        }
