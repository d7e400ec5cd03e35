"""Rows that are too many for a worker's memory; workers import this alone, to have room in it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

WIDE = 40
WIDE_ROWS = 1_120_000  # times WIDE float64: 358 MB


def wide_rows(first: int, rows: int) -> tuple[NDArray[np.float64], NDArray[np.int8]]:
    """Made afresh wherever they are read: the same for the same place."""
    rng = np.random.default_rng(first)
    X = (rng.random((rows, WIDE)) < 0.3).astype(np.float64)
    X[rng.random((rows, WIDE)) < 0.1] = np.nan
    margin = -2 + np.nansum(X[:, :10], axis=1) * 0.3
    return X, (rng.random(rows) < 1 / (1 + np.exp(-margin))).astype(np.int8)


def write_wide(folder: Path, rows: int) -> list[tuple[Path, int]]:
    """A Parquet file for each part."""
    parts = []
    for first in range(0, WIDE_ROWS, rows):
        X, y = wide_rows(first, rows)
        path = folder / f"{first:07}.parquet"
        pd.DataFrame(X).assign(y=y).rename(columns=str).to_parquet(path)
        parts.append((path, rows))
    return parts


def read_wide(part: tuple[Path, int]) -> tuple[NDArray[np.float64], NDArray[np.int8]]:
    frame = pd.read_parquet(part[0])
    return frame.drop(columns="y").to_numpy(), frame["y"].to_numpy()


def peak_memory() -> int:
    """Bytes, of this process alone: what `getrusage` says also counts the process that started it."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.partition("VmHWM:")[2].split()[0]) * 1024
