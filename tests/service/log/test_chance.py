"""Nobody is given random bytes that another was given: not another thread, and not another process."""

import os
from concurrent.futures import ThreadPoolExecutor

from service.log.chance import PIECE, random_piece

MANY = 5_000


def test_no_piece_is_given_twice():
    with ThreadPoolExecutor(8) as threads:
        pieces = list(threads.map(lambda _: random_piece(), range(MANY)))
    assert {len(piece) for piece in pieces} == {PIECE}
    assert len(set(pieces)) == MANY


def test_a_process_that_is_forked_off_is_given_others():
    random_piece()  # some of a lot are left
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(write, b"".join(random_piece() for _ in range(100)))
        os._exit(0)
    os.waitpid(child, 0)
    theirs = os.read(read, 100 * PIECE)
    os.close(read)
    os.close(write)
    assert len(theirs) == 100 * PIECE
    ours = {random_piece() for _ in range(1000)}
    assert ours.isdisjoint(theirs[start : start + PIECE] for start in range(0, len(theirs), PIECE))
