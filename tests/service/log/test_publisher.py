from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest

from service.log.publisher import CheckpointPublisher, PublishError
from service.log.store import LogStore


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "elsewhere" / "checkpoints"


def publisher(store: LogStore, folder: Path) -> CheckpointPublisher:
    def fail(error: Exception) -> None:
        raise error

    return CheckpointPublisher(store, folder, fail)


def kept(folder: Path) -> list[str]:
    return [json.loads(line)["checkpoint"] for line in (folder / "checkpoints").read_text().splitlines()]


def test_publishes_the_newest_and_keeps_each(store: LogStore, folder: Path) -> None:
    publishing = publisher(store, folder)
    published = []
    for _ in range(3):
        published.append(store.append("screening", b"{}").checkpoint)
        publishing.publish()
        publishing.publish()
        assert (folder / "checkpoint").read_text() == published[-1]
    assert kept(folder) == published
    publishing.stop()


def test_the_thread_publishes_by_itself_and_once_more_at_the_end(store: LogStore, folder: Path) -> None:
    errors: list[Exception] = []
    running = CheckpointPublisher(store, folder, errors.append, interval=0.01)
    running.start()
    first = store.append("screening", b"{}").checkpoint
    for _ in range(500):
        if (folder / "checkpoint").exists() and (folder / "checkpoint").read_text() == first:
            break
        threading.Event().wait(0.01)
    else:
        pytest.fail("not published within five seconds")
    last = store.append("screening", b"{}").checkpoint
    running.stop()
    assert (folder / "checkpoint").read_text() == last
    assert errors == []


def test_one_publishes_at_a_time_and_the_next_takes_over(store: LogStore, folder: Path) -> None:
    first, second = publisher(store, folder), publisher(store, folder)
    store.append("screening", b"{}")
    first.publish()
    newer = store.append("screening", b"{}").checkpoint
    second.publish()
    assert (folder / "checkpoint").read_text() != newer
    first.stop()
    second.publish()
    assert (folder / "checkpoint").read_text() == newer
    assert len(kept(folder)) == 2
    second.stop()


def test_a_log_that_became_shorter_is_reported_and_not_published(
    store: LogStore, open_store, folder: Path, tmp_path: Path
) -> None:
    publishing = publisher(store, folder)
    published = [store.append("screening", b"{}").checkpoint for _ in range(3)][-1]
    publishing.publish()
    publishing.stop()
    store.close()
    for file in tmp_path.glob("log.sqlite*"):
        file.unlink()
    remade = open_store()
    remade.append("screening", b"{}")
    again = publisher(remade, folder)
    with pytest.raises(PublishError, match="removed"):
        again.publish()
    for _ in range(2):
        remade.append("screening", b"{}")
    with pytest.raises(PublishError, match="not the one published"):
        again.publish()
    assert (folder / "checkpoint").read_text() == published
    again.stop()


def test_failure_is_reported_each_time_and_publishing_goes_on_after_it(store: LogStore, folder: Path) -> None:
    folder.parent.mkdir()
    folder.write_text("a file where the folder should be")
    errors: list[Exception] = []
    twice = threading.Event()

    def report(error: Exception) -> None:
        errors.append(error)
        if len(errors) == 2:
            twice.set()

    running = CheckpointPublisher(store, folder, report, interval=0.01)
    running.start()
    assert twice.wait(10)
    folder.unlink()
    running.stop()
    assert all(isinstance(error, OSError) for error in errors)
    assert (folder / "checkpoint").read_text() == store.latest_checkpoint()


def test_half_a_line_left_by_a_crash_does_not_spoil_the_next(store: LogStore, folder: Path) -> None:
    folder.mkdir(parents=True)
    (folder / "checkpoints").write_text('{"checkpo')
    publishing = publisher(store, folder)
    publishing.publish()
    lines = (folder / "checkpoints").read_text().splitlines()
    assert len(lines) == 2
    assert json.loads(lines[1])["checkpoint"] == store.latest_checkpoint()
    publishing.stop()
