"""The data dictionary: the only place where a feature of a case is defined.

The file is TOML (`model/dictionary.toml` is the shipped one); the same content travels inside `model.json`,
so that a model is never read with another dictionary than its own.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

from model.condition import NOT_APPLICABLE, NOT_KNOWN, Condition, Value, operands

__all__ = [
    "FORMAT", "KINDS", "NOT_APPLICABLE", "NOT_KNOWN", "Agency", "Dictionary", "DictionaryError", "Excluded", "Feature",
    "Ground", "Monitored", "Outcome", "Policy", "Value", "load_dictionary", "shipped_dictionary",
]  # fmt: skip

FORMAT = 1
KINDS = ("yes_no", "ordinal", "count", "number", "category")
LEVEL_LIMIT = 32


class DictionaryError(ValueError):
    """A dictionary that cannot be used. `errors` has one line a problem: where, key, what is wrong and the fix."""

    def __init__(self, *errors: str) -> None:
        self.errors = tuple(" ".join(error.splitlines()) for error in errors)  # a name may hold a line break
        super().__init__("\n".join(self.errors))


@dataclass(frozen=True, slots=True)
class Agency:
    """An agency that may hold answers, for instance `gp` or `police`."""

    id: str
    label: str


@dataclass(frozen=True, slots=True)
class Feature:
    """One question about a case.

    `levels` holds the allowed answers of `yes_no` (`no`, `yes`), `ordinal` (lowest first) and `category`
    (in no order); numbers have `minimum`, `maximum` and `unit` instead. `reference` is the value below which
    *not known* never scores; None means the most common known bin of the training rows. `quasi_identifier` marks what,
    together with others, could single out a family (`python -m training anonymity`). `accepted` says why a column is
    used although it looks like the outcome or an excluded proxy.
    """

    name: str
    label: str
    kind: str
    direction: str = "free"
    held_by: tuple[str, ...] = ()
    source: str = ""
    levels: tuple[str, ...] = ()
    unit: str = ""
    minimum: float | None = None
    maximum: float | None = None
    reference: Value | None = None
    not_applicable: bool = False
    essential: bool = False
    missing: tuple[str, ...] = ()
    cin_factor: str = ""
    help: str = ""
    column: str = ""
    quasi_identifier: bool = False
    accepted: str = ""

    @property
    def file_column(self) -> str:
        """The name of the column that holds the feature in a data file: `column` where given, else `name`."""
        return self.column or self.name

    @property
    def is_numeric(self) -> bool:
        """True for `count` and `number`, whose values are numbers and not levels."""
        return self.kind in ("count", "number")


@dataclass(frozen=True, slots=True)
class Monitored:
    """A protected characteristic: watched for fairness, never scored, never required."""

    name: str
    label: str
    levels: tuple[str, ...]
    quasi_identifier: bool = False


@dataclass(frozen=True, slots=True)
class Excluded:
    """A column that is refused as a feature, and why."""

    name: str
    reason: str


@dataclass(frozen=True, slots=True)
class Ground:
    """A rule that is grounds for a referral whatever the score."""

    code: str
    label: str
    when: Condition
    text: str
    action: str
    source: str
    not_known_asked: tuple[str, ...] = field(init=False, repr=False, compare=False)
    """The features whose not being known may be part of it."""

    def __post_init__(self) -> None:
        asked = tuple(operand.feature for operand in operands(self.when) if operand.value == NOT_KNOWN)
        object.__setattr__(self, "not_known_asked", asked)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the score is the probability of."""

    column: str
    meaning: str
    positive: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Policy:
    """The numbers that are choices and not findings.

    `capacity`: share of cases that the score alone may prompt (0 to 1). `answers`: how many not-known answers
    may stand between a case and the threshold for `seek_information`. `ground_answers`: the same for a ground.
    `minimum_known`: known features below which a case is never `no_prompt`.
    """

    capacity: float = 0.05
    answers: int = 2
    ground_answers: int = 1
    minimum_known: int = 0


@dataclass(frozen=True, slots=True)
class Dictionary:
    """The whole dictionary, checked. `raw` is what was read, for embedding in `model.json`."""

    name: str
    version: str
    outcome: Outcome
    group: str | None
    time: str | None
    agencies: tuple[Agency, ...]
    features: tuple[Feature, ...]
    monitored: tuple[Monitored, ...]
    excluded: tuple[Excluded, ...]
    grounds: tuple[Ground, ...]
    policy: Policy
    raw: Mapping[str, Any]
    nothing_known: Mapping[str, Value] = field(init=False, repr=False, compare=False)
    """`not_known` for every feature, in order."""
    essential: tuple[str, ...] = field(init=False, repr=False, compare=False)
    """The features that are questions for every contact."""
    _by_name: Mapping[str, Feature] = field(init=False, repr=False, compare=False)
    _agency_labels: Mapping[str, str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        by_name = MappingProxyType({feature.name: feature for feature in self.features})
        object.__setattr__(self, "_by_name", by_name)
        object.__setattr__(self, "nothing_known", dict.fromkeys(by_name, NOT_KNOWN))
        object.__setattr__(self, "essential", tuple(name for name, feature in by_name.items() if feature.essential))
        object.__setattr__(self, "_agency_labels", MappingProxyType({a.id: a.label for a in self.agencies}))

    def feature(self, name: str) -> Feature:
        """The feature of that name. Raises KeyError."""
        return self._by_name[name]

    def agency_label(self, agency: str) -> str:
        """The label of an agency, for instance `Health visiting`. Raises KeyError."""
        return self._agency_labels[agency]


def load_dictionary(path: Path) -> Dictionary:
    """Reads and checks a dictionary file. Raises `DictionaryError`: a line a problem, with file, key and fix."""
    from model.dictionary_rules import read_dictionary

    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise DictionaryError(f"{path}: no such file; give the path of a dictionary in TOML") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise DictionaryError(f"{path}: not valid TOML: {error}") from None
    return read_dictionary(raw, str(path))


def shipped_dictionary() -> Dictionary:
    """The dictionary that ships with Grounds: the early years referral screen."""
    return load_dictionary(Path(__file__).with_name("dictionary.toml"))
