"""Random bytes of the system's, fetched by the lot.

`os.urandom` lets go of the interpreter at each call, and on a busy worker another thread takes it: to get it back costs
far more than the bytes. What is fetched is given out once; a process that is forked off starts with none of it.
"""

from __future__ import annotations

import os
from collections import deque

PIECE = 16
"""Bytes given out at once."""
_PIECES_A_LOT = 256
_pieces: deque[bytes] = deque()
os.register_at_fork(after_in_child=_pieces.clear)


def random_piece() -> bytes:
    """Random bytes (`PIECE` of them) that nobody was given before. Any thread may ask."""
    try:
        return _pieces.popleft()
    except IndexError:
        lot = os.urandom(PIECE * _PIECES_A_LOT)
        piece, *others = (lot[start : start + PIECE] for start in range(0, len(lot), PIECE))
        _pieces.extend(others)
        return piece
