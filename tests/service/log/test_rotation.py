"""The log's key is changed on a real log, while workers append, and with the power cut at every step."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from service.__main__ import main
from service.log import rotation
from service.log.checkpoint import SigningKeyError, VerifierKey, create_signing_key
from service.log.export import export_lines
from service.log.key_file import FollowedKey, next_file, retired_file
from service.log.publisher import CheckpointPublisher
from service.log.rotation import rotate, settle
from service.log.schema import LogError
from service.log.store import LogStore, NotDurable
from service.log.verifier import verify
from service.running.opening import open_log
from service.settings import read_settings

ORIGIN = "test.invalid/log"


@pytest.fixture
def first(tmp_path: Path) -> VerifierKey:
    return create_signing_key(tmp_path / "log.pem", ORIGIN).verifier


@pytest.fixture
def worker(tmp_path: Path, first: VerifierKey) -> Iterator[LogStore]:
    store = LogStore.open(tmp_path / "log.sqlite", FollowedKey(tmp_path / "log.pem", ORIGIN))
    yield store
    store.close()


def change(tmp_path: Path) -> rotation.Rotation:
    return rotate(tmp_path / "log.sqlite", tmp_path / "log.pem", ORIGIN)


def test_a_running_worker_takes_the_new_key_up_and_either_key_verifies(
    worker: LogStore, tmp_path: Path, first: VerifierKey
) -> None:
    notes = [worker.append("screening", b"{}").checkpoint for _ in range(3)]
    done = change(tmp_path)
    assert (done.index, done.previous.text) == (3, first.text)
    both = worker.latest_checkpoint()
    notes += [both, worker.append("screening", b"{}").checkpoint]
    assert first.open(both) == done.following.open(both)
    assert done.following.open(notes[-1]).size == 5
    assert worker.verifier_key.text == done.following.text
    for key in (first, done.following):
        report = verify(export_lines(worker), key, notes)
        assert report.problems == []
    assert (tmp_path / "log.pub").read_text() == done.following.text + "\n"
    assert retired_file(tmp_path / "log.pem", first).read_text() == first.text + "\n"
    assert not list(tmp_path.glob("*next*"))


def test_keys_change_while_threads_append_and_nothing_is_refused(worker: LogStore, tmp_path: Path, first) -> None:
    stop = threading.Event()
    failures: list[Exception] = []

    def run() -> None:
        while not stop.is_set():
            try:
                worker.append("screening", b'{"a":1}')
            except Exception as error:
                failures.append(error)
                return

    threads = [threading.Thread(target=run) for _ in range(3)]
    for thread in threads:
        thread.start()
    changes = [change(tmp_path) for _ in range(4)]
    worker.append("screening", b"{}")
    stop.set()
    for thread in threads:
        thread.join()
    assert failures == []
    report = verify(export_lines(worker), first)
    assert report.problems == []
    assert [done.index for done in report.keys.changes] == [done.index for done in changes]


def test_publishing_goes_on_over_the_change(worker: LogStore, tmp_path: Path) -> None:
    for restarted in (False, True):
        publisher = CheckpointPublisher(worker, tmp_path / "published", pytest.fail)
        worker.append("screening", b"{}")
        publisher.publish()
        if restarted:
            publisher.stop()
            publisher = CheckpointPublisher(worker, tmp_path / "published", pytest.fail)
        change(tmp_path)
        worker.append("screening", b"{}")
        publisher.publish()
        assert (tmp_path / "published" / "checkpoint").read_text() == worker.latest_checkpoint()
        publisher.stop()


@pytest.mark.parametrize(
    ("cut_at", "happened"),
    [("_record", False), ("_adopt", True), ("write_whole", True), ("Path.replace", True)],
)
def test_a_change_cut_off_anywhere_is_settled_by_what_the_log_holds(
    worker: LogStore, tmp_path: Path, first: VerifierKey, monkeypatch: pytest.MonkeyPatch, cut_at: str, happened: bool
) -> None:
    class PowerCut(BaseException):
        pass

    def cut(*_: object) -> None:
        raise PowerCut

    worker.append("screening", b"{}")
    with monkeypatch.context() as patch:
        if cut_at == "Path.replace":
            replace = Path.replace
            patch.setattr(Path, "replace", lambda path, to: cut() if path.suffix == ".pem" else replace(path, to))
        else:
            patch.setattr(rotation, cut_at, cut)
        if cut_at == "_record":
            patch.setattr(rotation, "_settle", lambda *_: None)  # power cut: nothing after it runs
        with pytest.raises(PowerCut):
            change(tmp_path)
    assert next_file(tmp_path / "log.pem").exists()
    with pytest.raises(NotDurable, match=r"SigningKeyError|LogError"):
        worker.append("screening", b"{}")
    settle(tmp_path / "log.sqlite", tmp_path / "log.pem", ORIGIN)
    note = worker.append("screening", b"{}").checkpoint
    key = VerifierKey.parse((tmp_path / "log.pub").read_text())
    assert key.open(note).size == (3 if happened else 2)
    assert (key.text != first.text) is happened
    assert verify(export_lines(worker), first, [note]).problems == []
    assert not list(tmp_path.glob("*next*"))
    change(tmp_path)


def test_a_change_that_cannot_be_written_leaves_all_as_it_was(
    worker: LogStore, tmp_path: Path, first: VerifierKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    worker.append("screening", b"{}")

    def full(*_: object) -> None:
        raise OSError("no space left")

    with monkeypatch.context() as patch:
        patch.setattr(rotation, "_record", full)
        with pytest.raises(OSError, match="no space"):
            change(tmp_path)
    assert first.open(worker.append("screening", b"{}").checkpoint).size == 2
    assert sorted(path.name for path in tmp_path.glob("*.p*")) == ["log.pem", "log.pub"]


def test_a_key_file_to_which_the_log_was_not_handed_over_signs_nothing(
    worker: LogStore, tmp_path: Path, first: VerifierKey
) -> None:
    worker.append("screening", b"{}")
    before = (tmp_path / "log.pem").read_bytes()
    change(tmp_path)
    worker.append("screening", b"{}")
    now = (tmp_path / "log.pem").read_bytes()
    create_signing_key(tmp_path / "strange.pem", ORIGIN)
    for pem in (before, (tmp_path / "strange.pem").read_bytes()):
        (tmp_path / "log.pem").unlink()
        (tmp_path / "log.pem").touch(mode=0o600)
        (tmp_path / "log.pem").write_bytes(pem)
        with pytest.raises(NotDurable, match=r"SigningKeyError|LogError"):
            worker.append("screening", b"{}")
        with pytest.raises(LogError, match="not the key that signs this log"):
            change(tmp_path)
    (tmp_path / "log.pem").write_bytes(now)
    worker.append("screening", b"{}")
    assert verify(export_lines(worker), first).problems == []


def test_another_process_follows_too(worker: LogStore, tmp_path: Path, first: VerifierKey) -> None:
    program = (
        "import sys\nfrom pathlib import Path\nfrom service.log.key_file import FollowedKey\n"
        "from service.log.store import LogStore\nfolder = Path(sys.argv[1])\n"
        f"store = LogStore.open(folder / 'log.sqlite', FollowedKey(folder / 'log.pem', '{ORIGIN}'))\n"
        "for line in sys.stdin:\n    print(store.append('screening', b'{}').index, flush=True)\nstore.close()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        for expected in (0, 2, 4):
            other.stdin.write("go\n")
            other.stdin.flush()
            assert other.stdout.readline() == f"{expected}\n"
            change(tmp_path)
        other.stdin.close()
        assert other.wait(30) == 0
    assert verify(export_lines(worker), first).problems == []


def test_the_command_changes_the_key_of_the_services_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GROUNDS_VAR", str(tmp_path))
    monkeypatch.setenv("GROUNDS_LOG_ORIGIN", ORIGIN)
    with pytest.raises(LogError, match="no log yet"):
        CliRunner().invoke(main, ["key", "rotate-log"], catch_exceptions=False)
    open_log(read_settings()).close()
    first = VerifierKey.parse((tmp_path / "keys" / "log.pub").read_text())
    result = CliRunner().invoke(main, ["key", "rotate-log"])
    assert (result.exit_code, first.text in result.stdout) == (0, True), result.output
    assert CliRunner().invoke(main, ["key", "settle-log"]).exit_code == 0
    (tmp_path / "old.pub").write_text(first.text)
    result = CliRunner().invoke(main, ["log", "verify", "--key", str(tmp_path / "old.pub")])
    assert "verified: 1 entries" in result.stdout, result.output
    assert "key changed at entry 0" in result.stdout


def test_a_key_file_is_read_again_only_where_it_changed(tmp_path: Path, first: VerifierKey) -> None:
    followed = FollowedKey(tmp_path / "log.pem", ORIGIN)
    assert followed.verifier is followed.verifier
    assert (followed.name, followed.verifier.text) == (ORIGIN, first.text)
    assert first.open(followed.sign(1, bytes(32))).size == 1
    (tmp_path / "log.pem").chmod(0o644)
    (tmp_path / "log.pem").write_bytes((tmp_path / "log.pem").read_bytes())
    with pytest.raises(SigningKeyError, match="chmod 600"):
        followed.sign(1, bytes(32))
