"""The parameters of a table: what is penalised, and which bounds make the promises hold.

Values by code are a linear map of the parameters, `values = expand @ parameters`:

* ordered kinds: the value of the first bin is 0, parameters are the differences between neighbouring bins,
  bounded at 0 where the feature has a direction;
* category: one effect a level;
* not known = value at the reference bin + a parameter >= 0. A yes_no is the ordinal no <= not known <= yes
  in its direction, so there the step from the reference is split in two non-negative parts;
* not applicable = value at the reference bin + a free parameter.

Penalised (`roughness @ parameters`): differences, level effects, and how far not known and not applicable lie
from the training mean of the known values, so that an answer never seen missing in training is neutral.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from training.fit.binning import Binner
from training.fit.terms import Codes, Floats, TermSpec


@dataclass(frozen=True, slots=True)
class Basis:
    """Linear map and bounds for all features; see the module's docstring for the parametrisation."""

    expand: sparse.csr_array  # (codes, parameters)
    collect: sparse.csr_array  # its transpose
    roughness: sparse.csr_array  # (penalised quantities, parameters)
    weight: Floats  # relative penalty of each penalised quantity
    component: Codes  # feature of each penalised quantity
    lower: Floats
    upper: Floats
    feature: Codes  # of each parameter
    sizes: tuple[int, ...]  # codes per feature


@dataclass(frozen=True, slots=True)
class _TermBasis:
    expand: Floats
    roughness: Floats
    weight: Floats
    lower: Floats
    upper: Floats


def build_basis(binner: Binner) -> Basis:
    """Basis over the fitted bins of all features."""
    terms = [_term_basis(spec, binner.reference_bins_[j], binner.counts_[j]) for j, spec in enumerate(binner.specs)]
    expand = sparse.csr_array(sparse.block_diag([t.expand for t in terms], format="csr"))
    roughness = sparse.csr_array(sparse.block_diag([t.roughness for t in terms], format="csr"))
    return Basis(
        expand,
        sparse.csr_array(expand.T),
        roughness,
        np.concatenate([t.weight for t in terms]),
        np.repeat(np.arange(len(terms)), [len(t.weight) for t in terms]),
        np.concatenate([t.lower for t in terms]),
        np.concatenate([t.upper for t in terms]),
        np.repeat(np.arange(len(terms)), [t.expand.shape[1] for t in terms]),
        tuple(len(t.expand) for t in terms),
    )


def between_its_levels(spec: TermSpec, reference_bin: int) -> bool:
    """True where not known lies between two levels: a directed yes_no whose reference is its low-risk level."""
    return spec.floor and spec.kind == "yes_no" and reference_bin == {1: 0, -1: 1}.get(spec.sign)


def _term_basis(spec: TermSpec, reference: int, counts: Codes) -> _TermBasis:
    bins = len(counts) - 2
    between = between_its_levels(spec, reference)
    known = _known_bins(spec, bins, between)
    names_of_extra = ["not_known"] * (not between) + ["not_applicable"] * spec.not_applicable
    steps = known.shape[1]
    expand = np.zeros((bins + 2, steps + len(names_of_extra)))
    expand[:bins, :steps] = known
    expand[bins:] = expand[reference]
    expand[bins, 0 if between else steps] = 1.0
    if spec.not_applicable:
        expand[bins + 1, -1] = 1.0
    lower, upper = np.full(expand.shape[1], -np.inf), np.full(expand.shape[1], np.inf)
    if between or spec.sign > 0:
        lower[:steps] = 0.0
    elif spec.sign < 0:
        upper[:steps] = 0.0
    if spec.floor and not between:
        lower[steps] = 0.0
    roughness, weight = _roughness(spec, expand, counts)
    return _TermBasis(expand, roughness, weight, lower, upper)


def _known_bins(spec: TermSpec, bins: int, between: bool) -> Floats:
    """Values of the known bins by parameter, shape (bins, parameters)."""
    if between:  # reference 0, not known a, the other level a + b
        return np.array([[0.0, 0.0], [1.0, 1.0]])[:: spec.sign]
    if spec.kind == "category":
        return np.eye(bins)
    return np.tril(np.ones((bins, bins)))[:, 1:]


def _roughness(spec: TermSpec, expand: Floats, counts: Codes) -> tuple[Floats, Floats]:
    """Penalised quantities of one feature and their relative weights.

    A difference weighs as much as there are differences, so that the variance over the whole feature
    does not depend on the number of bins.
    """
    bins = len(counts) - 2
    known = expand[:bins] if spec.kind == "category" else np.diff(expand[:bins], axis=0)
    weight = 1.0 if spec.kind == "category" else float(len(known))
    rows = counts[:bins].sum()
    share = counts[:bins] / rows if rows else np.full(bins, 1.0 / bins)
    missing = expand[bins : bins + 1 + spec.not_applicable] - share @ expand[:bins]
    return np.vstack([known, missing]), np.concatenate([np.full(len(known), weight), np.ones(len(missing))])
