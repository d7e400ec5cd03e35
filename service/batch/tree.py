"""The Merkle tree of a job: the tree of RFC 6962 over its rows' leaves, computed a partition at a time.

A partition has 2^16 rows (the last one fewer), so its root is a node of the whole job's tree, and the tree over the
partitions' roots has the job's root: whoever computed which partition, on whatever machine, there is one root.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256

from service.log.merkle import EMPTY_ROOT

PARTITION_LEVEL = 16
PARTITION_ROWS = 1 << PARTITION_LEVEL


def leaf_hashes(leaves: bytes, width: int) -> list[bytes]:
    """The hash of each leaf; `leaves` are rows of `width` bytes that begin with RFC 6962's zero byte."""
    return [sha256(leaves[start : start + width]).digest() for start in range(0, len(leaves), width)]


def root_over(nodes: Sequence[bytes]) -> bytes:
    """The root over leaf hashes, or over roots of partitions: level by level, which is fastest for whole trees.

    As `service.log.merkle.root_of`: RFC 6962 splits at the largest power of two, so an odd node is carried upwards.
    """
    if not nodes:
        return EMPTY_ROOT
    while len(nodes) > 1:
        nodes = _parents(nodes)
    return nodes[0]


def path_to(nodes: Sequence[bytes], place: int) -> list[bytes]:
    """The inclusion proof of a node (RFC 9162, 2.1.3.1) in the tree over `nodes`. Raises `IndexError`."""
    if not 0 <= place < len(nodes):
        raise IndexError(place)
    path = []
    while len(nodes) > 1:
        if (place ^ 1) < len(nodes):
            path.append(nodes[place ^ 1])
        nodes, place = _parents(nodes), place >> 1
    return path


def _parents(nodes: Sequence[bytes]) -> Sequence[bytes]:
    paired = len(nodes) & ~1
    pairs = zip(nodes[:paired:2], nodes[1:paired:2], strict=True)
    parents = [sha256(b"\x01%b%b" % pair).digest() for pair in pairs]
    return [*parents, nodes[-1]] if paired < len(nodes) else parents
