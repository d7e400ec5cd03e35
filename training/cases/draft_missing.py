"""Finds what means *not known* in a column, for a draft: words for it, a stray word, and codes such as 99.

*Not known* is never safe, and a level is known: so what may well mean it is drafted as such, with a comment that asks.
A stray word or a code is listed only where enough cases have it: the dictionary travels inside the model.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from model.tokens import NO, YES, number
from training.cases.toml_text import toml_text, toml_texts
from training.policy import POLICY

_WORDS = frozenset({
    "not known", "nk", "n k", "unknown", "unk", "unkn", "not recorded", "not stated", "not disclosed", "not given",
    "not provided", "not entered", "not obtained", "not yet obtained", "information not yet obtained", "not collected",
    "not available", "not asked", "not answered", "not established", "not specified", "undisclosed", "unrecorded",
    "unspecified", "no answer", "no response", "no data", "no information", "don t know", "dont know", "do not know",
    "dk", "prefer not to say", "prefer not to answer", "nan", "null", "nat",
})  # fmt: skip
"""Words for *not known* wherever they stand, in small letters and without punctuation."""
_NOT_APPLICABLE = frozenset({"na", "n a", "not applicable", "does not apply"})
_MAYBE = frozenset({"none", "missing", "refused", "declined", "withheld", "blank"})
"""Words that are answers in some columns of words: an offer may be declined, a child missing, injuries none."""
_MARKS = frozenset({"-", "--", ".", "..", "*"})
_CODE = re.compile(r"(?:9+|9*8|8+|-[1789]|-9+|-8+|-9+[78])(?:\.0+)?")
UNMISTAKABLE = 9
"""Times the largest other number that a code such as 99 must be, to be drafted as *not known*."""
SCALE = 3
"""Other numbers beside which a lone negative is a code: -1, 0 and 1 may be worse, the same and better."""
FEW_NUMBERS, FEW_STRAYS = 12, 3
"""Beyond so many different numbers, up to so many words are strays; of fewer numbers, one word."""


@dataclass(frozen=True, slots=True)
class Missing:
    """The tokens of a column that mean *not known*, and what a person should decide about them, a comment each."""

    tokens: tuple[str, ...]
    comments: tuple[str, ...]


def missing_in(counts: pd.Series) -> Missing:
    """What means *not known* among the tokens of a column. `counts`: the rows of each token, empty cells apart."""
    rows = {str(token): int(count) for token, count in counts.items()}
    lost = [token for token in rows if token == "?" or _plain(token) in _WORDS | _NOT_APPLICABLE]  # noqa: S105
    comments = [
        f"# {toml_text(token)} counts as not known; where it means *does not apply*, write not_applicable in the file "
        "and not_applicable = true here"
        for token in lost
        if _plain(token) in _NOT_APPLICABLE
    ]
    for find in (_maybe, _strays):
        found = find([token for token in rows if token not in lost], rows)
        lost += found.tokens
        comments += found.comments
    codes = _codes([token for token in rows if token not in lost], rows, lost)
    return Missing((*lost, *codes.tokens), (*comments, *codes.comments))


def _plain(token: str) -> str:
    return " ".join(re.findall(r"[^\W_]+", token.casefold()))


def _maybe(tokens: Sequence[str], rows: Mapping[str, int]) -> Missing:
    """Words that mean *not known* beside numbers and yes or no; among other words only where two answers are left."""
    found = [token for token in tokens if token in _MARKS or _plain(token) in _MAYBE]
    rest = [token for token in tokens if token not in found]
    if not _of_words(rest):
        return Missing(tuple(found), tuple(_asks(token) for token in found if token not in _MARKS))
    found = [token for token in found if _plain(token) != "none"]
    return Missing(tuple(found), tuple(map(_asks, found))) if len(rest) > 1 else Missing((), ())


def _of_words(tokens: Sequence[str]) -> bool:
    """True where the answers are words other than yes and no, or where there is none to tell by."""
    lowered = {token.lower() for token in tokens}
    return not any(number(token) is not None for token in tokens) and not (lowered & YES and lowered & NO)


def _strays(tokens: Sequence[str], rows: Mapping[str, int]) -> Missing:
    """A lone word beside yes and no, or beside numbers."""
    numbers = [token for token in tokens if number(token) is not None]
    words = [token for token in tokens if number(token) is None]
    lowered = {word.lower() for word in words}
    if lowered & YES and lowered & NO:
        strays = [token for token in tokens if token.lower() not in YES | NO]
        most = 1
    elif len(numbers) > 1:
        strays = [] if any(re.search(r"\d", word) for word in words) else words  # `5 or more` is an answer
        most = FEW_STRAYS if len(numbers) > FEW_NUMBERS else 1
    else:
        return Missing((), ())
    if not strays:
        return Missing((), ())
    if len(strays) > most:
        return Missing((), ("# more than one kind of answer: name under missing what means *not known*",))
    if any(rows[token] < POLICY.disclosure_threshold for token in strays):
        return Missing((), ("# a few cells hold another word than the rest: correct them, and draft again",))
    return Missing(tuple(strays), tuple(map(_asks, strays)))


def _asks(token: str) -> str:
    return f"# {toml_text(token)} counts as not known: check; an answer is a level, and not under missing"


def _codes(tokens: Sequence[str], rows: Mapping[str, int], lost: Collection[str]) -> Missing:
    """Numbers that look like codes for *not known*, such as 99 and -1, far from all others."""
    values = {token: number(token) for token in tokens}
    known = {token: value for token, value in values.items() if value is not None}
    codes = {token: value for token, value in known.items() if _CODE.fullmatch(token)}
    others = [value for token, value in known.items() if token not in codes]
    if len(known) < len(values) or len(others) < 2:
        return Missing((), ())
    low, high = min(others), max(others)
    sure: list[str] = []
    asked: list[str] = []
    for token, value in codes.items():
        if value < 0 <= low:
            clear = len(others) >= SCALE and all(other % 1 == 0 for other in others)
        elif value - high > max(high - low, 2):
            clear = value >= UNMISTAKABLE * max(high, 1)
        else:
            continue
        (sure if clear and rows[token] >= POLICY.disclosure_threshold else asked).append(token)
    far = [f"# {toml_text(token)} counts as not known, so far from the other numbers: check" for token in sure]
    for token in asked:
        missing = toml_texts([*lost, *sure, token])
        far.append(f"# {token} lies far from the other numbers: a code for *not known*? then missing = {missing}")
    return Missing(tuple(sure), tuple(far))
