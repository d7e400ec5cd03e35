"""Gaps of many cases of a model with pairs are those of one case, to the last bit."""

from dataclasses import replace
from random import Random

import numpy as np
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from model.case import Case
from model.columns.codes import codes_of
from model.columns.gaps_in_pairs import GapsInPairColumns
from model.columns.pairs import PairColumns
from model.columns.screen import logistic
from model.explanation import explain
from model.gaps import fewest_answers, find_gaps
from model.pairs.gaps import highest_by_answers, moves
from tests.builders import models

ROWS = 40


@st.composite
def files(draw):
    """A model with pairs, and rows of codes that leave about half unknown, some of them alike."""
    model = draw(models(pairs=6))
    assume(model.pairs)
    codes, luck = codes_of(model), Random(draw(st.integers(0, 2**32)))
    rows = [[luck.choice((of.not_known, luck.randrange(len(of.values)))) for of in codes] for _ in range(ROWS)]
    return model, codes, np.array([*rows, *rows[: ROWS // 2]], dtype=np.uint8).T


def case_of(codes, column):
    return Case({of.feature.name: of.values[code] for of, code in zip(codes, column.tolist(), strict=True)})


def agree(model, codes, columns):
    cases = [case_of(codes, column) for column in columns.T]
    seen = [explain(model, case) for case in cases]
    pairs = tuple(PairColumns.of(pair, codes) for pair in model.pairs)
    found = GapsInPairColumns(model, codes, pairs).find(columns, np.array([one.margin for one in seen]))
    ends = zip(logistic(found.lowest).tolist(), logistic(found.highest).tolist(), strict=True)
    for explanation, both, few in zip(seen, ends, found.reachable.tolist(), strict=True):
        gaps = find_gaps(model, explanation)
        assert both == gaps.score_range
        if explanation.margin < model.threshold:
            fewest = fewest_answers(model, explanation, gaps)
            assert few == (fewest is not None and len(fewest) <= model.dictionary.policy.answers)


@settings(deadline=None)
@given(files(), st.integers(0, ROWS - 1), st.data())
def test_gaps_are_those_of_one_case(drawn, row, data):
    """The threshold lies where some answers to one row just reach, so that the last bit counts, or a little off."""
    model, codes, columns = drawn
    explanation = explain(model, case_of(codes, columns[:, row]))
    found = moves(model, explanation.slots)
    answers = data.draw(st.integers(0, model.dictionary.policy.answers + 1))
    gain, _ = highest_by_answers(found).get(answers, (0.0, ()))
    off = data.draw(st.sampled_from([0.0, 0.0, -0.1, 0.1]))
    agree(replace(model, threshold=explanation.margin + gain + off), codes, columns)


@settings(deadline=None, max_examples=20)
@given(files())
def test_what_is_remembered_of_a_file_holds_for_the_next(drawn):
    model, codes, columns = drawn
    pairs = tuple(PairColumns.of(pair, codes) for pair in model.pairs)
    gaps, half = GapsInPairColumns(model, codes, pairs), ROWS // 2
    margin = np.array([explain(model, case_of(codes, column)).margin for column in columns.T])
    first, again = gaps.find(columns[:, :half], margin[:half]), gaps.find(columns, margin)
    assert again.lowest[ROWS:].tolist() == first.lowest.tolist()
    assert again.highest[ROWS:].tolist() == first.highest.tolist()


@settings(deadline=None, max_examples=20)
@given(files())
def test_the_last_bit_decides_alike_where_answers_just_reach_the_threshold(drawn):
    model, codes, columns = drawn
    for row in range(ROWS):
        explanation = explain(model, case_of(codes, columns[:, row]))
        by_answers = highest_by_answers(moves(model, explanation.slots))
        gain, _ = by_answers[min(max(by_answers), model.dictionary.policy.answers)]
        agree(replace(model, threshold=explanation.margin + gain), codes, columns[:, row : row + 1])
