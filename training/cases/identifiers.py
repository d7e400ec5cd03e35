"""Recognises columns of direct identifiers: by their cells, and by their name where the cells are text.

A single cell is judged by `model.identifiers`, here and in the service alike. A whole column shows more: names of
people, identifiers written as numbers, areas small enough to stand for an address, and free text.

What cannot be recognised: an identifier that is recoded (a hash, a running number), a small area's index or rank given
as a plain number (deciles of deprivation under a name that does not say so), and a name among a few levels.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from model.identifiers import identifier_kind, is_nhs_number

SAMPLE = 2000
"""Distinct cells of a column that are looked at, evenly spread."""
MOST = 0.5
NEARLY_ALL = 0.8
"""For parts of postcodes, which codes of diagnoses resemble."""
FEW = 12
"""Distinct values up to which a column of words may be a list of levels (`White British`, `Great Ormond Street`)."""
WORDS_OF_TEXT = 4

_NAMED = re.compile(
    r"(^|_)((fore|sur|first|last|given|full|middle|maiden|child|mother|father|parent|carer|patient|client|person)s?_?names?"
    r"|names?|dob|d_o_b|(date_?of_?|birth_?)birth(_?date)?|birth_?date|birthday|nhs(_?(no|num|number|id))?|upn|nino"
    r"|ni_?(no|number)|national_insurance(_number)?|passport(_?(no|number))?|post_?code|pcode|zip(_?code)?|address"
    r"|street|(tele)?phone(_?(no|number))?|mobile_?(no|number|phone)|e_?mail|free_?text|notes?|comments?|narrative)(_|\d*$)"
)
_PERSON = re.compile(
    r"(?:(?:mr|mrs|ms|miss|dr)\.? )?[A-Z][a-zà-ÿ]*(?:['’-][A-Z]?[a-zà-ÿ]+)*"
    r"(?:,? (?:[A-Z]\.?|[A-Z][a-zà-ÿ]*(?:['’-][A-Z]?[a-zà-ÿ]+)*)){1,3}",
)
_GIVEN_AND_FAMILY = frozenset(Path(__file__).with_name("names.txt").read_text(encoding="utf-8").split())
"""Common given and family names of the United Kingdom: a column of people holds some of them, whoever else it holds."""
_AREA = re.compile(r"[EWSN]\d{8}|[EWSN]\d{2}\d{6}|95[A-Z]{2}\d{2}[A-Z]\d", re.IGNORECASE)
_OUTWARD = re.compile(r"(?:[A-Z]{1,2}\d[A-Z]|[A-Z]{2}\d{1,2}|[BEGLMNSW]\d{1,2})(?: \d)?")
_MOBILE = re.compile(r"(?:0|44|\+44)?7[1-9]\d{8}(?:\.0)?")
_YES_NO = frozenset({"yes", "no", "y", "n", "true", "false", "t", "f", "0", "1", "known", "not_known", "unknown"})


def column_identifier(name: str, tokens: Sequence[str], levels: Sequence[str] = ()) -> str | None:
    """What a column seems to hold ("names of people", "an NHS number", ...), or None.

    `tokens`: its distinct cells. `levels`: those that the dictionary declares, which are answers whatever they look
    like.
    """
    declared = set(levels)
    asked = [text for token in tokens if (text := token.strip()) and text not in declared]
    asked = asked[:: max(1, len(asked) // SAMPLE)]
    if not asked:
        return None
    words = [token for token in asked if not _is_number(token)]
    if len(words) > MOST * len(asked):
        return _of_words(name, words)
    return _of_numbers(name, [token.removesuffix(".0") for token in asked if _is_number(token)])


def _of_words(name: str, words: Sequence[str]) -> str | None:
    kinds = [kind for word in words if (kind := identifier_kind(word))]
    if len(kinds) > MOST * len(words):
        return kinds[0]
    if _mostly(words, _AREA):
        return "codes of small areas"
    # Codes of one letter (`L1`, `L2`) may be anything; a council's postcodes begin in more ways than one.
    if len({word.rstrip("0123456789 ") for word in words}) > 1 and _mostly(words, _OUTWARD, NEARLY_ALL):
        return "parts of postcodes"
    if names_a_person(name) and not {word.lower() for word in words} <= _YES_NO:
        return "a direct identifier, by its name"
    if len(words) > FEW:
        if _mostly(words, _PERSON):
            return "names of people"
        lone = [word for word in words if word[:1].isupper() and word[1:].islower() and word.isalpha()]
        if len(lone) > MOST * len(words) and sum(w.lower() in _GIVEN_AND_FAMILY for w in lone) > len(lone) / 20:
            return "names of people"
        if sum(len(word.split()) >= WORDS_OF_TEXT for word in words) > MOST * len(words):
            return "free text"
    return None


def _of_numbers(name: str, numbers: Sequence[str]) -> str | None:
    ten = [number for number in numbers if len(number) == 10 and number.isdigit()]
    if ten and len(ten) > MOST * len(numbers) and sum(map(is_nhs_number, ten)) > MOST * len(ten):
        return "an NHS number"
    if numbers and _mostly(numbers, _MOBILE):
        return "a phone number"
    dates = [number for number in numbers if len(number) == 8 and identifier_kind(number) == "a date"]
    if dates and len(dates) > MOST * len(numbers):
        return "a date"
    # A number under an identifier's name is one where it is long: `nhs_number`, `phone`; not `notes` counted 0, 1, 2.
    if names_a_person(name) and numbers and all(len(number) >= 6 for number in numbers):
        return "a direct identifier, by its name"
    return None


def names_a_person(column: str) -> bool:
    """True for a column's name such as `surname`, `DateOfBirth`, `NHS Number`, `mother_name`, `postcode`."""
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", column)
    return _NAMED.search(re.sub(r"[^a-z0-9]+", "_", words.lower())) is not None


def _mostly(tokens: Sequence[str], pattern: re.Pattern[str], share: float = MOST) -> bool:
    return sum(pattern.fullmatch(token) is not None for token in tokens) > share * len(tokens)


def _is_number(token: str) -> bool:
    try:
        float(token)
    except ValueError:
        return False
    return True
