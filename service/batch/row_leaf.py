"""A row's leaf by the standard library alone, from the row's cells: what whoever checks a proof recomputes.

Row format 1, as `service.batch.row_format` lays it out for many rows at once; a test holds the two together.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from typing import Any

from model.prompt import LEVELS

REFERENCE_BYTES = 64
SALT_BYTES = 16


class RowError(ValueError):
    """Cells that make no row; one line that names the column, never the value."""


def row_leaf(row: Mapping[str, Any], features: Sequence[str], grounds: Sequence[str]) -> bytes:
    """The leaf of a row, given its cells by column (`salt` in hexadecimal). Raises `RowError`."""
    try:
        reference = str(row["case_ref"]).encode()
        salt = bytes.fromhex(row["salt"])
        met = str(row["grounds"]).split()
        bits = sum(1 << grounds.index(code) for code in set(met))
        if len(reference) > REFERENCE_BYTES or len(salt) != SALT_BYTES:
            raise RowError("case_ref or salt is too long or too short")
        numbers = [float(row[name]) for name in ("score", "score_low", "score_high", "base_value")]
        contributions = [float(row[f"shap_{feature}"]) for feature in features]
        return b"".join(
            (
                salt,
                reference.ljust(REFERENCE_BYTES, b"\0"),
                struct.pack("<4d", *numbers),
                struct.pack("<BBH", int(row["band"]), LEVELS.index(row["prompt"]), int(row["not_known"])),
                bits.to_bytes(-(-len(grounds) // 8), "little"),
                struct.pack(f"<{len(features)}d", *contributions),
            )
        )
    except KeyError as error:
        raise RowError(f"the row has no {error.args[0]}") from None
    except (ValueError, TypeError, struct.error) as error:
        if isinstance(error, RowError):
            raise
        raise RowError("a cell of the row is of another kind than its column") from None
