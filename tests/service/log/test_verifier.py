from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from pathlib import Path

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.log.checkpoint import VerifierKey, create_signing_key
from service.log.entry import erasure_payload, uuid7
from service.log.export import export_lines
from service.log.store import LogStore
from service.log.verifier import MOST_PROBLEMS, verify

GOLDEN = Path(__file__).parents[2] / "golden" / "log"
ORIGIN = "test.invalid/log"


def test_an_honest_log_is_not_accused(forge, entries: list[dict]) -> None:
    for size in range(12):
        report = forge.verify(forge.export(entries[:size]))
        assert (report.ok, report.size, report.problems) == (True, size, [])
        assert report.checkpoint is not None


@settings(max_examples=25)  # each makes a log on disk
@given(st.lists(st.integers(0, 2_000_000_000), max_size=15), st.data())
def test_honest_logs_are_never_accused_whatever_the_clock_does(tmp_path_factory, moments: list[int], data) -> None:
    folder = tmp_path_factory.mktemp("log")
    key = create_signing_key(folder / "log.pem", ORIGIN)
    ticks = itertools.chain((moment * 1_000_000_000 for moment in moments), itertools.repeat(0))
    store = LogStore.open(folder / "log.sqlite", key, lambda: next(ticks))
    notes = [store.latest_checkpoint()]
    payloads = data.draw(st.lists(st.text(st.characters(codec="utf-8")), min_size=len(moments), max_size=len(moments)))
    notes += [store.append("screening", orjson.dumps({"text": text})).checkpoint for text in payloads]
    report = verify(export_lines(store), key.verifier, [key.verifier.open(note) for note in notes])
    store.close()
    assert report.problems == []
    assert report.caveats == []


@given(st.integers(1, 10), st.integers(0, 10))
def test_a_log_rewritten_whole_is_found_with_an_earlier_checkpoint(
    forge, entries: list[dict], kept: int, at: int
) -> None:
    rewritten = [*entries[:at], forge.entry(at, '{"a":"rewritten"}'), *entries[at + 1 :]]
    lines = forge.export(rewritten)
    alone = forge.verify(lines)
    assert alone.ok
    assert "rewrote the log whole" in alone.caveats[0]
    with_earlier = forge.verify(lines, [forge.checkpoint(entries[:kept])])
    assert with_earlier.ok is (at >= kept)
    assert not with_earlier.caveats


def test_earlier_checkpoints_bracket_what_was_rewritten(forge, entries: list[dict]) -> None:
    rewritten = [*entries[:6], forge.entry(6, '{"a":"rewritten"}'), *entries[7:]]
    earlier = [forge.checkpoint(entries[:size]) for size in (9, 3, 6, 0)]
    problem = forge.verify(forge.export(rewritten), earlier).problems[0]
    assert problem.index == 6
    assert "entries 6 to 8" in problem.text


def test_a_log_cut_off_and_signed_anew_is_found(forge, entries: list[dict]) -> None:
    report = forge.verify(forge.export(entries[:4]), [forge.checkpoint(entries)])
    assert [problem.index for problem in report.problems] == [4]
    assert "shorter" in report.problems[0].text


def test_two_signed_histories_of_one_size_are_found(forge, entries: list[dict]) -> None:
    other = [forge.entry(0, '{"a":"other"}'), *entries[1:5]]
    report = forge.verify(forge.export(entries), [forge.checkpoint(entries[:5]), forge.checkpoint(other)])
    assert len(report.problems) == 1


def test_time_that_runs_backwards_is_found(forge) -> None:
    lines = forge.export([forge.entry(0, at=1000), forge.entry(1, at=1000), forge.entry(2, at=999)])
    assert [problem.index for problem in forge.verify(lines).problems] == [2]


def test_an_erasure_is_honest_only_where_an_entry_names_it(forge, entries: list[dict]) -> None:
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


def test_an_unknown_kind_is_tolerated_and_told(forge) -> None:
    report = forge.verify(forge.export([forge.entry(0, kind="of_the_future"), forge.entry(1)]))
    assert report.ok
    assert any("of_the_future (1)" in caveat for caveat in report.caveats)


def test_an_unknown_leaf_format_is_not_taken_for_verified(forge) -> None:
    entry = forge.entry(0)
    entry["leaf"] = entry["leaf"].replace('"format":1', '"format":2')
    assert "format" in forge.verify(forge.export([entry])).problems[0].text


def test_another_key_or_log_does_not_verify(forge, entries: list[dict], tmp_path: Path) -> None:
    lines = [json.dumps(line) for line in forge.export(entries)]
    other = create_signing_key(tmp_path / "other.pem", ORIGIN).verifier
    named = create_signing_key(tmp_path / "named.pem", "other.invalid").verifier
    assert not verify(lines, other).ok
    assert not verify(lines, named).ok


@pytest.mark.parametrize("lines", [[], [""], ["{}"], ["[]"], ["\ud800"], [b"\xff\xfe"], ["{}"] * 3])
def test_what_is_no_export_is_refused_without_a_crash(forge, lines: list) -> None:
    assert not verify(lines, forge.key.verifier).ok


def test_more_after_the_checkpoint_is_found(forge, entries: list[dict]) -> None:
    lines = forge.export(entries)
    assert not forge.verify([*lines, lines[-1]]).ok
    assert not forge.verify([*lines, entries[0]]).ok


def test_the_list_of_problems_is_bounded(forge) -> None:
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
