from __future__ import annotations

import numpy as np
import pytest

from training.fit.calibrate import Recalibration
from training.fit.compile import BrokenPromise, compile_table, keep_promises, largest_difference, violations
from training.fit.ensemble import AdditiveEnsemble
from training.fit.terms import FittedTerm, Table, TermSpec


def table(values, not_known, direction="raises"):
    spec = TermSpec("x", "ordinal", direction, 0.0, levels=len(values))
    return Table(0.0, (FittedTerm(spec, (), values, not_known, None, 0, (1,) * len(values), 0, 0),))


def test_a_kept_promise_is_left_as_it_is():
    kept = table((0.0, 0.0, 1.0), 0.0)
    assert violations(kept) == []
    assert keep_promises(kept) is kept


@pytest.mark.parametrize(
    ("broken", "promise"),
    [
        (table((0.0, 1.0, 1.0 - 1e-12), 0.0), "monotone"),
        (table((0.0, -1.0, -1.0 + 1e-12), 0.0, "lowers"), "monotone"),
        (table((0.5, 1.0, 1.5), 0.5 - 1e-12), "not_known"),
    ],
)
def test_rounding_is_found_without_tolerance_and_clipped(broken, promise):
    assert [v.promise for v in violations(broken)] == [promise]
    mended = keep_promises(broken)
    assert violations(mended) == []
    assert np.allclose(mended.terms[0].by_code(), broken.terms[0].by_code(), atol=1e-11)


@pytest.mark.parametrize("broken", [table((0.0, 1.0, 0.9), 0.0), table((0.5, 1.0, 1.5), 0.4)])
def test_a_fault_is_not_clipped_but_raised(broken):
    with pytest.raises(BrokenPromise, match="x: "):
        keep_promises(broken)


def test_not_applicable_has_no_floor():
    spec = TermSpec("x", "ordinal", "raises", 0.0, levels=2, not_applicable=True)
    low = Table(0.0, (FittedTerm(spec, (), (0.0, 1.0), 0.2, -3.0, 0, (1, 1), 1, 1),))
    assert violations(low) == []


def test_the_compiled_table_is_the_estimators_recalibrated(cases):
    drawn = cases(1500)
    model = AdditiveEnsemble(drawn.specs, bags=2, bags_in_folds=1, folds=2).fit(drawn.X, drawn.y, drawn.groups)
    shrunk = Recalibration(0.8, -0.1, 0.01, 0.01, applied=True)
    fresh = cases(500, seed=8)
    compiled = compile_table(model, shrunk)
    assert largest_difference(compiled, model, fresh.X, shrunk) < 1e-12
    assert largest_difference(compiled, model, fresh.X) > 0.01
    assert violations(compiled) == []
