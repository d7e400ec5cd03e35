"""Whatever is changed in the bytes of an export, in whole files or in kept checkpoints is found; nothing else is."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.log.checkpoint import CheckpointError
from service.log.verifier import Report, verify


def as_bytes(lines: list[dict]) -> bytes:
    return b"".join(json.dumps(line).encode() + b"\n" for line in lines)


def verified(forge, export: bytes, since: list = ()) -> Report:
    return verify(export.splitlines(keepends=True), forge.key.verifier, since)


def meaning(export: bytes) -> list | None:
    """What an export says: white space between the values of a line, and how a text is escaped, say nothing."""
    try:
        lines = [json.loads(line) for line in export.splitlines()]
    except (ValueError, RecursionError):
        return None
    return [
        (type(line), line, [type(value) for value in line.values()] if line.__class__ is dict else 0) for line in lines
    ]


def bracket(problem) -> range:
    """The entries that a problem names: one, or those between two checkpoints; all where it concerns the whole."""
    named = re.search(r"entries (\d+) to (\d+)", problem.text)
    if named:
        return range(int(named[1]), int(named[2]) + 1)
    return range(-2, 10_000) if problem.index is None else range(problem.index, problem.index + 1)


@given(st.data())
def test_any_change_of_bytes_is_found_and_its_entry_named(forge, entries: list[dict], data) -> None:
    export = as_bytes(forge.export(entries))
    at = data.draw(st.integers(0, len(export) - 1))
    new = data.draw(st.binary(min_size=1, max_size=3))
    changed = data.draw(
        st.sampled_from(
            [export[:at] + new + export[at + 1 :], export[:at] + new + export[at:], export[:at] + export[at + 1 :]]
        )
    )
    report = verified(forge, changed)
    if meaning(changed) == meaning(export):
        assert report.problems == []
    else:
        assert not report.ok
        touched = export[:at].count(b"\n") - 1  # -1 for the header
        named = [problem for problem in report.problems if problem.index is not None]
        if named:
            # A broken line feed joins two entries; the second is then missed at the index after.
            assert touched in bracket(named[0]) or touched + 1 in bracket(named[0])


@given(st.data())
def test_a_file_cut_anywhere_is_found(forge, entries: list[dict], data) -> None:
    export = as_bytes(forge.export(entries))
    cut = data.draw(st.integers(0, len(export) - 2))
    report = verified(forge, export[:cut])
    assert not report.ok
    whole_entries = max(0, export[:cut].count(b"\n") - 1)
    if 0 < whole_entries < len(entries):
        first = next(problem for problem in report.problems if problem.index is not None)
        assert first.index >= min(whole_entries, len(entries))


@given(st.data())
def test_files_put_together_of_two_honest_logs_are_found(forge, entries: list[dict], data) -> None:
    size = data.draw(st.integers(1, 11))
    fork = data.draw(st.integers(0, size - 1))
    other = [*entries[:fork], *(forge.entry(index, '{"b":1}') for index in range(fork, size))]
    ours, theirs = as_bytes(forge.export(entries[:size])), as_bytes(forge.export(other))
    at = data.draw(st.integers(fork + 1, size))
    lines, foreign = ours.splitlines(keepends=True), theirs.splitlines(keepends=True)
    mixed = data.draw(
        st.sampled_from([
            [*lines[: at], *foreign[at:]] if at > fork + 1 or size > at else [*lines[:-1], foreign[-1]],
            [*lines[:at], foreign[at], *lines[at + 1 :]],
            [*lines, *foreign],
            [*lines[:-1], foreign[-1]],
        ])
    )  # fmt: skip
    if mixed not in (lines, foreign):
        report = verify(mixed, forge.key.verifier)
        assert not report.ok
    # Either alone is honest; what was kept of one accuses the other.
    note = forge.export(entries[:size])[-1]["checkpoint"]
    assert verified(forge, ours, [note]).ok
    forked = verified(forge, theirs, [note])
    assert not forked.ok
    assert fork in bracket(forked.problems[0])


@given(st.sets(st.integers(1, 11), min_size=1), st.integers(0, 10), st.integers(0, 10))
def test_what_the_key_holder_rewrote_is_bracketed_between_kept_checkpoints(
    forge, entries: list[dict], kept: set[int], at: int, more: int
) -> None:
    notes = [forge.export(entries[:size])[-1]["checkpoint"] for size in kept]
    rewritten = [forge.entry(i, '{"b":1}') if i in (at, max(at, more)) else entry for i, entry in enumerate(entries)]
    report = verified(forge, as_bytes(forge.export(rewritten)), notes)
    assert report.ok is (at >= max(kept))
    if not report.ok:
        below, above = max({0} | {k for k in kept if k <= at}), min(k for k in kept if k > at)
        assert bracket(report.problems[0]) == range(below, above)


@given(st.integers(0, 10), st.integers(1, 11))
def test_a_rollback_is_found_by_what_was_kept(forge, entries: list[dict], size: int, kept: int) -> None:
    note = forge.export(entries[:kept])[-1]["checkpoint"]
    report = verified(forge, as_bytes(forge.export(entries[:size])), [note])
    assert report.ok is (kept <= size)
    if not report.ok:
        assert [problem.index for problem in report.problems] == [size]


@given(st.integers(0, 11), st.data())
def test_a_changed_checkpoint_never_passes_as_kept(forge, entries: list[dict], size: int, data) -> None:
    note = forge.export(entries[:size])[-1]["checkpoint"]
    at = data.draw(st.integers(0, len(note) - 1))
    other = data.draw(st.characters(codec="utf-8").filter(lambda char: char != note[at]))
    changed = data.draw(
        st.sampled_from([note[:at] + other + note[at + 1 :], note[:at] + note[at + 1 :], note[:at] + other + note[at:]])
    )
    if changed == note:
        return
    try:
        report = verified(forge, as_bytes(forge.export(entries)), [changed])
    except CheckpointError:
        return
    assert not report.ok
    assert any("proves nothing" in str(problem) or "shorter" in str(problem) for problem in report.problems)


@pytest.mark.parametrize("moments", [[5, 4], [5, 5, 4], [1, 9, 8, 10]])
def test_a_wrong_order_of_time_is_named_at_the_first_that_runs_back(forge, moments: list[int]) -> None:
    lines = forge.export([forge.entry(index, at=1_790_000_000 + at) for index, at in enumerate(moments)])
    first = next(index for index in range(1, len(moments)) if moments[index] < moments[index - 1])
    assert verified(forge, as_bytes(lines)).problems[0].index == first
