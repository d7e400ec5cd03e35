"""Runs joblib's `Parallel` on Dask workers so that the loss of a worker, with the data it holds, fails nothing.

joblib's own Dask backend puts large arguments into the memory of single workers, which Dask cannot make again when such
a worker is lost. Here an argument is the result of a task of its own, whose recipe the scheduler keeps.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from distributed import Client, Future
from joblib.parallel import ParallelBackendBase
from threadpoolctl import threadpool_limits

LARGE = 100_000  # bytes from which an array is sent once for all tasks
Call = tuple[Callable[..., Any], Sequence[Any], dict[str, Any]]


class ClusterBackend(ParallelBackendBase):  # type: ignore[misc]  # joblib ships no types
    """Tasks of `Parallel` on the workers of `client`; those within a task run one after the other there."""

    supports_retrieve_callback = True

    def __init__(self, client: Client, **settings: Any) -> None:
        super().__init__(**settings)
        self.client = client
        self._sent: dict[int, tuple[Any, Future]] = {}  # the array is kept, so that its id stays its own

    def effective_n_jobs(self, n_jobs: int | None) -> int:
        """As many as there are workers, whatever was asked for; each has one thread."""
        return max(1, len(self.client.nthreads()))

    def submit(self, func: Any, callback: Callable[[Future], None] | None = None) -> Future:
        """Sends a batch of calls (joblib's `BatchedCalls`); `callback` gets the future when it is done."""
        calls = [(f, [self._by_key(a) for a in args], kwargs) for f, args, kwargs in func.items]
        future = self.client.submit(run_calls, calls, pure=False)
        if callback:
            future.add_done_callback(callback)
        return future

    def retrieve_result_callback(self, out: Future) -> Any:
        """The results of a batch that is done. Raises what a call raised."""
        return out.result()

    def stop_call(self) -> None:
        """Lets workers forget what was sent for the calls of one `Parallel`."""
        self._sent.clear()

    def abort_everything(self, ensure_ready: bool = True) -> None:
        """Forgets what was sent; tasks that nobody waits for end as their futures do."""
        self._sent.clear()

    def _by_key(self, argument: Any) -> Any:
        if not isinstance(argument, np.ndarray) or argument.nbytes < LARGE:
            return argument
        if id(argument) not in self._sent:
            self._sent[id(argument)] = (argument, self.client.submit(_itself, argument, pure=False))
        return self._sent[id(argument)][1]


def run_calls(calls: Sequence[Call]) -> list[Any]:
    """The results of the calls, on a worker: one thread a fit, as everywhere (docs/adr/0003)."""
    with threadpool_limits(1):
        return [function(*args, **kwargs) for function, args, kwargs in calls]


def _itself(argument: Any) -> Any:
    return argument
