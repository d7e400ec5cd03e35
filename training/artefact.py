"""From a fitted table to the bytes of `model.json`."""

from __future__ import annotations

import hashlib
import json
import re
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import model as model_package
from model.artefact import FORMAT, write_model
from model.dictionary import Dictionary
from training.fit.pair_terms import FittedPair
from training.fit.terms import FittedTerm, Table
from training.pair_counts import shown_grid
from training.policy import POLICY

DISCLOSURE_THRESHOLD = POLICY.disclosure_threshold
"""A count of fewer training rows than this is not written; nor is whether there are any."""
DEVIATION_DIGITS = 4
VERSION_DIGITS = 12

Floats = NDArray[np.float64]


def shipped_words() -> dict[str, Any]:
    """The words that ship with Grounds (`model/words.toml`)."""
    return tomllib.loads((Path(model_package.__file__).parent / "words.toml").read_text(encoding="utf-8"))


def model_bytes(
    *,
    dictionary: Dictionary,
    table: Table,
    deviations: Sequence[Floats],
    threshold: Mapping[str, float | None],
    bands: Sequence[float],
    synthetic: bool,
    facts: Mapping[str, Any],
    pair_deviations: Sequence[Floats] = (),
) -> bytes:
    """The artefact. `deviations[j]` has shape (slots of feature j, refits), `pair_deviations[p]` (rows, columns,
    refits), left out where there are none; the rest as `model.artefact` reads it.

    The version is the dictionary's, and the digest of the content: the same content has the same version.
    Raises ValueError where a number is not finite.
    """
    content: dict[str, Any] = {
        "format": FORMAT,
        "name": dictionary.name,
        "version": "",
        "synthetic": synthetic,
        "intercept": table.intercept,
        "threshold": dict(threshold),
        "bands": list(bands),
        "terms": [_term(term, rows) for term, rows in zip(table.terms, deviations, strict=True)],
        "pairs": [
            _pair(table, pair, pair_deviations[number] if pair_deviations else None)
            for number, pair in enumerate(table.pairs)
        ],
        **facts,
        "words": shipped_words(),
        "dictionary": dict(dictionary.raw),
    }
    digest = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
    # The version names a folder once released, so it holds nothing but what a file name may.
    stem = re.sub(r"[^A-Za-z0-9._-]+", "-", dictionary.version).lstrip("._-") or "model"
    content["version"] = f"{stem}-{digest[:VERSION_DIGITS]}"
    return write_model(content)


def _term(term: FittedTerm, deviations: Floats) -> dict[str, Any]:
    slots = len(term.values) + 1 + (term.not_applicable is not None)
    return {
        "feature": term.name,
        **({"edges": [float(edge) for edge in term.edges]} if term.spec.numeric else {}),
        "values": list(term.values),
        "not_known": term.not_known,
        "not_applicable": term.not_applicable,
        "mean": term.mean(),
        "reference": term.reference_bin,
        "counts": [POLICY.count(count) for count in term.counts],
        "deviations": [[round(float(d), DEVIATION_DIGITS) for d in row] for row in deviations[:slots]],
    }


def _pair(table: Table, pair: FittedPair, deviations: Floats | None) -> dict[str, Any]:
    both = table.terms[pair.first], table.terms[pair.second]
    slots = [len(term.values) + 1 + (term.not_applicable is not None) for term in both]
    refits = {"deviations": np.round(deviations, DEVIATION_DIGITS).tolist()} if deviations is not None else {}
    return {
        "features": [term.name for term in both],
        "groups": [list(groups[:size]) for groups, size in zip(pair.groups, slots, strict=True)],
        "values": [list(row) for row in pair.values],
        "mean": pair.mean(),
        "counts": shown_grid(pair.counts),
        **refits,
    }
