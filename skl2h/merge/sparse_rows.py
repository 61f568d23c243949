"""The state of rows of which only the possible leaves are stored.

It is that of `rows`, and always computed afresh, from the few entries that there are.
"""

import numpy as np
from scipy.sparse import csr_matrix

from ..logits.matrix import best_entries, first_not_finite, share_of

__all__ = ["leave_out", "read_block", "soft_probabilities", "soft_profiles"]


def read_block(logits):
    """Leaf, doubt, second, peak and share of the rows of a block, or the first bad row."""
    values, leaves, starts = logits.entries(slice(0, logits.shape[0]))
    leaf, top, _ = best_entries(values, leaves, starts)
    if (bad := first_not_finite(top)) is not None:
        return bad
    values[leaves == np.repeat(leaf, np.diff(starts))] = -np.inf
    second, peak, rest = best_entries(values, leaves, starts)
    outside = rest * np.exp(peak - top)
    return leaf, outside / (1 + outside), second, peak, share_of(rest)


def leave_out(logits, state, rows, slots, slot_of_leaf):
    """Bring the state of rows up to date with their groups."""
    values, leaves, starts = logits.entries(rows)
    values[slot_of_leaf[leaves] == np.repeat(slots, np.diff(starts))] = -np.inf
    state.second[rows], state.peak[rows], rest = best_entries(values, leaves, starts)
    state.share[rows] = share_of(rest)


def soft_probabilities(logits, rows, leaves):
    """Softmax over all leaves, of some rows and leaves, (len(rows), len(leaves))."""
    values, columns, starts = logits.entries(rows)
    _, peak, rest = best_entries(values, columns, starts)
    row = np.repeat(np.arange(len(peak)), np.diff(starts))
    some = np.flatnonzero(np.isin(columns, leaves))
    place = np.argsort(leaves)
    p = np.zeros((len(peak), len(leaves)))
    at = place[leaves[place].searchsorted(columns[some])]
    p[row[some], at] = np.exp(values[some] - peak[row[some]]) / rest[row[some]]
    return p


def soft_profiles(logits, state, weights, empty):
    """Profiles of leaves without rows: the mass that each gets from the rows of every leaf.

    Returns a CSC matrix of shape (K, K), where only the columns of `empty` are filled.
    """
    wanted = np.zeros(logits.shape[1], dtype=bool)
    wanted[empty] = True
    n_leaves = logits.shape[1]
    total = csr_matrix((n_leaves, n_leaves))
    for rows in logits.blocks():
        values, leaves, starts = logits.entries(rows)
        _, peak, rest = best_entries(values, leaves, starts)
        row = np.repeat(np.arange(len(peak)), np.diff(starts))
        some = np.flatnonzero(wanted[leaves])
        row, leaves = row[some], leaves[some]
        p = np.exp(values[some] - peak[row]) / rest[row]
        if weights is not None:
            p *= weights[rows][row]
        total = total + csr_matrix((p, (state.leaf[rows][row], leaves)), total.shape)
    return total.tocsc()
