"""How the real sets are read, on rows that are in the repository and on a stand-in that is shaped like the other."""

import numpy as np
import pandas as pd
import pytest

from benchmarks.learners.sets import CODES, LEFT_OUT, RAISES, NoData, infant_mortality, readmission


def test_the_births_are_read_from_the_repository_where_no_file_is_given(tmp_path):
    births = infant_mortality(tmp_path)
    assert births.X.shape == (22_800, len(births.specs))
    assert births.y.mean() == pytest.approx(0.169, abs=0.001)
    assert not {"dmar", "dmage", "dmeduc", "pair_id"} & {spec.name for spec in births.specs}
    assert any(spec.direction == "raises" for spec in births.specs)
    assert len(np.unique(births.groups)) == 11_400


def test_stays_are_drafted_and_edited(tmp_path):
    rng = np.random.default_rng(0)
    rows = 600
    frame = pd.DataFrame({name: rng.integers(1, 9, rows) for name in (*CODES, *RAISES)})
    frame["patient_nbr"] = rng.integers(0, 400, rows)
    for name in LEFT_OUT:
        frame[name] = rng.integers(0, 5, rows)
    frame["encounter_id"] = np.arange(rows)
    frame["readmitted_30d"] = (rng.random(rows) < 0.2).astype(int)
    frame.to_csv(tmp_path / "readmission.csv.gz", index=False)
    stays = readmission(tmp_path)
    specs = {spec.name: spec for spec in stays.specs}
    assert set(specs) == {*CODES, *RAISES}
    for name in CODES:
        column = stays.X[:, list(specs).index(name)]
        assert (specs[name].kind, specs[name].levels) == ("category", 8)
        assert set(column) == set(range(8))
    assert all(specs[name].direction == "raises" for name in RAISES)


def test_a_set_that_is_not_there_is_named_with_the_fix(tmp_path):
    with pytest.raises(NoData, match="--data or GROUNDS_DATA"):
        readmission(tmp_path)
