"""Logits with all special cases: ties, leaves without rows, impossible leaves, weights."""

import numpy as np
from scipy.sparse import coo_matrix

from skl2h.merge.aggregations import AGGREGATIONS

DTYPES = [np.float16, np.float32, np.float64, np.int8, np.int64]


def random_case(seed, most_leaves=40):
    """Logits, weights, aggregation, block bytes and workers; each special case is in many seeds."""
    rng = np.random.default_rng(seed)
    n_leaves, n_rows = rng.integers(1, most_leaves + 1), rng.integers(1, 50)
    dtype = DTYPES[seed % len(DTYPES)]
    logits = rng.standard_normal((n_rows, n_leaves)) * 10.0 ** rng.integers(-1, 3)
    if rng.random() < 0.3:  # ties within rows, between rows and between leaves
        logits = np.round(rng.standard_normal((n_rows, n_leaves)))
    if rng.random() < 0.3:  # leaves without rows
        logits[:, rng.random(n_leaves) < 0.3] -= 30
    if rng.random() < 0.2:  # equal leaves
        logits = logits[:, rng.integers(0, n_leaves, n_leaves)]
    logits = np.clip(logits, -120, 120).astype(dtype)
    if logits.dtype.kind == "f" and rng.random() < 0.3:  # impossible leaves
        impossible = rng.random(logits.shape) < rng.choice([0.2, 0.9])
        impossible[np.arange(n_rows), logits.argmax(axis=1)] = False
        logits[impossible] = -np.inf
    weights = [
        None,
        rng.integers(0, 3, n_rows),
        rng.integers(0, 20, n_rows) / 8,
        rng.random(n_rows) * (rng.random(n_rows) < 0.8),
        np.full(n_rows, 0.1),
        10.0 ** rng.uniform(-25, 0, n_rows),
        10.0 ** rng.uniform(-200, -190, n_rows),
    ][rng.integers(7)]
    aggregation = list(AGGREGATIONS)[seed % len(AGGREGATIONS)]
    memory, n_jobs = rng.choice([1e-9, 1e-3, 1.0]), [None, 1, 2][rng.integers(3)]
    return logits, weights, aggregation, memory, n_jobs


def sparse_case(seed):
    """Logits with few stored entries in each row, as CSR, and as an array with -inf elsewhere."""
    rng = np.random.default_rng(seed)
    n_leaves, n_rows = rng.integers(1, 30), rng.integers(1, 60)
    dense = np.round(rng.standard_normal((n_rows, n_leaves)) * 4, rng.integers(0, 3))
    if rng.random() < 0.3:
        dense[:, rng.random(n_leaves) < 0.3] -= 30
    stored = rng.random(dense.shape) < rng.choice([0.1, 0.5, 0.9])
    stored[np.arange(n_rows), rng.integers(0, n_leaves, n_rows)] = True
    rows, columns = np.nonzero(stored)
    shuffled = rng.permutation(len(rows))
    rows, columns = rows[shuffled], columns[shuffled]
    dtype = [np.float32, np.float64, np.int64][seed % 3]
    dense = dense.astype(dtype).astype(float)
    values = dense[rows, columns].astype(dtype)
    return coo_matrix((values, (rows, columns)), dense.shape), np.where(stored, dense, -np.inf)


def clear_logits(seed=0, n_rows=400, n_leaves=14):
    """Logits without ties, so that the groups of the tree are told by more than rounding."""
    rng = np.random.default_rng(seed)
    places = rng.standard_normal((n_leaves, 4))
    return (
        2
        * (rng.standard_normal((n_rows, 4)) + places[rng.integers(n_leaves, size=n_rows)])
        @ (places.T)
    )
