"""Who screens the partitions: this process where there is one alone, else a process a further core, or a Dask cluster.

Results come back in the order of the partitions, and only a few are under way at a time, so memory is bounded.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from typing import Any, Protocol

from service.batch.partition import Partition, ScreenedPartition, Screener
from service.batch.problems import BatchError
from service.running.worker_life import end_with_parent

Pair = tuple[Partition, ScreenedPartition]


class Workers(Protocol):
    """Screens partitions somewhere."""

    def screen(self, screener: Screener, partitions: Iterable[Partition]) -> Iterator[Pair]:
        """Each partition with what was found, in their order. Raises what the screener raises."""


class OwnCores:
    """Processes on this machine, one a core but the first, which reads and writes; a file of one partition needs none.

    Reading and writing a row takes about as long as screening it.
    """

    def __init__(self, processes: int | None = None) -> None:
        self._processes = processes or max(1, len(os.sched_getaffinity(0)) - 1)

    def screen(self, screener: Screener, partitions: Iterable[Partition]) -> Iterator[Pair]:
        """As `Workers`."""
        waiting = iter(partitions)
        first, second = next(waiting, None), next(waiting, None)
        if first is None:
            return
        if second is None:
            yield first, screener(first)
            return
        # Fresh processes: a fork of one that has threads, as pyarrow has, may hang.
        context = multiprocessing.get_context("spawn")
        pool = ProcessPoolExecutor(self._processes, context, end_with_parent)
        try:
            submit = _submitter(pool, screener)
            yield from in_order(submit, _chained(first, second, waiting), self._processes + 1)
        finally:
            pool.shutdown(cancel_futures=True)


class Cluster:
    """The workers of a Dask cluster, which have this version of Grounds; the files are read and written here."""

    def __init__(self, address: str, seconds: float = 10) -> None:
        """Waits as many seconds for the scheduler to answer."""
        self._address = address
        self._seconds = seconds

    def screen(self, screener: Screener, partitions: Iterable[Partition]) -> Iterator[Pair]:
        """As `Workers`. Raises `BatchError` where the cluster cannot be reached."""
        try:
            from distributed import Client
        except ImportError:
            raise BatchError("--scheduler needs Dask: pip install -r requirements-cluster.lock") from None
        try:
            client = Client(self._address, timeout=self._seconds, set_as_default=False)
        except (OSError, ValueError):
            raise BatchError(f"--scheduler {self._address}: no Dask scheduler answers there") from None
        try:
            threads = sum(client.nthreads().values())
            if not threads:
                raise BatchError(f"--scheduler {self._address}: the cluster has no workers; start some")
            held = client.scatter(screener, broadcast=True)

            def submit(partition: Partition) -> Any:
                return client.submit(_screen, held, partition, pure=False)

            yield from in_order(submit, partitions, 2 * threads)
        finally:
            client.close()


def in_order(submit: Callable[[Partition], Any], partitions: Iterable[Partition], under_way: int) -> Iterator[Pair]:
    """Keeps as many partitions under way and yields each with its result, in their order."""
    queue: deque[tuple[Partition, Any]] = deque()
    for partition in partitions:
        queue.append((partition, submit(partition)))
        if len(queue) > under_way:
            asked, future = queue.popleft()
            yield asked, future.result()
    while queue:
        asked, future = queue.popleft()
        yield asked, future.result()


def _submitter(pool: ProcessPoolExecutor, screener: Screener) -> Callable[[Partition], Future[ScreenedPartition]]:
    def submit(partition: Partition) -> Future[ScreenedPartition]:
        # Ctrl-C is for the process that was started, which ends these. What is blocked here stays so in a process that
        # is started now, from its first instruction.
        blocked = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            return pool.submit(_screen, screener, partition)
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, blocked)

    return submit


def _screen(screener: Screener, partition: Partition) -> ScreenedPartition:
    return screener(partition)


def _chained(first: Partition, second: Partition, rest: Iterator[Partition]) -> Iterator[Partition]:
    yield first
    yield second
    yield from rest
