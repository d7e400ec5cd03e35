"""The engine never changes a byte: on real worker processes, and when one of them is killed on the way."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from distributed import Client, LocalCluster
from threadpoolctl import threadpool_limits

from tests.training.conftest import SEED, Run
from tests.training.fit.on_workers import own_process, threads_and_processes_within
from training.fit import cluster, cluster_backend
from training.fit.engine import EngineError, engine
from training.pipeline import file_digest, train


@pytest.fixture(scope="module")
def workers() -> Iterator[LocalCluster]:
    """For tests that leave them as they are."""
    with cluster.workers_here(2) as started:
        yield started


def process_of_each(started: LocalCluster) -> dict[str, int]:
    with Client(started, set_as_default=False) as client:
        return dict(client.run(own_process))


class Kills:
    """A progress that kills a worker process each time a stage that it waits for begins."""

    def __init__(self, processes: list[int], stages: list[str]) -> None:
        self.left = list(zip(stages, processes, strict=True))

    def __call__(self, stage: str, done: float) -> None:
        if self.left and stage == self.left[0][0] and done > 0:
            os.kill(self.left.pop(0)[1], signal.SIGKILL)


def test_workers_killed_on_the_way_change_nothing(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster_backend, "LARGE", 1_000)  # so that these few rows are sent as many would be
    with cluster.workers_here(2) as workers:
        before = process_of_each(workers)
        kills = Kills(list(before.values()), ["judged model: out of fold", "released model: boosted bags"])
        with engine("dask", workers.scheduler_address), threadpool_limits(1):
            trained = train(
                run.cases,
                run.dictionary,
                data_sha256=file_digest(run.path),
                synthetic=True,
                seed=SEED,
                progress=kills,
            )
        assert kills.left == []
        assert not set(before.values()) & set(process_of_each(workers).values())  # both had died and others came
    assert trained.data == run.trained.data


def test_work_is_done_by_the_workers_and_by_one_thread(workers: LocalCluster) -> None:
    from joblib import Parallel, delayed

    with engine("dask", workers.scheduler_address):
        done = Parallel(n_jobs=1)(delayed(os.getpid)() for _ in range(20))
        inner = Parallel()(delayed(threads_and_processes_within)() for _ in range(2))
    assert set(done) <= set(process_of_each(workers).values())
    assert all(threads == {1} and processes == 1 for threads, processes in inner)


def test_what_a_task_raises_comes_back(workers: LocalCluster) -> None:
    from joblib import Parallel, delayed

    with engine("dask", workers.scheduler_address), pytest.raises(ZeroDivisionError):
        Parallel()(delayed(divmod)(1, 0) for _ in range(3))


def test_an_engine_that_is_not_there_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(EngineError, match="not installed; make train ENGINE=dask installs it"), engine("dask"):
        pass
    with pytest.raises(EngineError, match="one of local, dask"), engine("spark"):
        pass
    with pytest.raises(EngineError, match="--scheduler is for --engine dask"), engine(scheduler="tcp://127.0.0.1:1"):
        pass


def test_no_scheduler_is_said_with_how_to_start_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster, "ANSWER_WITHIN", 1)
    with pytest.raises(EngineError, match="start them in the checkout"), engine("dask", "tcp://127.0.0.1:1"):
        pass


def test_workers_that_could_give_other_bytes_are_refused(
    workers: LocalCluster, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(cluster, "CHECKOUT", tmp_path)
    with pytest.raises(EngineError, match="another source of Grounds"), engine("dask", workers.scheduler_address):
        pass


def test_workers_of_several_threads_are_refused() -> None:
    with (
        cluster.workers_here(1, threads_per_worker=2) as threaded,
        pytest.raises(EngineError, match="--nthreads 1"),
        engine("dask", threaded.scheduler_address),
    ):
        pass
