from __future__ import annotations

from hashlib import sha256

import pymerkle
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.log.merkle import (
    EMPTY_ROOT,
    Frontier,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    root_of,
    verify_consistency,
    verify_inclusion,
)

# The leaves and roots that certificate-transparency implementations share as test vectors.
LEAVES = [
    bytes.fromhex(leaf)
    for leaf in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
# Nodes of the same tree, by the leaves that they cover.
NODES = {
    "0": "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "1": "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
    "4": "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    "6": "b08693ec2e721597130641e8211e7eedccb4c26413963eee6c1e2ed16ffb1a5f",
    "0-1": "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "2-3": "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
    "4-5": "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
    "6-7": "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
    "0-3": "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4-7": "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
}
HASHES = [leaf_hash(leaf) for leaf in LEAVES]
MANY = [leaf_hash(str(number).encode()) for number in range(70)]


def test_roots_of_the_shared_vectors() -> None:
    assert EMPTY_ROOT.hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    frontier = Frontier()
    assert frontier.root() == EMPTY_ROOT
    for hashed, root in zip(HASHES, ROOTS, strict=True):
        frontier.append(hashed)
        assert frontier.root().hex() == root


def test_proofs_of_the_shared_vectors() -> None:
    """Every proof that certificate-transparency implementations share, spelt by their nodes of the tree."""
    for (index, size), names in {
        (0, 1): [],
        (0, 8): ["1", "2-3", "4-7"],
        (5, 8): ["4", "6-7", "0-3"],
        (2, 3): ["0-1"],
        (1, 5): ["0", "2-3", "4"],
    }.items():
        proof = inclusion_proof(HASHES[:size], index)
        assert [node.hex() for node in proof] == [NODES[name] for name in names]
        assert verify_inclusion(HASHES[index], index, size, proof, bytes.fromhex(ROOTS[size - 1]))
    for (old, new), names in {
        (1, 1): [],
        (1, 8): ["1", "2-3", "4-7"],
        (2, 8): ["2-3", "4-7"],
        (6, 8): ["4-5", "6-7", "0-3"],
        (2, 5): ["2-3", "4"],
        (6, 7): ["4-5", "6", "0-3"],
    }.items():
        proof = consistency_proof(HASHES[:new], old)
        assert [node.hex() for node in proof] == [NODES[name] for name in names]
        assert verify_consistency(old, new, proof, bytes.fromhex(ROOTS[old - 1]), bytes.fromhex(ROOTS[new - 1]))


def tree_hash(hashes: list[bytes]) -> bytes:
    """MTH of RFC 9162, 2.1.1, as it is written there."""
    if not hashes:
        return sha256(b"").digest()
    if len(hashes) == 1:
        return hashes[0]
    k = split(len(hashes))
    return sha256(b"\x01" + tree_hash(hashes[:k]) + tree_hash(hashes[k:])).digest()


def split(n: int) -> int:
    """The largest power of two smaller than n."""
    return max(2**power for power in range(n) if 2**power < n)


def subproof(m: int, hashes: list[bytes], complete: bool) -> list[bytes]:
    """SUBPROOF of RFC 9162, 2.1.4.1, as it is written there."""
    if m == len(hashes):
        return [] if complete else [tree_hash(hashes)]
    k = split(len(hashes))
    if m <= k:
        return [*subproof(m, hashes[:k], complete), tree_hash(hashes[k:])]
    return [*subproof(m - k, hashes[k:], False), tree_hash(hashes[:k])]


def test_consistency_proofs_are_those_of_the_definition() -> None:
    for size in range(1, 35):
        for old in range(1, size + 1):
            assert consistency_proof(MANY[:size], old) == subproof(old, MANY[:size], True)


def test_roots_agree_with_another_implementation() -> None:
    oracle = pymerkle.InmemoryTree(algorithm="sha256")
    hashes = []
    for number in range(70):
        leaf = str(number).encode()
        oracle.append_entry(leaf)
        hashes.append(leaf_hash(leaf))
        assert root_of(hashes) == oracle.get_root()


def test_every_proof_verifies_up_to_size_70() -> None:
    for size in range(1, 71):
        hashes, root = MANY[:size], root_of(MANY[:size])
        for index in range(size):
            assert verify_inclusion(hashes[index], index, size, inclusion_proof(hashes, index), root)
        for old in range(size + 1):
            assert verify_consistency(old, size, consistency_proof(hashes, old), root_of(hashes[:old]), root)


def test_proofs_are_those_of_another_implementation() -> None:
    oracle = pymerkle.InmemoryTree(algorithm="sha256")
    for number in range(70):
        oracle.append_entry(str(number).encode())
    for size in (1, 2, 3, 7, 8, 20, 33, 64, 70):
        for index in range(size):
            path = oracle.prove_inclusion(index + 1, size).path
            assert inclusion_proof(MANY[:size], index) == [bytes(node) for node in path[1:]]


@given(st.integers(1, 70), st.data())
def test_a_changed_inclusion_proof_never_verifies(size: int, data) -> None:
    index = data.draw(st.integers(0, size - 1))
    root, proof = root_of(MANY[:size]), inclusion_proof(MANY[:size], index)
    other = data.draw(st.integers(0, 80).filter(lambda other: other != index))
    assert not verify_inclusion(MANY[index], other, size, proof, root)
    assert not verify_inclusion(leaf_hash(b"other"), index, size, proof, root)
    assert not verify_inclusion(MANY[index], index, size, proof, leaf_hash(b"other"))
    assert not verify_inclusion(MANY[index], index, size, [*proof, root], root)
    if proof:
        at = data.draw(st.integers(0, len(proof) - 1))
        assert not verify_inclusion(MANY[index], index, size, proof[:at] + proof[at + 1 :], root)
        changed = [*proof[:at], leaf_hash(b"other"), *proof[at + 1 :]]
        assert not verify_inclusion(MANY[index], index, size, changed, root)


@given(st.integers(2, 70), st.data())
def test_a_changed_consistency_proof_never_verifies(size: int, data) -> None:
    old = data.draw(st.integers(1, size - 1))
    old_root, root = root_of(MANY[:old]), root_of(MANY[:size])
    proof = consistency_proof(MANY[:size], old)
    assert not verify_consistency(old, size, proof, leaf_hash(b"other"), root)
    assert not verify_consistency(old, size, proof, old_root, leaf_hash(b"other"))
    assert not verify_consistency(old, size, [*proof, root], old_root, root)
    at = data.draw(st.integers(0, len(proof) - 1))
    assert not verify_consistency(old, size, proof[:at] + proof[at + 1 :], old_root, root)
    changed = [*proof[:at], leaf_hash(b"other"), *proof[at + 1 :]]
    assert not verify_consistency(old, size, changed, old_root, root)


def test_a_rewritten_tree_is_not_consistent() -> None:
    rewritten = [leaf_hash(b"other"), *MANY[1:]]
    proof = consistency_proof(rewritten, 20)
    assert not verify_consistency(20, 70, proof, root_of(MANY[:20]), root_of(rewritten))


def test_the_edges_of_consistency() -> None:
    root = root_of(MANY)
    assert verify_consistency(70, 70, [], root, root)
    assert not verify_consistency(70, 70, [], root, leaf_hash(b"other"))
    assert verify_consistency(0, 70, [], EMPTY_ROOT, root)
    assert not verify_consistency(0, 70, [], root, root)
    assert not verify_consistency(71, 70, [], root, root)
    assert not verify_consistency(3, 70, [], root, root)


@given(st.integers(0, 70), st.integers(0, 70))
def test_a_frontier_restored_grows_on_as_if_never_stored(first: int, more: int) -> None:
    frontier = Frontier()
    for hashed in MANY[:first]:
        frontier.append(hashed)
    restored = Frontier(frontier.size, frontier.to_bytes())
    for hashed in MANY[first:more]:
        restored.append(hashed)
    assert restored.root() == root_of(MANY[: max(first, more)])


@pytest.mark.parametrize(("size", "peaks"), [(1, b""), (0, bytes(32)), (3, bytes(32)), (2, bytes(31)), (-1, bytes(32))])
def test_a_frontier_of_another_size_is_refused(size: int, peaks: bytes) -> None:
    with pytest.raises(ValueError, match="does not belong"):
        Frontier(size, peaks)


def test_there_are_no_proofs_out_of_range() -> None:
    with pytest.raises(ValueError, match="no leaf"):
        inclusion_proof(MANY, 70)
    with pytest.raises(ValueError, match="no leaf"):
        inclusion_proof(MANY, -1)
    with pytest.raises(ValueError, match="no tree"):
        consistency_proof(MANY, 71)
