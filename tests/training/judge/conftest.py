"""One thread a fit, as every command has it (docs/adr/0003); and held-out cases that every judge can look at."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeVar

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from model.additive import AdditiveModel
from tests.builders import built_dictionary
from tests.training.conftest import FEATURES, Run
from training.judge.disclosure import Disclosure
from training.judge.evaluate import operating_point
from training.judge.held import Held
from training.judge.prompt_levels import Prompted, put_to_the_rules
from training.judge.resample import Draws
from training.pipeline import judged_model

GROUND = {
    "code": "much_concern",
    "label": "Much concern",
    "when": {"all": ["concern = much", "history = yes", "source = police"]},
    "text": "Much concern.",
    "action": "discuss",
    "source": "test",
}
MONITORED = (
    {"name": "sex", "label": "Sex", "levels": ["f", "m", "x"]},
    {"name": "faith", "label": "Faith", "levels": ["a", "b"]},
)
FEW = 6
Found = TypeVar("Found")


def released(held: Held, judge: Callable[[Disclosure], Found], *known: NDArray[np.bool_]) -> Found:
    """What a part of the judgement leaves to be shown where it stands alone; `known` are sets of cases whose counts are
    shown elsewhere."""
    disclosure = Disclosure(np.ones(len(held.y), dtype=bool), *known)
    found = judge(disclosure)
    disclosure.settle()
    return found


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    with threadpool_limits(1):
        yield


@pytest.fixture(scope="session")
def held(run: Run) -> Held:
    """The run's cases under a dictionary with a ground, an essential feature and two monitored characteristics.

    `sex` has a level of six cases, and cells that are empty or of no level; `faith` is not in the data.
    """
    held_by = {"visits": ["police"], "source": ["gp", "police"]}
    features = [{**f, "held_by": held_by.get(str(f["name"]), ["gp"])} for f in FEATURES]
    features[2]["essential"] = True
    dictionary = built_dictionary(
        *features,
        ground=[GROUND],
        monitored=list(MONITORED),
        policy={"capacity": 0.1, "answers": 1, "minimum_known": 4},
    )
    table, y, groups = run.trained.estimators.table_, run.cases.y, run.cases.groups
    margin = table.margin(run.cases.X)
    sex = np.where(np.arange(len(y)) % 3 == 0, "m", "f").astype("<U8")
    sex[:FEW], sex[20:32], sex[60:90] = "x", "", "zebra77"
    return Held(
        dictionary=dictionary,
        table=table,
        X=run.cases.X,
        y=y,
        groups=groups,
        margin=margin,
        threshold=operating_point(y, margin, 0.1).threshold,
        monitored=pd.DataFrame({"sex": sex}),
        draws=Draws.of(groups, 3, 40),
        seed=3,
    )


@pytest.fixture(scope="session")
def judged(held: Held) -> AdditiveModel:
    point = operating_point(held.y, held.margin, 0.1)
    bands = [float(cut) for cut in np.quantile(held.margin, np.arange(1, 20) / 20)]
    return judged_model(held.dictionary, held.table, point, bands, synthetic=True)


@pytest.fixture(scope="session")
def prompted(judged: AdditiveModel, held: Held) -> Prompted:
    return put_to_the_rules(judged, held)
