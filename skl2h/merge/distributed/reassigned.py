"""Where the rows of chunks would go, for the affinity tree: one pass, of which sums come back.

A chunk tells a `Reading` as it does for merges, but that its profiles are those of `affinity`:
lines by leaf, (m, K), of dense rows, and sums by leaf * K + leaf of sparse ones.
"""

from typing import NamedTuple

import numpy as np
from scipy.sparse import issparse, vstack

from ...logits.matrix import as_logits
from ..affinity import add_rows, places_of_sample, reassigned
from ..weights import digits_of, sum_digits
from .chunks import Fault, Reading, Table, add_readings, fault_of

__all__ = [
    "add_reassigned",
    "reassign_chunk",
    "reassigned_of",
    "rows_of_sample",
    "sample_of_chunks",
    "sample_of_parts",
    "totals_of",
    "weights_by_leaf",
]


class _ReassignedChunk(NamedTuple):
    """What one pass tells of a chunk.

    Attributes
    ----------
    leaf : ndarray of shape (n,), or None
        Leaf of each row; None where there is a fault.
    answer : Reading
    """

    leaf: np.ndarray | None
    answer: Reading


def reassign_chunk(scores, weights, n_leaves, temperature, kind="logits", divisor=1.0):
    """Read the rows of a chunk once: a `_ReassignedChunk`."""
    fault = fault_of(scores, n_leaves, weights)
    n_rows = 0 if fault else scores.shape[0]
    if fault is None and n_rows:
        logits = as_logits(scores, kind, divisor)
        n_leaves = logits.shape[1]
        sums = np.zeros((n_leaves, n_leaves))  # lines that are never written take no memory
        leaf = add_rows(sums, logits, weights, temperature, 1, first_fault=True)
        if isinstance(leaf, int):
            fault = Fault(leaf, logits.fault_of(leaf))
    if fault is not None or not n_rows:
        nobody = np.empty(0, np.intp)
        where = None if fault is None else (0, fault)
        tables = weights_by_leaf(nobody, None if weights is None else np.empty(0))
        nothing = Table(nobody, np.empty(0))
        answer = Reading(None, [0], where, *tables, nothing, True, True)
        return _ReassignedChunk(nobody if fault is None else None, answer)
    present = np.flatnonzero(np.bincount(leaf))
    lines = sums[present]
    del sums
    is_sparse = logits.is_sparse
    if is_sparse:
        line, column = np.nonzero(lines)
        profiles = Table(present[line] * n_leaves + column, lines[line, column])
    else:
        profiles = Table(present, lines)
    kinds = is_sparse, logits.look_like_probabilities()
    answer = Reading(n_leaves, [n_rows], None, *weights_by_leaf(leaf, weights), profiles, *kinds)
    return _ReassignedChunk(leaf, answer)


def weights_by_leaf(leaf, weights):
    """Rows of each leaf, a `Table`, and their weights without any rounding, one or None."""
    n_rows = np.bincount(leaf)
    found = np.flatnonzero(n_rows)
    digits = None if weights is None else Table(*digits_of(leaf, weights))
    return Table(found, n_rows[found].astype(np.int64)), digits


def totals_of(rows, digits, n_leaves):
    """Weight of the rows of each leaf, from what `weights_by_leaf` gave, added up."""
    if digits is not None:
        return sum_digits(*digits, n_leaves)
    totals = np.zeros(n_leaves, dtype=np.int64)
    totals[rows.keys] = rows.values
    return totals


def add_reassigned(readings):
    """Reading of chunks in a row, of those of some of them in a row."""
    if any(reading.profiles.values.ndim == 2 for reading in readings):
        readings = list(map(_in_lines, readings))
        n_leaves = next(
            reading.n_leaves for reading in readings if reading.profiles.values.ndim == 2
        )
        nothing = Table(np.empty(0, np.intp), np.empty((0, n_leaves)))
        readings = [
            reading if len(reading.profiles.keys) else reading._replace(profiles=nothing)
            for reading in readings
        ]
    return add_readings(readings)


def _in_lines(reading):
    """Reading of which the profiles are lines, if it has rows at all."""
    keys, values = reading.profiles
    if values.ndim == 2 or not len(keys):
        return reading
    leaf, column = np.divmod(keys, reading.n_leaves)
    present, line = np.unique(leaf, return_inverse=True)
    lines = np.zeros((len(present), reading.n_leaves))
    lines[line, column] = values
    return reading._replace(profiles=Table(present, lines))


def reassigned_of(reading, scale=None, leaves=None):
    """`affinity.Reassigned` of what all chunks tell."""
    n_leaves = reading.n_leaves
    keys, values = reading.profiles
    sums = np.zeros((n_leaves, n_leaves))
    if values.ndim == 1:
        sums.reshape(-1)[keys] = values
    else:
        sums[keys] = values
    return reassigned(sums, totals_of(reading.rows, reading.digits, n_leaves), scale, leaves)


def sample_of_chunks(lengths):
    """Numbers of the rows of each chunk that tell a temperature."""
    *starts, n_rows = np.cumsum([0, *lengths])
    places = places_of_sample(n_rows)
    in_chunks = np.split(places, np.searchsorted(places, starts[1:]))
    return [of_chunk - start for of_chunk, start in zip(in_chunks, starts)]


def rows_of_sample(scores, weights, places, n_leaves):
    """Some rows of a chunk and their weights in a list, empty of a chunk that has a fault."""
    if fault_of(scores, n_leaves, weights) is not None:
        return []  # the pass over all rows names it
    places = places[places < scores.shape[0]]  # a chunk may have fewer rows than was said
    # Sparse ones may be of any format, and store an entry twice.
    some = as_logits(scores)[places].scores if issparse(scores) else scores[places]
    return [(some, None if weights is None else weights[places])]


def sample_of_parts(parts, kind="logits", divisor=1.0):
    """`Logits` of the rows that chunks gave for a sample, and their weights or None."""
    widths = {scores.shape[1] for scores, _ in parts}
    if len(widths) != 1:
        return None, None
    scores, weights = zip(*parts)
    if all(map(issparse, scores)):
        scores = vstack(scores, format="csr")
    else:
        fill = 0.0 if kind == "probabilities" else -np.inf
        scores = np.concatenate([_filled(some, fill) for some in scores])
    weights = None if weights[0] is None else np.concatenate(weights)
    return as_logits(scores, kind, divisor), weights


def _filled(scores, fill):
    """Rows with what is impossible where a sparse matrix stores nothing."""
    if not issparse(scores):
        return np.asarray(scores)
    some = scores.tocoo()
    full = np.full(scores.shape, fill)
    full[some.row, some.col] = some.data
    return full
