"""Rows of which only some entries are stored, one row after another.

values   (E,) logits of the entries
leaves   (E,) their columns
starts   (n + 1,) where the entries of each row start, and where the last ones end
"""

import numpy as np

__all__ = ["best_entries", "rows_of_entries", "softmax_of_entries", "sums_so_far"]


def rows_of_entries(starts):
    """Row of each entry, (E,)."""
    return np.repeat(np.arange(len(starts) - 1), np.diff(starts))


def best_entries(values, leaves, starts):
    """Leaf of the largest entry of each row, the lowest on ties, its logit and sum of exp."""
    n_rows = len(starts) - 1
    leaf = np.zeros(n_rows, dtype=np.intp)
    peak = np.full(n_rows, -np.inf)
    rest = np.zeros(n_rows)
    stored = np.flatnonzero(np.diff(starts))  # reduceat knows no empty stretches
    if not len(stored):
        return leaf, peak, rest
    peak[stored] = np.maximum.reduceat(values, starts[stored])
    row = rows_of_entries(starts)
    largest = np.flatnonzero(values == peak[row])[::-1]
    leaf[row[largest]] = leaves[largest]  # backwards: the lowest leaf is written last
    with np.errstate(all="ignore"):
        values = np.exp(values - np.where(np.isneginf(peak), 0, peak)[row])
    rest[stored] = np.add.reduceat(values, starts[stored])
    return leaf, peak, rest


def softmax_of_entries(values, leaves, starts):
    """Softmax of each row's entries, (E,), and the largest logit of each row, (n,)."""
    _, peak, rest = best_entries(values, leaves, starts)
    row = rows_of_entries(starts)
    with np.errstate(all="ignore"):  # exp(-1000) is 0, and meant to be
        return np.exp(values - peak[row]) / rest[row], peak


def sums_so_far(values, starts):
    """Sums of each row's values up to each of them, without any subtraction."""
    sums = values.copy()
    left = np.arange(len(values)) - np.repeat(starts[:-1], np.diff(starts))  # values before it
    step = 1
    while (some := np.flatnonzero(left >= step)).size:
        sums[some] += sums[some - step]  # the right side is read before anything is written
        step *= 2
    return sums
