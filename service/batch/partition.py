"""The story of a partition: codes in, what was found and each row's leaf hash out. Pure, so that any machine may do it.

Runs in worker processes and on a cluster, so it imports no more than it needs.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from model.artefact import read_model
from model.columns.screen import ColumnModel, Screened
from model.pairs.table import features_in
from service.batch.row_format import RowFormat, salts_of
from service.batch.tree import leaf_hashes, root_over

Bytes = NDArray[np.uint8]
_AT_ONCE = 8192
"""Rows whose columns fit a core's cache together."""


@dataclass(frozen=True, slots=True)
class Partition:
    """The cases of one partition: first row's number (from 0), codes (features, rows), references (rows, bytes)."""

    first: int
    codes: Bytes
    references: Bytes

    @property
    def rows(self) -> int:
        """How many cases."""
        return len(self.references)


@dataclass(frozen=True, slots=True)
class ScreenedPartition:
    """What was found, by rows; contributions are left to the codes, from which a table has them, but for those of
    features in pairs: `together`, (such features, rows), in the order of `model.pairs.table.features_in`.

    `columns` has `score`, `score_low`, `score_high`, `band`, `prompt`, `not_known`; `grounds` is (rows, bytes) of bits;
    `salts` is (rows, 16), `leaf_hashes` 32 bytes a row; `root` is over them.
    """

    columns: dict[str, NDArray[np.generic]]
    grounds: Bytes
    salts: Bytes
    leaf_hashes: bytes
    root: bytes
    together: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Screener:
    """Screens partitions with the model in `artefact` (a model.json's bytes), with salts under `salt_key`."""

    artefact: bytes
    salt_key: bytes

    def __call__(self, partition: Partition) -> ScreenedPartition:
        """The partition screened. Raises `ExplanationError` where contributions do not sum to a score."""
        model, base_value, form, in_pairs = _prepared(self.artefact)
        salts = salts_of(self.salt_key, partition.first, partition.rows)
        found: list[Screened] = []
        together: list[NDArray[np.float64]] = []
        grounds: list[Bytes] = []
        hashes: list[bytes] = []
        for start in range(0, partition.rows, _AT_ONCE):
            part = slice(start, start + _AT_ONCE)
            screened = model.screen(partition.codes[:, part])
            leaves = form.leaves(salts[part], partition.references[part], screened, base_value)
            hashes += leaf_hashes(leaves.tobytes(), form.dtype.itemsize)
            grounds.append(leaves["grounds"].copy())
            together.append(screened.contributions[in_pairs])
            found.append(screened)
        return ScreenedPartition(
            {name: np.concatenate([getattr(part, name) for part in found]) for name in COLUMNS},
            np.concatenate(grounds),
            salts,
            b"".join(hashes),
            root_over(hashes),
            np.concatenate(together, axis=1),
        )


COLUMNS = ("score", "score_low", "score_high", "band", "prompt", "not_known")


@lru_cache(maxsize=2)
def _prepared(artefact: bytes) -> tuple[ColumnModel, float, RowFormat, list[int]]:
    model = read_model(artefact)
    form = RowFormat(len(model.terms), len(model.dictionary.grounds))
    return ColumnModel(model), model.base_value, form, list(features_in(model.pairs))
