"""The answer to a screening, as the practitioner's system and the log both get it: canonical JSON (RFC 8785).

Every word comes from the model's own archived words. An answer is mostly words that never change while a model is
active, so they are rendered once, per feature and table slot; a screening fills in numbers and joins the parts.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from model.additive import AdditiveModel, Term
from model.case import Case
from model.dictionary import NOT_APPLICABLE, NOT_KNOWN, Ground, Value
from model.explanation import Explanation
from model.gaps import Gap, Gaps
from model.grounds import Grounds
from model.prompt import Prompt
from model.wording import contribution_text, value_words
from service.log.canonical import canonical_bytes

UNITS = "log-odds"
PLAIN_NUMBER = 1e-4
"""From here to 1, Python and RFC 8785 spell a number alike; below, RFC 8785 has another rule for the exponent."""
_HOLE = "\x01"
_HOLE_IN_JSON = b"\\u0001"

Row = bytes | tuple[bytes, bytes, bytes]


class AnswerWriter:
    """Writes the answers of one model: prompt, grounds, gaps, score, contributions, and what is left out."""

    def __init__(self, model: AdditiveModel) -> None:
        self._model = model
        self._rows: list[list[Row]] = [_rows_of(model, term) for term in model.terms]
        self._gaps = {term.feature.name: _gap_head(term) for term in model.terms}
        self._grounds = {ground.code: canonical_bytes(_shown_ground(ground)) for ground in model.dictionary.grounds}
        self._model_part = canonical_bytes({"name": model.name, "synthetic": model.synthetic, "version": model.version})
        self._not_considered = canonical_bytes(model.words["not_considered"]["items"])
        self._meaning = canonical_bytes(_score_meaning(model))
        self._base_value = canonical_bytes(model.base_value)

    def write(
        self,
        screening_id: str,
        case_ref: str,
        not_recognised: Sequence[str],
        case: Case,
        explanation: Explanation,
        gaps: Gaps,
        grounds: Grounds,
        prompt: Prompt,
    ) -> bytes:
        """The answer without its record. Keys stand in RFC 8785 order."""
        low, high = explanation.score_interval
        lowest, highest = gaps.score_range
        asked = {"ask": list(prompt.ask), "level": prompt.level, "reasons": list(prompt.reasons), "text": prompt.text}
        return b"".join(
            (
                b'{"band":%d,"case_ref":%b' % (explanation.band, canonical_bytes(case_ref)),
                b',"explanation":{"base_value":%b,"contributions":[' % self._base_value,
                b",".join(self._contributions(case, explanation)),
                b'],"units":"log-odds"},"grounds":[',
                b",".join([self._grounds[ground.code] for ground in grounds.met]),
                b'],"model":%b,"not_considered":%b,"not_known":[' % (self._model_part, self._not_considered),
                b",".join([self._gap(gap) for gap in gaps.gaps]),
                b'],"not_recognised":%b,"prompt":%b' % (canonical_bytes(list(not_recognised)), canonical_bytes(asked)),
                b',"score":%b' % number(explanation.score),
                b',"score_interval":[%b,%b]' % (number(low), number(high)),
                b',"score_meaning":%b' % self._meaning,
                b',"score_range":[%b,%b]' % (number(lowest), number(highest)),
                b',"screening_id":"%b"}' % screening_id.encode(),
            )
        )

    def _contributions(self, case: Case, explanation: Explanation) -> list[bytes]:
        """Largest first, whichever way they point."""
        sizes = [-abs(contribution) for contribution in explanation.contributions]
        rows = self._rows
        shown = []
        for j in sorted(range(len(sizes)), key=sizes.__getitem__):
            row = rows[j][explanation.slots[j]]
            shown.append(row if isinstance(row, bytes) else self._numeric_row(row, j, case))
        return shown

    def _numeric_row(self, row: tuple[bytes, bytes, bytes], j: int, case: Case) -> bytes:
        feature = self._model.terms[j].feature
        value = case.values[feature.name]
        words = canonical_bytes(value_words(self._model, feature, value))[1:-1]
        return row[0] + words + row[1] + canonical_bytes(value) + row[2]

    def _gap(self, gap: Gap) -> bytes:
        head = self._gaps[gap.term.feature.name]
        return b'%b%b,"score_if_lowest":%b}' % (head, number(gap.score_if_highest), number(gap.score_if_lowest))


def number(probability: float) -> bytes:
    """A probability (0 to 1) as RFC 8785 spells it."""
    return repr(probability).encode() if PLAIN_NUMBER <= probability < 1.0 else canonical_bytes(probability)


def _rows_of(model: AdditiveModel, term: Term) -> list[Row]:
    """The contribution of each slot of a term; a number's slot has holes for the value and for its words."""
    feature = term.feature
    known: Sequence[Value] = [_HOLE] * len(term.values) if feature.is_numeric else feature.levels
    values = [*known, NOT_KNOWN, *([NOT_APPLICABLE] if term.not_applicable is not None else [])]
    return [_row(model, term, slot, value) for slot, value in enumerate(values)]


def _row(model: AdditiveModel, term: Term, slot: int, value: Value) -> Row:
    contribution = term.table[slot] - term.mean
    text = contribution_text(model, term.feature, value, contribution)
    shown: dict[str, Any] = {
        "contribution": contribution,
        "feature": term.feature.name,
        "label": term.feature.label,
        "text": text,
        "value": value,
    }
    rendered = canonical_bytes(shown)
    if value != _HOLE:
        return rendered
    # The unit stands behind the value in the words; value_words puts it there again, so it is cut out here.
    words = canonical_bytes(value_words(model, term.feature, value))[1:-1]
    before, after = rendered.split(words, 1)
    between, end = after.split(b'"' + _HOLE_IN_JSON + b'"', 1)
    return before, between, end


def _gap_head(term: Term) -> bytes:
    feature = term.feature
    head = canonical_bytes({"feature": feature.name, "held_by": list(feature.held_by), "label": feature.label})
    return head[:-1] + b',"score_if_highest":'


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
