from __future__ import annotations

import contextlib
import threading
import time

import pytest

from service.log.group_commit import GroupCommit, Waiting


class Item(Waiting):
    def __init__(self, number: int, soon: bool = False) -> None:
        self.told = threading.Event()
        super().__init__(self.told.set if soon else None)
        self.number = number
        self.outcome: object = None


class Desk:
    """Commits slowly, remembers its batches, and fails or is interrupted when told to."""

    def __init__(self, limit: int = 512) -> None:
        self.batches: list[list[int]] = []
        self.fail: BaseException | None = None
        self.at_work = 0
        self.group: GroupCommit[Item] = GroupCommit(self.commit, self.give_up, contextlib.nullcontext(), limit)

    def commit(self, batch: list[Item]) -> None:
        self.at_work += 1
        assert self.at_work == 1, "two commits at once"
        time.sleep(0.002)
        self.at_work -= 1
        if self.fail is not None:
            error, self.fail = self.fail, None
            raise error
        self.batches.append([item.number for item in batch])
        for item in batch:
            item.outcome = "stored"

    def give_up(self, batch: list[Item], error: BaseException) -> None:
        for item in batch:
            item.outcome = error

    def submit_all(self, count: int) -> list[Item]:
        items = [Item(number) for number in range(count)]
        threads = [threading.Thread(target=self.group.submit, args=(item,)) for item in items]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(20)
            assert not thread.is_alive(), "a thread was forgotten"
        return items


def test_each_is_committed_once_and_in_groups() -> None:
    desk = Desk()
    items = desk.submit_all(64)
    assert all(item.outcome == "stored" for item in items)
    assert sorted(number for batch in desk.batches for number in batch) == list(range(64))
    assert len(desk.batches) < 64


def test_a_lone_submitter_leads_itself_at_once() -> None:
    desk = Desk()
    for number in range(3):
        item = Item(number)
        desk.group.submit(item)
        assert item.outcome == "stored"
    assert desk.batches == [[0], [1], [2]]


def test_batches_are_bounded() -> None:
    desk = Desk(limit=5)
    desk.submit_all(64)
    assert max(map(len, desk.batches)) <= 5
    assert sum(map(len, desk.batches)) == 64


def test_a_failed_commit_fails_its_batch_alone() -> None:
    desk = Desk()
    desk.fail = OSError("full")
    items = desk.submit_all(64)
    failed = [item for item in items if isinstance(item.outcome, OSError)]
    assert failed
    assert len(failed) + sum(map(len, desk.batches)) == 64


def test_a_lock_that_fails_fails_the_leader_and_the_next_goes_on() -> None:
    class BrokenOnce:
        broken = True

        def __enter__(self) -> None:
            if self.broken:
                self.broken = False
                raise OSError("no lock")

        def __exit__(self, *_: object) -> None:
            pass

    desk = Desk()
    desk.group = GroupCommit(desk.commit, desk.give_up, BrokenOnce())
    first, second = Item(1), Item(2)
    desk.group.submit(first)
    desk.group.submit(second)
    assert isinstance(first.outcome, OSError)
    assert second.outcome == "stored"


def test_an_interrupted_leader_hands_on() -> None:
    desk = Desk()
    desk.fail = KeyboardInterrupt()
    item = Item(1)
    with pytest.raises(KeyboardInterrupt):
        desk.group.submit(item)
    assert isinstance(item.outcome, KeyboardInterrupt)
    assert all(item.outcome == "stored" for item in desk.submit_all(8))


