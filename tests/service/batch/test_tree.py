"""The job's tree is the tree of RFC 6962, whoever computes which part of it; a row's leaf is what its cells make."""

from hashlib import sha256

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.batch import tree
from service.batch.tree import leaf_hashes, path_to, root_over
from service.log.merkle import inclusion_proof, leaf_hash, root_of


def nodes(count):
    return [sha256(bytes([number % 256, number // 256])).digest() for number in range(count)]


@settings(deadline=None)
@given(st.integers(0, 300))
def test_the_root_is_that_of_the_log(count):
    assert root_over(nodes(count)) == root_of(nodes(count))


@settings(deadline=None)
@given(st.integers(1, 300), st.data())
def test_the_path_is_that_of_the_log(count, data):
    place = data.draw(st.integers(0, count - 1))
    assert path_to(nodes(count), place) == inclusion_proof(nodes(count), place)


@settings(deadline=None)
@given(st.integers(1, 300), st.integers(0, 5))
def test_roots_of_partitions_give_the_root_of_all(count, level):
    rows, size = nodes(count), 1 << level
    assert root_over([root_over(rows[at : at + size]) for at in range(0, count, size)]) == root_of(rows)


@settings(deadline=None)
@given(st.integers(1, 300), st.integers(0, 5), st.data())
def test_a_path_goes_through_its_partition(count, level, data):
    rows, size = nodes(count), 1 << level
    place = data.draw(st.integers(0, count - 1))
    start = place - place % size
    roots = [root_over(rows[at : at + size]) for at in range(0, count, size)]
    path = [*path_to(rows[start : start + size], place - start), *path_to(roots, place // size)]
    assert path == inclusion_proof(rows, place)


def test_leaves_are_hashed_as_leaves():
    assert leaf_hashes(b"\0ab\0cd", 3) == [leaf_hash(b"ab"), leaf_hash(b"cd")]


def test_no_path_beyond_the_last():
    with pytest.raises(IndexError):
        path_to(nodes(3), 3)
    assert tree.PARTITION_ROWS == 1 << tree.PARTITION_LEVEL
