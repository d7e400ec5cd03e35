"""A Dask cluster that gives what this process would give: found or started, and checked before it is used."""

from __future__ import annotations

import hashlib
import platform
import tempfile
from collections.abc import Iterator
from concurrent.futures import CancelledError
from contextlib import ExitStack, contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

import dask
from distributed import Client, KilledWorker, LocalCluster
from distributed.comm import CommClosedError

from training.fit.engine import EngineError

LIBRARIES = ("numpy", "scipy", "scikit-learn", "joblib", "pandas", "distributed")
ANSWER_WITHIN = 30  # seconds for a scheduler to answer and for its first worker to be there
CHECKOUT = Path(__file__).parents[2]
LARGEST_MESSAGE = "4GB"
"""Data travel inside the tasks, so that the cluster can make them again where a worker is lost; Dask would warn."""


@contextmanager
def cluster(scheduler: str | None = None, workers: int = 2) -> Iterator[Client]:
    """A client of the scheduler at that address, or of worker processes started here. Raises EngineError."""
    with ExitStack() as open_:
        open_.enter_context(dask.config.set({"distributed.admin.large-graph-warning-threshold": LARGEST_MESSAGE}))
        client = open_.enter_context(_client(scheduler, workers, open_))
        _check_alike(client)
        try:
            yield client
        except KilledWorker as error:
            raise EngineError(
                f"Dask gave up: one task ended {error.allowed_failures + 1} workers, most likely by its memory; "
                "give workers more of it"
            ) from None
        except (CancelledError, CommClosedError) as error:
            raise EngineError(f"the Dask cluster was lost ({type(error).__name__}); start it and train again") from None


def _client(scheduler: str | None, workers: int, open_: ExitStack) -> Client:
    if scheduler is None:
        # What workers spill to disk are cases: into a folder that only we can read, and that goes with the cluster.
        folder = open_.enter_context(tempfile.TemporaryDirectory(prefix="grounds-dask-"))
        return Client(open_.enter_context(workers_here(workers, local_directory=folder)))
    try:
        client = Client(scheduler, timeout=ANSWER_WITHIN)
        client.wait_for_workers(1, timeout=ANSWER_WITHIN)
    except (OSError, ValueError, TypeError, TimeoutError) as error:
        said = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise EngineError(
            f"no Dask scheduler with a worker answers at {scheduler} ({said}); start them in the checkout with: "
            "dask scheduler; dask worker ADDRESS --nthreads 1"
        ) from None
    return client


def workers_here(number: int, **settings: Any) -> LocalCluster:
    """Worker processes of one thread each on this machine, which only it can reach; `settings` are LocalCluster's.

    Dask's HTTP server cannot be left out: it takes a free port, where Dask's own default is the same for every cluster.
    """
    quiet = {"dashboard": False, "dashboard_address": "127.0.0.1:0"}
    usual = {"n_workers": number, "threads_per_worker": 1, "processes": True, "scheduler_kwargs": quiet}
    return LocalCluster(**(usual | settings))


def _check_alike(client: Client) -> None:
    """Raises EngineError where a worker could give other bytes than this process."""
    here = surroundings()
    for worker, threads in client.nthreads().items():
        if threads != 1:
            raise EngineError(
                f"worker {worker} has {threads} threads; start it with --nthreads 1: threads of one process share the "
                "limits on threads within a fit"
            )
    for worker, there in client.run(surroundings, on_error="return").items():
        if isinstance(there, BaseException):
            raise EngineError(
                f"worker {worker} cannot import training ({type(there).__name__}); start it in a checkout of Grounds"
            )
        if differ := [name for name in here if here[name] != there[name]]:
            raise EngineError(
                f"worker {worker} has another {', '.join(differ)} than this process; install the same "
                "requirements-cluster.lock and the same checkout on all of them"
            )


def surroundings() -> dict[str, str]:
    """What a result depends on besides its arguments: versions, and a digest of Grounds' own sources."""
    digest = hashlib.sha256()
    for folder in ("model", "training"):
        for file in sorted((CHECKOUT / folder).rglob("*.py")):
            digest.update(file.read_bytes())
    versions = {name: version(name) for name in LIBRARIES}
    return {"Python": platform.python_version(), **versions, "source of Grounds": digest.hexdigest()}
