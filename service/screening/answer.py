"""The answer to a screening, as the practitioner's system and the log both get it: canonical JSON (RFC 8785).

Every word comes from the model's own archived words. An answer is mostly words that never change while a model is
active, so they are rendered once, per feature and table slot; a screening fills in numbers and joins the parts. Where a
feature has a table together with another, what is said of it depends on that other's answer: rendered when first met.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from operator import getitem
from typing import Any

import orjson

from model.additive import AdditiveModel, Term
from model.case import Case
from model.dictionary import NOT_APPLICABLE, NOT_KNOWN, Ground, Value
from model.explanation import Explanation
from model.gaps import Gaps
from model.pairs.table import PairTerm
from model.view import View
from model.wording import contribution_text, together_with
from service.log.canonical import canonical_bytes, fractionless_bytes

UNITS = "log-odds"
PLAIN_NUMBER = 1e-4
"""From here to 1, orjson and RFC 8785 spell a number alike; below, RFC 8785 has another rule for the exponent."""
_HOLE = "\x01"
_HOLE_IN_JSON = b"\\u0001"
_NEXT = b"},"
"""Ends a row and begins the next."""
MOST_KEPT = 20_000
"""Rows of features in pairs that are kept: about 500 bytes each; what is beyond them is rendered again each time."""

Row = bytes | tuple[bytes, bytes, bytes]


class AnswerWriter:
    """Writes the answers of one model: prompt, grounds, gaps, score, contributions, and what is left out."""

    def __init__(self, model: AdditiveModel) -> None:
        self._model = model
        self._rows: list[list[Row]] = [_rows_of(model, term) for term in model.terms]
        self._pairs_of: dict[int, list[PairTerm]] = {}
        for pair in model.pairs:
            self._pairs_of.setdefault(pair.first, []).append(pair)
            self._pairs_of.setdefault(pair.second, []).append(pair)
        self._kept: dict[tuple[int, ...], Row] = {}
        self._numbers = [place for place, term in enumerate(model.terms) if term.feature.is_numeric]
        self._gaps = {term.feature.name: _gap_head(term) for term in model.terms}
        self._grounds = {ground.code: canonical_bytes(_shown_ground(ground)) for ground in model.dictionary.grounds}
        about = canonical_bytes({"name": model.name, "synthetic": model.synthetic, "version": model.version})
        left_out = canonical_bytes(model.words["not_considered"]["items"])
        self._before_contributions = b',"explanation":{"base_value":%b,"contributions":[' % canonical_bytes(
            model.base_value
        )
        self._before_not_known = b'],"model":%b,"not_considered":%b,"not_known":[' % (about, left_out)
        self._before_range = b'],"score_meaning":%b,"score_range":[' % canonical_bytes(_score_meaning(model))

    def write(
        self,
        screening_id: str,
        case_ref: str,
        not_recognised: Sequence[str],
        view: View,
        pooled: Mapping[str, Any] | None = None,
    ) -> bytes:
        """The answer without its record; `pooled` is what it says of several agencies. Keys in RFC 8785 order."""
        case, explanation, gaps, grounds, prompt = view.case, view.explanation, view.gaps, view.grounds, view.prompt
        shown_scores = (explanation.score, *explanation.score_interval, *gaps.score_range)
        written = numbers([*shown_scores, *gaps.scores_if_highest, *gaps.scores_if_lowest])
        score, low, high, lowest, highest = written[:5]
        asked = {"ask": prompt.ask, "level": prompt.level, "reasons": prompt.reasons, "text": prompt.text}
        return b"".join(
            [
                b'{"band":%d,"case_ref":%b' % (explanation.band, fractionless_bytes(case_ref)),
                self._before_contributions,
                *self._contributions(case, explanation),
                b'],"units":"log-odds"},"grounds":[',
                b",".join([self._grounds[ground.code] for ground in grounds.met]),
                self._before_not_known,
                *self._not_known(gaps, written[5:]),
                b'],"not_recognised":%b' % (canonical_bytes(list(not_recognised)) if not_recognised else b"[]"),
                b"" if pooled is None else b',"pooled":%b' % canonical_bytes(dict(pooled)),
                b',"prompt":%b,"score":%b,"score_interval":[%b,%b' % (fractionless_bytes(asked), score, low, high),
                self._before_range,
                b'%b,%b],"screening_id":"%b"}' % (lowest, highest, screening_id.encode()),
            ]
        )

    def _not_known(self, gaps: Gaps, scores: Sequence[bytes]) -> list[bytes]:
        """The parts of the rows, in order. Column by column, as one statement for all rows costs less than one each."""
        rows = len(gaps.terms)
        parts = [b""] * (4 * rows)
        parts[0::4] = [self._gaps[term.feature.name] for term in gaps.terms]
        parts[1::4], parts[3::4] = scores[:rows], scores[rows:]
        parts[2::4] = [b',"score_if_lowest":'] * rows
        return [parts[0].removeprefix(_NEXT), *parts[1:], b"}"] if parts else parts

    def _contributions(self, case: Case, explanation: Explanation) -> list[bytes]:
        """The rows, the largest first, whichever way they point, with a comma before all but the first."""
        rows: list[Any] = list(map(getitem, self._rows, explanation.slots))
        for place in self._pairs_of:
            rows[place] = self._row_in_pairs(place, case, explanation)
        for place in self._numbers:
            if isinstance(rows[place], tuple):
                rows[place] = self._numeric_row(rows[place], place, case)
        shown = [rows[place] for place in explanation.order]
        shown[:1] = [first.removeprefix(b",") for first in shown[:1]]
        return shown

    def _row_in_pairs(self, j: int, case: Case, explanation: Explanation) -> Row:
        """The row of a feature in pairs: it depends on its own slot and on the cell of each of its pairs."""
        slots, term = explanation.slots, self._model.terms[j]
        key = (j, slots[j], *[pair.cell(slots) for pair in self._pairs_of[j]])
        if (kept := self._kept.get(key)) is not None:
            return kept
        value = case.values[term.feature.name]
        shown = value if isinstance(value, str) else _HOLE
        row = _row(self._model, term, explanation.contributions[j], shown, together_with(self._model, j, slots))
        if len(self._kept) < MOST_KEPT:
            self._kept[key] = row
        return row

    def _numeric_row(self, row: tuple[bytes, bytes, bytes], j: int, case: Case) -> bytes:
        value = case.values[self._model.terms[j].feature.name]
        before, between, after = row
        words: bytes = str(value).encode()  # as `value_words` has it; the unit stands in the row
        spelled = words if isinstance(value, int) else canonical_bytes(value)
        return b"%b%b%b%b%b" % (before, words, between, spelled, after)


def numbers(probabilities: Sequence[float]) -> list[bytes]:
    """Probabilities (0 to 1) as RFC 8785 spells them."""
    if min(probabilities) >= PLAIN_NUMBER and max(probabilities) < 1.0:
        return orjson.dumps(probabilities)[1:-1].split(b",")
    return [canonical_bytes(probability) for probability in probabilities]


def _rows_of(model: AdditiveModel, term: Term) -> list[Row]:
    """The contribution of each slot of a term; a number's slot has holes for the value and for its words."""
    feature = term.feature
    known: Sequence[Value] = [_HOLE] * len(term.values) if feature.is_numeric else feature.levels
    values = [*known, NOT_KNOWN, *([NOT_APPLICABLE] if term.not_applicable is not None else [])]
    return [_row(model, term, term.contributions[slot], value) for slot, value in enumerate(values)]


