"""How many cases gave each answer, as far as that may be told: by its threshold and what was folded."""

from __future__ import annotations

from typing import Any

import pytest

from model.account.shapes import answers, importance
from model.account.whole import account
from model.additive import AdditiveModel
from tests.builders import built_model, plain_dictionary, yes_no_term

RAW = plain_dictionary(
    {"name": "a", "kind": "yes_no", "direction": "raises"},
    {"name": "n", "kind": "number", "unit": "weeks", "minimum": 0, "maximum": 99, "not_applicable": True},
)
FOLDED = [{"feature": "a", "answer": "yes", "counted_with": "not known"}]
ROWS = 1000


def model(
    counts: list[int | None], numbers: tuple[int, int, int, int] = (500, 300, 150, 50), **training: Any
) -> AdditiveModel:
    """`counts` of no and yes; `numbers` of two bins, not known and not applicable, whose mean tells the last two."""
    values, apart = [0.0, 0.2], (0.6, 0.1)
    mean = sum(count * value for count, value in zip(numbers, [*values, *apart], strict=True)) / sum(numbers)
    number = {
        "feature": "n",
        "edges": [4.0],
        "values": values,
        "not_known": apart[0],
        "not_applicable": apart[1],
        "mean": mean,
        "reference": 0,
        "counts": list(numbers[:2]),
    }
    facts = {"rows": ROWS, **training}
    return built_model(RAW, [yes_no_term("a", 0.0, 0.5, 1.0, counts=counts), number], training=facts)


def said(of: AdditiveModel, place: int = 0) -> dict[str, str]:
    return {answer.label: answer.said for answer in answers(of, of.terms[place])}


def test_the_not_known_count_is_shown_beside_an_answer_that_was_folded() -> None:
    assert said(model([979, None], folded=FOLDED)) == {"no": "979", "yes": "counted with not known", "not known": "21"}
    assert said(model([979, None], folded=[])) == {"no": "979", "yes": "none", "not known": "21"}


def test_it_is_withheld_where_it_could_give_another_count_away() -> None:
    """Without word of folding the blank may be 1 to 9 cases, and so are part of what is left over."""
    assert said(model([979, None])) == {"no": "979", "yes": "withheld", "not known": "withheld"}
    assert said(model([900, 79])) == {"no": "900", "yes": "79", "not known": "21"}


def test_not_known_and_not_applicable_are_told_apart_by_the_mean_or_not_at_all() -> None:
    found = said(model([900, 79], folded=[]), 1)
    assert (found["not known"], found["not applicable"]) == ("150", "50")
    few = said(model([900, 79], (500, 300, 195, 5), folded=[]), 1)
    assert (few["not known"], few["not applicable"]) == ("withheld", "withheld")


def test_the_threshold_is_the_models_own() -> None:
    strict = model([979, None], folded=FOLDED, disclosure_threshold=25)
    assert said(strict)["not known"] == "withheld"
    text = str(account(strict, "0" * 64))
    assert "fewer than 25 training cases" in text
    assert "fewer than 10" not in text
    assert "fewer than 10 training cases" in str(account(model([979, None], folded=FOLDED), "0" * 64))


def test_no_words_of_the_card_say_of_a_count_that_it_is_small() -> None:
    """Only that what is withheld tells of few, or would give few away."""
    page = account(model([979, None]), "0" * 64)
    assert page.sections[-1].title == "What is withheld"
    assert all("fewer than 10" not in cell for row in _rows(page) for cell in row)


def test_an_answer_that_was_folded_weighs_nothing_in_the_importance() -> None:
    folded, silent = (dict(_sizes(model([979, None], **more))) for more in ({"folded": FOLDED}, {}))
    assert folded["a"] == pytest.approx((979 * 0.0 + 21 * abs(0.5)) / 1000, abs=0.2)
    assert folded["a"] != silent["a"]


def _sizes(of: AdditiveModel) -> list[tuple[str, float]]:
    return [(term.feature.name, size) for term, size in importance(of)]


def _rows(page: Any) -> list[tuple[str, ...]]:
    found: list[tuple[str, ...]] = []
    for section in page.sections:
        for part in (section, *section.parts):
            for block in part.blocks:
                table = getattr(block, "table", block)
                found += list(getattr(table, "rows", ()))
    return found
