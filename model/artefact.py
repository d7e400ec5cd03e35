"""`model.json`: read, check, construct; in that order, and never a pickle.

The artefact is one JSON file that a person can read and check with a pencil: the dictionary, the words, the intercept
and a table a feature. `promises_broken` proves the promises on it. The signature over the file's bytes is checked by
whoever loads it, before anything is constructed (`service.model_files`).

Format 2: `pairs`, the tables of two features together. Format 1 has none, and is read all the same. To change it: raise
FORMAT, keep the reader of the old one under its own name, and add a golden file.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from itertools import pairwise
from typing import Any

from model.additive import AdditiveModel, Term
from model.dictionary import DictionaryError, Feature
from model.dictionary_rules import read_dictionary
from model.pairs.promises import pair_problems, pair_promises_broken
from model.pairs.table import PairTerm
from model.wording import WordsError, check_words

FORMAT = 2
WITHOUT_PAIRS = 1
"""The format before pairs. A model of it that holds `pairs` is refused: an older Grounds would not read them."""
MODEL_FILE = "model.json"
SIGNATURE_FILE = "model.sig.json"
BAND_CUTS = 19
BIN_LIMIT = 32
FACTS = ("threshold", "training", "evaluation", "fairness", "anonymity")
"""What a model says of its own making, and nothing that a score depends on."""


class ArtefactError(ValueError):
    """A model file that must not be used. One line: where and what is wrong."""


def read_model(data: bytes, where: str = MODEL_FILE) -> AdditiveModel:
    """Reads, checks and constructs a model. Raises `ArtefactError`, `DictionaryError` or `WordsError`."""
    try:
        raw = json.loads(data, parse_constant=_refuse_constant)
    except ValueError as error:
        raise ArtefactError(f"{where}: not valid JSON: {error}") from None
    if not isinstance(raw, dict) or raw.get("format") not in (WITHOUT_PAIRS, FORMAT):
        raise ArtefactError(f"{where}: format: this version of Grounds reads format {FORMAT} and {WITHOUT_PAIRS}")
    if ("pairs" in raw) != (raw["format"] == FORMAT):
        raise ArtefactError(f"{where}: pairs: must be there in format {FORMAT}, and not in format {WITHOUT_PAIRS}")
    try:
        model = _construct(raw, where)
    except (ArtefactError, DictionaryError, WordsError):
        raise
    except (KeyError, IndexError, TypeError, ValueError, AttributeError) as error:
        raise ArtefactError(f"{where}: a part is missing or of the wrong kind: {error}") from None
    _check(model, where)
    return model


def digest(data: bytes) -> str:
    """SHA-256 of the file's bytes, in hex: what is signed, logged and archived under."""
    return hashlib.sha256(data).hexdigest()


def write_model(content: Mapping[str, Any]) -> bytes:
    """The artefact's bytes: readable JSON, one line a term or pair, always the same for the same content."""
    lines = []
    for key, value in content.items():
        if key in ("terms", "pairs"):
            rows = ",\n".join("  " + _dumps(term) for term in value)
            lines.append(f'"{key}": [\n{rows}\n ]' if value else f'"{key}": []')
        else:
            lines.append(f"{json.dumps(key)}: {_dumps(value)}")
    return ("{\n " + ",\n ".join(lines) + "\n}\n").encode()


def _dumps(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False)


def _refuse_constant(name: str) -> float:
    raise ValueError(f"{name} is not a number that a model may hold")


def _construct(raw: Mapping[str, Any], where: str) -> AdditiveModel:
    dictionary = read_dictionary(raw["dictionary"], f"{where}: dictionary")
    check_words(raw["words"], f"{where}: words", pairs=bool(raw.get("pairs")))
    names = [term["feature"] for term in raw["terms"]]
    if names != [feature.name for feature in dictionary.features]:
        raise ArtefactError(f"{where}: terms: must be the dictionary's features, in its order")
    return AdditiveModel(
        name=str(raw["name"]),
        version=str(raw["version"]),
        synthetic=raw["synthetic"] is True,
        dictionary=dictionary,
        words=raw["words"],
        intercept=float(raw["intercept"]),
        terms=tuple(_term(feature, term) for feature, term in zip(dictionary.features, raw["terms"], strict=True)),
        threshold=float(raw["threshold"]["margin"]),
        bands=tuple(float(cut) for cut in raw["bands"]),
        facts={key: raw[key] for key in FACTS if key in raw},
        pairs=tuple(_pair(names, pair) for pair in raw.get("pairs", ())),
    )