def _row(model: AdditiveModel, term: Term, contribution: float, value: Value, together: Sequence[str] = ()) -> Row:
    text = contribution_text(model, term.feature, value, contribution, together)
    shown: dict[str, Any] = {
        "contribution": contribution,
        "feature": term.feature.name,
        "label": term.feature.label,
        "text": text,
        "value": value,
    }
    rendered = b"," + canonical_bytes(shown)
    if value != _HOLE:
        return rendered
    # A text and then a value: the value stands in quotes here, as a number does not.
    before, between, after = rendered.split(_HOLE_IN_JSON)
    return before, between.removesuffix(b'"'), after.removeprefix(b'"')


def _gap_head(term: Term) -> bytes:
    feature = term.feature
    head = canonical_bytes({"feature": feature.name, "held_by": list(feature.held_by), "label": feature.label})
    return b'%b%b,"score_if_highest":' % (_NEXT, head[:-1])


def _shown_ground(ground: Ground) -> dict[str, str]:
    return {
        "action": ground.action,
        "code": ground.code,
        "label": ground.label,
        "source": ground.source,
        "text": ground.text,
    }


def _score_meaning(model: AdditiveModel) -> str:
    words = model.words["score"]
    meaning: str = words["meaning"].format(outcome=model.dictionary.outcome.meaning)
    return f"{meaning} {words['synthetic']}" if model.synthetic else meaning
