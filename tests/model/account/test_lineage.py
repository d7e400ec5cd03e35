"""What was accepted in spite of a warning, and what was folded, stands on the card and not in its data alone."""

from __future__ import annotations

from model.account.whole import account
from tests.builders import built_model, plain_dictionary, yes_no_term

RAW = plain_dictionary({"name": "a", "kind": "yes_no", "direction": "raises"})
ACCEPTED = [{"column": "plan_date", "problem": "gives the outcome away", "reason": "known before"}]
FOLDED = [{"feature": "a", "answer": "yes", "counted_with": "not known"}]


def card(**training):
    model = built_model(RAW, [yes_no_term("a", 0.0, 0.5, 1.0)], training={"rows": 1000, **training})
    (section,) = [one for one in account(model, "0" * 64).sections if one.title == "What it learned from"]
    return section.blocks


def test_accepted_columns_are_named_with_the_reason():
    assert ("plan_date", "gives the outcome away", "known before") in card(accepted=ACCEPTED)[3].rows
    assert "No column was accepted" in str(card(accepted=[]))
    assert "is not stated" in str(card())


def test_folded_answers_are_named_with_what_they_are_counted_with():
    assert ("Label of a", "yes", "not known") in card(folded=FOLDED, accepted=[])[-1].rows
    assert "Rare answers" not in str(card(folded=[]))