def _pair(names: list[str], raw: Mapping[str, Any]) -> PairTerm:
    first, second = (names.index(name) for name in raw["features"])
    rows, columns = (tuple(int(group) for group in groups) for groups in raw["groups"])
    return PairTerm(
        first=first,
        second=second,
        groups=(rows, columns),
        values=tuple(tuple(float(value) for value in row) for row in raw["values"]),
        mean=float(raw["mean"]),
        counts=tuple(tuple(None if count is None else int(count) for count in row) for row in raw["counts"]),
        deviations=tuple(tuple(tuple(float(d) for d in cell) for cell in row) for row in raw.get("deviations", ())),
    )


def _term(feature: Feature, raw: Mapping[str, Any]) -> Term:
    rest = raw["not_applicable"]
    return Term(
        feature=feature,
        edges=tuple(float(edge) for edge in raw.get("edges", ())),
        values=tuple(float(value) for value in raw["values"]),
        not_known=float(raw["not_known"]),
        not_applicable=None if rest is None else float(rest),
        mean=float(raw["mean"]),
        reference=int(raw["reference"]),
        counts=tuple(None if count is None else int(count) for count in raw["counts"]),
        deviations=tuple(tuple(float(d) for d in row) for row in raw.get("deviations", ())),
    )


def _check(model: AdditiveModel, where: str) -> None:
    for term in model.terms:
        if problem := _shape_problem(term):
            raise ArtefactError(f"{where}: term {term.feature.name}: {problem}")
    if problems := pair_problems(model.terms, model.pairs):
        raise ArtefactError(f"{where}: {problems[0]}")
    numbers = [model.intercept, model.threshold, *model.bands]
    if not all(map(math.isfinite, numbers)):
        raise ArtefactError(f"{where}: intercept, threshold and bands must be finite numbers")
    if len(model.bands) != BAND_CUTS or list(model.bands) != sorted(model.bands):
        raise ArtefactError(f"{where}: bands: expected {BAND_CUTS} margins in rising order")
    if broken := promises_broken(model):
        raise ArtefactError(f"{where}: {broken[0]}")


def _shape_problem(term: Term) -> str | None:
    bins = len(term.feature.levels) or len(term.edges) + 1
    table = [*term.table, term.mean, *(d for row in term.deviations for d in row)]
    if term.edges and not term.feature.is_numeric:
        return "has edges, which are for counts and numbers"
    if len(term.values) != bins:
        return f"has {len(term.values)} values for {bins} bins"
    if bins > BIN_LIMIT:
        return f"has more than {BIN_LIMIT} bins"
    if not 0 <= term.reference < bins or _other_reference(term):
        return "reference must be the bin of the dictionary's reference value"
    if list(term.edges) != sorted(set(term.edges)):
        return "edges must rise"
    if (term.not_applicable is not None) != term.feature.not_applicable:
        return "not_applicable must be there exactly when the dictionary allows it"
    if not all(map(math.isfinite, [*table, *term.edges])):
        return "every value must be a finite number"
    if term.deviations and (len(term.deviations) != len(term.table) or len({len(row) for row in term.deviations}) != 1):
        return "deviations must have one row of equal length a bin"
    return None


def _other_reference(term: Term) -> bool:
    declared = term.feature.reference
    return declared is not None and term.slot(declared) != term.reference


def promises_broken(model: AdditiveModel) -> list[str]:
    """Every place where the table breaks a promise, in words; empty when it keeps them all. Compared exactly."""
    broken = []
    for term in model.terms:
        feature, values = term.feature, term.values
        if term.not_known < values[term.reference]:
            broken.append(f"term {feature.name}: not known scores below its reference")
        sign = {"raises": 1, "lowers": -1}.get(feature.direction, 0)
        if any(sign * (after - before) < 0 for before, after in pairwise(values)):
            broken.append(f"term {feature.name}: does not keep its direction ({feature.direction})")
    return broken + pair_promises_broken(model)


def signed_message(data: bytes, overrides: bytes | None = None) -> bytes:
    """The bytes that a release signs (Ed25519) for a model file: a fixed first line, then the file's SHA-256.

    With the file of overridden gates, another first line and both digests: who takes that file away, or puts one
    there, has a signature that does not fit.
    """
    if overrides is None:
        return b"grounds model, format 1\n" + digest(data).encode()
    return b"\n".join(
        (b"grounds model with overridden gates, format 1", *(digest(d).encode() for d in (data, overrides)))
    )
