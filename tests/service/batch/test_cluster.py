"""A Dask cluster of two worker processes gives the very bytes and roots that one machine gives."""

import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path

import pytest

from model.dictionary import shipped_dictionary
from service.batch.job import Job, screen_file
from service.batch.job_model import job_model
from service.batch.problems import BatchError
from service.batch.tree import PARTITION_ROWS
from service.batch.verifying import verify_file
from service.batch.workers import Cluster, OwnCores
from service.running.assembly import open_log
from tests.service.batch.files import VERSION, entries, many_cases, screened, write_cases
from tests.service.conftest import settings_in

TOP = Path(__file__).parents[3]
JOB = Job("0190a5d4-0000-7000-8000-000000000000", b"k" * 32)


@pytest.fixture(scope="module")
def scheduler(tmp_path_factory):
    """A scheduler and two workers, each a process of its own, as on three machines."""
    folder = tmp_path_factory.mktemp("cluster")
    address_file = folder / "scheduler.json"
    dask = [sys.executable, "-m", "distributed.cli.dask_scheduler", "--port", "0", "--no-dashboard", "--host"]
    worker = [sys.executable, "-m", "distributed.cli.dask_worker", "--nthreads", "1", "--no-dashboard", "--no-nanny"]
    with ExitStack() as stack:

        def start(*command):
            process = subprocess.Popen(command, cwd=TOP, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            stack.callback(process.wait, 30)
            stack.callback(process.terminate)

        start(*dask, "127.0.0.1", "--scheduler-file", str(address_file))
        end = time.monotonic() + 60
        while not address_file.exists():
            assert time.monotonic() < end
            time.sleep(0.1)
        for number in range(2):
            start(*worker, "--scheduler-file", str(address_file), "--local-directory", str(folder / str(number)))
        from distributed import Client

        with Client(scheduler_file=str(address_file), set_as_default=False) as client:
            client.wait_for_workers(2, timeout=60)
            address = client.scheduler.address
        yield address


@pytest.fixture(scope="module")
def many(tmp_path_factory):
    path = tmp_path_factory.mktemp("cases") / "in.parquet"
    return many_cases(path, shipped_dictionary(), 3 * PARTITION_ROWS + 7)


def test_the_same_bytes_and_roots_as_on_one_machine(settings, tmp_path, many, scheduler):
    outs, logged = [], []
    for name, workers in (("cluster", Cluster(scheduler)), ("alone", OwnCores(1))):
        own = settings_in(tmp_path / name)
        outs.append(tmp_path / f"{name}.parquet")
        screen_file(
            many,
            job_model(settings.models / VERSION, settings.keys),
            outs[-1],
            lambda own=own: open_log(own),
            workers,
            JOB,
        )
        logged += [entry.payload for entry in entries(own)]
        log = open_log(own)
        assert "holds" in verify_file(outs[-1], log)
        log.close()
    assert outs[0].read_bytes() == outs[1].read_bytes()
    assert logged[0] == logged[1]


def test_both_workers_screen(settings, tmp_path, many, scheduler):
    from distributed import Client

    screened(settings, many, tmp_path / "out.parquet", workers=Cluster(scheduler))
    with Client(scheduler, set_as_default=False) as client:
        done = client.run(lambda dask_worker: dask_worker.state.executed_count)
    assert len(done) == 2
    assert all(count > 0 for count in done.values())


def test_a_file_with_a_problem_is_refused_as_on_one_machine(settings, tmp_path, scheduler):
    cases = write_cases(tmp_path / "in.csv", {"domestic_abuse": ["yes", "?"]})
    with pytest.raises(BatchError, match="line 3, column domestic_abuse"):
        screened(settings, cases, tmp_path / "out.csv", workers=Cluster(scheduler))
    assert entries(settings) == []


def test_a_scheduler_that_does_not_answer_is_one_line(settings, tmp_path):
    cases = write_cases(tmp_path / "in.csv", {"domestic_abuse": ["yes"]})
    with pytest.raises(BatchError, match="no Dask scheduler answers there"):
        screened(settings, cases, tmp_path / "out.csv", workers=Cluster("tcp://127.0.0.1:1", seconds=1))
