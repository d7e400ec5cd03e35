"""What is measured with planted pairs is a model that answers: many at once as one by one."""

from dataclasses import replace

import numpy as np

from benchmarks.batch_pairs import planted
from model.artefact import read_model
from model.case import Case
from model.columns.codes import codes_of
from model.columns.screen import ColumnModel
from model.dictionary import shipped_dictionary
from model.explanation import explain
from tests.service.conftest import hand_made_model

PAIRS = 10


def test_planted_pairs_are_as_many_as_asked_for_and_count_in_the_score():
    plain = read_model(hand_made_model(shipped_dictionary()))
    model = replace(plain, pairs=planted(plain, PAIRS))
    assert len({(pair.first, pair.second) for pair in model.pairs}) == PAIRS
    codes, luck = codes_of(model), np.random.default_rng(1)
    rows = np.array([[luck.integers(0, len(of.values)) for of in codes] for _ in range(20)], dtype=np.uint8)
    cases = [Case({of.feature.name: of.values[code] for of, code in zip(codes, row, strict=True)}) for row in rows]
    scores = [explain(model, case).score for case in cases]
    assert ColumnModel(model).screen(rows.T).score.tolist() == scores
    assert scores != [explain(plain, case).score for case in cases]
