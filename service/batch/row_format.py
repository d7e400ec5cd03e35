"""What a row's leaf is (row format 1): the row's own columns as bytes of fixed width, one after the other.

Numbers are little-endian, floats IEEE 754 doubles: `salt` (16 bytes), `case_ref` (64, filled up with zeros), `score`,
`score_low`, `score_high`, `base_value` (8 each), `band` (1), `prompt` (1: 0 consider_referral, 1 seek_information,
2 no_prompt), `not_known` (2), `grounds` (a bit a ground, the first ground's the lowest bit of the first byte) and the
`shap_` columns (8 each). The job's entry lists grounds and features in their order.

The salt keeps a proof from telling of other rows: it holds their hashes, which without a salt could be guessed at.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from numpy.typing import NDArray

from model.columns.screen import Screened
from service.batch.row_leaf import REFERENCE_BYTES, SALT_BYTES

FORMAT = 1
Bytes = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class RowFormat:
    """The widths of one model's rows: how many features and grounds it has."""

    features: int
    grounds: int

    @property
    def ground_bytes(self) -> int:
        """Bytes that hold a bit a ground."""
        return -(-self.grounds // 8)

    @property
    def dtype(self) -> np.dtype[np.void]:
        """A leaf as numpy sees it, behind the zero byte that RFC 6962 hashes first."""
        fields: list[tuple[str, str] | tuple[str, str, tuple[int]]] = [
            ("prefix", "u1"),
            ("salt", "u1", (SALT_BYTES,)),
            ("case_ref", "u1", (REFERENCE_BYTES,)),
            *((name, "<f8") for name in ("score", "score_low", "score_high", "base_value")),
            ("band", "u1"),
            ("prompt", "u1"),
            ("not_known", "<u2"),
            ("grounds", "u1", (self.ground_bytes,)),
            ("contributions", "<f8", (self.features,)),
        ]
        return np.dtype(fields)

    def leaves(self, salts: Bytes, references: Bytes, screened: Screened, base_value: float) -> NDArray[np.void]:
        """The leaves of screened rows, (rows,) of `dtype`."""
        rows = np.zeros(len(salts), dtype=self.dtype)
        rows["salt"] = salts
        rows["case_ref"][:, : references.shape[1]] = references
        for name in ("score", "score_low", "score_high", "band", "prompt", "not_known"):
            rows[name] = getattr(screened, name)
        rows["base_value"] = base_value
        rows["grounds"] = self.ground_bits(screened.met)
        rows["contributions"] = screened.contributions.T
        return rows

    def ground_bits(self, met: NDArray[np.bool_]) -> Bytes:
        """Which grounds are met, (grounds, rows), as bits, (rows, ground_bytes)."""
        return np.ascontiguousarray(np.packbits(met, axis=0, bitorder="little").T)


def salts_of(key: bytes, first: int, rows: int) -> Bytes:
    """The salts of rows from number `first` (from 0), (rows, SALT_BYTES): AES in counter mode under the job's key.

    So any partition's salts can be had by themselves. Who has some rows' salts learns nothing of the others', nor of
    the key (32 bytes), which is made for the job and forgotten with it.
    """
    stream = Cipher(algorithms.AES(key), modes.CTR(first.to_bytes(SALT_BYTES))).encryptor()
    return np.frombuffer(stream.update(bytes(rows * SALT_BYTES)), dtype=np.uint8).reshape(rows, SALT_BYTES)
