"""The witness against a log that is honest, forked, rolled back, or signed by nobody; over real HTTP and from files."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from click.testing import CliRunner, Result

from service.log.checkpoint import SigningKey, VerifierKey, create_signing_key, load_signing_key
from service.log.commands import log_commands
from service.log.cosignature import open_cosigner
from service.log.export import export_lines
from service.log.merkle import consistency_proof, leaf_hash, root_of
from service.log.publisher import CheckpointPublisher
from service.log.rotation import rotate
from service.log.store import LogStore
from service.log.verifier import verify
from service.log.witness import witness
from service.log.witness_source import HttpSource


class Log:
    """A log of bare leaf hashes, which may lie."""

    def __init__(self, key: SigningKey) -> None:
        self.key = key
        self.hashes: list[bytes] = []
        self.proof: object = None
        self.asked: list[str] = []
        self.note_given: bytes | None = None

    def grow(self, count: int, salt: str = "") -> None:
        self.hashes += [leaf_hash(f"{len(self.hashes) + n}{salt}".encode()) for n in range(count)]

    def fork(self, at: int) -> None:
        length = len(self.hashes)
        del self.hashes[at:]
        self.grow(length - at, "forked")

    def note(self) -> bytes:
        return self.note_given or self.key.sign(len(self.hashes), root_of(self.hashes)).encode()

    def answer(self, path: str) -> bytes | None:
        parts = urlsplit(path)
        if parts.path == "/v1/log/checkpoint":
            return self.note()
        if parts.path == "/v1/log/proof/consistency":
            asked = {name: int(values[0]) for name, values in parse_qs(parts.query).items()}
            proof = [node.hex() for node in consistency_proof(self.hashes[: asked["to"]], asked["from"])]
            return json.dumps({**asked, "proof": proof if self.proof is None else self.proof}).encode()
        return None


@pytest.fixture
def log(key: SigningKey) -> Log:
    return Log(key)


@pytest.fixture
def address(log: Log) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            log.asked.append(f"{self.path} {self.headers.get('Authorization', '')}")
            answer = log.answer(self.path)
            self.send_response(404 if answer is None else 200)
            self.end_headers()
            self.wfile.write(answer or b"")

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def run(tmp_path: Path, key: SigningKey):
    def run(where: str, *more: str) -> Result:
        state = str(tmp_path / "state")
        arguments = ["witness", "--from", where, "--key", str(tmp_path / "log.pub"), "--state", state, *more]
        return CliRunner().invoke(log_commands(pytest.fail, pytest.fail), arguments)

    return run


def kept(tmp_path: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in (tmp_path / "state").iterdir() if "alarm" not in file.name}


def alarm(result: Result, tmp_path: Path) -> dict:
    assert result.exit_code == 1, result.output
    assert result.stderr.startswith("error: ALARM: ")
    assert result.stderr.count("\n") == 1
    [evidence] = (tmp_path / "state").glob("alarm-*.json")
    assert str(evidence) in result.stderr
    return json.loads(evidence.read_text())


def test_an_honest_log_is_cosigned_as_it_grows(run, log: Log, address: str, tmp_path: Path) -> None:
    witness_key = str(tmp_path / "witness.pem")
    said = []
    for count in (0, 3, 0, 5, 8, 1):
        log.grow(count)
        result = run(address, "--witness-key", witness_key, "--witness-name", "witness.example.com/w1")
        assert result.exit_code == 0, result.output
        said.append(result.stdout)
    assert said[0] == "cosigned: 0 entries, seen for the first time, on trust\n"
    assert said[-1] == "cosigned: 17 entries, continues the 16 seen before\n"
    note = (tmp_path / "state" / "checkpoint").read_text()
    cosigner = open_cosigner(tmp_path / "witness.pem", "")
    assert cosigner.verifier.time_of(note) > 1_700_000_000
    assert log.key.verifier.open(note).size == 17
    lines = (tmp_path / "state" / "checkpoints").read_text().splitlines()
    assert [log.key.verifier.open(json.loads(line)["checkpoint"]).size for line in lines] == [0, 3, 8, 16, 17]


@pytest.mark.parametrize("at", [0, 2, 4])
def test_a_fork_raises_the_alarm_and_leaves_the_state(run, log: Log, address: str, tmp_path: Path, at: int) -> None:
    log.grow(5)
    assert run(address).exit_code == 0
    honest = kept(tmp_path)
    log.grow(4)
    log.fork(at)
    evidence = alarm(run(address), tmp_path)
    assert "a fork" in evidence["what"]
    assert evidence["offending"] == log.note().decode()
    assert log.key.verifier.open(evidence["kept"]).size == 5
    assert len(evidence["proof"]) > 0
    assert kept(tmp_path) == honest


def test_two_histories_of_one_size_raise_the_alarm(run, log: Log, address: str, tmp_path: Path) -> None:
    log.grow(5)
    run(address)
    log.fork(3)
    assert "a fork" in alarm(run(address), tmp_path)["what"]


def test_a_rollback_raises_the_alarm(run, log: Log, address: str, tmp_path: Path) -> None:
    log.grow(5)
    run(address)
    del log.hashes[4:]
    assert "rolled back" in alarm(run(address), tmp_path)["what"]


def test_a_bad_signature_raises_the_alarm_even_at_first_sight(run, log: Log, address: str, tmp_path: Path) -> None:
    log.grow(5)
    log.note_given = log.note().replace(b"\n5\n", b"\n6\n")
    assert "signature" in alarm(run(address), tmp_path)["what"]
    assert list(kept(tmp_path)) == [".lock"]


def test_a_proof_of_something_else_raises_the_alarm(run, log: Log, address: str, tmp_path: Path) -> None:
    log.grow(5)
    run(address)
    log.grow(3)
    log.proof = [bytes(32).hex()] * 3
    assert alarm(run(address), tmp_path)["proof"] == log.proof


def test_what_could_not_be_checked_accuses_nobody(run, log: Log, address: str, tmp_path: Path) -> None:
    log.grow(5)
    run(address)
    honest = kept(tmp_path)
    log.grow(3)
    results = []
    for proof in ("x", ["zz"], [1], {"a": 1}):
        log.proof = proof
        results.append(run(address))
    log.note_given = b"\xff\xfe"
    results.append(run(address))
    log.note_given = b"x" * 70_000
    results.append(run(address))
    results += [run(address + "/nowhere"), run("http://127.0.0.1:1"), run("http://["), run("/nowhere")]
    for result in results:
        assert (result.exit_code, result.stderr.startswith("error: not checked: ")) == (2, True), result.output
        assert result.stderr.count("\n") == 1
    assert kept(tmp_path) == honest
    assert not list((tmp_path / "state").glob("alarm*"))


def test_the_api_key_is_sent_and_not_shown(run, log: Log, address: str, tmp_path: Path) -> None:
    (tmp_path / "api").write_text("grounds_auditor_x\n")
    log.grow(2)
    result = run(address, "--api-key", str(tmp_path / "api"))
    assert log.asked == ["/v1/log/checkpoint Bearer grounds_auditor_x"]
    assert "grounds_auditor" not in result.output + repr(HttpSource(address, "grounds_auditor_x"))


def test_a_folder_is_of_one_log(run, log: Log, address: str, tmp_path: Path) -> None:
    run(address)
    other = create_signing_key(tmp_path / "other.pem", log.key.name)
    result = run(address, "--key", str(tmp_path / "other.pub"))
    assert result.exit_code == 2
    assert "another key" in result.stderr
    state = tmp_path / "state" / "state.json"
    for damaged in ("", "[]", "{}", state.read_text().replace(log.key.verifier.text, other.verifier.text)):
        state.write_text(damaged)
        result = run(address)
        assert (result.exit_code, "damaged" in result.stderr) == (2, True), result.output


def test_files_serve_as_well_and_a_change_of_keys_is_followed(
    run, store: LogStore, tmp_path: Path, key: SigningKey
) -> None:
    export, published = tmp_path / "log.jsonl", tmp_path / "published"
    publisher = CheckpointPublisher(store, published, pytest.fail)

    def grow() -> None:
        store.append("screening", b"{}")
        publisher.publish()
        export.write_bytes(b"".join(export_lines(store)))

    grow()
    assert run(str(published)).exit_code == 0
    grow()
    alone = run(str(published))
    assert (alone.exit_code, "--export" in alone.stderr) == (2, True)
    assert "continues the 1 seen" in run(str(published), "--export", str(export)).stdout
    stale = export.read_bytes()
    grow()
    assert "continues the 2 seen" in run(str(export)).stdout
    publisher.stop()
    store.close()
    done = rotate(tmp_path / "log.sqlite", tmp_path / "log.pem", key.name)
    (tmp_path / "log.pub").write_text(done.previous.text)
    after = LogStore.open(tmp_path / "log.sqlite", load_signing_key(tmp_path / "log.pem", key.name))
    after.append("screening", b"{}")
    export.write_bytes(b"".join(export_lines(after)))
    after.close()
    result = run(str(export))
    assert "note: the log's key changed" in result.stdout, result.output
    assert json.loads((tmp_path / "state" / "state.json").read_text())["key"] == done.following.text
    notes = [json.loads(line)["checkpoint"] for line in (tmp_path / "state" / "checkpoints").read_text().splitlines()]
    assert verify(export.read_bytes().splitlines(), VerifierKey.parse(done.previous.text), notes).problems == []
    export.write_bytes(stale)
    assert "not signed by this key" in alarm(run(str(export)), tmp_path)["what"]


def test_an_export_older_than_the_checkpoint_accuses_nobody(run, store: LogStore, tmp_path: Path) -> None:
    store.append("screening", b"{}")
    (tmp_path / "log.jsonl").write_bytes(b"".join(export_lines(store)))
    (tmp_path / "checkpoint").write_text(store.append("screening", b"{}").checkpoint)
    result = run(str(tmp_path / "checkpoint"), "--export", str(tmp_path / "log.jsonl"))
    assert (result.exit_code, "newer export" in result.stderr) == (2, True)


def test_a_tampered_export_raises_the_alarm(run, store: LogStore, tmp_path: Path) -> None:
    store.append("screening", b'{"n":1}')
    (tmp_path / "log.jsonl").write_bytes(b"".join(export_lines(store)).replace(b'\\"n\\":1', b'\\"n\\":2'))
    assert "entry 0" in alarm(run(str(tmp_path / "log.jsonl")), tmp_path)["what"]


def test_witnesses_that_run_at_once_queue(log: Log, address: str, tmp_path: Path) -> None:
    failures: list[Exception] = []

    def watch() -> None:
        try:
            witness(HttpSource(address), log.key.verifier, tmp_path / "state")
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=watch) for _ in range(6)]
    for thread in threads:
        log.grow(2)
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


def test_an_older_note_never_walks_the_kept_one_back(run, store: LogStore, tmp_path: Path) -> None:
    notes = [store.append("screening", b"{}").checkpoint for _ in range(4)]
    export = tmp_path / "log.jsonl"
    export.write_bytes(b"".join(export_lines(store)))
    published = tmp_path / "checkpoint"
    published.write_text(notes[3])
    assert run(str(published), "--export", str(export)).exit_code == 0
    before = kept(tmp_path)
    published.write_text(notes[1])
    assert "rolled back" in alarm(run(str(published), "--export", str(export)), tmp_path)["what"]
    assert kept(tmp_path)["state.json"] == before["state.json"]