def test_an_interrupted_follower_leaves_the_queue() -> None:
    desk = Desk()
    started, release = threading.Event(), threading.Event()
    commit = desk.commit

    def held(batch: list[Item]) -> None:
        started.set()
        release.wait(10)
        commit(batch)

    desk.group._commit = held
    leader = threading.Thread(target=desk.group.submit, args=(Item(1),))
    leader.start()
    started.wait(10)

    class Interrupted(Item):
        def wait(self) -> None:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        desk.group.submit(Interrupted(2))
    last = Item(3)
    follower = threading.Thread(target=desk.group.submit, args=(last,))
    follower.start()
    release.set()
    leader.join(10)
    follower.join(10)
    assert not follower.is_alive()
    assert desk.batches == [[1], [3]]


def test_a_follower_interrupted_as_it_is_to_lead_hands_on() -> None:
    desk = Desk()
    started, release = threading.Event(), threading.Event()
    commit = desk.commit

    def held(batch: list[Item]) -> None:
        started.set()
        release.wait(10)
        commit(batch)

    desk.group._commit = held

    class Promoted(Item):
        def wait(self) -> None:
            super().wait()
            raise KeyboardInterrupt

    def submit_interrupted() -> None:
        with contextlib.suppress(KeyboardInterrupt):
            desk.group.submit(Promoted(2))

    last = Item(3)
    threads = [threading.Thread(target=desk.group.submit, args=(Item(1),))]
    threads[0].start()
    started.wait(10)
    for target, args in ((submit_interrupted, ()), (desk.group.submit, (last,))):
        threads.append(threading.Thread(target=target, args=args))
        threads[-1].start()
        time.sleep(0.05)
    release.set()
    for thread in threads:
        thread.join(10)
        assert not thread.is_alive()
    assert last.outcome == "stored"


def told(desk: Desk, *items: Item) -> None:
    for item in items:
        desk.group.submit_soon(item)
    for item in items:
        assert item.told.wait(20), "nobody was told of an outcome"


def test_who_does_not_wait_is_told_and_shares_commits_with_those_who_do() -> None:
    desk = Desk()
    soon = [Item(number, soon=True) for number in range(64, 128)]
    handing_in = threading.Thread(target=told, args=(desk, *soon))
    handing_in.start()
    waited = desk.submit_all(64)
    handing_in.join(20)
    assert not handing_in.is_alive()
    assert {item.outcome for item in (*soon, *waited)} == {"stored"}
    assert sorted(number for batch in desk.batches for number in batch) == list(range(128))
    assert len(desk.batches) < 128


@pytest.mark.parametrize("fault", [OSError("full"), KeyboardInterrupt()])
def test_who_does_not_wait_is_told_of_a_failure_and_the_next_is_committed(fault: BaseException) -> None:
    desk = Desk()
    desk.fail = fault
    first, second = Item(1, soon=True), Item(2, soon=True)
    told(desk, first)
    told(desk, second)
    assert first.outcome is fault
    assert second.outcome == "stored"


def test_what_comes_after_the_end_fails_at_once() -> None:
    desk = Desk()
    told(desk, Item(1, soon=True))
    desk.group.close()
    desk.fail = OSError("closed")
    last = Item(2, soon=True)
    desk.group.submit_soon(last)
    assert last.told.is_set()
    assert isinstance(last.outcome, OSError)


def test_one_who_cannot_be_told_keeps_nobody_else_waiting() -> None:
    desk = Desk()

    class Deaf(Item):
        def __init__(self, number: int) -> None:
            super().__init__(number, soon=True)
            self.settled = self.fail

        def fail(self) -> None:
            self.told.set()
            raise RuntimeError("the loop is closed")

    told(desk, Deaf(1), Item(2, soon=True))
    assert all(item.outcome == "stored" for item in desk.submit_all(8))


def test_where_no_thread_can_be_started_the_one_that_hands_in_commits(monkeypatch: pytest.MonkeyPatch) -> None:
    desk = Desk()

    def no_room(_thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as without:
        without.setattr(threading.Thread, "start", no_room)
        item = Item(1, soon=True)
        desk.group.submit_soon(item)
        assert item.told.is_set()
    assert item.outcome == "stored"
    told(desk, Item(2, soon=True))
