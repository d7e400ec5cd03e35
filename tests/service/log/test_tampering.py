"""Whatever is changed in an export is found, by whatever hand but the key's."""

from __future__ import annotations

import copy
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.log.entry import commitment, leaf_bytes, time_text, uuid7


def other_than(data, value: object, strategy):
    return data.draw(strategy.filter(lambda other: other != value))


def changed_text(data, text: str) -> str:
    at = data.draw(st.integers(0, len(text) - 1))
    other = other_than(data, text[at], st.characters(codec="ascii"))
    return data.draw(st.sampled_from([text[:at] + other + text[at + 1 :], text[:at] + text[at + 1 :], text + other]))


def tamper_text(lines: list, at: int, data) -> None:
    what = data.draw(st.sampled_from(["leaf", "payload", "salt"]))
    lines[at][what] = changed_text(data, lines[at][what])


def tamper_index(lines: list, at: int, data) -> None:
    lines[at]["index"] = other_than(data, lines[at]["index"], st.integers() | st.none() | st.text() | st.booleans())


def swap(lines: list, at: int, data) -> None:
    to = other_than(data, at, st.integers(1, len(lines) - 2))
    lines[at], lines[to] = lines[to], lines[at]
    renumber(lines, data)


def remove(lines: list, at: int, data) -> None:
    del lines[at]
    renumber(lines, data)


def repeat(lines: list, at: int, data) -> None:
    lines.insert(data.draw(st.integers(1, len(lines) - 1)), copy.deepcopy(lines[at]))
    renumber(lines, data)


def insert(lines: list, at: int, data) -> None:
    fresh = commitment(b"fresh", b"{}")
    leaf = leaf_bytes(time_text(0), uuid7(), "screening", fresh).decode()
    lines.insert(at, {"index": at - 1, "leaf": leaf, "payload": "{}", "salt": b"fresh".hex()})
    renumber(lines, data)


def cut(lines: list, at: int, data) -> None:
    last = lines[-1]
    del lines[at:]
    if data.draw(st.booleans()):
        lines.append(last)
    renumber(lines, data)


def tamper_checkpoint(lines: list, at: int, data) -> None:
    lines[-1]["checkpoint"] = changed_text(data, lines[-1]["checkpoint"])


def tamper_header(lines: list, at: int, data) -> None:
    name = data.draw(st.sampled_from(["format", "origin", "size"]))
    lines[0][name] = other_than(data, lines[0][name], st.integers() | st.text() | st.none())


def erase(lines: list, at: int, data) -> None:
    for name in data.draw(st.sampled_from([["payload"], ["salt"], ["payload", "salt"]])):
        lines[at][name] = None


def add_key(lines: list, at: int, data) -> None:
    lines[at]["more"] = 1


def spoil_line(lines: list, at: int, data) -> None:
    lines[at] = data.draw(st.integers() | st.text() | st.none() | st.lists(st.integers()))


TAMPERINGS = [
    tamper_text, tamper_index, swap, remove, repeat, insert, cut, tamper_checkpoint, tamper_header, erase, add_key,
    spoil_line,
]  # fmt: skip


@pytest.mark.parametrize("tampering", TAMPERINGS)
@given(data=st.data())
def test_any_tampering_is_found(forge, entries: list[dict], tampering: Callable, data) -> None:
    lines = copy.deepcopy(forge.export(entries))
    tampering(lines, data.draw(st.integers(1, len(entries))), data)
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
def test_the_first_bad_entry_is_named(forge, entries: list[dict], index: int, what: str, data) -> None:
    lines = copy.deepcopy(forge.export(entries))
    for bad in (index, data.draw(st.integers(index, 10))):
        lines[bad + 1][what] = changed_text(data, lines[bad + 1][what])
    if lines[index + 1] != entries[index]:
        assert forge.verify(lines).problems[0].index == index
