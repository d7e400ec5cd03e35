"""The fit over parts that lie elsewhere is the fit in memory, to the byte, and no worker holds it all."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import dask
import numpy as np
import pytest
from distributed import Client, Nanny
from numpy.typing import NDArray

from tests.training.fit.wide_rows import WIDE, WIDE_ROWS, peak_memory, read_wide, write_wide
from training.fit import objective, partitions, smoothing
from training.fit.binning import distinct
from training.fit.cluster import workers_here
from training.fit.engine import engine
from training.fit.partitions import OneOutcome, chunks_of, fit_partitions
from training.fit.table_regression import TableRegression
from training.fit.terms import TermSpec

MEGABYTE = 1_000_000
WORKER_LIMIT = 340 * MEGABYTE


def cut(X: NDArray[np.float64], y: NDArray[np.int64], at: list[int]) -> list[tuple[object, object]]:
    return list(zip(np.split(X, at), np.split(y, at), strict=True))


def _itself(part: tuple[object, object]) -> tuple[object, object]:
    return part


def same(one: TableRegression, other: TableRegression) -> bool:
    parts = [(m.parameters_.tobytes(), m.penalties_.tobytes(), m.n_iter_, m.table_) for m in (one, other)]
    return parts[0] == parts[1]


@pytest.mark.parametrize("at", [[], [1], [500, 3000, 3001], list(range(700, 9000, 700))])
def test_however_rows_are_parted_the_fit_is_the_same(cases, at, tmp_path, monkeypatch):
    monkeypatch.setattr(objective, "BLOCK_ROWS", 250)
    monkeypatch.setattr(objective, "CHUNK_ROWS", 1_000)
    drawn = cases(9_000)
    there = fit_partitions(TableRegression(drawn.specs), cut(drawn.X, drawn.y, at), _itself, tmp_path)
    here = TableRegression(drawn.specs).fit(drawn.X, drawn.y)
    assert same(there, here)
    np.testing.assert_array_equal(there.predict_proba(drawn.X[:50]), here.predict_proba(drawn.X[:50]))


def test_chunks_hold_every_row_once_in_order():
    chunks = chunks_of([5, 0, 2, 9], 4, Path())
    rows = [(each.path.name[-1], row) for chunk in chunks for each in chunk for row in range(each.start, each.stop)]
    assert rows == [("0", n) for n in range(5)] + [("2", n) for n in range(2)] + [("3", n) for n in range(9)]
    assert [sum(each.stop - each.start for each in chunk) for chunk in chunks] == [4, 4, 4, 4]


def test_beyond_a_million_distinct_numbers_edges_are_near_and_the_same_however_parted(cases, tmp_path, monkeypatch):
    monkeypatch.setattr(partitions, "MOST_DISTINCT", 1_000)
    rng = np.random.default_rng(0)
    X = np.exp(rng.normal(3, 2, (20_000, 1)))
    y = (rng.random(20_000) < 0.2).astype(np.int64)
    model = [TableRegression((TermSpec("amount", "number"),)) for _ in range(2)]
    for number, at in enumerate(([300, 9_000], [12_345])):
        (tmp_path / str(number)).mkdir()
        fit_partitions(model[number], cut(X, y, at), _itself, tmp_path / str(number))
    assert same(*model)
    exact = TableRegression(model[0].specs).fit(X, y)
    np.testing.assert_allclose(model[0].binner_.edges_[0], exact.binner_.edges_[0], rtol=0.01)
    assert len(distinct(X[:, 0])[0]) > 1_000


def test_one_outcome_is_refused(cases, tmp_path):
    drawn = cases(100)
    with pytest.raises(OneOutcome):
        fit_partitions(TableRegression(drawn.specs), cut(drawn.X, 0 * drawn.y, [50]), _itself, tmp_path)


@contextmanager
def killed_meanwhile(pid: int, folder: Path) -> Iterator[None]:
    """Kills a worker when the first codes have been stored; waits no longer than for what is done within it."""
    over = threading.Event()

    def kill() -> None:
        while not list(folder.glob("*.codes.npy")):
            if over.wait(0.05):
                return
        os.kill(pid, signal.SIGKILL)

    killer = threading.Thread(target=kill)
    killer.start()
    try:
        yield
    finally:
        over.set()
        killer.join()


def test_more_rows_than_a_workers_memory_and_a_worker_killed(tmp_path, monkeypatch):
    """Workers that the nanny ends at 95 % of their limit fit what would not fit there, one of them killed meanwhile."""
    assert WIDE * WIDE_ROWS * 8 > WORKER_LIMIT
    monkeypatch.setattr(objective, "CHUNK_ROWS", 4 * objective.BLOCK_ROWS)
    monkeypatch.setattr(smoothing, "MOST_UPDATES", 1)  # the steps after it are no others
    parts = write_wide(tmp_path, 40_000)
    specs = tuple(TermSpec(f"x{j}", "yes_no", "raises", levels=2) for j in range(WIDE))
    # A worker whose own code takes much of its limit would be held up for good: it is to be ended, or to do its work.
    never = {f"distributed.worker.memory.{name}": False for name in ("target", "spill", "pause")}
    with (
        dask.config.set(never),
        workers_here(2, memory_limit=WORKER_LIMIT, worker_class=Nanny) as cluster,
        Client(cluster) as client,
    ):
        (pid, *_) = client.run(os.getpid).values()
        with killed_meanwhile(pid, tmp_path), engine("dask", cluster.scheduler_address):
            there = fit_partitions(TableRegression(specs), parts, read_wide, tmp_path)
        peaks = client.run(peak_memory)
        assert pid not in client.run(os.getpid).values()
        assert max(peaks.values()) < WORKER_LIMIT
    read = [read_wide(part) for part in parts]
    here = TableRegression(specs).fit(np.concatenate([X for X, _ in read]), np.concatenate([y for _, y in read]))
    assert same(there, here)
