"""The Merkle tree of RFC 6962 / 9162 (section 2.1): hashes, an append frontier, proofs. Pure, no I/O.

Hashes are 32 bytes of SHA-256. Proofs are made from leaf hashes in order and are lists of such hashes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from hashlib import sha256
from typing import NamedTuple

HASH_BYTES = 32
EMPTY_ROOT = sha256(b"").digest()


def leaf_hash(leaf: bytes) -> bytes:
    """The hash of a leaf's bytes."""
    return sha256(b"\x00" + leaf).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of an inner node."""
    return sha256(b"\x01" + left + right).digest()


class Frontier:
    """The roots of the full subtrees of a growing tree, largest first: all that an append or the root needs.

    An append costs O(log size) at worst and two hashes on average.
    """

    __slots__ = ("_peaks", "size")

    def __init__(self, size: int = 0, peaks: bytes = b"") -> None:
        """Restores a frontier from its size and `to_bytes()`. Raises `ValueError` where the two do not fit."""
        if size < 0 or len(peaks) != HASH_BYTES * size.bit_count():
            raise ValueError(f"a frontier of {len(peaks)} bytes does not belong to a tree of {size} leaves")
        self.size = size
        self._peaks = [peaks[start : start + HASH_BYTES] for start in range(0, len(peaks), HASH_BYTES)]

    def append(self, hashed: bytes) -> None:
        """Adds a leaf hash."""
        self.append_subtree(hashed, 0)

    def append_subtree(self, hashed: bytes, level: int) -> None:
        """Adds the root of a full subtree of `2 ** level` leaves; the size so far must be a multiple of as many."""
        peaks, size = self._peaks, self.size >> level
        while size & 1:
            hashed = node_hash(peaks.pop(), hashed)
            size >>= 1
        peaks.append(hashed)
        self.size += 1 << level

    def root(self) -> bytes:
        """The root over all leaves so far."""
        if not self._peaks:
            return EMPTY_ROOT
        root = self._peaks[-1]
        for peak in reversed(self._peaks[:-1]):
            root = node_hash(peak, root)
        return root

    def to_bytes(self) -> bytes:
        """The peaks, one after the other."""
        return b"".join(self._peaks)


def full_subtrees(start: int, stop: int) -> Iterator[tuple[int, int]]:
    """The fewest full subtrees that cover leaves `start` to `stop` (exclusive), in order: first leaf and level."""
    while start < stop:
        fits = (stop - start).bit_length() - 1
        aligned = (start & -start).bit_length() - 1 if start else fits
        level = min(fits, aligned)
        yield start, level
        start += 1 << level


def root_of(hashes: Sequence[bytes]) -> bytes:
    """The root over the leaf hashes."""
    frontier = Frontier()
    for hashed in hashes:
        frontier.append(hashed)
    return frontier.root()


def _split(size: int) -> int:
    # The largest power of two below size (size > 1).
    return 1 << (size - 1).bit_length() - 1


def inclusion_proof(hashes: Sequence[bytes], index: int) -> list[bytes]:
    """The path from leaf `index` to the root over `hashes` (RFC 9162, 2.1.3.1). Raises `ValueError` out of range."""
    if not 0 <= index < len(hashes):
        raise ValueError(f"there is no leaf {index} in a tree of {len(hashes)} leaves")
    proof: list[bytes] = []
    start, stop = 0, len(hashes)
    while stop - start > 1:
        middle = start + _split(stop - start)
        if index < middle:
            proof.append(root_of(hashes[middle:stop]))
            stop = middle
        else:
            proof.append(root_of(hashes[start:middle]))
            start = middle
    return proof[::-1]


def consistency_proof(hashes: Sequence[bytes], old: int) -> list[bytes]:
    """That the tree over the first `old` leaves is a prefix of the one over all (RFC 9162, 2.1.4.1).

    Empty for `old` of 0 or all leaves. Raises `ValueError` out of range.
    """
    if not 0 <= old <= len(hashes):
        raise ValueError(f"there is no tree of {old} leaves within one of {len(hashes)}")
    if old in (0, len(hashes)):
        return []
    proof: list[bytes] = []
    start, stop, whole = 0, len(hashes), True
    while old != stop:
        middle = start + _split(stop - start)
        if old <= middle:
            proof.append(root_of(hashes[middle:stop]))
            stop = middle
        else:
            proof.append(root_of(hashes[start:middle]))
            start, whole = middle, False
    if not whole:
        proof.append(root_of(hashes[start:stop]))
    return proof[::-1]


class Step(NamedTuple):
    """One step from a leaf towards the root: the sibling's hash, the side on which it stands, the hash of both."""

    sibling: bytes
    left: bool
    result: bytes


def climb(hashed: bytes, index: int, size: int, proof: Sequence[bytes]) -> tuple[list[Step], bool]:
    """The steps from the leaf hash at `index` up a tree of `size`, and whether they end at its top (RFC 9162, 2.1.3.2).

    The last step's result is the root, or the leaf hash itself where there is no step.
    """
    if not 0 <= index < size:
        return [], False
    steps: list[Step] = []
    position, last, computed = index, size - 1, hashed
    for sibling in proof:
        if last == 0:
            return steps, False
        left = bool(position & 1) or position == last
        computed = node_hash(sibling, computed) if left else node_hash(computed, sibling)
        steps.append(Step(sibling, left, computed))
        while left and position and not position & 1:
            position, last = position >> 1, last >> 1
        position, last = position >> 1, last >> 1
    return steps, last == 0


def verify_inclusion(hashed: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> bool:
    """Whether the leaf hash stands at `index` in the tree of that size and root (RFC 9162, 2.1.3.2)."""
    steps, at_the_top = climb(hashed, index, size, proof)
    return at_the_top and (steps[-1].result if steps else hashed) == root


def verify_consistency(old: int, new: int, proof: Sequence[bytes], old_root: bytes, new_root: bytes) -> bool:
    """Whether the tree (old, old_root) is a prefix of the tree (new, new_root) (RFC 9162, 2.1.4.2)."""
    if not 0 <= old <= new:
        return False
    if old == new:
        return not proof and old_root == new_root
    if old == 0:
        return not proof and old_root == EMPTY_ROOT
    path = list(proof) if old & (old - 1) else [old_root, *proof]
    if not path:
        return False
    position, last = old - 1, new - 1
    while position & 1:
        position, last = position >> 1, last >> 1
    first = second = path[0]
    for node in path[1:]:
        if last == 0:
            return False
        if position & 1 or position == last:
            first, second = node_hash(node, first), node_hash(node, second)
            while position and not position & 1:
                position, last = position >> 1, last >> 1
        else:
            second = node_hash(second, node)
        position, last = position >> 1, last >> 1
    return last == 0 and first == old_root and second == new_root
