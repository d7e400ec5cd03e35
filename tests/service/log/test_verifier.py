from __future__ import annotations

import copy
import itertools
import json
from collections.abc import Callable
from pathlib import Path

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.log.checkpoint import Checkpoint, SigningKey, VerifierKey, create_signing_key
from service.log.entry import commitment, erasure_payload, leaf_bytes, time_text, uuid7
from service.log.export import export_lines
from service.log.merkle import Frontier, leaf_hash
from service.log.store import LogStore
from service.log.verifier import MOST_PROBLEMS, Report, verify

GOLDEN = Path(__file__).parents[2] / "golden" / "log"
ORIGIN = "test.invalid/log"


class Forge:
    """Builds exports by hand, honest or not, and signs them: an attacker who holds the key, or a test."""

    def __init__(self, key: SigningKey) -> None:
        self.key = key

    def entry(
        self, index: int, payload: str | None = '{"a":1}', kind: str = "screening", at: int | None = None
    ) -> dict:
        salt, entry_id = b"%016d" % index, f"00000000-0000-7000-8000-{index:012d}"
        moment = time_text((1_790_000_000 + index if at is None else at) * 1_000_000_000)
        leaf = leaf_bytes(moment, entry_id, kind, commitment(salt, (payload or "").encode()))
        hidden = payload is None
        return {
            "index": index,
            "leaf": leaf.decode(),
            "payload": payload,
            "salt": None if hidden else salt.hex(),
        }

    def export(self, entries: list[dict]) -> list[dict]:
        frontier = Frontier()
        for entry in entries:
            frontier.append(leaf_hash(entry["leaf"].encode()))
        header = {"format": 1, "origin": self.key.name, "size": len(entries)}
        return [header, *entries, {"checkpoint": self.key.sign(len(entries), frontier.root())}]

    def checkpoint(self, entries: list[dict]) -> Checkpoint:
        return self.key.verifier.open(self.export(entries)[-1]["checkpoint"])

    def verify(self, lines: list, since: list[Checkpoint] | None = None) -> Report:
        return verify([json.dumps(line) for line in lines], self.key.verifier, since or ())


@pytest.fixture(scope="module")
def forge(tmp_path_factory: pytest.TempPathFactory) -> Forge:
    return Forge(create_signing_key(tmp_path_factory.mktemp("key") / "log.pem", ORIGIN))


@pytest.fixture(scope="module")
def entries(forge: Forge) -> list[dict]:
    return [forge.entry(index, f'{{"n":{index}}}') for index in range(11)]


def test_an_honest_log_is_not_accused(forge: Forge, entries: list[dict]) -> None:
    for size in range(12):
        report = forge.verify(forge.export(entries[:size]))
        assert (report.ok, report.size, report.problems) == (True, size, [])
        assert report.checkpoint is not None


@given(st.lists(st.integers(0, 2_000_000_000), max_size=30), st.data())
def test_honest_logs_are_never_accused_whatever_the_clock_does(tmp_path_factory, moments: list[int], data) -> None:
    folder = tmp_path_factory.mktemp("log")
    key = create_signing_key(folder / "log.pem", ORIGIN)
    ticks = itertools.chain((moment * 1_000_000_000 for moment in moments), itertools.repeat(0))
    store = LogStore.open(folder / "log.sqlite", key, lambda: next(ticks))
    notes = [store.latest_checkpoint()]
    payloads = data.draw(st.lists(st.text(st.characters(codec="utf-8")), min_size=len(moments), max_size=len(moments)))
    for text in payloads:
        notes.append(store.append("screening", orjson.dumps({"text": text})).checkpoint)
    report = verify(export_lines(store), key.verifier, [key.verifier.open(note) for note in notes])
    store.close()
    assert report.problems == []
    assert report.caveats == []


def other_than(data, value: object, strategy):
    return data.draw(strategy.filter(lambda other: other != value))


def changed_text(data, text: str) -> str:
    at = data.draw(st.integers(0, len(text) - 1))
    other = other_than(data, text[at], st.characters(codec="ascii"))
    return data.draw(st.sampled_from([text[:at] + other + text[at + 1 :], text[:at] + text[at + 1 :], text + other]))


TAMPERINGS = ("leaf", "payload", "salt", "index", "swap", "remove", "insert", "repeat", "cut", "checkpoint", "header",
              "erase", "lose_salt", "lose_payload", "extra_key", "garbage")  # fmt: skip


