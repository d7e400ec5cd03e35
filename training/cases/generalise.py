"""Makes answers coarser, so that more cases share them: bins for numbers, joined levels for the rest.

What comes out still fits the dictionary: a number becomes the lower edge of its bin, a level one that is declared.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from model.dictionary import NOT_APPLICABLE, NOT_KNOWN, Dictionary
from model.tokens import number


class GeneraliseError(ValueError):
    """A request that cannot be carried out. One line, with the fix."""


@dataclass(frozen=True, slots=True)
class Coarser:
    """One request: the column, and either edges (rising) or which level becomes which."""

    column: str
    missing: frozenset[str]
    edges: tuple[float, ...] = ()
    levels: Mapping[str, str] | None = None


def read_request(text: str, dictionary: Dictionary) -> Coarser:
    """Reads `FEATURE=EDGE,EDGE,...` or `FEATURE=LEVEL+LEVEL:LEVEL,...`. Raises `GeneraliseError`.

    `mother_age_years=0,20,25,30,35`: 27 becomes 25. `child_stage=newborn+one_to_five_months:newborn`: both become
    newborn; levels that are not named stay.
    """
    name, found, rest = text.partition("=")
    parts = [part.strip() for part in rest.split(",")]
    for feature in dictionary.features:
        if name in (feature.name, feature.file_column):
            missing = frozenset(feature.missing)
            if feature.is_numeric:
                return Coarser(feature.file_column, missing, edges=_edges(name, parts))
            return Coarser(feature.file_column, missing, levels=_levels(name, parts, feature.levels))
    for monitored in dictionary.monitored:
        if name == monitored.name:
            return Coarser(name, frozenset(), levels=_levels(name, parts, monitored.levels))
    raise GeneraliseError(
        f"--generalise {name}: is no feature or monitored characteristic of the dictionary"
        + ("" if found else "; write FEATURE=edges or FEATURE=levels")
    )


def _edges(name: str, parts: Sequence[str]) -> tuple[float, ...]:
    edges = [number(part) for part in parts]
    rising = [edge for edge in edges if edge is not None]
    if len(rising) != len(edges) or rising != sorted(set(rising)):
        raise GeneraliseError(f"--generalise {name}: give rising numbers, for instance {name}=0,20,30")
    return tuple(rising)


def _levels(name: str, parts: Sequence[str], known: Sequence[str]) -> dict[str, str]:
    joined: dict[str, str] = {}
    for part in parts:
        before, _, after = part.rpartition(":")
        for level in before.split("+"):
            if level not in known or after not in known:
                raise GeneraliseError(
                    f"--generalise {name}: give LEVEL+LEVEL:LEVEL with levels of the dictionary ({', '.join(known)})"
                )
            joined[level] = after
    return joined


def generalise(frame: pd.DataFrame, request: Coarser) -> pd.DataFrame:
    """A copy with one column coarser; *not known* and *not applicable* stay. Raises `GeneraliseError`."""
    if request.column not in frame:
        raise GeneraliseError(f"--generalise {request.column}: the file has no such column")
    result = frame.copy()
    cells = frame[request.column].str.strip()
    if request.levels is not None:
        result[request.column] = cells.replace(dict(request.levels))
        return result
    asked = ~cells.isin({"", NOT_KNOWN, NOT_APPLICABLE, *request.missing})
    values = pd.to_numeric(cells[asked], errors="coerce").to_numpy(dtype=float)
    if np.isnan(values).any():
        raise GeneraliseError(f"--generalise {request.column}: a cell is not a number; check the file with make train")
    places = np.searchsorted(request.edges, values, side="right") - 1
    if (places < 0).any():
        raise GeneraliseError(f"--generalise {request.column}: begin with an edge at or below every value, such as 0")
    result.loc[asked, request.column] = np.array([f"{edge:.15g}" for edge in request.edges])[places]
    return result
