"""Where the rows of many resamples would go, from a few passes over the rows.

A resample only changes how much each row weighs: what a row adds, q, stays the same at the same
temperature. So q is made once, and the sums of many resamples are its products with their weights.

B    resamples whose sums are made together
b    rows of one block, in the order of their leaves
"""

import numpy as np

from ..logits.memory import Memory
from .affinity import exponentials_outside, in_order

__all__ = ["resampled_sums", "resamples_per_pass"]

# What the sums of all resamples of one pass may take, or those of so many if memory allows.
SUMS_BYTES, FEWEST = 256 * 10**6, 16

# Weights of the rows of one block, in all resamples.
WEIGHT_ENTRIES = 2**21


def resamples_per_pass(shape, free_bytes=None):
    """How many resamples of n rows and K leaves are made together; at least 1."""
    n_rows, n_leaves = shape
    each = 8 * n_leaves**2 + n_rows  # times drawn mostly take a byte each
    most = max(SUMS_BYTES, FEWEST * each)
    return max(int((most if free_bytes is None else min(most, free_bytes)) // each), 1)


def resampled_sums(logits, leaves, by_leaf, times, temperature, n_jobs=None):
    """Sums of the times that rows were drawn, times q, by leaf, resample and leaf: (K, B, K).

    Parameters
    ----------
    logits : Logits of shape (n, K)
    leaves : ndarray of shape (n,)
        Leaf of each row.
    by_leaf : RowsByLeaf
        The rows that may have been drawn.
    times : list of B ndarrays of shape (n,)
        How often each row was drawn.
    temperature : float
    n_jobs : int, default=None
        Threads; any number gives the same sums.
    """
    n_leaves = logits.shape[1]
    sums = np.zeros((n_leaves, len(times), n_leaves))
    step = max(min(logits.rows_per_block(), WEIGHT_ENTRIES // len(times)), 1)
    memory = Memory()

    def add(rows):
        for start in range(0, len(rows), step):
            some = rows[start : start + step]
            own = leaves[some]
            with np.errstate(all="ignore"):  # exp(-1000) is 0, and meant to be
                e, share = exponentials_outside(logits, some, own, temperature, memory)
            weights = np.array([drawn[some] for drawn in times]) * share
            present, first = np.unique(own, return_index=True)
            stops = np.append(first[1:], len(own))
            for leaf, a, b in zip(present.tolist(), first.tolist(), stops.tolist()):
                sums[leaf] += weights[:, a:b] @ e[a:b]

    # No two tasks have rows of the same leaf, so that none waits for another.
    for _ in in_order(add, by_leaf.in_lots(step), n_jobs):
        pass
    return sums
