"""A file of cases gives the very numbers that `POST /v1/screenings` gives for each of its cases."""

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as trying
from hypothesis import strategies as st

from model.dictionary import NOT_KNOWN, shipped_dictionary
from tests.builders import values
from tests.service.batch.files import read_rows, screened, write_cases
from tests.service.conftest import hand_made_model, release_into, settings_in

FEATURES = shipped_dictionary().features


def in_bounds(feature):
    low, high = feature.minimum or 0, feature.maximum or 60
    if feature.kind == "count":
        return st.integers(int(low), int(high)) | st.just(NOT_KNOWN)
    if feature.kind == "number":
        return st.floats(low, high, allow_subnormal=False).map(lambda value: value + 0.0) | st.just(NOT_KNOWN)
    return values(feature)


# Few of the features known in most cases, so that prompts of every level come up.
CASES = st.lists(
    st.dictionaries(st.sampled_from(FEATURES), st.none()).flatmap(
        lambda chosen: st.fixed_dictionaries({feature.name: in_bounds(feature) for feature in chosen})
    ),
    min_size=1,
    max_size=5,
)


@pytest.fixture(params=[False, True], ids=["features alone", "with pairs"])
def settings(request, tmp_path):
    """Of a service whose model has no pairs, and of one whose model has some."""
    made = settings_in(tmp_path / "var")
    release_into(made, hand_made_model(shipped_dictionary(), pairs=request.param))
    return made


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
@trying(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cases=CASES)
def test_every_number_is_the_same(service, tmp_path, suffix, cases):
    columns = {"case_ref": [f"r-{row}" for row in range(len(cases))]}
    for feature in FEATURES:
        cells = [case.get(feature.name) for case in cases]
        columns[feature.file_column] = [None if cell is None else repr(cell).strip("'") for cell in cells]
    out = tmp_path / f"out{suffix}"
    screened(service.settings, write_cases(tmp_path / f"in{suffix}", columns), out, overwrite=True)
    for row, case in zip(read_rows(out), cases, strict=True):
        answer = service.screen(case, case_ref=row["case_ref"]).get_json()
        assert float(row["score"]) == answer["score"]
        assert [float(row["score_low"]), float(row["score_high"])] == answer["score_range"]
        assert int(row["band"]) == answer["band"]
        assert row["prompt"] == answer["prompt"]["level"]
        assert row["grounds"].split() == [ground["code"] for ground in answer["grounds"]]
        assert int(row["not_known"]) == len(answer["not_known"])
        assert float(row["base_value"]) == answer["explanation"]["base_value"]
        shown = {said["feature"]: said["contribution"] for said in answer["explanation"]["contributions"]}
        assert {name[5:]: float(row[name]) for name in row if name.startswith("shap_")} == shown


def test_a_category_that_the_dictionary_does_not_list_is_not_known_as_over_http(service, tmp_path):
    category = next(feature for feature in FEATURES if feature.kind == "category")
    cases = write_cases(tmp_path / "in.csv", {"case_ref": ["r-1"], category.file_column: ["zz9"]})
    report = screened(service.settings, cases, tmp_path / "out.csv")
    assert category.file_column in report.split("does not list the value: ")[1]
    (row,) = read_rows(tmp_path / "out.csv")
    answer = service.screen({category.name: "zz9"}).get_json()
    assert answer["not_recognised"] == [category.name]
    assert (float(row["score"]), int(row["not_known"])) == (answer["score"], len(FEATURES))
