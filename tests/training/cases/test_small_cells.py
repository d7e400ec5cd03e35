"""No answer that fewer cases gave than the disclosure threshold reaches a learner, and every other stays as it is."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.builders import built_dictionary
from training.cases.file import CaseFile
from training.cases.small_cells import fold_small_cells, released_cases

THRESHOLD = 10
GAP, APART = float("nan"), float("-inf")
YES_NO = {"kind": "yes_no"}
ORDINAL = {"kind": "ordinal", "levels": ["a", "b", "c", "d"], "reference": "b"}
CATEGORY = {"kind": "category", "levels": ["gp", "police", "other", "school"]}
NUMBER = {"kind": "number", "not_applicable": True}


def column(**counts: int) -> np.ndarray:
    """Codes: `c0=5` is five rows of level 0, `gap` of not known, `apart` of not applicable."""
    values = {"gap": GAP, "apart": APART}
    return np.concatenate(
        [
            np.full(rows, values.get(code, float(code[1:] or 0) if code[0] == "c" else 0.0))
            for code, rows in counts.items()
        ]
    )


def folded(feature: dict[str, Any], codes: np.ndarray) -> tuple[dict[str, int], list[tuple[str, str]]]:
    dictionary = built_dictionary({"name": "asked", **feature})
    before = codes.copy()
    X, what = fold_small_cells(codes[:, None], dictionary, THRESHOLD)
    np.testing.assert_array_equal(codes, before)
    values, counts = np.unique(np.nan_to_num(X[:, 0], nan=-1, neginf=-2), return_counts=True)
    names = {-1.0: "gap", -2.0: "apart"}
    assert all(fold.feature == "asked" for fold in what)
    return (
        {names.get(value, f"c{value:g}"): int(rows) for value, rows in zip(values, counts, strict=True)},
        [(fold.answer, fold.counted_with) for fold in what],
    )


@pytest.mark.parametrize(
    ("feature", "before", "after", "said"),
    [
        (YES_NO, {"c0": 50, "c1": 9, "gap": 20}, {"gap": 29, "c0": 50}, [("yes", "not known")]),
        (YES_NO, {"c0": 50, "c1": 10, "gap": 20}, {"gap": 20, "c0": 50, "c1": 10}, []),
        (
            YES_NO,
            {"c0": 50, "c1": 30, "gap": 4},
            {"c0": 54, "c1": 30},
            [("not known", "the reference or the most common answer")],
        ),
        (ORDINAL, {"c0": 50, "c1": 40, "c2": 7, "c3": 4}, {"c0": 50, "c1": 40, "c2": 11}, [("d", "c")]),
        (ORDINAL, {"c0": 3, "c2": 40, "c3": 12}, {"c2": 43, "c3": 12}, [("a", "c")]),
        (CATEGORY, {"c0": 50, "c1": 6, "c2": 5, "c3": 40}, {"c0": 50, "c2": 11, "c3": 40}, [("police", "other")]),
        (
            CATEGORY,
            {"c0": 50, "c1": 6, "c2": 30, "c3": 2},
            {"c0": 50, "c2": 38},
            [("school", "other"), ("police", "other")],
        ),
        (CATEGORY, {"c0": 50, "c1": 6, "gap": 12}, {"gap": 18, "c0": 50}, [("police", "not known")]),
        (NUMBER, {"c1": 5, "c2": 4, "gap": 30}, {"gap": 39}, [("any number", "not known")]),
        (NUMBER, {"c1": 50, "apart": 3, "gap": 30}, {"gap": 33, "c1": 50}, [("not applicable", "not known")]),
    ],
)  # fmt: skip
def test_a_rare_answer_joins_its_neighbour(
    feature: dict[str, Any], before: dict[str, int], after: dict[str, int], said: list[tuple[str, str]]
) -> None:
    assert folded(feature, column(**before)) == (after, said)


@settings(max_examples=80, deadline=None)
@given(
    kind=st.sampled_from([YES_NO, ORDINAL, CATEGORY, NUMBER]),
    counts=st.lists(st.integers(0, 25), min_size=6, max_size=6),
)
def test_whatever_the_counts_no_small_one_is_left(kind: dict[str, Any], counts: list[int]) -> None:
    levels = len(kind.get("levels", ["no", "yes"]))
    given = {f"c{code}": rows for code, rows in enumerate(counts[:levels])}
    given["gap"] = counts[4]
    if kind.get("not_applicable"):
        given["apart"] = counts[5]
    codes = column(**given)
    after, _ = folded(kind, codes)
    if kind is NUMBER:  # the learner's bins keep the threshold among numbers
        after["known"] = sum(after.pop(code) for code in list(after) if code[0] == "c")
    assert sum(after.values()) == len(codes)
    alone = len([rows for rows in after.values() if rows]) == 1
    assert alone or not [rows for rows in after.values() if 0 < rows < THRESHOLD]


def test_what_the_model_says_of_it_holds_names_and_no_count() -> None:
    dictionary = built_dictionary({"name": "asked", **YES_NO})
    cases = CaseFile(
        X=column(c0=50, c1=9, gap=20)[:, None],
        y=np.zeros(79, dtype=np.int8),
        groups=np.arange(79),
        time=None,
        monitored=pd.DataFrame(),
        ignored=(),
        accepted=(("asked", "is the outcome", "agreed"),),
    )
    _, lineage = released_cases(cases, dictionary)
    assert lineage == {
        "disclosure_threshold": 10,
        "folded": [{"feature": "asked", "answer": "yes", "counted_with": "not known"}],
        "accepted": [{"column": "asked", "problem": "is the outcome", "reason": "agreed"}],
    }