@given(st.sampled_from(TAMPERINGS), st.data())
def test_any_tampering_is_found(forge: Forge, entries: list[dict], way: str, data) -> None:
    lines = copy.deepcopy(forge.export(entries))
    at = data.draw(st.integers(1, len(entries)))
    entry = lines[at]
    if way in ("leaf", "payload", "salt"):
        entry[way] = changed_text(data, entry[way])
    elif way == "index":
        entry["index"] = other_than(data, entry["index"], st.integers() | st.none() | st.text() | st.booleans())
    elif way == "swap":
        to = other_than(data, at, st.integers(1, len(entries)))
        lines[at], lines[to] = lines[to], lines[at]
        if data.draw(st.booleans()):
            lines[at]["index"], lines[to]["index"] = lines[to]["index"], lines[at]["index"]
    elif way == "remove":
        del lines[at]
        renumber(lines, data)
    elif way in ("insert", "repeat"):
        lines.insert(at, forge.entry(99) if way == "insert" else copy.deepcopy(entry))
        renumber(lines, data)
    elif way == "cut":
        del lines[at:]
        if data.draw(st.booleans()):
            lines.append(forge.export(entries)[-1])
        renumber(lines, data)
    elif way == "checkpoint":
        lines[-1]["checkpoint"] = changed_text(data, lines[-1]["checkpoint"])
    elif way == "header":
        name = data.draw(st.sampled_from(["format", "origin", "size"]))
        lines[0][name] = other_than(data, lines[0][name], st.integers() | st.text() | st.none() | st.just(True))
    elif way == "erase":
        entry["payload"] = entry["salt"] = None
    elif way in ("lose_salt", "lose_payload"):
        entry[way.removeprefix("lose_")] = None
    elif way == "extra_key":
        entry["more"] = 1
    else:
        lines[at] = data.draw(st.integers() | st.text() | st.none() | st.lists(st.integers()))
    report = forge.verify(lines)
    assert not report.ok
    assert report.problems[0].text


def renumber(lines: list, data) -> None:
    if data.draw(st.booleans()):
        entries = [line for line in lines if "leaf" in line]
        for index, entry in enumerate(entries):
            entry["index"] = index
        lines[0]["size"] = len(entries)


@given(st.integers(0, 10), st.sampled_from(["payload", "salt"]), st.data())
def test_the_first_bad_entry_is_named(forge: Forge, entries: list[dict], index: int, what: str, data) -> None:
    lines = copy.deepcopy(forge.export(entries))
    for bad in (index, data.draw(st.integers(index, 10))):
        lines[bad + 1][what] = changed_text(data, lines[bad + 1][what])
    if lines[index + 1] != entries[index]:
        assert forge.verify(lines).problems[0].index == index


@given(st.integers(1, 10), st.integers(0, 10))
def test_a_log_rewritten_whole_is_found_with_an_earlier_checkpoint(
    forge: Forge, entries: list[dict], kept: int, at: int
) -> None:
    rewritten = [*entries[:at], forge.entry(at, '{"a":"rewritten"}'), *entries[at + 1 :]]
    lines = forge.export(rewritten)
    alone = forge.verify(lines)
    assert alone.ok
    assert "rewrote the log whole" in alone.caveats[0]
    with_earlier = forge.verify(lines, [forge.checkpoint(entries[:kept])])
    assert with_earlier.ok is (at >= kept)
    assert not with_earlier.caveats


def test_earlier_checkpoints_bracket_what_was_rewritten(forge: Forge, entries: list[dict]) -> None:
    rewritten = [*entries[:6], forge.entry(6, '{"a":"rewritten"}'), *entries[7:]]
    earlier = [forge.checkpoint(entries[:size]) for size in (9, 3, 6, 0)]
    problem = forge.verify(forge.export(rewritten), earlier).problems[0]
    assert problem.index == 6
    assert "entries 6 to 8" in problem.text


def test_a_log_cut_off_and_signed_anew_is_found(forge: Forge, entries: list[dict]) -> None:
    report = forge.verify(forge.export(entries[:4]), [forge.checkpoint(entries)])
    assert [problem.index for problem in report.problems] == [4]
    assert "shorter" in report.problems[0].text


