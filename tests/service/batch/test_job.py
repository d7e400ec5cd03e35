"""A job: one entry, no output without it, problems by line and column, and nothing half-written."""

import hashlib
import json
import os

import pyarrow.parquet
import pytest

from model.dictionary import shipped_dictionary
from service.batch.job import Job, screen_file
from service.batch.job_model import job_model
from service.batch.problems import BatchError
from service.batch.row_leaf import row_leaf
from service.batch.tree import PARTITION_ROWS
from service.batch.workers import OwnCores
from service.log.merkle import leaf_hash, root_of
from service.log.store import NotDurable
from service.running.assembly import open_log
from tests.service.batch.files import VERSION, entries, many_cases, read_rows, screened, write_cases
from tests.service.conftest import settings_in

JOB = Job("0190a5d4-0000-7000-8000-000000000000", b"k" * 32)
CASES = {"case_ref": ["r-1", "r-2"], "parent_mental_health_history": ["yes", None]}


def sha256(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize("suffix", [".csv", ".csv.gz", ".parquet"])
def test_one_entry_with_digests_and_a_root_over_the_rows(settings, tmp_path, suffix):
    cases, out = write_cases(tmp_path / f"in{suffix}", CASES), tmp_path / f"out{suffix}"
    screened(settings, cases, out)
    (entry,) = entries(settings)
    said = json.loads(entry.payload)
    assert entry.kind == "batch"
    assert (said["input_sha256"], said["output_sha256"], said["rows"]) == (sha256(cases), sha256(out), 2)
    assert said["model"]["version"] == VERSION
    hashes = []
    for row in read_rows(out):
        assert row["record"] == entry.entry_id
        cells = {name: cell.hex() if isinstance(cell, bytes) else cell for name, cell in row.items()}
        hashes.append(leaf_hash(row_leaf(cells, said["features"], said["grounds"])))
        assert cells["leaf_hash"] == hashes[-1].hex()
    assert said["root"] == root_of(hashes).hex() == said["partition_roots"][0]


def test_alike_rows_have_other_leaves(settings, tmp_path):
    cases = write_cases(tmp_path / "in.csv", {"case_ref": ["r-1", "r-1"], "domestic_abuse": ["yes", "yes"]})
    screened(settings, cases, tmp_path / "out.csv")
    first, second = read_rows(tmp_path / "out.csv")
    assert first["score"] == second["score"]
    assert first["leaf_hash"] != second["leaf_hash"]


@pytest.fixture(scope="module")
def many(tmp_path_factory):
    path = tmp_path_factory.mktemp("cases") / "in.parquet"
    return many_cases(path, shipped_dictionary(), 2 * PARTITION_ROWS + 1000)


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_the_same_job_gives_the_same_bytes_however_many_processes(settings, tmp_path, many, suffix):
    outs, logged = [], []
    for processes in (1, 3):
        own = settings_in(tmp_path / f"var-{processes}")  # a log each, as a log takes an id once
        outs.append(tmp_path / f"out-{processes}{suffix}")
        screen_file(
            many,
            job_model(settings.models / VERSION, settings.keys),
            outs[-1],
            lambda own=own: open_log(own),
            OwnCores(processes),
            JOB,
        )
        logged += [entry.payload for entry in entries(own)]
    assert outs[0].read_bytes() == outs[1].read_bytes()
    assert logged[0] == logged[1]
    assert len(json.loads(logged[0])["partition_roots"]) == 3


def test_rows_keep_their_order_over_partitions(settings, tmp_path, many):
    screened(settings, many, tmp_path / "out.parquet")
    refs = pyarrow.parquet.read_table(tmp_path / "out.parquet", columns=["case_ref"]).column(0).to_pylist()
    assert refs == [f"c-{row}" for row in range(len(refs))]


PROBLEMS = {
    "a value": (CASES | {"domestic_abuse": ["maybe", "no"]}, "line 2, column domestic_abuse: put no, yes"),
    "an identifier": (CASES | {"case_ref": ["r-1", "943 476 5919"]}, "line 3, column case_ref: looks like an NHS num"),
    "a reference": (CASES | {"case_ref": ["anna", "r-2"]}, "line 2, column case_ref: put your own pseudonymous"),
    "no column": ({"shoe_size": [1]}, "has none of the dictionary's columns"),
    "no case": ({"case_ref": [], "domestic_abuse": []}, "has no cases below its header"),
}


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
@pytest.mark.parametrize("wrong", PROBLEMS)
def test_a_problem_is_named_and_nothing_is_written_or_logged(settings, tmp_path, wrong, suffix):
    columns, expected = PROBLEMS[wrong]
    cases = write_cases(tmp_path / f"in{suffix}", columns)
    with pytest.raises(BatchError) as refused:
        screened(settings, cases, tmp_path / "out.csv")
    assert expected in str(refused.value)
    assert not any(value in str(refused.value) for value in ("maybe", "943", "anna"))
    assert entries(settings) == []
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([cases.name, "var"])


RAW = {
    "ragged": (b"case_ref,domestic_abuse\nr-1,yes\nr-2\nr-3,no,x\n", "line 3, has 1 cells where the header has 2"),
    "not UTF-8": (b"case_ref,domestic_abuse\nr-1,\xff\n", "cannot be read as csv"),
    "empty": (b"", "is empty; its first line must name the columns"),
    "twice": (b"domestic_abuse,domestic_abuse\nno,yes\n", "line 1, column domestic_abuse: is there more than once"),
}


@pytest.mark.parametrize("wrong", RAW)
def test_a_csv_file_that_is_none(settings, tmp_path, wrong):
    data, expected = RAW[wrong]
    (tmp_path / "in.csv").write_bytes(data)
    with pytest.raises(BatchError) as refused:
        screened(settings, tmp_path / "in.csv", tmp_path / "out.csv")
    assert expected in str(refused.value)
    assert not (tmp_path / "out.csv").exists()


@pytest.mark.parametrize("name", ["in.parquet", "in.csv.gz"])
def test_a_file_that_is_not_of_its_form(settings, tmp_path, name):
    (tmp_path / name).write_bytes(b"case_ref,domestic_abuse\nr-1,yes\n")
    with pytest.raises(BatchError, match="cannot be read as"):
        screened(settings, tmp_path / name, tmp_path / "out.csv")


@pytest.mark.parametrize("column", ["case_ref", "domestic_abuse"])
def test_a_column_of_another_kind_is_named(settings, tmp_path, column):
    cases = write_cases(tmp_path / "in.parquet", {"children_in_household": [1], column: [[{"a": 1}]]})
    with pytest.raises(BatchError, match=f"column {column}: holds .* and not text"):
        screened(settings, cases, tmp_path / "out.csv")


def test_a_reference_may_be_a_whole_number_in_parquet(settings, tmp_path):
    cases = write_cases(tmp_path / "in.parquet", {"case_ref": [41, 42], "domestic_abuse": [True, None]})
    screened(settings, cases, tmp_path / "out.parquet")
    assert [row["case_ref"] for row in read_rows(tmp_path / "out.parquet")] == ["41", "42"]


def test_of_many_problems_twenty_are_shown_and_all_are_counted(settings, tmp_path):
    cases = write_cases(tmp_path / "in.csv", {"domestic_abuse": ["?"] * 33})
    with pytest.raises(BatchError) as refused:
        screened(settings, cases, tmp_path / "out.csv")
    lines = str(refused.value).splitlines()
    assert len(lines) == 21
    assert lines[-1].endswith("and 13 more")


def test_a_mark_before_the_first_byte_is_no_part_of_a_name(settings, tmp_path):
    (tmp_path / "in.csv").write_bytes(b"\xef\xbb\xbfdomestic_abuse,case_ref\nyes,r-1\n")
    report = screened(settings, tmp_path / "in.csv", tmp_path / "out.csv")
    assert "ignored" not in report
    assert read_rows(tmp_path / "out.csv")[0]["case_ref"] == "r-1"


def test_the_output_is_not_the_input(settings, tmp_path):
    cases = write_cases(tmp_path / "in.csv", CASES)
    with pytest.raises(BatchError, match="is the file of cases itself"):
        screened(settings, cases, cases)


def test_other_extensions_are_refused_before_anything_is_read(settings, tmp_path):
    cases = write_cases(tmp_path / "in.csv", CASES)
    with pytest.raises(BatchError, match=r"ends in \.csv, \.csv\.gz or \.parquet"):
        screened(settings, cases, tmp_path / "out.xlsx")


def test_no_output_where_the_log_cannot_take_the_entry(settings, tmp_path):
    """The log is shut before the entry: what was screened must not be seen."""
    cases = write_cases(tmp_path / "in.csv", CASES)
    opened = []

    def open_and_shut():
        log = open_log(settings)
        opened.append(log)
        log.close()
        return log

    with pytest.raises(NotDurable):
        screen_file(cases, job_model(settings.models / VERSION, settings.keys), tmp_path / "out.csv", open_and_shut)
    assert len(opened) == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.csv", "var"]
    assert entries(settings) == []


def test_an_older_output_is_not_replaced_unasked(settings, tmp_path):
    cases, out = write_cases(tmp_path / "in.csv", CASES), tmp_path / "out.csv"
    for there in (lambda: out.write_text("older"), lambda: out.symlink_to(tmp_path / "away.csv")):
        there()
        with pytest.raises(BatchError, match=r"is there already; remove it, name another file, or .* --overwrite"):
            screened(settings, cases, out)
        out.unlink()
    assert entries(settings) == []


def test_an_output_that_came_meanwhile_is_not_replaced(settings, tmp_path):
    cases, out = write_cases(tmp_path / "in.csv", CASES), tmp_path / "out.csv"

    class Meddler:
        def screen(self, screener, partitions):
            yield from OwnCores(1).screen(screener, partitions)
            out.write_text("faster")

    with pytest.raises(BatchError, match="is there already"):
        screened(settings, cases, out, workers=Meddler())
    assert out.read_text() == "faster"
    assert entries(settings) == []


def test_where_cases_are_refused_no_folder_is_left(settings, tmp_path):
    cases, out = write_cases(tmp_path / "in.csv", {"domestic_abuse": ["?"]}), tmp_path / "new" / "folder" / "out.csv"
    with pytest.raises(BatchError):
        screened(settings, cases, out)
    assert not (tmp_path / "new").exists()
    write_cases(cases, CASES)
    screened(settings, cases, out)
    assert len(read_rows(out)) == 2


def test_an_older_output_stays_until_the_new_one_is_whole(settings, tmp_path):
    cases, out = write_cases(tmp_path / "in.csv", {"domestic_abuse": ["?"]}), tmp_path / "out.csv"
    out.write_text("older")
    with pytest.raises(BatchError):
        screened(settings, cases, out, overwrite=True)
    assert out.read_text() == "older"
    write_cases(cases, CASES)
    screened(settings, cases, out, overwrite=True)
    assert len(read_rows(out)) == 2
    assert out.stat().st_mode & 0o777 == 0o600


def test_a_file_system_without_nameless_files(settings, tmp_path, monkeypatch):
    opened = os.open

    def refuse(path, flags, *more, **named):
        if flags & os.O_TMPFILE == os.O_TMPFILE:
            raise OSError(95, "Operation not supported")
        return opened(path, flags, *more, **named)

    monkeypatch.setattr(os, "open", refuse)
    cases, out = write_cases(tmp_path / "in.csv", CASES), tmp_path / "out.csv"
    screened(settings, cases, out)
    assert len(read_rows(out)) == 2
    write_cases(cases, {"domestic_abuse": ["?"]})
    with pytest.raises(BatchError):
        screened(settings, cases, tmp_path / "other.csv")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.csv", "out.csv", "var"]


def test_a_file_that_changes_meanwhile_is_not_screened(settings, tmp_path):
    cases = write_cases(tmp_path / "in.csv", CASES)

    class Meddler(OwnCores):
        def screen(self, screener, partitions):
            yield from super().screen(screener, partitions)
            write_cases(cases, CASES | {"case_ref": ["r-8", "r-9"]})

    with pytest.raises(BatchError, match="was changed while it was screened"):
        screened(settings, cases, tmp_path / "out.csv", workers=Meddler())
    assert entries(settings) == []
