"""Where bags, folds, refits and judges run: in processes of this machine, or on a Dask cluster.

Every task is a function of its arguments alone, its seed among them, and results are put together in the tasks' order.
So the engine never changes a byte of the result.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from contextlib import contextmanager

LOCAL, DASK = ENGINES = ("local", "dask")
INSTALL = "make train ENGINE=dask installs it, and so does: python -m pip install -r requirements-cluster.lock"


class EngineError(ValueError):
    """An engine that cannot be used, or a cluster that was lost. The message says what to do."""


@contextmanager
def engine(name: str = LOCAL, scheduler: str | None = None, workers: int = 2) -> Iterator[None]:
    """Within it, joblib's `Parallel` runs on the engine: `LOCAL` or `DASK`.

    `scheduler` is the address of a running Dask scheduler (tcp://host:8786). Without one, `workers` worker processes
    of one thread each are started here and ended afterwards. Raises EngineError.
    """
    if name not in ENGINES:
        raise EngineError(f"there is no engine {name!r}; it is one of {', '.join(ENGINES)}")
    if scheduler and name != DASK:
        raise EngineError("--scheduler is for --engine dask")
    if name == LOCAL:
        yield
        return
    try:
        importlib.import_module("distributed")
    except ImportError:
        raise EngineError(f"--engine dask needs Dask, which is not installed; {INSTALL}") from None
    # Imported late, so that what is wrong with the data is said before the seconds that these take.
    from joblib import parallel_config

    from training.fit.cluster import cluster
    from training.fit.cluster_backend import ClusterBackend

    with cluster(scheduler, workers) as client, parallel_config(backend=ClusterBackend(client)):
        yield
