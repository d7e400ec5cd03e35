"""Pairs as they are shown: on the card, as data, and between two versions."""

import pytest

from model.account.page import Table
from model.account.whole import account
from model.card import model_card
from model.pairs.changes import pair_changes
from tests.builders import built_model, plain_dictionary, yes_no_term

RAW = plain_dictionary(
    {"name": "a", "kind": "yes_no", "direction": "raises"},
    {"name": "n", "kind": "number", "unit": "weeks", "minimum": 0, "maximum": 99, "not_applicable": True},
)
TERMS = [
    yes_no_term("a", 0.0, 0.5, 1.0),
    {
        "feature": "n",
        "edges": [2.0, 4.0, 8.0],
        "values": [0.0, 0.1, 0.2, 0.3],
        "not_known": 0.6,
        "not_applicable": 0.0,
        "mean": 0.1,
        "reference": 1,
        "counts": [300, 300, 200, 100],
    },
]
PAIR = {
    "features": ["a", "n"],
    "groups": [[0, 1, 2], [0, 0, 1, 1, 2, 3]],
    "values": [[0.1, -0.1, 0.0, 0.0], [-0.2, 0.3, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0]],
    "mean": 0.01,
    "counts": [[500, 200, 80, 30], [40, 30, None, None], [20, 12, None, None]],
}


def model(*pairs, **change):
    return built_model(RAW, TERMS, format=2, pairs=list(pairs), **change)


def test_the_card_shows_what_each_combination_adds_and_withholds_small_cells():
    page = account(model(PAIR), "0" * 64)
    (section,) = [one for one in page.sections if one.title == "Features that count together"]
    (table,) = [block for block in section.blocks if isinstance(block, Table)]
    assert table.caption == "Label of a (down) with Label of n (across)"
    assert table.columns == ("Label of a", "below 4 weeks", "4 weeks or more", "not known", "not applicable")
    assert table.rows[1] == ("yes", "-0.210 (40)", "+0.290 (30)", "withheld", "withheld")
    assert table.rows[2][1] == "-0.010 (20)"
    assert "and 1 of two features together" in str(page)
    assert "Features that count together" not in str(account(model(), "0" * 64))


def test_what_rounds_to_nothing_has_no_minus_before_it():
    assert "+0.000 (20)" in str(account(model({**PAIR, "mean": 0.0004}), "0" * 64))
    assert "-0.000" not in str(account(model({**PAIR, "mean": 0.0004}), "0" * 64))


def test_the_card_as_data_holds_the_pairs():
    assert model_card(model(PAIR), "0" * 64)["pairs"] == [PAIR]
    assert model_card(model(), "0" * 64)["pairs"] == []


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ([], [PAIR], ["counts together only in the new model"]),
        ([PAIR], [], ["counts together only in the old model"]),
        ([PAIR], [PAIR], []),
        ([PAIR], [{**PAIR, "mean": 0.03}], ["together moved by up to 0.020 log-odds"]),
        (
            [PAIR],
            [{**PAIR, "values": [[0.1, -0.1, 0.0, 0.0], [-0.2, 0.45, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0]]}],
            ["together moved by up to 0.150 log-odds"],
        ),
    ],
)
def test_versions_are_compared_pair_by_pair(old, new, said):
    found = pair_changes(model(*old), model(*new))
    assert found == [f"Label of a with Label of n: {line}" for line in said]
