"""References in a file follow the rule of the HTTP service; the quick look takes none that the rule refuses."""

import re

import pyarrow as pa
from hypothesis import example, given, settings
from hypothesis import strategies as st

from service.batch.references import _PLAINLY_FINE, numbered, read_references
from service.batch.row_leaf import REFERENCE_BYTES
from service.screening.schemas import CaseReference

PLAIN = st.from_regex(_PLAINLY_FINE, fullmatch=True)
ANY = st.text(alphabet="AJan19.-:_ e@ü", max_size=70) | st.from_regex(r"[A-Za-z0-9._:-]{1,66}", fullmatch=True)


@settings(deadline=None)
@given(st.lists(PLAIN | ANY, min_size=1, max_size=8))
@example(["943 476 5919"])
@example(["1994-02-01", "QQ123456C", "sw1a1aa", "c-1"])
@example(["9434765919", "x" * 63 + "1", "x" * 64 + "1"])
def test_the_same_are_refused(texts):
    _, refused = read_references(pa.array(texts))
    expected = [row for row, text in enumerate(texts) if not CaseReference().accepts(text)]
    assert [row for row, _ in refused] == expected


@settings(deadline=None)
@given(st.lists(PLAIN.filter(lambda text: re.match("[A-Za-z0-9]", text)), min_size=1))
def test_a_reference_stands_in_64_bytes(texts):
    fixed, refused = read_references(pa.array(texts))
    assert not refused
    assert [bytes(row).rstrip(b"\0").decode() for row in fixed] == texts
    assert fixed.shape == (len(texts), REFERENCE_BYTES)


def test_in_a_file_with_references_each_case_needs_its_own():
    _, refused = read_references(pa.array(["r-1", "", None]))
    assert [row for row, _ in refused] == [1, 2]
    assert all("is empty" in fix for _, fix in refused)


def test_in_a_file_without_references_cases_have_their_numbers():
    assert [bytes(row).rstrip(b"\0") for row in numbered(7, 2)] == [b"8", b"9"]


def test_the_fix_never_repeats_the_value():
    _, refused = read_references(pa.array(["943 476 5919", "no digit"]))
    assert refused[0][1].startswith("looks like an NHS number")
    assert not any("943" in fix or "no digit" in fix for _, fix in refused)
