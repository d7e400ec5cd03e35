"""What tests ask of worker processes. Workers import this alone: a test's own file would bring all of training in."""

from __future__ import annotations

import os

import sklearn.ensemble  # noqa: F401  # the libraries whose threads are counted, loaded before a task begins
from joblib import Parallel, delayed
from threadpoolctl import threadpool_info


def own_process() -> int:
    return os.getpid()


def threads_and_processes_within() -> tuple[set[int], int]:
    """The numbers of threads of a worker's libraries, and how many processes do what a task hands on."""
    processes = Parallel()(delayed(os.getpid)() for _ in range(4))
    return {pool["num_threads"] for pool in threadpool_info()}, len({*processes, os.getpid()})