def test_two_signed_histories_of_one_size_are_found(forge: Forge, entries: list[dict]) -> None:
    other = [forge.entry(0, '{"a":"other"}'), *entries[1:5]]
    report = forge.verify(forge.export(entries), [forge.checkpoint(entries[:5]), forge.checkpoint(other)])
    assert len(report.problems) == 1


def test_time_that_runs_backwards_is_found(forge: Forge) -> None:
    lines = forge.export([forge.entry(0, at=1000), forge.entry(1, at=1000), forge.entry(2, at=999)])
    assert [problem.index for problem in forge.verify(lines).problems] == [2]


def test_an_erasure_is_honest_only_where_an_entry_names_it(forge: Forge, entries: list[dict]) -> None:
    named = json.loads(entries[1]["leaf"])["entry"]
    erased = {**entries[1], "payload": None, "salt": None}
    erasure = forge.entry(3, erasure_payload([named], "retention").decode(), "erasure")
    honest = forge.verify(forge.export([entries[0], erased, entries[2], erasure]))
    assert honest.ok
    assert honest.erased == 1
    assert any("erased" in caveat for caveat in honest.caveats)
    silent = forge.verify(forge.export([entries[0], erased, entries[2]]))
    assert [problem.index for problem in silent.problems] == [1]
    foretold = forge.entry(0, erasure_payload([named], "retention").decode(), "erasure")
    assert not forge.verify(forge.export([foretold, erased])).ok


def test_an_unknown_kind_is_tolerated_and_told(forge: Forge) -> None:
    report = forge.verify(forge.export([forge.entry(0, kind="of_the_future"), forge.entry(1)]))
    assert report.ok
    assert any("of_the_future (1)" in caveat for caveat in report.caveats)


def test_an_unknown_leaf_format_is_not_taken_for_verified(forge: Forge) -> None:
    entry = forge.entry(0)
    entry["leaf"] = entry["leaf"].replace('"format":1', '"format":2')
    assert "format" in forge.verify(forge.export([entry])).problems[0].text


def test_another_key_or_log_does_not_verify(forge: Forge, entries: list[dict], tmp_path: Path) -> None:
    lines = [json.dumps(line) for line in forge.export(entries)]
    other = create_signing_key(tmp_path / "other.pem", ORIGIN).verifier
    named = create_signing_key(tmp_path / "named.pem", "other.invalid").verifier
    assert not verify(lines, other).ok
    assert not verify(lines, named).ok


@pytest.mark.parametrize("lines", [[], [""], ["{}"], ["[]"], ["\ud800"], [b"\xff\xfe"], ["{}"] * 3])
def test_what_is_no_export_is_refused_without_a_crash(forge: Forge, lines: list) -> None:
    assert not verify(lines, forge.key.verifier).ok


def test_more_after_the_checkpoint_is_found(forge: Forge, entries: list[dict]) -> None:
    lines = forge.export(entries)
    assert not forge.verify([*lines, lines[-1]]).ok
    assert not forge.verify([*lines, entries[0]]).ok


def test_the_list_of_problems_is_bounded(forge: Forge) -> None:
    lines = forge.export([forge.entry(index) for index in range(150)])
    for line in lines[1:-1]:
        line["payload"] = "{}"
    report = forge.verify(lines)
    assert len(report.problems) == MOST_PROBLEMS
    assert report.unlisted == 50
    assert any("50 more" in caveat for caveat in report.caveats)


def test_a_store_exports_what_verifies(store: LogStore, open_store: Callable[..., LogStore]) -> None:
    for number in range(300):
        store.append("screening", b'{"text":"\xc3\xa9 \\" \\n","n":%d}' % number, uuid7())
    report = verify(export_lines(store), store.verifier_key, [store.verifier_key.open(store.get_index(7).checkpoint)])
    assert (report.ok, report.size, report.caveats) == (True, 300, [])


def test_the_golden_export_of_format_1_still_verifies() -> None:
    key = VerifierKey.parse((GOLDEN / "format-1.pub").read_text())
    earlier = key.open((GOLDEN / "format-1.checkpoint").read_text())
    with (GOLDEN / "format-1.jsonl").open("rb") as lines:
        report = verify(lines, key, [earlier])
    assert report.problems == []
    assert (report.size, report.erased) == (9, 1)
    assert report.checkpoint.root.hex() == (GOLDEN / "format-1.root").read_text().strip()
