"""Leader/follower group commit: the first thread waiting commits for all that queue behind it.

No added delay: a lone appender leads itself at once; under load, what queues while one commit is on its way to the disk
goes into the next. Whoever must not wait, as an event loop must not, hands in what it has and is told of the outcome;
the one thread that commits for these begins with the first of them.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from queue import SimpleQueue
from typing import Generic, TypeVar


class Waiting:
    """What a thread puts in the queue, and where it waits for the outcome."""

    __slots__ = ("_turn", "done", "leads", "settled")

    def __init__(self, settled: Callable[[], None] | None = None) -> None:
        """`settled` is called, in whichever thread commits, when there is an outcome; None where a thread waits."""
        self.done = False
        self.leads = False
        self.settled = settled
        if settled is None:
            self._turn = threading.Lock()
            self._turn.acquire()

    def wait(self) -> None:
        """Sleeps until there is an outcome, or until this thread is to lead."""
        self._turn.acquire()

    def wake(self) -> None:
        """Ends the wait."""
        self._turn.release()


W = TypeVar("W", bound=Waiting)


class GroupCommit(Generic[W]):
    """Collects what threads submit and hands it, in order and in batches of at most `limit`, to `commit`.

    `commit` runs inside `lock`, in the thread of one of the submitters, one at a time, and sets the outcome of each in
    the batch. Where it or the lock fails, `give_up` gets the batch and the error and sets the outcomes.
    """

    def __init__(
        self,
        commit: Callable[[list[W]], None],
        give_up: Callable[[list[W], BaseException], None],
        lock: AbstractContextManager[None],
        limit: int = 512,
    ) -> None:
        self._commit = commit
        self._give_up = give_up
        self._lock = lock
        self._limit = limit
        self._mutex = threading.Lock()
        self._queue: deque[W] = deque()
        self._led = False
        self._to_lead: SimpleQueue[bool] | None = None
        """Tells the thread that commits for those that do not wait to commit (True), or to end."""
        self._closed = False

    def submit_soon(self, waiting: W) -> None:
        """Returns at once; `waiting.settled` is called when the outcome is set."""
        with self._mutex:
            self._queue.append(waiting)
            leads = not self._led
            if leads:
                self._led = waiting.leads = True
        if leads:
            self._lead_elsewhere()

    def submit(self, waiting: W) -> None:
        """Returns when the outcome of `waiting` is set."""
        with self._mutex:
            self._queue.append(waiting)
            if not self._led:
                self._led = waiting.leads = True
        if not waiting.leads:
            try:
                waiting.wait()
            except BaseException:
                self._leave(waiting)
                raise
        if waiting.leads and not waiting.done:
            self._lead()

    def _lead(self) -> None:
        batch: list[W] = []
        try:
            # The batch is taken only once the lock is held: whatever came while waiting for it rides along.
            with self._lock:
                with self._mutex:
                    while self._queue and len(batch) < self._limit:
                        batch.append(self._queue.popleft())
                self._commit(batch)
        except BaseException as error:
            with self._mutex:
                if not batch:
                    batch.append(self._queue.popleft())  # the leader itself
            self._give_up(batch, error)
            if not isinstance(error, Exception):
                raise
        finally:
            self._hand_on()
            for waiting in batch:
                waiting.done = True
                if waiting.settled is not None:
                    with suppress(Exception):  # the loop that it tells is gone, and others wait to be told
                        waiting.settled()
                elif not waiting.leads:
                    waiting.wake()

    def _hand_on(self) -> None:
        with self._mutex:
            if not self._queue:
                self._led = False
                return
            successor = self._queue[0]
            successor.leads = True
        if successor.settled is None:
            successor.wake()
        else:
            self._lead_elsewhere()

    def _lead_elsewhere(self) -> None:
        with self._mutex:
            closed = self._closed
            if not closed and self._to_lead is None:
                to_lead: SimpleQueue[bool] = SimpleQueue()
                with suppress(RuntimeError):  # there may be no room for another thread: then this one leads
                    threading.Thread(target=self._lead_for_others, args=(to_lead,), daemon=True).start()
                    self._to_lead = to_lead
            leader = None if closed else self._to_lead
            if leader is not None:
                leader.put(True)
        if leader is None:
            self._lead()

    def _lead_for_others(self, to_lead: SimpleQueue[bool]) -> None:
        while to_lead.get():
            with suppress(BaseException):  # `give_up` was told of it; others wait for this thread
                self._lead()

    def close(self) -> None:
        """Ends the thread that commits for those that do not wait, once it has done what it was told to.

        Call it once `commit` or the lock refuses whatever comes.
        """
        with self._mutex:
            self._closed = True
            if self._to_lead is not None:
                self._to_lead.put(False)

    def _leave(self, waiting: W) -> None:
        # The waiting thread was interrupted. It must not stay in the queue, least of all as the leader.
        with self._mutex:
            if waiting in self._queue:
                self._queue.remove(waiting)
        if waiting.leads and not waiting.done:
            self._hand_on()
