"""Any row is provable, offline and by itself; whatever is altered in a file or a proof shows."""

import json

import pyarrow as pa
import pyarrow.parquet
import pytest

from model.dictionary import shipped_dictionary
from service.batch.problems import BatchError
from service.batch.proof_check import check_row_proof
from service.batch.proving import proof_bytes, prove_row
from service.batch.tree import PARTITION_ROWS
from service.batch.verifying import verify_file
from service.log.proof_check import ProofError
from service.running.assembly import open_log
from tests.service.batch.files import many_cases, read_rows, screened

ROWS = PARTITION_ROWS + 3


@pytest.fixture(scope="module")
def many(tmp_path_factory):
    return many_cases(tmp_path_factory.mktemp("cases") / "in.parquet", shipped_dictionary(), ROWS)


@pytest.fixture
def log(settings):
    store = open_log(settings)
    yield store
    store.close()


@pytest.fixture(params=[".csv", ".parquet"])
def out(request, settings, tmp_path, many, log):
    log.append("lookup", b"{}")
    screened(settings, many, tmp_path / f"out{request.param}")
    log.append("lookup", b"{}")
    return tmp_path / f"out{request.param}"


def test_a_whole_file_holds(out, log):
    assert f"{ROWS} rows are those of log entry 1" in verify_file(out, log)


@pytest.mark.parametrize("row", [1, 2, PARTITION_ROWS, PARTITION_ROWS + 1, ROWS])
def test_a_row_is_proved_offline(out, log, row):
    proof = proof_bytes(prove_row(out, row, log))
    assert check_row_proof(proof, log.verifier_key) == (row, ROWS, 1)
    assert json.loads(proof)["row"]["case_ref"] == f"c-{row - 1}"


def test_a_proof_tells_of_no_other_case(out, log):
    proof = proof_bytes(prove_row(out, 5, log)).decode()
    assert "c-4" in proof
    assert not any(f'"c-{row}"' in proof for row in (3, 5, 6))


def test_rows_that_are_not_there(out, log):
    for row in (0, ROWS + 1):
        with pytest.raises(BatchError, match=f"from 1 to {ROWS}"):
            prove_row(out, row, log)


def altered(path, column, change):
    """Puts another cell into row 3 of a Parquet file."""
    table = pyarrow.parquet.read_table(path)
    cells = table.column(column).to_pylist()
    cells[2] = change(cells[2])
    place = table.schema.get_field_index(column)
    pyarrow.parquet.write_table(
        table.set_column(place, column, pa.array(cells, type=table.schema.field(column).type)), path
    )


ALTERATIONS = {
    "score": lambda cell: cell * 1.0000001,
    "score_low": lambda cell: cell / 2,
    "score_high": lambda cell: cell + 1e-9,
    "base_value": lambda cell: cell + 1e-9,
    "band": lambda cell: cell % 20 + 1,
    "prompt": lambda cell: "no_prompt" if cell != "no_prompt" else "consider_referral",
    "grounds": lambda cell: "" if cell else "immediate_danger",
    "not_known": lambda cell: cell + 1,
    "case_ref": lambda cell: cell + "0",
    "salt": lambda cell: bytes(16),
    "leaf_hash": lambda cell: bytes(32),
    "record": lambda cell: "0190a5d4-0000-7000-8000-000000000000",
    "shap_domestic_abuse": lambda cell: cell + 1e-9,
}


@pytest.mark.parametrize("column", ALTERATIONS)
def test_any_altered_cell_is_named_by_its_line(settings, tmp_path, log, column):
    cases = many_cases(tmp_path / "in.csv", shipped_dictionary(), 5)
    out = tmp_path / "out.parquet"
    screened(settings, cases, out)
    altered(out, column, ALTERATIONS[column])
    with pytest.raises(BatchError) as found:
        verify_file(out, log)
    assert f"{out}: line 4: the row is" in str(found.value)
    if column not in ("record", "leaf_hash"):
        with pytest.raises(BatchError, match="row 3 is not what the log has"):
            prove_row(out, 3, log)


def test_rows_left_out_doubled_or_moved(settings, tmp_path, log):
    cases = many_cases(tmp_path / "in.csv", shipped_dictionary(), 5)
    screened(settings, cases, tmp_path / "out.parquet")
    whole = pyarrow.parquet.read_table(tmp_path / "out.parquet")
    for name, rows in {"left": [0, 1, 2, 3], "doubled": [0, 1, 2, 3, 4, 4], "moved": [1, 0, 2, 3, 4]}.items():
        path = tmp_path / f"{name}.parquet"
        pyarrow.parquet.write_table(whole.take(rows), path)
        with pytest.raises(BatchError, match="do not give the root in log entry 0"):
            verify_file(path, log)


def test_a_file_of_another_log(settings, tmp_path, log):
    path = tmp_path / "other.parquet"
    pyarrow.parquet.write_table(pa.table({"record": ["0190a5d4-0000-7000-8000-000000000000"]}), path)
    with pytest.raises(BatchError, match="names no batch in this log"):
        verify_file(path, log)


def test_any_alteration_of_a_proof_shows(settings, tmp_path, log):
    cases = many_cases(tmp_path / "in.csv", shipped_dictionary(), 5)
    screened(settings, cases, tmp_path / "out.csv")
    good = prove_row(tmp_path / "out.csv", 2, log)
    assert check_row_proof(proof_bytes(good), log.verifier_key) == (2, 5, 0)
    payload = json.loads(good["entry"]["payload"])
    wrong = [
        {"row": {**good["row"], "score": float(good["row"]["score"]) / 2}},
        {"row": {**good["row"], "case_ref": "c-9"}},
        {"row": {name: cell for name, cell in good["row"].items() if name != "salt"}},
        {"row": {**good["row"], "band": "x"}},
        {"row_number": 3},
        {"proof": good["proof"][:-1]},
        {"proof": ["00" * 32, *good["proof"][1:]]},
        {"proof": "x"},
        {"format": 2},
        {"entry": {**good["entry"], "payload": json.dumps({**payload, "rows": 6})}},
        {"entry": {**good["entry"], "salt": "00" * 16}},
        {"entry": {**good["entry"], "index": 1}},
        {"entry": None},
    ]
    for change in wrong:
        with pytest.raises(ProofError):
            check_row_proof(proof_bytes({**good, **change}), log.verifier_key)
    assert read_rows(tmp_path / "out.csv")[1]["case_ref"] == good["row"]["case_ref"]
